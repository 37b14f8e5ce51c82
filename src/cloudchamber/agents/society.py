"""A population's deciders, ready to answer: each row of a batch goes to its group's decider."""

import asyncio
from collections.abc import Generator, Mapping
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from cloudchamber.agents.llm import LanguageModel, ask
from cloudchamber.agents.llm_amounts import ask_amounts
from cloudchamber.errors import AnswerError, SpecificationError
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.models.model import Model
from cloudchamber.questions import Answers, Ints, Questions, joined_answers
from cloudchamber.trace.tables import Kind

__all__ = ["Answering", "Society", "decide", "models_of"]

R = TypeVar("R")


@runtime_checkable
class Answering(Protocol):
    """A decider that answers a batch by itself, at once: a rule, a mechanism, a record."""

    def answer(self, questions: Questions) -> Answers:
        """The answers to a batch."""
        ...


@runtime_checkable
class Writes(Protocol):
    """A decider that writes by itself, at once."""

    def write(self, questions: Questions) -> tuple[str, ...]:
        """A text for each row."""
        ...


def models_of(spec: Microspec) -> tuple[str, ...]:
    """The names of the language models that a microspecification needs."""
    deciders = (group.decides for group in spec.population.groups)
    return tuple(sorted({one.model for one in deciders if isinstance(one, LanguageModel)}))


class Society:
    """Answers a specification's questions."""

    def __init__(self, spec: Microspec, models: Mapping[str, Model] | None = None) -> None:
        """Args: the microspecification, and the opened models it names.

        Raises:
            SpecificationError: a decider can neither answer by itself nor names an opened model.
        """
        self.spec, self.models = spec, dict(models or {})
        self.deciders = [group.decides for group in spec.population.groups]
        for index, decider in enumerate(self.deciders):
            if isinstance(decider, LanguageModel):
                if decider.model not in self.models:
                    raise SpecificationError(
                        f"population.groups.{index}.decides.model: {decider.model!r} is not open; "
                        "open it with cloudchamber.models.open_model and pass it on."
                    )
            elif not isinstance(decider, Answering):
                raise SpecificationError(
                    f"population.groups.{index}.decides: {type(decider).__name__} has no method "
                    "answer(questions); give it one, or use a language model."
                )

    @property
    def immediate(self) -> bool:
        """Whether all answer by themselves, without waiting."""
        return not self.models

    def answer_now(self, questions: Questions) -> Answers:
        """Answer a batch without waiting; for populations without language models."""
        if len(self.deciders) == 1:
            return self._alone(0, questions)
        parts = [
            (rows, self._alone(group, questions.take(rows)))
            for group, rows in self._groups(questions)
        ]
        return joined_answers(len(questions), parts)

    async def answer(self, questions: Questions) -> Answers:
        """Answer a batch, asking models where it must."""

        async def part(group: int, rows: Ints) -> tuple[Ints, Answers]:
            decider = self.deciders[group]
            some = questions if len(rows) == len(questions) else questions.take(rows)
            if isinstance(decider, LanguageModel):
                put = ask_amounts if questions.kind is Kind.amount else ask
                return rows, await put(decider, self.models[decider.model], self.spec, some)
            return rows, self._alone(group, some)

        parts = await asyncio.gather(*(part(*each) for each in self._groups(questions)))
        return joined_answers(len(questions), parts)

    def _groups(self, questions: Questions) -> list[tuple[int, Ints]]:
        return [
            (group, rows)
            for group in range(len(self.deciders))
            if len(rows := np.flatnonzero(questions.group == group))
        ]

    def _alone(self, group: int, questions: Questions) -> Answers:
        decider = self.deciders[group]
        if isinstance(decider, LanguageModel) or not isinstance(decider, Answering):
            raise AnswerError(f"group {group} cannot answer without waiting; await answer().")
        if questions.kind is Kind.write:
            if not isinstance(decider, Writes):
                raise AnswerError(
                    f"{type(decider).__name__} says that it writes, but has no method "
                    "write(questions); give it one, or let it not write."
                )
            return Answers.written(decider.write(questions))
        return decider.answer(questions)


def decide(growth: Generator[Questions, Answers, R], society: Society) -> R:
    """Drive a growth to its end with deciders that answer by themselves; returns what it returns."""
    try:
        questions = next(growth)
        while True:
            questions = growth.send(society.answer_now(questions))
    except StopIteration as end:
        result: R = end.value
        return result
