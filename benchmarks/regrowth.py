"""How fast fitted mechanisms regrow, beside the plain rule that they are: `python -m benchmarks.regrowth`.

One core. Readers on 48 items, one after the other, each list shuffled anew, the first five places considered,
any like attracts; only the tallies are kept. Twenty draws of a fit's parameters ride in one pool.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from statistics import median

import numpy as np

from cloudchamber.agents import Society, TwoStage
from cloudchamber.agents.society import decide
from cloudchamber.engine import Runs, grow
from cloudchamber.mechanism import ConsiderThenChoose, Gate, Signal, grown_by
from cloudchamber.mechanism.growing import put
from cloudchamber.microspec import Group, Microspec, Population, Sequential
from cloudchamber.trace import Level, Trace
from cloudchamber.worlds import Feed

READERS, STEPS, RUNS, DRAWS, ROUNDS = 48, 10, 20, 20, 5
RULE = TwoStage(taste=0.0)
SAME = ConsiderThenChoose(considered=Gate(width=5), terms=(Signal(strength=1.5),), appeal=-1.0)
SPEC = Microspec(
    world=Feed.of(48),
    population=Population(groups=(Group(name="readers", count=READERS, decides=RULE),)),
    turns=Sequential(steps=STEPS),
)
SUMMARY = Level("summary")


def plainly(spec: Microspec, runs: int) -> int:
    """Grow so many runs of a specification."""
    pool = Runs(1, np.arange(runs), np.arange(runs) + 1)
    decide(grow(spec, pool, Trace(), level=SUMMARY), Society(spec))
    return runs * READERS * STEPS


def drawn() -> int:
    """Regrow twenty runs under each of twenty draws."""
    draws = [
        {"readers": SAME.with_values(SAME.values("one") + 0.01 * at, "one")} for at in range(DRAWS)
    ]
    for _ in grown_by(SPEC, draws, seed=1, replicates=range(RUNS), level=SUMMARY):
        pass
    return DRAWS * RUNS * READERS * STEPS


def main() -> None:
    mechanism = put(SPEC, {"readers": SAME})
    cases = {
        f"the rule, {RUNS} runs": lambda: plainly(SPEC, RUNS),
        f"the mechanism, {RUNS} runs": lambda: plainly(mechanism, RUNS),
        f"the rule, {DRAWS * RUNS} runs": lambda: plainly(SPEC, DRAWS * RUNS),
        f"the mechanism, {DRAWS * RUNS} runs": lambda: plainly(mechanism, DRAWS * RUNS),
        f"the mechanism, {DRAWS} draws of {RUNS} runs": drawn,
    }
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    made = {name: case() for name, case in cases.items()}  # once to warm up
    for _ in range(ROUNDS):
        for name, case in cases.items():
            start = time.process_time()
            case()
            seconds[name].append(time.process_time() - start)
    print("decisions a second of processor time, median of rounds in turns")
    for name, spent in seconds.items():
        print(f"{name:40} {made[name] / median(spent):12,.0f}")


if __name__ == "__main__":
    main()
