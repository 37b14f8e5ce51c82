"""Which design would tell rival mechanisms apart, and with how many runs: asked before anyone is paid.

Each rival in turn is taken for true and decides in each candidate design; every other is fitted to what
it did, to the exact distributions, so that it comes as near as it can. What is left between them a decision
(the Kullback-Leibler divergence) is what choices can tell; where nothing is left, no number of runs will do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Literal

import numpy as np

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.measures.estimate import Estimate, about, mean, runs_needed
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.comparing import TIE
from cloudchamber.mechanism.fitting import fit
from cloudchamber.mechanism.growing import decided_by, grown_by
from cloudchamber.mechanism.likelihood import Targets, row_log_likelihoods
from cloudchamber.mechanism.mechanisms import Mechanism
from cloudchamber.mechanism.reading import choices_of
from cloudchamber.microspec import Microspec
from cloudchamber.microspec.visibility import Seeded
from cloudchamber.questions import Reals

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Apart", "TellingApart", "designs_of", "tell_apart"]

FEW_LIKES = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Levels at which a threshold, a logarithm and a size part ways."""


@dataclass(frozen=True, slots=True)
class Apart:
    """One rival where another is true, in one design."""

    design: str
    true: str
    rival: str
    divergence: Estimate
    """Nats a decision by which the rival at its best falls short; infinite where it says of what happened
    that it cannot be."""
    runs: float
    """How many show it by the picks alone, with the power asked for; infinite where nothing does."""
    decisions: float
    """In a run."""

    @property
    def equal(self) -> bool:
        """Whether the two are one and the same in this design."""
        return not self.divergence.value > TIE


@dataclass(frozen=True)
class TellingApart:
    """All pairs of rivals in all designs."""

    pairs: tuple[Apart, ...]
    designs: tuple[str, ...]
    rivals: tuple[str, ...]

    def runs(self, one: str, other: str, design: str) -> float:
        """How many runs tell two rivals apart whichever of them is true; infinite where none do.

        A rival that holds the true one within it predicts as well: then parameters decide (see
        `Comparison.simplest`), and what counts is the case in which the larger one is true.
        """
        self._known(one, self.rivals, "rival")
        self._known(other, self.rivals, "rival")
        self._known(design, self.designs, "design")
        both = [
            pair.runs
            for pair in self.pairs
            if pair.design == design and {pair.true, pair.rival} == {one, other}
        ]
        return max((runs for runs in both if isfinite(runs)), default=inf)

    def best(self, one: str, other: str) -> str | None:
        """The design that tells two rivals apart in the fewest decisions; None: none of them does."""
        needed = {
            design: self.runs(one, other, design) * self._decisions(design)
            for design in self.designs
        }
        design = min(needed, key=lambda name: needed[name])
        return design if isfinite(needed[design]) else None

    def equal(self, design: str) -> tuple[tuple[str, str], ...]:
        """The pairs of rivals that are observationally equal in a design: no number of runs tells them."""
        self._known(design, self.designs, "design")
        return tuple(
            pair for pair in combinations(self.rivals, 2) if not isfinite(self.runs(*pair, design))
        )

    def table(self) -> "pd.DataFrame":
        """A row for each design, true mechanism and rival."""
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        rows = [
            (
                p.design,
                p.true,
                p.rival,
                p.divergence.value,
                p.divergence.low,
                p.divergence.high,
                p.runs,
            )
            for p in self.pairs
        ]
        names = ["design", "true", "rival", "nats a decision", "low", "high", "runs"]
        return pd.DataFrame(rows, columns=names)

    def __str__(self) -> str:
        lines = []
        for one, other in combinations(self.rivals, 2):
            equal = [d for d in self.designs if (one, other) in self.equal(d)]
            best = self.best(one, other)
            told = f"{one} and {other}: "
            if best is None:
                told += "cannot tell them apart in any of these designs"
            else:
                told += f"{about(self.runs(one, other, best), 'runs')} tell them apart {best!r}"
            if equal and best is not None:
                told += f"; nothing does {', '.join(map(repr, equal))}"
            lines.append(told)
        return "\n".join(lines)

    def _decisions(self, design: str) -> float:
        return max(pair.decisions for pair in self.pairs if pair.design == design)

    @staticmethod
    def _known(name: str, known: Sequence[str], what: str) -> None:
        if name not in known:
            raise SpecificationError(f"no {what} {name!r}; {nearest(name, known)}")


def tell_apart(
    rivals: Mapping[str, Mechanism],
    designs: Mapping[str, Microspec] | Microspec,
    *,
    groups: Sequence[str] = (),
    replicates: int = 12,
    power: float = 0.9,
    level: float = 0.95,
    seed: int = 0,
) -> TellingApart:
    """What separates rival mechanisms, design by design.

    Args:
        rivals: two or more, with the parameters that they would have (those of a fit, say).
        designs: candidates by name; or one specification, whose variants `designs_of` makes.
        groups: whose place the rivals take; everyone's if none is named.
        replicates: runs grown for each rival and design.
        power: chance of the picks to show the difference, at which runs are counted.
        level: confidence of the difference that they are to show.
        seed: of these runs.

    Raises:
        SpecificationError: fewer than two rivals or replicates, or no design.
    """
    if isinstance(designs, Microspec):
        designs = designs_of(designs)
    if len(rivals) < 2 or not designs or replicates < 2:
        raise SpecificationError(
            f"tell_apart: {len(rivals)} rivals, {len(designs)} designs, {replicates} replicates given; "
            "needed are 2 rivals, 1 design and 2 replicates at least"
        )
    found = []
    for design, spec in designs.items():
        names = list(groups) or [group.name for group in spec.population.groups]
        deciding = [decided_by(spec, dict.fromkeys(names, one))[0] for one in rivals.values()]
        at = 0
        for pool in grown_by(spec, deciding, seed=seed, replicates=range(replicates)):
            for ids in pool.runs():
                true, at = list(rivals)[at], at + 1
                data = choices_of(
                    pool.trace, asked=_asked(spec), runs=ids, content=spec.world.content()
                )
                for rival in rivals:
                    if rival != true:
                        pair = rivals[true], rivals[rival]
                        told = _apart(data, *pair, power=power, level=level)
                        found.append(Apart(design, true, rival, *told))
    return TellingApart(tuple(found), tuple(designs), tuple(rivals))


def _asked(spec: Microspec) -> Literal["several"] | None:
    """Where a trace alone does not say it."""
    form = spec.affordances
    at_once = form.presentation == "list" and form.choose == "up to" and not form.one_by_one
    return "several" if at_once else None


def _apart(
    data: ChoiceData, true: Mechanism, rival: Mechanism, *, power: float, level: float
) -> tuple[Estimate, float, float]:
    """The divergence, the runs that show it, and the decisions of a run."""
    best = fit(rival, data).mechanism
    left = _by_run(data, true, best, "distributions")
    decisions = len(data) / len(left)
    if not np.isfinite(left).all():
        share = float((~np.isfinite(left)).mean())
        runs = 1.0 if share == 1 else np.ceil(np.log(1 - power) / np.log(1 - share))
        return Estimate(inf, nan, nan, len(left), level), float(runs), decisions
    divergence = mean(left, level=level)
    if not divergence.value > TIE:
        return divergence, inf, decisions
    spread = float(_by_run(data, true, best, "choices").std(ddof=1))
    return divergence, runs_needed(spread, divergence.value, power=power, level=level), decisions


def _by_run(data: ChoiceData, one: Mechanism, other: Mechanism, to: Targets) -> Reals:
    """(runs,): by how much the one says more of a run's decisions than the other, on average."""
    gap = row_log_likelihoods(one, data, to) - row_log_likelihoods(other, data, to)
    first = np.flatnonzero(np.diff(data.run, prepend=data.run[0] - 1))
    return np.asarray(np.add.reduceat(gap, first) / np.diff(np.append(first, len(gap))))


def designs_of(spec: Microspec) -> dict[str, Microspec]:
    """Designs near a given one, by what they are: what is counted shown or set beforehand, orders, forms.

    Those that the specification does not allow, or that are what it is already, are left out.
    """
    changes: dict[str, dict[str, object]] = {}
    for field in spec.world.fields:
        if field in spec.visibility.fields:
            changes[f"with {field} shown exactly"] = {f"visibility.fields.{field}": "exact"}
        changes[f"with {field} set beforehand"] = {
            f"visibility.fields.{field}": Seeded(levels=FEW_LIKES).model_dump(mode="json")
        }
    changes["in random order"] = {"visibility.order": "shuffled"}
    changes["with five acts remembered"] = {"memory": {"kind": "window", "k": 5}}
    changes["each judged alone"] = {
        "affordances.presentation": "one at a time",
        "affordances.choose": "any",
        "affordances.most": 1,
    }
    changes["with choosing none allowed"] = {"affordances.may_decline": True}
    found = {"as it is": spec}
    for name, change in changes.items():
        try:
            other = spec.replace_all(change)
        except SpecificationError:
            continue
        if other not in found.values():
            found[name] = other
    return found
