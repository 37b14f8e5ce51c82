"""What would happen at scale: a mechanism decides for populations far larger than the one it was fitted to.

Every replicate is grown under the fit itself and under several draws of its parameters, with the same noise:
so the spread between populations and the fit's uncertainty are told apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.errors import SpecificationError
from cloudchamber.measures import Measure
from cloudchamber.measures.drawn import drawn_mean
from cloudchamber.measures.estimate import Estimate
from cloudchamber.mechanism.growing import decided_by, numbers_by
from cloudchamber.mechanism.plausible import Fitted
from cloudchamber.microspec import Microspec
from cloudchamber.questions import Reals

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SIZES", "AtScale", "at_scale", "sized"]

SIZES = (100, 1_000, 10_000, 100_000)
Watch = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class AtScale:
    """A measure at several sizes of the population; its excess over the null, where there is one."""

    measure: str
    values: Mapping[int, Reals]
    """By size (draws + 1, replicates): the first row is the fit itself."""
    null: Mapping[int, Reals]
    """The same of the null; empty without one."""

    @property
    def excess(self) -> Mapping[int, Reals]:
        """By size, the measure less that of the null, run by run; the measure itself without a null."""
        return {size: one - self.null.get(size, 0.0) for size, one in self.values.items()}

    def mean(self, size: int, *, excess: bool = False, level: float = 0.95) -> Estimate:
        """What to expect on average of populations of a size, with the fit's uncertainty in the interval.

        Raises:
            SpecificationError: nothing of that size was grown.
        """
        return drawn_mean(self._of(size, excess), level)

    def range(self, size: int, *, excess: bool = False, level: float = 0.95) -> tuple[float, float]:
        """Where one such population is expected to lie: quantiles over draws and replicates together.

        Raises:
            SpecificationError: nothing of that size was grown.
        """
        values = self._of(size, excess)
        drawn = values[1:] if len(values) > 1 else values
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def _of(self, size: int, excess: bool) -> Reals:
        if size not in self.values:
            there = ", ".join(f"{one:,}" for one in self.values)
            raise SpecificationError(f"nothing of {size:,} agents was grown; there are {there}")
        return self.excess[size] if excess else self.values[size]

    def table(self) -> "pd.DataFrame":
        """A row a size: the measure, and its excess, each with interval and range."""
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        rows = []
        for size in self.values:
            for of in ("measure", "excess") if self.null else ("measure",):
                told, within = (
                    self.mean(size, excess=of == "excess"),
                    self.range(size, excess=of == "excess"),
                )
                rows.append(
                    {
                        "agents": size, "of": of, "value": told.value, "low": told.low,
                        "high": told.high, "least": within[0], "most": within[1], "n": told.n,
                    }
                )  # fmt: skip
        return pd.DataFrame(rows)


def at_scale(
    spec: Microspec,
    found: "Fitted | Mapping[str, Fitted]",
    measure: Measure,
    agents: Sequence[int] = SIZES,
    *,
    null: Microspec | None = None,
    replicates: int = 4,
    draws: int = 10,
    seed: int = 0,
    watch: Watch | None = None,
) -> AtScale:
    """Grow a specification with a mechanism in everybody's place, at several sizes of the population.

    Everything else stays: how often each decides, who sees what. One after another takes as many batches as
    there are decisions, some thousands a second for all runs together.

    Args:
        spec: what is grown.
        found: as for `regrow`.
        measure: one of the world's tallies; others would need every exposure.
        agents: sizes of the population; groups keep their shares.
        null: the same specification without influence.
        replicates: populations of each size.
        draws: of the fit's parameters, beside the fit itself.
        seed: of every draw.
        watch: told what is being grown.

    Raises:
        SpecificationError: the measure is not one of tallies, a size below 1, or as `regrow`.
    """
    if measure.of_tally is None or measure.across_runs:
        raise SpecificationError(
            f"measure: {measure.name!r} is not one of each run's tallies, and at scale nothing else is kept; "
            "give one that is, e.g. MEASURES['gini']"
        )
    values: dict[int, Reals] = {}
    nulls: dict[int, Reals] = {}
    for size in agents:
        if watch is not None:
            watch(f"growing {size:,} agents")
        for told, one in ((values, spec), (nulls, null)):
            if one is not None:
                large = sized(one, size)
                told[size] = numbers_by(
                    large,
                    decided_by(large, found, draws, seed=seed),
                    measure,
                    seed=seed,
                    replicates=range(replicates),
                )
    return AtScale(measure.name, values, nulls)


def sized(spec: Microspec, agents: int) -> Microspec:
    """The specification with so many agents; groups keep their shares, to the next whole agent.

    Raises:
        SpecificationError: fewer than one.
    """
    if agents < 1:
        raise SpecificationError(f"agents: {agents}; allowed: at least 1")
    groups = spec.population.groups
    share = np.array([group.count for group in groups]) * agents / spec.population.count
    counts = np.floor(share + 1e-9).astype(int)
    counts[np.argsort(counts - share, kind="stable")[: agents - counts.sum()]] += 1
    changed = tuple(
        group.altered(count=int(count)) for group, count in zip(groups, counts, strict=True)
    )
    return spec.replace("population", spec.population.altered(groups=changed))
