"""Asking a server until there is an answer, or no more patience: retries, pace, and when to give up.

Knows statuses of HTTP and what a completion is; no labels, no prompts.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from cloudchamber.errors import ModelError, ModelUnreachable
from cloudchamber.models.model import Reply
from cloudchamber.models.remote.billing import Paying
from cloudchamber.models.remote.complaints import Refused, blamed, declined, empty, too_short
from cloudchamber.models.remote.completion import Complaint, Malformed, Said, read_completion
from cloudchamber.models.remote.connection import (
    LARGEST,
    NOBODY,
    TIMED_OUT,
    UNREACHED,
    Answer,
    Connection,
)
from cloudchamber.models.remote.hushing import Hush
from cloudchamber.models.remote.pace import Breaker, Pace, backoff

__all__ = ["Asking", "Unanswered"]

RETRIES = 3
"""Attempts after the first that a fault is given."""
BUSY = 12
"""Attempts that are given to a server that says it has too much."""
TRIED = 8
"""Retries of a request that finds out what the server can do: a fault must not pass for a refusal."""
EARLY = 4.0
"""Seconds between attempts at most, while a server has never answered and does not say that it is busy: who
gave a wrong address or model waits for the word."""

_AGAIN = (408, 409, 425, 500, 502, 503, 504)
_DENIED = (401, 402, 403, 404)
# Fields that some servers refuse: left out from then on where a server's complaint names them.
_OPTIONAL = ("seed", "temperature", "stop", "top_p", "top_k", "min_p", "repetition_penalty")
_NOWHERE = b"No endpoints found"  # OpenRouter's 404, where no provider heeds all that is asked


class Unanswered(Exception):
    """A request that ended without an answer; the reply says how."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Asking:
    """The way to one server.

    Args:
        connection: what carries a single attempt.
        address, model: for messages.
        key: what is never shown.
        most: requests at once at most.
        timeout: seconds of one attempt, for messages.
        sleep, clock: how time passes.
    """

    def __init__(
        self,
        connection: Connection | Paying,
        address: str,
        model: str,
        key: str,
        most: int,
        timeout: float,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self.connection, self.hush = connection, Hush(key)
        self.refused: set[str] = set()
        """Fields that the server refuses."""
        self.pace, self.breaker = Pace(most, clock, sleep), Breaker()
        self._address, self._model, self._timeout = address, model, timeout
        self._sleep, self.clock = sleep, clock
        self._encode = msgspec.json.Encoder().encode
        self._last, self._denial = "", 0

    async def said(self, path: str, payload: dict[str, Any], draw: int) -> Said:
        """What the server says.

        Raises:
            Unanswered: it refused this request, or was asked often enough.
            ModelUnreachable: nothing can be asked any more.
        """
        heard = await self._attempt(path, payload, False)
        if not isinstance(heard, Said):
            heard = await self._persist(path, payload, draw, RETRIES, heard)
        if isinstance(heard, Said):
            return heard
        if self._denies(heard):
            self._denial = heard.status
            await self._give_up()
        raise self._unanswered(heard)

    async def tried(self, path: str, payload: dict[str, Any]) -> Said | Any:
        """What the server says to a request that it may refuse; "absent" where there is no such path."""
        for field in self.refused & payload.keys():
            _drop(payload, field)
        first = await self._attempt(path, payload, False)
        heard = await self._persist(path, payload, 0, TRIED, first)
        if isinstance(heard, Said):
            return heard
        # Who has answered already refuses this and not everything: OpenAI's word for log-probabilities that
        # reasoning models have none of is 403.
        if (
            self._denies(heard)
            and heard.status != 404
            and not (heard.status == 403 and self.breaker.ever)
        ):
            raise self._denied(heard.status)
        if (heard.status == 404 and _NOWHERE not in heard.body) or (
            heard.status == 400 and b"chat template" in heard.body
        ):
            self._last = f"HTTP {heard.status}"
            return "absent"
        if heard.status in (UNREACHED, NOBODY) and not self.breaker.ever:
            raise self._unreachable(heard.trouble)
        self._last = self._told(heard)
        return Refused(heard.body)

    def unusable(self) -> ModelError:
        """The error for a server that answers none of the requests that would tell what it can do."""
        if self._last == "HTTP 404":
            return self._denied(404)
        return ModelUnreachable(
            f"{self._address}: the server answers neither as chat nor as completions: {self._last}. "
            "Correct the address or the model's name in --model openai:NAME@URL, or mend the server."
        )

    async def _persist(
        self, path: str, payload: dict[str, Any], draw: int, retries: int, heard: Said | Answer
    ) -> Said | Answer:
        """What is said in the end, after a first attempt."""
        attempt = busy = 0
        left: list[str] = []
        while isinstance(heard, Answer):
            if heard.status in (400, 422) and (fields := _leave_out(heard.body, payload)):
                left += fields
            elif why := declined(heard.status, heard.body):
                return Said("", self.hush(why))
            else:
                self._count(heard)
                if not self._passes(heard):
                    return heard
                if heard.status == 429:
                    busy += 1
                else:
                    attempt += 1
                if heard.status == NOBODY and not self.breaker.ever:
                    retries = min(retries, RETRIES)  # that need not be found out again
                if attempt > retries or busy > BUSY:
                    return heard
                if not self.breaker.open:  # which ends it, once what is under way has ended
                    await self._sleep(self._wait(heard, draw, attempt, busy))
            heard = await self._attempt(path, payload, attempt + busy > 0)
        self.refused.update(left)
        return heard

    def _wait(self, heard: Answer, draw: int, attempt: int, busy: int) -> float:
        """Seconds before the next attempt."""
        if heard.status == 429 and not attempt:
            return self.pace.again(draw, busy - 1, heard.retry_after)
        wait = backoff(draw, attempt + busy - 1, heard.retry_after)
        busy_or_starting = heard.status in (429, 503) or heard.retry_after is not None
        return wait if self.breaker.ever or busy_or_starting else min(wait, EARLY)

    async def _attempt(self, path: str, payload: dict[str, Any], again: bool) -> Said | Answer:
        """One attempt, at the server's pace."""
        pace = self.pace
        if not pace.take():
            await pace.enter(again)
        if self.breaker.open or self._denial:
            pace.leave()
            await self._give_up()
        ticket, start = pace.ticket, self.clock()
        try:
            answer = await self.connection.post(path, self._encode(payload))
            if answer.status in (429, 503):
                pace.refused(answer.retry_after)
            elif answer.status == TIMED_OUT:
                pace.slowed(ticket)
        finally:
            pace.leave()
        if answer.status != 200:
            cut = too_short(answer.status, answer.body)
            return Said("", thought=True, cut=True) if cut else answer
        try:
            if len(answer.body) > LARGEST:
                raise Malformed(f"an answer of more than {LARGEST} bytes")
            said = read_completion(answer.body)
        except Complaint as complaint:
            if complaint.status in (429, 503):
                pace.refused()
            return Answer(complaint.status, answer.body)
        except Malformed as error:
            return Answer(200, trouble=self.hush(str(error)))
        pace.worked(self.clock() - start)
        self.breaker.worked()
        return said

    def _denies(self, heard: Answer) -> bool:
        """Whether no request at all will be answered."""
        if heard.status == 429:
            return empty(heard.body)
        return heard.status in _DENIED and _NOWHERE not in heard.body

    def _passes(self, heard: Answer) -> bool:
        """Whether what went wrong may go right another time."""
        if heard.status == 429:
            return not empty(heard.body)
        return heard.status in (*_AGAIN, 200, TIMED_OUT, UNREACHED, NOBODY)

    def _count(self, heard: Answer) -> None:
        """Tell the breaker of a fault."""
        # A server that has too much is not one that fails, until it refuses even one request at a time.
        if heard.status != 429 or self.pace.alone:
            self.breaker.failed(self._told(heard))

    async def _give_up(self) -> None:
        reason = self.breaker.reason
        await self.pace.emptied()  # what is under way is kept
        if self._denial:
            raise self._denied(self._denial)
        raise ModelUnreachable(
            f"{self._address}: nothing was answered any more, the last of many attempts: {reason}. "
            "What was answered is kept: mend that or wait, and run the same again."
        )

    def _unanswered(self, heard: Answer) -> Exception:
        if heard.status == TIMED_OUT:
            return Unanswered(Reply(status="timeout", reason=self._told(heard) + "."))
        if heard.status in (UNREACHED, NOBODY) and not self.breaker.ever:
            return self._unreachable(heard.trouble)
        return Unanswered(Reply(status="failed", reason=self._told(heard)))

    def _told(self, heard: Answer) -> str:
        """What went wrong, in a few words and without the key."""
        if heard.status == TIMED_OUT:
            return f"no answer within {self._timeout:g} s"
        if heard.status in (UNREACHED, NOBODY):
            return f"no answer ({heard.trouble})"
        if heard.status == 200:
            return heard.trouble[:300]
        # The key is taken out before the text is cut, which could leave a part of it.
        said = self.hush(heard.body[:65536].decode(errors="replace")).strip()
        return f"HTTP {heard.status}: {said[:300]}" if said else f"HTTP {heard.status}"

    def _unreachable(self, trouble: str) -> ModelUnreachable:
        return ModelUnreachable(
            f"{self._address}: no answer ({trouble}); start the server, or correct "
            "the address in --model openai:NAME@URL."
        )

    def _denied(self, status: int) -> ModelUnreachable:
        causes = {402: "the account is empty", 429: "the account is empty"}
        cause = causes.get(
            status, f"the key, the address or the model's name {self._model!r} is not accepted"
        )
        return ModelUnreachable(
            f"{self._address}: HTTP {status}: {cause}; the key is read from CLOUDCHAMBER_API_KEY, "
            "OPENAI_API_KEY or the file named by CLOUDCHAMBER_API_KEY_FILE."
        )


def _leave_out(complaint: bytes, payload: dict[str, Any]) -> list[str]:
    """Change a refused request so that it can be sent without what is complained of; the fields left out."""
    fields = blamed(complaint, [field for field in payload if field in (*_OPTIONAL, "max_tokens")])
    for field in fields:
        _drop(payload, field)
    return fields


def _drop(payload: dict[str, Any], field: str) -> None:
    value = payload.pop(field)
    if field == "max_tokens":
        payload["max_completion_tokens"] = value
