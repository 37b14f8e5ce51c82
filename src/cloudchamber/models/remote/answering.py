"""One question to a server: by its distribution where that can be had, else by a sample, with a note why.

Knows the lists, scores and texts that a server gives; not how it is reached.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from math import exp

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloudchamber.models.model import Reply, Request
from cloudchamber.models.parsing import CUT, read_text
from cloudchamber.models.remote.asking import Asking
from cloudchamber.models.remote.completion import Said
from cloudchamber.models.remote.wire import Wire
from cloudchamber.models.scoring import (
    MOST,
    UNCOVERED,
    Settled,
    apart,
    at_once,
    distribution,
    settle,
    spelled,
)

__all__ = ["REPAIRS", "Question"]

REPAIRS = 1
"""Times that an answer which names no option is asked for again."""


class Question:
    """One request on its way to a reply, and the tokens it has taken.

    Args:
        asking: the way to the server.
        wire: what is sent to it.
        request: the request.
        draw: address of the draw.
        start: when it was asked, by the asking's clock.
    """

    __slots__ = (
        "_asking",
        "_draw",
        "_notes",
        "_repairs",
        "_request",
        "_start",
        "_tokens_in",
        "_tokens_out",
        "_wire",
    )

    def __init__(
        self, asking: Asking, wire: Wire, request: Request, draw: int, start: float
    ) -> None:
        self._asking, self._wire, self._request, self._draw = asking, wire, request, draw
        self._start = start
        self._tokens_in = self._tokens_out = self._repairs = 0
        self._notes: list[str] = []

    async def answered(self) -> Reply:
        """Exactly if that can be, else by a sample.

        Raises:
            Unanswered: the server gave none.
        """
        request, can = self._request, self._wire.can
        if request.options and not request.sampled:
            found: Reply | str = "no log-probabilities"
            if can.thinks and (can.continues == "no" or not request.prefix):
                found = "the model thinks before it answers"
            elif can.top or can.scores:
                found = await self._exact()
            if isinstance(found, Reply):
                return found if found.logprobs is not None else self.account(found)
            self._notes.append(f"sampled: {found}.")
        schema = can.schema and not can.top and bool(request.options)
        return self.account(await self._sampled(schema))

    def account(self, reply: Reply) -> Reply:
        """A reply without a distribution, with what it took and how it was had."""
        return self._accounted(
            None, reply.mass, reply.text, reply.choice, reply.status, reply.reason
        )

    def _accounted(
        self,
        logprobs: NDArray[np.float64] | None,
        mass: float,
        text: str = "",
        choice: int = -1,
        status: str = "ok",
        reason: str = "",
    ) -> Reply:
        return Reply(
            logprobs,
            mass,
            text,
            choice,
            status,
            reason,
            self._tokens_in,
            self._tokens_out,
            self._asking.clock() - self._start,
            " ".join(self._notes),
            self._repairs,
        )

    async def _said(self, payload: dict[str, object]) -> Said:
        said = await self._asking.said(self._wire.path, payload, self._draw)
        self._tokens_in += said.tokens_in
        self._tokens_out += said.tokens_out
        return said

    async def _exact(self) -> Reply | str:
        """The distribution over the options, or why it cannot be had."""
        options, can = self._request.options, self._wire.can
        found: Settled | Reply | str = "the server lists no tokens"
        if can.top and not (places := apart(options)):
            found = "labels that differ by spaces only"
        elif can.top:
            first = await self._said(self._wire.listed(self._request, ""))
            if first.listed is not None and not first.refusal:
                plainly = at_once(places, first.listed)
                if plainly is not None:
                    return self._reply(plainly, min(sum(plainly), 1.0))
            found = await self._settled(first)
        if isinstance(found, Settled):
            if not found.why:
                if found.spaces and found.spaces > UNCOVERED * found.mass:
                    share = found.spaces / found.mass
                    self._notes.append(
                        f"left out: answers that go on with spaces after a space, {share:.1%} "
                        "as likely as those found."
                    )
                return self._reply(found.found, found.mass)
            found = found.why
        if can.scores and isinstance(found, str):
            if _begun_by_another(options):
                return f"{found}; a label begins another, so none can be scored by itself"
            return await self._scored()
        return found

    def _reply(self, found: list[float], mass: float) -> Reply:
        self._note_unbegun(False)
        return self._accounted(distribution(found, self._request.temperature), mass)

    async def _settled(self, first: Said) -> Settled | Reply | str:
        """What the lists come to, beginning with the first."""
        can = self._wire.can
        options, most = self._request.options, MOST
        if can.scores and not _begun_by_another(options):  # where scoring them takes fewer
            most = len(options) if can.form == "chat" else 1
        search = settle(options, can.top, can.continues != "no", most)
        try:
            next(search)
            said = [first]
            while True:
                lists = []
                for one in said:
                    if one.refusal:
                        return self._read(one, False)
                    if one.listed is None:
                        return "the server listed no tokens this time"
                    lists.append(one.listed)
                wave = search.send(lists)
                payloads = [self._wire.listed(self._request, begun) for begun in wave]
                said = await _all(map(self._said, payloads))
        except StopIteration as end:
            settled: Settled = end.value
            return settled

    async def _scored(self) -> Reply | str:
        """The labels' own log-probabilities, token by token."""
        options = self._request.options
        payloads = self._wire.scored(self._request, options)
        said = await _all(map(self._said, payloads))
        scored = [tokens for one in said for tokens in one.scored]
        if len(scored) != len(options):
            return "the server scored no labels this time"
        scores = [spelled(tokens, label) for tokens, label in zip(scored, options, strict=True)]
        if any(score is None for score in scores):
            return "the tokens that were scored do not spell the labels"
        found = [exp(score) for score in scores if score is not None]
        if not 0 < sum(found) < 1.01:
            return "the labels' scores do not make sense"
        return self._reply(found, min(sum(found), 1.0))

    def _note_unbegun(self, schema: bool) -> None:
        if self._request.prefix and (schema or self._wire.can.continues == "no"):
            self._notes.append(
                "the answer was not begun for the model, as the server does not go on with it."
            )

    async def _sampled(self, schema: bool) -> Reply:
        """A text that names an option, asked for again if it does not; free text is taken as it is."""
        request, wire = self._request, self._wire
        self._note_unbegun(schema)
        if request.temperature != 1.0 and not wire.heeds("temperature"):
            self._notes.append("drawn at the server's own temperature, as it refuses any other.")
        said = await self._said(wire.sampled(request, self._draw, schema=schema))
        if not wire.can.thinks and _lost_in_thought(said):
            self._notes.append("it was given room to think.")
            said = await self._said(wire.sampled(request, self._draw, schema=schema, thinks=True))
        if _lost_in_thought(said):
            reason = "the model was still thinking when its answer was cut off."
            return Reply(status="unparseable", reason=reason)
        if said.cut and not request.options:
            self._notes.append(CUT)
        reply = self._read(said, schema)
        while reply.status == "unparseable" and request.options and self._repairs < REPAIRS:
            self._repairs += 1
            payload = wire.sampled(request, self._draw, reply.text, schema)
            reply = self._read(await self._said(payload), schema)
        if self._repairs and reply.status == "ok":
            self._notes.append("repaired: the first answer named none of the options.")
        return reply

    def _read(self, said: Said, schema: bool) -> Reply:
        # llama.cpp's server repeats what was begun for it.
        text = self._asking.hush(said.text.removeprefix(self._request.prefix.rstrip()))
        if said.refusal:
            return Reply(status="refused", text=text, reason=self._asking.hush(said.refusal)[:300])
        if schema:
            try:
                answer = msgspec.json.decode(text, type=_Structured).answer
            except msgspec.MsgspecError:
                answer = ""
            if answer in self._request.options:
                return Reply(text=text, choice=self._request.options.index(answer))
        return Reply(**read_text(text, self._request))


def _begun_by_another(options: Sequence[str]) -> bool:
    order = sorted(option.strip() for option in options)
    return any(map(str.startswith, order[1:], order))


def _lost_in_thought(said: Said) -> bool:
    return said.cut and not said.refusal and not said.text.strip()


async def _all(asking: Iterable[Awaitable[Said]]) -> list[Said]:
    """What is said to several; where one fails, once none of the others is under way any more."""
    heard = await asyncio.gather(*asking, return_exceptions=True)
    said = [one for one in heard if isinstance(one, Said)]
    for one in heard:
        if isinstance(one, BaseException):
            raise one
    return said


class _Structured(msgspec.Struct):
    answer: str
