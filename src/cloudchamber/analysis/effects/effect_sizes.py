"""Effect sizes: how large a difference is beside what varies between runs.

A difference says how much, in the measure's units; these make differences of unlike measures comparable.
They are told beside it, never in its place. Intervals invert the distribution of the statistic itself.
"""

from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.measures.estimate import Estimate, matched, numbers

__all__ = ["cliffs_delta", "cohens_dz", "hedges_g", "superiority"]

Reals = NDArray[np.float64]


def hedges_g(a: ArrayLike, b: ArrayLike, *, level: float = 0.95, unit: str = "run") -> Estimate:
    """Difference of means in units of the runs' pooled standard deviation, corrected for few runs.

    Hedges (1981): g = J(m) d. The interval inverts the noncentral t (Steiger & Fouladi 1997); exact for
    normal values of equal spread, and approximate else.

    Args:
        a: one number a run.
        b: one number a run.
        level: confidence.
        unit: what a number stands for.
    """
    one, other = numbers(a), numbers(b)
    n, m = len(one), len(other)
    if min(n, m) < 2:
        return Estimate(nan, nan, nan, n + m, level, unit, "noncentral t")
    freedom = n + m - 2
    pooled = ((n - 1) * one.var(ddof=1) + (m - 1) * other.var(ddof=1)) / freedom
    gap = float(one.mean() - other.mean())
    return _standardised(gap, sqrt(pooled), freedom, n * m / (n + m), n + m, level, unit)


def cohens_dz(
    a: ArrayLike, b: ArrayLike = 0.0, *, level: float = 0.95, unit: str = "run"
) -> Estimate:
    """Mean of the pairs' differences in units of their standard deviation, corrected for few pairs.

    What a paired test's power goes by (Cohen 1988, ch. 2). Runs that share their noise differ little, so
    it is larger than Hedges' g of the same runs, and not comparable with it. Interval as `hedges_g`; exact
    for normal differences.

    Args:
        a: one number a run.
        b: its partner's, or one number for all.
        level: confidence.
        unit: what a number stands for.
    """
    given = np.broadcast_to(b, np.shape(a)) if np.ndim(b) == 0 else b
    one, other = matched(a, given)
    gaps = one - other
    n, of = len(gaps), f"pair of {unit}s"
    if n < 3:
        return Estimate(nan, nan, nan, n, level, of, "noncentral t")
    return _standardised(float(gaps.mean()), float(gaps.std(ddof=1)), n - 1, n, n, level, of)


def _standardised(
    gap: float, sd: float, freedom: int, weight: float, n: int, level: float, unit: str
) -> Estimate:
    """The gap over sd, with Hedges' correction; `weight` is the n for which t = sqrt(n) gap / sd."""
    from scipy.special import gammaln, nctdtr, nctdtrinc  # quick to import, unlike scipy.stats

    if sd <= 1e-12 * abs(gap) or sd == 0:  # nothing varies: there is nothing to measure by
        return Estimate(nan, nan, nan, n, level, unit, "noncentral t")
    half = freedom / 2
    small = float(np.exp(gammaln(half) - gammaln(half - 0.5)) / sqrt(half))
    d, root = gap / sd, sqrt(weight)
    tails = np.array([(1 + level) / 2, (1 - level) / 2])
    ends = np.asarray(nctdtrinc(freedom, tails, root * d), dtype=np.float64) / root
    reached = nctdtr(freedom, ends * root, root * d)
    if not np.allclose(reached, tails, atol=1e-4):  # |t| above some 40: SciPy's inverse gives up
        from scipy.special import ndtri

        error = sqrt(1 / weight + d * d / (2 * freedom))
        ends = d - ndtri(tails) * error
    return Estimate(
        small * d, small * float(ends[0]), small * float(ends[1]), n, level, unit, "noncentral t"
    )


def superiority(
    a: ArrayLike, b: ArrayLike, *, paired: bool, level: float = 0.95, unit: str = "run"
) -> Estimate:
    """Probability that a run of `a` is above one of `b`; ties count half.

    Paired: above its own partner; the interval is the binomial's (Clopper & Pearson 1934; ties make it
    wider than needed). Else any run of the one against any of the other, the area under the ROC curve,
    with the score interval of Newcombe (2006, method 5), which also holds where the groups do not overlap.

    Args:
        a: one number a run.
        b: one number a run.
        paired: as for `difference`.
        level: confidence.
        unit: what a number stands for.
    """
    if paired:
        one, other = matched(a, b)
        return _wins(one - other, level, f"pair of {unit}s")
    one, other = numbers(a), numbers(b)
    n, m = len(one), len(other)
    if min(n, m) < 2:
        return Estimate(nan, nan, nan, n + m, level, unit, "Newcombe")
    other = np.sort(other)
    below = np.searchsorted(other, one, "left") + np.searchsorted(other, one, "right")
    share = float(below.mean() / (2 * m))
    low, high = 1 - _upper(1 - share, n, m, level), _upper(share, n, m, level)
    return Estimate(share, low, high, n + m, level, unit, "Newcombe")


def cliffs_delta(
    a: ArrayLike, b: ArrayLike, *, paired: bool = False, level: float = 0.95, unit: str = "run"
) -> Estimate:
    """Cliff's delta (1993): how much oftener a run of `a` is above one of `b` than below; -1 to 1.

    Twice `superiority` less 1; see there.
    """
    p = superiority(a, b, paired=paired, level=level, unit=unit)
    value, low, high = (2 * x - 1 for x in (p.value, p.low, p.high))
    return Estimate(value, low, high, p.n, level, p.unit, p.method)


def _wins(gaps: Reals, level: float, unit: str) -> Estimate:
    from scipy.special import betaincinv  # quick to import, unlike scipy.stats

    n = len(gaps)
    if n < 2:
        return Estimate(nan, nan, nan, n, level, unit, "exact binomial")
    won, tail = float((np.sign(gaps) + 1).sum() / 2), (1 - level) / 2
    low = float(betaincinv(won, n - won + 1, tail)) if won else 0.0
    high = float(betaincinv(won + 1, n - won, 1 - tail)) if won < n else 1.0
    return Estimate(won / n, low, high, n, level, unit, "exact binomial")


def _upper(share: float, n: int, m: int, level: float) -> float:
    """The largest probability whose own standard error reaches down to the share (Newcombe 2006)."""
    from scipy.special import ndtri

    z, mean_size = float(ndtri((1 + level) / 2)), (n + m) / 2 - 1
    low, high = share, 1.0
    for _ in range(60):  # bisection: the score falls from above to below over the interval
        p = (low + high) / 2
        spread = 1 + mean_size * ((1 - p) / (2 - p) + p / (1 + p))
        low, high = (p, high) if p - share < z * sqrt(p * (1 - p) * spread / (n * m)) else (low, p)
    return (low + high) / 2
