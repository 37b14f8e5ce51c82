"""Effects between cells: differences with intervals and exact tests, over runs.

`Estimate` and the t intervals come from `cloudchamber.measures.estimate`; here are the permutation
tests, the bootstrap over runs, and curves. Everything drawn comes from a seed of its own.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product
from math import comb, inf, nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.measures import estimate as _estimate
from cloudchamber.measures.estimate import (
    Estimate,
    Verdict,
    jackknife,
    matched,
    mean,
    numbers,
    proportion,
    ratio,
    runs_needed,
    verdict,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Estimate",
    "Verdict",
    "bootstrap",
    "cluster_curve",
    "difference",
    "jackknife",
    "mean",
    "permutation_p",
    "proportion",
    "ratio",
    "runs_needed",
    "verdict",
]

Reals = NDArray[np.float64]
_DRAWS = 9999
"""Random arrangements of a permutation test: p-values down to 0.0001."""


def difference(
    a: ArrayLike, b: ArrayLike, *, paired: bool, level: float = 0.95, unit: str = "run"
) -> Estimate:
    """Mean of `a` minus mean of `b`, with a t interval and a permutation p.

    See `cloudchamber.measures.estimate.difference` for the arguments, and `permutation_p`.
    """
    found = _estimate.difference(a, b, paired=paired, level=level, unit=unit)
    return replace(found, p=permutation_p(a, b, paired=paired)) if found.known else found


def permutation_p(a: ArrayLike, b: ArrayLike = 0.0, *, paired: bool, seed: int = 0) -> float:
    """Two-sided permutation p that two groups of runs are alike.

    Paired: signs of the differences are flipped (`b` may be one number: a null value, assuming the
    values lie symmetrically around it). Else runs are dealt anew to the groups and Welch's t is compared,
    which also holds asymptotically where the spreads differ (Janssen 1997). All arrangements are
    tried where there are no more than 10,000; else 9,999 random ones, p = (1 + as extreme) / 10,000.
    NaN where there is too little to arrange.
    """
    if paired:
        other = np.broadcast_to(b, np.shape(a)) if np.ndim(b) == 0 else b
        one, second = matched(a, other)
        return _sign_flips(one - second, seed)
    one, second = numbers(a), numbers(b)
    return _deals(one, second, seed) if min(len(one), len(second)) > 1 else nan


def _sign_flips(values: Reals, seed: int) -> float:
    n = len(values)
    if n < 2:
        return nan
    if 2**n <= _DRAWS + 1:
        signs = np.array(list(product((1.0, -1.0), repeat=n)))
        return float(_extreme(np.abs(signs @ values), abs(values.sum())).mean())
    signs = np.random.default_rng(seed).choice((1.0, -1.0), (_DRAWS, n))
    return _monte_carlo(np.abs(signs @ values), abs(values.sum()))


def _deals(one: Reals, other: Reals, seed: int) -> float:
    pooled, n = np.concatenate([one, other]), len(one)
    total = len(pooled)
    observed = _welch(pooled[None, :n], pooled[None, n:])[0]
    if comb(total, n) <= _DRAWS + 1:
        first = np.array(list(combinations(range(total), n)))
        rest = np.array([np.setdiff1d(np.arange(total), chosen) for chosen in first])
        return float(_extreme(_welch(pooled[first], pooled[rest]), observed).mean())
    places = np.tile(np.arange(total), (_DRAWS, 1))
    dealt = pooled[np.random.default_rng(seed).permuted(places, axis=1)]
    return _monte_carlo(_welch(dealt[:, :n], dealt[:, n:]), observed)


def _welch(one: Reals, other: Reals) -> Reals:
    """The absolute Welch t of each row; infinite where groups differ and nothing varies in them."""
    gap = np.abs(one.mean(axis=1) - other.mean(axis=1))
    error: Reals = np.sqrt(
        one.var(axis=1, ddof=1) / one.shape[1] + other.var(axis=1, ddof=1) / other.shape[1]
    )
    scale = np.abs(one).max() + np.abs(other).max()
    flat = error <= 1e-12 * scale
    fallback = np.where(gap > 1e-12 * scale, np.inf, 0.0)
    np.divide(gap, error, out=fallback, where=~flat)
    return fallback


def _extreme(statistics: Reals, observed: float) -> NDArray[np.bool_]:
    # Arrangements that only differ in the order of summing must count as equal.
    return np.asarray(statistics >= observed * (1 - 1e-9))


def _monte_carlo(statistics: Reals, observed: float) -> float:
    return float((1 + _extreme(statistics, observed).sum()) / (1 + len(statistics)))


def bootstrap(
    values: ArrayLike,
    statistic: Callable[[Any], Any] = np.mean,
    *,
    method: Literal["bca", "percentile"] = "bca",
    draws: int = 4000,
    level: float = 0.95,
    seed: int = 0,
    unit: str = "run",
) -> Estimate:
    """Any statistic of the runs, with an interval from drawing runs with replacement.

    For skewed numbers or statistics other than means. With fewer than some ten runs it is too narrow:
    take the t interval there. BCa: Efron (1987).

    Args:
        values: shape [runs, ...]; a row is a run, and rows are drawn whole.
        statistic: array of shape [runs, ...] -> a number.
        method: "bca" (corrected for bias and skew) or "percentile".
        draws: bootstrap samples.
        level: confidence.
        seed: of the draws.
        unit: what a row stands for.
    """
    rows = np.asarray(values, dtype=np.float64)
    n = len(rows)
    whole = float(statistic(rows)) if n else nan
    if n < 3:
        return Estimate(whole, nan, nan, n, level, unit, f"bootstrap ({method})")
    chosen = np.random.default_rng(seed).integers(0, n, (draws, n))
    drawn = np.array([float(statistic(rows[sample])) for sample in chosen])
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        tails = _bca_tails(rows, statistic, drawn, whole, tails)
    low, high = np.quantile(drawn, tails) if np.isfinite(tails).all() else (nan, nan)
    return Estimate(whole, float(low), float(high), n, level, unit, f"bootstrap ({method})")


def _bca_tails(
    rows: Reals, statistic: Callable[[Any], Any], drawn: Reals, whole: float, tails: Reals
) -> Reals:
    from scipy.special import ndtr, ndtri  # quick to import, unlike scipy.stats

    below = ((drawn < whole).mean() + (drawn <= whole).mean()) / 2
    if not 0 < below < 1:
        return tails if np.ptp(drawn) == 0 else np.full(2, nan)
    left = np.array([float(statistic(np.delete(rows, at, axis=0))) for at in range(len(rows))])
    bent = left.mean() - left
    spread = float(np.square(bent).sum())
    skew = float((bent**3).sum()) / (6 * spread**1.5) if spread else 0.0
    bias = float(ndtri(below))
    z = bias + ndtri(tails)
    return np.asarray(ndtr(bias + z / (1 - skew * z)), dtype=np.float64)


def cluster_curve(
    frame: "pd.DataFrame", *, level: float = 0.95, within: tuple[float, float] = (-inf, inf)
) -> "pd.DataFrame":
    """The mean curve over runs with pointwise t intervals.

    Args:
        frame: wide, a row a run and a column a point (as `choice_by_position` gives it), or long, with
            columns run, step, value (as `Measure.over_time` gives it).
        level: confidence at each point, not for the curve as a whole.
        within: the range of the number; ends of intervals go no further out.

    Returns:
        Indexed by point: value, low, high, n (the runs that have a number there).
    """
    from scipy.special import stdtrit  # quick to import, unlike scipy.stats

    if {"run", "step", "value"} <= set(map(str, frame.columns)):
        frame = frame.pivot(index="run", columns="step", values="value")
    n = frame.notna().sum()
    center = frame.mean()
    freedom = (n - 1).where(n > 1)
    half = stdtrit(freedom, 0.5 + level / 2) * frame.std(ddof=1) / np.sqrt(n)
    low, high = (center - half).clip(*within), (center + half).clip(*within)
    out = center.to_frame("value").assign(low=low, high=high, n=n)
    return out.sort_index()
