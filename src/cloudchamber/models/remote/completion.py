"""What OpenAI-compatible servers answer, chat completions and completions alike, read into one shape.

Servers differ in how they spell tokens, in what they write for a probability of zero, and in where they put
what a model thinks before it answers. Knows JSON shapes; no labels and no network.
"""

import re
from collections.abc import Mapping, Sequence
from math import exp, isfinite, isnan
from typing import cast

import msgspec

from cloudchamber.models.remote.failures import Complaint, Failure, Malformed, complain, complaint
from cloudchamber.models.scoring import Listed

__all__ = ["Complaint", "Malformed", "Said", "read_completion"]

_ROUNDING = 1.01  # probabilities of a list may sum to a little more than one
_NUMBERS = "log-probabilities that are not numbers below zero"
_TOO_MUCH = "log-probabilities that add up to more than one"


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
    thought: bool = False
    """Whether the model was heard to think before it answered."""
    cut: bool = False
    """Whether it was stopped at the longest answer allowed."""
    routed: bool = False
    """Whether it was passed on to one of several providers (OpenRouter)."""


class _Token(msgspec.Struct, gc=False):
    token: str
    logprob: float | None  # null for what is known to be unlikely, and no more


class _Position(msgspec.Struct, gc=False):
    top_logprobs: list[_Token] | None = None


class _Logprobs(msgspec.Struct, gc=False):
    content: list[_Position] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float | None] | None] | None = None


class _Part(msgspec.Struct, gc=False):
    type: str = "text"
    text: str | None = None


class _Message(msgspec.Struct, gc=False):
    content: str | list[_Part] | None = None
    refusal: str | None = None
    reasoning: str | None = None  # Ollama, OpenRouter, vLLM
    reasoning_content: str | None = None  # SGLang, llama.cpp, LM Studio, DeepSeek


class _Choice(msgspec.Struct, gc=False):
    message: _Message | None = None
    text: str | None = None
    index: int = 0
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None
    error: Failure | str | None = None


class _Details(msgspec.Struct, gc=False):
    reasoning_tokens: int | None = 0


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    completion_tokens_details: _Details | None = None


class _Scored(msgspec.Struct, gc=False):
    logprob: float
    decoded_token: str | None = None


class _Completion(msgspec.Struct, gc=False):
    choices: list[_Choice]
    usage: _Usage | None = None
    prompt_logprobs: list[dict[str, _Scored] | None] | None = None
    provider: str | None = None


_NO_USAGE = _Usage()
_DECODER = msgspec.json.Decoder(_Completion)
_INFINITE = re.compile(rb"(:\s*)-Infinity\b")  # Python's own JSON writes it so


def read_completion(body: bytes) -> Said:
    """Read a body.

    Raises:
        Complaint: it tells of a failure.
        Malformed: not JSON, not a completion, no choices, or log-probabilities that are none.
    """
    try:
        completion = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        complain(body)
        try:
            completion = _DECODER.decode(_INFINITE.sub(rb"\g<1>-1e4", body))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Malformed(f"not a completion: {error}") from None
    if not completion.choices:
        complain(body)
        raise Malformed("the server sent no choices")
    choice = completion.choices[0]
    if choice.error is not None or choice.finish_reason == "error":
        raise complaint(choice.error)
    if choice.message is None and choice.text is None:
        raise Malformed("a choice without a message or a text")
    return _read(completion, choice)


def _read(completion: _Completion, choice: _Choice) -> Said:
    usage = completion.usage or _NO_USAGE
    message = choice.message or _Message(choice.text)
    refusal = message.refusal or ""
    if not refusal and choice.finish_reason == "content_filter":
        refusal = "the server's content filter."
    written = message.content or ""
    silent = isinstance(written, str)
    if isinstance(written, list):
        silent = all(part.type == "text" for part in written)
        written = "".join([part.text or "" for part in written if part.type == "text"])
    text = _spoken(written)
    details = usage.completion_tokens_details
    return Said(
        text,
        refusal,
        _listed(choice.logprobs) if choice.logprobs is not None else None,
        usage.prompt_tokens or 0,
        usage.completion_tokens or 0,
        _scored(completion),
        text is not written
        or not silent
        or bool(message.reasoning or message.reasoning_content)
        or bool(details is not None and details.reasoning_tokens),
        choice.finish_reason == "length",
        completion.provider is not None,
    )


def _spoken(text: str) -> str:
    """A text without what the model thought before it, which some servers leave in; the very same if nothing.

    Thoughts that do not end are all there is.
    """
    if "</think>" in text:
        return text.rpartition("</think>")[2].lstrip()
    return "" if text.lstrip().startswith("<think>") else text


def _listed(logprobs: _Logprobs) -> Listed | None:
    if logprobs.content:
        top = logprobs.content[0].top_logprobs or ()
        tokens, scores = [one.token for one in top], [one.logprob for one in top]
    elif logprobs.top_logprobs and (listed := logprobs.top_logprobs[0]):
        tokens, scores = [*listed], [*listed.values()]
    else:
        return None
    known = cast(list[float], scores)
    if None in scores:
        tokens = [token for token, score in zip(tokens, scores, strict=True) if score is not None]
        known = [score for score in scores if score is not None]
    tokens = _worded(tokens)
    return _chances(tokens, known) if tokens else None


_MARKS = str.maketrans({"\u0120": " ", "\u2581": " ", "\u010a": "\n"})
"""How vocabularies write spaces and line breaks: byte-level BPE's marks and SentencePiece's."""
_MARKED = re.compile("[\u0120\u2581\u010a]")
_NUMBERED = re.compile(r"token_id:\d+")


def _worded(tokens: list[str]) -> list[str]:
    """Tokens as text, where they came as a vocabulary writes them; none where they are only numbered."""
    joined = "\0".join(tokens)
    if joined.startswith("token_id:") and _NUMBERED.match(joined):  # --return-tokens-as-token-ids
        return []
    if joined.isascii():
        return tokens
    if _MARKED.search(joined) and "\0 " not in "\0" + joined:  # beside spaces they are letters
        return joined.translate(_MARKS).split("\0")
    return tokens


def _chances(tokens: list[str], scores: list[float]) -> dict[str, float]:
    """Probability of each token; tokens of one spelling, which servers may list twice, together."""
    if not max(scores, default=0.0) <= 1e-3:
        raise Malformed(_NUMBERS)
    chances = list(map(exp, scores))
    whole = sum(chances)
    if not whole <= _ROUNDING:
        raise Malformed(_NUMBERS if isnan(whole) else _TOO_MUCH)
    found = dict(zip(tokens, chances))  # noqa: B905 (as many of both)
    if len(found) < len(tokens):
        found = dict.fromkeys(tokens, 0.0)
        for token, chance in zip(tokens, chances, strict=True):
            found[token] += chance
    return found


def _scored(completion: _Completion) -> tuple[tuple[tuple[str, float], ...], ...]:
    if completion.prompt_logprobs is not None:
        return (_finite(_prompt(completion.prompt_logprobs)),)
    first = completion.choices[0].logprobs
    if first is None or first.tokens is None:
        return ()
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
