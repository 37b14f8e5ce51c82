"""Coupled worlds: the same replicates grown under one noise in several ways, with a number for each run.

The run is the unit. A contrast of worlds is taken run by run, so what the noise does to all of them alike
is in none of the differences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.errors import SpecificationError
from cloudchamber.measures import UNPREDICTABILITY, Measure, measure_named
from cloudchamber.measures.drawn import drawn_mean
from cloudchamber.measures.estimate import Estimate, mean
from cloudchamber.microspec import Microspec
from cloudchamber.questions import Ints, Reals
from cloudchamber.trace import Level, Trace

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Coupled", "level_for", "numbers_of", "of_runs", "pools"]

SHOWN = 4_000_000
"""Exposures of one world that are held at a time."""


@dataclass(frozen=True, eq=False)
class Coupled:
    """One number a run in each of several worlds; entry i of each is of the same replicate."""

    measure: str
    replicates: Ints
    """(runs,)"""
    worlds: Mapping[str, Reals]
    """World -> (runs,)."""
    drawn: Mapping[str, Reals] = field(default_factory=dict)
    """World -> (draws, runs): the same runs under draws of the parameters of a fit that decides in them. What
    they differ by is then in every interval; empty where nothing that was fitted decides."""
    left_out: Mapping[int, str] = field(default_factory=dict)
    """Replicates without a number, as a run of theirs failed, and why."""

    def __len__(self) -> int:
        """How many runs each world has."""
        return len(self.replicates)

    @property
    def draws(self) -> int:
        """Of the parameters, beside the fit itself."""
        return len(next(iter(self.drawn.values()))) if self.drawn else 0

    def mean(self, world: str, level: float = 0.95) -> Estimate:
        """The mean over the runs of one world."""
        return self.contrast((world, 1.0), level=level)

    def contrast(self, *signs: tuple[str, float], level: float = 0.95) -> Estimate:
        """The mean over runs of a sum of worlds' numbers, each times its sign: ``("with", 1), ...``."""
        if not self.drawn:
            return mean(self.by_run(*signs), level=level)
        values = self.by_draw(*signs)
        return drawn_mean(values[:, np.isfinite(values).all(axis=0)], level)

    def by_run(self, *signs: tuple[str, float]) -> Reals:
        """(runs,): the same, run by run; what rounding leaves of 0 is 0."""
        return _summed([(self.worlds[world], sign) for world, sign in signs])

    def by_draw(self, *signs: tuple[str, float]) -> Reals:
        """(draws + 1, runs): the same under each draw, the fit itself first."""
        drawn = [(self.drawn[world], sign) for world, sign in signs] if self.drawn else []
        own = self.by_run(*signs)[None, :]
        return np.concatenate([own, _summed(drawn)]) if drawn else own

    def frame(self) -> "pd.DataFrame":
        """A row a run (and draw, 0 for the fit itself): replicate, draw, and a column for each world."""
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        values = {world: self.by_draw((world, 1.0)) for world in self.worlds}
        rows = self.draws + 1
        told = {"replicate": np.tile(self.replicates, rows)}
        told["draw"] = np.repeat(np.arange(rows), len(self))
        return pd.DataFrame({**told, **{world: one.ravel() for world, one in values.items()}})

    @classmethod
    def of(
        cls, measure: str, frame: "pd.DataFrame", left_out: Mapping[int, str] | None = None
    ) -> "Coupled":
        """What `frame` gave.

        Raises:
            KeyError: a column is lacking.
        """
        first = frame["draw"].to_numpy() == 0
        names = [str(name) for name in frame.columns if name not in ("replicate", "draw")]
        whole = {name: frame[name].to_numpy(np.float64) for name in names}
        runs = frame["replicate"].to_numpy(np.int64)[first]
        drawn = {name: one[~first].reshape(-1, len(runs)) for name, one in whole.items()}
        return cls(
            measure,
            runs,
            {name: one[first] for name, one in whole.items()},
            {} if first.all() else drawn,
            dict(left_out or {}),
        )


def _summed(parts: Sequence[tuple[Reals, float]]) -> Reals:
    whole = np.zeros_like(parts[0][0], np.float64)
    most = np.zeros_like(whole)
    for values, sign in parts:
        whole += sign * values
        most = np.maximum(most, np.abs(values))
    return np.where(np.abs(whole) <= 1e-14 * most, 0.0, whole)


def of_runs(measure: str | Measure) -> Measure:
    """The measure, by its name.

    Raises:
        SpecificationError: there is none of that name, or it has no number that is one run's own.
    """
    found = measure_named(measure) if isinstance(measure, str) else measure
    if found.across_runs or found is UNPREDICTABILITY:
        raise SpecificationError(
            f"measure: {found.name!r} compares runs with one another; give one that has a number for each run"
        )
    return found


def level_for(measure: Measure) -> Level:
    """As much of a trace as the measure reads."""
    return Level("summary" if measure.of_tally is not None else "full")


def numbers_of(measure: Measure, trace: Trace, ids: Ints) -> Reals:
    """(runs,): the measure of each run, NaN where it has none."""
    found = measure(trace)
    return np.asarray(found.reindex(ids).to_numpy(), np.float64)


def pools(spec: Microspec, replicates: Sequence[int], draws: int = 1) -> list[list[int]]:
    """The replicates, as many at a time as memory is to hold; each is grown under so many draws."""
    shown = spec.world.items * spec.population.count * spec.turns.steps * draws
    size = max(1, SHOWN // max(shown, 1))
    some = list(replicates)
    if len(set(some)) != len(some) or not some:
        raise SpecificationError(f"replicates: {some[:10]} given; give at least one, each once")
    return [some[start : start + size] for start in range(0, len(some), size)]
