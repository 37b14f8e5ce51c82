"""What everybody did, indexed as it happens, so that asking who can see what never rereads the past.

The cost of an act and of a question does not grow with the number of acts before it.
"""

from collections import deque
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from cloudchamber.microspec.memory import Summary
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.turns import Asynchronous
from cloudchamber.microspec.world import Acts
from cloudchamber.questions import Ints

__all__ = ["Ledger", "Log", "Marks", "Ring"]

NEVER = -1


@dataclass(frozen=True, slots=True)
class Marks:
    """How often each owner (a run, or an agent) acted on each item, and when last: (owners, items)."""

    count: NDArray[np.int64]
    decision: NDArray[np.int64]
    """The latest decision among them; -1 if none."""
    step: NDArray[np.int32]
    """The step of that decision."""

    @classmethod
    def blank(cls, owners: int, items: int) -> "Marks":
        """Nobody has acted."""
        return cls(
            np.zeros((owners, items), np.int64),
            np.full((owners, items), NEVER, np.int64),
            np.full((owners, items), NEVER, np.int32),
        )

    def add(self, owner: Ints, item: Ints, decision: Ints, step: int) -> None:
        """Mark acts; decision numbers rise with time."""
        owners, items = self.count.shape
        cell = owner.astype(np.int64) * items + item
        if len(cell) > owners * items // 4:
            added = np.bincount(cell, minlength=owners * items).reshape(owners, items)
            np.add(self.count, added, out=self.count)
        else:
            np.add.at(self.count.reshape(-1), cell, 1)
        np.maximum.at(self.decision.reshape(-1), cell, decision)
        self.step.reshape(-1)[cell] = step

    def copy(self) -> "Marks":
        """As they stand now."""
        return Marks(self.count.copy(), self.decision.copy(), self.step.copy())


@dataclass(slots=True)
class Ring:
    """The latest acts of each agent, at most `depth`, newest overwriting oldest."""

    item: NDArray[np.int32]
    decision: NDArray[np.int64]
    step: NDArray[np.int32]
    made: NDArray[np.int64]
    """How many acts each has made in all."""

    @classmethod
    def blank(cls, owners: int, depth: int) -> "Ring":
        """Nobody has acted."""
        return cls(
            np.full((owners, depth), NEVER, np.int32),
            np.full((owners, depth), NEVER, np.int64),
            np.full((owners, depth), NEVER, np.int32),
            np.zeros(owners, np.int64),
        )

    def add(self, owner: Ints, item: Ints, decision: Ints, step: int) -> None:
        """Remember acts; an owner's acts of one batch stand together, in order."""
        if not len(owner):
            return
        order = np.argsort(owner, kind="stable")
        owner, item, decision = owner[order], item[order], decision[order]
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        nth = np.arange(len(owner)) - np.repeat(first, np.diff(np.append(first, len(owner))))
        place = (self.made[owner] + nth) % self.item.shape[1]
        self.item[owner, place] = item
        self.decision[owner, place] = decision
        self.step[owner, place] = step
        np.add.at(self.made, owner, 1)

    def oldest_first(self, owner: Ints) -> tuple[Ints, Ints, Ints]:
        """The remembered acts of some owners, (owners, depth) each: item, decision, step.

        Acts of one decision stand in the order they were picked; places never filled come first.
        """
        depth = self.item.shape[1]
        place = (self.made[owner][:, None] + np.arange(depth)) % depth
        at = (owner[:, None], place)
        return self.item[at], self.decision[at], self.step[at]


class Log:
    """All acts of each run in order, for readers to whom single acts of everyone are passed on."""

    def __init__(self, runs: int) -> None:
        """Nobody has acted."""
        self.rows = np.full((runs, 64, 4), NEVER, np.int64)
        self.length = np.zeros(runs, np.int64)
        self.known: deque[NDArray[np.int64]] = deque()

    def add(self, run: Ints, agent: Ints, item: Ints, decision: Ints, step: int) -> None:
        """Append acts, given run after run."""
        counts = np.bincount(run, minlength=len(self.length))
        while (self.length + counts).max(initial=0) > self.rows.shape[1]:
            self.rows = np.concatenate([self.rows, np.full_like(self.rows, NEVER)], axis=1)
        starts = np.cumsum(counts) - counts
        place = self.length[run] + np.arange(len(run)) - starts[run]
        self.rows[run, place] = np.column_stack([agent, item, decision, np.full(len(run), step)])
        self.length += counts


def _reach(spec: Microspec) -> int:
    """How many latest acts of an agent to keep so that `last` of them are always old enough to be seen."""
    picks = {"one": 1, "up to": spec.affordances.most, "any": spec.world.items}
    a_step = 1.0
    if isinstance(spec.turns, Asynchronous):
        # A Poisson count beyond this has a probability below 1e-20.
        rate = max(spec.turns.rates)
        a_step = rate + 10 * rate**0.5 + 10
    elif spec.turns.endogenous:
        a_step = spec.population.count
    late = ceil(spec.visibility.latency * a_step)
    return spec.communication.last + late * picks[spec.affordances.choose]


class Ledger:
    """The acts of a pool of runs, indexed in whatever way its specification looks at them."""

    def __init__(self, spec: Microspec, runs: int, agents: int) -> None:
        """Nobody has acted.

        Only the indices that the specification's regimes ask for are kept.
        """
        items = spec.world.items
        whole = spec.visibility.whose == "all"
        single = spec.communication.representation == "acts"
        self.agents = agents
        self.latency = spec.visibility.latency
        self.by_run = Marks.blank(runs, items) if whole else None
        by_agent = not whole or isinstance(spec.memory, Summary)
        self.by_agent = Marks.blank(runs * agents, items) if by_agent else None
        depth = max(spec.memory.depth, _reach(spec) if single and not whole else 0)
        self.ring = Ring.blank(runs * agents, depth) if depth else None
        self.log = Log(runs) if single and whole else None
        self._past: deque[Marks] = deque(maxlen=max(self.latency, 1))
        self._visible = self._counted()

    def _counted(self) -> Marks:
        marks = self.by_run if self.by_run is not None else self.by_agent
        assert marks is not None
        return marks

    def begin(self) -> None:
        """A step begins: what is `latency` steps old becomes visible."""
        if self.latency:
            if not self._past:
                blank = Marks.blank(*self._counted().count.shape)
                self._past.extend([blank] * self.latency)
            self._past.append(self._counted().copy())
            self._visible = self._past[0]
        if self.log is not None:
            self.log.known.append(self.log.length.copy())
            while len(self.log.known) > max(self.latency, 1):
                self.log.known.popleft()

    def add(self, acts: Acts) -> None:
        """Enter a batch's acts."""
        owner = acts.run.astype(np.int64) * self.agents + acts.agent
        if self.by_run is not None:
            self.by_run.add(acts.run, acts.item, acts.decision, acts.step)
        if self.by_agent is not None:
            self.by_agent.add(owner, acts.item, acts.decision, acts.step)
        if self.ring is not None:
            self.ring.add(owner, acts.item, acts.decision, acts.step)
        if self.log is not None:
            self.log.add(acts.run, acts.agent, acts.item, acts.decision, acts.step)

    @property
    def visible(self) -> Marks:
        """The marks old enough to be seen: by run, or by agent where only neighbours' count."""
        return self._visible

    def log_length(self) -> Ints:
        """How many of each run's logged acts are old enough to be seen."""
        assert self.log is not None
        if not self.latency:
            return self.log.length
        if len(self.log.known) < self.latency:
            return np.zeros_like(self.log.length)
        return self.log.known[0]
