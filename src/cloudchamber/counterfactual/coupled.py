"""Coupled worlds: the same replicates grown under one noise in several ways, with a number for each run.

The run is the unit. A contrast of worlds is taken run by run, so what the noise does to all of them alike
is in none of the differences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.errors import SpecificationError
from cloudchamber.measures import UNPREDICTABILITY, Measure, measure_named
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

    def __len__(self) -> int:
        """How many runs each world has."""
        return len(self.replicates)

    def mean(self, world: str, level: float = 0.95) -> Estimate:
        """The mean over the runs of one world."""
        return mean(self.worlds[world], level=level)

    def contrast(self, *signs: tuple[str, float], level: float = 0.95) -> Estimate:
        """The mean over runs of a sum of worlds' numbers, each times its sign: ``("with", 1), ...``."""
        return mean(self.by_run(*signs), level=level)

    def by_run(self, *signs: tuple[str, float]) -> Reals:
        """(runs,): the same, run by run; what rounding leaves of 0 is 0."""
        whole, most = np.zeros(len(self)), np.zeros(len(self))
        for world, sign in signs:
            whole += sign * self.worlds[world]
            most = np.maximum(most, np.abs(self.worlds[world]))
        return np.where(np.abs(whole) <= 1e-14 * most, 0.0, whole)

    def frame(self) -> "pd.DataFrame":
        """A row a run: replicate, and a column for each world."""
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        return pd.DataFrame({"replicate": self.replicates, **self.worlds})


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


def pools(spec: Microspec, replicates: Sequence[int]) -> list[list[int]]:
    """The replicates, as many at a time as memory is to hold."""
    shown = spec.world.items * spec.population.count * spec.turns.steps
    size = max(1, SHOWN // max(shown, 1))
    some = list(replicates)
    if len(set(some)) != len(some) or not some:
        raise SpecificationError(f"replicates: {some[:10]} given; give at least one, each once")
    return [some[start : start + size] for start in range(0, len(some), size)]
