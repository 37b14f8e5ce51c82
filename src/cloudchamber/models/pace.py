"""How many requests a server is sent at once, and when to stop asking it altogether.

`Pace` finds a server's capacity: twice as many each round until the first refusal, then slowly up and, at
each refusal, down. `Breaker` opens when nothing works any more. Neither knows HTTP or a clock of its own.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from cloudchamber import randomness

__all__ = ["FAILURES", "Breaker", "Pace", "backoff"]

FIRST = 8
"""Requests at once to begin with."""
FAILURES = 20
"""Failed attempts in a row, over all requests, after which nothing more is asked."""
LONGEST_WAIT = 60.0
"""Seconds, whatever a server asks for."""


def backoff(draw: int, attempt: int, asked_for: float | None) -> float:
    """Seconds before the next attempt: doubling from 0.5 with up to half as much again by the draw.

    What the server asked for (Retry-After) is kept to, up to `LONGEST_WAIT`.
    """
    share = float(randomness.uniforms(randomness.keys(draw, 0, "backoff", step=attempt), 1)[0])
    wait = min(0.5 * 2.0**attempt, LONGEST_WAIT) * (1.0 + share / 2)
    return wait if asked_for is None else max(wait, min(asked_for, LONGEST_WAIT))


class Pace:
    """A window of requests under way that grows with answers and shrinks with refusals (AIMD).

    Args:
        most: the largest window.
        clock: seconds, for what `hold` waits for.
        sleep: how waiting is done.
    """

    def __init__(
        self,
        most: int,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.window = float(min(FIRST, most))
        self.under_way = 0
        self._most, self._clock, self._sleep = most, clock, sleep
        self._edge = float("inf")  # where refusals last began
        self._cuts = 0
        self._cut_since = False  # whether the window was cut and nothing has worked since
        self._until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._emptied: list[asyncio.Future[None]] = []

    async def enter(self, again: bool = False) -> int:
        """Wait for a place; gives the ticket that `congested` wants. A second attempt goes first."""
        if self.under_way >= int(self.window) or self._waiting:
            place = asyncio.get_running_loop().create_future()
            (self._waiting.appendleft if again else self._waiting.append)(place)
            self._wake()
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self.leave()
                raise
        else:
            self.under_way += 1
        if self._until and (left := self._until - self._clock()) > 0:
            try:
                await self._sleep(left)
            except asyncio.CancelledError:
                self.leave()
                raise
        return self._cuts

    def leave(self) -> None:
        """Give the place back."""
        self.under_way -= 1
        self._wake()
        if not self.under_way:
            for waiter in self._emptied:
                if not waiter.done():
                    waiter.set_result(None)
            self._emptied.clear()

    def _wake(self) -> None:
        while self._waiting and self.under_way < int(self.window):
            place = self._waiting.popleft()
            if not place.done():
                self.under_way += 1
                place.set_result(None)

    def worked(self) -> None:
        """An answer came: room for more, if what there is was used."""
        self._cut_since = False
        if self.window >= self._most or self.under_way + 1 < int(self.window):
            return
        beyond = self.window - self._edge
        if self._edge == float("inf"):
            step = 1.0
        elif beyond < 0:  # back to where it went well: half of the way each round
            step = max(1.0, -beyond / 2) / self.window
        else:  # a try now and then, and bolder ones as long as they go well
            step = 0.05 * (1 + beyond) ** 2 / self.window
        self.window = min(self.window + step, float(self._most))

    def congested(self, ticket: int, asked_for: float | None = None) -> None:
        """The server has too much: fewer from now on, and none before the time it asked for.

        Called before `leave`, lest the place go to another first.
        """
        if asked_for is not None:
            self._until = max(self._until, self._clock() + min(asked_for, LONGEST_WAIT))
        if ticket < self._cuts:  # sent before the window was last cut
            return
        first = self._edge == float("inf")
        self._edge = float(max(self.under_way - 1, 1))
        self.window = max(1.0, self._edge * (0.5 if first else 0.7 if self._cut_since else 0.9))
        self._cuts += 1
        self._cut_since = True

    @property
    def least(self) -> bool:
        """Whether only one request at a time is left."""
        return int(self.window) <= 1

    async def emptied(self) -> None:
        """Wait until nothing is under way; who waits for a place is let go, to find the breaker open."""
        self.window = float(max(len(self._waiting) + self.under_way, 1))
        self._wake()
        while self.under_way:
            waiter = asyncio.get_running_loop().create_future()
            self._emptied.append(waiter)
            await waiter


class Breaker:
    """Open once so many attempts in a row have failed; an answer closes it again.

    Args:
        failures: how many.
    """

    def __init__(self, failures: int = FAILURES) -> None:
        self.reason = ""
        """What failed last."""
        self.ever = False
        """Whether anything has worked yet."""
        self._most, self._row = failures, 0

    @property
    def open(self) -> bool:
        """Whether to stop asking."""
        return self._row >= self._most

    def worked(self) -> None:
        """An answer came."""
        self._row, self.ever = 0, True

    def failed(self, reason: str) -> None:
        """An attempt failed."""
        self._row, self.reason = self._row + 1, reason
