"""A language model's amounts: asked for one option after the other, of those that the scale has.

What it gave of the options before is shown, and no more is allowed than is left. Each amount is drawn from
the model's distribution over the allowed ones, under noise that belongs to the decision, the item and the
amount: so under a change, who is told the same gives the same.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.agents.llm import STATUS, LanguageModel, asked_all, glimpse_of
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.worded import worded
from cloudchamber.microspec.world import Prompt, Remembered
from cloudchamber.models.model import Model, Reply
from cloudchamber.questions import Answers, Ints, Questions, Reals, Scale
from cloudchamber.trace.tables import Readout, Status

__all__ = ["ask_amounts"]


async def ask_amounts(
    decider: LanguageModel, model: Model, spec: Microspec, questions: Questions
) -> Answers:
    """Ask a batch for its amounts; a row that fails to answer for one option has not answered."""
    giving = _Giving(decider, model, spec, questions)
    for place in range(questions.items.shape[1]):
        await giving.ask(place)
    return giving.answers()


@dataclass(slots=True)
class _Told:
    """What one row was told and said, option after option."""

    prompts: list[str]
    replies: list[Reply]


class _Giving:
    def __init__(
        self, decider: LanguageModel, model: Model, spec: Microspec, questions: Questions
    ) -> None:
        assert questions.scale is not None
        self.decider, self.model, self.spec, self.questions = decider, model, spec, questions
        self.scale: Scale = questions.scale
        shape = questions.items.shape
        self.amounts, self.chances = np.full(shape, np.nan), np.full(shape, np.nan)
        self.status = np.full(shape[0], Status.ok, np.int8)
        self.told = [_Told([], []) for _ in range(shape[0])]

    async def ask(self, place: int) -> None:
        """How much of the option at one place, of all rows that answered so far."""
        rows = np.flatnonzero(self.status == Status.ok)
        if not len(rows):
            return
        some = self.questions.take(rows)
        grids = [self.scale.grid(float(self.amounts[row, :place].sum())) for row in rows]
        prompts, replies = await asked_all(
            self.decider,
            self.model,
            some,
            lambda at: self._prompt(some, at, place, self.amounts[rows[at]], grids[at]),
            _draws(some, place),
        )
        for at, row in enumerate(rows.tolist()):
            self.told[row].prompts.append(prompts[at].text())
            self.told[row].replies.append(replies[at])
            self.status[row] = STATUS[replies[at].status]
            if self.status[row] == Status.ok:
                self._enter(row, place, replies[at], grids[at])

    def _prompt(self, some: Questions, at: int, place: int, given: Reals, grid: Reals) -> Prompt:
        glimpse = glimpse_of(self.decider, self.spec, some, at)
        before = tuple(
            Remembered(
                "picked", int(some.items[at, one]), int(some.agent[at]), 0, float(given[one])
            )
            for one in range(place)
        )
        allowed = tuple(f"{amount:g}" for amount in grid)
        return worded(
            self.spec.world,
            replace(glimpse, heard=glimpse.heard + before, about=place, allowed=allowed),
        )

    def _enter(self, row: int, place: int, reply: Reply, grid: Reals) -> None:
        """One reply's amount: drawn from its distribution, or as it was sampled."""
        choice = reply.choice
        if reply.logprobs is not None and self.decider.readout == "exact":
            weights = np.exp(np.asarray(reply.logprobs, np.float64)[: len(grid)])
            noise = self._noise(row, place, len(grid))
            with np.errstate(divide="ignore"):
                choice = int(np.argmin(noise / weights))
            self.chances[row, place] = weights[choice] / weights.sum()
        if not 0 <= choice < len(grid):
            self.status[row] = Status.unparseable
            return
        self.amounts[row, place] = grid[choice]

    def _noise(self, row: int, place: int, many: int) -> Reals:
        """An exponential for each amount; the lane is the item and how far up the scale it stands."""
        key = self.questions.address.keys("amount")[row : row + 1]
        item = int(self.questions.items[row, place])
        lanes = (np.int64(item) << np.int64(32)) + np.arange(many)
        return np.asarray(randomness.exponentials(key, lanes[None])[0])

    def answers(self) -> Answers:
        """What all rows came to."""
        options = self.questions.items.shape[1]
        ok = self.status == Status.ok
        every = np.arange(options, dtype=np.int32)
        exact = np.isfinite(self.chances).any(axis=1)
        return Answers(
            picks=np.where(ok[:, None], every, np.int32(-1)).astype(np.int32),
            status=self.status,
            readout=np.where(exact, Readout.exact, Readout.sampled).astype(np.uint8),
            mass=np.array([_least_mass(one.replies) for one in self.told]),
            prompts=tuple("\n\n".join(one.prompts) for one in self.told),
            completions=tuple("\n".join(_texts(one.replies)) for one in self.told),
            tokens=np.array(
                [sum(r.tokens_in + r.tokens_out for r in one.replies) for one in self.told],
                np.int64,
            ),
            notes=tuple("; ".join(dict.fromkeys(_notes(one.replies))) for one in self.told),
            reasons=tuple(
                (row, reply.reason)
                for row, one in enumerate(self.told)
                for reply in one.replies
                if reply.reason
            ),
            amounts=np.where(ok[:, None], self.amounts, np.nan),
            chances=self.chances,
        )


def _draws(questions: Questions, place: int) -> NDArray[np.uint64]:
    """The 63-bit address of each row's draw for the option at a place."""
    item: Ints = questions.items[:, place : place + 1]
    keys = questions.address.keys("sample amount")
    return np.asarray(randomness.bits(keys, item)[:, 0] >> np.uint64(1))


def _least_mass(replies: list[Reply]) -> float:
    return min((reply.mass for reply in replies), default=float("nan"))


def _texts(replies: list[Reply]) -> list[str]:
    return [reply.text for reply in replies if reply.text]


def _notes(replies: list[Reply]) -> list[str]:
    return [reply.note for reply in replies if reply.note]
