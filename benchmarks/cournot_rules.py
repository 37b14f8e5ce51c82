"""Decisions a second of firms that best answer each other, beside the same market as a plain NumPy loop.

Many runs of two firms, and one run of many; two goods each, capacity, prices inferred from memory. The loop
does what the market does and nothing else: quantities, prices, profits, the four facts of each round.

Run: python -m benchmarks.cournot_rules
"""

from benchmarks.timing import median, one_core, rounds, table

one_core()

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cloudchamber.agents import BestQuantity, Society, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.microspec import (
    Affordances,
    Fixed,
    Group,
    Hidden,
    Microspec,
    Population,
    Simultaneous,
    Visibility,
    Window,
)
from cloudchamber.trace import Level, Trace
from cloudchamber.worlds import Cournot

FIRMS, STEPS, SLOPE = 100_000, 10, 2.0
HIDDEN = ("quantity", "share", "profit")
"""What the loop does not keep for its firms either."""
Reals = NDArray[np.float64]


def spec_of(firms: int) -> Microspec:
    """Firms that answer what they infer of the others from the last price; demand grows with their number."""
    slope = SLOPE * firms / 2
    rule = BestQuantity(slope=slope, pace=2 / firms)
    return Microspec(
        world=Cournot(slope=slope),
        population=Population(groups=(Group(name="firms", count=firms, decides=rule),)),
        turns=Simultaneous(steps=STEPS),
        memory=Window(k=2),
        visibility=Visibility(fields=dict.fromkeys(HIDDEN, Hidden()), order=Fixed()),
        affordances=Affordances(choose="amount"),
    )


def grown(runs: int, firms: int) -> Trace:
    """A pool of runs; outcomes and facts are kept, and nothing else."""
    spec, trace = spec_of(firms), Trace()
    which = Runs(seed=1, replicates=np.arange(runs), ids=np.arange(1, runs + 1))
    decide(grow(spec, which, trace, level=Level("summary")), Society(spec))
    return trace


def by_hand(runs: int, firms: int) -> dict[str, Reals]:
    """The same market, for the facts of the last round, (runs,) each."""
    slope, capacity, pace = SLOPE * firms / 2, 100.0, 2 / firms
    costs = np.array([[40.0, 50.0], [50.0, 40.0]])[np.arange(firms) % 2]
    made = np.zeros((runs, firms, 2))
    price = np.full((runs, 2), 100.0)
    facts: dict[str, Reals] = {}
    for step in range(STEPS):
        rest = np.maximum(slope * (100.0 - price)[:, None, :] - made, 0.0)
        best = _best(100.0 - rest / slope - costs, slope / 2, capacity)
        made = best if step == 0 else made + pace * (best - made)
        total = made.sum(axis=1)
        price = np.maximum(100.0 - total / slope, 0.0)
        profit = (price[:, None, :] - costs) * made
        share = made / total[:, None, :]
        facts = {
            "specialisation": (made.std(axis=2) / made.mean(axis=2)).mean(axis=1),
            "concentration": np.square(share).sum(axis=1).mean(axis=1),
            "price": price.mean(axis=1),
            "profit": profit.sum(axis=2).mean(axis=1),
        }
    return facts


def _best(margin: Reals, half: float, capacity: float) -> Reals:
    """The best quantities of two goods within capacity."""
    free = half * np.maximum(margin, 0.0)
    one = np.maximum(margin.max(axis=2) - capacity / half, 0.0)
    both = (margin.sum(axis=2) - capacity / half) / 2
    shadow = np.where(free.sum(axis=2) > capacity, np.maximum(one, both), 0.0)
    return half * np.maximum(margin - np.maximum(shadow, 0.0)[..., None], 0.0)


def check(runs: int, firms: int) -> None:
    """Both end in the same facts, or nothing is compared."""
    series = grown(runs, firms).columns("series")
    last = series["step"] == STEPS
    for name, value in by_hand(runs, firms).items():
        found = series["value"][last & (series["measure"] == name)]
        if not np.allclose(found, value, rtol=1e-9):
            raise SystemExit(f"{name} of the market and of the loop differ: fix that first")


def main(times: int = 5) -> None:
    """Time both in turns and print decisions a second, and the ratio."""
    shapes = {"50,000 runs of 2 firms": (FIRMS // 2, 2), "1 run of 100,000 firms": (1, FIRMS)}
    for runs, firms in ((50, 2), (1, 50)):
        check(runs, firms)
    acts: dict[str, Callable[[], object]] = {}
    for name, (runs, firms) in shapes.items():
        acts[f"{name}, cloudchamber"] = partial(grown, runs, firms)
        acts[f"{name}, plain NumPy"] = partial(by_hand, runs, firms)
    taken = rounds(acts, times)
    used = {name: median([one[0] for one in each]) for name, each in taken.items()}
    table(
        f"Two goods, {STEPS} rounds, one core; median of {times} rounds taken in turns",
        ("", "decisions / s of processor"),
        [(name, f"{FIRMS * STEPS / seconds:,.0f}") for name, seconds in used.items()],
    )
    ratio = [
        (name, f"{used[f'{name}, cloudchamber'] / used[f'{name}, plain NumPy']:.1f}")
        for name in shapes
    ]
    table("Processor time as a multiple of the loop's", ("", "ratio"), ratio)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
