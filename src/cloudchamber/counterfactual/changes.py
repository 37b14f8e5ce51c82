"""Changes of what one agent is shown for one decision: had this exposure been absent, lower, or elsewhere.

Each is a function of questions, changes what is shown in all of their rows, and leaves the noise alone. Any
other function from questions to as many questions serves as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cloudchamber.counterfactual.channels import HEARD, ORDER, arranged, shuffled
from cloudchamber.errors import SpecificationError
from cloudchamber.questions import Ints, Questions
from cloudchamber.trace.tables import Kind

__all__ = ["Absent", "Change", "Moved", "Raised", "Shown", "Unheard", "Without", "together"]

Change = Callable[[Questions], Questions]


@dataclass(frozen=True, slots=True)
class Without:
    """Had a channel said nothing: a signal not shown, nothing heard of others, nothing remembered.

    Without `order` the options stand at random.
    """

    channel: str

    def __call__(self, questions: Questions) -> Questions:
        """The questions without it."""
        if self.channel == ORDER:
            return shuffled([ORDER])(questions)
        if self.channel in HEARD:
            heard = questions.heard
            kept = ~np.isin(heard.channel, HEARD[self.channel])
            return replace(questions, heard=heard.select(kept))
        shown = {name: told for name, told in questions.signals.items() if name != self.channel}
        return replace(questions, signals=shown)


@dataclass(frozen=True, slots=True)
class Shown:
    """Had a signal been shown as this value, on one item or on all."""

    signal: str
    value: float
    item: int | None = None

    def __call__(self, questions: Questions) -> Questions:
        """The questions with it."""
        there = _on(questions, self.item)
        told = questions.signals.get(self.signal, np.full(questions.items.shape, np.nan))
        told = np.where(there, self.value, told)
        return replace(questions, signals={**questions.signals, self.signal: told})


@dataclass(frozen=True, slots=True)
class Raised:
    """Had a signal been higher by so much, or lower by a negative amount, on one item or on all.

    What is not below 0 is not lowered past it.
    """

    signal: str
    by: float
    item: int | None = None

    def __call__(self, questions: Questions) -> Questions:
        """The questions with it."""
        if self.signal not in questions.signals:
            return questions
        told = questions.signals[self.signal]
        raised = np.maximum(told + self.by, np.minimum(told, 0.0))
        raised = np.where(_on(questions, self.item), raised, told)
        return replace(questions, signals={**questions.signals, self.signal: raised})


@dataclass(frozen=True, slots=True)
class Absent:
    """Had an option not been there."""

    item: int

    def __call__(self, questions: Questions) -> Questions:
        """The questions without it; the options below move up."""
        _listed(questions, "an option that is judged alone cannot be absent")
        gone = questions.items == self.item
        # What is gone goes to the end, beside the fill of short rows.
        order = np.argsort(gone | (questions.items < 0), axis=1, kind="stable")
        left = _with_labels(questions, order)
        items = np.where(left.items == self.item, -1, left.items)
        signals = {name: np.where(items < 0, np.nan, shown) for name, shown in left.signals.items()}
        return replace(left, items=items, signals=signals, gaps=True)


@dataclass(frozen=True, slots=True)
class Moved:
    """Had an option stood at another place; those between move over."""

    item: int
    place: int
    """Counted from 1."""

    def __call__(self, questions: Questions) -> Questions:
        """The questions with it there."""
        _listed(questions, "an option that is judged alone has no place")
        width = questions.items.shape[1]
        if not 1 <= self.place <= width:
            raise SpecificationError(f"place: {self.place} given; allowed: 1 to {width}")
        place = np.tile(np.arange(width, dtype=np.float64), (len(questions), 1))
        mine = questions.items == self.item
        now = np.where(mine, place, 0.0).sum(axis=1, keepdims=True)
        target = self.place - 1
        # Half a place before or behind the one it takes, by the side that it comes from.
        there = target + np.where(now < target, 0.5, -0.5)
        order = np.argsort(np.where(mine, there, place), axis=1, kind="stable")
        return _with_labels(questions, order)


@dataclass(frozen=True, slots=True)
class Unheard:
    """Had some of what is heard beside the options not been: all that match what is given."""

    channel: str = "others"
    item: int | None = None
    source: int | None = None
    """The agent whose act it is."""
    origin: int | None = None
    """The decision that it comes from."""

    def __call__(self, questions: Questions) -> Questions:
        """The questions without it."""
        if self.channel not in HEARD:
            raise SpecificationError(
                f"channel: {self.channel!r} is not heard; allowed: {', '.join(HEARD)}"
            )
        heard = questions.heard
        gone = np.isin(heard.channel, HEARD[self.channel])
        for name in ("item", "source", "origin"):
            if getattr(self, name) is not None:
                gone &= getattr(heard, name) == getattr(self, name)
        return replace(questions, heard=heard.select(~gone))


def together(*changes: Change) -> Change:
    """One change after another."""

    def changed(questions: Questions) -> Questions:
        for change in changes:
            questions = change(questions)
        return questions

    return changed


def _on(questions: Questions, item: int | None) -> NDArray[np.bool_]:
    return np.asarray(questions.items >= 0 if item is None else questions.items == item)


def _listed(questions: Questions, why: str) -> None:
    if questions.kind is Kind.judge:
        raise SpecificationError(f"{why}; change what is told of it instead")


def _with_labels(questions: Questions, order: Ints) -> Questions:
    """Options at other places, each under the name it had; names that number the places stay there."""
    moved, labels = arranged(questions, order), questions.labels
    if labels is None or (np.diff(labels, axis=1) == 1).all():
        return moved
    return replace(moved, labels=np.take_along_axis(labels, order, axis=1))
