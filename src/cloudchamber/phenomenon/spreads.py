"""A margin told by the null itself: how many standard deviations between its runs an excess is worth."""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.measures.estimate import Estimate, matched, numbers

__all__ = ["Beyond", "beyond_spreads"]

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Beyond:
    """A difference of means less so many spreads of the second group, with what both vary together."""

    width: float
    """The spreads, in the measure's units; 0 where the second group does not vary."""
    value: float
    """The difference less the width."""
    error: float
    """Its standard error, by leaving out a run at a time; NaN with fewer than three."""
    freedom: int
    """Degrees of freedom: runs of the smaller group, less 1."""
    n: int
    """Pairs, or runs of both."""

    def estimate(self, level: float = 0.95, unit: str = "run") -> Estimate:
        """With Student's t interval."""
        from scipy.special import stdtrit  # quick to import, unlike scipy.stats

        half = float(stdtrit(max(self.freedom, 1), 0.5 + level / 2)) * self.error
        low, high = self.value - half, self.value + half
        return Estimate(self.value, low, high, self.n, level, unit, "jackknife")


def beyond_spreads(a: ArrayLike, b: ArrayLike, spreads: float, *, paired: bool) -> Beyond:
    """Mean of `a` minus mean of `b`, less `spreads` standard deviations between runs of `b`.

    The standard deviation is estimated from the same runs, so it adds to the error: the jackknife's, in
    which it and the means vary together. Asymptotic: tests of normal values at 5 % err in up to 5 % of
    studies with 20 runs, and in fewer with fewer.

    Args:
        a: one number a run.
        b: one number a run, of the null.
        spreads: how many; below 0 they are added.
        paired: whether runs belong together; see `cloudchamber.measures.estimate.difference`.
    """
    one, other = matched(a, b) if paired else (numbers(a), numbers(b))
    n, m = len(one), len(other)
    count = n if paired else n + m
    if min(n, m) < 3:
        return Beyond(nan, nan, nan, 0, count)
    gap, spread = float(one.mean() - other.mean()), _sd(other)
    if spread <= 1e-12 * max(abs(float(other.mean())), abs(gap)):  # what rounding leaves of none
        spread = 0.0
    without = spreads * _sds_without(other)
    if paired:
        squares = _jackknifed(_means_without(one) - _means_without(other) - without)
    else:
        squares = _jackknifed(_means_without(one)) + _jackknifed(_means_without(other) + without)
    value = gap - spreads * spread
    return Beyond(abs(spreads) * spread, value, sqrt(squares), min(n, m) - 1, count)


def _sd(values: Reals) -> float:
    """The standard deviation, without its bias for normal values (Holtzman 1950)."""
    return float(values.std(ddof=1)) * (1 + 1 / (4 * (len(values) - 1)))


def _sds_without(values: Reals) -> Reals:
    """`_sd` without each value in turn."""
    n, away = len(values), values - values.mean()
    squares = np.square(away).sum() - np.square(away) * n / (n - 1)
    sd = np.sqrt(np.maximum(squares, 0.0) / (n - 2))
    return np.asarray(sd * (1 + 1 / (4 * (n - 2))), dtype=np.float64)


def _means_without(values: Reals) -> Reals:
    return np.asarray((values.sum() - values) / (len(values) - 1), dtype=np.float64)


def _jackknifed(left_out: Reals) -> float:
    """The jackknife's variance, from a statistic without each run."""
    n = len(left_out)
    return (n - 1) / n * float(np.square(left_out - left_out.mean()).sum())
