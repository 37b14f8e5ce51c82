"""Decisions a second of rule agents on the feed of 48 items, beside the same loop by hand in Numba.

Run: python -m benchmarks.feed_rules
"""

from benchmarks.timing import median, one_core, rounds, table

one_core()

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
from numpy.typing import NDArray

from benchmarks import feed_by_hand
from cloudchamber.agents import Society, TwoStage, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.microspec import Group, Microspec, Population, Simultaneous
from cloudchamber.trace import Level, Sink, Trace, TraceWriter
from cloudchamber.worlds import Feed

ITEMS, WIDTH, APPEAL, STRENGTH, STEPS = 48, 5, -1.0, 1.5, 10
FEW, MANY = 10_000, 50_000
"""Agents where every exposure is kept, and where not; 100,000 and 500,000 decisions."""


def spec_of(agents: int) -> Microspec:
    """Readers who consider the first five places and prefer what has any like."""
    rule = TwoStage(gate="hard", width=WIDTH, appeal=APPEAL, strength=STRENGTH, proof="any")
    readers = Group(name="readers", count=agents, decides=rule)
    return Microspec(
        world=Feed.of(ITEMS),
        population=Population(groups=(readers,)),
        turns=Simultaneous(steps=STEPS),
    )


def grown(spec: Microspec, sink: Sink, level: Level) -> None:
    """One run, seed 1."""
    runs = Runs(seed=1, replicates=np.arange(1), ids=np.array([1]))
    decide(grow(spec, runs, sink, level=level), Society(spec))


def to_disk(spec: Microspec, level: Level) -> Callable[[], object]:
    """Grow it into Parquet files, committed."""

    def act() -> None:
        folder = Path(tempfile.mkdtemp(prefix="feed_rules"))
        try:
            with TraceWriter(folder, "unit") as sink:
                grown(spec, sink, level)
                sink.commit({"run": [1]})
        finally:
            shutil.rmtree(folder)

    return act


def in_memory(spec: Microspec, level: Level) -> Callable[[], object]:
    """Grow it into a trace in memory."""
    return lambda: grown(spec, Trace(), level)


def by_hand(loop: Callable[..., object], agents: int) -> Callable[[], object]:
    """The hand-written loop on the same feed; compiled before it is timed."""
    rest = (STEPS, ITEMS, WIDTH, APPEAL, STRENGTH)
    loop(10, *rest, 1)
    return lambda: loop(agents, *rest, 1)


def by_hand_to_disk(agents: int) -> Callable[[], object]:
    """The hand-written loop that keeps what was shown, and one Parquet file of it for each step."""
    grow_kept = by_hand(feed_by_hand.keeping, agents)
    row = np.repeat(np.arange(agents), ITEMS)
    place = np.tile(np.arange(1, ITEMS + 1, dtype=np.int16), agents)

    def act() -> None:
        folder = Path(tempfile.mkdtemp(prefix="feed_rules"))
        with duckdb.connect(config={"threads": 1}) as connection:
            kept = cast("list[tuple[NDArray[Any], ...]]", grow_kept())
            for step, (item, likes, chance, pick) in enumerate(kept):
                rows = {
                    "decision": row + step * agents,
                    "position": place,
                    "item": item.reshape(-1),
                    "likes": likes.reshape(-1),
                    "probability": chance.reshape(-1),
                    "chosen": (place == np.repeat(pick + 1, ITEMS)).astype(np.int8),
                }
                connection.register("rows", rows)
                how = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2"
                file = folder / f"{step}.parquet"
                connection.execute(f"COPY (SELECT 1::BIGINT run, * FROM rows) TO '{file}' ({how})")
        shutil.rmtree(folder)

    return act


def check() -> None:
    """The hand-written loop with the engine's draws ends in the engine's likes, or nothing is compared."""
    trace = Trace()
    grown(spec_of(500), trace, Level("summary"))
    outcomes = trace.columns("outcomes")
    likes = outcomes["value"][outcomes["step"] == STEPS]
    found = feed_by_hand.keyed(500, STEPS, ITEMS, WIDTH, APPEAL, STRENGTH, 1)
    if not np.array_equal(likes, found):
        raise SystemExit("the hand-written loop and the engine do not do the same: fix that first")


def main(times: int = 5) -> None:
    """Time all in turns and print decisions a second, and ratios to the hand-written loops."""
    check()
    few, many = spec_of(FEW), spec_of(MANY)
    full, sampled, summary = Level("full"), Level("sampled", 0.01), Level("summary")
    written, kept, bare = "Numba, keeps and writes it", "Numba, keeps what was shown", "Numba, bare"
    same = "Numba, with the engine's draws"
    rivals: dict[str, tuple[int, Callable[[], object]]] = {
        "full trace to Parquet": (FEW, to_disk(few, full)),
        "full trace in memory": (FEW, in_memory(few, full)),
        "1 % sampled to Parquet": (MANY, to_disk(many, sampled)),
        "1 % sampled in memory": (MANY, in_memory(many, sampled)),
        "tallies only": (MANY, in_memory(many, summary)),
        written: (FEW, by_hand_to_disk(FEW)),
        kept: (FEW, by_hand(feed_by_hand.keeping, FEW)),
        same: (MANY, by_hand(feed_by_hand.keyed, MANY)),
        bare: (MANY, by_hand(feed_by_hand.bare, MANY)),
        "Numba, deals five places only": (MANY, by_hand(feed_by_hand.first_places, MANY)),
    }
    taken = rounds({name: act for name, (_, act) in rivals.items()}, times)

    def ratio(name: str, rival: str) -> str:
        scale = rivals[rival][0] / rivals[name][0]
        pairs = zip(taken[name], taken[rival], strict=True)
        return f"{median([scale * mine[0] / its[0] for mine, its in pairs]):.2f}"

    rates = []
    for name, (agents, _) in rivals.items():
        used, wall = (median(list(part)) for part in zip(*taken[name], strict=True))
        count = agents * STEPS
        rates.append((name, f"{count / used:,.0f}", f"{count / wall:,.0f}"))
    table(
        f"{ITEMS} items, {STEPS} steps, one core; median of {times} rounds taken in turns",
        ("", "decisions / s of processor", "/ s of wall"),
        rates,
    )
    names = list(rivals)
    against = [(names[0], written), (names[1], kept)]
    against += [(name, rival) for name in names[2:5] for rival in (same, bare)]
    table(
        "Processor time as a multiple of the rival's",
        ("", "rival", "ratio"),
        [(name, rival, ratio(name, rival)) for name, rival in against],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
