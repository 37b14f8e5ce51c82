"""What everybody did, indexed as it happens, so that asking who can see what never rereads the past.

The cost of an act and of a question does not grow with the number of acts before it.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cloudchamber.microspec.memory import Summary
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.turns import Asynchronous
from cloudchamber.microspec.visibility import Hidden
from cloudchamber.microspec.world import Acts, Past, State
from cloudchamber.questions import Ints, Reals

__all__ = ["Ledger", "Log", "Marks", "Ring", "Standing"]

NEVER = -1


@dataclass(frozen=True, slots=True)
class Marks:
    """What counts of each owner (a run, or an agent) on each item, and when it last acted there."""

    count: NDArray[np.int64] | Reals
    decision: NDArray[np.int64]
    """The latest decision among them; -1 if none."""
    step: NDArray[np.int32]
    """The step of that decision."""

    @classmethod
    def blank(cls, owners: int, items: int, amounts: bool = False) -> "Marks":
        """Nobody has acted."""
        return cls(
            np.zeros((owners, items)) if amounts else np.zeros((owners, items), np.int64),
            np.full((owners, items), NEVER, np.int64),
            np.full((owners, items), NEVER, np.int32),
        )

    def add(
        self, owner: Ints, item: Ints, decision: Ints, step: int, amount: Reals | None = None
    ) -> None:
        """Mark acts, each of which counts 1 or its amount; decision numbers rise with time."""
        owners, items = self.count.shape
        cell = owner.astype(np.int64) * items + item
        if amount is not None:
            np.add.at(self.count.reshape(-1), cell, amount)
        elif len(cell) > owners * items // 4:
            added = np.bincount(cell, minlength=owners * items).reshape(owners, items)
            np.add(self.count, added, out=self.count)
        else:
            np.add.at(self.count.reshape(-1), cell, 1)
        self.mark(cell, decision, step)

    def mark(self, cell: Ints, decision: Ints, step: int) -> None:
        """Mark that something was done, which does not count."""
        np.maximum.at(self.decision.reshape(-1), cell, decision)
        self.step.reshape(-1)[cell] = step

    def copy(self) -> "Marks":
        """As they stand now."""
        return Marks(self.count.copy(), self.decision.copy(), self.step.copy())


class Ring:
    """The latest acts of each agent, at most `depth`, newest overwriting oldest.

    A column (depth, owners) holds one thing of each act: item (-1 where nothing is remembered), decision,
    step, and whatever else is asked for: its amount, what it led to, what the other did in the same meeting.
    """

    def __init__(
        self, owners: int, depth: int, more: Mapping[str, DTypeLike] | None = None
    ) -> None:
        """Nobody has acted."""
        kinds: dict[str, DTypeLike] = {"item": np.int32, "decision": np.int64, "step": np.int32}
        self.columns = {
            name: np.full((depth, owners), NEVER if np.dtype(kind).kind == "i" else np.nan, kind)
            for name, kind in (kinds | dict(more or {})).items()
        }
        self.depth = depth
        self.made = np.zeros(owners, np.int64)
        """How many acts each has made in all."""

    def add(self, owner: Ints, step: int | Ints, **columns: NDArray[Any]) -> None:
        """Remember acts; an owner's acts of one batch stand together, in order."""
        if not len(owner):
            return
        columns["step"] = np.broadcast_to(step, owner.shape)
        each = self._each(owner)
        if each:
            for at in range(each):
                place = (self.made[0] + at) % self.depth
                for name, given in columns.items():
                    self.columns[name][place] = given[at::each]
            self.made += each
            return
        if (owner[1:] < owner[:-1]).any():
            order = np.argsort(owner, kind="stable")
            owner = owner[order]
            columns = {name: given[order] for name, given in columns.items()}
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        nth = np.arange(len(owner)) - np.repeat(first, np.diff(np.append(first, len(owner))))
        places = (self.made[owner] + nth) % self.depth
        for name, given in columns.items():
            self.columns[name][places, owner] = given
        np.add.at(self.made, owner, 1)

    def settle(self, owner: Ints, results: Mapping[str, NDArray[Any]]) -> None:
        """What the latest acts of these owners led to, after all; as they were added, an entry for each."""
        back: Ints | int = 1
        if not (owner[1:] > owner[:-1]).all():  # some acted more than once
            order = np.argsort(owner, kind="stable")
            owner = owner[order]
            back = np.searchsorted(owner, owner, side="right") - np.arange(len(owner))
            kept = back <= self.depth
            owner, back, order = owner[kept], back[kept], order[kept]
            results = {name: values[order] for name, values in results.items()}
        place = (self.made[owner] - back) % self.depth
        for name, values in results.items():
            self.columns[name][place, owner] = values

    def _each(self, owner: Ints) -> int:
        """How many acts of each owner these are, where all have made as many so far and now; else 0."""
        owners = len(self.made)
        each = len(owner) // owners
        if each * owners != len(owner) or (self.made != self.made[0]).any():
            return 0
        return each if (np.arange(owners) == owner.reshape(owners, each).T).all() else 0

    def oldest_first(self, owner: Ints, width: int | None = None) -> dict[str, NDArray[Any]]:
        """The remembered acts of some owners, (width, owners) for each column, of all if not given.

        Acts of one decision stand in the order they were picked; places never filled come first.
        """
        kept = np.arange(self.depth - (self.depth if width is None else width), self.depth)
        made = self.made[owner]
        if len(owner) and (made == made[0]).all() and (np.diff(owner) == 1).all():
            place, some = (made[0] + kept) % self.depth, slice(int(owner[0]), int(owner[-1]) + 1)
            return {name: column[place, some] for name, column in self.columns.items()}
        at = ((made + kept[:, None]) % self.depth, owner)
        return {name: column[at] for name, column in self.columns.items()}


class Log:
    """All acts of each run in order, for readers to whom single acts of everyone are passed on."""

    def __init__(self, runs: int, amounts: bool = False) -> None:
        """Nobody has acted."""
        self.rows = np.full((runs, 64, 4), NEVER, np.int64)
        self.amount = np.zeros((runs, 64)) if amounts else None
        self.length = np.zeros(runs, np.int64)
        self.known: deque[NDArray[np.int64]] = deque()

    def add(self, acts: Acts) -> None:
        """Append acts."""
        # Meetings may give acts in any order of runs.
        order = np.argsort(acts.run, kind="stable")
        run = acts.run[order]
        counts = np.bincount(run, minlength=len(self.length))
        while (self.length + counts).max(initial=0) > self.rows.shape[1]:
            self.rows = np.concatenate([self.rows, np.full_like(self.rows, NEVER)], axis=1)
            if self.amount is not None:
                self.amount = np.concatenate([self.amount, np.zeros_like(self.amount)], axis=1)
        starts = np.cumsum(counts) - counts
        place = self.length[run] + np.arange(len(run)) - starts[run]
        told = (acts.agent, acts.item, acts.decision, np.full(len(run), acts.step))
        self.rows[run, place] = np.column_stack(told)[order]
        if self.amount is not None:
            self.amount[run, place] = acts.amount[order]
        self.length += counts


def _reach(spec: Microspec) -> int:
    """How many latest acts of an agent to keep so that `last` of them are always old enough to be seen."""
    every = spec.world.items
    picks = {"one": 1, "up to": spec.affordances.most, "any": every, "amount": every}
    a_step = 1.0
    if isinstance(spec.turns, Asynchronous):
        # A Poisson count beyond this has a probability below 1e-20.
        rate = max(spec.turns.rates)
        a_step = rate + 10 * rate**0.5 + 10
    elif spec.turns.endogenous or spec.turns.meets:
        a_step = spec.population.count
    late = ceil(spec.visibility.latency * a_step)
    return spec.communication.last + late * picks[spec.affordances.choose]


class Standing:
    """What each agent stands by now: the items of its latest decision, each for 1 or for its amount."""

    def __init__(self, runs: int, agents: int, items: int, held: Ints | None) -> None:
        """As they stood before anyone acted."""
        self.agents = agents
        self.by_agent = Marks.blank(runs * agents, items, amounts=True)
        self.by_run = Marks.blank(runs, items, amounts=True)
        if held is not None:
            owner = np.flatnonzero(held.reshape(-1) >= 0)
            self.by_agent.count[owner, held.reshape(-1)[owner]] = 1
            self.by_run.count[:] = self.by_agent.count.reshape(runs, agents, items).sum(axis=1)

    def add(self, acts: Acts) -> None:
        """Whoever acted stands by that alone."""
        owner = acts.run.astype(np.int64) * self.agents + acts.agent
        # Mostly an agent's acts stand together, agent after agent: then nothing is to be sorted.
        rising = bool((owner[1:] >= owner[:-1]).all())
        moved = owner[np.diff(owner, prepend=-1) != 0] if rising else np.unique(owner)
        before = self.by_agent.count[moved]
        self.by_agent.count[moved] = 0
        self.by_agent.count[owner, acts.item] = acts.amount
        np.add.at(self.by_run.count, moved // self.agents, self.by_agent.count[moved] - before)
        items = self.by_run.count.shape[1]
        self.by_agent.mark(owner * items + acts.item, acts.decision, acts.step)
        self.by_run.mark(acts.run.astype(np.int64) * items + acts.item, acts.decision, acts.step)


class Ledger:
    """The acts of a pool of runs, indexed in whatever way its specification looks at them."""

    def __init__(self, spec: Microspec, runs: int, agents: int, state: State | None = None) -> None:
        """Nobody has acted.

        Only the indices that the specification's regimes ask for are kept.

        Args:
            spec: what is grown.
            runs: how many runs.
            agents: how many agents in each.
            state: the world's at the start, which says what agents stand by and remember already.
        """
        world, items = spec.world, spec.world.items
        whole = spec.visibility.whose == "all"
        single = spec.communication.representation == "acts"
        amounts, summary = world.scale is not None, isinstance(spec.memory, Summary)
        self.agents = agents
        self.latency = spec.visibility.latency
        self.amounts = amounts
        seen = spec.visibility
        self.counts = seen.order.reveals or any(seen.display(n).reveals for n in world.fields)
        """Whether anyone sees what is counted; if not, it is not."""
        held = None if state is None else state.held
        latest = world.counting == "latest"
        self.standing = Standing(runs, agents, items, held) if latest else None
        self.by_run = Marks.blank(runs, items, amounts) if whole and not latest else None
        by_agent = (not whole and not latest) or summary
        self.by_agent = Marks.blank(runs * agents, items, amounts) if by_agent else None
        pairs = world.meets == "both"
        self.met = Marks.blank(runs * agents, items) if summary and pairs else None
        depth = max(spec.memory.depth, _reach(spec) if single and not whole else 0)
        self.ring = Ring(runs * agents, depth, self._kinds(spec)) if depth else None
        if self.ring is not None and state is not None and state.past is not None:
            self._remember(self.ring, state.past)
        self.log = Log(runs, amounts) if single and whole else None
        self._now = self._visible = self._counted(whole)
        # What was so before the first step has been so for long.
        self._past = deque([self._now.copy()] * self.latency, maxlen=max(self.latency, 1))

    def _kinds(self, spec: Microspec) -> dict[str, DTypeLike]:
        """What a ring keeps beside item, decision and step."""
        told = [
            name
            for name in spec.world.results
            if not isinstance(spec.visibility.display(name), Hidden)
        ]
        kinds: dict[str, DTypeLike] = {f"result {name}": np.float64 for name in told}
        if self.amounts:
            kinds["amount"] = np.float64
        if spec.world.meets == "both":
            kinds |= {"met": np.int32, "met source": np.int32, "met decision": np.int64}
        return kinds

    def _remember(self, ring: Ring, past: Past) -> None:
        """What agents remember from before the first step; it comes from the world, not from a decision."""
        acts = past.item.shape[2]
        for at in range(acts):
            owner = np.flatnonzero(past.item[:, :, at].reshape(-1) >= 0)
            told: dict[str, NDArray[Any]] = {"item": past.item}
            if past.met is not None:
                told["met"] = past.met
            told |= {f"result {name}": values for name, values in past.results.items()}
            ring.add(
                owner,
                at - acts,
                **{
                    name: part[:, :, at].reshape(-1)[owner]
                    for name, part in told.items()
                    if name in ring.columns
                },
            )

    def _counted(self, whole: bool) -> Marks:
        if self.standing is not None:
            return self.standing.by_run if whole else self.standing.by_agent
        marks = self.by_run if whole else self.by_agent
        assert marks is not None
        return marks

    def begin(self) -> None:
        """A step begins: what is `latency` steps old becomes visible."""
        if self.latency:
            self._past.append(self._now.copy())
            self._visible = self._past[0]
        if self.log is not None:
            self.log.known.append(self.log.length.copy())
            while len(self.log.known) > max(self.latency, 1):
                self.log.known.popleft()

    def add(self, acts: Acts, results: Mapping[str, Reals] | None = None) -> None:
        """Enter a batch's acts, and what each led to."""
        owner = acts.run.astype(np.int64) * self.agents + acts.agent
        amount = acts.amount if self.amounts else None
        told = (acts.item, acts.decision, acts.step, amount)
        if self.standing is not None and self.counts:
            self.standing.add(acts)
        if self.by_run is not None and self.counts:
            self.by_run.add(acts.run, *told)
        if self.by_agent is not None:
            self.by_agent.add(owner, *told)
        if self.met is not None and acts.met is not None:
            there = np.flatnonzero(acts.met >= 0)
            self.met.add(owner[there], acts.met[there], acts.decision[there], acts.step)
        if self.ring is not None:
            self._keep(self.ring, owner, acts, results)
        if self.log is not None:
            self.log.add(acts)

    def _keep(
        self, ring: Ring, owner: Ints, acts: Acts, results: Mapping[str, Reals] | None
    ) -> None:
        told: dict[str, NDArray[Any]] = {"item": acts.item, "decision": acts.decision}
        if results is None:  # nothing yet, and not what an act led to that is overwritten
            unknown = np.full(len(acts), np.nan)
            told |= {name: unknown for name in ring.columns if name.startswith("result ")}
        else:
            told |= {f"result {name}": values for name, values in results.items()}
        if self.amounts:
            told["amount"] = acts.amount
        if acts.met is not None and acts.partner is not None and acts.others is not None:
            told |= {"met": acts.met, "met source": acts.partner, "met decision": acts.others}
        ring.add(owner, acts.step, **{n: part for n, part in told.items() if n in ring.columns})

    def settle(self, acts: Acts, results: Mapping[str, Reals]) -> None:
        """What the acts of a step that is over led to, in place of what was entered with them."""
        if self.ring is None:
            return
        told = {f"result {name}": values for name, values in results.items()}
        kept = {name: values for name, values in told.items() if name in self.ring.columns}
        self.ring.settle(acts.run.astype(np.int64) * self.agents + acts.agent, kept)

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
