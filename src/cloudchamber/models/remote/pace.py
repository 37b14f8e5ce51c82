"""How many requests a server is sent at once, and when to stop asking it altogether.

`Pace` finds a server's capacity: twice as many each round until the first refusal, then as many as were not
refused, with a try at one more now and then. `Breaker` opens when nothing works any more. Neither knows
HTTP or a clock of its own.
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
FIRST_WAIT = 0.5
"""Seconds before the second attempt, at most half as much again."""
CONTENT = 20
"""Times as long as a server made us wait, that its limit is not tried again."""
LONGEST_WAIT = 60.0
"""Seconds, whatever a server asks for."""


def backoff(draw: int, attempt: int, asked_for: float | None, first: float = FIRST_WAIT) -> float:
    """Seconds before the next attempt: doubling from `first` with up to half as much again by the draw.

    What the server asked for (Retry-After) is kept to, up to `LONGEST_WAIT`.
    """
    share = float(randomness.uniforms(randomness.keys(draw, 0, "backoff", step=attempt), 1)[0])
    wait = min(first * 2.0**attempt, LONGEST_WAIT) * (1.0 + share / 2)
    return wait if asked_for is None else max(wait, min(asked_for, LONGEST_WAIT))


class Pace:
    """A window of requests under way that grows with answers and shrinks with refusals.

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
        self.usual = FIRST_WAIT
        """Seconds that an answer takes of late."""
        self._most, self._clock, self._sleep = most, clock, sleep
        self._edge = float("inf")  # where refusals last began
        self._good = self.window  # at the last answer
        self._cuts = self._alone = 0
        self._until = self._content = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._emptied: list[asyncio.Future[None]] = []

    def take(self) -> bool:
        """Take a place if one is free at once."""
        if self._until or self._waiting or self.under_way >= int(self.window):
            return False
        self.under_way += 1
        return True

    async def enter(self, again: bool = False) -> None:
        """Wait for a place. A second attempt goes first."""
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
        while self._until:
            until = self._until
            if (left := until - self._clock()) > 0:
                try:
                    await self._sleep(left)
                except asyncio.CancelledError:
                    self.leave()
                    raise
            if until == self._until:
                self._until = 0.0

    def leave(self) -> None:
        """Give the place back."""
        self.under_way -= 1
        if self._waiting:
            self._wake()
        if self._emptied and not self.under_way:
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

    def worked(self, seconds: float) -> None:
        """An answer came, after so many seconds: room for more, if what there is was used."""
        self.usual += 0.1 * (seconds - self.usual)
        self._good, self._alone = self.window, 0
        if self.window >= self._most or self.under_way + 1 < int(self.window):
            return
        beyond = self.window - self._edge
        if self._edge == float("inf"):
            step = 1.0
        elif beyond < 0:  # back to where it went well: half of the way each round
            step = max(1.0, -beyond / 2) / self.window
        elif self._content and self._clock() < self._content:
            return
        else:  # a try now and then, and bolder ones as long as they go well
            step = 0.05 * (1 + beyond) ** 2 / self.window
        self.window = min(self.window + step, float(self._most))

    def refused(self, asked_for: float | None = None) -> None:
        """The server has no room for a request: no more from now on than those that it did not refuse.

        None is sent before the time it asked for (Retry-After), whoever it told: limits are of a server or an
        account, and some count what they refuse. As each try at more may cost that time, tries are
        `CONTENT` times as rare. Called before `leave`, lest the place go to another first.
        """
        now = self._clock()
        if asked_for is not None:
            wait = min(asked_for, LONGEST_WAIT)
            self._until = max(self._until, now + wait)
            self._content = now + CONTENT * wait
        if self.under_way > 1:
            self.window = self._edge = min(self.window, self.under_way - 1.0)
            return
        # It takes nothing just now, which does not say how much it takes at other times.
        wait = min(FIRST_WAIT * 2.0**self._alone, LONGEST_WAIT)
        self._until = max(self._until, now + wait)
        self._alone += 1
        self.window, self._edge = 1.0, max(self._good / 2, 1.0)

    def slowed(self, ticket: int) -> None:
        """An answer did not come in time: fewer, once for all that were sent before."""
        if ticket == self._cuts:
            self._edge = max(self.under_way - 1.0, 1.0)
            self.window = max(1.0, 0.7 * self._edge)
            self._cuts += 1

    @property
    def ticket(self) -> int:
        """What `slowed` is told of a request: when it was sent."""
        return self._cuts

    @property
    def alone(self) -> bool:
        """Whether even one request at a time was refused of late."""
        return self._alone > 0

    def again(self, draw: int, refusals: int, asked_for: float | None) -> float:
        """Seconds before a refused request is sent again: at first as long as an answer takes.

        There will be room by then, and a batch does not wait for its last answer; soon as any backoff.
        """
        first = min(FIRST_WAIT, self.usual * 2.0**refusals)
        return backoff(draw, refusals, asked_for, first)

    async def emptied(self) -> None:
        """Wait until nothing is under way; who waits for a place is let go, to find the breaker open."""
        self.window = float(max(len(self._waiting) + self.under_way, 1))
        self._until = 0.0
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
