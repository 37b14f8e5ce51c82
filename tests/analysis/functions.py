"""Functions of known sensitivity, of points of the unit cube, and designs at which they are looked up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cloudchamber.experiment import Axis, Factor, Sample
from cloudchamber.microspec import Microspec
from tests.experiment.small import spec

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """A function's indices in closed form."""

    variance: float
    first: list[float]
    total: list[float]


def ishigami(u: Reals, a: float = 7.0, b: float = 0.1) -> Reals:
    """Ishigami & Homma (1990), on the unit cube."""
    x = np.pi * (2 * u - 1)
    value: Reals = (
        np.sin(x[..., 0]) + a * np.sin(x[..., 1]) ** 2 + b * x[..., 2] ** 4 * np.sin(x[..., 0])
    )
    return value


def _ishigami(a: float = 7.0, b: float = 0.1) -> Known:
    one = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    two = a**2 / 8
    both = 8 * b**2 * np.pi**8 / 225
    whole = one + two + both
    return Known(
        whole, [one / whole, two / whole, 0.0], [(one + both) / whole, two / whole, both / whole]
    )


ISHIGAMI = _ishigami()


@dataclass(frozen=True)
class _G:
    parameters: list[float]
    parts: list[float]


G_PARTS = _G([0.0, 1.0, 4.5, 99.0], [1 / (3 * (1 + a) ** 2) for a in (0.0, 1.0, 4.5, 99.0)])


def g_function(u: Reals, parameters: Sequence[float]) -> Reals:
    """Sobol's g-function (Saltelli & Sobol 1995)."""
    a = np.asarray(parameters)
    value: Reals = np.prod((np.abs(4 * u - 2) + a) / (1 + a), axis=-1)
    return value


def g_known() -> Known:
    parts = np.array(G_PARTS.parts)
    whole = float(np.prod(1 + parts) - 1)
    total = parts * np.prod(1 + parts) / (1 + parts)
    return Known(whole, list(parts / whole), list(total / whole))


def looked_up(
    design: Sample,
    function: Callable[[Reals], Reals],
    noise: Reals | float = 0.0,
    replicates: int = 3,
) -> pd.DataFrame:
    """A function's values at a design's points, with noise [replicates, cells], as results give them."""
    at = np.broadcast_to(function(design.points), (replicates, len(design.points)))
    return pd.DataFrame(at + noise, columns=[cell.name for cell in design])


def base() -> Microspec:
    """A specification with six numbers that may be anything, for designs that are not grown."""
    return spec().replace("world.quality", [0.0] * 6)


def axes(k: int) -> list[Axis]:
    """Up to six continuous factors of `base`, named x0, x1 and so on."""
    return [Factor.over(f"world.quality.{at}", 0, 1, name=f"x{at}") for at in range(k)]
