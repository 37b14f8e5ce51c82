"""Decisions a second of a study with the embedded model, beside the model alone on the same prompts.

The study's way: engine, exposures, prompts, store, a worker process, trace to Parquet. The rival's: the same
requests handed to the model's reader in a loop of its own process, with the same one thread.

Run: python -m benchmarks.embedded_study (only where the model's file is in the cache already)
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.timing import median, table
from cloudchamber.agents import LanguageModel, Society
from cloudchamber.engine import Runs, grow
from cloudchamber.microspec import (
    Affordances,
    Group,
    Microspec,
    Population,
    Simultaneous,
    Visibility,
)
from cloudchamber.models import open_model
from cloudchamber.models.embedded.fetch import FILE, cache_folder
from cloudchamber.models.embedded.gguf import read_gguf
from cloudchamber.models.embedded.readout import Reader
from cloudchamber.models.embedded.weights import LAYOUT, map_weights
from cloudchamber.models.embedded.workers import worker_environment
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.models.store.stored import StoredModel
from cloudchamber.trace import TraceWriter
from cloudchamber.worlds import Feed

HEADLINES = Path(__file__).parents[1] / "studies" / "herding" / "headlines.csv"


@dataclass
class Listening:
    """A model that notes what it is asked, and how long its reader said it took."""

    model: Model
    asked: list[Request] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.name, self.fingerprint = self.model.name, self.model.fingerprint
        self.exact = self.model.exact

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        self.asked.append(request)
        reply = await self.model.ask(request, draw)
        self.seconds += reply.seconds
        return reply

    async def close(self) -> None:
        """The model is closed by who opened it."""


def specs() -> dict[str, Microspec]:
    """Lists of twelve items, and items one at a time."""
    world = Feed.from_file(HEADLINES)
    readers = Population(groups=(Group(name="readers", count=4, decides=LanguageModel()),))
    listed = Microspec(
        world=world, population=readers, visibility=Visibility(top=12), turns=Simultaneous(steps=1)
    )
    singly = Microspec(
        world=world,
        population=readers,
        visibility=Visibility(top=3),
        turns=Simultaneous(steps=1),
        affordances=Affordances(presentation="one at a time"),
    )
    return {"lists of 12": listed, "one at a time": singly}


async def studied(spec: Microspec, model: Model, folder: Path, replicate: int) -> Listening:
    """One run into a store and a trace, both new; with what the model was asked."""
    listening = Listening(model)
    stored = StoredModel(listening, folder / "store.sqlite")
    society = Society(spec, {"embedded": stored})
    runs = Runs(seed=1, replicates=np.array([replicate]), ids=np.array([replicate + 1]))
    with TraceWriter(folder / "trace", "unit") as sink:
        growth = grow(spec, runs, sink)
        try:
            questions = next(growth)
            while True:
                questions = growth.send(await society.answer(questions))
        except StopIteration:
            sink.commit({"run": runs.ids})
    await stored.close()
    return listening


class Alone:
    """The model's reader in a process of its own, asked a list of requests at once."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.embedded_study", "alone"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=worker_environment(os.environ),
        )

    def seconds(self, requests: list[Request]) -> float:
        """Wall-clock seconds for answering all."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(msgspec.json.encode(requests) + b"\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def alone() -> None:
    """Read lists of requests, a line each; answer them, and print the seconds it took."""
    digest = next(cache_folder().glob(f"*.float32-{LAYOUT}"))
    gguf = read_gguf(cache_folder() / FILE)
    reader = Reader(gguf, map_weights(gguf, digest))
    for line in sys.stdin.buffer:
        requests = msgspec.json.decode(line, type=list[Request])
        started = time.perf_counter()
        for request in requests:
            reader.answer(request)
        print(time.perf_counter() - started, flush=True)


@dataclass
class Measured:
    """Seconds of each round, and how many different questions it came to."""

    questions: int = 0
    study: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    """Of a study's seconds, those that the model's reader took."""
    alone: list[float] = field(default_factory=list)

    def row(self, name: str) -> tuple[str, ...]:
        """As it is printed."""
        rates = (f"{self.questions / median(part):.2f}" for part in (self.study, self.alone))
        over, beside = (
            median([mine / its for mine, its in zip(self.study, part, strict=True)])
            for part in (self.inside, self.alone)
        )
        return (name, f"{self.questions}", *rates, f"{beside:.2f}", f"{over:.3f}")


async def measured(times: int) -> dict[str, Measured]:
    """Each kind of question, either way, in turns."""
    model, rival = open_model("embedded", processes=1), Alone()
    warm = Request((("user", "Hello."),), ("Yes", "No"))
    await model.ask(warm)
    rival.seconds([warm])
    found = {}
    for name, spec in specs().items():
        here = found[name] = Measured()
        for turn in range(times):
            folder = Path(tempfile.mkdtemp(prefix="embedded_study"))
            started = time.perf_counter()
            listening = await studied(spec, model, folder, turn)
            here.study.append(time.perf_counter() - started)
            here.inside.append(listening.seconds)
            here.alone.append(rival.seconds(listening.asked))
            here.questions = len(listening.asked)
            shutil.rmtree(folder)
    rival.close()
    await model.close()
    return found


def main(times: int = 3) -> None:
    """Print questions a second of a study and of the model alone."""
    if not (cache_folder() / FILE).exists():
        raise SystemExit("the embedded model is not in the cache; run any study with it once")
    found = asyncio.run(measured(times))
    table(
        f"The embedded model in one process of one thread; median of {times} rounds taken in turns",
        ("", "questions", "study, / s", "alone, / s", "study / alone", "study / its model's time"),
        [here.row(name) for name, here in found.items()],
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["alone"]:
        alone()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
