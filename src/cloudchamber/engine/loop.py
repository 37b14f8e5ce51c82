"""The loop: a generator that yields questions and is sent answers.

All of a batch is shown the state before the batch. A large batch is asked in blocks, which changes
nothing but the size of what is in memory at a time.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cloudchamber.engine.altering import Alter, altered
from cloudchamber.engine.asking import Asking, Done
from cloudchamber.engine.exposing import Exposing, Slate
from cloudchamber.engine.ledger import Ledger
from cloudchamber.engine.recording import Account, Recording
from cloudchamber.engine.written import Written, kept_texts
from cloudchamber.errors import RunFailed
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.turns import Batch, Moment
from cloudchamber.microspec.world import Acts, State
from cloudchamber.questions import Address, Answers, Ints, Questions, Writing
from cloudchamber.trace.levels import Level
from cloudchamber.trace.tables import Sink, Status

__all__ = ["Account", "Onward", "Runs", "grow"]

BLOCK = 2048
"""Rows asked at a time; a block of 48 options fits a core's cache."""
FEW = 8
"""Options: four such blocks of them fit; and where nobody is shown what each of some others did, the cost
of a block counts for more than the cache, and they may be as many as take some 10 MB."""

Growth = Generator[Questions, Answers, Account]


@dataclass(frozen=True, slots=True)
class Runs:
    """A pool of runs of one microspecification that are grown together."""

    seed: int
    replicates: Ints
    ids: Ints
    """The `run` column of each in the trace."""


@dataclass(frozen=True, slots=True)
class Onward:
    """Where a pool of runs goes on from: the state it was left in, and how many steps are behind it.

    Who stands by what goes on, and so do draws, with the number of the step. Single acts, what agents
    remember and counts of acts do not.
    """

    state: State
    """Changed in place, so that it is that at the end afterwards."""
    step: int = 0


def grow(
    spec: Microspec,
    runs: Runs,
    sink: Sink,
    *,
    level: Level | None = None,
    checkpoints: int = 200,
    block: int | None = None,
    alter: Alter | None = None,
    onward: Onward | None = None,
) -> Growth:
    """Grow a pool of runs; send the answers to what is yielded.

    Args:
        spec: what is grown.
        runs: which replicates, under which seed.
        sink: where the trace goes.
        level: how much of it; full if not given.
        checkpoints: at how many steps, at most, the world's tallies are recorded, the last among them.
        block: rows asked at a time, as many as suit a core if not given; without effect on the trace.
        alter: changes what is shown, block by block, before it is recorded and asked; who is asked again
            sees what it saw. What it changes rests on no decision of the run: its origin is -1.
        onward: where the runs go on from, in place of the world's start.

    Yields:
        Questions, at most `block` rows of them.

    Returns:
        The account: how much was asked and answered, by run.

    Raises:
        RunFailed: an answer has the status failed.
    """
    rows = block or _block(spec)
    growth = _Growth(spec, runs, sink, level or Level(), checkpoints, rows, alter, onward)
    return growth.grow()


class _Growth:
    """The state of a pool while it grows."""

    def __init__(
        self,
        spec: Microspec,
        runs: Runs,
        sink: Sink,
        level: Level,
        checkpoints: int,
        block: int,
        alter: Alter | None,
        onward: Onward | None,
    ) -> None:
        self.spec, self.runs, self.block, self.alter = spec, runs, block, alter
        self.people = spec.population.people()
        self.agents = len(self.people.group)
        pool = len(runs.replicates)
        began = onward or Onward(spec.world.start(spec.opening(runs.seed, runs.replicates)))
        self.state, self.first = began.state, began.step
        self.ledger = Ledger(spec, pool, self.agents, self.state)
        worded = any(group.decides.reads_text for group in spec.population.groups)
        self.exposing = Exposing(spec, runs.seed, runs.replicates, self.ledger, worded)
        self.unkept = level.name == "summary"
        self.recording = Recording(spec, runs.ids, runs.replicates, sink, level, self.exposing)
        self.asking = Asking(spec, self.people, self.exposing)
        writers = np.array([group.decides.writes for group in spec.population.groups])
        self.writers = writers[self.people.group]
        self.written: Written | None = None
        if self.writers.any() and (spec.communication.writes or spec.memory.writes):
            self.written = self.exposing.hearing.written = Written(spec, pool)
        self.decided = np.zeros(pool, np.int64)
        self.unsettled: list[Acts] = []
        self.named: Ints | None = None
        steps = spec.turns.steps
        kept = np.linspace(0, steps, min(checkpoints, steps) + 1).astype(int)
        self.checkpoints = set((kept + self.first).tolist())

    def grow(self) -> Growth:
        self.recording.outcomes(self.first, self.state)
        for step in range(self.first, self.first + self.spec.turns.steps):
            self.ledger.begin()
            self.exposing.begin(step)
            if self.written is not None:
                self.written.begin()
            moment = Moment(
                self.runs.seed,
                self.runs.replicates,
                step,
                self.agents,
                self.people.group,
                self.exposing.network,
            )
            acted = np.zeros((len(self.runs.replicates), self.agents), np.int64)
            for number, proposed in enumerate(self.spec.turns.batches(moment)):
                batch = self._counted(self._able(self._who(proposed)), acted)
                if len(batch):
                    yield from self._decide(batch, step, number)
            self._settle()
            if step + 1 in self.checkpoints:
                self.recording.outcomes(step + 1, self.state)
        return replace(self.recording.account, score=self.state.score)

    def _who(self, proposed: Batch) -> Batch:
        """In endogenous order, those who were named; where nobody was, those whose turn it would be."""
        if self.named is None:
            return proposed
        named, self.named = self.named[proposed.run], None
        return replace(proposed, agent=np.where(named >= 0, named, proposed.agent))

    def _counted(self, batch: Batch, acted: Ints) -> Batch:
        """The occasions of those who decide, where an agent may decide again in a step."""
        if not self.spec.turns.again:
            return batch
        occasion = acted[batch.run, batch.agent]
        acted[batch.run, batch.agent] += 1
        return replace(batch, occasion=occasion)

    def _able(self, batch: Batch) -> Batch:
        """Those to whom anything is open; of a meeting both, or the one who acts in it."""
        world = self.spec.world
        if world.meets == "one":
            batch = batch.take(slice(None, None, 2))
        elif (
            self.unkept and world.meets and not world.closes and len(batch) > 2 * len(self.decided)
        ):
            # All at once: in the order in which what is remembered of each is kept. Where decisions are
            # kept, those who meet stay side by side: it is how a reader knows who met whom.
            batch = batch.take(_in_order(batch.run.astype(np.int64) * self.agents + batch.agent))
        if not world.closes:
            return batch
        may = np.asarray(world.open(self.state, batch.run, batch.agent).any(axis=1))
        if world.meets == "both":
            may = np.repeat(np.asarray(may.reshape(-1, 2).all(axis=1)), 2)
        return batch if may.all() else batch.take(may)

    def _decide(self, batch: Batch, step: int, number: int) -> Generator[Questions, Answers, None]:
        """One batch: let them write, show, ask, record, apply, let them write to themselves of that."""
        talk, memory = self.spec.communication, self.spec.memory
        if self.written is not None:
            self.written.meet(self.decided)
            first = (*talk.writes, *(memory.writes if memory.plans else ()))
            yield from self._write(self.written, first, batch, step, number)
        acts = []
        for block, decision in self._blocks(batch, self.asking.decisions_each):
            address = self._address(block, step)
            slate = self.exposing.show(block, address, self.state)
            questions = self.asking.questions(block, address, slate, decision)
            done = yield from self._ask(questions, address, slate, number)
            acts.append(done.acts(block, step))
        self._apply(acts)
        if self.written is not None and not memory.plans:
            yield from self._write(self.written, memory.writes, batch, step, number)
        if self.spec.turns.endogenous:
            yield from self._name(batch, step, number)

    def _blocks(self, batch: Batch, each: int) -> Iterator[tuple[Batch, Ints]]:
        """A batch in blocks, with the number of each row's first decision; at the end all are counted."""
        counts = np.bincount(batch.run, minlength=len(self.decided))
        first = np.cumsum(counts) - counts
        for start in range(0, len(batch), self.block):
            block = batch.block(start, start + self.block)
            rank = np.arange(start, start + len(block)) - first[block.run]
            yield block, self.decided[block.run] + rank * each
        self.decided += counts * each

    def _write(
        self, written: Written, writings: Sequence[Writing], batch: Batch, step: int, number: int
    ) -> Generator[Questions, Answers, None]:
        """Texts of those of a batch who can write; nobody reads them before all have written."""
        authors = batch.take(self.writers[batch.agent])
        for writing in writings:
            told: list[tuple[Batch, Ints, tuple[str, ...]]] = []
            for block, decision in self._blocks(authors, 1):
                address = self._address(block, step)
                slate = self.exposing.show(block, address, self.state)
                asked = self.asking.text(block, address, slate, decision, writing)
                questions, foreign = altered(asked, self.alter)
                answers = kept_texts((yield from self._answers(questions)), writing)
                self.recording.decisions(questions, answers, None, number, foreign)
                told.append((block, decision, answers.texts or ()))
            for block, decision, texts in told:
                written.add(writing, block, decision, step, texts)

    def _ask(
        self, questions: Questions, address: Address, slate: Slate, number: int
    ) -> Generator[Questions, Answers, Done]:
        """Ask a block, and ask again whoever picks one by one; what the answers amount to."""
        rows, rounds = np.arange(len(questions)), []
        questions, foreign = altered(questions, self.alter)
        while True:
            answers = yield from self._answers(questions)
            done = self.asking.acts(questions, answers, address, slate)
            strange = None if foreign is None else foreign[rows]
            self.recording.decisions(questions, answers, done.acted, number, strange)
            if self.asking.rounds == 1:
                return done
            rows = rows[done.row]
            rounds.append(replace(done, row=rows))
            if len(rounds) == self.asking.rounds or not len(rows):
                return Done.joined(rounds)
            questions = self.asking.again(questions, answers, done)

    def _apply(self, acts: list[Acts]) -> None:
        whole = Acts.joined(acts)
        if whole.partner is not None:
            whole = self._met(whole)
        results = self.spec.world.apply(self.state, whole)
        self.ledger.add(whole, results)
        if self.spec.world.settles and len(whole):
            self.unsettled.append(whole)

    def _settle(self) -> None:
        """The step is over: what its acts led to takes the place of what was told of them."""
        if self.unsettled:
            acts, self.unsettled = Acts.joined(self.unsettled), []
            self.ledger.settle(acts, self.spec.world.settle(self.state, acts))

    def _met(self, acts: Acts) -> Acts:
        """What the other did in each meeting."""
        assert acts.partner is not None
        agents = self.agents
        owner = acts.run.astype(np.int64) * agents + acts.agent
        other = acts.run.astype(np.int64) * agents + acts.partner
        rising = bool((np.diff(owner) > 0).all())
        if rising and len(owner) == len(self.decided) * agents:
            place, there = other, np.True_  # everyone, in order
        elif rising and len(owner) and len(owner) > owner[-1] // 8:
            # Many of them, in order: where each stands is quicker written down than searched for.
            where = np.full(max(int(owner[-1]), int(other.max())) + 1, -1)
            where[owner] = np.arange(len(owner))
            place = where[other]
            there = place >= 0
        else:
            order = np.argsort(owner, kind="stable")
            at = np.searchsorted(owner, other, sorter=order)
            place = order[np.minimum(at, len(order) - 1)] if len(order) else order
            there = owner[place] == other
        return replace(
            acts,
            met=np.where(there, acts.item[place], -1),
            others=np.where(there, acts.decision[place], -1),
        )

    def _name(self, batch: Batch, step: int, number: int) -> Generator[Questions, Answers, None]:
        """Those who just decided say who is next; whoever names nobody leaves it to chance."""
        address = self._address(batch, step)
        questions = self.asking.nominations(batch, address, self.decided[batch.run])
        answers = yield from self._answers(questions)
        self.recording.decisions(questions, answers, None, number)
        self.decided[batch.run] += 1
        pick = answers.picks[:, 0]
        row = np.arange(len(batch))
        chance = self.asking.by_chance(questions)
        self.named = np.full(len(self.decided), -1)
        self.named[batch.run] = questions.items[row, np.where(pick >= 0, pick, chance)]

    def _answers(self, questions: Questions) -> Generator[Questions, Answers, Answers]:
        answers = yield questions
        answers.check(questions)
        failed = np.flatnonzero(answers.statuses() == Status.failed)
        if len(failed):
            reasons = dict(answers.reasons)
            row = int(failed[0])
            raise RunFailed(int(questions.run[row]), "answer", reasons.get(row, "no reason given"))
        return answers

    def _address(self, block: Batch, step: int) -> Address:
        replicate = self.runs.replicates[block.run]
        return Address(self.runs.seed, replicate, step, block.agent, block.occasion)


def _block(spec: Microspec) -> int:
    """Rows asked at a time."""
    if spec.world.items > FEW:
        return BLOCK
    others = spec.communication.representation == "acts" or spec.visibility.whose != "all"
    return (4 if others else 64) * BLOCK


def _in_order(owner: Ints) -> Ints:
    """What sorts numbers of which none is there twice; quicker than sorting where they are many."""
    place = np.full(int(owner.max(initial=-1)) + 1, -1)
    place[owner] = np.arange(len(owner))
    return place[place >= 0]
