"""Intervals where conditions and replicates are crossed: every cell has the same replicates.

Replicates share their draws across cells (law 6), so neither cells nor runs are independent: a number's
uncertainty has a part from which conditions were sampled, and a part from which replicates were. Each is
had by the jackknife, leaving out one row of conditions, or one replicate, at a time. The bootstrap would
draw a replicate twice, and products of two replicates, which keep noise out, would hold its square.

Both parts are added. What is due to conditions and replicates together is then counted twice where draws
share nothing, so that intervals are wider than they need be rather than narrower (Owen 2007).
"""

from math import nan, sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.measures.estimate import Estimate

__all__ = ["LEAST_REPLICATES", "crossed", "of_kind", "product_of_two", "whole_rows"]

Reals = NDArray[np.float64]
D = TypeVar("D")
LEAST_REPLICATES = 3
"""With fewer, leaving one out leaves no two whose noise is apart."""


def of_kind(design: object, kind: type[D]) -> D:
    """The design, if it is of the kind that an analysis is for.

    Raises:
        SpecificationError: it is not.
    """
    if not isinstance(design, kind):
        raise SpecificationError(
            f"design: a {type(design).__name__} was given; allowed: a {kind.__name__}, as "
            f"{_MADE_BY[kind.__name__]} makes it."
        )
    return design


_MADE_BY = {
    "Sample": "sobol_sequence or latin_hypercube",
    "Paths": "morris_paths",
    "Rows": "saltelli_rows",
}


def product_of_two(one: Reals, other: Reals) -> Reals:
    """Mean over all pairs of different replicates of a product: free of the noise's own square.

    Args:
        one: [replicates, ...].
        other: the same shape.
    """
    n = len(one)
    sums = one.sum(axis=0) * other.sum(axis=0) - (one * other).sum(axis=0)
    return np.asarray(sums / (n * (n - 1)))


def crossed(
    value: float, without_row: Reals, without_replicate: Reals, runs: int, level: float
) -> Estimate:
    """An estimate with the interval from leaving out rows and replicates.

    Args:
        value: of all.
        without_row: the number without each row, [rows].
        without_replicate: the number without each replicate, [replicates].
        runs: that it rests on.
        level: confidence.

    Student's t with Satterthwaite's (1946) degrees of freedom.
    """
    from scipy.special import stdtrit  # quick to import, unlike scipy.stats

    method = "crossed jackknife"
    if not np.isfinite([value, *without_row, *without_replicate]).all():
        return Estimate(value, nan, nan, runs, level, "run", method)
    parts = [_variance(left) for left in (without_row, without_replicate)]
    both = sum(parts)
    freedoms = [len(without_row) - 1, len(without_replicate) - 1]
    spread = sum(part**2 / free for part, free in zip(parts, freedoms, strict=True))
    free = both**2 / spread if spread > 0 else sum(freedoms)
    half = float(stdtrit(free, 0.5 + level / 2)) * sqrt(both)
    return Estimate(value, value - half, value + half, runs, level, "run", method)


def whole_rows(values: Reals) -> Reals:
    """The rows [replicates, rows, cells] of which every run is there.

    Raises:
        SpecificationError: fewer than three replicates or rows are whole.
    """
    kept = values[~np.isnan(values).all(axis=(1, 2))]  # replicates that were never grown
    rows = kept[:, ~np.isnan(kept).any(axis=(0, 2))]
    if len(rows) < LEAST_REPLICATES or rows.shape[1] < LEAST_REPLICATES:
        raise SpecificationError(
            f"sensitivity: {len(rows)} replicates of {rows.shape[1]} whole rows are there; allowed: "
            f"{LEAST_REPLICATES} or more of each, to tell what conditions do from what differs between "
            "runs. Grow more; only what is missing is computed."
        )
    return rows


def _variance(left: Reals) -> float:
    n = len(left)
    return float((n - 1) / n * np.square(left - left.mean()).sum())
