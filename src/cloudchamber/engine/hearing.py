"""What an agent is shown beside its options: others' single acts, its own past, its score."""

import numpy as np
from numpy.typing import NDArray

from cloudchamber.engine.ledger import NEVER, Ledger
from cloudchamber.microspec.memory import NoMemory, Retrieval, Summary
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.neighbours import Neighbours
from cloudchamber.microspec.turns import Batch
from cloudchamber.microspec.world import State
from cloudchamber.questions import Address, Heard, Ints, Reals
from cloudchamber.trace.tables import Channel

__all__ = ["Hearing"]

_UNSEEN = -np.inf


class Hearing:
    """Collects, for a block of rows, what is heard and remembered."""

    network: Neighbours | None = None

    def __init__(self, spec: Microspec, ledger: Ledger, seed: int, replicates: Ints) -> None:
        """Args: the microspecification, what everybody did, and where its draws are."""
        self.spec, self.ledger = spec, ledger
        self.seed, self.replicates = seed, replicates
        self.agents = spec.population.count
        self.similarity = spec.world.similarity() if isinstance(spec.memory, Retrieval) else None

    def heard(self, batch: Batch, address: Address, items: Ints, state: State) -> Heard:
        """Others' acts, then own past, then score."""
        parts = []
        if self.spec.communication.representation == "acts":
            parts.append(self._others(batch, address.step))
        if not isinstance(self.spec.memory, NoMemory):
            parts.append(self._own(batch, address.step, items))
        if self.spec.affordances.scoring == "shown":
            parts.append(self._score(batch, state))
        return Heard.joined(parts, len(batch))

    def _others(self, batch: Batch, step: int) -> Heard:
        whole = self.ledger.log is not None
        found = self._of_everyone(batch) if whole else self._of_neighbours(batch, step)
        source, item, decision, when = found
        latest = np.where(decision == NEVER, _UNSEEN, decision.astype(np.float64))
        keep = _highest(latest, self.spec.communication.last)
        row = np.broadcast_to(np.arange(len(batch))[:, None], keep.shape)
        chosen = np.take_along_axis(latest, keep, 1) > _UNSEEN
        at = (row[chosen], keep[chosen])
        return _flat(
            len(batch), Channel.others, at[0], item[at], source[at], decision[at], step - when[at]
        )

    def _of_everyone(self, batch: Batch) -> tuple[Ints, Ints, Ints, Ints]:
        """The tail of each run's log, long enough that the reader's own acts can be left out."""
        log, length = self.ledger.log, self.ledger.log_length()
        assert log is not None
        last = self.spec.communication.last
        width = min(last * 2, int(length.max(initial=0)))
        while True:
            # Oldest first, so that of acts of one decision the later picks count as the newer.
            place = length[batch.run][:, None] - np.arange(width, 0, -1)
            rows = log.rows[batch.run[:, None], np.maximum(place, 0)]
            own = rows[..., 0] == batch.agent[:, None]
            good = (place >= 0) & ~own
            enough = (good.sum(axis=1) >= last) | (length[batch.run] <= width)
            if enough.all():
                break
            width = min(width * 4, int(length.max()))
        decision = np.where(good, rows[..., 2], NEVER)
        return rows[..., 0], rows[..., 1], decision, rows[..., 3]

    def _of_neighbours(self, batch: Batch, step: int) -> tuple[Ints, Ints, Ints, Ints]:
        """The latest acts of each neighbour, side by side."""
        ring = self.ledger.ring
        assert self.network is not None and ring is not None
        owner = batch.run.astype(np.int64) * self.agents + batch.agent
        offsets, ids = self.network.of(owner)
        degree, depth = np.diff(offsets), ring.item.shape[1]
        shape = (len(batch), max(int(degree.max(initial=0)), 1), depth)
        row = np.repeat(np.arange(len(batch)), degree)
        column = np.arange(len(ids)) - np.repeat(offsets[:-1], degree)
        source = np.full(shape, NEVER, np.int64)
        item, decision, when = source.copy(), source.copy(), source.copy()
        source[row, column] = (ids % self.agents)[:, None]
        past_item, past_decision, past_step = ring.oldest_first(ids)
        item[row, column], when[row, column] = past_item, past_step
        late = past_step > step - self.ledger.latency
        decision[row, column] = np.where(late, NEVER, past_decision)
        flat = (len(batch), -1)
        return source.reshape(flat), item.reshape(flat), decision.reshape(flat), when.reshape(flat)

    def _own(self, batch: Batch, step: int, items: Ints) -> Heard:
        owner = batch.run.astype(np.int64) * self.agents + batch.agent
        if isinstance(self.spec.memory, Summary):
            return self._tallies(batch, owner, step)
        ring = self.ledger.ring
        assert ring is not None
        # The ring may be deeper than memory goes, where it also serves what is heard of others.
        item, decision, when = (
            part[:, -self.spec.memory.depth :] for part in ring.oldest_first(owner)
        )
        worth = decision.astype(np.float64)
        width = self.spec.memory.depth
        if isinstance(self.spec.memory, Retrieval):
            worth, width = self._worth(item, step - when, items), self.spec.memory.k
        worth = np.where(decision == NEVER, _UNSEEN, worth)
        keep = _highest(worth, width)
        chosen = np.take_along_axis(worth, keep, 1) > _UNSEEN
        row = np.broadcast_to(np.arange(len(batch))[:, None], keep.shape)[chosen]
        at = (row, keep[chosen])
        return _flat(
            len(batch), Channel.own, row, item[at], batch.agent[row], decision[at], step - when[at]
        )

    def _tallies(self, batch: Batch, owner: Ints, step: int) -> Heard:
        marks = self.ledger.by_agent
        assert marks is not None
        row, item = np.nonzero(marks.count[owner])
        own = owner[row]
        return _flat(
            len(batch),
            Channel.own,
            row,
            item,
            batch.agent[row],
            marks.decision[own, item],
            step - marks.step[own, item],
            marks.count[own, item].astype(np.float64),
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
        return _flat(len(batch), Channel.score, row, none, none, none, np.zeros_like(row), score)


def _highest(worth: Reals, width: int) -> Ints:
    """Columns of the `width` greatest entries of each row, the least of them first."""
    order = np.argsort(worth, axis=1, kind="stable")
    return order[:, max(order.shape[1] - width, 0) :]


def _flat(
    rows: int,
    channel: Channel,
    row: Ints,
    item: Ints,
    source: Ints,
    decision: Ints,
    latency: Ints,
    value: NDArray[np.float64] | None = None,
) -> Heard:
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))])
    return Heard(
        offsets,
        np.full(len(row), channel, np.int8),
        item.astype(np.int64),
        source.astype(np.int64),
        decision.astype(np.int64),
        latency.astype(np.int64),
        np.full(len(row), np.nan) if value is None else value,
    )
