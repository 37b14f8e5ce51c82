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


def showing(agents: int, draws: Draws) -> NDArray[np.int64]:
    """The same, with what each is shown laid out: of each remembered meeting both names, payoff, who it was,
    from which decision, and how long ago, oldest first. It is counted from that what was said how often.
    """
    cube = np.full((MEMORY + 1,) * 3, np.nan)
    for length, partner, own, p in LLAMA_3:
        cube[length, partner, own] = p
    names = ("own", "met", "who", "decision", "others")
    ring = {name: np.full((agents, MEMORY), -1, np.int64) for name in names}
    paid, total, score = np.zeros((agents, MEMORY)), 0, np.zeros(agents)
    everyone = np.arange(agents)[:, None]
    for step in range(STEPS):
        kept = np.arange(step - min(step, MEMORY), step)
        own, met, who, decision, others = (ring[name][:, kept % MEMORY] for name in names)
        shape = (agents, 2 * len(kept))
        item = np.stack([own, met], 2).reshape(shape)
        source = np.stack([np.broadcast_to(everyone, who.shape), who], 2).reshape(shape)
        origin = np.stack([decision, others], 2).reshape(shape)
        late = np.broadcast_to(np.repeat(step - kept, 2), shape).copy()
        payoff = np.stack([paid[:, kept % MEMORY], np.full(own.shape, np.nan)], 2).reshape(shape)
        told = (item, source, origin, late, payoff)
        met_m, own_m = ((told[0][:, side::2] == 1).sum(axis=1) for side in (1, 0))
        p = cube[len(kept)][met_m, own_m]
        lacking = np.isnan(p)
        p[lacking] = (met_m[lacking] + own_m[lacking]) / (2 * len(kept) or 1)
        order, says = draws(step, p)
        one, other = order[0::2], order[1::2]
        partner, slot = np.empty(agents, np.int64), step % MEMORY
        partner[one], partner[other] = other, one
        payoffs = np.where(says == says[partner], 100.0, -50.0)
        score += payoffs
        ring["own"][:, slot], ring["met"][:, slot] = says, says[partner]
        ring["who"][:, slot], paid[:, slot] = partner, payoffs
        ring["decision"][:, slot] = everyone[:, 0] + step * agents
        ring["others"][:, slot] = partner + step * agents
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
    ends = outcomes["value"][outcomes["step"] == STEPS]
    if not all(np.array_equal(ends, loop(500, keyed(500))) for loop in (by_hand, showing)):
        raise SystemExit("the hand-written loop and the engine do not do the same: fix that first")


def main(times: int = 5) -> None:
    """Time all in turns and print decisions a second, and ratios to the hand-written loops."""
    check()
    full, summary = Level("full"), Level("summary")
    bare, same = "NumPy, by hand", "NumPy, by hand, with the engine's draws"
    shown = "the same, laying out what is shown"
    rivals: dict[str, tuple[int, Callable[[], object]]] = {
        "full trace in memory": (FEW, lambda: grown(FEW, full)),
        "tallies and facts only": (AGENTS, lambda: grown(AGENTS, summary)),
        shown: (AGENTS, lambda: showing(AGENTS, keyed(AGENTS))),
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
            for rival in (shown, same, bare)
        )
        rows.append((name, f"{agents * STEPS / used:,.0f}", *(f"{ratio:.2f}" for ratio in ratios)))
    table(
        f"{AGENTS:,} agents ({FEW:,} of them where all is kept), {STEPS} rounds, one core; processor "
        f"time, median of {times} rounds taken in turns",
        ("", "decisions / s", "times it laid out", "times it keyed", "times it bare"),
        rows,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
