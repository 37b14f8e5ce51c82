"""Measures of what a world recorded of its runs: its facts, at the last checkpoint and over time.

A run whose world records no such fact has no number (NaN).
"""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.measures.measure import Measure
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fact", "fact_over_time", "later_half", "of_fact"]


def of_fact(
    fact_name: str,
    unit: str,
    low: float = -np.inf,
    high: float = np.inf,
    *,
    name: str = "",
    late: bool = False,
) -> Measure:
    """A measure of a fact that worlds record (`World.facts`).

    Args:
        fact_name: the name under which they do.
        unit: what a number of it is.
        low: the least value possible.
        high: the largest value possible.
        name: the measure's name, if not the fact's.
        late: as its mean over the later half of the rounds; for facts of one round each.
    """
    compute = partial(fact, name=fact_name, late=late)
    course = partial(fact_over_time, name=fact_name, late=late)
    return Measure(name or fact_name, unit, low, high, compute, course)


def fact(source: Readable, name: str, late: bool = False) -> "pd.Series[float]":
    """A fact at the last checkpoint, by run; NaN where there is none."""
    course = fact_over_time(source, name, late)
    return course.groupby("run").tail(1).set_index("run")["value"]


def fact_over_time(source: Readable, name: str, late: bool = False) -> "pd.DataFrame":
    """A fact at each checkpoint: columns run, step, value; NaN where there is none.

    Args:
        source: the trace.
        name: the fact's.
        late: as its mean over the later half of the rounds so far.
    """
    told = name.replace("'", "''")
    found: pd.DataFrame = source.sql(f"""
        SELECT o.run, o.step, s.value::DOUBLE AS value
        FROM (SELECT DISTINCT run, step FROM outcomes) AS o
        LEFT JOIN (SELECT * FROM series WHERE measure = '{told}') AS s
        ON o.run = s.run AND o.step = s.step ORDER BY o.run, o.step""").df()
    return later_half(found) if late else found


def later_half(course: "pd.DataFrame") -> "pd.DataFrame":
    """At each step the mean of the later half of the values so far; the first stands before any round."""
    course["value"] = course.groupby("run")["value"].transform(_later_half)
    return course


def _later_half(course: "pd.Series[float]") -> NDArray[np.float64]:
    values = course.to_numpy(np.float64)
    known = np.isfinite(values)
    total = np.cumsum(np.where(known, values, 0.0))
    count = np.cumsum(known)
    place = np.arange(len(values))
    before = place // 2
    many = count - count[before]
    unknown = np.full(len(values), np.nan)
    some = np.divide(total - total[before], many, out=unknown, where=many > 0)
    return np.asarray(np.where(place == 0, values, some), np.float64)
