"""Models that count: one that spends from a budget, beneath the store, and one that keeps a run's bill.

The most that a question can take is told beforehand: a token is at least a byte of the prompt, whose
form adds a few, and an answer is at most as long as was asked for. Where a model took more, later questions
are foretold by as much more. A server is paid attempt by attempt, so that retries, repairs and the probe are
spent too, and none is sent that may pass a cap.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from math import ceil, nan
from typing import Any

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.limits import Budget, Limits, Spending
from cloudchamber.experiment.prices import Price, Prices, price_of
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.models.remote.billing import PURSE

__all__ = ["Billed", "Metered", "affordable", "most_tokens"]

FORM = 16
"""Tokens that a chat's form adds to a message, at most."""


def most_tokens(request: Request) -> tuple[int, int]:
    """The most tokens of a request's prompt, and of its answer."""
    texts = [text for _, text in request.messages] + [request.prefix]
    size = sum(len(text.encode(errors="replace")) for text in texts)
    return size + FORM * (len(texts) + 1), request.max_tokens


class Metered:
    """A model that is asked only as far as the budget reaches.

    A reply that does not tell its tokens, and a question that ends in an error, count with the most that
    they may have taken. Where the model says how many questions are worth handing to it `at_once`, no more
    are, so that few are still sent after a stop.

    Args:
        model: whoever answers; closed with it.
        budget: shared by all models of a call.
        price: of its tokens; None if unknown.
    """

    def __init__(self, model: Model, budget: Budget, price: Price | None) -> None:
        self.name, self.fingerprint, self.exact = model.name, model.fingerprint, model.exact
        self._model, self._budget, self._price = model, budget, price
        self._longer = (1.0, 1.0)
        self._by_attempts = bool(getattr(model, "pays", False))
        self._gate = _Gate(model)

    @property
    def capabilities(self) -> object:
        """What the server can do, where there is one and it has been asked."""
        return getattr(self._model, "capabilities", None)

    @property
    def lists(self) -> bool:
        """Whether an answer may be a distribution, where that is not known beforehand."""
        return bool(getattr(self._model, "lists", False))

    @property
    def at_once(self) -> int | None:
        """Questions worth handing to it at a time, where it says so."""
        return getattr(self._model, "at_once", None)

    @property
    def stopped(self) -> str:
        """Why nothing more is sent; empty while it is."""
        return self._budget.stopped

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """The model's reply; see `Model.ask`.

        Raises:
            Unfinished: the budget has no room for it; nothing was sent.
        """
        await self._gate.enter()
        try:
            return await self._within(request, draw)
        finally:
            self._gate.leave()

    async def _within(self, request: Request, draw: int) -> Reply:
        most = self.most(*most_tokens(request))
        if self._by_attempts:
            return await self._attempted(request, draw, most)
        await self._budget.reserve(most)
        spent = replace(most, untold=most.tokens)
        try:
            reply = await self._model.ask(request, draw)
            if reply.tokens_in + reply.tokens_out:
                told = (reply.tokens_in, reply.tokens_out)
                spent = self.took(most_tokens(request), told)
            return reply
        finally:
            self._budget.settle(most, spent)

    async def _attempted(self, request: Request, draw: int, most: Spending) -> Reply:
        """The reply of a model that pays for each attempt."""
        purse, sent = _Purse(self, self._budget), Spending(1)
        await self._budget.reserve(sent, needs=most)
        before = PURSE.set(purse)
        try:
            reply = await self._model.ask(request, draw)
        finally:
            PURSE.reset(before)
            self._budget.settle(sent, sent if purse.sent else Spending())
        # Also what was thrown away was had for this answer.
        if (reply.tokens_in, reply.tokens_out) == (purse.tokens_in, purse.tokens_out):
            return reply
        return replace(reply, tokens_in=purse.tokens_in, tokens_out=purse.tokens_out)

    def most(self, tokens_in: int, tokens_out: int) -> Spending:
        """What a question may take whose tokens are so many at most, as far as this model keeps to that."""
        longer_in, longer_out = self._longer
        if longer_in > 1 or longer_out > 1:
            tokens_in, tokens_out = ceil(tokens_in * longer_in), ceil(tokens_out * longer_out)
        return self._spending(tokens_in, tokens_out)

    def took(self, most: tuple[int, int], told: tuple[int, int]) -> Spending:
        """What a question took; if that was more than it might, later ones may, too."""
        if told[0] > most[0] or told[1] > most[1]:
            longer_in, longer_out = self._longer
            self._longer = max(longer_in, told[0] / most[0]), max(longer_out, told[1] / most[1])
        return self._spending(*told)

    def _spending(self, tokens_in: int, tokens_out: int) -> Spending:
        cost = self._price.of(tokens_in, tokens_out) if self._price else nan
        return Spending(1, tokens_in + tokens_out, cost)

    async def close(self) -> None:
        """Close the model behind it."""
        await self._model.close()


class _Purse:
    """What one question's attempts are paid from.

    Args:
        metered: tells what they cost.
        budget: of the call.
    """

    __slots__ = ("_budget", "_metered", "sent", "tokens_in", "tokens_out")

    def __init__(self, metered: Metered, budget: Budget) -> None:
        self.sent = False
        """Whether anything was."""
        self.tokens_in = self.tokens_out = 0
        """That the server told."""
        self._metered, self._budget = metered, budget

    async def reserve(self, most_in: int, most_out: int) -> tuple[tuple[int, int], Spending]:
        most = self._metered.most(most_in, most_out)
        most.questions = 0
        await self._budget.attempt(most, again=self.sent)
        self.sent = True
        return (most_in, most_out), most

    def settle(self, room: Any, told: tuple[int, int] | None) -> None:
        given, most = room
        if told is None:
            self._budget.attempted(most, replace(most, untold=most.tokens))
            return
        self.tokens_in += told[0]
        self.tokens_out += told[1]
        spent = self._metered.took(given, told)
        spent.questions = 0
        self._budget.attempted(most, spent)

    def apart(self) -> "_Purse":
        return _Purse(self._metered, self._budget)


class _Gate:
    """Lets in as many as the model says at the time, in the order in which they came."""

    def __init__(self, model: Model) -> None:
        self._model, self._inside = model, 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        if not (self._waiting or self._full()):
            self._inside += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        self._inside -= 1
        while self._waiting and not self._full():
            place = self._waiting.popleft()
            if not place.done():
                self._inside += 1
                place.set_result(None)

    def _full(self) -> bool:
        most = getattr(self._model, "at_once", None)
        return most is not None and self._inside >= most


class Billed:
    """A model as one run asks it: what its answers took when they were first had, stored ones too.

    Args:
        model: whoever answers.
    """

    def __init__(self, model: Model) -> None:
        self.name, self.fingerprint, self.exact = model.name, model.fingerprint, model.exact
        self._model = model
        self.questions = self.tokens_in = self.tokens_out = 0

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """The model's reply, counted."""
        reply = await self._model.ask(request, draw)
        self.questions += 1
        self.tokens_in += reply.tokens_in
        self.tokens_out += reply.tokens_out
        return reply

    async def close(self) -> None:
        """The model behind it serves other runs."""


def affordable(limits: Limits, named: Iterable[str], prices: Prices | None) -> None:
    """Refuse a cap on a cost that cannot be told.

    Raises:
        SpecificationError: there is such a cap, and the price of a model is not known.
    """
    unknown = sorted(name for name in named if price_of(name, prices) is None)
    if limits.cost is not None and unknown:
        raise SpecificationError(
            f"limits.cost: the price of {', '.join(unknown)} is not known; give prices (--price-in and "
            "--price-out, for a million tokens), or cap tokens or questions instead."
        )
