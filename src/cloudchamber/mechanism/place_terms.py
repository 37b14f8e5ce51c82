"""Terms of position: freely, falling off, or as a gate."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from cloudchamber.mechanism.features import ByPlace, Features
from cloudchamber.mechanism.shown import Shown
from cloudchamber.mechanism.term import TermOf
from cloudchamber.microspec.value import Real, Whole
from cloudchamber.questions import Reals

__all__ = ["FallOff", "Gate", "PlaceEffects"]


class PlaceEffects(TermOf):
    """Position, freely: each place has an effect of its own, against the first; past the last as the last."""

    kind: Literal["places"] = "places"
    effects: tuple[Real, ...] = ()
    """The effects of places 2, 3, ...; filled in by `fit` where empty."""

    @property
    def names(self) -> tuple[str, ...]:
        """One for each place but the first."""
        return tuple(f"place {place}" for place in range(2, len(self.effects) + 2))

    @property
    def values(self) -> tuple[float, ...]:
        """The effects."""
        return self.effects

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with other effects."""
        return self.altered(effects=tuple(values))

    def log_weight(self, shown: Shown) -> Reals:
        """The place's effect, (k,)."""
        table = np.concatenate([[0.0], self.effects])
        return table[np.minimum(np.arange(shown.item.shape[1]), len(self.effects))]

    def features(self, shown: Shown) -> Features:
        """Which place it is."""
        column = np.minimum(np.arange(shown.item.shape[1]), len(self.effects))
        return ByPlace(np.eye(len(self.effects) + 1)[column, 1:])

    def fitting(self, shown: Shown) -> Self:
        """With an effect for each place."""
        more = shown.item.shape[1] - 1 - len(self.effects)
        return self.altered(effects=self.effects + (0.0,) * more) if more > 0 else self

    def equation(self) -> str:
        """An effect of each place."""
        return "place(i)"


class FallOff(TermOf):
    """Position, exponentially: each place further down divides the weight by e^rate."""

    kind: Literal["fall-off"] = "fall-off"
    rate: Real = 0.2
    """1 / rate is the width in places."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its rate."""
        return ("fall-off",)

    @property
    def values(self) -> tuple[float, ...]:
        """Its rate."""
        return (self.rate,)

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with another rate."""
        return self.altered(rate=values[0])

    def log_weight(self, shown: Shown) -> Reals:
        """Minus the rate for each place above, (k,)."""
        return -self.rate * np.arange(shown.item.shape[1], dtype=np.float64)

    def features(self, shown: Shown) -> Features:
        """Minus the number of places above."""
        return ByPlace(-np.arange(shown.item.shape[1], dtype=np.float64)[:, None])

    def equation(self) -> str:
        """The fall-off."""
        return f"{-self.rate:.3g}·(place(i) - 1)"


class Gate(TermOf):
    """Position, as a gate: the first `width` places alike, and what lies beyond weighs e^beyond."""

    kind: Literal["gate"] = "gate"
    width: Annotated[Whole, Field(ge=1)] = 5
    beyond: Real | None = None
    """None: nothing beyond the gate is ever chosen. A number is estimated."""

    @property
    def names(self) -> tuple[str, ...]:
        """What lies beyond, where it is a number."""
        return () if self.beyond is None else (f"beyond place {self.width}",)

    @property
    def values(self) -> tuple[float, ...]:
        """What lies beyond, where it is a number."""
        return () if self.beyond is None else (self.beyond,)

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with another weight beyond."""
        return self.altered(beyond=values[0]) if values else self

    def log_weight(self, shown: Shown) -> Reals:
        """0 within, `beyond` past the gate, (k,)."""
        past = np.arange(shown.item.shape[1]) >= self.width
        return np.where(past, -np.inf if self.beyond is None else self.beyond, 0.0)

    def features(self, shown: Shown) -> Features:
        """Whether it lies beyond."""
        past = (np.arange(shown.item.shape[1]) >= self.width).astype(np.float64)[:, None]
        return ByPlace(past[:, :0] if self.beyond is None else past)

    def equation(self) -> str:
        """The gate."""
        past = "-∞" if self.beyond is None else f"{self.beyond:.3g}"
        return f"{past}·1[place(i) > {self.width}]"
