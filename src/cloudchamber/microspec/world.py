"""The world: what there is to see, what an act does to it, what it scores.

A world is a frozen value; what changes is its `State`, which only the world's own `apply` changes. It
knows nothing of who sees what: communication, visibility and memory decide that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from cloudchamber.microspec.value import Family
from cloudchamber.questions import Ints, Reals
from cloudchamber.trace.tables import Kind

__all__ = ["Acts", "Glimpse", "Prompt", "Remembered", "Shown", "State", "World"]


@dataclass(slots=True)
class State:
    """What changes in a world: arrays with a row for each run of the pool."""

    tally: Reals
    """(runs, items): what the world counts on each item."""
    score: Reals
    """(runs, agents): what each agent has scored."""
    more: dict[str, Reals] = field(default_factory=dict)
    """Whatever else a world of its own keeps."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What a batch did: a row for each act that has an effect."""

    run: Ints
    agent: Ints
    item: Ints
    decision: Ints
    step: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One option as one agent sees it."""

    item: int
    label: str
    signals: Mapping[str, float]
    open: bool = True
    """Whether it may be chosen; not where it has been picked already."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One thing shown beside the options: another's act, an own past act or pick just made, or the score."""

    channel: Literal["others", "own", "score", "picked"]
    item: int
    source: int
    latency: int
    value: float


@dataclass(frozen=True, slots=True)
class Glimpse:
    """All that one agent is shown for one decision; a prompt is made of this and of nothing else."""

    kind: Kind
    options: tuple[Shown, ...]
    heard: tuple[Remembered, ...]
    most: int
    """How many options may be chosen in all."""
    may_decline: bool
    one_by_one: bool = False
    """Whether this asks for one of them, and will be asked again."""
    persona: str = ""
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A glimpse in words: what the model is told, and the answers it may give."""

    system: str
    user: str
    answers: tuple[str, ...]
    """One for each open option in the order shown; yes and no for a judgement; then none, if allowed."""
    begin: str = ""
    """What the model's answer is made to begin with."""
    recurs: int = 0
    """Letters that `user` begins with and that many other questions begin with as well: what they have
    in common is computed once. Of no effect on what the model is told."""

    def text(self) -> str:
        """The whole prompt as one text, as the trace keeps it."""
        return "\n\n".join(part for part in (self.system, self.user, self.begin) if part)


class World(Family):
    """What there is to see and do."""

    @property
    def items(self) -> int:
        """How many items there are."""
        raise NotImplementedError

    @property
    def fields(self) -> tuple[str, ...]:
        """The signals that acts leave on items."""
        raise NotImplementedError

    @property
    def acts(self) -> tuple[str, ...]:
        """The acts that the world knows."""
        raise NotImplementedError

    @property
    def scores(self) -> bool:
        """Whether the world scores its agents."""
        return False

    def start(self, runs: int, agents: int) -> State:
        """The state of some runs before anything happened."""
        return State(np.tile(self.initial(), (runs, 1)), np.zeros((runs, agents)))

    def initial(self) -> Reals:
        """(items,): what is on each item before anyone acted."""
        return np.zeros(self.items)

    def created(self) -> Reals:
        """(items,): when each item appeared."""
        return np.arange(self.items, dtype=np.float64)

    def content(self) -> Mapping[str, Reals]:
        """Arrays over items that reach whoever is shown the item."""
        return {}

    def words(self) -> tuple[str, ...]:
        """What each item says, where items are told in words; empty where they are not."""
        return ()

    def paraphrases(self) -> Mapping[str, "World"]:
        """The same world told in other words that mean the same, by a name; none, where it is not told."""
        return {}

    def similarity(self) -> Reals | None:
        """(items, items), or None where the world cannot tell."""
        return None

    def apply(self, state: State, acts: Acts) -> None:
        """Let acts have their effect; the only place where a state changes."""
        raise NotImplementedError

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told of a glimpse."""
        raise NotImplementedError
