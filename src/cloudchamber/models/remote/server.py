"""Any OpenAI-compatible server as a language model: exact choices where it lists tokens, samples elsewhere.

What the server can do is found out before the first question (`capabilities`). A question with options is
answered by its distribution if the server's lists settle it (`scoring`), else by scoring the labels where
the server can, else by a sample, and the reply's note says why.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from cloudchamber.errors import ModelError, Unfinished
from cloudchamber.models.model import Reply, Request
from cloudchamber.models.remote.address import check_address, check_key
from cloudchamber.models.remote.answering import Question
from cloudchamber.models.remote.asking import Asking, Unanswered
from cloudchamber.models.remote.billing import Paying, apart
from cloudchamber.models.remote.capabilities import Capabilities, Heard, probe
from cloudchamber.models.remote.connection import Connection
from cloudchamber.models.remote.wire import Wire

__all__ = ["RemoteModel"]


FORM = "form 2"
"""How servers are asked and read: part of a model's fingerprint, for an answer had in another way is
another answer. To be raised with every change of what is sent or of how answers are read."""


class RemoteModel:
    """A model behind an OpenAI-compatible address.

    Args:
        model: the server's name for it.
        address: what "/chat/completions" is appended to, e.g. "http://127.0.0.1:8080/v1".
        key: bearer token, "" for none; it appears in no name, message, reply or file.
        concurrency: requests at once at most; how many the server takes is found out.
        timeout: seconds for one attempt.
        form: "chat" or "completions"; if None, chat and, where that is not there, completions.
        capabilities: what the server can do, if that is known; else it is found out at the first `ask`.
        sleep, clock, now: how time passes and what the time is; tests give their own.

    Raises:
        ModelUnreachable: from `ask`, nothing answers at the address, everything fails, or the key or the
            model's name is not accepted.
        ModelError: an address or a key that is none.
    """

    exact = False
    pays = True
    """Each attempt is paid from the purse of whoever asks (`billing`)."""

    def __init__(
        self,
        model: str,
        address: str,
        key: str = "",
        *,
        concurrency: int = 64,
        timeout: float = 120.0,
        form: Literal["chat", "completions"] | None = None,
        capabilities: Capabilities | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        check_key(key)
        check_address(address, key)
        if not model or concurrency < 1:
            raise ModelError(
                f"a server was given with the model {model!r} and {concurrency} requests at once; allowed: "
                "openai:NAME@URL with the server's name of a model, and 1 or more."
            )
        address = address.rstrip("/")
        kind = "openai-text" if form == "completions" else "openai"
        self.name = f"{kind}:{model}@{address}"
        self.fingerprint = f"{self.name} ({FORM})"
        self._model, self._form, self._clock = model, form, clock
        connection = Paying(Connection(address, key, concurrency, timeout, now))
        self._asking = Asking(connection, address, model, key, concurrency, timeout, sleep, clock)
        self._wire = (
            None if capabilities is None else Wire(model, capabilities, self._asking.refused)
        )
        self._probing: asyncio.Future[Wire] | None = None

    @property
    def capabilities(self) -> Capabilities | None:
        """What the server can do; None before the first question."""
        if self._wire is None:
            return None
        return replace(self._wire.can, refused=tuple(sorted(self._asking.refused)))

    @property
    def lists(self) -> bool:
        """Whether an answer may be a distribution: as far as is known, it is not unable to."""
        return self._wire is None or bool(self._wire.can.top or self._wire.can.scores)

    @property
    def at_once(self) -> int:
        """Questions worth handing to it at a time: as many as are under way, and as many that wait.

        Whoever may have to stop (a cap, an interrupt) hands over no more, since what is here will be sent.
        """
        return 2 * max(int(self._asking.pace.window), 1)

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """Answer a request; see `Model.ask`. A `prefix` is sent as the beginning of the last message."""
        start = self._clock()
        wire = self._wire
        if wire is None:
            try:
                wire = await self._probed()
            except Unanswered as failure:
                return replace(failure.reply, seconds=self._clock() - start)
        question = Question(self._asking, wire, request, draw, start)
        try:
            return await question.answered()
        except Unanswered as failure:
            return question.account(failure.reply)

    async def _probed(self) -> Wire:
        """What the server can do, found out once however many questions wait for it."""
        if self._probing is None:
            self._probing = asyncio.ensure_future(self._probe())
        try:
            return await asyncio.shield(self._probing)
        except (ModelError, Unanswered, Unfinished):
            self._probing = None  # the next question tries again
            raise

    async def _probe(self) -> Wire:
        apart()
        steps = probe(self._form)
        heard: Heard = None
        try:
            path, payload = next(steps)
            while True:
                heard = await self._asking.tried(path, {"model": self._model} | payload)
                path, payload = steps.send(heard)
        except StopIteration as end:
            found: Capabilities | None = end.value
        if found is None:
            raise self._asking.unusable()
        self._wire = Wire(self._model, found, self._asking.refused)
        return self._wire

    async def close(self) -> None:
        """Close the connections."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)
        await self._asking.connection.close()
