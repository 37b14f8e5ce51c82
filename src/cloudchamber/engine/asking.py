"""From what is shown to questions, and from answers to acts.

A list is asked as one question a row, and again after each pick where agents pick one by one. One item at
a time it is a yes-or-no question for each, and of those an agent would take, chance picks as many as it may.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.engine.exposing import Exposing, Slate
from cloudchamber.microspec.affordances import labels
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.population import People
from cloudchamber.microspec.turns import Batch
from cloudchamber.microspec.world import Acts
from cloudchamber.questions import (
    Address,
    Answers,
    Choose,
    Heard,
    Ints,
    Questions,
    Reals,
    Taken,
    Writing,
    taken_after,
)
from cloudchamber.trace.tables import Channel, Kind

__all__ = ["Asking", "Done"]


@dataclass(frozen=True, slots=True)
class Done:
    """What the answers of a block amount to: an entry for each act, in the order of the block's rows."""

    row: Ints
    """The row of the block."""
    item: Ints
    decision: Ints
    value: Reals | None = None
    """The amount of each, where acts are amounts."""
    acted: NDArray[np.bool_] | None = None
    """One item at a time: whether each judgement became an act."""

    @classmethod
    def joined(cls, rounds: list["Done"]) -> "Done":
        """What several rounds of questions to the rows of a block amount to."""
        if len(rounds) == 1:
            return rounds[0]
        row, item, decision = (
            np.concatenate([getattr(one, name) for one in rounds])
            for name in ("row", "item", "decision")
        )
        order = np.argsort(row, kind="stable")
        return cls(row[order], item[order], decision[order])

    def acts(self, block: Batch, step: int) -> Acts:
        """As the world takes them."""
        partner = None if block.partner is None else block.partner[self.row]
        return Acts(
            block.run[self.row],
            block.agent[self.row],
            self.item,
            self.decision,
            step,
            self.value,
            partner,
        )


class Asking:
    """Puts questions to the agents of a pool."""

    def __init__(self, spec: Microspec, people: People, exposing: Exposing) -> None:
        """Args: the microspecification, its agents, and what shows them things."""
        self.spec, self.people, self.exposing = spec, people, exposing
        self.content = spec.world.content()
        can = spec.affordances
        self.singly = can.presentation == "one at a time"
        shown = spec.world.items if spec.visibility.top is None else spec.visibility.top
        self.rounds = can.most if can.one_by_one else 1
        """How often a row may be asked of the same options."""
        self.decisions_each = shown if self.singly else self.rounds
        """Decisions that one row of a batch comes to, at most."""

    def questions(self, block: Batch, address: Address, slate: Slate, decision: Ints) -> Questions:
        """The questions of a block."""
        scale = self.spec.world.scale
        whole = Questions(
            Kind.choose if scale is None else Kind.amount,
            self.spec.affordances.rule,
            address,
            block.run,
            self.people.group[block.agent],
            decision,
            slate.items,
            slate.signals,
            slate.heard,
            self.content,
            slate.labels,
            scale=scale,
            gaps=self.spec.world.closes,
        )
        if self.singly:
            return self._alone(whole)
        if self.rounds == 1:
            return whole
        return replace(whole, taken=Taken.nothing(*slate.items.shape))

    def text(
        self, block: Batch, address: Address, slate: Slate, decision: Ints, writing: Writing
    ) -> Questions:
        """A text of each row, shown what it would be shown for a decision; of single items, none of them."""
        items, signals, named = slate.items, slate.signals, slate.labels
        if self.singly:
            items, signals = np.full((len(block), 1), -1), {}
            named = None if named is None else np.zeros_like(items)
        return Questions(
            Kind.write,
            Choose(),
            address,
            block.run,
            self.people.group[block.agent],
            decision,
            items,
            signals,
            slate.heard,
            self.content,
            named,
            gaps=self.singly or self.spec.world.closes,
            writing=writing,
        )

    def again(self, before: Questions, answers: Answers, done: Done) -> Questions:
        """The next round: whoever picked is asked again, shown what it picked beside all it was shown."""
        rows = done.row
        asked, taken = before.take(rows), taken_after(before, answers).take(rows)
        picked = Heard(
            np.arange(len(rows) + 1),
            np.full(len(rows), Channel.picked, np.int8),
            done.item,
            asked.agent,
            asked.decision,
            np.zeros(len(rows), np.int64),
            np.full(len(rows), np.nan),
        )
        heard = Heard.joined([asked.heard, picked], len(rows))
        return replace(asked, heard=heard, taken=taken, decision=asked.decision + 1)

    def _alone(self, whole: Questions) -> Questions:
        """Each option as a judgement of its own, in the order it would have been listed."""
        rows, place = np.nonzero(whole.items >= 0)
        each = whole.take(rows)
        at = (rows, place)
        return Questions(
            Kind.judge,
            Choose("any"),
            each.address,
            each.run,
            each.group,
            each.decision + place,
            whole.items[at][:, None],
            {name: shown[at][:, None] for name, shown in whole.signals.items()},
            each.heard,
            self.content,
            None if whole.labels is None else whole.labels[at][:, None],
        )

    def acts(self, questions: Questions, answers: Answers, address: Address, slate: Slate) -> Done:
        """The acts that answers amount to."""
        if self.singly:
            return self._allotted(questions, answers, address, slate)
        amount, given = questions.kind is Kind.amount, answers.amounts
        if amount and given is not None and answers.every:
            row = np.repeat(np.arange(len(questions)), given.shape[1])
            return Done(
                row, questions.items.reshape(-1), questions.decision[row], given.reshape(-1)
            )
        row, rank = np.nonzero(answers.picks >= 0)
        place = answers.picks[row, rank]
        value = None
        if amount:
            value = np.zeros(0) if given is None else given[row, place]
        return Done(row, questions.items[row, place], questions.decision[row], value)

    def _allotted(
        self, questions: Questions, answers: Answers, address: Address, slate: Slate
    ) -> Done:
        there = slate.items >= 0
        items, would = slate.items.copy(), np.zeros(there.shape, bool)
        items[there], would[there] = questions.items[:, 0], answers.picks[:, 0] >= 0
        rule = self.spec.affordances.rule
        if rule.how != "any":
            lot = randomness.bits(address.keys("allot"), items) >> np.uint64(1)
            lot = np.where(would, lot, np.iinfo(np.uint64).max)
            rank = np.argsort(np.argsort(lot, axis=1), axis=1)
            would = would & (rank < rule.most)
        row, column = np.nonzero(would)
        decision = np.zeros(there.shape, np.int64)
        decision[there] = questions.decision
        return Done(row, items[row, column], decision[row, column], acted=would[there])

    def nominations(self, batch: Batch, address: Address, decision: Ints) -> Questions:
        """Who is next? The options are those whom the agent can hear; -1 fills short rows."""
        who = self._others(batch)
        rows = len(batch)
        named = None
        if self.exposing.worded:
            named = labels("codes", address, who.shape[1])
        return Questions(
            Kind.next,
            Choose("one"),
            address,
            batch.run,
            self.people.group[batch.agent],
            decision,
            who,
            {},
            Heard.nothing(rows),
            {},
            named,
        )

    def _others(self, batch: Batch) -> Ints:
        agents = len(self.people.group)
        network = self.exposing.network
        if network is None:
            others = np.broadcast_to(np.arange(agents - 1), (len(batch), agents - 1))
            return np.asarray(others + (others >= batch.agent[:, None]))
        owner = batch.run.astype(np.int64) * agents + batch.agent
        offsets, ids = network.of(owner)
        degree = np.diff(offsets)
        who = np.full((len(batch), max(int(degree.max(initial=0)), 1)), -1, np.int64)
        row = np.repeat(np.arange(len(batch)), degree)
        who[row, np.arange(len(ids)) - offsets[row]] = ids % agents
        # One who hears nobody keeps the turn.
        who[degree == 0, 0] = batch.agent[degree == 0]
        return who

    def by_chance(self, questions: Questions) -> Ints:
        """A place among the options of each row, uniformly."""
        drawn = randomness.uniforms(questions.address.keys("next"), 1)[:, 0]
        return np.asarray(drawn * (questions.items >= 0).sum(axis=1), np.int64)
