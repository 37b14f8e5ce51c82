"""The share of runs in which something happened, where cells share the draws of their replicates.

Runs of one replicate have their draws in common (law 6), and runs of one cell their conditions: so many runs
say less than as many independent ones. The exact interval (Clopper & Pearson 1934) is taken with the number
of runs that would say as much (Korn & Graubard 1998).
"""

from dataclasses import replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from cloudchamber.measures.estimate import Estimate

__all__ = ["share_of"]

Reals = NDArray[np.float64]
SURE = 0.8
"""How sure it is that replicates have no more in common than is taken into account."""


def share_of(
    grown: Reals, cells: NDArray[np.bool_], level: float = 0.95, *, sampled: bool = True
) -> Estimate:
    """The share among some cells.

    Args:
        grown: 1 or 0 for each [replicate, cell]; NaN where a run is lacking. What replicates have in common
            is told from all cells, for where a thing is certain nothing can be seen of it.
        cells: which are counted.
        level: confidence.
        sampled: whether the cells stand for others, so that it matters which they are.
    """
    from scipy.stats import beta  # SciPy's statistics take a second to import

    inside = grown[:, cells]
    n = int((~np.isnan(inside)).sum())
    if n == 0:
        return Estimate(nan, nan, nan, 0, level, "run", "exact binomial")
    k = float(np.nansum(inside))
    replicates, count = inside.shape
    alike = 1 + (count - 1) * in_common(grown)
    alike += (replicates - 1) * _within_cells(inside) if sampled else 0.0
    worth = max(n / max(alike, 1.0), 1.0)
    happened = k / n * worth
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, happened, worth - happened + 1)) if k else 0.0
    high = float(beta.ppf(1 - tail, happened + 1, worth - happened)) if k < n else 1.0
    found = Estimate(k / n, low, high, n, level, "run", "exact binomial")
    return found if worth == n else replace(found, method="exact binomial, effective runs")


def in_common(grown: Reals) -> float:
    """Correlation of two cells' runs of one replicate, their cells' own shares apart: no less than it may be.

    Few replicates tell little of it: it is the upper end of an interval, `SURE` from above, by the F ratio
    of replicates' mean squares to that of the rest. 0 where a replicate has one cell.
    """
    from scipy.stats import f  # SciPy's statistics take a second to import

    off = _apart(grown)
    replicates, cells = off.shape
    if min(replicates, cells) < 2:
        return 0.0
    whole = float(np.square(off).sum())
    among = float(np.square(off.mean(axis=1)).sum()) * cells
    free, rest = replicates - 1, (replicates - 1) * (cells - 1)
    left = (whole - among) / rest
    if left <= 1e-12 * among:
        return float(among > 0)  # all of a replicate go together, or nothing differs at all
    upper = among / free / left / float(f.ppf(1 - SURE, free, rest))
    return float(max(0.0, (upper - 1) / (upper + cells - 1)))


def _apart(grown: Reals) -> Reals:
    """What runs differ by from their cells' shares, of cells that have several runs."""
    several = (~np.isnan(grown)).sum(axis=0) > 1
    kept = grown[:, several]
    if not several.any():
        return kept
    off: Reals = np.nan_to_num(kept - np.nanmean(kept, axis=0, keepdims=True))
    return off


def _within_cells(grown: Reals) -> float:
    """Correlation of two runs of the same cell, by the variance of cells' shares; 0 or more."""
    counts = (~np.isnan(grown)).sum(axis=0)
    kept = grown[:, counts > 1]
    if kept.shape[1] < 2:
        return 0.0
    spread = float(np.nanvar(kept, axis=0, ddof=1).mean())
    between = float(np.nanmean(kept, axis=0).var(ddof=1)) - spread / float(
        counts[counts > 1].mean()
    )
    whole = between + spread
    return max(0.0, between / whole) if whole > 0 else 0.0
