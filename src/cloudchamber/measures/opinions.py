"""Where a group with one question stands: its mean opinion, and how strong its majority is."""

from typing import TYPE_CHECKING, Final

from cloudchamber.measures.facts import fact, fact_over_time, of_fact
from cloudchamber.measures.measure import Measure
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OPINIONS", "majority", "majority_over_time"]


def majority(source: Readable) -> "pd.Series[float]":
    """How far the mean opinion is from even at the end, whichever way: 0 for even, 1 for all alike."""
    return fact(source, "opinion").abs().rename("majority")


def majority_over_time(source: Readable) -> "pd.DataFrame":
    """The same at each checkpoint: columns run, step, value."""
    course = fact_over_time(source, "opinion")
    return course.assign(value=course["value"].abs())


OPINIONS: Final = (
    of_fact("opinion", "share for one answer less that for the other", -1, 1, name="mean opinion"),
    Measure("majority", "mean opinion, either way", 0, 1, majority, majority_over_time),
)
"""The measures of a group's opinion."""
