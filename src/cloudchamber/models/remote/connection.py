"""One attempt at one request over HTTP: whatever comes of it is an `Answer`, never an exception.

Knows nothing of completions. The key goes to the address that was given and nowhere else: redirects are
not followed, and no error of the HTTP library, which may hold headers, leaves this module.
"""

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from urllib.request import getproxies

import aiohttp
import msgspec
from yarl import URL

__all__ = ["LARGEST", "Answer", "Connection"]

LARGEST = 4_000_000
"""Bytes of an answer that are read at most."""
TIMED_OUT, UNREACHED, NOBODY = 0, -1, -2
"""In place of a status: no answer in time; a connection that broke; none that could be made."""


class Answer(msgspec.Struct):
    """A server's answer, whatever it is."""

    status: int
    """HTTP's; 0 for a time-out, -1 where nothing answered or the connection broke."""
    body: bytes = b""
    retry_after: float | None = None
    """Seconds that the server asked to wait."""
    trouble: str = ""
    """What broke, in a word, where nothing answered."""


class Connection:
    """Connections to one server.

    Args:
        address: what paths are appended to.
        key: bearer token, "" for none.
        most: connections at once.
        timeout: seconds for one attempt.
        now: seconds since 1970, for a date that a server asks to wait for.
    """

    def __init__(
        self,
        address: str,
        key: str,
        most: int,
        timeout: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._address, self._key = address, key
        self._most, self._timeout, self._now = most, timeout, now
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}

    def __repr__(self) -> str:
        return f"Connection({self._address!r})"

    async def post(self, path: str, body: bytes) -> Answer:
        """Send JSON to a path once."""
        session = self._session or self._opened()
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = URL(self._address + path)
        try:
            response = await session.post(url, data=body, allow_redirects=False)
            # A connection goes back by itself once all is read; `async with` would look after that again.
            try:
                stream = response.content
                received = await stream.read(LARGEST + 1)
                if not stream.at_eof():
                    received = await _bounded(stream, received)
            finally:
                if not response.content.at_eof():
                    response.close()
            wait = None
            if response.status != 200:
                wait = _retry_after(response.headers, self._now)
            return Answer(response.status, received, wait)
        except TimeoutError:
            return Answer(TIMED_OUT)
        except aiohttp.ClientConnectorError as error:
            return Answer(NOBODY, trouble=type(error).__name__)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(UNREACHED, trouble=type(error).__name__)

    def _opened(self) -> aiohttp.ClientSession:
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._most),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            trust_env=bool(getproxies()),  # proxies are the user's; looking for them takes time
        )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


async def _bounded(stream: aiohttp.StreamReader, body: bytes) -> bytes:
    """What has been read and the rest, at most one byte more than the largest answer."""
    while not stream.at_eof() and len(body) <= LARGEST:
        body += await stream.read(LARGEST + 1 - len(body))
    return body


def _retry_after(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    """Seconds of Retry-After, given as such or as a date, which is taken by the server's own clock."""
    given = headers.get("Retry-After", "").strip()
    if not given:
        return None
    try:
        seconds = float(given)
    except ValueError:
        until = _date(given)
        if until is None:
            return None
        sent = _date(headers.get("Date", ""))
        seconds = until - (now() if sent is None else sent)
    return max(0.0, seconds) if isfinite(seconds) else None


def _date(given: str) -> float | None:
    try:
        return parsedate_to_datetime(given).timestamp()
    except (ValueError, OverflowError):
        return None
