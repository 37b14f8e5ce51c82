"""What the engine asks, a batch at a time, as columns.

A batch is a row for each (run, agent) that decides; its exposures are columns too: the options of row r are
`items[r]` in the order shown, with one matrix for each signal; whatever else the agent is shown (others'
acts, its own past, its score) is flat, with offsets. A rule answers a whole batch with array operations; a
language model's agent turns each row into a prompt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.questions.heard import Heard, Ints, Reals
from cloudchamber.trace.tables import Channel, Kind

__all__ = ["Address", "Choose", "Ints", "Questions", "Reals", "Scale", "Taken", "Writing"]


@dataclass(frozen=True, slots=True)
class Choose:
    """How many options may be chosen: exactly one, up to `most`, any number of them, or an amount of each."""

    how: Literal["one", "up to", "any", "amount"] = "one"
    most: int = 1
    may_decline: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """The amounts that may be given of each item."""

    least: float = 0.0
    most: float = 100.0
    step: float = 1.0
    """Between the amounts that a language model may give; a rule may give any."""
    together: float = float("inf")
    """The most of all items together."""

    def grid(self, given: float = 0.0) -> Reals:
        """The amounts that a language model may give, where `given` is given of other items already."""
        most = min(self.most, self.together - given)
        count = int((most - self.least) / self.step + 1e-9) + 1
        return np.asarray(self.least + self.step * np.arange(count), np.float64)

    def within(self, amounts: Reals) -> Reals:
        """(rows, options): the amounts cut to the scale, and scaled down where together they are too much."""
        cut = np.clip(amounts, self.least, self.most)
        if np.isinf(self.together):
            return np.asarray(cut)
        above = cut - self.least
        left = self.together - self.least * cut.shape[1]
        total = np.maximum(sum(above.T), left)  # column by column: rows are short
        return np.asarray(self.least + above * (left / total)[:, None])


@dataclass(frozen=True, slots=True)
class Address:
    """Where in the experiment each row stands; every draw for the row is keyed by it."""

    seed: int
    replicate: Ints
    step: int
    agent: Ints
    occasion: Ints

    def keys(self, stream: str) -> NDArray[np.uint64]:
        """Keys of draws that belong to each row's decision."""
        # What is the same for all rows is mixed in once.
        replicate, occasion = _once(self.replicate), _once(self.occasion)
        return randomness.keys(self.seed, replicate, stream, self.step, self.agent, occasion)

    def run_keys(self, stream: str) -> NDArray[np.uint64]:
        """Keys of draws that are the same for every agent and step of a run."""
        return randomness.keys(self.seed, self.replicate, stream, 0, -1)

    def take(self, rows: Ints) -> "Address":
        """The addresses of some rows."""
        return replace(
            self,
            replicate=self.replicate[rows],
            agent=self.agent[rows],
            occasion=self.occasion[rows],
        )


def _once(part: Ints) -> Ints:
    """The part of an address as one number, where all rows have the same."""
    return part[:1] if len(part) and (part == part[0]).all() else part


@dataclass(frozen=True, slots=True)
class Writing:
    """A text that is to be written."""

    channel: Channel
    """How it is shown later: a note to its own author, a message to those who hear it."""
    name: str
    """What it is called: the name of a note, or "message"."""
    words: int
    """The most words."""

    @property
    def kind(self) -> str:
        """What it is called among the texts of a trace."""
        return self.name if self.channel is Channel.message else f"own {self.name}"


@dataclass(frozen=True, slots=True)
class Taken:
    """What agents that are asked again have picked so far, and the noise that this used up.

    A pick at time T of a race of exponential clocks with rates w leaves each other clock E - w T, which is
    an exponential of mean 1 again, independent of the pick (they are memoryless). So whatever the next
    distribution is, its draw is a draw from it; and if it is the same distribution, the picks are those
    that one answer drawn without replacement would have given.
    """

    options: NDArray[np.bool_]
    """(n, k): the options picked."""
    noise: Reals
    """(n, k): what is gone of each option's exponential."""
    decline: Reals
    """(n,): what is gone of that of choosing nothing."""

    @classmethod
    def nothing(cls, rows: int, options: int) -> "Taken":
        """Nothing picked by any of `rows` rows."""
        shape = (rows, options)
        return cls(np.zeros(shape, bool), np.zeros(shape), np.zeros(rows))

    def take(self, rows: Ints) -> "Taken":
        """Those of some rows."""
        return Taken(self.options[rows], self.noise[rows], self.decline[rows])


@dataclass(frozen=True, slots=True)
class Questions:
    """A batch of questions of one kind.

    Shapes: n rows; k options each. `content` holds per-item arrays that belong to the item itself
    (a headline's quality) and so reach whoever is shown the item.
    """

    kind: Kind
    choose: Choose
    address: Address
    run: Ints
    group: NDArray[np.int16]
    decision: Ints
    items: Ints
    signals: Mapping[str, Reals]
    heard: Heard
    content: Mapping[str, Reals] = field(default_factory=dict)
    labels: Ints | None = None
    taken: Taken | None = None
    """Where an agent is asked again after each pick: what it has picked of these options."""
    scale: Scale | None = None
    """Where amounts are asked for: which are allowed."""
    gaps: bool = False
    """Whether rows may be short: filled with items of -1, which nobody may pick."""
    writing: Writing | None = None
    """Where a text is asked for: which. Nothing may be picked then."""

    def __len__(self) -> int:
        return len(self.items)

    @property
    def agent(self) -> Ints:
        """The agent that decides, for each row."""
        return self.address.agent

    def take(self, rows: Ints) -> "Questions":
        """The questions of some rows."""
        return replace(
            self,
            address=self.address.take(rows),
            run=self.run[rows],
            group=self.group[rows],
            decision=self.decision[rows],
            items=self.items[rows],
            signals={name: shown[rows] for name, shown in self.signals.items()},
            heard=self.heard.take(rows),
            labels=None if self.labels is None else self.labels[rows],
            taken=None if self.taken is None else self.taken.take(rows),
        )

    def open(self) -> NDArray[np.bool_]:
        """(n, k): the options that may be picked; short rows are filled with what may not."""
        there = self.items >= 0
        return there if self.taken is None else there & ~self.taken.options

    def options(self) -> Ints:
        """(n,): how many options each row is shown."""
        rows, most = self.items.shape
        return (self.items >= 0).sum(axis=1) if self.gaps else np.full(rows, most)

    def shown(self, signal: str) -> Reals:
        """A signal as the agents see it, with 0 where it is hidden: what is not shown cannot attract."""
        if signal not in self.signals:
            return np.zeros(self.items.shape)
        shown = self.signals[signal]
        return shown if np.isfinite(shown).all() else np.nan_to_num(shown, nan=0.0)
