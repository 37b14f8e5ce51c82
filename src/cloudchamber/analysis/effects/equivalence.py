"""Equivalence: that there is no effect larger than a margin, as something that can be shown.

A difference that is not significant shows nothing: few runs make any difference so. Two one-sided tests
(TOST; Schuirmann 1987) turn the burden of proof around: the null is an effect of the margin or more, either
way, and "no effect" is claimed only where both are refuted. The third answer is that one cannot tell, with
the runs that would.
"""

from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.analysis.effects.power import runs_to_decide
from cloudchamber.analysis.effects.resampling import Alternative, permutation_p
from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.measures.estimate import (
    FEW,
    Estimate,
    Verdict,
    about,
    difference,
    matched,
    numbers,
)
from cloudchamber.phenomenon.spreads import beyond_spreads

__all__ = ["Equivalence", "Test", "decide", "p_value", "tost"]

Reals = NDArray[np.float64]
Test = Literal["permutation", "t"]


@dataclass(frozen=True, slots=True)
class Equivalence:
    """What two one-sided tests say of a difference, and the two-sided test beside them."""

    difference: Estimate
    """With the interval that goes with the tests, at confidence 1 - 2 alpha (90 %), and the two-sided p."""
    margin: float
    """In the measure's units; an estimate, where it was given in run-to-run spreads."""
    p: float
    """The larger p of the two one-sided tests: at most alpha, where there is no effect beyond the margin."""
    verdict: Verdict
    """"no effect" (none larger than the margin), "effect" (some, and not shown to be within), "undecided"."""
    needed: float
    """Runs (pairs, or of each cell) that would decide with a chance of 80 %, if difference and spread
    are what they seem; NaN where decided or where it cannot be told."""
    alpha: float = 0.05

    def sentence(self) -> str:
        """The result in words."""
        told = f"the difference is {self.difference} at {1 - 2 * self.alpha:.0%}"
        if self.verdict == "no effect":
            return f"No effect larger than {self.margin:.3g} (p = {self.p:.2g}): {told}."
        if self.verdict == "effect":
            return f"An effect (p = {self.difference.p:.2g}): {told}."
        more = f"; {about(self.needed, 'runs')} would decide" if isfinite(self.needed) else ""
        return f"Undecided: {told}, the margin {self.margin:.3g}{more}."


def tost(
    a: ArrayLike,
    b: ArrayLike,
    margin: float,
    *,
    paired: bool,
    in_sd: bool = False,
    alpha: float = 0.05,
    test: Test = "permutation",
    unit: str = "run",
    seed: int = 0,
) -> Equivalence:
    """Two one-sided tests that the mean of `a` is less than a margin away from that of `b`.

    Args:
        a: one number a run.
        b: one number a run, of the baseline or null.
        margin: the least difference that would matter, above 0, in the measure's units.
        paired: as for `difference`.
        in_sd: the margin is in standard deviations between runs of `b`. They are estimated from the same
            runs, which is allowed for: t tests of "difference less margin" with the jackknife's error must
            refute as well (asymptotic; cautious with ten runs or fewer).
        alpha: of each one-sided test and of the two-sided one.
        test: "permutation" is exact for pairs that lie symmetrically around their mean, and so also says
            what runs that are all alike can show: five such pairs refute at 5 %, four do not. As differences
            are mostly skewed where there is an effect, a t test corrected for that must refute as well (Hall
            1992). "t" is Student's or Welch's alone.
        unit: what a number stands for.
        seed: of the permutations.

    Raises:
        SpecificationError: the margin is not above 0.
    """
    if not (isfinite(margin) and margin > 0):
        raise SpecificationError(
            f"margin: {margin}; give the least difference that would matter, above 0"
        )
    if not 0 < alpha < 0.5:
        raise SpecificationError(f"alpha: {alpha}; allowed: above 0 and below 0.5")
    if test not in get_args(Test):
        raise SpecificationError(f"test: {test!r}; {nearest(test, get_args(Test))}")
    found = difference(a, b, paired=paired, level=1 - 2 * alpha, unit=unit)
    width, p = _in_spreads(a, b, margin, paired) if in_sd else (margin, 0.0)
    for side in (1, -1) if isfinite(p) else ():
        one = _one_sided(a, b, side * width, paired, test, seed)
        p = max(p, one) if isfinite(one) else nan  # of one run there is no test
    two_sided = p_value(a, b, paired=paired, test=test, seed=seed)
    few = fewest_runs(a, b, paired) < FEW
    answer = decide(two_sided, p, alpha) if not few else "undecided"
    needed = nan
    if answer == "undecided" and isfinite(width):
        sd = spread(a, b, paired)
        needed = runs_to_decide(found.value, sd, margin=width, paired=paired, alpha=alpha)
    shown = Estimate(
        found.value,
        found.low,
        found.high,
        found.n,
        found.level,
        found.unit,
        found.method,
        two_sided if isfinite(two_sided) else None,
    )
    return Equivalence(shown, width, p, answer, needed, alpha)


def decide(p: float, p_equivalence: float, alpha: float = 0.05) -> Verdict:
    """The verdict of a two-sided test and of equivalence: where both hold the effect is there, but within.

    NaN decides nothing.
    """
    if p_equivalence <= alpha:
        return "no effect"
    return "effect" if p <= alpha else "undecided"


def p_value(
    a: ArrayLike,
    b: ArrayLike,
    *,
    paired: bool,
    test: Test = "permutation",
    alternative: Alternative = "two-sided",
    seed: int = 0,
) -> float:
    """The p that the means are alike; by `permutation_p`, or Student's (paired) or Welch's t."""
    if test == "permutation":
        return permutation_p(a, b, paired=paired, alternative=alternative, seed=seed)
    from scipy.special import stdtr  # quick to import, unlike scipy.stats

    value, error, freedom = _errors(a, b, paired)
    if not freedom > 0:
        return nan
    t = value / error if error > 1e-12 * abs(value) else float(np.copysign(np.inf, value))
    if value == 0 and error == 0:
        t = 0.0
    below = float(stdtr(freedom, t))
    tails = {"two-sided": 2 * min(below, 1 - below), "greater": 1 - below, "less": below}
    return tails[alternative]


def _errors(a: ArrayLike, b: ArrayLike, paired: bool) -> tuple[float, float, float]:
    """The difference of means, its standard error, and the degrees of freedom; 0 of them with one run."""
    if paired:
        one, other = matched(a, b)
        gaps = one - other
        n = len(gaps)
        if n < 2:
            return nan, nan, 0
        return float(gaps.mean()), float(gaps.std(ddof=1)) / sqrt(n), n - 1
    one, other = numbers(a), numbers(b)
    n, m = len(one), len(other)
    if min(n, m) < 2:
        return nan, nan, 0
    u, v = float(one.var(ddof=1)) / n, float(other.var(ddof=1)) / m
    freedom = (u + v) ** 2 / (u**2 / (n - 1) + v**2 / (m - 1)) if u + v > 0 else n + m - 2
    return float(one.mean() - other.mean()), sqrt(u + v), freedom


def spread(a: ArrayLike, b: ArrayLike, paired: bool) -> float:
    """The standard deviation that power goes by: of the pairs' differences, or within a cell."""
    value, error, _ = _errors(a, b, paired)
    if not isfinite(value):
        return nan
    if paired:
        return error * sqrt(len(matched(a, b)[0]))
    return sqrt((float(numbers(a).var(ddof=1)) + float(numbers(b).var(ddof=1))) / 2)


def fewest_runs(a: ArrayLike, b: ArrayLike, paired: bool) -> int:
    """Pairs, or runs of the smaller group."""
    return len(matched(a, b)[0]) if paired else min(len(numbers(a)), len(numbers(b)))


def _one_sided(a: ArrayLike, b: ArrayLike, by: float, paired: bool, test: Test, seed: int) -> float:
    """The p that the difference is not on the inner side of the margin at -by."""
    side: Alternative = "greater" if by > 0 else "less"
    moved = _moved(a, by)
    p = p_value(moved, b, paired=paired, test=test, alternative=side, seed=seed)
    return p if test == "t" else max(p, _skewed_p(moved, b, paired, side))


def _skewed_p(a: ArrayLike, b: ArrayLike, paired: bool, side: Alternative) -> float:
    """One-sided p of a t that is freed of its skewness by Hall's cubic (1992); 0 where nothing varies."""
    from scipy.special import stdtr

    value, error, freedom = _errors(a, b, paired)
    groups = [np.subtract(*matched(a, b))] if paired else [numbers(a), numbers(b)]
    if min(map(len, groups)) < 3 or error <= 1e-12 * abs(value):
        return 0.0
    third = 0.0
    for sign, group in zip((1, -1), groups, strict=False):
        n, away = len(group), group - group.mean()
        third += sign * float((away**3).sum()) / ((n - 1) * (n - 2) * n)
    t, skew = value / error, third / error**3
    straight = t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6
    below = float(stdtr(freedom, straight))
    return 1 - below if side == "greater" else below


def _moved(a: ArrayLike, by: float) -> ArrayLike:
    """Numbers moved; a series keeps its index, by which pairs are matched."""
    given: Any = a
    return given + by if hasattr(a, "align") else np.asarray(a, dtype=np.float64) + by


def _in_spreads(a: ArrayLike, b: ArrayLike, margin: float, paired: bool) -> tuple[float, float]:
    """The margin in the measure's units, and p of |difference| < margin x spread of `b`."""
    from scipy.special import stdtr

    above = beyond_spreads(a, b, -margin, paired=paired)  # difference + margin, to be above 0
    below = beyond_spreads(a, b, margin, paired=paired)  # difference - margin, to be below 0
    if not above.width > 0:  # NaN with fewer than three runs; 0 without a spread to measure by
        return above.width, nan
    with np.errstate(divide="ignore"):  # without error the margin is reached or not
        t = np.divide([above.value, -below.value], [above.error, below.error]).min()
    return above.width, float(stdtr(above.freedom, -t))
