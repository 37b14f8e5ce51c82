"""Morris screening: which of many factors matter at all, for few runs.

Along each path every factor is moved once; what the outcome changes by, per whole range of the factor, is
an elementary effect (Morris 1991). Its mean over paths and replicates is `mu`; the mean of its size is
`mu_star` (Campolongo, Cariboni & Saltelli 2007), as SALib gives it. Noise has a size too, so `mu_star` of a
factor without influence is not 0 but about `noise_floor`. The mean square, from products of two replicates,
is free of noise: it is 0 on average without influence, and its interval is what decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.analysis.sensitivity.crossed import crossed, of_kind, product_of_two, whole_rows
from cloudchamber.experiment.probing import Paths
from cloudchamber.measures.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Elementary", "Screening", "screen"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Elementary:
    """The elementary effects of one factor, per whole range of it."""

    mu: Estimate
    """Mean; of levels without an order it has no meaning."""
    mu_star: float
    """Mean size of the effects on the mean outcome, noise included."""
    noise_floor: float
    """What `mu_star` would be from noise alone, if noise is normal."""
    sigma: float
    """How much effects differ between paths (interactions, curvature); SALib's, noise included."""
    square: Estimate
    """Mean square, noise excluded."""

    @property
    def matters(self) -> bool:
        """Whether the interval of the mean square lies above 0; if not, nothing is shown either way."""
        return self.square.known and self.square.low > 0


@dataclass(frozen=True)
class Screening:
    """Each factor's elementary effects."""

    factors: Mapping[str, Elementary]

    def table(self) -> "pd.DataFrame":
        """A row a factor, the largest mean square first."""
        import pandas as pd

        rows = [
            {
                "factor": name,
                "mu": one.mu.value,
                "mu_star": one.mu_star,
                "noise_floor": one.noise_floor,
                "sigma": one.sigma,
                "square": one.square.value,
                "low": one.square.low,
                "high": one.square.high,
                "matters": one.matters,
            }
            for name, one in sorted(self.factors.items(), key=lambda item: -item[1].square.value)
        ]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        shown = [name for name, one in self.factors.items() if one.matters]
        rest = [name for name in self.factors if name not in shown]
        told = f"shown to matter: {', '.join(shown) or 'none'}"
        return f"{told}; not shown to: {', '.join(rest)}" if rest else told


def screen(design: Paths, table: "pd.DataFrame", *, level: float = 0.95) -> Screening:
    """Elementary effects from paths that were grown.

    Args:
        design: as `morris_paths` made it.
        table: a measure's values, a row a replicate and a column a cell (`Results.measure`). Paths that
            lack a run drop out.
        level: confidence of each interval.

    Raises:
        SpecificationError: a cell is not in the table; fewer than three replicates or whole paths.
    """
    values = of_kind(design, Paths).by_path(design.outcomes(table))
    paths = whole_rows(values)
    there = ~np.isnan(values[~np.isnan(values).all(axis=(1, 2))]).any(axis=(0, 2))
    moved = design.steps()[there]
    which = np.argmax(np.abs(moved), axis=2)
    by = np.take_along_axis(moved, which[:, :, None], axis=2)[:, :, 0]
    by_step = np.diff(paths, axis=2) / by
    effects = np.empty_like(by_step)  # [replicates, paths, factors]
    np.put_along_axis(effects, np.broadcast_to(which, by_step.shape), by_step, axis=2)
    return Screening(
        {
            factor.name: _elementary(effects[:, :, at], paths.size, level)
            for at, factor in enumerate(design.factors)
        }
    )


def _elementary(effects: Reals, runs: int, level: float) -> Elementary:
    """From one factor's effects, [replicates, paths]."""
    replicates, paths = effects.shape
    mean = effects.mean(axis=0)
    spread = effects.std(axis=0, ddof=1) / sqrt(replicates)
    square = product_of_two(effects, effects)
    less = [np.delete(effects, r, axis=0) for r in range(replicates)]
    return Elementary(
        mu=crossed(
            float(mean.mean()),
            _without_each(mean),
            np.array([one.mean() for one in less]),
            runs,
            level,
        ),
        mu_star=float(np.abs(mean).mean()),
        noise_floor=sqrt(2 / pi) * float(spread.mean()),
        sigma=float(mean.std(ddof=1)) if paths > 1 else 0.0,
        square=crossed(
            float(square.mean()),
            _without_each(square),
            np.array([product_of_two(one, one).mean() for one in less]),
            runs,
            level,
        ),
    )


def _without_each(values: Reals) -> Reals:
    return np.asarray((values.sum() - values) / (len(values) - 1))
