"""What OpenAI-compatible servers answer, chat completions and completions alike, read into one shape.

Knows JSON shapes; no labels and no network.
"""

from collections.abc import Mapping, Sequence
from math import exp, isfinite, isnan

import msgspec

from cloudchamber.models.scoring import Listed

__all__ = ["Malformed", "Said", "read_completion"]

_ROUNDING = 1.01  # probabilities of a list may sum to a little more than one
_NUMBERS = "log-probabilities that are not numbers below zero"
_TOO_MUCH = "log-probabilities that add up to more than one"


class Malformed(ValueError):
    """A body that is no completion; the message says why in a few words."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """What is read of an answer; anything else a server adds is ignored, its id included."""

    text: str
    refusal: str = ""
    """Why the model or the server declines; empty if neither does."""
    listed: Listed | None = None
    """The likeliest first tokens; None if the server gave none."""
    tokens_in: int = 0
    tokens_out: int = 0
    scored: tuple[tuple[tuple[str, float], ...], ...] = ()
    """For each prompt that was scored, its tokens and their log-probabilities."""


class _Token(msgspec.Struct, gc=False):
    token: str
    logprob: float


class _Position(msgspec.Struct, gc=False):
    top_logprobs: list[_Token] | None = None


class _Logprobs(msgspec.Struct, gc=False):
    content: list[_Position] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


class _Message(msgspec.Struct, gc=False):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, gc=False):
    message: _Message | None = None
    text: str | None = None
    index: int = 0
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int = 0
    completion_tokens: int | None = 0


class _Scored(msgspec.Struct, gc=False):
    logprob: float
    decoded_token: str | None = None


class _Completion(msgspec.Struct, gc=False):
    choices: list[_Choice]
    usage: _Usage | None = None
    prompt_logprobs: list[dict[str, _Scored] | None] | None = None


_NO_USAGE = _Usage()
_DECODER = msgspec.json.Decoder(_Completion)


def read_completion(body: bytes) -> Said:
    """Read a body.

    Raises:
        Malformed: not JSON, not a completion, no choices, or log-probabilities that are none.
    """
    try:
        completion = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(f"not a completion: {error}") from None
    if not completion.choices:
        raise Malformed("the server sent no choices")
    choice = completion.choices[0]
    if choice.message is None and choice.text is None:
        raise Malformed("a choice without a message or a text")
    usage = completion.usage or _NO_USAGE
    message = choice.message or _Message(choice.text)
    refusal = message.refusal or ""
    if not refusal and choice.finish_reason == "content_filter":
        refusal = "the server's content filter."
    return Said(
        message.content or "",
        refusal,
        _listed(choice.logprobs) if choice.logprobs is not None else None,
        usage.prompt_tokens,
        usage.completion_tokens or 0,
        _scored(completion),
    )


def _listed(logprobs: _Logprobs) -> Listed | None:
    if logprobs.content:
        top = logprobs.content[0].top_logprobs
        if top:
            return _chances([one.token for one in top], [one.logprob for one in top])
    elif logprobs.top_logprobs and (listed := logprobs.top_logprobs[0]):
        return _chances([*listed], [*listed.values()])
    return None


def _chances(tokens: list[str], scores: list[float]) -> dict[str, float]:
    """Probability of each token; tokens of one spelling, which servers may list twice, together."""
    if not max(scores) <= 1e-3:
        raise Malformed(_NUMBERS)
    chances = list(map(exp, scores))
    whole = sum(chances)
    if not whole <= _ROUNDING:
        raise Malformed(_NUMBERS if isnan(whole) else _TOO_MUCH)
    found = dict(zip(tokens, chances, strict=True))
    if len(found) < len(tokens):
        found = dict.fromkeys(tokens, 0.0)
        for token, chance in zip(tokens, chances, strict=True):
            found[token] += chance
    return found


def _scored(completion: _Completion) -> tuple[tuple[tuple[str, float], ...], ...]:
    if completion.prompt_logprobs is not None:
        return (_finite(_prompt(completion.prompt_logprobs)),)
    found = []
    for choice in sorted(completion.choices, key=lambda one: one.index):
        given = choice.logprobs
        if given is None or given.tokens is None or given.token_logprobs is None:
            return ()
        if len(given.tokens) != len(given.token_logprobs):
            raise Malformed("as many log-probabilities as tokens were expected")
        pairs = zip(given.tokens, given.token_logprobs, strict=True)
        echoed = [(token, 0.0 if score is None else score) for token, score in pairs]
        found.append(_finite(echoed[:-1]))  # the last is the one token that must be generated
    return tuple(found)


def _prompt(positions: Sequence[Mapping[str, _Scored] | None]) -> list[tuple[str, float]]:
    first = [next(iter(position.values())) for position in positions if position]
    return [(one.decoded_token or "", one.logprob) for one in first]


def _finite(pairs: Sequence[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    if any(not isfinite(score) or score > 1e-3 for _, score in pairs):
        raise Malformed(_NUMBERS)
    return tuple(pairs)
