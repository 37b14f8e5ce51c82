"""What firms do to a market, kept apart: specialisation, concentration, price, profit.

That firms divide a market is not that they earn from it: at 80 units of one good and 5 of the other, where
language models were seen to settle, each firm is specialised and its price and profit are below Nash. So
each is a measure of its own, and price and profit are also told on a scale from Nash (0) to the joint
optimum (1).

All are of the later half of a run's rounds, when firms have settled, if they do; over time, of the later half
of the rounds so far. Most are means of what the world records of each round (`worlds.market.FACTS`), whatever
level of the trace is kept.

Noise is specialisation too, as long as it is told round by round: firms that draw amounts at random sell more
of one good in each round, now of this, now of that. The published measure is of that kind. Lasting
specialisation and concentration are told by what two halves of those rounds have in common, on average: what
noise does in one it does not do again in the other. They need a trace with its decisions.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from cloudchamber.measures.amounts import Amounts, amounts
from cloudchamber.measures.facts import fact_over_time, later_half
from cloudchamber.measures.measure import Measure
from cloudchamber.oligopoly import shares
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MARKETS",
    "common_concentration",
    "common_specialisation",
    "lasting",
    "lasting_over_time",
    "settled",
    "settled_over_time",
]

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
        # Firms that come to Nash come within 1e-11 of it; to tell that apart from 0 would be no finding.
        course["value"] = ((course["value"] - nash) / apart).round(9)
    return later_half(course)


Reals = NDArray[np.float64]
Of = Callable[[Reals, Reals], Reals]
"""Of two averages of amounts, (..., firms, goods) each, one number for each firm or good."""


def common_specialisation(one: Reals, other: Reals) -> Reals:
    """(..., firms): the specialisation that a firm's amounts have in common in two spans of rounds.

    Of shares w over m goods specialisation squared is m * sum of w^2 - 1; here it is x = m * sum of w * w',
    less 1, and the result sign(x) * sqrt(|x|). It is the specialisation itself where both spans are the same,
    and around 0 where shares vary independently around evenness; -1 for one of two goods, then the other.
    """
    mine, its = (np.swapaxes(shares(np.swapaxes(part, -1, -2)), -1, -2) for part in (one, other))
    above = one.shape[-1] * (mine * its).sum(axis=-1) - 1.0
    return np.asarray(np.sign(above) * np.sqrt(np.abs(above)))


def common_concentration(one: Reals, other: Reals) -> Reals:
    """(..., goods): the sum over firms of its shares of a good in two spans of rounds, multiplied."""
    return np.asarray((shares(one) * shares(other)).sum(axis=-2))


def lasting(source: Readable, of: Of) -> "pd.Series[float]":
    """What the third quarter of the rounds and the last have in common, by run; NaN without decisions."""
    course = lasting_over_time(source, of)
    return course.groupby("run").tail(1).set_index("run")["value"].rename(None)


def lasting_over_time(source: Readable, of: Of) -> "pd.DataFrame":
    """`lasting` of the rounds up to each step: columns run, step, value."""
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    frame: pd.DataFrame = source.sql(
        "SELECT run, max(step) AS step, NULL::DOUBLE AS value FROM outcomes GROUP BY run"
    ).df()
    known = [_course(one, of) for one in amounts(source)]
    told = {run for one in known for run in one["run"]}
    whole = pd.concat([frame[~frame["run"].isin(told)], *known], ignore_index=True)
    return whole.astype({"value": np.float64}).sort_values(["run", "step"], ignore_index=True)


def _course(one: Amounts, of: Of) -> "pd.DataFrame":
    import pandas as pd  # as above

    runs, steps = one.value.shape[:2]
    total = np.concatenate([np.zeros_like(one.value[:, :1]), one.value.cumsum(axis=1)], axis=1)
    done = np.arange(1, steps + 1)
    half = done // 2
    between = half + (done - half) // 2
    each = of(total[:, between] - total[:, half], total[:, done] - total[:, between])
    count = np.isfinite(each).sum(axis=-1)
    value = np.full(count.shape, np.nan)
    np.divide(np.nansum(each, axis=-1), count, out=value, where=count > 0)
    run, step = np.repeat(one.run, steps), np.tile(done, runs)
    return pd.DataFrame({"run": run, "step": step, "value": value.reshape(-1)})


def _measure(
    name: str, fact: str, unit: str, low: float, high: float, gain: bool = False
) -> Measure:
    compute = partial(settled, fact=fact, gain=gain)
    return Measure(name, unit, low, high, compute, partial(settled_over_time, fact=fact, gain=gain))


def _lasting(name: str, of: Of, unit: str, low: float, high: float) -> Measure:
    return Measure(
        name, unit, low, high, partial(lasting, of=of), partial(lasting_over_time, of=of)
    )


_GAIN = "0 at Nash, 1 at the joint optimum"
MARKETS: Final = (
    _measure(
        "specialisation",
        "specialisation",
        "coefficient of variation of a firm's sales over goods: 0 if even, 1 for one of two goods",
        0,
        np.inf,
    ),
    _lasting(
        "lasting specialisation",
        common_specialisation,
        "of what a firm makes in two spans of rounds alike: 0 if even or mere noise, 1 for one of two goods",
        -1,
        np.inf,
    ),
    _measure(
        "market concentration",
        "concentration",
        "Herfindahl index of a good's sellers: 1 for a single one",
        0,
        1,
    ),
    _lasting(
        "lasting concentration",
        common_concentration,
        "Herfindahl index of a good's makers, as far as it is alike in two spans of rounds",
        0,
        1,
    ),
    _measure("market price", "price", "money a unit", 0, np.inf),
    _measure("profit", "profit", "money, of a firm in a round", -np.inf, np.inf),
    _measure("price gain", "price", _GAIN, -np.inf, np.inf, gain=True),
    _measure("profit gain", "profit", _GAIN, -np.inf, np.inf, gain=True),
)
"""The measures of markets."""
