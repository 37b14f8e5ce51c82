"""Any OpenAI-compatible server as a language model: a plain client over chat completions.

If the server gives the log-probabilities of the first token and they settle which option it is, the reply
is an exact readout; else it is the sampled text, read against the options.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from cloudchamber.errors import ModelError, ModelUnreachable
from cloudchamber.models.completion import Completion, reply_of
from cloudchamber.models.model import Reply, Request

__all__ = ["RemoteModel"]

RETRIES = 3
LARGEST = 4_000_000  # bytes of an answer
LONGEST_WAIT = 60.0  # seconds, whatever Retry-After says
_AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)
_DENIED = (401, 403, 404)
# Fields that some servers refuse: left out from then on where a server's complaint names them.
_OPTIONAL = ("top_logprobs", "logprobs", "seed", "temperature")


class _Answer(msgspec.Struct):
    """A server's answer, whatever it is; status 0 for a time-out."""

    status: int
    body: bytes = b""
    retry_after: float | None = None


class RemoteModel:
    """A model behind an OpenAI-compatible address.

    Args:
        model: the server's name for it.
        address: what "/chat/completions" is appended to, e.g. "http://127.0.0.1:8080/v1".
        key: bearer token, "" for none; it appears in no name, message or file.
        concurrency: requests at once.
        timeout: seconds for one attempt.
        sleep, clock: how time passes; tests give their own.

    Raises:
        ModelUnreachable: from `ask`, nothing answers at the address.
        ModelError: an address that is none; from `ask`, the key or the model's name is not accepted.
    """

    exact = False

    def __init__(
        self,
        model: str,
        address: str,
        key: str = "",
        *,
        concurrency: int = 64,
        timeout: float = 120.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not _usable(address):
            raise ModelError(
                "the address of a server was given in a form that is not known; allowed: "
                "http://HOST[:PORT]/v1 or https://..., without a user or key in it."
            )
        if not model or concurrency < 1:
            raise ModelError(
                f"a server was given with the model {model!r} and {concurrency} requests at once; allowed: "
                "openai:NAME@URL with the server's name of a model, and 1 or more."
            )
        self._model, self._address, self._key = model, address.rstrip("/"), key
        self.name = self.fingerprint = f"openai:{model}@{self._address}"
        self._timeout, self._sleep, self._clock = timeout, sleep, clock
        self._slots = asyncio.Semaphore(concurrency)
        self._concurrency = concurrency
        self._session: aiohttp.ClientSession | None = None
        self._refused: set[str] = set()

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """Answer a request; see `Model.ask`. A `prefix` is sent as the beginning of the last message."""
        async with self._slots:
            start = self._clock()
            answer = await self._persist(request, draw)
            reply = self._read(answer, request)
            return replace(reply, seconds=self._clock() - start)

    async def _persist(self, request: Request, draw: int) -> _Answer:
        """Ask until there is an answer, or no more patience."""
        attempt = 0
        while True:
            answer = await self._post(self._payload(request, draw), last=attempt == RETRIES)
            if answer is not None and answer.status == 400 and self._leave_out(answer.body):
                continue
            again = answer is None or answer.status == 0 or answer.status in _AGAIN
            if answer is not None and (not again or attempt == RETRIES):
                return answer
            wait = 0.5 * 2.0**attempt
            if answer is not None and answer.retry_after is not None:
                wait = max(wait, min(answer.retry_after, LONGEST_WAIT))
            attempt += 1
            await self._sleep(wait)

    def _payload(self, request: Request, draw: int) -> dict[str, Any]:
        messages = [{"role": role, "content": "".join(texts)} for role, texts in request.turns()]
        if request.prefix:
            messages.append({"role": "assistant", "content": request.prefix})
        payload: dict[str, Any] = {
            "model": self._model,
            "messages": messages,
            "temperature": request.temperature,
            "seed": draw & 0x7FFFFFFF,  # servers differ in how wide a seed they take
        }
        longest = "max_completion_tokens" if "max_tokens" in self._refused else "max_tokens"
        payload[longest] = request.max_tokens
        if request.options and not request.sampled:
            payload |= {"logprobs": True, "top_logprobs": 20}
        return {field: value for field, value in payload.items() if field not in self._refused}

    def _leave_out(self, complaint: bytes) -> bool:
        """Whether a refused request can be asked again without what the server complains of."""
        said = complaint[:LARGEST].decode(errors="replace")
        if "max_completion_tokens" in said and "max_tokens" not in self._refused:
            self._refused.add("max_tokens")
            return True
        for field in _OPTIONAL:
            if field in said and field not in self._refused:
                self._refused.add(field)
                if field == "logprobs":
                    self._refused.add("top_logprobs")
                return True
        return False

    async def _post(self, payload: dict[str, Any], last: bool) -> _Answer | None:
        """One attempt; None if nothing answers and more attempts follow."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._concurrency),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
                trust_env=True,  # proxies are the user's
            )
        try:
            async with self._session.post(
                f"{self._address}/chat/completions",
                data=msgspec.json.encode(payload),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,  # the key goes to the address that was given, nowhere else
            ) as response:
                body = await _bounded(response.content)
                return _Answer(response.status, body, _seconds(response.headers))
        except TimeoutError:
            return _Answer(0)
        except aiohttp.ClientError as error:
            if not last:
                return None
            raise ModelUnreachable(
                f"{self._address}: no answer ({type(error).__name__}); start the server, or correct "
                "the address in --model openai:NAME@URL."
            ) from error

    def _read(self, answer: _Answer, request: Request) -> Reply:
        if answer.status == 0:
            return Reply(status="timeout", reason=f"no answer within {self._timeout:g} s.")
        if answer.status in _DENIED:
            raise ModelError(
                f"{self._address}: HTTP {answer.status}: the key, the address or the model's name "
                f"{self._model!r} is not accepted; the key is read from CLOUDCHAMBER_API_KEY or "
                "OPENAI_API_KEY."
            )
        if answer.status != 200:
            said = self._hushed(answer.body[:300].decode(errors="replace"))
            return Reply(status="failed", reason=f"HTTP {answer.status}: {said}")
        if len(answer.body) > LARGEST:
            return Reply(status="failed", reason=f"an answer of more than {LARGEST} bytes.")
        try:
            completion = msgspec.json.decode(answer.body, type=Completion)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return Reply(
                status="failed", reason=f"not a chat completion: {self._hushed(str(error))}"
            )
        return reply_of(completion, request)

    def _hushed(self, said: str) -> str:
        return said.replace(self._key, "[key]") if self._key else said

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _usable(address: str) -> bool:
    """Whether it is the address of a server, and holds no user or key."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    """At most one byte more than the largest answer."""
    body = b""
    while len(body) <= LARGEST and (piece := await stream.read(LARGEST + 1 - len(body))):
        body += piece
    return body


def _seconds(headers: Any) -> float | None:
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return None
