"""Fakes beyond `cloudchamber.models.fake`: a model that dawdles, one that fails at times, one that reads.

They have the interface of the real ones, are deterministic, and reach no network and no clock.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from cloudchamber import randomness
from cloudchamber.agents import Rule
from cloudchamber.models.fake import FakeModel, fake
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.questions import Address, Choose, Heard, Questions
from cloudchamber.trace.tables import Kind

__all__ = ["Dawdling", "FakeModel", "Flaky", "Reader", "fake"]


class Dawdling:
    """A model whose replies arrive in a random order, at most some at a time.

    Args:
        model: who answers in the end.
        seed: of the order of arrival.
        at_once: how many requests are under way at a time.
    """

    def __init__(self, model: Model, seed: int = 0, at_once: int = 64) -> None:
        self.name, self.fingerprint, self.exact = model.name, model.fingerprint, model.exact
        self.arrived: list[int] = []
        """The draws in the order in which their replies arrived."""
        self._model, self._seed, self._at_once = model, seed, at_once
        self._gates: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """The model's reply, after a random number of turns of the event loop."""
        loop = asyncio.get_running_loop()
        gate = self._gates.setdefault(loop, asyncio.Semaphore(self._at_once))
        key = randomness.keys(self._seed, len(self.arrived), "dawdle", occasion=draw)
        async with gate:
            for _ in range(int(randomness.uniforms(key, 1)[0] * 8)):
                await asyncio.sleep(0)
            reply = await self._model.ask(request, draw)
        self.arrived.append(draw)
        return reply

    async def close(self) -> None:
        """Close the model behind it."""
        await self._model.close()


class Flaky:
    """A model that answers, except that some requests end otherwise, the same ones each time.

    Args:
        model: who answers the rest.
        status: what becomes of the others.
        share: how many of the requests those are, 0 to 1; chosen by the address of the draw.
    """

    def __init__(
        self,
        model: Model,
        status: Literal["refused", "unparseable", "timeout", "failed"],
        share: float = 0.3,
    ) -> None:
        self.name, self.fingerprint, self.exact = model.name, model.fingerprint, model.exact
        self._model, self._status, self._share = model, status, share

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """The model's reply, or one with the status."""
        key = randomness.keys(0, 0, "flaky", occasion=draw)
        if float(randomness.uniforms(key, 1)[0]) < self._share:
            return Reply(status=self._status, reason=f"this fake was made to be {self._status}.")
        return await self._model.ask(request, draw)

    async def close(self) -> None:
        """Close the model behind it."""
        await self._model.close()


class Reader:
    """A model that does what a rule would, knowing nothing but the words of a feed's prompt.

    It reads places, headlines and likes back out of the prompt; so a specification with this model and
    the same one with the rule itself must lead to the same picks (law 7).

    Args:
        rule: what it does.
        headlines: of the feed, so that it knows which item a line is about.
    """

    def __init__(self, rule: Rule, headlines: Sequence[str]) -> None:
        self.name = self.fingerprint = f"reader:{rule.kind}"
        self.exact = True
        self._rule, self._place = rule, {text: item for item, text in enumerate(headlines)}

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """The rule's distribution over the options."""
        user = "".join(request.turns()[-1][1])
        questions = self._questions(user, request.options)
        if request.options == ("Yes", "No"):
            yes = float(self._rule.inclusion(questions)[0, 0])
            chances = np.array([yes, 1 - yes])
        else:
            answers = self._rule.answer(questions)
            assert answers.weights is not None
            parts = [answers.weights[0]] + ([] if answers.decline is None else [answers.decline])
            chances = np.concatenate(parts)
            chances = chances / chances.sum()
        with np.errstate(divide="ignore"):
            return Reply(logprobs=np.log(chances), mass=1.0)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _questions(self, user: str, options: tuple[str, ...]) -> Questions:
        items, likes = self._list(user, options) if options[0] != "Yes" else self._single(user)
        single = options[0] == "Yes"
        one = np.zeros(1, np.int64)
        shown = {} if None in likes else {"likes": np.array([likes], np.float64)}
        return Questions(
            Kind.judge if single else Kind.choose,
            Choose("any") if single else Choose(may_decline=options[-1] == "None"),
            Address(0, one, 0, one, one),
            one,
            one.astype(np.int16),
            one,
            np.array([items]),
            shown,
            Heard.nothing(1),
        )

    def _list(self, user: str, options: tuple[str, ...]) -> tuple[list[int], list[float | None]]:
        lines = dict(line.split(": ", 1) for line in user.splitlines() if ": " in line)
        told = [lines[option] for option in options if option != "None"]
        likes = [re.search(r" \(([\d.e+]+) likes?\)$", line) for line in told]
        words = [re.sub(r" \([\d.e+]+ likes?\)$", "", line) for line in told]
        return [self._place[text] for text in words], [
            float(found[1]) if found else None for found in likes
        ]

    def _single(self, user: str) -> tuple[list[int], list[float | None]]:
        found = re.search(r"([\d.e+]+) other readers? liked this item", user)
        item = next(self._place[line] for line in user.splitlines() if line in self._place)
        return [item], [float(found[1]) if found else None]
