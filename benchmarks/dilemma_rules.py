"""Decisions a second of 100,000 agents in the worlds of dilemmas: public goods, and pairs that meet.

Public goods in 25,000 groups of four and in one group of all; the dilemma in 50,000 kept pairs and in one
population with partners drawn anew. What all give and how many cooperate is checked against closed forms
first, and nothing is timed if they differ.

Run: python -m benchmarks.dilemma_rules
"""

from benchmarks.timing import median, one_core, rounds, table

one_core()

import sys
from collections.abc import Callable
from functools import partial

import numpy as np

from cloudchamber.agents import ConditionalCooperator, Society, WinStayLoseShift, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.games import drawn_partners, kept_pairs
from cloudchamber.microspec import (
    Affordances,
    Group,
    Hidden,
    Meetings,
    Microspec,
    Population,
    Simultaneous,
    Visibility,
    Window,
)
from cloudchamber.questions import Reals
from cloudchamber.trace import Level, Trace
from cloudchamber.worlds import Dilemma, PublicGoods

AGENTS, STEPS, SLIP = 100_000, 10, 0.05
GIVER = ConditionalCooperator(first=0.6, slope=0.8)
PLAYER = WinStayLoseShift(slip=SLIP)


def pool(players: int) -> Microspec:
    """Players that all give at once, and see the total."""
    return Microspec(
        world=PublicGoods(players=players),
        population=Population(groups=(Group(name="players", count=players, decides=GIVER),)),
        turns=Simultaneous(steps=STEPS),
        memory=Window(k=1),
        affordances=Affordances(choose="amount"),
    )


def pairs(players: int, *, kept: bool) -> Microspec:
    """Players that meet in pairs, all at once, and remember the last meeting."""
    partners = "kept" if kept else "drawn"
    return Microspec(
        world=Dilemma(),
        population=Population(groups=(Group(name="players", count=players, decides=PLAYER),)),
        turns=Meetings.model_validate({"steps": STEPS, "at_once": True, "partners": partners}),
        memory=Window(k=1),
        visibility=Visibility(fields={"chosen": Hidden()}),
    )


def cooperation(spec: Microspec, runs: int) -> Reals:
    """The share that cooperates in each round, over all runs; outcomes and facts alone are kept."""
    trace = Trace()
    which = Runs(seed=1, replicates=np.arange(runs), ids=np.arange(1, runs + 1))
    decide(grow(spec, which, trace, level=Level("summary")), Society(spec))
    series = trace.columns("series")
    now = series["measure"] == "cooperation now"
    step, value = series["step"][now], series["value"][now]
    return np.array([value[step == at].mean() for at in range(1, STEPS + 1)])


SHAPES: dict[str, tuple[Microspec, int]] = {
    "public good, 25,000 groups of 4": (pool(4), AGENTS // 4),
    "public good, 1 group of 100,000": (pool(AGENTS), 1),
    "dilemma, 50,000 kept pairs": (pairs(2, kept=True), AGENTS // 2),
    "dilemma, 1 population, partners drawn": (pairs(AGENTS, kept=False), 1),
}


def check() -> None:
    """What is grown is what theory says, or nothing is timed."""
    first, *after = (SLIP + (1 - 2 * SLIP) * p for p in (1.0, 1.0, 0.0, 0.0, 1.0))
    course = 0.6 * 0.8 ** np.arange(STEPS)
    known = (course, course, kept_pairs(first, after, STEPS), drawn_partners(first, after, STEPS))
    for (name, (spec, runs)), theory in zip(SHAPES.items(), known, strict=True):
        away = np.abs(cooperation(spec, runs) - theory).max()
        print(f"{name}: at most {away:.4f} from theory in any round")
        if away > 0.01:
            raise SystemExit(f"{name}: theory and runs differ; fix that first")


def main(times: int = 3) -> None:
    """Time each in turns and print decisions a second."""
    check()
    acts: dict[str, Callable[[], object]] = {
        name: partial(cooperation, spec, runs) for name, (spec, runs) in SHAPES.items()
    }
    used = {name: median([one[0] for one in each]) for name, each in rounds(acts, times).items()}
    table(
        f"{AGENTS:,} agents, {STEPS} rounds, one core; median of {times} rounds taken in turns",
        ("", "decisions / s of processor"),
        [(name, f"{AGENTS * STEPS / seconds:,.0f}") for name, seconds in used.items()],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
