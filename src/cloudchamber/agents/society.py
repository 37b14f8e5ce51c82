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
from cloudchamber.questions import Answers, Ints, Questions, Reals
from cloudchamber.trace.tables import Kind, Readout

__all__ = ["Answering", "Society", "decide", "models_of"]

R = TypeVar("R")


@runtime_checkable
class Answering(Protocol):
    """A decider that answers a batch by itself, at once: a rule, a mechanism, a record."""

    def answer(self, questions: Questions) -> Answers:
        """The answers to a batch."""
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
        return _joined(questions, parts)

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
        return parts[0][1] if len(parts) == 1 else _joined(questions, list(parts))

    def _groups(self, questions: Questions) -> list[tuple[int, Ints]]:
        return [
            (group, rows)
            for group in range(len(self.deciders))
            if len(rows := np.flatnonzero(questions.group == group))
        ]

    def _alone(self, group: int, questions: Questions) -> Answers:
        decider = self.deciders[group]
        if not isinstance(decider, Answering):
            raise AnswerError(f"group {group} cannot answer without waiting; await answer().")
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


def _joined(questions: Questions, parts: list[tuple[Ints, Answers]]) -> Answers:
    """Answers of several groups, row for row; what one group lacks is unknown there."""
    rows, options = questions.items.shape
    width = max(answers.picks.shape[1] for _, answers in parts)
    whole = Answers(
        picks=np.full((rows, width), -1, np.int32),
        weights=np.full((rows, options), np.nan),
        decline=np.zeros(rows) if questions.choose.may_decline else None,
        status=np.zeros(rows, np.int8),
        readout=np.full(rows, Readout.rule, np.uint8),
        mass=np.full(rows, np.nan),
        tokens=np.zeros(rows, np.int64),
    )
    prompts, completions, notes = [""] * rows, [""] * rows, [""] * rows
    reasons: list[tuple[int, str]] = []
    for at, answers in parts:
        _enter(whole, at, answers)
        for row, place in enumerate(at):
            if answers.prompts is not None:
                prompts[place] = answers.prompts[row]
            if answers.completions is not None:
                completions[place] = answers.completions[row]
            if answers.notes is not None:
                notes[place] = answers.notes[row]
        reasons += [(int(at[row]), reason) for row, reason in answers.reasons]
    worded = any(answers.prompts is not None for _, answers in parts)
    whole.prompts = tuple(prompts) if worded else None
    whole.completions = tuple(completions) if worded else None
    whole.notes = tuple(notes) if any(notes) else None
    whole.reasons = tuple(reasons)
    for name in ("amounts", "chances"):
        if any(getattr(answers, name) is not None for _, answers in parts):
            setattr(whole, name, _placed(questions, parts, name))
    return whole


def _placed(questions: Questions, parts: list[tuple[Ints, Answers]], name: str) -> Reals:
    """A matrix over options of several groups' answers; NaN where a group has none."""
    matrix = np.full(questions.items.shape, np.nan)
    for at, answers in parts:
        given = getattr(answers, name)
        if given is not None:
            matrix[at] = given
    return matrix


def _enter(whole: Answers, at: Ints, answers: Answers) -> None:
    whole.picks[at, : answers.picks.shape[1]] = answers.picks
    assert whole.weights is not None and whole.status is not None
    assert whole.mass is not None and whole.tokens is not None
    assert isinstance(whole.readout, np.ndarray)
    if answers.weights is not None:
        whole.weights[at] = answers.weights
    if answers.decline is not None and whole.decline is not None:
        whole.decline[at] = answers.decline
    whole.status[at] = answers.statuses()
    whole.readout[at] = answers.readout
    if answers.mass is not None:
        whole.mass[at] = answers.mass
    if answers.tokens is not None:
        whole.tokens[at] = answers.tokens
