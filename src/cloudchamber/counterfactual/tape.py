"""Tapes: what the agents of some runs were shown, to be found again by agent and moment.

Another growth of the same replicates finds there what the same agent was shown at the same moment of the
taped one: its address (replicate, step, agent, occasion), and the item where each is judged alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cloudchamber.questions import Answers, Ints, Questions
from cloudchamber.randomness import bits
from cloudchamber.trace.tables import Kind

__all__ = ["Found", "Tape"]


@dataclass(frozen=True, slots=True)
class Found:
    """Rows that were found on a tape: all of them in one block of it."""

    block: int
    rows: Ints
    """Of the questions that were looked up."""
    there: Ints
    """The rows of the block, one for each of `rows`."""


@dataclass(slots=True)
class _Step:
    """Where the rows of one step's blocks are."""

    keys: list[NDArray[np.uint64]] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    sorted: tuple[NDArray[np.uint64], Ints, Ints] | None = None

    def index(self) -> tuple[NDArray[np.uint64], Ints, Ints]:
        """Keys in order, with the block and the row of each."""
        if self.sorted is None:
            keys = np.concatenate(self.keys)
            block = np.repeat(self.blocks, [len(one) for one in self.keys])
            row = np.concatenate([np.arange(len(one)) for one in self.keys])
            order = np.argsort(keys, kind="stable")
            self.sorted = keys[order], block[order], row[order]
        return self.sorted


class Tape:
    """Blocks of questions in the order they were asked.

    Args:
        draws: of each replicate so many runs stand side by side, each of a draw of its own, and none finds
            what another was shown.
    """

    def __init__(self, draws: int = 1) -> None:
        """Nothing was shown."""
        self.draws = draws
        self.blocks: list[Questions] = []
        self.answers: list[Answers] = []
        """To each block, where they were kept."""
        self._steps: dict[int, _Step] = {}

    def add(self, questions: Questions) -> Questions:
        """Keep a block, and give it back: a tape is an alteration that alters nothing."""
        step = self._steps.setdefault(questions.address.step, _Step())
        step.keys.append(self._keys(questions))
        step.blocks.append(len(self.blocks))
        step.sorted = None
        self.blocks.append(questions)
        return questions

    def keep(self, questions: Questions, answers: Answers) -> Answers:
        """Keep a block with its answers, and give them back."""
        self.add(questions)
        self.answers.append(answers)
        return answers

    def find(self, questions: Questions) -> Iterator[Found]:
        """Where the same agents stood at the same moment; rows that are not on the tape are left out."""
        step = self._steps.get(questions.address.step)
        if step is None:
            return
        keys, block, row = step.index()
        wanted = self._keys(questions)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        rows = np.flatnonzero(keys[at] == wanted)
        where = block[at[rows]]
        for number in np.unique(where).tolist():
            mine = rows[where == number]
            yield Found(number, mine, row[at[mine]])

    def _keys(self, questions: Questions) -> NDArray[np.uint64]:
        keys = keys_of(questions)
        if self.draws == 1:
            return keys
        return bits(keys, (questions.run % self.draws)[:, None])[:, 0]


def keys_of(questions: Questions) -> NDArray[np.uint64]:
    """A number for each row's moment: its address, what is asked, which pick it is, the item judged."""
    about = questions.kind.name if questions.writing is None else questions.writing.kind
    keys = questions.address.keys(f"tape/{about}")
    if questions.kind is Kind.judge:
        keys = bits(keys, questions.items[:, :1])[:, 0]
    if questions.taken is not None:
        keys = bits(keys, questions.taken.options.sum(axis=1)[:, None])[:, 0]
    return keys
