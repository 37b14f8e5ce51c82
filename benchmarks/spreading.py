"""Decisions a second of 100,000 rule agents in the worlds that have no benchmark of their own.

Cascades, thresholds and contagion, the force of a majority, the minimal naming game, firms that ask prices.

Run: python -m benchmarks.spreading
"""

from benchmarks.timing import median, one_core, rounds, table

one_core()

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from cloudchamber.agents import (
    Bayesian,
    BestPrice,
    Contagion,
    MajorityForce,
    Random,
    Rule,
    Society,
    Threshold,
    decide,
)
from cloudchamber.engine import Runs, grow
from cloudchamber.microspec import (
    Affordances,
    Group,
    Hidden,
    Meetings,
    Microspec,
    Population,
    Sequential,
    Simultaneous,
    Visibility,
    WattsStrogatz,
    Window,
)
from cloudchamber.trace import Level, Trace
from cloudchamber.worlds import Bertrand, Cascade, Diffusion, Drawn, MinimalNamingGame, Opinion

AGENTS = 100_000
STEPS = 10
NEAR: dict[str, Any] = {
    "communication": WattsStrogatz(k=8, p=0.1),
    "visibility": Visibility(whose="neighbours"),
}
FIRMS: dict[str, Any] = {
    "memory": Window(k=1),
    "visibility": Visibility(fields={"prices": Hidden()}),
    "affordances": Affordances(choose="amount"),
}
NAMES: dict[str, Any] = {
    "turns": Meetings(steps=STEPS, at_once=True),
    "visibility": Visibility(fields={"uses": Hidden()}),
}


def spec_of(world: Any, rule: Rule, agents: int = AGENTS, **parts: Any) -> Microspec:
    """So many agents of one rule, all at once if nothing else is said."""
    people = Population(groups=(Group(name="people", count=agents, decides=rule),))
    known: dict[str, Any] = {"turns": Simultaneous(steps=STEPS)}
    return Microspec(world=world, population=people, **(known | parts))


def growing(spec: Microspec, runs: int, asked: dict[str, int], name: str) -> Callable[[], object]:
    """Grow a pool, tallies alone, and note how many decisions it was."""

    def act() -> None:
        pool = Runs(1, np.arange(runs), np.arange(1, runs + 1))
        account = decide(grow(spec, pool, Trace(), level=Level("summary")), Society(spec))
        asked[name] = int(account.questions.sum())

    return act


def main(times: int = 3) -> None:
    """Time all in turns and print decisions a second."""
    some = Drawn(mean=0.25, sd=0.16)
    adopters = Affordances(acts=("adopt",))
    games: dict[str, tuple[Microspec, int]] = {
        "cascades, 1,000 sequences of 100": (
            spec_of(Cascade(), Bayesian(), 100, turns=Sequential(steps=1)),
            AGENTS // 100,
        ),
        "thresholds, all see all": (
            spec_of(
                Diffusion(seeds=0, thresholds=some, of="share"), Threshold(), affordances=adopters
            ),
            1,
        ),
        "thresholds, small world of 8": (
            spec_of(
                Diffusion(seeds=0, thresholds=some, of="share"),
                Threshold(),
                affordances=adopters,
                **NEAR,
            ),
            1,
        ),
        "contagion that stays, all see all": (
            spec_of(Diffusion(seeds=100), Contagion(chance=2 / AGENTS)),
            1,
        ),
        "epidemic (R 2), all see all": (
            spec_of(Diffusion(seeds=100), Contagion(chance=2 / AGENTS, stop=1.0)),
            1,
        ),
        "majority, all see all": (spec_of(Opinion(), MajorityForce()), 1),
        "majority, small world of 8": (spec_of(Opinion(), MajorityForce(), **NEAR), 1),
        "minimal naming, 2 words": (spec_of(MinimalNamingGame(different=2), Random(), **NAMES), 1),
        "minimal naming, 10 words": (
            spec_of(MinimalNamingGame(different=10), Random(), **NAMES),
            1,
        ),
        "prices, 50,000 runs of 2 firms": (
            spec_of(Bertrand(), BestPrice(), 2, **FIRMS),
            AGENTS // 2,
        ),
        "prices, 1 run of 100,000 firms": (
            spec_of(Bertrand(outside=2.0), BestPrice(outside=2.0, buyers=1e7), **FIRMS).replace(
                "world.buyers", 1e7
            ),
            1,
        ),
    }
    asked: dict[str, int] = {}
    acts = {name: growing(spec, runs, asked, name) for name, (spec, runs) in games.items()}
    taken = rounds(acts, times)
    rows = []
    for name in games:
        used, wall = (median(list(part)) for part in zip(*taken[name], strict=True))
        rows.append(
            (name, f"{asked[name]:,}", f"{asked[name] / used:,.0f}", f"{asked[name] / wall:,.0f}")
        )
    table(
        f"{AGENTS:,} agents, one core; median of {times} rounds taken in turns",
        ("", "decisions", "/ s of processor", "/ s of wall"),
        rows,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
