"""Effects between cells: differences with intervals and exact tests, over runs.

`effects` compares the cells of a study in one table. What it is made of stands in this package's other
modules: `resampling` (permutation tests, bootstrap), `effect_sizes`, `equivalence`, `adjustment`, `power`;
`Estimate` and the t intervals in `cloudchamber.measures.estimate`.
"""

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cloudchamber.analysis.effects.comparisons import effects, sentence
from cloudchamber.analysis.effects.resampling import (
    Interval,
    bootstrap,
    bootstrap_difference,
    permutation_p,
)
from cloudchamber.measures import estimate as _estimate
from cloudchamber.measures.estimate import (
    Estimate,
    Verdict,
    jackknife,
    mean,
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
    "effects",
    "jackknife",
    "mean",
    "permutation_p",
    "proportion",
    "ratio",
    "runs_needed",
    "sentence",
    "verdict",
]


def difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    paired: bool,
    interval: Interval = "t",
    level: float = 0.95,
    unit: str = "run",
    seed: int = 0,
) -> Estimate:
    """Mean of `a` minus mean of `b`, with an interval and a permutation p.

    Args:
        a: one number a run.
        b: one number a run.
        paired: whether runs belong together; see `cloudchamber.measures.estimate.difference`.
        interval: "t", or a bootstrap over runs, "percentile-t" or "bca" (see `bootstrap_difference`).
        level: confidence.
        unit: what a number stands for.
        seed: of the permutations and the bootstrap.
    """
    if interval == "t":
        found = _estimate.difference(a, b, paired=paired, level=level, unit=unit)
    else:
        found = bootstrap_difference(
            a, b, paired=paired, method=interval, level=level, unit=unit, seed=seed
        )
    return replace(found, p=permutation_p(a, b, paired=paired, seed=seed)) if found.known else found


def cluster_curve(
    frame: "pd.DataFrame", *, level: float = 0.95, within: tuple[float, float] = (-inf, inf)
) -> "pd.DataFrame":
    """The mean curve over runs with pointwise t intervals.

    Args:
        frame: wide, a row a run and a column a point (as `choice_by_position` gives it), or long, with
            columns run, step, value (as `Measure.over_time` gives it).
        level: confidence at each point, not for the curve as a whole; see `parting` for that.
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
