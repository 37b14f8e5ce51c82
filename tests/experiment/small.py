"""Small specifications and models that count what they are asked, for the tests of growing."""

from collections import Counter
from pathlib import Path

from cloudchamber.agents import LanguageModel, SocialProof
from cloudchamber.experiment import Design, Driver, Factor, factorial
from cloudchamber.microspec import Decider, Group, Microspec, Population, Sequential
from cloudchamber.models.fake import fake
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.trace import TraceFolder
from cloudchamber.worlds import Feed

MODEL = "fake:hash"


def spec(decides: Decider | None = None, readers: int = 3, steps: int = 2) -> Microspec:
    """A feed of six items."""
    group = Group(name="readers", count=readers, decides=decides or SocialProof())
    return Microspec(
        world=Feed.of(6),
        population=Population(groups=(group,)),
        turns=Sequential(steps=steps),
    )


def design(decides: Decider | None = None) -> Design:
    """Four cells."""
    return factorial(
        spec(decides),
        [
            Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes"),
            Factor.at("visibility.order", ["shuffled", "popularity"], "order"),
        ],
    )


def asked() -> Design:
    """Four cells in which a language model decides."""
    return design(LanguageModel(model=MODEL))


class Counting:
    """A model that counts what it is asked, and may stop answering for good."""

    def __init__(self, model: Model | None = None, stop: int = 10**9) -> None:
        self._model = model or fake("hash")
        self.name, self.fingerprint = self._model.name, self._model.fingerprint
        self.exact, self.stop = self._model.exact, stop
        self.asked: Counter[str] = Counter()

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        if sum(self.asked.values()) >= self.stop:
            raise KeyboardInterrupt
        self.asked[request.key()] += 1
        return await self._model.ask(request, draw)

    async def close(self) -> None:
        await self._model.close()


def grown(folder: Path, what: Design, replicates: int, *, seed: int = 0, at_once: int = 16) -> str:
    """The digest of a design grown into a folder."""
    Driver(folder, seed=seed, models={MODEL: fake("hash")}, concurrency=at_once).grow(
        what, replicates
    )
    return TraceFolder(folder).digest()
