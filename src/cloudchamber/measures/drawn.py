"""Means over runs that were grown under a fit and under draws of its parameters: two sources of error.

How much a number differs between runs, and how much its mean differs between draws. Draws share the noise of
the runs, replicate by replicate, so the second is what the fit leaves open.
"""

from collections.abc import Callable
from dataclasses import replace
from math import hypot, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from cloudchamber.measures.estimate import Estimate, mean

__all__ = ["between_draws", "drawn_mean", "standard_error", "widened"]

Reals = NDArray[np.float64]


def drawn_mean(values: Reals, level: float = 0.95) -> Estimate:
    """The mean of what the fit itself grew, with both sources of error in the interval.

    Args:
        values: (draws + 1, runs), the fit itself first; of the fit alone there is one source.
        level: confidence.
    """
    found = mean(values[0], level=level)
    return widened(found, between_draws(values))


def between_draws(
    values: Reals, statistic: Callable[[Reals], float] = lambda runs: float(runs.mean())
) -> float:
    """The standard deviation of a statistic of the runs between draws, the first row aside; 0 below two."""
    if len(values) <= 2 or not values.shape[1]:
        return 0.0
    return float(np.std([statistic(one) for one in values[1:]], ddof=1))


def standard_error(values: Reals) -> float:
    """Of the mean over runs; NaN of one run."""
    return float(values.std(ddof=1)) / sqrt(len(values)) if len(values) > 1 else nan


def widened(found: Estimate, more: float) -> Estimate:
    """An estimate with an error on top of the spread between runs.

    Args:
        found: the estimate, with an interval of Student's t by its runs.
        more: the error on top.
    """
    from scipy.special import stdtrit  # quick to import, unlike scipy.stats

    if not found.known or not more:
        return found
    t = float(stdtrit(found.n - 1, 0.5 + found.level / 2))
    half = hypot((found.high - found.low) / 2, t * more)
    return replace(
        found,
        low=found.value - half,
        high=found.value + half,
        method=f"{found.method}, with the fit's uncertainty",
    )
