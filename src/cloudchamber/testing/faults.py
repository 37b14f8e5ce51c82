"""What a server does wrong, by a seeded plan: each fault a way to spoil an honest answer.

Whether a request meets a fault depends on the seed, its body and how often it was sent, never on the order
in which requests arrive. Knows bytes and HTTP; no language model.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.utils import formatdate
from hashlib import sha256

from aiohttp import web

from cloudchamber import randomness

__all__ = ["FAULTS", "REFUSALS", "Plan", "Sleep"]

Sleep = Callable[[float], Awaitable[None]]
Spoil = Callable[[web.Request, bytes, Sleep], Awaitable[web.StreamResponse]]


class Plan:
    """Which request meets which fault.

    Args:
        share: of the requests that meet one, 0 to 1.
        seed: of the plan.
        faults: names out of `FAULTS`; all but "hang" and "giant" if not given.
        mercy: faults in a row that one request meets at most.
    """

    def __init__(
        self,
        share: float = 0.0,
        seed: int = 0,
        faults: Sequence[str] | None = None,
        mercy: int = 10**9,
    ) -> None:
        self.share, self.seed, self.mercy = share, seed, mercy
        self.faults = tuple(faults if faults is not None else _USUAL)
        self.met: Counter[str] = Counter()
        """How often each fault was met."""
        self._sent: Counter[bytes] = Counter()
        self._row: Counter[bytes] = Counter()

    def next(self, body: bytes) -> str:
        """The fault that a request meets this time; "" for none."""
        if not self.share:
            return ""
        which = sha256(body).digest()[:7]
        self._sent[which] += 1
        number = int.from_bytes(which, "big")
        key = randomness.keys(self.seed, 0, "faults", step=self._sent[which], occasion=number)
        chance, kind = randomness.uniforms(key, 2)
        if chance >= self.share or self._row[which] >= self.mercy:
            self._row[which] = 0
            return ""
        self._row[which] += 1
        fault = self.faults[int(kind * len(self.faults))]
        self.met[fault] += 1
        return fault


def _answers(status: int, headers: Mapping[str, str] | None = None, text: str = "") -> Spoil:
    async def spoil(request: web.Request, body: bytes, sleep: Sleep) -> web.StreamResponse:
        return web.Response(status=status, text=text or "a fault", headers=headers)

    return spoil


def _instead(change: Callable[[bytes], bytes], kind: str = "application/json") -> Spoil:
    async def spoil(request: web.Request, body: bytes, sleep: Sleep) -> web.StreamResponse:
        return web.Response(body=change(body), content_type=kind)

    return spoil


async def _late(request: web.Request, body: bytes, sleep: Sleep) -> web.StreamResponse:
    await sleep(5.0)
    return web.Response(body=body, content_type="application/json")


async def _dated(request: web.Request, body: bytes, sleep: Sleep) -> web.StreamResponse:
    headers = {
        "Date": formatdate(1e9, usegmt=True),
        "Retry-After": formatdate(1e9 + 3, usegmt=True),
    }
    return web.Response(status=429, headers=headers)


async def _cut(request: web.Request, body: bytes, sleep: Sleep) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _hung_up(request: web.Request, body: bytes, sleep: Sleep) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def _drip(request: web.Request, body: bytes, sleep: Sleep) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for start in range(0, len(body), 64):
        await response.write(body[start : start + 64])
        await sleep(0.01)
    await response.write_eof()
    return response


async def _hang(request: web.Request, body: bytes, sleep: Sleep) -> web.StreamResponse:
    while request.transport is not None and not request.transport.is_closing():
        await sleep(0.01)
    return web.Response()


def _score(value: str) -> Callable[[bytes], bytes]:
    """Log-probabilities that are none; an answer without any is no JSON besides."""

    def change(body: bytes) -> bytes:
        changed, count = re.subn(rb'("logprob":)[-\d.e]+', rb"\g<1>" + value.encode(), body)
        return changed if count else body[:-1]

    return change


FAULTS: dict[str, Spoil] = {
    "latency": _late,
    "429": _answers(429),
    "429 for 7 s": _answers(429, {"Retry-After": "7"}),
    "429 until": _dated,
    "500": _answers(500),
    "503": _answers(503, {"Retry-After": "1"}),
    "cut": _cut,
    "hung up": _hung_up,
    "malformed": _instead(lambda body: body[: len(body) * 2 // 3]),
    "wrong schema": _instead(lambda body: b'{"choices": {"message": "A"}}'),
    "nan": _instead(_score("NaN")),
    "infinite": _instead(_score("1e999")),
    "positive": _instead(_score("0.7")),
    "drip": _drip,
    "duplicated id": _instead(lambda body: re.sub(rb'"id":"[^"]*"', b'"id":"1"', body)),
    "empty choices": _instead(lambda body: b'{"id":"1","choices":[]}'),
    "wrong type": _instead(lambda body: b"<html>welcome</html>", "text/html"),
    "giant": _instead(lambda body: b"[" + b"0," * 2_500_000 + b"0]"),
    "hang": _hang,
}
"""Name -> what becomes of the honest answer. Of these, latency, drip and duplicated id leave it readable."""

REFUSALS = ("429", "429 for 7 s", "429 until", "500", "503")
"""Faults that come in place of an answer, for which nobody sends a bill."""

_USUAL = tuple(name for name in FAULTS if name not in ("giant", "hang"))
