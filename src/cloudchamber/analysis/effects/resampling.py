"""Tests and intervals that take nothing for granted but the run: permutations and the bootstrap over runs.

Everything drawn comes from a seed of its own, so a table computed twice is the same table.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations
from math import comb, nan
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.measures.estimate import Estimate, difference, matched, numbers

__all__ = ["DRAWS", "Alternative", "Interval", "bootstrap", "bootstrap_difference", "permutation_p"]

Reals = NDArray[np.float64]
Alternative = Literal["two-sided", "greater", "less"]
Interval = Literal["t", "bca", "percentile-t"]
DRAWS = 9999
"""Random arrangements of a permutation test: p-values down to 0.0001."""
_BLOCK = 4_000_000
"""Numbers that are arranged at a time."""


def permutation_p(
    a: ArrayLike,
    b: ArrayLike = 0.0,
    *,
    paired: bool,
    alternative: Alternative = "two-sided",
    draws: int = DRAWS,
    seed: int = 0,
) -> float:
    """Permutation p that two groups of runs are alike; two-sided, if not told else.

    Paired: signs of the differences are flipped (`b` may be one number: a null value, assuming the
    values lie symmetrically around it). Else runs are dealt anew to the groups and Welch's t is compared,
    which also holds asymptotically where the spreads differ (Janssen 1997). All arrangements are
    tried where there are no more than `draws` + 1; else `draws` random ones, and the one found:
    p = (1 + as extreme) / (1 + draws). NaN where there is too little to arrange.

    Args:
        a: one number a run.
        b: one number a run, or (paired) one number for all.
        paired: whether runs belong together; see `difference` for how they are matched.
        alternative: "greater" asks whether `a` is above `b`, "less" whether it is below.
        draws: random arrangements, where there are too many to try all.
        seed: of the arrangements.
    """
    if paired:
        other = np.broadcast_to(b, np.shape(a)) if np.ndim(b) == 0 else b
        one, second = matched(a, other)
        gaps = one - second
        # What rounding leaves of equal numbers has signs too, which would be counted as evidence.
        gaps[np.abs(gaps) <= 1e-12 * np.maximum(np.abs(one), np.abs(second))] = 0.0
        return _sign_flips(gaps, alternative, draws, seed)
    one, second = numbers(a), numbers(b)
    return _deals(one, second, alternative, draws, seed) if min(len(one), len(second)) > 1 else nan


def signs(n: int, draws: int, seed: int) -> tuple[Reals, bool]:
    """Signs for n differences, [arrangements, n], and whether these are all; the first row is as found."""
    if 2**n <= draws + 1:
        minus = np.arange(2**n)[:, None] >> np.arange(n) & 1
        return np.where(minus, -1.0, 1.0), True
    drawn = np.random.default_rng(seed).choice((1.0, -1.0), (draws, n))
    return np.concatenate([np.ones((1, n)), drawn]), False


def deals(n: int, total: int, draws: int, seed: int) -> tuple[NDArray[np.int64], bool]:
    """Orders of all runs, [arrangements, total], the first n of which make one group; as `signs`."""
    if comb(total, n) <= draws + 1:
        return _all_deals(n, total), True
    places = np.arange(total)
    drawn = np.random.default_rng(seed).permuted(np.tile(places, (draws, 1)), axis=1)
    return np.concatenate([places[None], drawn]), False


@lru_cache(maxsize=4)
def _all_deals(n: int, total: int) -> NDArray[np.int64]:
    first = np.array(list(combinations(range(total), n)))
    others = np.ones((len(first), total), dtype=np.bool_)
    others[np.arange(len(first))[:, None], first] = False
    orders = np.concatenate([first, np.nonzero(others)[1].reshape(len(first), -1)], axis=1)
    orders.flags.writeable = False
    return orders


def _sign_flips(values: Reals, alternative: Alternative, draws: int, seed: int) -> float:
    if len(values) < 2:
        return nan
    n, scale = len(values), float(np.abs(values).sum())
    if 2**n <= draws + 1:
        return _share(signs(n, draws, seed)[0] @ values, alternative, scale)
    rng, parts = np.random.default_rng(seed), [values[None].sum(axis=1)]
    for rows in _portions(draws, n):
        parts.append(rng.choice((1.0, -1.0), (rows, n)) @ values)
    return _share(np.concatenate(parts), alternative, scale)


def _deals(one: Reals, other: Reals, alternative: Alternative, draws: int, seed: int) -> float:
    pooled, n = np.concatenate([one, other]), len(one)
    total = len(pooled)
    if comb(total, n) <= draws + 1:
        t = _dealt(pooled[_all_deals(n, total)], n)
    else:
        rng, parts = np.random.default_rng(seed), [_dealt(pooled[None], n)]
        for rows in _portions(draws, total):
            parts.append(_dealt(rng.permuted(np.tile(pooled, (rows, 1)), axis=1), n))
        t = np.concatenate(parts)
    return _share(t, alternative, 1e-3 + abs(float(t[0])))


def _dealt(rows: Reals, n: int) -> Reals:
    return welch(rows[:, :n], rows[:, n:])


def _portions(draws: int, width: int) -> list[int]:
    """Draws in blocks that need little memory, however many runs there are."""
    each = max(1, _BLOCK // width)
    return [min(each, draws - done) for done in range(0, draws, each)]


def _share(statistics: Reals, alternative: Alternative, scale: float) -> float:
    """How many arrangements are as extreme as the first, which is what was found."""
    if alternative == "two-sided":
        statistics = np.abs(statistics)
    elif alternative == "less":
        statistics = -statistics
    # Arrangements that only differ in the order of summing must count as equal.
    slack = 1e-9 * scale if np.isfinite(scale) else 0.0
    return float((statistics >= statistics[0] - slack).mean())


def welch(one: Reals, other: Reals) -> Reals:
    """Welch's t of each row; infinite where groups differ and nothing varies in them."""
    gap = one.mean(axis=1) - other.mean(axis=1)
    error: Reals = np.sqrt(
        one.var(axis=1, ddof=1) / one.shape[1] + other.var(axis=1, ddof=1) / other.shape[1]
    )
    scale = np.abs(one).max() + np.abs(other).max()
    flat = error <= 1e-12 * scale
    fallback = np.where(np.abs(gap) > 1e-12 * scale, np.copysign(np.inf, gap), 0.0)
    np.divide(gap, error, out=fallback, where=~flat)
    return fallback


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


def bootstrap_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    paired: bool,
    method: Literal["bca", "percentile-t"] = "percentile-t",
    draws: int = 4000,
    level: float = 0.95,
    seed: int = 0,
    unit: str = "run",
) -> Estimate:
    """Mean of `a` minus mean of `b`, with a bootstrap interval: for skewed numbers.

    "percentile-t" (Efron & Tibshirani 1993, ch. 12) draws the difference over its own standard error, so
    it is second-order correct and allows for few runs, which the BCa does not: of the mean of twelve
    exponential numbers 95 % intervals cover in 94 % of studies, Student's in 92 %, the BCa's in 89 %. They
    are the wider for it. With fewer than six runs there is none: samples of one run have no standard error.
    "bca" is `scipy.stats.bootstrap`.

    Args:
        a: one number a run.
        b: one number a run.
        paired: as for `difference`; pairs are drawn whole.
        method: "percentile-t" or "bca".
        draws: bootstrap samples.
        level: confidence.
        seed: of the draws.
        unit: what a number stands for.
    """
    whole = difference(a, b, paired=paired, level=level, unit=unit)
    named = f"bootstrap ({method})"
    if paired:
        one, other = matched(a, b)
        groups: tuple[Reals, ...] = (one - other,)
    else:
        groups = (numbers(a), numbers(b))
    rough = max((float(np.ptp(group)) for group in groups if len(group)), default=0.0)
    if not whole.known or rough <= 1e-12 * abs(whole.value) or min(map(len, groups)) < 6:
        flat = whole.known and whole.high - whole.low <= 1e-9 * abs(whole.value)
        low, high = (whole.low, whole.high) if flat else (nan, nan)
    elif method == "bca":
        low, high = _scipys_bca(groups, draws, level, seed)
    else:
        low, high = _percentile_t(groups, whole.value, draws, level, seed)
    return Estimate(whole.value, low, high, whole.n, level, whole.unit, named)


def _gap(*groups: Reals, axis: int = -1) -> Reals:
    means = [group.mean(axis=axis) for group in groups]
    return np.asarray(means[0] - means[1] if len(means) > 1 else means[0], dtype=np.float64)


def _scipys_bca(
    groups: tuple[Reals, ...], draws: int, level: float, seed: int
) -> tuple[float, float]:
    from scipy.stats import bootstrap as resample  # SciPy's statistics take half a second

    rng = np.random.default_rng(seed)
    found = resample(groups, _gap, n_resamples=draws, confidence_level=level, method="BCa", rng=rng)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _percentile_t(
    groups: tuple[Reals, ...], value: float, draws: int, level: float, seed: int
) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    drawn = [group[rng.integers(0, len(group), (draws, len(group)))] for group in groups]
    error = _error(*drawn)
    found = _error(*groups)
    kept = error > 1e-9 * found
    t = (_gap(*drawn)[kept] - value) / error[kept]
    low, high = np.quantile(t, [(1 - level) / 2, (1 + level) / 2])
    return float(value - high * found), float(value - low * found)


def _error(*groups: Reals) -> Reals:
    variances = [group.var(axis=-1, ddof=1) / group.shape[-1] for group in groups]
    return np.asarray(np.sqrt(np.sum(variances, axis=0)), dtype=np.float64)
