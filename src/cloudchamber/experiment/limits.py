"""Hard caps on what a call may spend: questions, tokens, money, time.

Before a question is sent, room for the most that it can take is set aside; once there is no room, or
the time is over, nothing more is sent. Answers that a store gives cost nothing and count for nothing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from math import isfinite, isnan

from cloudchamber.errors import SpecificationError, Unfinished

__all__ = ["Budget", "Limits", "Spending"]

_ROUNDING = 1e-12
"""Relative: sums of money are floating-point numbers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on what one call spends; None is no cap.

    Raises:
        SpecificationError: a cap below 0.
    """

    cost: float | None = None
    """In the currency of the prices."""
    tokens: int | None = None
    """Of prompts and answers together."""
    questions: int | None = None
    """Sent to models; what the store answers is free."""
    seconds: float | None = None
    """From the beginning of the call."""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is not None and not (isfinite(value) and value >= 0):
                raise SpecificationError(
                    f"limits.{one.name}: {value} was given; allowed: 0 or more, or None for no cap."
                )


@dataclass(slots=True)
class Spending:
    """Questions, tokens and money."""

    questions: int = 0
    tokens: int = 0
    cost: float = 0.0
    """NaN once a price was unknown."""
    untold: int = 0
    """Of the tokens, those that nobody told: counted with the most they may be."""

    def add(self, other: "Spending", sign: int = 1) -> None:
        """Add another spending, or take it back."""
        self.questions += sign * other.questions
        self.tokens += sign * other.tokens
        self.cost += sign * other.cost
        self.untold += sign * other.untold


class Budget:
    """What a call may spend, has spent, and has set aside for what is under way.

    Args:
        limits: the caps; none if not given.
        clock: how time passes, in seconds; tests give their own.
    """

    def __init__(
        self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits or Limits()
        self.spent, self.reserved = Spending(), Spending()
        self.under_way = 0
        """Questions sent and not answered yet."""
        self.attempts = 0
        """Attempts at them that are paid one by one, and under way."""
        self.stopped = ""
        """Why nothing more is sent; empty while it is."""
        self.at_once = False
        """Whether what is stopped is to stand still although the store could still answer."""
        self._clock, self._began = clock, clock()
        self._waiting: deque[asyncio.Future[None]] = deque()
        named = ("questions", "tokens", "cost")
        self._caps = [(n, cap) for n in named if (cap := getattr(self.limits, n)) is not None]

    def stop(self, why: str, *, at_once: bool = False) -> None:
        """Send nothing more, for this reason; the first reason stands."""
        self.stopped = self.stopped or why
        self.at_once = self.at_once or at_once
        while self._waiting:
            self._wake()

    def pace(self) -> None:
        """Called between questions, by whoever grows: whether there is time to go on.

        Raises:
            Unfinished: the time is over, or the work was interrupted.
        """
        limit = self.limits.seconds
        if limit is not None and self._clock() - self._began >= limit:
            self.stop(f"the cap of {limit:g} seconds is reached", at_once=True)
        if self.at_once:
            raise Unfinished(self.stopped)

    async def reserve(self, most: Spending, needs: Spending | None = None) -> None:
        """Set room aside for a question that is about to be sent; wait where others may leave some.

        Args:
            most: what is set aside.
            needs: what must be left besides what is spent; `most` if not given.

        Raises:
            Unfinished: there is no room, or nothing more is sent.
        """
        await self._place(most, needs or most)
        self.under_way += 1

    def settle(self, reserved: Spending, spent: Spending) -> None:
        """What was set aside has become what was spent."""
        self.under_way -= 1
        self._settle(reserved, spent)

    async def attempt(self, most: Spending, *, again: bool) -> None:
        """Set room aside for one attempt at a question.

        Args:
            most: what it may take.
            again: whether the question was sent before: then it is gone on with as far as there is room,
                also where no other is begun any more.

        Raises:
            Unfinished: as `reserve`.
        """
        await self._place(most, most, again)
        self.attempts += 1

    def attempted(self, reserved: Spending, spent: Spending) -> None:
        """What was set aside for an attempt has become what was spent."""
        self.attempts -= 1
        self._settle(reserved, spent)

    async def _place(self, most: Spending, needs: Spending, again: bool = False) -> None:
        while True:
            self.pace()
            over = self._over(needs, waiting=False)
            if over:
                self.stop(over)
            if over or (self.stopped and not again):
                raise Unfinished(self.stopped)
            if not self._over(most, waiting=True):
                break
            await self._room()
        self.reserved.add(most)
        self._wake()  # there may be room for the next, too

    def _settle(self, reserved: Spending, spent: Spending) -> None:
        self.reserved.add(reserved, -1)
        if not (self.under_way or self.attempts):
            self.reserved = Spending()  # without what rounding leaves
        self.spent.add(spent)
        self._wake()

    async def drained(self) -> None:
        """Wait until nothing is under way and whoever waited for it has had a turn."""
        while self.under_way or self.attempts:
            await self._room()
        for _ in range(3):
            await asyncio.sleep(0)

    def _over(self, most: Spending, *, waiting: bool) -> str:
        """Which cap a question would pass: for certain, or with all that is set aside besides."""
        for name, cap in self._caps:
            spent, more = getattr(self.spent, name), getattr(most, name)
            whole = spent + more + (getattr(self.reserved, name) if waiting else 0)
            if not whole <= cap * (1 + _ROUNDING):  # an unknown price fits no cap
                return f"the cap of {_said(name, cap)} is reached ({_told(name, spent, more)})"
        return ""

    async def _room(self) -> None:
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            self._wake()
            raise

    def _wake(self) -> None:
        """Let the one that has waited longest look again."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return


def _said(name: str, value: float) -> str:
    if name == "cost":
        return f"{value:.6g} in money"
    return f"{value:,} {name}" if value != 1 else f"1 {name[:-1]}"


def _told(name: str, spent: float, more: float) -> str:
    if name == "questions":
        return f"{spent:,} sent"
    if isnan(more):
        return "a price is unknown"
    if name == "cost":
        return f"{spent:.6g} spent, and the next question may take {more:.2g}"
    return f"{spent:,} spent, and the next question may take {more:,}"
