"""What reaches each agent of a batch: communication, visibility and memory, in that order.

Given a block of rows (run, agent), this makes the options in the order shown, the signals on them and
whatever else is heard. Nothing else reaches an agent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.engine.hearing import Hearing
from cloudchamber.engine.ledger import Ledger
from cloudchamber.microspec.affordances import labels
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.neighbours import Neighbours, Tally, from_edges
from cloudchamber.microspec.turns import Batch
from cloudchamber.microspec.visibility import Hidden, shuffle
from cloudchamber.microspec.world import State
from cloudchamber.questions import Address, Heard, Ints, Reals

__all__ = ["Exposing", "Slate"]


@dataclass(frozen=True, slots=True)
class Slate:
    """What a block of rows is shown."""

    items: Ints
    signals: Mapping[str, Reals]
    heard: Heard
    labels: Ints | None


class Exposing:
    """Shows a pool of runs what their specification lets them see.

    Args:
        spec: the microspecification.
        seed: the experiment's seed.
        replicates: the replicate of each run.
        ledger: what everybody did.
        worded: whether options need labels, because someone reads them.
    """

    def __init__(
        self, spec: Microspec, seed: int, replicates: Ints, ledger: Ledger, worded: bool
    ) -> None:
        self.spec, self.ledger, self.worded = spec, ledger, worded
        self.seed, self.replicates = seed, replicates
        self.agents = spec.population.count
        self.network: Neighbours | None = None
        self.hearing = Hearing(spec, ledger, seed, replicates)
        self.initial = spec.world.initial()
        self.created = spec.world.created()
        self.counted = self._not_hidden(spec.world.fields)
        self.private = self._not_hidden(spec.world.private)

    def _not_hidden(self, names: tuple[str, ...]) -> tuple[str, ...]:
        seen = self.spec.visibility
        return tuple(name for name in names if not isinstance(seen.display(name), Hidden))

    def begin(self, step: int) -> None:
        """A step begins: networks that change with time are drawn anew."""
        talk = self.spec.communication
        if talk.everyone or (self.network is not None and not talk.each_step):
            return
        drawn = [self._drawn(int(replicate), step) for replicate in self.replicates]
        self.network = Neighbours.stack(drawn)
        self.hearing.network = self.network

    def _drawn(self, replicate: int, step: int) -> Neighbours:
        """One run's network, its nodes dealt out to the agents."""
        talk = self.spec.communication
        stream = f"topology/{step}" if talk.each_step else "topology"
        network = talk.network(self.agents, randomness.generator(self.seed, replicate, stream))
        if self.spec.population.placement == "in order" or talk.each_step:
            return network
        agent = shuffle(randomness.keys(self.seed, replicate, "placement"), self.agents)
        hears = np.repeat(np.arange(network.n), np.diff(network.offsets))
        return from_edges(network.n, agent[hears], agent[network.ids])

    def show(self, batch: Batch, address: Address, state: State) -> Slate:
        """What the rows of a block are shown now."""
        order = self.spec.visibility.order
        shared = self.spec.visibility.whose == "all"
        counts = None if shared else self._neighbours_counts(batch)
        if shared and not order.personal:
            first, row = _once(batch.run)
            ranked = self._ranked(self._popularity(batch.run[first]), address.take(first))[row]
        else:
            seen = self._seen(batch, counts) if order.reveals else self._blank(len(batch))
            ranked = self._ranked(seen, address)
        if self.spec.world.closes:
            ranked = self._open(batch, ranked, state)
        if self.spec.visibility.top is not None:
            ranked = ranked[:, : self.spec.visibility.top]
        signals = self._signals(batch, counts, ranked, address, state)
        named = None
        if self.worded:
            named = labels(self.spec.affordances.labels, address, ranked.shape[1])
        return Slate(ranked, signals, self.hearing.heard(batch, address, ranked, state), named)

    def _open(self, batch: Batch, ranked: Ints, state: State) -> Ints:
        """What is open to each row, in the order shown; -1 fills up."""
        may = self.spec.world.open(state, batch.run, batch.agent)
        may = np.take_along_axis(may, ranked, axis=1)
        order = np.argsort(~may, axis=1, kind="stable")
        kept = np.take_along_axis(ranked, order, axis=1)
        return np.where(np.take_along_axis(may, order, axis=1), kept, -1)

    def _signals(
        self,
        batch: Batch,
        counts: Tally | None,
        items: Ints,
        address: Address,
        state: State,
    ) -> dict[str, Reals]:
        """What is counted on each option, and what the world tells of it to each agent alone."""
        signals = {}
        for name in (*self.counted, *self.private):
            display = self.spec.visibility.display(name)
            values = self._blank(len(batch), items.shape[1])
            if name in self.private:
                told = state.given[name][batch.run, batch.agent]
                values = np.take_along_axis(told, items, axis=1)
            elif display.reveals:
                values = self._values(batch, counts, items)
            shown = display.show(values, items, address, name)
            signals[name] = np.where(items < 0, np.nan, shown) if self.spec.world.closes else shown
        return signals

    def _ranked(self, popularity: Reals, address: Address) -> Ints:
        return self.spec.visibility.order.rank(popularity, self.created, address)

    def _popularity(self, runs: Ints) -> Reals:
        return self.ledger.visible.count[runs] + self.initial

    def _blank(self, rows: int, width: int | None = None) -> Reals:
        return np.broadcast_to(0.0, (rows, len(self.initial) if width is None else width))

    def _seen(self, batch: Batch, counts: Tally | None) -> Reals:
        return self._popularity(batch.run) if counts is None else counts + self.initial

    def _values(self, batch: Batch, counts: Tally | None, items: Ints) -> Reals:
        if counts is not None:
            return np.asarray(np.take_along_axis(counts, items, axis=1) + self.initial[items])
        visible = self.ledger.visible.count
        if len(visible) == 1:
            return np.asarray((visible[0] + self.initial)[items])
        return np.asarray(visible[batch.run[:, None], items] + self.initial[items])

    def _neighbours_counts(self, batch: Batch) -> Tally:
        assert self.network is not None
        owner = batch.run.astype(np.int64) * self.agents + batch.agent
        return self.network.count(self.ledger.visible.count, owner)

    def origins(
        self, batch: Batch, items: Ints, step: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The latest decision that what is shown of each option rests on, and how many steps ago it was.

        -1 and 0 where it rests on none: nobody acted on it yet, or nothing of it is shown.
        """
        told = any(self.spec.visibility.display(name).about_item for name in self.counted)
        if not (told or self.spec.visibility.order.reveals):
            return np.full(items.shape, -1), np.zeros(items.shape, np.int64)
        decision, when = self._latest(batch, items)
        return decision, np.where(decision < 0, 0, step - when)

    def _latest(self, batch: Batch, items: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        marks = self.ledger.visible
        if self.spec.visibility.whose == "all":
            cell = batch.run.astype(np.int64)[:, None] * len(self.initial) + items
            return marks.decision.take(cell), marks.step.take(cell).astype(np.int64)
        assert self.network is not None
        owner = batch.run.astype(np.int64) * self.agents + batch.agent
        offsets, ids = self.network.of(owner)
        row = np.repeat(np.arange(len(batch)), np.diff(offsets))
        decision = np.full((len(batch), len(self.initial)), -1, np.int64)
        when = np.full(decision.shape, -1, np.int64)
        np.maximum.at(decision, row, self.ledger.visible.decision[ids])
        # Steps rise with decisions, so the latest step belongs to the latest decision.
        np.maximum.at(when, row, self.ledger.visible.step[ids])
        return np.take_along_axis(decision, items, 1), np.take_along_axis(when, items, 1)


def _once(run: Ints) -> tuple[Ints, Ints]:
    """A row of each run, of which any will do for what all its readers share, and which of these is whose."""
    if (run[1:] >= run[:-1]).all():
        new = np.diff(run, prepend=-1) > 0
        return np.flatnonzero(new), new.cumsum() - 1
    return np.unique(run, return_index=True, return_inverse=True)[1:]
