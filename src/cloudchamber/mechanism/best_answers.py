"""How far firms go towards their best answer: the rule `BestQuantity` fitted to the amounts of a trace.

In a round a firm goes pace * (best - last) from its last amounts, with noise. So what it makes is regressed,
run by run, on its last amount and on its best answer to what the others made, each as it departs from its
mean for that firm and good: who only comes back to a mean of its own, as amounts at random do, has no pace.
It supposes that all firms decide at once and know what the others made in the round before, seen or inferred.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.agents import BestQuantity
from cloudchamber.errors import TraceError
from cloudchamber.measures.amounts import amounts
from cloudchamber.oligopoly import Quantities, best_quantity
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["best_answers", "fit_best_quantity"]

Reals = NDArray[np.float64]
ENOUGH = 12
"""Rounds from which the halves of a run can say what few rounds bias."""


def best_answers(source: Readable, market: Quantities) -> "pd.DataFrame":
    """The pace and the noise of each run's firms, by run.

    Args:
        source: a trace with decisions, of worlds of this market.
        market: `world.market(firms)`; runs of other numbers of firms or goods are left out.

    Returns:
        Columns pace (the weight of the best answer: 1 where it is given in each round, 0 where it plays no
        part), habit (that of the last amount; 1 - pace under the rule) and noise (standard deviation of the
        rest, in units). NaN where the rounds do not tell the two apart. Means that are estimated bias the
        weights by about 1 / rounds; from 12 rounds on most of that is taken off by the half-panel jackknife
        (Dhaene & Jochmans 2015). Noise that meets the ends of the scale draws pace and noise towards 0.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    parts = []
    for one in amounts(source):
        if one.value.shape[2:] == market.costs.shape and one.value.shape[1] > 2:
            parts.append(pd.DataFrame({"run": one.run, **_fitted(one.value, market)}))
    if not parts:
        return pd.DataFrame({"pace": [], "habit": [], "noise": []}).rename_axis("run")
    return pd.concat(parts, ignore_index=True).set_index("run").sort_index()


def fit_best_quantity(source: Readable, market: Quantities) -> BestQuantity:
    """The rule with the mean pace and noise of a trace's runs, to act in the agents' place.

    Raises:
        TraceError: there is no run to tell them by, or firms do not go towards their best answers at all.
    """
    found = best_answers(source, market).dropna()
    pace = float(found["pace"].mean()) if len(found) else np.nan
    if not pace > 0:
        raise TraceError(
            f"{len(found)} runs whose firms go {pace:.3g} of the way to their best answers; needed: runs of "
            "this market with decisions, in which amounts vary, and a pace above 0."
        )
    noise = float(np.sqrt(np.square(found["noise"]).mean()))
    return BestQuantity.of(market, pace=min(pace, 1.0), noise=noise)


def _fitted(made: Reals, market: Quantities) -> dict[str, Reals]:
    """(runs,) each, of amounts of shape (runs, rounds, firms, goods)."""
    last, now = made[:, :-1], made[:, 1:]
    rest = last.sum(axis=2, keepdims=True) - last
    best = best_quantity(rest, market.costs, market.intercept, market.slope, market.capacity)
    columns = (now, last, best)
    pace, habit, noise = _regressed(*columns)
    rounds = now.shape[1]
    if rounds >= ENOUGH:
        halves = [
            _regressed(*(part[:, half] for part in columns))
            for half in (slice(None, rounds // 2), slice(rounds // 2, None))
        ]
        pace = 2 * pace - (halves[0][0] + halves[1][0]) / 2
        habit = 2 * habit - (halves[0][1] + halves[1][1]) / 2
    return {"pace": pace, "habit": habit, "noise": noise}


def _regressed(now: Reals, last: Reals, best: Reals) -> tuple[Reals, Reals, Reals]:
    """(runs,): the weights of the best answer and of the last amount, and the noise."""
    runs, rounds = now.shape[:2]
    y, habit, answer = (
        (part - part.mean(axis=1, keepdims=True)).reshape(runs, -1) for part in (now, last, best)
    )
    hh, aa, ha = _dot(habit, habit), _dot(answer, answer), _dot(habit, answer)
    hy, ay = _dot(habit, y), _dot(answer, y)
    apart = hh * aa - ha**2
    # What rounding leaves of a variation is none.
    told = (apart > 1e-9 * hh * aa) & (hh > 1e-15 * _dot(*[last.reshape(runs, -1)] * 2))
    pace, kept = (np.full(runs, np.nan) for _ in range(2))
    np.divide(hh * ay - ha * hy, apart, out=pace, where=told)
    np.divide(aa * hy - ha * ay, apart, out=kept, where=told)
    left = y - pace[:, None] * answer - kept[:, None] * habit
    # A mean is lost for each firm and good.
    freedom = max(y.shape[1] * (rounds - 1) / rounds - 2, 1.0)
    return pace, kept, np.sqrt(_dot(left, left) / freedom)


def _dot(one: Reals, other: Reals) -> Reals:
    """(runs,): the products of rows, summed."""
    return np.asarray((one * other).sum(axis=1))
