"""How unequally attention falls on items, and how unpredictable that is across runs.

Every function takes tallies of shape [..., items] (likes, picks, shares; not negative) and works on the
last axis, so one call serves an array of [runs, items] or [runs, steps, items]. Where nothing was tallied
the result is NaN: no attention is not equal attention.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "effective_number",
    "entropy",
    "gini",
    "herfindahl",
    "shares",
    "top_share",
    "unpredictability",
    "unpredictability_by_run",
]

Reals = NDArray[np.float64]


def shares(tally: ArrayLike) -> Reals:
    """Each item's share of the whole; NaN where the whole is 0."""
    counted = np.asarray(tally, dtype=np.float64)
    total = counted.sum(axis=-1, keepdims=True)
    unknown: Reals = np.full(counted.shape, np.nan)
    np.divide(counted, total, out=unknown, where=total > 0)
    return unknown


def gini(tally: ArrayLike) -> Reals:
    """Gini coefficient: 0 for equal shares, 1 - 1/items where one item has all.

    G = sum_i (2i - n - 1) s_(i) / n over shares in ascending order.
    """
    ascending = np.sort(shares(tally), axis=-1)
    n = ascending.shape[-1]
    return np.asarray(ascending @ (2.0 * np.arange(1, n + 1) - n - 1) / n)


def top_share(tally: ArrayLike, k: int = 1) -> Reals:
    """Share of the k items that have most; 1 where k is the number of items."""
    ascending = np.sort(shares(tally), axis=-1)
    return np.asarray(ascending[..., -k:].sum(axis=-1))


def entropy(tally: ArrayLike) -> Reals:
    """Shannon entropy of the shares over its maximum, ln(items): 1 for equal shares, 0 for one item."""
    n = np.shape(tally)[-1]
    return np.asarray(_nats(tally) / np.log(n)) if n > 1 else np.zeros(np.shape(tally)[:-1])


def effective_number(tally: ArrayLike) -> Reals:
    """Number of equally popular items that would have the same entropy (Hill number of order 1)."""
    return np.asarray(np.exp(_nats(tally)))


def herfindahl(tally: ArrayLike) -> Reals:
    """Herfindahl-Hirschman index: the sum of squared shares, from 1/items to 1."""
    return np.asarray(np.square(shares(tally)).sum(axis=-1))


def _nats(tally: ArrayLike) -> Reals:
    share = shares(tally)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    return -np.asarray((share * logs).sum(axis=-1))


def unpredictability(tally: ArrayLike) -> float:
    """How much an item's share differs between runs, from 0; NaN for fewer than two runs.

    U = mean over items of u_i, u_i = mean over pairs of runs of |m_ij - m_ik|, with m the shares
    (Salganik, Dodds & Watts 2006). Runs without any tally do not count.

    Args:
        tally: shape [runs, items].
    """
    values = unpredictability_by_run(tally)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def unpredictability_by_run(tally: ArrayLike) -> Reals:
    """Each run's mean absolute difference in share from every other run; their mean is U.

    The values of different runs share pairs: an interval over runs takes a jackknife, not a t.

    Args:
        tally: shape [runs, items].
    """
    share = shares(tally)
    counted = np.flatnonzero(~np.isnan(share).any(axis=-1))
    out = np.full(len(share), np.nan)
    runs = len(counted)
    if runs < 2:
        return out
    # Sorting each item's shares turns the sum over pairs into cumulative sums: no runs x runs array.
    order = np.argsort(share[counted], axis=0, kind="stable")
    ascending = np.take_along_axis(share[counted], order, axis=0)
    below = np.cumsum(ascending, axis=0) - ascending
    rank = np.arange(runs)[:, None]
    above = ascending.sum(axis=0) - below - ascending
    distance = rank * ascending - below + above - (runs - 1 - rank) * ascending
    summed = np.empty_like(distance)
    np.put_along_axis(summed, order, distance, axis=0)
    out[counted] = summed.mean(axis=-1) / (runs - 1)
    return out
