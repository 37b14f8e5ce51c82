"""What a server bills, attempt by attempt: for answers that were lost or thrown away too, and for the probe.

Whoever has money to watch puts a purse beside the question; every attempt sets room aside in it before
anything is sent, and settles with what the server says that it took. Knows bytes and JSON's spelling of
usage; no budget and no prices.
"""

import re
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, Protocol

import msgspec

from cloudchamber.models.remote.connection import NOBODY, Answer, Connection

__all__ = ["PURSE", "Paying", "Purse", "apart", "usage"]

UNLIMITED = 4096
"""Tokens of an answer at most, where a request sets no limit."""

_NUMBER = re.compile(rb"\s*:\s*(\d{1,15}|null)\s*[,}]")  # whole: an answer may be cut within


class Purse(Protocol):
    """Where one question's attempts are paid from."""

    async def reserve(self, most_in: int, most_out: int) -> Any:
        """Set room aside for an attempt; what `settle` is to be given.

        Raises:
            Unfinished: there is no room; nothing may be sent.
        """
        ...

    def settle(self, room: Any, told: tuple[int, int] | None) -> None:
        """What an attempt took, tokens in and out; None if nobody says, and it may be all of the room."""
        ...

    def apart(self) -> "Purse":
        """For attempts that are not this question's own."""
        ...


PURSE: ContextVar[Purse | None] = ContextVar("purse", default=None)
"""The purse of the question that is being asked."""


def apart() -> None:
    """Pay what follows, in this context, from the same purse, but not for the question."""
    purse = PURSE.get()
    if purse is not None:
        PURSE.set(purse.apart())


class Paying:
    """A connection whose attempts are paid for.

    Args:
        connection: what carries them; closed with it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def post(self, path: str, body: bytes) -> Coroutine[Any, Any, Answer]:
        """Send JSON to a path once; see `Connection.post`.

        Raises:
            Unfinished: there is no room for it; nothing was sent.
        """
        purse = PURSE.get()
        if purse is None:
            return self._connection.post(path, body)
        return self._paid(purse, path, body)

    async def _paid(self, purse: Purse, path: str, body: bytes) -> Answer:
        room = await purse.reserve(*_most(body))
        told: tuple[int, int] | None = None
        try:
            answer = await self._connection.post(path, body)
            told = usage(answer.body)
            if told is None and (answer.status >= 400 or answer.status == NOBODY):
                told = (0, 0)  # nobody bills what was refused, or never arrived
            return answer
        finally:
            purse.settle(room, told)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()


def usage(body: bytes) -> tuple[int, int] | None:
    """The tokens that a server says it took, in and out, also in a body that is broken otherwise.

    Within a string quotes are escaped, so that a text that speaks of usage is none.
    """
    tokens_in, tokens_out = _last(b'"prompt_tokens"', body), _last(b'"completion_tokens"', body)
    return None if tokens_in is None or tokens_out is None else (tokens_in, tokens_out)


def _most(body: bytes) -> tuple[int, int]:
    """The most tokens that a request can take: a token is at least a byte of it."""
    limits = [_last(name, body) for name in (b'"max_tokens"', b'"max_completion_tokens"')]
    most_out = max(limit or 0 for limit in limits) or UNLIMITED
    if b'"prompt":[' in body:
        most_out *= len(msgspec.json.decode(body)["prompt"])
    return len(body), most_out


def _last(name: bytes, body: bytes) -> int | None:
    """The last number that stands under a name."""
    at = len(body)
    while (at := body.rfind(name, 0, at)) >= 0:
        found = _NUMBER.match(body, at + len(name))
        if found and body[at - 1 : at] != b"\\":
            return 0 if found[1] == b"null" else int(found[1])
    return None
