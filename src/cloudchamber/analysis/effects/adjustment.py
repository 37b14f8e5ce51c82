"""Many comparisons: p-values adjusted for how many were made.

Of twenty comparisons without any effect one is expected at p <= 0.05. Holm keeps the chance of *any* false
claim in a family at the level, whatever the dependence between comparisons: for claims that stand alone.
Benjamini & Hochberg keep the expected *share* of false ones among those claimed: for screening.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import SpecificationError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Correction", "adjust", "adjusted"]

Reals = NDArray[np.float64]
Correction = Literal["holm", "benjamini-hochberg", "benjamini-yekutieli", "none"]


def adjust(p: ArrayLike, method: Correction = "holm") -> Reals:
    """Adjusted p-values: a comparison is claimed where its own is at most the level.

    Args:
        p: of one family of comparisons, any shape. NaN (no test was made) stays NaN and is not counted.
        method: "holm" (Holm 1979), "benjamini-hochberg" (1995; independent or positively dependent
            comparisons), "benjamini-yekutieli" (2001; any dependence), or "none".

    Raises:
        SpecificationError: no method has that name, or something is no p-value.
    """
    if method not in get_args(Correction):
        raise SpecificationError(f"correct: {method!r}; {nearest(method, get_args(Correction))}")
    given = np.asarray(p, dtype=np.float64)
    out = given.copy()
    there = ~np.isnan(given)
    values = given[there]
    if ((values < 0) | (values > 1)).any():
        raise SpecificationError("p-values lie between 0 and 1, or are NaN where no test was made")
    if method == "none" or not len(values):
        return out
    out[there] = _holm(values) if method == "holm" else _false_discovery(values, method)
    return out


def _holm(p: Reals) -> Reals:
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty_like(p)
    out[order] = np.minimum(steps, 1)
    return out


def _false_discovery(p: Reals, method: Correction) -> Reals:
    from scipy.stats import false_discovery_control  # SciPy's statistics take half a second

    found = false_discovery_control(p, method="bh" if method == "benjamini-hochberg" else "by")
    return np.asarray(found, dtype=np.float64)


def adjusted(
    frame: "pd.DataFrame",
    p: str = "p",
    *,
    method: Correction = "holm",
    by: str | Sequence[str] = (),
    into: str = "",
) -> "pd.DataFrame":
    """The frame with a column of adjusted p-values.

    Args:
        frame: a row a comparison.
        p: the column of p-values.
        method: as for `adjust`.
        by: columns that tell families apart, e.g. "measure"; all rows are one family if not given.
        into: the new column's name; "p_adjusted" for "p".

    Raises:
        SpecificationError: a column is missing.
    """
    families = [by] if isinstance(by, str) else list(by)
    for name in (p, *families):
        if name not in frame.columns:
            raise SpecificationError(f"column: {name!r}; {nearest(name, map(str, frame.columns))}")
    values = frame[p]
    if families:
        keys = [frame[name] for name in families]
        found = values.groupby(keys, dropna=False).transform(lambda part: adjust(part, method))
    else:
        found = values.copy()
        found[:] = adjust(values, method)
    return frame.assign(**{into or f"{p}_adjusted": found})
