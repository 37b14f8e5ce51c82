"""A factor's range: levels in the factor's own units, and places between 0 and 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError

__all__ = ["Axis"]

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Axis:
    """Where a factor may lie.

    Raises:
        SpecificationError: no range, or a logarithmic one that reaches 0.
    """

    low: float
    high: float
    logarithmic: bool = False
    levels: tuple[float, ...] = ()
    """The only levels that there are (whole numbers, say), in order; empty where all are possible."""

    def __post_init__(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high):
            raise SpecificationError(
                f"the factor's range is {self.low!r} to {self.high!r}; give finite low < high"
            )
        if self.logarithmic and self.low <= 0:
            raise SpecificationError(
                f"a logarithmic factor begins at {self.low!r}; give a positive low, or leave it linear"
            )
        if self.levels and (len(self.levels) < 3 or sorted(set(self.levels)) != [*self.levels]):
            raise SpecificationError(
                f"the factor's levels are {list(self.levels)}; give at least 3, rising, each once"
            )

    @classmethod
    def over(
        cls, low: float, high: float, *, logarithmic: bool, levels: Sequence[float] | None
    ) -> "Axis":
        """The range, and those of some levels that lie in it; its ends are then the outermost ones.

        Raises:
            SpecificationError: see `Axis`.
        """
        if levels is None:
            return cls(float(low), float(high), logarithmic)
        kept = tuple(sorted({float(level) for level in levels if low <= level <= high}))
        if len(kept) < 3:
            raise SpecificationError(
                f"{len(kept)} of the factor's levels lie between {low:g} and {high:g}; give at least 3"
            )
        return cls(kept[0], kept[-1], logarithmic, kept)

    def level(self, place: Reals | float) -> Reals:
        """Levels at some places between 0 and 1."""
        at = np.asarray(place, dtype=np.float64)
        if self.logarithmic:
            return np.asarray(self.low * (self.high / self.low) ** at)
        return np.asarray(self.low + (self.high - self.low) * at)

    def place(self, level: Reals | float) -> Reals:
        """Places between 0 and 1 of some levels."""
        at = np.asarray(level, dtype=np.float64)
        if self.logarithmic:
            return np.asarray(np.log(at / self.low) / np.log(self.high / self.low))
        return np.asarray((at - self.low) / (self.high - self.low))

    def near(self, places: Reals, spacing: float) -> Reals:
        """Levels near some places that are short to write, or allowed: rising, each once.

        Args:
            places: between 0 and 1.
            spacing: how far apart places are that must stay apart.
        """
        wanted = self.level(np.clip(places, 0, 1))
        if self.levels:
            allowed = np.array(self.levels)
            nearest = np.abs(self.place(allowed) - places[:, None]).argmin(axis=1)
            return np.unique(allowed[nearest])
        steps = np.abs(self.level(np.clip(places + spacing, 0, 2)) - wanted)
        told = [round(x, _digits(step)) for x, step in zip(wanted.tolist(), steps, strict=True)]
        return np.unique(np.clip(told, self.low, self.high))


def _digits(step: float) -> int:
    """Decimals that keep apart what lies a step apart."""
    return max(0, 1 - floor(log10(step))) if step >= 1e-300 else 15
