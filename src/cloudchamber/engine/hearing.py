"""What an agent is shown beside its options: others' single acts and messages, its own past, its score."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.engine.ledger import NEVER, Ledger, Marks
from cloudchamber.engine.written import Written
from cloudchamber.microspec.memory import Retrieval, Summary
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.neighbours import Neighbours
from cloudchamber.microspec.turns import Batch
from cloudchamber.microspec.visibility import Hidden
from cloudchamber.microspec.world import State
from cloudchamber.questions import Address, Heard, Ints, Own, Reals
from cloudchamber.trace.tables import Channel

__all__ = ["Hearing"]

_UNSEEN = -np.inf
_Found = tuple[Ints, Ints, Ints, Ints, Reals | None]
"""Others' acts side by side: source, item, decision, step, and amount where acts are amounts."""


class Hearing:
    """Collects, for a block of rows, what is heard and remembered."""

    network: Neighbours | None = None
    written: Written | None = None
    """What agents wrote, where any may."""

    def __init__(self, spec: Microspec, ledger: Ledger, seed: int, replicates: Ints) -> None:
        """Args: the microspecification, what everybody did, and where its draws are."""
        self.spec, self.ledger = spec, ledger
        self.seed, self.replicates = seed, replicates
        self.agents = spec.population.count
        self.similarity = spec.world.similarity() if isinstance(spec.memory, Retrieval) else None
        hidden = [name for name in spec.world.visible if _is_hidden(spec, name)]
        self.results = tuple(name for name in spec.world.results if name not in hidden)
        self.meets = spec.world.meets == "both" and "partner" not in hidden
        self.remembers = bool(spec.memory.depth) or isinstance(spec.memory, Summary)

    def heard(self, batch: Batch, address: Address, items: Ints, state: State) -> Heard:
        """Others' acts and messages, then own past and notes, then score."""
        parts = []
        if self.spec.communication.representation == "acts":
            parts.append(self._others(batch, address.step))
        if self.written is not None:
            parts.append(self.written.messages(batch, address.step, self.network))
        if self.remembers:
            parts.append(self._own(batch, address.step, items))
        if self.written is not None:
            parts.append(self.written.notes(batch, address.step))
        if self.spec.affordances.scoring == "shown":
            parts.append(self._score(batch, state))
        return parts[0] if len(parts) == 1 else Heard.joined(parts, len(batch))

    def _others(self, batch: Batch, step: int) -> Heard:
        whole = self.ledger.log is not None
        found = self._of_everyone(batch) if whole else self._of_neighbours(batch, step)
        source, item, decision, when, amount = found
        latest = np.where(decision == NEVER, _UNSEEN, decision.astype(np.float64))
        at = _chosen(latest, self.spec.communication.last)
        return Heard.of(
            len(batch),
            Channel.others,
            at[0],
            item[at],
            source[at],
            decision[at],
            step - when[at],
            None if amount is None else amount[at],
        )

    def _of_everyone(self, batch: Batch) -> _Found:
        """The tail of each run's log, long enough that the reader's own acts can be left out."""
        log, length = self.ledger.log, self.ledger.log_length()
        assert log is not None
        last = self.spec.communication.last
        width = min(last * 2, int(length.max(initial=0)))
        while True:
            # Oldest first, so that of acts of one decision the later picks count as the newer.
            place = length[batch.run][:, None] - np.arange(width, 0, -1)
            at = (batch.run[:, None], np.maximum(place, 0))
            rows = log.rows[at]
            own = rows[..., 0] == batch.agent[:, None]
            good = (place >= 0) & ~own
            enough = (good.sum(axis=1) >= last) | (length[batch.run] <= width)
            if enough.all():
                break
            width = min(width * 4, int(length.max()))
        decision = np.where(good, rows[..., 2], NEVER)
        amount = None if log.amount is None else log.amount[at]
        return rows[..., 0], rows[..., 1], decision, rows[..., 3], amount

    def _of_neighbours(self, batch: Batch, step: int) -> _Found:
        """The latest acts of each neighbour, side by side."""
        ring = self.ledger.ring
        assert self.network is not None and ring is not None
        owner = batch.run.astype(np.int64) * self.agents + batch.agent
        offsets, ids = self.network.of(owner)
        degree, depth = np.diff(offsets), ring.depth
        shape = (len(batch), max(int(degree.max(initial=0)), 1), depth)
        row = np.repeat(np.arange(len(batch)), degree)
        column = np.arange(len(ids)) - np.repeat(offsets[:-1], degree)
        source = np.full(shape, NEVER, np.int64)
        item, decision, when = source.copy(), source.copy(), source.copy()
        source[row, column] = (ids % self.agents)[:, None]
        past = ring.oldest_first(ids)
        item[row, column], when[row, column] = past["item"].T, past["step"].T
        late = past["step"] > step - self.ledger.latency
        decision[row, column] = np.where(late, NEVER, past["decision"]).T
        amount = None
        if self.ledger.amounts:
            given = np.zeros(shape)
            given[row, column] = past["amount"].T
            amount = given.reshape(len(batch), -1)
        flat = (len(batch), -1)
        whole = (source.reshape(flat), item.reshape(flat), decision.reshape(flat))
        return *whole, when.reshape(flat), amount

    def _own(self, batch: Batch, step: int, items: Ints) -> Heard:
        owner = batch.run.astype(np.int64) * self.agents + batch.agent
        if isinstance(self.spec.memory, Summary):
            return self._tallies(batch, owner, step)
        ring = self.ledger.ring
        assert ring is not None
        # The ring may be deeper than memory goes, where it also serves what is heard of others.
        past = ring.oldest_first(owner, self.spec.memory.depth)
        if isinstance(self.spec.memory, Retrieval):
            past = self._retrieved(self.spec.memory.k, past, step, items)
        return Heard.recalled(self._side_by_side(batch.agent, step, past))

    def _retrieved(
        self, k: int, past: dict[str, NDArray[Any]], step: int, items: Ints
    ) -> dict[str, NDArray[Any]]:
        """The k acts most worth recalling, the least of them first."""
        there = past["item"].T != NEVER
        worth = np.where(there, self._worth(past["item"].T, step - past["step"].T, items), _UNSEEN)
        order = np.argsort(worth, axis=1, kind="stable")
        keep = order[:, max(order.shape[1] - k, 0) :].T
        return {name: np.take_along_axis(part, keep, axis=0) for name, part in past.items()}

    def _side_by_side(self, agent: Ints, step: int, past: dict[str, NDArray[Any]]) -> Own:
        """Own acts with what is shown of what they led to, and of what the other did in the same meeting."""
        results = {name: past[f"result {name}"] for name in self.results}
        told = (past["item"], past["decision"], step - past["step"], past.get("amount"))
        if not self.meets:
            return Own(agent, *told, results=results)
        met = (past["met"], past["met source"], past["met decision"])
        return Own(agent, *told, *met, results=results)

    def _tallies(self, batch: Batch, owner: Ints, step: int) -> Heard:
        assert self.ledger.by_agent is not None
        own = self._tally(batch, owner, step, self.ledger.by_agent, Channel.own)
        if self.ledger.met is None or not self.meets:
            return replace(own, tallied=True)
        met = self._tally(batch, owner, step, self.ledger.met, Channel.met)
        return replace(Heard.joined([own, met], len(batch)), tallied=True)

    def _tally(self, batch: Batch, owner: Ints, step: int, marks: Marks, channel: Channel) -> Heard:
        """How often each item; what others did has many authors, so it names none."""
        row, item = np.nonzero(marks.decision[owner] != NEVER)
        whose = owner[row]
        own = channel is Channel.own
        return Heard.of(
            len(batch),
            channel,
            row,
            item,
            batch.agent[row] if own else np.full(len(row), -1),
            marks.decision[whose, item] if own else np.full(len(row), -1),
            step - marks.step[whose, item],
            marks.count[whose, item].astype(np.float64),
        )

    def _worth(self, item: Ints, age: Ints, items: Ints) -> Reals:
        """What each remembered act is worth recalling."""
        memory = self.spec.memory
        assert isinstance(memory, Retrieval)
        worth = memory.recency_weight * memory.decay ** np.maximum(age, 0)
        if self.similarity is None or memory.relevance_weight == 0:
            return np.round(worth, 9)
        relevance = np.stack(
            [
                self.similarity[np.maximum(own, 0)][:, shown].max(axis=1)
                for own, shown in zip(item, items, strict=True)
            ]
        )
        # Rounded, so that what is equally worthy in theory ties on every machine.
        return np.round(worth + memory.relevance_weight * relevance, 9)

    def _score(self, batch: Batch, state: State) -> Heard:
        row = np.arange(len(batch))
        none = np.full(len(batch), -1)
        score = state.score[batch.run, batch.agent]
        return Heard.of(len(batch), Channel.score, row, none, none, none, np.zeros_like(row), score)


def _chosen(worth: Reals, width: int) -> tuple[Ints, Ints]:
    """Row and column of the `width` greatest entries of each row, the least of them first, of those seen."""
    order = np.argsort(worth, axis=1, kind="stable")
    keep = order[:, max(order.shape[1] - width, 0) :]
    row, place = np.nonzero(np.take_along_axis(worth, keep, 1) > _UNSEEN)
    return row, keep[row, place]


def _is_hidden(spec: Microspec, name: str) -> bool:
    return isinstance(spec.visibility.display(name), Hidden)
