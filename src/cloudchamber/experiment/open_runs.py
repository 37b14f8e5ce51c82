"""How many runs are open at a time where models are asked: as many as keep the models busy.

The next one is opened whenever the models could answer more than is asked of them. So a run of a thousand
agents that decide together is open alone, and where agents decide one after the other there are more runs
than a server takes questions at once. What comes out is the same bytes.
"""

import asyncio
from collections import deque
from collections.abc import Iterable

from cloudchamber.models.model import Model, Reply, Request

__all__ = ["OpenRuns", "Place"]

ENOUGH = 8
"""Runs that are open where a model does not say how many questions are worth handing to it."""
LAST = 2
"""Times as many questions are asked for the sake of the last runs, which else would end alone."""


class OpenRuns:
    """Lets in another run when there is room for its questions, in the order in which they came.

    Args:
        models: whoever is asked; they may say how many questions are worth handing to them `at_once`, and
            something else as they go on.
        most: runs at a time, whatever the models could do; None for no cap, and for `ENOUGH` where the
            models do not say what they could.
    """

    def __init__(self, models: Iterable[Model], most: int | None = None) -> None:
        self.open = 0
        """Runs."""
        self.asked = 0
        """Questions of theirs that are not answered yet."""
        self._models, self._most = tuple(models), most
        self._arriving: Place | None = None
        self._waiting: deque[asyncio.Future[Place]] = deque()

    async def enter(self) -> "Place":
        """Wait until there is room for a run."""
        if not self._waiting and self._room():
            return self._let_in()
        waits: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._waiting.append(waits)
        try:
            return await waits
        except asyncio.CancelledError:
            if waits.done() and not waits.cancelled():
                waits.result().leave()
            raise

    def look(self, posted: "Place | None" = None) -> None:
        """Let the next one in if there is room, once the last one has asked what it asks."""
        if posted is not None and posted is self._arriving:
            self._arriving = None
        while self._waiting and self._room():
            waits = self._waiting.popleft()
            if not waits.done():
                waits.set_result(self._let_in())

    def _let_in(self) -> "Place":
        self.open += 1
        self._arriving = Place(self)
        return self._arriving

    def _room(self) -> bool:
        if not self.open:
            return True
        if self._arriving is not None or (self._most is not None and self.open >= self._most):
            return False
        told = [getattr(model, "at_once", None) for model in self._models]
        known = [at_once for at_once in told if at_once is not None]
        if not known:
            return self._most is not None or self.open < ENOUGH
        last = LAST if len(self._waiting) <= self.open else 1
        return bool(self.asked < last * sum(known))


class Place:
    """A run's place among those that are open."""

    def __init__(self, runs: OpenRuns) -> None:
        self._runs, self._asked = runs, 0

    def asks(self, questions: int) -> None:
        """The run asks so many questions now; those that it asked before are answered."""
        self._runs.asked += questions - self._asked
        self._asked = questions
        self._runs.look(self)

    def answered(self) -> None:
        """One of them is answered; the last one of a batch stands for those that soon follow."""
        if self._asked > 1:
            self._asked -= 1
            self._runs.asked -= 1
            self._runs.look()

    def leave(self) -> None:
        """The run is not open any more."""
        self._runs.open -= 1
        self.asks(0)

    def through(self, model: Model) -> "Counted":
        """A model as this run asks it."""
        return Counted(model, self)


class Counted:
    """A model that tells a run's place of each answer.

    Args:
        model: whoever answers.
        place: of the run.
    """

    def __init__(self, model: Model, place: Place) -> None:
        self.name, self.fingerprint, self.exact = model.name, model.fingerprint, model.exact
        self._model, self._place = model, place

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """The model's reply."""
        try:
            return await self._model.ask(request, draw)
        finally:
            self._place.answered()

    async def close(self) -> None:
        """The model behind it serves other runs."""
