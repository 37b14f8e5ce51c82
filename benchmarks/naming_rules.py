"""Decisions a second of table-driven agents in the naming game, beside the same loop by hand in NumPy.

Run: python -m benchmarks.naming_rules
"""

from benchmarks.timing import median, one_core, rounds, table

one_core()

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.agents import LookUp, Society, decide
from cloudchamber.agents.look_up_tables import LLAMA_3
from cloudchamber.engine import Runs, grow
from cloudchamber.microspec import (
    Group,
    Hidden,
    Meetings,
    Microspec,
    Population,
    Visibility,
    Window,
)
from cloudchamber.microspec.visibility import shuffle
from cloudchamber.trace import Level, Trace
from cloudchamber.worlds import NamingGame

AGENTS, FEW, STEPS, MEMORY = 100_000, 10_000, 20, 5
Draws = Callable[[int, NDArray[np.float64]], tuple[NDArray[Any], NDArray[np.bool_]]]
"""Of a step and each agent's probability of M: an order of the agents, and who says M."""


def spec_of(agents: int) -> Microspec:
    """Agents that look up what to say, all meetings of a round at once."""
    return Microspec(
        world=NamingGame(),
        population=Population(groups=(Group(count=agents, decides=LookUp()),)),
        turns=Meetings(steps=STEPS, at_once=True),
        memory=Window(k=MEMORY),
        visibility=Visibility(fields={"uses": Hidden()}),
    )


def grown(agents: int, level: Level) -> Trace:
    """One run, seed 1."""
    spec, trace = spec_of(agents), Trace()
    runs = Runs(seed=1, replicates=np.arange(1), ids=np.array([1]))
    decide(grow(spec, runs, trace, level=level), Society(spec))
    return trace


def by_hand(agents: int, draws: Draws) -> NDArray[np.int64]:
    """The loop written for this game and no other: how often each name was said.

    An even number of agents, so that all meet in each round and remember equally many meetings. What it
    leaves out: any other network, turns, memory, number of names, or agents of two kinds; the order of the
    names; scores; what was remembered of whom.
    """
    chance = np.full((MEMORY + 1,) * 3, np.nan)
    for length, partner, own, p in LLAMA_3:
        chance[length, partner, own] = p
    said = np.zeros((MEMORY, agents), np.int8)
    heard, own_m, met_m = np.zeros_like(said), np.zeros(agents, np.int8), np.zeros(agents, np.int8)
    total, score = 0, np.zeros(agents)
    for step in range(STEPS):
        length, slot = min(step, MEMORY), step % MEMORY
        p = chance[length][met_m, own_m]
        lacking = np.isnan(p)
        p[lacking] = (met_m[lacking] + own_m[lacking]) / (2 * length or 1)
        order, says = draws(step, p)
        one, other = order[0::2], order[1::2]
        hears = np.empty_like(says)
        hears[one], hears[other] = says[other], says[one]
        score += np.where(says == hears, 100.0, -50.0)
        own_m += says - said[slot]
        met_m += hears - heard[slot]
        said[slot], heard[slot] = says, hears
        total += int(says.sum())
    return np.array([agents * STEPS - total, total])


def fresh(agents: int) -> Draws:
    """Draws in the order of calls: the quickest there are."""
    rng = np.random.default_rng(1)
    return lambda step, p: (rng.permutation(agents), rng.random(agents) < p)


def keyed(agents: int) -> Draws:
    """The engine's own draws, which depend on no order of calls: so the loop ends in the engine's tallies."""

    def drawn(step: int, p: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        order = shuffle(randomness.keys(1, np.arange(1), "meetings", step, -1), agents)[0]
        keys = randomness.keys(1, 0, "choice", step, np.arange(agents))
        noise = randomness.exponentials(keys, 2)
        with np.errstate(divide="ignore"):
            return order, noise[:, 1] / p < noise[:, 0] / (1 - p)

    return drawn


def check() -> None:
    """The loop with the engine's draws ends in the engine's tallies, or nothing is compared."""
    outcomes = grown(500, Level("summary")).columns("outcomes")
    if not np.array_equal(outcomes["value"][outcomes["step"] == STEPS], by_hand(500, keyed(500))):
        raise SystemExit("the hand-written loop and the engine do not do the same: fix that first")


def main(times: int = 5) -> None:
    """Time all in turns and print decisions a second, and ratios to the hand-written loops."""
    check()
    full, summary = Level("full"), Level("summary")
    bare, same = "NumPy, by hand", "NumPy, by hand, with the engine's draws"
    rivals: dict[str, tuple[int, Callable[[], object]]] = {
        "full trace in memory": (FEW, lambda: grown(FEW, full)),
        "tallies and facts only": (AGENTS, lambda: grown(AGENTS, summary)),
        same: (AGENTS, lambda: by_hand(AGENTS, keyed(AGENTS))),
        bare: (AGENTS, lambda: by_hand(AGENTS, fresh(AGENTS))),
    }
    taken = rounds({name: act for name, (_, act) in rivals.items()}, times)
    rows = []
    for name, (agents, _) in rivals.items():
        used = median([used for used, _ in taken[name]])
        ratios = (
            median(
                [
                    mine[0] / its[0] * AGENTS / agents
                    for mine, its in zip(taken[name], taken[rival], strict=True)
                ]
            )
            for rival in (same, bare)
        )
        rows.append((name, f"{agents * STEPS / used:,.0f}", *(f"{ratio:.2f}" for ratio in ratios)))
    table(
        f"{AGENTS:,} agents ({FEW:,} of them where all is kept), {STEPS} rounds, one core; processor "
        f"time, median of {times} rounds taken in turns",
        ("", "decisions / s", "times keyed NumPy", "times NumPy"),
        rows,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
