"""Sobol indices: which factors' variation the outcome's variation comes from, and how much is noise.

A run's outcome is y = m(x) + e: what its conditions x lead to on average, and what differs between runs of
the same conditions. With x drawn evenly over the factors' ranges,

    first order   S_i = V[E(m | x_i)] / V[m]            what fixing factor i would take away, on its own
    total order   T_i = E[V(m | all but x_i)] / V[m]    what factor i has a part in, interactions included
    noise share       = E[V(y | x)] / V[y]              what no factor explains: run-to-run noise

Indices are of the mean outcome m, so that noise does not lower them; the noise share is told beside them.
Products of two different replicates keep the noise's square out (an index of no influence is 0 on average,
and its estimate may fall below). Without noise the estimators are SALib's (Saltelli et al. 2010).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cloudchamber.analysis.sensitivity.crossed import crossed, of_kind, product_of_two, whole_rows
from cloudchamber.experiment.probing import Rows
from cloudchamber.measures.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Indices", "indices_of", "noise_odds", "sobol_indices"]

Reals = NDArray[np.float64]
ROUNDING = 1e-18
"""Of the variance between conditions: what runs differ by less than this comes from rounding."""


@dataclass(frozen=True)
class Indices:
    """Sobol indices of the mean outcome, and the share of a run's variance that is noise."""

    first: Mapping[str, Estimate]
    total: Mapping[str, Estimate]
    noise: Estimate
    """Of a run's variance, the share that differs between runs of the same conditions."""
    missed: float = 0.0
    """Of the mean outcome's variance, the share that a surrogate fails to predict; 0 without one."""

    def table(self) -> "pd.DataFrame":
        """A row a factor, the largest total index first: index, value, low, high of both orders."""
        import pandas as pd

        rows = [
            {"factor": name, "order": order, "value": one.value, "low": one.low, "high": one.high}
            for name in sorted(self.total, key=lambda name: -self.total[name].value)
            for order, one in (("first", self.first[name]), ("total", self.total[name]))
        ]
        return pd.DataFrame(rows, columns=["factor", "order", "value", "low", "high"])

    def __str__(self) -> str:
        lines = [
            f"{name}: first order {_told(self.first[name])}, total {_told(one)}"
            for name, one in sorted(self.total.items(), key=lambda item: -item[1].value)
        ]
        lines.append(f"run-to-run noise: {_told(self.noise)} of a run's variance")
        if self.missed:
            lines.append(f"the surrogate misses {self.missed:.0%} of what conditions do")
        return "\n".join(lines)


def sobol_indices(design: Rows, table: "pd.DataFrame", *, level: float = 0.95) -> Indices:
    """Sobol indices from rows that were grown, with intervals that hold the run-to-run noise.

    Args:
        design: as `saltelli_rows` made it.
        table: a measure's values, a row a replicate and a column a cell (`Results.measure`). Rows that
            lack a run drop out.
        level: confidence of each interval.

    Raises:
        SpecificationError: a cell is not in the table; fewer than three replicates or whole rows.
    """
    rows = whole_rows(of_kind(design, Rows).by_row(design.outcomes(table)))
    names = [factor.name for factor in design.factors]
    replicates, n = rows.shape[:2]
    parts = _parts(rows)
    whole = _ratios(parts.mean(axis=1))
    left_rows = _ratios((parts.sum(axis=1, keepdims=True) - parts) / (n - 1))
    fewer = [_ratios(_parts(np.delete(rows, r, axis=0)).mean(axis=1)) for r in range(replicates)]
    return indices_of(names, whole, left_rows, np.stack(fewer, axis=1), rows.size, level)


def indices_of(
    names: Sequence[str],
    whole: Reals,
    without_row: Reals,
    without_replicate: Reals,
    runs: int,
    level: float,
) -> Indices:
    """Indices from numbers in the order: first orders, total orders, log odds of noise.

    Args:
        names: of the factors.
        whole: of all runs, [2 factors + 1].
        without_row: without each row, [2 factors + 1, rows].
        without_replicate: without each replicate, [2 factors + 1, replicates].
        runs: that they rest on.
        level: confidence.
    """
    told = [
        crossed(float(whole[at]), without_row[at], without_replicate[at], runs, level)
        for at in range(len(whole))
    ]
    k = len(names)
    return Indices(
        dict(zip(names, map(_possible, told[:k]), strict=True)),
        dict(zip(names, map(_possible, told[k : 2 * k]), strict=True)),
        _share(told[-1]),
    )


def noise_odds(spread: Reals, made: Reals) -> Reals:
    """Log odds of noise: its variance over that of the mean outcome.

    On this scale the estimate of a variance from a few replicates is nearly symmetric.
    """
    odds = np.divide(spread, made, out=np.full_like(spread, nan), where=made > 0)
    none = odds < ROUNDING
    return np.where(none, -inf, np.log(odds, out=np.zeros_like(odds), where=~none))


def _parts(rows: Reals) -> Reals:
    """Of each row: V_i and E V_-i of each factor, two moments of m, and the noise's variance.

    Args:
        rows: [replicates, rows, factors + 2].

    Returns:
        [2 factors + 3, rows].
    """
    # The replicate's own mean is taken off: a seed's common luck is noise, and no factor's part.
    centred = rows - rows.mean(axis=(1, 2), keepdims=True)
    a, b, mixed = centred[..., :1], centred[..., -1:], centred[..., 1:-1]
    first = product_of_two(np.broadcast_to(b, mixed.shape), mixed - a)
    total = product_of_two(a - mixed, a - mixed) / 2
    ends = np.concatenate([a, b], axis=2)
    square = product_of_two(ends, ends).mean(axis=1)
    mean = np.broadcast_to(ends.mean(axis=(1, 2))[:, None], ends.shape[:2])
    less = product_of_two(
        mean, 2 * ends.mean(axis=2) - mean
    )  # of which the mean is the mean's square
    spread = rows[..., [0, -1]].var(axis=0, ddof=1).mean(axis=1)
    return np.vstack([first.T, total.T, square, less, spread])


def _ratios(means: Reals) -> Reals:
    """Indices and the log odds of noise, from the means over rows of what `_parts` gives."""
    made = means[-3] - means[-2]
    varies = made > 0
    index = np.divide(means[:-3], made, out=np.full_like(means[:-3], nan), where=varies)
    return np.concatenate([index, noise_odds(means[-1:], made[None])])


def _possible(index: Estimate) -> Estimate:
    """No end of an interval further out than an index can be, but for an estimate that is."""
    if not index.known:
        return index
    return index.within(min(index.value, 0.0), max(index.value, 1.0))


def _share(odds: Estimate) -> Estimate:
    """Log odds as a share."""
    if odds.value == -inf:
        return replace(odds, value=0.0, low=0.0, high=0.0)  # no two runs of a cell differ
    value, low, high = (float(expit(at)) for at in (odds.value, odds.low, odds.high))
    return replace(odds, value=value, low=low, high=high)


def _told(one: Estimate) -> str:
    return str(one).rpartition(", ")[0] if one.known else str(one)
