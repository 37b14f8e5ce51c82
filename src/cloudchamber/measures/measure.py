"""A measure: trace -> a number for each run, and where it has a course, for each step."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.measures.tally import final_tallies, tallies
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Measure", "final", "of_tally"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A named function of traces."""

    name: str
    unit: str
    """What a number of it is, in words a reader knows."""
    low: float
    """The least value possible."""
    high: float
    """The largest value possible; infinite where there is no bound."""
    compute: "Callable[[Readable], pd.Series[float]]"
    """One number a run: a series indexed by run."""
    over_time: "Callable[[Readable], pd.DataFrame] | None" = None
    """The same at each checkpoint: columns run, step, value; None where it has no course."""
    of_tally: "Callable[[Any], NDArray[np.float64]] | None" = None
    """Tallies of shape [..., items] -> [...], where it is a function of the world's tallies alone."""
    across_runs: bool = False
    """Whether a run's number says how it differs from the other runs measured with it; such numbers
    are not independent, and their mean takes a jackknife. `of_tally` is then [runs, items] -> [runs]."""

    def aloud(self) -> str:
        """The measure's name inside a sentence."""
        return self.name.replace("gini", "Gini coefficient")

    def __call__(self, source: Readable) -> "pd.Series[float]":
        """One number a run, named after the measure."""
        return self.compute(source).rename(self.name)


def of_tally(
    name: str, unit: str, low: float, high: float, function: Callable[[Any], NDArray[np.float64]]
) -> Measure:
    """A measure of the world's tallies.

    Args:
        name: its name.
        unit: what a number of it is.
        low: the least value possible.
        high: the largest value possible.
        function: tallies of shape [..., items] -> [...], e.g. `concentration.gini`.
    """
    return Measure(
        name,
        unit,
        low,
        high,
        partial(final, function=function),
        partial(_course, function=function),
        function,
    )


def final(source: Readable, function: Callable[[Any], NDArray[np.float64]]) -> "pd.Series[float]":
    """A function of tallies, of what each run's items gained in the whole of it: one number a run."""
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    parts = [pd.Series(function(t.value[:, -1]), index=t.run) for t in final_tallies(source)]
    whole = pd.concat(parts) if parts else pd.Series(dtype=np.float64)
    return whole.rename_axis("run").sort_index()


def _course(source: Readable, function: Callable[[Any], NDArray[np.float64]]) -> "pd.DataFrame":
    import pandas as pd  # as above

    parts = []
    for tally in tallies(source):
        value = function(tally.value)
        run, step = np.broadcast_arrays(tally.run[:, None], tally.step[None])
        parts.append(
            pd.DataFrame({"run": run.ravel(), "step": step.ravel(), "value": value.ravel()})
        )
    if not parts:
        return pd.DataFrame({"run": [], "step": [], "value": []})
    return pd.concat(parts, ignore_index=True).sort_values(["run", "step"], ignore_index=True)
