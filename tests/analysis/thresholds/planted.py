"""Planted responses for the tests of thresholds: what shape, where, how noisy."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from typing import Literal

import numpy as np

from cloudchamber.analysis.thresholds.seeking import Threshold, threshold

STEEP = 2 * log(9)
"""10 to 90 % of a logistic curve of scale 1."""


@dataclass(frozen=True)
class Planted:
    """A mean response along 0 to 1, and the place that an interval should cover."""

    mean: Callable[[float], float]
    place: float
    verdicts: tuple[tuple[str, str], ...]
    """What may be said of it: kind and shape; "" for any shape."""


def rise(x: float, place: float, width: float) -> float:
    return 1 / (1 + exp(-min(max(STEEP * (x - place) / width, -700), 700)))


def plant(what: str, rng: np.random.Generator) -> Planted:
    """Floors up to 0.1, ceilings from 0.9; widths are 10 to 90 % of the way, parts of the range."""
    place, low, high = rng.uniform(0.15, 0.85), rng.uniform(0, 0.1), rng.uniform(0.9, 1)
    reach = high - low
    match what:
        case "step":
            return Planted(lambda x: low + reach * (x > place), place, (("threshold", "step"),))
        case "steep":  # none to 0.08 wide, floors up to 0.25
            low, high, width = rng.uniform(0, 0.25), rng.uniform(0.75, 1), rng.uniform(-0.08, 0.08)
            return Planted(
                lambda x: low + (high - low) * rise(x, place, max(width, 1e-6)),
                place,
                (("threshold", "step"),),
            )
        case "sigmoid":
            middle, width = rng.uniform(0.35, 0.65), rng.uniform(0.25, 0.4)
            passes = middle + width / STEEP * log((0.5 - low) / (high - 0.5))
            return Planted(
                lambda x: low + reach * rise(x, middle, width), passes, (("gradual", "sigmoid"),)
            )
        case "line":
            return Planted(lambda x: low + reach * x, (0.5 - low) / reach, (("gradual", "line"),))
        case "hump":
            up, down, width = rng.uniform(0.2, 0.35), rng.uniform(0.65, 0.8), rng.uniform(0.02, 0.2)
            return Planted(
                lambda x: low + reach * rise(x, up, width) * rise(-x, -down, width),
                up,
                (("non-monotone", "hump"),),
            )
        case "never":
            return Planted(lambda x: low, place, (("never", ""),))
        case "always":
            return Planted(lambda x: high, place, (("always", ""),))
        case "nothing":
            level = rng.uniform(0, 1)
            right = (("never", ""), ("always", ""), ("flat", ""), ("cannot tell", ""))
            return Planted(lambda x: level, place, right)
    raise AssertionError(what)


Noise = Literal["shares", "even", "uneven"]


def study(what: str, seed: int, noise: Noise, runs: int) -> tuple[Planted, Threshold]:
    """One simulated study. Measures: sd 0.1 of the range, or growing from 0.05 to 0.15 with the mean."""
    rng = np.random.default_rng([seed, *map(ord, what)])
    planted = plant(what, rng)

    def grow(level: float, replicate: int) -> float:
        mean = planted.mean(level)
        if noise == "shares":
            return float(rng.random() < mean)
        sd = 0.1 if noise == "even" else 0.05 + 0.1 * mean
        return float(mean + sd * rng.standard_normal())

    return planted, threshold(grow, 0, 1, runs=runs, criterion=0.5)


def right(planted: Planted, found: Threshold) -> bool:
    return any(
        found.kind == kind and shape in ("", found.shape) for kind, shape in planted.verdicts
    )
