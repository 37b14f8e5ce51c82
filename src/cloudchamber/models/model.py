"""What a language model is to the rest: something that is asked one request and gives one reply.

This module knows no engine, server or file; it is the socket they all fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import ModelError

__all__ = ["STATUSES", "Model", "Reply", "Request", "abilities", "pack", "unpack"]

ROLES = ("system", "user", "assistant")
STATUSES = ("ok", "refused", "unparseable", "timeout", "failed")


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a language model.

    Consecutive messages of one role are one turn: their texts are joined as they stand. The seam tells
    the embedded model where a beginning shared with other requests ends, so that it is computed once.

    Raises:
        ModelError: an unknown role, an option that is empty or given twice, a number out of range.
    """

    messages: tuple[tuple[str, str], ...]
    """(role, text) pairs; a role is system, user or assistant."""
    options: tuple[str, ...] = ()
    """Labels of the allowed answers, in the order of the reply's `logprobs`; () asks for free text."""
    max_tokens: int = 16
    """Longest sampled answer or free text, in tokens; an exact readout has no use for it."""
    temperature: float = 1.0
    """Divides the logits of each token; 0 gives all probability to the likeliest."""
    prefix: str = ""
    """Text the assistant's answer is made to begin with; a space at its end belongs to it."""
    sampled: bool = False
    """Whether options are to be answered by a sampled text even where the distribution can be read."""

    def __post_init__(self) -> None:
        if not self.messages:
            raise ModelError("messages: () was given; a request needs at least one (role, text).")
        for role, _ in self.messages:
            if role not in ROLES:
                raise ModelError(f"messages: role {role!r} was given; allowed: {', '.join(ROLES)}.")
        if "" in self.options or len(set(self.options)) != len(self.options):
            raise ModelError(f"options: labels must be distinct and not empty, not {self.options}.")
        if self.max_tokens < 1:
            raise ModelError(f"max_tokens: {self.max_tokens} was given; allowed: 1 or more.")
        if not 0.0 <= self.temperature < float("inf"):
            raise ModelError(f"temperature: {self.temperature} was given; allowed: 0 or more.")

    def turns(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The conversation as (role, texts): consecutive messages of one role are one turn."""
        turns: list[tuple[str, tuple[str, ...]]] = []
        for role, text in self.messages:
            if turns and turns[-1][0] == role:
                turns[-1] = (role, (*turns[-1][1], text))
            else:
                turns.append((role, (text,)))
        return tuple(turns)

    def key(self) -> str:
        """64 hex digits of everything that can change the answer; stable across versions of Python."""
        return sha256(msgspec.json.encode(self)).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a language model answered, or why it did not."""

    logprobs: NDArray[np.float64] | None = field(default=None, compare=False)
    """Shape (options,): log of the answer distribution, normalised over the options; None if sampled."""
    mass: float = float("nan")
    """Probability the model put on valid answers before normalising; NaN if unknown."""
    text: str = ""
    """The sampled text, free text as `trace.texts.written` leaves it; empty for an exact readout."""
    choice: int = -1
    """The option that a sampled text names; -1 if none does, and for exact readouts."""
    status: str = "ok"
    """ok, refused, unparseable, timeout or failed."""
    reason: str = ""
    """Why the status is not ok; one sentence."""
    tokens_in: int = 0
    """Tokens of the prompt."""
    tokens_out: int = 0
    """Tokens of the answer; 0 for an exact readout."""
    seconds: float = 0.0
    """Time the answer took, as measured by whoever answered; not part of the result."""
    note: str = ""
    """How an answer was had where that is not plain: why it is a sample, or that it was repaired."""
    repairs: int = 0
    """Times it was asked again because an answer named none of the options."""


class Model(Protocol):
    """A language model: asked a request, it gives a reply.

    `ask` returns failures of one request as a reply with a status; it raises `ModelError` only where no
    request can be answered (no such server, a worker that died).
    """

    name: str
    """What the user called it, e.g. "embedded" or "openai:NAME@URL"."""
    fingerprint: str
    """Whatever tells its answers from another model's: weights, engine, address; never a key."""
    exact: bool
    """Whether it answers options by their exact distribution; a server may do so for some only."""

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """Answer a request.

        Args:
            request: the question.
            draw: 63-bit address of the draw: seeds a sampled answer; exact readouts ignore it.
        """
        ...

    async def close(self) -> None:
        """Let go of processes, connections and files; asking again afterwards is an error."""
        ...


def abilities(models: Mapping[str, Model]) -> dict[str, str]:
    """What was found out of servers, in words, by the models' names; of others there is nothing to find."""
    found = {name: getattr(model, "capabilities", None) for name, model in models.items()}
    return {name: can.aloud() for name, can in found.items() if can is not None}


def pack(reply: Reply) -> bytes:
    """A reply as JSON, for a file or a pipe; minus infinity and NaN become null."""
    values = {name: getattr(reply, name) for name in _PACKED}
    if reply.logprobs is not None:
        values["logprobs"] = [x if np.isfinite(x) else None for x in reply.logprobs.tolist()]
    return msgspec.json.encode(values)


def unpack(data: bytes) -> Reply:
    """The reply that `pack` wrote.

    Raises:
        ModelError: not the JSON of a reply.
    """
    try:
        packed = msgspec.json.decode(data, type=_Packed)
    except msgspec.MsgspecError as error:
        raise ModelError(f"not a stored reply: {data[:80]!r} ({error}).") from error
    values = {name: getattr(packed, name) for name in _PACKED}
    values["mass"] = np.nan if packed.mass is None else packed.mass
    if packed.logprobs is not None:
        values["logprobs"] = np.array([-np.inf if x is None else x for x in packed.logprobs])
    return Reply(**values)


class _Packed(msgspec.Struct):
    logprobs: list[float | None] | None
    mass: float | None
    text: str
    choice: int
    status: str
    reason: str
    tokens_in: int
    tokens_out: int
    seconds: float
    note: str = ""
    repairs: int = 0


_PACKED = _Packed.__struct_fields__
