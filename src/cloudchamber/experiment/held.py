"""What a store holds already of runs that are missing, found out without asking anybody.

Each run is walked with the store in the model's place: what it is asked is what it will be asked, up to the
first answer that is missing. What comes after that depends on it, and nobody knows.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cloudchamber.agents.society import Society, models_of
from cloudchamber.engine import Runs, grow
from cloudchamber.errors import NotStored, StoreError
from cloudchamber.experiment.design import Cell
from cloudchamber.experiment.expected import Held
from cloudchamber.experiment.prompts import Nowhere, anything
from cloudchamber.models.model import Reply, Request
from cloudchamber.models.store.file import is_final
from cloudchamber.models.store.stored import ReplayedModel
from cloudchamber.trace import Level

__all__ = ["held", "opened"]


class _Shelf:
    """A model that only looks into the store."""

    exact = True

    def __init__(self, name: str, replayed: ReplayedModel | None) -> None:
        self.name = self.fingerprint = name
        self._replayed = replayed
        self.asked = self.found = 0

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        self.asked += 1
        if self._replayed is not None:
            try:
                reply = await self._replayed.ask(request, draw)
            except NotStored:
                pass
            else:
                if is_final(reply):
                    self.found += 1
                    return reply
        return anything(request)

    async def close(self) -> None:
        pass


@contextmanager
def opened(store: Path, names: Sequence[str]) -> Iterator[dict[str, ReplayedModel]]:
    """What a store knows of some models; those that it has no answers of are left out.

    Raises:
        StoreError: there is no such store, or it cannot be read.
    """
    there: dict[str, ReplayedModel] = {}
    try:
        for name in names:
            try:
                there[name] = ReplayedModel(name, store)
            except StoreError as error:
                if "holds no answers of" not in str(error):
                    raise
        yield there
    finally:
        for model in there.values():
            asyncio.run(model.close())


def held(
    cell: Cell,
    seed: int,
    replicates: Sequence[int],
    store: Mapping[str, ReplayedModel],
    most: int,
) -> dict[str, Held]:
    """What a store holds of a cell's runs, by model.

    Args:
        cell: what is grown.
        seed: of the experiment.
        replicates: those that are missing.
        store: what it knows of the models.
        most: questions after which no further run is walked.
    """
    told = {name: Held() for name in models_of(cell.spec)}
    last = dict.fromkeys(told, 0)
    asked, ended, whole = 0, False, False
    # The last one first: runs that are not walked are taken to be as far as it.
    for replicate in [*replicates[-1:], *replicates[:-1]]:
        shelves = {name: _Shelf(name, store.get(name)) for name in told}
        ended = asyncio.run(_walk(cell, seed, replicate, shelves))
        for name, shelf in shelves.items():
            if told[name].walked == 0:
                last[name], whole = shelf.found, ended
            told[name].known += shelf.found
            told[name].walked += 1
            told[name].whole += ended
            told[name].part += 0 if ended else shelf.found
        asked += sum(shelf.asked for shelf in shelves.values())
        if asked >= most:
            break
    for name, one in told.items():
        others = len(replicates) - one.walked
        one.thought = last[name] * others
        one.whole += others if whole else 0
        one.part += 0 if whole else one.thought
    return told


async def _walk(cell: Cell, seed: int, replicate: int, shelves: Mapping[str, _Shelf]) -> bool:
    """Grow a run until the store lacks an answer; whether it came to its end."""
    society = Society(cell.spec, dict(shelves))
    runs = Runs(seed, np.array([replicate]), np.array([1]))
    growth = grow(cell.spec, runs, Nowhere(), level=Level("summary"), checkpoints=1)
    try:
        questions = next(growth)
        while True:
            answers = await society.answer(questions)
            if any(shelf.found < shelf.asked for shelf in shelves.values()):
                return False
            questions = growth.send(answers)
    except StopIteration:
        return True
