"""What theory says of populations of rules: the known answers that worlds are checked against.

Cascades, thresholds, epidemics, majorities and names, each with its source. A population of another kind (a
language model) is held beside the same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import atanh, exp, inf, log1p, sqrt, tanh
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CascadeShares",
    "cascade_shares",
    "critical_commitment",
    "final_size",
    "fold",
    "loop_area",
    "mean_outbreak",
    "naming_at_rest",
    "opinion",
    "right_by_place",
    "swept_area",
    "threshold_share",
]

Tie = Literal["coin", "own sign"]


@dataclass(frozen=True, slots=True)
class CascadeShares:
    """How many sequences are in which state after some Bayesians chose."""

    none: float
    """In no cascade."""
    right: float
    """In one on the right option."""
    wrong: float
    """In one on the wrong option."""


def cascade_shares(precision: float, chosen: int, tie: Tie = "coin") -> CascadeShares:
    """The state of an information cascade after so many choices, an even number.

    Of two who choose one after the other outside of a cascade, both may follow the same sign; then a
    cascade begins. With q = 1 - p they leave none with probability p q if a tie is decided by a coin
    (Bikhchandani, Hirshleifer & Welch 1992), and 2 p q if by the own sign (Anderson & Holt 1997).
    """
    p, q = precision, 1 - precision
    if tie == "coin":
        stays, right = p * q, p * p + p * q / 2
    else:
        stays, right = 2 * p * q, p * p
    none = stays ** (chosen // 2)
    share = right / (1 - stays) if stays < 1 else 0.0
    return CascadeShares(none, share * (1 - none), (1 - share) * (1 - none))


def right_by_place(precision: float, place: int, tie: Tie = "coin") -> float:
    """The probability that the Bayesian at a place (0 for the first) chooses what is right."""
    before = cascade_shares(precision, place - place % 2, tie)
    return before.right + before.none * precision


def threshold_share(mean: float, sd: float) -> float:
    """The share that adopts in the end, of many with normal thresholds, all of whom see all.

    The least fixed point of r = Phi((r - mean) / sd), reached from nobody (Granovetter 1978). Mean and
    standard deviation are shares of the whole.
    """
    from scipy.special import ndtr  # SciPy costs 100 ms that most runs need not pay

    if sd <= 0:
        return 1.0 if mean <= 0 else 0.0
    share = 0.0
    # It rises; near a tangency slowly, as 1 / steps, so it is bounded by where the curve crosses.
    for _ in range(2_000_000):
        after = float(ndtr((share - mean) / sd))
        if after - share < 1e-13:
            return after
        share = after
    return share


def mean_outbreak(reproduction: float) -> float:
    """The mean number that one case leads to, itself included: 1 / (1 - R); infinite from 1 on."""
    return 1 / (1 - reproduction) if reproduction < 1 else inf


def final_size(reproduction: float, seeds: float = 0.0) -> float:
    """The share ever reached in a large outbreak: s = 1 - (1 - seeds) exp(-R s).

    Kermack & McKendrick 1927. Without seeds, which are a share too, it is 0 up to R = 1. With chance p of
    catching it from one person at a step and q of ending it, R is p N / q among N.
    """
    from scipy.special import lambertw  # as above

    if reproduction <= 1 and not seeds:
        return 0.0
    left = -(1 - seeds) * reproduction * exp(-reproduction)
    return 1 + float(lambertw(left).real) / reproduction


def opinion(strength: float, lean: float = 0.0) -> float:
    """The mean opinion m = tanh(strength m + lean) that a large group in favour ends at; from -1 to 1.

    The largest solution (Curie-Weiss); without lean it is 0 up to strength 1.
    """
    m = 1.0
    for _ in range(2_000_000):
        after = tanh(strength * m + lean)
        if abs(after - m) < 1e-14:
            break
        m = after
    return 0.0 if lean == 0 and strength <= 1 else m


def fold(strength: float) -> float:
    """How much lean against it a large group holds out; 0 up to strength 1."""
    if strength <= 1:
        return 0.0
    m = sqrt(1 - 1 / strength)
    return strength * m - atanh(m)


def loop_area(strength: float) -> float:
    """The area between the ways up and down of mean opinion over lean, swept slowly past both folds.

    Twice the integral of the upper branch between the folds: with h = artanh m - strength m it is
    m h less the integral of h over m.
    """
    if strength <= 1:
        return 0.0
    turn = fold(strength)
    low, high = sqrt(1 - 1 / strength), opinion(strength, turn)

    def integral(m: float) -> float:
        return m * atanh(m) + log1p(-m * m) / 2 - strength * m * m / 2

    return 2 * (high * turn + low * turn - integral(high) + integral(low))


def swept_area(
    strength: float, reach: float, levels: int, steps: int, people: int | None = None
) -> float:
    """The area that a sweep at a finite pace, over a grid of leans, leaves between its ways up and down.

    All start against and answer at once, seeing all. Tends to `loop_area` as levels and steps grow, of many.
    In a group it is the expectation, exact: from one step to the next so many of N favour it as a binomial
    draw with probability (tanh(strength m + lean) + 1) / 2 says.

    Args:
        strength: of the majority's force.
        reach: leans go from -reach to reach and back.
        levels: how many leans, evenly apart; each turn of the loop is somewhere between two.
        steps: at each.
        people: how many; without it so many that chance plays no part. Memory grows with its square.
    """
    leans = np.linspace(-reach, reach, levels)
    way = _many if people is None else _few(people)
    after = np.array(way(strength, np.concatenate([leans, leans[::-1]]), steps))
    return float(np.trapezoid(after[levels:][::-1] - after[:levels], leans))


_Way = Callable[[float, NDArray[np.float64], int], list[float]]


def _many(strength: float, leans: NDArray[np.float64], steps: int) -> list[float]:
    """The mean opinion after the steps at each lean, by the mean field."""
    m, after = -1.0, []
    for lean in leans.tolist():
        for _ in range(steps):
            m = tanh(strength * m + lean)
        after.append(m)
    return after


def _few(people: int) -> _Way:
    """The expected mean opinion after the steps at each lean, by the chain of how many favour it."""
    from scipy.special import gammaln  # as above

    favour = np.arange(people + 1)
    m = 2 * favour / people - 1
    ways = gammaln(people + 1) - gammaln(favour + 1) - gammaln(people - favour + 1)

    def way(strength: float, leans: NDArray[np.float64], steps: int) -> list[float]:
        chance, after = (favour == 0).astype(np.float64), []
        for lean in leans.tolist():
            force = 2 * (strength * m + lean)[:, None]
            yes, no = -np.logaddexp(0, -force), -np.logaddexp(0, force)
            onward = np.exp(ways + favour * yes + (people - favour) * no)
            for _ in range(steps):
                chance = chance @ onward
            after.append(float(chance @ m))
        return after

    return way


def naming_at_rest(committed: float, minutes: float = 4000.0) -> tuple[float, float]:
    """Shares that know one word alone, in a large binary naming game in which all others knew the second.

    Of the agents that are not committed: those who know the first word alone, which the committed say, and
    those who know the second alone; the rest know both. Where the mean field of Xie et al. 2011 (Physical
    Review E 84, 011130) comes to rest from none and all.

    Args:
        committed: the share of agents that are committed to the first word.
        minutes: how long at most, in meetings for each agent; slow near `critical_commitment`.
    """
    first, second, step = 0.0, 1.0 - committed, 0.1
    for _ in range(int(minutes / step)):
        both = 1.0 - first - second - committed
        lost = first * second
        up = both * both + both * first + 1.5 * committed * both - lost
        down = both * both + both * second - committed * second - lost
        first, second = first + step * up, second + step * down
        if abs(up) + abs(down) < 1e-12:
            break
    return first, second


def critical_commitment(error: float = 1e-5) -> float:
    """The share of committed agents above which a large binary naming game goes over to their word: .0979."""
    low, high = 0.0, 0.5
    while high - low > error:
        middle = (low + high) / 2
        held = naming_at_rest(middle)[1] > 0.1
        low, high = (middle, high) if held else (low, middle)
    return (low + high) / 2
