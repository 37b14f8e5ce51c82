"""A chat completion, as OpenAI-compatible servers write it, read as a reply.

Knows JSON shapes and labels; no network.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloudchamber.models.model import Reply, Request
from cloudchamber.models.parsing import read_text

__all__ = ["Completion", "reply_of"]

UNCOVERED = 1e-3
"""Probability outside the listed tokens that is small enough to call a readout exact."""


class _Token(msgspec.Struct):
    token: str
    logprob: float


class _Position(msgspec.Struct):
    top_logprobs: list[_Token] | None = None


class _Logprobs(msgspec.Struct):
    content: list[_Position] | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Completion(msgspec.Struct):
    """The parts of an answer that are read; anything else a server adds is ignored."""

    choices: list[_Choice]
    usage: _Usage | None = None


def reply_of(completion: Completion, request: Request) -> Reply:
    """Read a completion against a request: exact if the first token settles it, else the text."""
    usage = completion.usage or _Usage()
    if completion.choices:
        reply = _reply(completion.choices[0], request)
    else:
        reply = Reply(status="failed", reason="the server sent no choices.")
    return replace(reply, tokens_in=usage.prompt_tokens, tokens_out=usage.completion_tokens)


def _reply(choice: _Choice, request: Request) -> Reply:
    text = choice.message.content or ""
    if choice.message.refusal or choice.finish_reason == "content_filter":
        reason = choice.message.refusal or "the server's content filter."
        return Reply(status="refused", text=text, reason=reason)
    positions = (choice.logprobs.content if choice.logprobs else None) or []
    top = positions[0].top_logprobs if positions else None
    exact = _distribution(top, request.options) if top and not request.sampled else None
    if exact is not None:
        scores, mass = exact
        return Reply(logprobs=_tempered(scores, request.temperature), mass=mass)
    return Reply(**read_text(text, request.options))


def _distribution(
    top: Sequence[_Token], options: Sequence[str]
) -> tuple[NDArray[np.float64], float] | None:
    """Probabilities of the options by the first token, and their sum; None if that does not settle it.

    A token counts for the label it equals but for spaces around it. What is not listed, or is the
    beginning of a label of several tokens, may belong to any label: it must be less than `UNCOVERED`, or
    nothing where every label is listed whole.
    """
    places = {label.strip(): place for place, label in enumerate(options)}
    if len(places) < len(options) or any(
        a != b and b.startswith(a) for a in places for b in places
    ):
        return None
    found = np.zeros(len(options))
    beginnings = 0.0
    for token in top:
        plain, probability = token.token.strip(), float(np.exp(token.logprob))
        if plain in places:
            found[places[plain]] += probability
        elif any(label.startswith(plain) for label in places):
            beginnings += probability
    unlisted = max(0.0, 1.0 - sum(float(np.exp(token.logprob)) for token in top))
    open_to = beginnings + (0.0 if found.all() else unlisted)
    if not found.any() or open_to > UNCOVERED:
        return None
    return found, float(min(found.sum(), 1.0))


def _tempered(found: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Log of the distribution over the options; servers report it at temperature 1."""
    with np.errstate(divide="ignore"):
        scores = np.log(found)
    if temperature == 0.0:
        scores = np.where(np.arange(len(scores)) == scores.argmax(), 0.0, -np.inf)
    else:
        scores = scores / temperature
    scores -= scores.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()))
