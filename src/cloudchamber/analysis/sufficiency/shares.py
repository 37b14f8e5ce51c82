"""The share of runs in which something happened, where cells share the draws of their replicates.

Runs of one replicate have their draws in common (law 6), and runs of one cell their conditions: so many runs
say less than as many independent ones. The interval is exact (Clopper & Pearson 1934) for as many as would
say the same, as for samples of clusters (Korn & Graubard 1998). What is certain shows nothing of what runs
have in common, so that is told from all cells: what replicates share, and how cells differ on either side.
Where cells are all that there are, each replicate counts once, however many cells it has.
"""

from math import nan

import numpy as np
from numpy.typing import NDArray

from cloudchamber.measures.estimate import Estimate

__all__ = ["share_of"]

Reals = NDArray[np.float64]
Mask = NDArray[np.bool_]
SURE = 0.8
"""How sure it is that replicates have no more in common than is taken into account."""


def share_of(grown: Reals, cells: Mask, level: float = 0.95, *, sampled: bool = True) -> Estimate:
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
    there = ~np.isnan(inside)
    replicates, count = int(there.any(axis=1).sum()), int(there.any(axis=0).sum())
    unit, n = ("run", int(there.sum())) if sampled else ("replicate", replicates)
    if n == 0:
        return Estimate(nan, nan, nan, 0, level, unit, "exact binomial")
    share = float(np.nansum(inside) / there.sum())
    worth = float(n)
    if sampled:
        alike = 1 + (count - 1) * in_common(grown) + (replicates - 1) * of_one_cell(grown, cells)
        worth = max(n / alike, 1.0)
    happened, tail = share * worth, (1 - level) / 2
    low = float(beta.ppf(tail, happened, worth - happened + 1)) if share > 0 else 0.0
    high = float(beta.ppf(1 - tail, happened + 1, worth - happened)) if share < 1 else 1.0
    return Estimate(share, low, high, n, level, unit, "exact binomial")


def of_one_cell(grown: Reals, cells: Mask) -> float:
    """Correlation of two runs of one cell, both sides apart; 1 if runs of a cell never differ."""
    several = (~np.isnan(grown)).sum(axis=0) > 1
    between, within, free = 0.0, 0.0, 0
    for side in (cells & several, ~cells & several):
        if side.sum() > 1:
            kept = grown[:, side]
            means = np.nanmean(kept, axis=0)
            between += float(np.square(means - means.mean()).sum())
            within += float(np.nanvar(kept, axis=0, ddof=1).sum())
            free += len(means)
    if within == 0:
        return 1.0
    own = max(between / free - within / free / len(grown), 0.0)
    return own / (own + within / free)


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
