"""Measures of what a world recorded of its runs: its facts, at the last checkpoint and over time.

A run whose world records no such fact has no number (NaN).
"""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.measures.measure import Measure
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fact", "fact_over_time", "of_fact"]


def of_fact(
    fact_name: str,
    unit: str,
    low: float = -np.inf,
    high: float = np.inf,
    *,
    name: str = "",
) -> Measure:
    """A measure of a fact that worlds record (`World.facts`).

    Args:
        fact_name: the name under which they do.
        unit: what a number of it is.
        low: the least value possible.
        high: the largest value possible.
        name: the measure's name, if not the fact's.
    """
    compute = partial(fact, name=fact_name)
    return Measure(
        name or fact_name, unit, low, high, compute, partial(fact_over_time, name=fact_name)
    )


def fact(source: Readable, name: str) -> "pd.Series[float]":
    """A fact at the last checkpoint, by run; NaN where there is none."""
    course = fact_over_time(source, name)
    return course.groupby("run").tail(1).set_index("run")["value"]


def fact_over_time(source: Readable, name: str) -> "pd.DataFrame":
    """A fact at each checkpoint: columns run, step, value; NaN where there is none."""
    told = name.replace("'", "''")
    found: pd.DataFrame = source.sql(f"""
        SELECT o.run, o.step, s.value::DOUBLE AS value
        FROM (SELECT DISTINCT run, step FROM outcomes) AS o
        LEFT JOIN (SELECT * FROM series WHERE measure = '{told}') AS s
        ON o.run = s.run AND o.step = s.step ORDER BY o.run, o.step""").df()
    return found
