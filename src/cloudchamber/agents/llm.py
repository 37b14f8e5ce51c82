"""A language model's agent: each row of a batch becomes a prompt, each reply a distribution or a pick."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloudchamber.errors import AnswerError, NotStored
from cloudchamber.microspec.affordances import Affordances, spelled
from cloudchamber.microspec.memory import Summary
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.population import Decider
from cloudchamber.microspec.value import Real
from cloudchamber.microspec.worded import worded
from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.questions import Answers, Questions, Reals, draw
from cloudchamber.randomness import bits
from cloudchamber.trace.tables import Channel, Kind, Readout, Status

__all__ = ["STATUS", "LanguageModel", "ask", "asked_all", "glimpse_of"]

TOLD = 16
"""Prompts that are written before the first of them is sent."""


class LanguageModel(Decider):
    """A language model decides, from a prompt that holds what the agent is shown and nothing else."""

    kind: Literal["model"] = "model"
    model: Annotated[str, Field(min_length=1)] = "embedded"
    """Which: "embedded", "gguf:PATH", "openai:NAME@URL", "inspect:PROVIDER/NAME"."""
    readout: Literal["exact", "sample"] = "exact"
    """By the distribution over the allowed answers, or by a sampled answer."""
    temperature: Annotated[Real, Field(ge=0, le=10)] = 1.0
    """Of sampled answers, and of the distribution: log-probabilities are divided by it."""
    instruction: str = ""
    """Added to the role; what a prompt-level intervention changes."""

    @property
    def reads_text(self) -> bool:
        """It is shown words."""
        return True

    def refuses(self, affordances: Affordances) -> str:
        """Why it cannot answer what these affordances ask; empty if it can."""
        listed = affordances.presentation == "list"
        if listed and affordances.choose == "any":
            return (
                "a language model cannot say by one answer which of a list it would take; set "
                "affordances.presentation to 'one at a time', or affordances.choose to 'up to'"
            )
        several = affordances.choose == "up to" and not affordances.one_by_one
        if listed and several and self.readout == "sample":
            return (
                "a sampled answer names one option; set affordances.picks to 'one by one', readout to "
                "'exact', or affordances.choose to 'one'"
            )
        return ""

    def aloud(self) -> str:
        """The decider in words."""
        told = f', told "{self.instruction}"' if self.instruction else ""
        return f"the language model {self.model}, answering by {self.readout} readout{told}"


async def ask(
    decider: LanguageModel, model: Model, spec: Microspec, questions: Questions
) -> Answers:
    """Ask a batch's questions of a model, all at once, and draw the answers under the batch's noise.

    A text is whatever the model writes, in about as many tokens as an ordinary text of so many words takes.
    """

    def prompt(row: int) -> Prompt:
        return worded(spec.world, glimpse_of(decider, spec, questions, row))

    prompts, replies = await asked_all(decider, model, questions, prompt, _draws(questions))
    if questions.kind is Kind.write:
        return replace(
            Answers.written((reply.text for reply in replies), Readout.sampled),
            status=np.array([STATUS[reply.status] for reply in replies], np.int8),
            completions=tuple(reply.text if reply.status != "ok" else "" for reply in replies),
            **_told(prompts, replies),
        )
    return _answers(decider, questions, prompts, replies)


async def asked_all(
    decider: LanguageModel,
    model: Model,
    questions: Questions,
    prompt: Callable[[int], Prompt],
    draws: NDArray[np.uint64],
) -> tuple[list[Prompt], list[Reply]]:
    """Put a prompt for each row to a model, all at once; the prompts and the replies.

    Args:
        decider: how it is to answer.
        model: the opened model.
        questions: what the rows are.
        prompt: makes the prompt of a row.
        draws: (rows,), the 63-bit address of each row's draw.
    """
    prompts: list[Prompt] = []
    asked: list[asyncio.Future[Reply]] = []
    try:
        for row in range(len(questions)):
            if row and row % TOLD == 0:
                await asyncio.sleep(0)  # those that were told before are asked meanwhile
            prompts.append(prompt(row))
            request = _request(decider, prompts[-1])
            asking = _asked(model, request, int(draws[row]), questions, row)
            asked.append(asyncio.ensure_future(asking))
    except BaseException:
        for one in asked:
            one.cancel()
        raise
    return prompts, list(await asyncio.gather(*asked))


def _draws(questions: Questions) -> NDArray[np.uint64]:
    """The 63-bit address of each row's draw: of its decision, and of the item where each is judged alone.

    The cell's specification is no part of it (law 6): under a change, who is asked the very same question
    gives the very same answer.
    """
    if questions.kind is Kind.next:  # whom to hand over to is drawn apart from what to choose
        return questions.address.keys("sample next") >> np.uint64(1)
    if questions.writing is not None:
        return questions.address.keys(f"write {questions.writing.kind}") >> np.uint64(1)
    keys = questions.address.keys("sample")
    if questions.kind is Kind.judge:
        keys = bits(keys, questions.items[:, :1])[:, 0]
    if (
        questions.taken is not None
    ):  # each pick is a draw of its own; the first that of picking at once
        taken = questions.taken.options.sum(axis=1)
        keys = np.where(taken > 0, bits(keys, -taken[:, None])[:, 0], keys)
    return keys >> np.uint64(1)


async def _asked(
    model: Model, request: Request, number: int, questions: Questions, row: int
) -> Reply:
    try:
        return await model.ask(request, number)
    except NotStored as miss:
        at = questions.address
        raise miss.told(
            f"replicate {at.replicate[row]}, step {at.step}, agent {at.agent[row]}"
        ) from None


def glimpse_of(decider: LanguageModel, spec: Microspec, questions: Questions, row: int) -> Glimpse:
    """What one row's agent is shown, and what it is asked for."""
    group = spec.population.groups[int(questions.group[row])]
    agent = int(questions.agent[row])
    persona = ""
    if group.personas:
        member = int(spec.population.people().member[agent])
        persona = group.personas[member % len(group.personas)]
    return Glimpse(
        kind=questions.kind,
        options=_options(spec, questions, row),
        heard=_heard(spec, questions, row),
        most=spec.affordances.most if questions.taken is not None else questions.choose.most,
        one_by_one=questions.taken is not None,
        may_decline=questions.choose.may_decline,
        persona=persona,
        instruction=decider.instruction,
        writing=questions.writing,
    )


def _options(spec: Microspec, questions: Questions, row: int) -> tuple[Shown, ...]:
    if questions.labels is None:
        raise AnswerError("a language model was asked about options without labels.")
    how = "codes" if questions.kind is Kind.next else spec.affordances.labels
    words = spec.world.words() if how == "words" else ()
    may = np.ones(questions.items.shape[1], bool)
    if questions.taken is not None:
        may = ~questions.taken.options[row]
    return tuple(
        Shown(
            int(item),
            spelled(how, int(label), words[item] if how == "words" else ""),
            {
                name: float(shown[row, place])
                for name, shown in questions.signals.items()
                if not np.isnan(shown[row, place])
            },
            open=bool(may[place]),
        )
        for place, (item, label) in enumerate(
            zip(questions.items[row], questions.labels[row], strict=True)
        )
        if item >= 0
    )


_CHANNELS: dict[int, Literal["others", "own", "score", "picked", "met", "note", "message"]] = {
    Channel.note: "note",
    Channel.message: "message",
    Channel.picked: "picked",
    Channel.met: "met",
    Channel.others: "others",
    Channel.own: "own",
    Channel.score: "score",
}


def _heard(spec: Microspec, questions: Questions, row: int) -> tuple[Remembered, ...]:
    heard, summed = questions.heard, isinstance(spec.memory, Summary)
    text, name = heard.words("text"), heard.words("name")
    return tuple(
        Remembered(
            _CHANNELS[int(heard.channel[at])],
            int(heard.item[at]),
            int(heard.source[at]),
            int(heard.latency[at]),
            float(heard.value[at]),
            {
                result: float(told[at])
                for result, told in heard.results.items()
                if not np.isnan(told[at])
            },
            summed and _CHANNELS[int(heard.channel[at])] in ("own", "met"),
            str(text[at]),
            str(name[at]),
        )
        for at in range(int(heard.offsets[row]), int(heard.offsets[row + 1]))
    )


def _request(decider: LanguageModel, prompt: Prompt) -> Request:
    parts = (prompt.user[: prompt.recurs], prompt.user[prompt.recurs :])
    messages = (("system", prompt.system), *(("user", part) for part in parts if part))
    if prompt.words:
        most = prompt.words + prompt.words // 2 + 8
        return Request(messages, max_tokens=most, temperature=decider.temperature)
    return Request(
        messages=messages,
        options=prompt.answers,
        temperature=decider.temperature,
        prefix=prompt.begin,
        sampled=decider.readout == "sample",
    )


STATUS = {status.name: status for status in Status}


def _answers(
    decider: LanguageModel, questions: Questions, prompts: list[Prompt], replies: list[Reply]
) -> Answers:
    rows, options = questions.items.shape
    status = np.array([STATUS[reply.status] for reply in replies], np.int8)
    exact = np.array([reply.logprobs is not None for reply in replies])
    if decider.readout == "sample":
        exact &= False
    weights, decline = np.zeros((rows, options)), np.zeros(rows)
    for row in np.flatnonzero(exact & (status == Status.ok)):
        _weigh(questions, replies[row], int(row), weights, decline)
    drawn = draw(questions, weights, decline if questions.choose.may_decline else None)
    picks = drawn.picks
    for row in np.flatnonzero(~exact):
        picks[row] = -1
        choice, may = replies[row].choice, [0]
        if questions.kind is not Kind.judge:
            may = np.flatnonzero(questions.open()[row]).tolist()
        if status[row] == Status.ok and 0 <= choice < len(may):
            picks[row, 0] = may[choice]
    weights[~exact] = np.nan
    return Answers(
        picks=picks,
        weights=weights if exact.any() else None,
        decline=drawn.decline,
        status=status,
        readout=np.where(exact, Readout.exact, Readout.sampled).astype(np.uint8),
        mass=np.array([reply.mass for reply in replies]),
        completions=tuple(reply.text for reply in replies),
        **_told(prompts, replies),
    )


def _told(prompts: list[Prompt], replies: list[Reply]) -> dict[str, Any]:
    """What was told and spent, as columns of the answers."""
    return {
        "prompts": tuple(prompt.text() for prompt in prompts),
        "tokens": np.array([reply.tokens_in + reply.tokens_out for reply in replies], np.int64),
        "notes": tuple(reply.note for reply in replies),
        "reasons": tuple((row, reply.reason) for row, reply in enumerate(replies) if reply.reason),
    }


def _weigh(
    questions: Questions,
    reply: Reply,
    row: int,
    weights: Reals,
    decline: Reals,
) -> None:
    """Enter one reply's distribution; the model has applied the temperature."""
    assert reply.logprobs is not None
    probability = np.exp(reply.logprobs)
    if questions.kind is Kind.judge:
        weights[row, 0] = probability[0]
        return
    there = np.flatnonzero(questions.open()[row])
    weights[row, there] = probability[: len(there)]
    if questions.choose.may_decline:
        decline[row] = probability[len(there)]
