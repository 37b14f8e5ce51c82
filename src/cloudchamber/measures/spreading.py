"""How far something spreads, how much of it there is at once, and how fast: of what worlds record of it."""

from typing import TYPE_CHECKING, Final

import numpy as np

from cloudchamber.measures.facts import fact_over_time, of_fact
from cloudchamber.measures.measure import Measure
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SPREADING", "time_to_half"]


def time_to_half(source: Readable) -> "pd.Series[float]":
    """Steps until half of those who are reached after the start are reached; NaN where nobody is.

    To the next checkpoint, of which a run has at most 200.
    """
    course = fact_over_time(source, "reached").sort_values(["run", "step"])
    runs = course.groupby("run")["value"]
    first, last = runs.transform("first"), runs.transform("last")
    passed = course[(course["value"] >= (first + last) / 2) & (last > first)]
    steps = passed.groupby("run")["step"].first().astype(np.float64)
    return steps.reindex(sorted(course["run"].unique())).rename_axis("run").rename("time to half")


SPREADING: Final = (
    of_fact("reached", "share of agents ever reached", 0, 1, name="reach"),
    of_fact("peak", "largest share of agents at once", 0, 1, name="peak"),
    Measure("time to half", "steps until half of those reached are", 0, np.inf, time_to_half),
)
"""The measures of what spreads."""
