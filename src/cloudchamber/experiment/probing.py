"""Designs that probe sensitivity: Saltelli's rows for Sobol indices, Morris' paths for screening.

SALib makes the points (extra `sensitivity`); `cloudchamber.analysis` reads what was grown at them. A longer
design of the same seed begins with the shorter one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.factors import Axis
from cloudchamber.experiment.sampling import Points, Sample, sample_at
from cloudchamber.microspec import Microspec

__all__ = ["Paths", "Rows", "morris_paths", "saltelli_rows"]

MOST_ROWS = 2**14


@dataclass(frozen=True, eq=False)
class Rows(Sample):
    """Rows of cells: a point A, then A with one factor at a time as in another point B, then B.

    With k factors a row has k + 2 cells (Saltelli et al. 2010).
    """

    def by_row(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values [replicates, cells] as [replicates, rows, factors + 2]."""
        return values.reshape(len(values), -1, len(self.factors) + 2)


@dataclass(frozen=True, eq=False)
class Paths(Sample):
    """Paths of cells through the unit cube; each step changes one factor, each factor once (Morris 1991)."""

    def by_path(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values [replicates, cells] as [replicates, paths, factors + 1]."""
        return values.reshape(len(values), -1, len(self.factors) + 1)

    def steps(self) -> NDArray[np.float64]:
        """What each step changes each factor by: [paths, steps, factors], 0 but for one factor a step."""
        k = len(self.factors)
        return np.diff(self.points.reshape(-1, k + 1, k), axis=1)


def saltelli_rows(base: Microspec, factors: Sequence[Axis], n: int, *, seed: int = 0) -> Rows:
    """Rows for Sobol indices: n (factors + 2) cells, at the points of a scrambled Sobol sequence.

    Args:
        base: the baseline.
        factors: levels or ranges.
        n: rows, a power of 2; some hundreds for indices to +-0.05, unless the response is smooth.
        seed: of the scrambling; not of the runs.

    Raises:
        SpecificationError: n is no power of 2; a cell makes no sense; SALib is not installed.
    """
    if not 2 <= n <= MOST_ROWS or n & (n - 1):
        raise SpecificationError(f"rows: {n} was given; allowed: a power of 2 up to {MOST_ROWS:,}.")
    sobol = _salib("sobol")
    points = sobol.sample(_problem(factors), n, calc_second_order=False, seed=seed)
    names = [
        name
        for row in range(1, n + 1)
        for name in (
            f"row {row}",
            *(f"row {row}, {factor.name} as in its twin" for factor in factors),
            f"row {row}, twin",
        )
    ]
    made = sample_at(base, factors, _inside(points), names)
    return Rows(made.cells, made.factors, made.points)


def morris_paths(
    base: Microspec, factors: Sequence[Axis], n: int, *, levels: int = 4, seed: int = 0
) -> Paths:
    """Paths for screening: n (factors + 1) cells. Each step moves one factor by half of its range or more.

    Args:
        base: the baseline.
        factors: levels or ranges.
        n: paths; ten to fifty.
        levels: of the grid that paths walk on, an even number.
        seed: of the paths; not of the runs.

    Raises:
        SpecificationError: too few paths, an odd grid; a cell makes no sense; SALib is not installed.
    """
    if not 2 <= n <= MOST_ROWS:
        raise SpecificationError(f"paths: {n} was given; allowed: 2 to {MOST_ROWS:,}.")
    if levels < 2 or levels % 2:
        raise SpecificationError(f"levels: {levels} was given; allowed: an even number from 2.")
    morris = _salib("morris")
    points = morris.sample(_problem(factors), n, num_levels=levels, seed=seed)
    k = len(factors)
    names = [f"path {path}, step {step}" for path in range(1, n + 1) for step in range(k + 1)]
    made = sample_at(base, factors, _inside(points), names)
    return Paths(made.cells, made.factors, made.points)


def _problem(factors: Sequence[Axis]) -> dict[str, Any]:
    if not factors:
        raise SpecificationError("factors: none was given; sensitivity is to one or more.")
    names = [factor.name for factor in factors]
    return {"num_vars": len(factors), "names": names, "bounds": [[0.0, 1.0]] * len(factors)}


def _inside(points: Any) -> Points:
    return np.clip(np.asarray(points, dtype=np.float64), 0.0, 1.0)


def _salib(name: str) -> ModuleType:
    """A sampler of SALib, which is imported when it is needed: it is an extra, and slow to import."""
    from importlib import import_module

    try:
        return import_module(f"SALib.sample.{name}")
    except ImportError:
        raise SpecificationError(
            "this design needs SALib, which is not installed; pip install 'cloudchamber[sensitivity]'."
        ) from None
