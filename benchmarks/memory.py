"""Peak memory of one step of many rule agents, beside the same step written out whole in NumPy.

Run: python -m benchmarks.memory
"""

import resource
import subprocess
import sys
import time

from benchmarks.timing import table

ITEMS, WIDTH = 48, 5
SIZES = (1_000_000, 10_000_000)


def engine(agents: int) -> None:
    """One simultaneous step; only the tallies are kept."""
    import numpy as np

    from cloudchamber.agents import Society, TwoStage, decide
    from cloudchamber.engine import Runs, grow
    from cloudchamber.microspec import Group, Microspec, Population, Simultaneous
    from cloudchamber.trace import Level, Trace
    from cloudchamber.worlds import Feed

    readers = Group(name="readers", count=agents, decides=TwoStage(gate="hard", width=WIDTH))
    spec = Microspec(
        world=Feed.of(ITEMS),
        population=Population(groups=(readers,)),
        turns=Simultaneous(steps=1),
    )
    trace = Trace()
    runs = Runs(seed=1, replicates=np.arange(1), ids=np.array([1]))
    decide(grow(spec, runs, trace, level=Level("summary")), Society(spec))
    assert trace.columns("outcomes")["value"].sum() == agents


def whole(agents: int) -> None:
    """The same step with every agent's list at once, as small as it goes: a byte an item."""
    import numpy as np

    rng = np.random.default_rng(1)
    lists = np.broadcast_to(np.arange(ITEMS, dtype=np.int8), (agents, ITEMS)).copy()
    rng.permuted(lists, axis=1, out=lists)
    place = rng.integers(0, WIDTH, agents)  # nothing is liked yet, so the considered are alike
    likes = np.bincount(lists[np.arange(agents), place], minlength=ITEMS)
    assert likes.sum() == agents


WHO = {"engine": engine, "whole": whole}


def measured(who: str, agents: int) -> tuple[float, float]:
    """Peak resident bytes and seconds of a process of its own."""
    started = time.perf_counter()
    asked = [sys.executable, "-m", "benchmarks.memory", who, str(agents)]
    told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    return float(told), time.perf_counter() - started


def main() -> None:
    """Measure each size; bytes for each agent are counted above a process with one agent."""
    rows = []
    for who, told in (("engine", "engine"), ("whole", "NumPy, all lists at once")):
        floor, _ = measured(who, 1)
        for agents in SIZES:
            peak, seconds = measured(who, agents)
            each = (peak - floor) / agents
            count, megabytes = f"{agents:,}", f"{peak / 1e6:,.0f}"
            rows.append((told, count, megabytes, f"{each:.0f}", f"{seconds:.1f}"))
    table(
        f"One step on {ITEMS} items, only the tallies kept; peak resident memory",
        ("", "agents", "MB", "bytes / agent", "seconds"),
        rows,
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        WHO[sys.argv[1]](int(sys.argv[2]))
        # Kilobytes on Linux, bytes on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
    else:
        main()
