"""What agents wrote: of each agent the latest of each note and its latest message, and whom they reach.

A note reaches its own author. A message reaches those who hear its author, as late as acts do; where agents
meet, the one it meets, in that meeting. Texts are strings here, as `trace.texts.written` leaves them.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.neighbours import Neighbours
from cloudchamber.microspec.turns import Batch
from cloudchamber.questions import Answers, Heard, Ints, Texts, Writing
from cloudchamber.trace.tables import Channel, Status
from cloudchamber.trace.texts import written

__all__ = ["Written", "kept_texts"]

NEVER = -1


@dataclass(frozen=True, slots=True)
class _Page:
    """The latest text of each agent of a pool, and the decision and step it was written in."""

    text: Texts
    decision: NDArray[np.int64]
    step: NDArray[np.int32]

    @classmethod
    def blank(cls, owners: int) -> "_Page":
        """Nobody has written."""
        never = np.full(owners, NEVER)
        return cls(np.full(owners, "", object), never.astype(np.int64), never.astype(np.int32))

    def copy(self) -> "_Page":
        """As it stands now."""
        return _Page(self.text.copy(), self.decision.copy(), self.step.copy())


class Written:
    """The notes and messages of a pool of runs."""

    def __init__(self, spec: Microspec, runs: int) -> None:
        """Nobody has written. Args: what is grown, and how many runs."""
        self.agents = spec.population.count
        owners = runs * self.agents
        self._notes = {one.name: _Page.blank(owners) for one in spec.memory.writes}
        self._said = _Page.blank(owners)
        latency = spec.visibility.latency
        self._past: deque[_Page] = deque([self._said.copy()] * latency, maxlen=max(latency, 1))
        self._late = latency > 0
        self._since: Ints = np.zeros(runs, np.int64)

    def begin(self) -> None:
        """A step begins: what is as old as the latency becomes audible."""
        if self._late:
            self._past.append(self._said.copy())

    def meet(self, decided: Ints) -> None:
        """A batch begins, before which so many decisions were made in each run."""
        self._since = decided.copy()

    def add(
        self, writing: Writing, batch: Batch, decision: Ints, step: int, texts: Sequence[str]
    ) -> None:
        """Enter what a batch wrote; who wrote nothing leaves what it wrote before."""
        page = self._said if writing.channel is Channel.message else self._notes[writing.name]
        rows = np.flatnonzero([bool(text) for text in texts])
        owner = self._owner(batch)[rows]
        page.text[owner] = np.array(texts, object)[rows]
        page.decision[owner] = decision[rows]
        page.step[owner] = step

    def notes(self, batch: Batch, step: int) -> Heard:
        """What each agent of a batch wrote to itself, note by note."""
        row = np.arange(len(batch))
        owner = self._owner(batch)
        return Heard.joined(
            [
                _told(len(batch), Channel.note, name, row, batch.agent, page, owner, step)
                for name, page in self._notes.items()
            ],
            len(batch),
        )

    def messages(self, batch: Batch, step: int, network: Neighbours | None) -> Heard:
        """The latest message of each of those whom an agent hears, the oldest first."""
        page = self._past[0] if self._late and batch.partner is None else self._said
        row, source = self._audible(batch, network)
        owner = batch.run.astype(np.int64)[row] * self.agents + source
        if batch.partner is not None:
            now = page.decision[owner] >= self._since[batch.run[row]]
            row, source, owner = row[now], source[now], owner[now]
        order = np.lexsort((page.decision[owner], row))
        return _told(
            len(batch),
            Channel.message,
            "message",
            row[order],
            source[order],
            page,
            owner[order],
            step,
        )

    def _audible(self, batch: Batch, network: Neighbours | None) -> tuple[Ints, Ints]:
        """Whom each row hears: row and agent, flat."""
        rows = np.arange(len(batch))
        if batch.partner is not None:
            return rows, batch.partner
        if network is None:
            others = np.arange(self.agents - 1)
            source = others + (others >= batch.agent[:, None])
            return np.repeat(rows, self.agents - 1), source.reshape(-1)
        offsets, ids = network.of(self._owner(batch))
        return np.repeat(rows, np.diff(offsets)), ids % self.agents

    def _owner(self, batch: Batch) -> Ints:
        return np.asarray(batch.run.astype(np.int64) * self.agents + batch.agent)


def kept_texts(answers: Answers, writing: Writing) -> Answers:
    """The answers with their texts as they are passed on; what is no usable answer has none."""
    ok = (answers.statuses() == Status.ok).tolist()
    given = answers.texts or ("",) * len(ok)
    texts = tuple(
        written(text, writing.words) if usable else ""
        for text, usable in zip(given, ok, strict=True)
    )
    return replace(answers, texts=texts)


def _told(
    rows: int,
    channel: Channel,
    name: str,
    row: Ints,
    source: Ints,
    page: _Page,
    owner: Ints,
    step: int,
) -> Heard:
    """Entries of what was written; whoever wrote nothing has none."""
    there = page.decision[owner] != NEVER
    row, source, owner = row[there], source[there], owner[there]
    none = np.full(len(row), -1)
    heard = Heard.of(
        rows, channel, row, none, source, page.decision[owner], step - page.step[owner]
    )
    return heard.worded(page.text[owner], name)
