"""Terms of the options themselves: which item it is, what belongs to it, what it is called."""

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloudchamber.mechanism.features import Features, Levels
from cloudchamber.mechanism.shown import Shown
from cloudchamber.mechanism.term import Strength, TermOf
from cloudchamber.microspec.value import Real, Whole
from cloudchamber.questions import Reals

__all__ = ["ContentEffect", "ItemEffects", "LabelEffects", "Readiness"]


class ItemEffects(TermOf):
    """Content, freely: each item has an effect of its own, against item `reference`."""

    kind: Literal["items"] = "items"
    effects: tuple[Real, ...] = ()
    """An effect for each item; filled in by `fit` where empty."""
    reference: Annotated[Whole, Field(ge=0)] = 0
    """The item whose effect is 0."""

    @property
    def _free(self) -> list[int]:
        return [item for item in range(len(self.effects)) if item != self.reference]

    @property
    def names(self) -> tuple[str, ...]:
        """One for each item but the reference."""
        return tuple(f"item {item}" for item in self._free)

    @property
    def values(self) -> tuple[float, ...]:
        """The effects but the reference's."""
        return tuple(self.effects[item] for item in self._free)

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with other effects."""
        whole = [0.0] * len(self.effects)
        for item, value in zip(self._free, values, strict=True):
            whole[item] = value
        return self.altered(effects=tuple(whole))

    def log_weight(self, shown: Shown) -> Reals:
        """The item's effect."""
        table = np.append(np.asarray(self.effects, np.float64), 0.0)
        return table[_within(shown.item, len(self.effects))]

    def features(self, shown: Shown) -> Features:
        """Which item each option is."""
        number = np.full(len(self.effects) + 1, len(self._free), np.int64)
        number[self._free] = np.arange(len(self._free))
        return Levels(number[_within(shown.item, len(self.effects))], len(self._free))

    def fitting(self, shown: Shown) -> Self:
        """With an effect for each item."""
        more = int(shown.item.max(initial=-1)) + 1 - len(self.effects)
        return self.altered(effects=self.effects + (0.0,) * more) if more > 0 else self

    def equation(self) -> str:
        """An effect of each item."""
        return "item(i)"


class ContentEffect(Strength):
    """What belongs to the item itself, as the world tells it: the quality of a headline."""

    kind: Literal["content"] = "content"
    field: Annotated[str, Field(min_length=1)] = "quality"

    @property
    def names(self) -> tuple[str, ...]:
        """Its strength."""
        return (self.field,)

    def says(self, shown: Shown) -> Reals:
        """The content of each option; 0 where the world tells none."""
        known = shown.content.get(self.field)
        if known is None:
            return np.zeros(shown.item.shape)
        return np.asarray(known, np.float64)[shown.item]

    def equation(self) -> str:
        """Strength times content."""
        return f"{self.strength:.3g}·{self.field}(i)"


class Readiness(Strength):
    """How ready one is to take anything at all, alike for all options: by agent, an agent's own effect.

    It plays no part in a choice that has to be made among options, for there it cancels.
    """

    kind: Literal["readiness"] = "readiness"
    strength: Real = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Its name."""
        return ("readiness",)

    def says(self, shown: Shown) -> Reals:
        """1 for each."""
        return np.ones(shown.item.shape)

    def equation(self) -> str:
        """The same for all."""
        return f"{self.strength:.3g}"


class LabelEffects(TermOf):
    """Labels: each has an effect of its own, against the first of them; others have none."""

    kind: Literal["labels"] = "labels"
    labels: tuple[Whole, ...] = ()
    """The labels' numbers, ascending; filled in by `fit` where empty."""
    effects: tuple[Real, ...] = ()
    """Their effects; that of the first is 0."""

    @property
    def names(self) -> tuple[str, ...]:
        """One for each label but the first."""
        return tuple(f"label {label}" for label in self.labels[1:])

    @property
    def values(self) -> tuple[float, ...]:
        """The effects but the first."""
        return self.effects[1:]

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with other effects."""
        return self.altered(effects=(0.0, *values)[: len(self.labels)])

    def log_weight(self, shown: Shown) -> Reals:
        """The label's effect."""
        table = np.append(np.asarray(self.effects, np.float64), 0.0)
        return table[self._which(shown)]

    def features(self, shown: Shown) -> Features:
        """Which label it is."""
        free = max(len(self.labels) - 1, 0)
        which = self._which(shown)
        return Levels(np.where((which > 0) & (which <= free), which - 1, free), free)

    def _which(self, shown: Shown) -> NDArray[np.int64]:
        """Each option's place among the labels, past the last where it is none of them."""
        if shown.labels is None or not self.labels:
            return np.full(shown.item.shape, len(self.labels), np.int64)
        known = np.asarray(self.labels)
        place = np.minimum(np.searchsorted(known, shown.labels), len(known) - 1)
        return np.where(known[place] == shown.labels, place, len(known))

    def fitting(self, shown: Shown) -> Self:
        """With an effect for each label."""
        if self.labels or shown.labels is None:
            return self
        labels = np.unique(shown.labels[shown.labels >= 0])
        return self.altered(labels=tuple(labels.tolist()), effects=(0.0,) * len(labels))

    def equation(self) -> str:
        """An effect of each label."""
        return "label(i)"


def _within(item: NDArray[np.integer], known: int) -> NDArray[np.int64]:
    """Items, with `known` for those that have no effect."""
    number = item.astype(np.int64)
    return np.where((number >= 0) & (number < known), number, known)
