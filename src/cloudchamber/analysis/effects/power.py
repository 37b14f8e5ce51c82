"""Power before spending: how many runs will find an effect, or show that there is none.

All by the noncentral t distribution, so exact for normal values; permutation tests of the same runs have
nearly the same power from some eight runs on. What a pilot says of the spread is itself uncertain: the
spread of five runs is known to within a factor of 0.6 to 2.9, and the runs needed go by its square.
"""

from dataclasses import dataclass
from math import ceil, comb, inf, isfinite, log2, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.measures.estimate import FEW, matched, numbers

__all__ = ["RunsFor", "fewest", "power", "runs_for", "runs_to_decide"]

Reals = NDArray[np.float64]
_MOST = 10**9
_ASSURANCE = 0.8


def power(
    n: ArrayLike,
    effect: float,
    sd: float,
    *,
    paired: bool = True,
    alpha: float = 0.05,
    margin: float | None = None,
) -> Reals:
    """The chance that so many runs find the effect, or, with a margin, show that it is within it.

    Without a margin: of a two-sided t test (Cohen 1988). With one: of two one-sided tests, each at alpha
    (Schuirmann 1987; the noncentral t of Phillips 1990, a little too low for few runs).

    Args:
        n: pairs of runs, or runs of each of two cells; at least 2. Any shape.
        effect: the true difference, in the measure's units.
        sd: standard deviation between runs: of the pairs' differences if paired, else within a cell.
        paired: whether runs belong together.
        alpha: the chance of a false claim that is allowed.
        margin: of equivalence, in the measure's units.

    Raises:
        SpecificationError: fewer than two runs, a spread that is not positive, an alpha outside 0 to 1.
    """
    from scipy.special import stdtrit  # quick to import, unlike scipy.stats

    count = np.asarray(n, dtype=np.float64)
    if (count < 2).any() or not sd > 0 or not 0 < alpha < 1:
        raise SpecificationError(
            f"power: {n!r} runs, spread {sd}, alpha {alpha}; give at least two runs, a spread above 0 and "
            "an alpha between 0 and 1"
        )
    freedom = count - 1 if paired else 2 * count - 2
    error = sd * np.sqrt((1 if paired else 2) / count)
    if margin is None:
        t, away = stdtrit(freedom, 1 - alpha / 2), abs(effect) / error
        return np.asarray(_below(freedom, -away, -t) + _below(freedom, away, -t), dtype=np.float64)
    t = stdtrit(freedom, 1 - alpha)
    below, above = (effect - margin) / error, (effect + margin) / error
    both = _below(freedom, below, -t) - _below(freedom, above, t)
    return np.asarray(np.clip(both, 0, 1), dtype=np.float64)


def _below(freedom: Reals, away: Reals, t: Any) -> Reals:
    """The noncentral t distribution; far out, where SciPy 1.17 gives NaN, by the normal one."""
    from scipy.special import nctdtr, ndtr

    found = np.asarray(nctdtr(freedom, away, t), dtype=np.float64)
    near = ndtr((t * (1 - 1 / (4 * freedom)) - away) / np.sqrt(1 + t * t / (2 * freedom)))
    return np.where(np.isnan(found), near, found)


@dataclass(frozen=True, slots=True)
class RunsFor:
    """How many runs it takes, and how well that is known."""

    n: float
    """Pairs of runs, or runs of each cell, if the pilot's spread is the true one; infinite if none do."""
    low: float
    """At the lower end of the spread's 95 % interval."""
    high: float
    """At the upper end: what to plan with where a study must not fail."""
    assured: float
    """At the upper limit of a one-sided 80 % interval of the spread: of five such plans at least four
    have the power that was asked for (Browne 1995)."""
    sd: float
    """The pilot's spread: of differences if paired, else within a cell."""
    pilot: int
    """How many pairs or runs it rests on; 0 where the spread was given as known."""
    effect: float
    power: float
    alpha: float
    paired: bool
    margin: float | None = None

    def __str__(self) -> str:
        """In words, as ``24 pairs of runs [11, 78] to find an effect of 0.05 ...``."""
        unit = "pairs of runs" if self.paired else "runs of each cell"
        told = f"{self.pilot} {'pairs' if self.paired else 'runs'}"
        between = f" [{_whole(self.low)}, {_whole(self.high)}]"
        known = self.pilot == 0 or not isfinite(self.n)
        what = (
            f"to find an effect of {self.effect:g}"
            if self.margin is None
            else f"to show that an effect of {self.effect:g} is within {self.margin:g}"
        )
        return (
            f"{_whole(self.n)} {unit}{'' if known else between} {what} with power {self.power:.0%} "
            f"at {self.alpha:.3g}{'' if known else f', from a pilot of {told}'}"
        )


def _whole(n: float) -> str:
    return f"{n:,.0f}" if isfinite(n) else ("no number of" if n == inf else "an unknown number of")


def runs_for(
    effect: float,
    pilot: ArrayLike,
    against: ArrayLike | None = None,
    *,
    power: float = 0.9,
    alpha: float = 0.05,
    paired: bool = True,
    margin: float | None = None,
) -> RunsFor:
    """Runs that find this effect with this power, from the spread of a pilot.

    Choose the effect as the least that matters, not as the one the pilot happened to show: a pilot's own
    effect is as uncertain as its spread, and where it was selected for being large, too large.

    Args:
        effect: the true difference to be found, in the measure's units; with a margin the one that is
            thought to be there, mostly 0.
        pilot: one number a run, of one cell. Or one number: the spread itself, taken as known (of the
            differences if paired, else within a cell). Paired and alone it is the pairs' differences.
        against: one number a run, of the other cell; paired with `pilot` as by `difference`.
        power: chance to find it.
        alpha: of the two-sided test; for one of m comparisons that will be adjusted, alpha / m is on the
            safe side.
        paired: whether the runs will be paired.
        margin: ask for two one-sided tests of equivalence instead, each at alpha.

    The interval is that of the spread (chi-square; for normal values, too narrow for heavy tails). There
    are never fewer runs than a permutation test needs to reach alpha at all.

    Raises:
        SpecificationError: power or alpha are no chances; a pilot of one run; a pilot without spread.
    """
    from scipy.special import chdtri  # quick to import, unlike scipy.stats

    if not (0 < alpha < 1 and alpha < power < 1):
        raise SpecificationError(
            f"power {power}, alpha {alpha}; give an alpha above 0 and a power between it and 1"
        )
    sd, freedom, count = _spread(pilot, against, paired)
    if not sd > 0:
        raise SpecificationError(
            "pilot: its runs do not differ, so it says nothing of the spread; give more runs, or a spread"
        )

    def needed(spread: float) -> float:
        return _fewest_with(power, effect, spread, paired, alpha, margin)

    ends = [sd, sd, sd]
    if count:
        # chdtri(k, q): what chi-square with k degrees of freedom exceeds with chance q
        ends = [sd * sqrt(freedom / float(chdtri(freedom, q))) for q in (0.025, 0.975, _ASSURANCE)]
    low, high, assured = (needed(end) for end in ends)
    return RunsFor(needed(sd), low, high, assured, sd, count, effect, power, alpha, paired, margin)


def _spread(pilot: ArrayLike, against: ArrayLike | None, paired: bool) -> tuple[float, float, int]:
    """The spread, its degrees of freedom, and the runs (pairs) it rests on."""
    if np.ndim(pilot) == 0:
        return float(np.asarray(pilot, dtype=np.float64)), inf, 0
    groups: tuple[Reals, ...]
    if against is None:
        groups = (numbers(pilot),)
    elif paired:
        one, other = matched(pilot, against)
        groups = (one - other,)
    else:
        groups = (numbers(pilot), numbers(against))
    if min(map(len, groups)) < 2:
        raise SpecificationError(
            "pilot: one run has no spread; give at least two, or the spread as a number"
        )
    # The mean variance of two groups, with Satterthwaite's degrees of freedom.
    parts = [float(group.var(ddof=1)) for group in groups]
    flat = sum(parts) == 0
    weights = [part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True)]
    freedom = 1.0 if flat else sum(parts) ** 2 / sum(weights)
    return sqrt(sum(parts) / len(parts)), freedom, min(map(len, groups))


def fewest(alpha: float, *, paired: bool, draws: int = 9999) -> int:
    """Pairs, or runs of each of two cells, with which a two-sided permutation test can reach alpha.

    Six pairs for 0.05, four runs of each cell; never fewer than four. If alpha is below the least p of
    so many random arrangements, no number of runs reaches it.
    """
    if alpha * (draws + 1) < 1:
        raise SpecificationError(
            f"alpha {alpha:g} is below the least p of {draws:,} arrangements; draw more of them"
        )
    if paired:
        return max(FEW, ceil(1 - log2(alpha) - 1e-9))
    n = FEW
    while 2 / comb(2 * n, n) > alpha:
        n += 1
    return n


def _fewest_with(
    target: float, effect: float, sd: float, paired: bool, alpha: float, margin: float | None
) -> float:
    """The least whole number of runs with the power; infinite where there is none below 10^9."""
    if not (isfinite(effect) and isfinite(sd)):
        return nan
    if (margin is None and effect == 0) or (margin is not None and abs(effect) >= margin):
        return inf

    def enough(n: int) -> bool:
        return bool(power(n, effect, sd, paired=paired, alpha=alpha, margin=margin) >= target)

    # Of two one-sided tests each needs half as many arrangements as a two-sided one.
    low = fewest(alpha if margin is None else min(2 * alpha, 1.0), paired=paired)
    if enough(low):
        return float(low)
    high = 2 * low
    while not enough(high):
        low, high = high, 2 * high
        if high > _MOST:
            return inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)


def runs_to_decide(
    effect: float,
    sd: float,
    *,
    margin: float | None = None,
    paired: bool = True,
    alpha: float = 0.05,
    target: float = 0.8,
) -> float:
    """Runs after which effect or equivalence would be told, if effect and spread are what they seem.

    The fewer of what an effect of this size takes and, within the margin, what equivalence takes. Both
    were estimated, from runs that left it open: an order of magnitude (see `about`), not a plan.

    Args:
        effect: the estimated difference.
        sd: as for `power`; if it is 0, as many runs as a permutation test needs to say anything.
        margin: of equivalence; without one only an effect can be told.
        paired: whether runs are paired.
        alpha: of either test.
        target: chance to decide.
    """
    if not sd > 0:
        if sd != 0 or not isfinite(effect):
            return nan
        within = margin is not None and abs(effect) < margin
        if effect == 0 and not within:
            return inf
        return float(fewest(min(2 * alpha, 1.0) if within else alpha, paired=paired))
    ways = [_fewest_with(target, effect, sd, paired, alpha, None)]
    if margin is not None:
        ways.append(_fewest_with(target, effect, sd, paired, alpha, margin))
    return min(ways)
