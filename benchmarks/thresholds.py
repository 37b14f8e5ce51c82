"""Runs spent to locate a threshold to a given interval: our search, a uniform grid, and bisection.

Each run grows the phenomenon or not, with chance 0.1 below and 0.9 above a place drawn for each study; the
change is a jump, or 10 to 90 % of it within 0.05 of the range. All are to find a 95 % interval that is
WIDTH of the range.

- search: `threshold`, 4 runs at a time, until its interval is so narrow and its verdict stands.
- grid: levels WIDTH apart, one more run at each until the interval is so narrow; its interval is computed as
  the search's is, from all its runs, and it may stop at once: a generous rival.
- bisection: 10 runs at the middle, go to the half the majority points to, until the bracket is so narrow.

Run: python -m benchmarks.thresholds [STUDIES]
"""

from benchmarks.timing import one_core, table

one_core()

import sys
from collections.abc import Callable
from math import exp, log

import numpy as np

from cloudchamber.analysis.thresholds.axis import Axis
from cloudchamber.analysis.thresholds.judging import Asked, judge
from cloudchamber.analysis.thresholds.located import Trial
from cloudchamber.analysis.thresholds.seeking import learned, threshold

Grown = Callable[[float], bool]
Found = tuple[int, float, float]
"""Runs, lower and upper end."""
MOST = 4000


def planted(seed: int, wide: float) -> tuple[float, Grown]:
    rng = np.random.default_rng(seed)
    place = rng.uniform(0.1, 0.9)

    def grown(level: float) -> bool:
        away = (level - place) * 2 * log(9) / max(wide, 1e-9)
        return bool(rng.random() < 0.1 + 0.8 / (1 + exp(-min(max(away, -700), 700))))

    return place, grown


def search(grown: Grown, width: float) -> Found:
    found = threshold(lambda level, _: grown(level), 0, 1, runs=MOST, width=width, batch=4)
    return found.runs, found.at.low, found.at.high


def grid(grown: Grown, width: float) -> Found:
    levels = np.linspace(0, 1, round(1 / width) + 1).tolist()
    asked = Asked(Axis(0, 1), 0.95, 0.5, 0.1)
    trials: tuple[Trial, ...] = ()
    while len(trials) < MOST:
        batch = len(trials) // len(levels)
        trials += tuple(Trial(level, 0, float(grown(level)), batch) for level in levels)
        found = judge(learned(asked, trials, None), asked, trials)
        if found.kind == "threshold" and found.at.high - found.at.low <= width:
            break
    return len(trials), found.at.low, found.at.high


def bisection(grown: Grown, width: float) -> Found:
    low, high, runs = 0.0, 1.0, 0
    while high - low > width:
        middle = (low + high) / 2
        share = np.mean([grown(middle) for _ in range(10)])
        low, high = (low, middle) if share >= 0.5 else (middle, high)
        runs += 10
    return runs, low, high


def main(studies: int = 40) -> None:
    rows = []
    for change, wide, widths in (
        ("a jump", 0.0, (0.05, 0.02, 0.01)),
        ("0.05 wide", 0.05, (0.05, 0.02)),
    ):
        for width in widths:
            spent, covered = {}, {}
            for name, rival in (("search", search), ("grid", grid), ("bisection", bisection)):
                found = [
                    (place, rival(grown, width))
                    for place, grown in (planted(seed, wide) for seed in range(studies))
                ]
                spent[name] = np.mean([runs for _, (runs, _, _) in found])
                covered[name] = np.mean([low <= place <= high for place, (_, low, high) in found])
            told = [f"{spent[name]:.0f} ({covered[name]:.2f})" for name in spent]
            ratios = [f"{spent['search'] / spent[name]:.2f}" for name in ("grid", "bisection")]
            rows.append([change, width, *told, *ratios])
    head = ["change", "width", "search", "grid", "bisection", "of the grid's", "of bisection's"]
    table(f"runs spent (share of {studies} intervals that cover the place)", head, rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
