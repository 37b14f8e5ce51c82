"""Prompts that a cell's runs will hold: its first replicates are walked, and a sample of prompts is built.

Everybody picks at random on the walk, so what the prompts show of earlier choices (likes, memories) is as
long as in a run, though not the same. No model is asked.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np

from cloudchamber.agents.llm import LanguageModel
from cloudchamber.agents.rules import Random
from cloudchamber.agents.society import Society, models_of
from cloudchamber.engine import Runs, grow
from cloudchamber.experiment.design import Cell
from cloudchamber.experiment.progress import questions_of
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.models.model import Reply, Request
from cloudchamber.questions import Answers, Ints, Questions, draw
from cloudchamber.randomness import generator
from cloudchamber.trace import Level
from cloudchamber.trace.tables import Kind

__all__ = ["WALKED", "Nowhere", "Sample", "anything", "characters", "sample", "tokens_out"]

WALKED = 2
"""Replicates of a cell: the second tells how much of it the first has asked already."""

KEPT = 12
"""Requests of each model and cell that are kept, to be split into tokens."""


@dataclass(slots=True)
class Sample:
    """What was seen of one model's questions in a cell."""

    questions: int = 0
    """Asked in the replicates walked, repeated ones, further picks and each good's amount included."""
    prompts: int = 0
    """Those of them whose prompts were built."""
    characters: int = 0
    """Of those prompts."""
    fresh: list[int] = field(default_factory=lambda: [0] * WALKED)
    """In each replicate walked, how many prompts nobody had asked before, in this cell or an earlier one."""
    replicates: int = 1
    walked: float = 1.0
    """Share of a run that was walked."""
    kept: list[Request] = field(default_factory=list)
    """Some of those that ask for a choice."""
    texts: int = 0
    """Prompts built that ask for a text."""
    longest: int = 0
    """Tokens of those texts, if each is as long as it may be."""

    @property
    def whole(self) -> bool:
        """Whether every prompt of the replicates walked was built."""
        return self.walked == 1.0 and self.prompts == self.questions

    @property
    def each(self) -> float:
        """Questions of one run."""
        return self.questions / self.replicates / self.walked


def sample(
    cell: Cell, seed: int, replicates: tuple[int, ...], most: int, batches: int, known: set[int]
) -> dict[str, Sample]:
    """Walk the first of some replicates of a cell; what was seen, by model.

    Args:
        cell: what is grown.
        seed: of the experiment.
        replicates: those that are to be grown.
        most: prompts to build, about.
        batches: steps of the walk at most, counted by times that agents are asked together.
        known: hashes of prompts that earlier cells ask; this cell's are added.
    """
    if not models_of(cell.spec):
        return {}
    walked = np.array(replicates[:WALKED])
    expected = questions_of(cell) * len(walked)
    walk = _Walk(cell.spec, seed, walked, min(1.0, most / max(expected, 1)), known)
    seen = asyncio.run(walk.go(batches))
    for one in seen.values():
        one.replicates = len(walked)
        one.walked = 1.0 if walk.ended else min(1.0, walk.rows / max(expected, 1))
    return seen


class _Walk:
    """A walk through a cell's runs."""

    def __init__(
        self, spec: Microspec, seed: int, replicates: Ints, share: float, known: set[int]
    ) -> None:
        self.spec, self.share = spec, share
        self.runs = Runs(seed, replicates, np.arange(len(replicates)) + 1)
        self.readers = {name: _Reader(Sample(), known) for name in models_of(spec)}
        deciders = [group.decides for group in spec.population.groups]
        self.model = [one.model if isinstance(one, LanguageModel) else "" for one in deciders]
        self.chance = generator(seed, 0, "estimate")
        self.rows, self.ended = 0, False

    async def go(self, batches: int) -> dict[str, Sample]:
        society = Society(self.spec, self.readers)
        growth = grow(self.spec, self.runs, Nowhere(), level=Level("summary"), checkpoints=1)
        try:
            questions = next(growth)
            for _ in range(batches):
                self.rows += len(questions)
                await self._read(society, questions)
                questions = growth.send(_at_random(questions))
        except StopIteration:
            self.ended = True
        return {name: reader.seen for name, reader in self.readers.items()}

    async def _read(self, society: Society, questions: Questions) -> None:
        """Build the prompts of some rows, as a run would."""
        built = self.chance.random(len(questions)) < self.share
        models = np.array(self.model, object)[questions.group]
        for replicate in range(len(self.runs.replicates)):
            mine = questions.run == replicate
            for name, reader in self.readers.items():
                asked = mine & (models == name)
                rows = np.flatnonzero(asked & built)
                reader.replicate = replicate
                if len(rows):
                    await society.answer(questions.take(rows))
                # Of amounts each option is asked for on its own.
                each = (questions.items[asked] >= 0).sum(axis=1)
                amounts = questions.kind is Kind.amount
                reader.seen.questions += int(each.sum() if amounts else asked.sum())


class _Reader:
    """A model that only reads."""

    name = fingerprint = "reads prompts"
    exact = True

    def __init__(self, seen: Sample, known: set[int]) -> None:
        self.seen, self.known, self.replicate = seen, known, 0
        self._every = 1

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        seen = self.seen
        seen.prompts += 1
        seen.characters += characters(request)
        key = hash((request.messages, request.options, request.prefix, request.temperature))
        if request.sampled or not request.options or key not in self.known:
            seen.fresh[self.replicate] += 1
            self.known.add(key)
        if not request.options:
            seen.texts += 1
            seen.longest += request.max_tokens
        elif (
            seen.prompts - seen.texts
        ) % self._every == 0:  # ever thinner: all of the walk is in it
            seen.kept.append(request)
            if len(seen.kept) == 2 * KEPT:
                del seen.kept[::2]
                self._every *= 2
        return anything(request)

    async def close(self) -> None:
        pass


class Nowhere:
    """A sink that keeps nothing."""

    def append(self, table: str, columns: Mapping[str, Any]) -> None:
        """Drop the rows."""

    def text(self, kind: str, content: str) -> int:
        """Drop the text."""
        return 0


def _at_random(questions: Questions) -> Answers:
    """Answers of agents that pick at random, and write as much as they may."""
    if questions.writing is not None:
        words = " ".join(["something"] * questions.writing.words)
        return Answers.written([words] * len(questions))
    if questions.kind is Kind.amount:
        return Random().answer(questions)
    there = (questions.items >= 0).astype(np.float64)
    alone = questions.choose.how == "any" or questions.kind is Kind.judge
    decline = np.ones(len(questions)) if questions.choose.may_decline else None
    return draw(questions, there * 0.5 if alone else there, decline)


def anything(request: Request) -> Reply:
    """An answer where none is known: every option alike, or as many words as may be."""
    if not request.options:
        return Reply(text=" ".join(["something"] * request.max_tokens))
    options = len(request.options)
    return Reply(logprobs=np.full(options, -np.log(options)), mass=1.0)


def characters(request: Request) -> int:
    """Characters of a request's prompt."""
    return sum(len(text) for _, text in request.messages) + len(request.prefix)


def tokens_out(request: Request, count: Callable[[str], int]) -> int:
    """Tokens of an answer as it is likely to be: the longest label."""
    return min(request.max_tokens, 1 + ceil(max(count(label) for label in request.options)))
