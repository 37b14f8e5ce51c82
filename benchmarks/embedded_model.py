"""The embedded language model: decisions a second, the engine's own time beside them, start, memory.

    python benchmarks/embedded_model.py [--processes 1 2] [--seconds 15]

A list decision is a shuffled feed of 48 headlines under random two-digit codes, likes hidden or shown; a
single one is one headline with a sentence about likes. "engine" is the time inside the forward passes and
the readout; what is missing to the wall clock is pipes, JSON and asyncio. On a busy machine compare the
processor's seconds.
"""

import argparse
import asyncio
import csv
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cloudchamber.models import Reply, Request, open_model
from cloudchamber.models.embedded.workers import EmbeddedModel

HEADLINES = Path(__file__).parents[1] / "studies" / "herding" / "headlines.csv"
ROLE = "You are a reader browsing a news feed."


def headlines() -> list[str]:
    with HEADLINES.open() as file:
        return [row["headline"] for row in csv.DictReader(file)]


def a_list(number: int, likes: bool) -> Request:
    rng = np.random.default_rng(number)
    titles = headlines()
    order = rng.permutation(len(titles))
    codes = [str(code) for code in rng.choice(np.arange(10, 100), len(titles), replace=False)]
    shown = [f" ({n} likes)" if likes else "" for n in rng.choice([0, 3, 45, 410], len(titles))]
    lines = [f"{c}: {titles[i]}{s}" for c, i, s in zip(codes, order, shown, strict=True)]
    text = "\n".join([*lines, "", "Which item do you choose?"])
    return Request((("system", ROLE), ("user", text)), tuple(codes), prefix="I choose ")


def a_single(number: int) -> Request:
    titles = headlines()
    likes = 3 + number // len(titles)
    text = f"{titles[number % len(titles)]}\n\nDo you like this item? {likes} other readers liked this item."
    role = f"{ROLE} You answer every question with Yes or No."
    return Request((("system", role), ("user", text)), ("Yes", "No"), prefix="My answer: ")


async def rate(model: EmbeddedModel, make: Callable[[int], Request], seconds: float) -> str:
    """Keep every worker busy for about so many seconds."""
    workers = len(model._all)
    await asyncio.gather(*(model.ask(make(10**6 + i)) for i in range(workers)))
    replies: list[Reply] = []
    before = processor_seconds(model)
    start = time.perf_counter()

    async def work(first: int) -> None:
        number = first
        while time.perf_counter() - start < seconds:
            replies.append(await model.ask(make(number)))
            number += workers

    await asyncio.gather(*(work(first) for first in range(workers)))
    wall = time.perf_counter() - start
    engine = sum(reply.seconds for reply in replies)
    processor = processor_seconds(model) - before
    tokens = np.mean([reply.tokens_in for reply in replies])
    mass = np.mean([reply.mass for reply in replies])
    return (
        f"{len(replies) / wall:7.2f}/s | a decision: {wall * workers / len(replies):6.3f} s wall, "
        f"{engine / len(replies):6.3f} s in the engine, {processor / len(replies):6.3f} s processor | "
        f"{tokens:4.0f} tokens | mass {mass:.2f}"
    )


def processor_seconds(model: EmbeddedModel) -> float:
    """Processor time of the workers so far; unlike wall time, little changed by a busy machine (Linux)."""
    ticks = 0
    for worker in model._all:
        stat = Path(f"/proc/{worker.process.pid}/stat")
        if stat.exists():
            ticks += sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(model: EmbeddedModel) -> str:
    """Memory of the workers: their own, and what they share (Linux)."""
    own, shared = [], []
    for worker in model._all:
        fields = dict(
            line.split(":", 1)
            for line in Path(f"/proc/{worker.process.pid}/smaps_rollup")
            .read_text()
            .splitlines()[1:]
        )
        kb = {name: int(value.split()[0]) for name, value in fields.items()}
        own.append((kb["Private_Dirty"] + kb["Private_Clean"]) / 1e6)
        shared.append((kb["Shared_Clean"] + kb["Shared_Dirty"]) / 1e6)
    return f"own {', '.join(f'{x:.2f}' for x in own)} GB; shared {max(shared):.2f} GB"


async def measure(processes: int, seconds: float) -> None:
    model = open_model("embedded", processes=processes)
    assert isinstance(model, EmbeddedModel)
    start = time.perf_counter()
    await asyncio.gather(*(model.ask(a_single(i)) for i in range(processes)))
    print(f"\n{processes} process(es): first answers after {time.perf_counter() - start:.2f} s")
    for name, make in (
        ("48-item list, likes hidden", lambda n: a_list(n, likes=False)),
        ("48-item list, likes shown", lambda n: a_list(n, likes=True)),
        ("one item, yes or no", a_single),
    ):
        print(f"  {name:27s} {await rate(model, make, seconds)}", flush=True)
    if Path("/proc/self/smaps_rollup").exists():
        print(f"  memory: {memory(model)}")
    await model.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=15.0, help="for each measurement")
    given = parser.parse_args()
    for processes in given.processes:
        asyncio.run(measure(processes, given.seconds))


if __name__ == "__main__":
    main()
