"""What firms do to a market, kept apart: specialisation, concentration, price, profit.

That firms divide a market is not that they earn from it: at 80 units of one good and 5 of the other, where
language models were seen to settle, each firm is specialised and its price and profit are below Nash. So
each is a measure of its own, and price and profit are also told on a scale from Nash (0) to the joint
optimum (1).

All are means over the later half of a run's rounds, when firms have settled, if they do; over time, over the
later half of the rounds so far. They rest on what the world records of each round (`worlds.market.FACTS`),
whatever level of the trace is kept.
"""

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from cloudchamber.measures.facts import fact_over_time, later_half
from cloudchamber.measures.measure import Measure
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MARKETS", "settled", "settled_over_time"]

_NASH, _JOINT = " at Nash", " at the joint optimum"


def settled(source: Readable, fact: str, gain: bool = False) -> "pd.Series[float]":
    """The mean of a fact over the later half of the rounds, by run; NaN where it is nowhere known.

    Args:
        source: the trace.
        fact: its name: specialisation, concentration, price or profit.
        gain: as the share of the way from its value at Nash to that at the joint optimum; NaN where the
            two are the same.
    """
    course = settled_over_time(source, fact, gain)
    return course.groupby("run").tail(1).set_index("run")["value"]


def settled_over_time(source: Readable, fact: str, gain: bool = False) -> "pd.DataFrame":
    """`settled` of the rounds up to each checkpoint: columns run, step, value."""
    course = fact_over_time(source, fact)
    if gain:
        nash, joint = (fact_over_time(source, fact + at)["value"] for at in (_NASH, _JOINT))
        apart = (joint - nash).where((joint - nash).abs() > 1e-9 * nash.abs())
        course["value"] = (course["value"] - nash) / apart
    return later_half(course)


def _measure(
    name: str, fact: str, unit: str, low: float, high: float, gain: bool = False
) -> Measure:
    compute = partial(settled, fact=fact, gain=gain)
    return Measure(name, unit, low, high, compute, partial(settled_over_time, fact=fact, gain=gain))


_GAIN = "0 at Nash, 1 at the joint optimum"
MARKETS: Final = (
    _measure(
        "specialisation",
        "specialisation",
        "coefficient of variation of a firm's sales over goods: 0 if even, 1 for one of two goods",
        0,
        np.inf,
    ),
    _measure(
        "market concentration",
        "concentration",
        "Herfindahl index of a good's sellers: 1 for a single one",
        0,
        1,
    ),
    _measure("market price", "price", "money a unit", 0, np.inf),
    _measure("profit", "profit", "money, of a firm in a round", -np.inf, np.inf),
    _measure("price gain", "price", _GAIN, -np.inf, np.inf, gain=True),
    _measure("profit gain", "profit", _GAIN, -np.inf, np.inf, gain=True),
)
"""The measures of markets."""
