"""A number with its uncertainty, over runs: the one shape in which results are told.

The run is the unit: agents of one run are not independent, so every interval here is over one number a run.
Intervals are Student's t (exact for normal values, good for means of some ten runs or more unless very
skewed); `cloudchamber.analysis.effects` adds permutation tests and the bootstrap. They know nothing of the
range of what is estimated: of a share say ``mean(values).within(0, 1)``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, floor, inf, isfinite, log10, nan, sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import SpecificationError

__all__ = [
    "FEW",
    "Estimate",
    "Verdict",
    "about",
    "difference",
    "jackknife",
    "matched",
    "mean",
    "numbers",
    "proportion",
    "ratio",
    "runs_needed",
    "verdict",
]

Reals = NDArray[np.float64]
Verdict = Literal["effect", "no effect", "undecided"]
FEW = 4
"""With fewer runs than this Student's t is above 4: an interval over six standard deviations wide."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, its interval, and what both rest on.

    Example:
        ``str(mean(values))`` is "0.31 [0.22, 0.40], 12 runs"
    """

    value: float
    low: float
    """Lower end of the interval; NaN where there is none."""
    high: float
    """Upper end of the interval; NaN where there is none."""
    n: int
    """How many units it rests on."""
    level: float = 0.95
    """Confidence of the interval."""
    unit: str = "run"
    method: str = "t"
    """How the interval was had."""
    p: float | None = None
    """Two-sided p-value against no effect, where a test was made."""

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return isfinite(self.low) and isfinite(self.high)

    @property
    def few(self) -> bool:
        """Whether it rests on fewer than 4 units: its interval is then so wide that it says little."""
        return self.n < FEW

    def within(self, low: float = -inf, high: float = inf) -> "Estimate":
        """The same, with the ends of the interval no further out than the number itself can be.

        A t interval of shares may begin below 0. Cutting off what is impossible leaves its confidence
        as it is. A difference of two shares lies between -1 and 1, not between 0 and 1.

        Raises:
            SpecificationError: the estimate itself lies outside.
        """
        if self.value < low - 1e-9 or self.value > high + 1e-9:  # rounding may leave a little
            raise SpecificationError(
                f"an estimate of {self.value:g} cannot be kept within {low:g} and {high:g}; "
                "give the range of the number that is estimated"
            )
        return replace(self, low=min(max(self.low, low), high), high=max(min(self.high, high), low))

    def __str__(self) -> str:
        head, of, rest = self.unit.partition(" of ")
        counted = f"{self.n} {head}{'' if self.n == 1 else 's'}{of}{rest}"
        if not self.known:
            told = f"{_plain(self.value)}, " if isfinite(self.value) else ""
            return f"{told}cannot tell ({counted})"
        if self.flat:
            # Of two groups n counts both, and what is flat is each of them.
            how = "no spread in" if self.method in ("Welch t", "log t") else "the same in all"
            return f"{_plain(self.value)}, {how} {counted}"
        value, low, high = (self.told(number) for number in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}], {counted}"

    def told(self, number: float) -> str:
        """A number with the decimals that this estimate's interval allows, three digits at most.

        An end of an interval that excludes 0 is not rounded to 0: it gets the decimals it needs.
        """
        if not self.known or self.flat:
            return _plain(number)
        digits = _decimals((self.high - self.low) / 2)
        if digits > 3:
            largest = max(abs(self.value), abs(self.low), abs(self.high))
            digits = max(3, min(digits, 2 - floor(log10(largest))))
        rounded = round(number, digits)
        if rounded == 0 and number != 0 and (self.low > 0 or self.high < 0):
            return _small(number) if abs(number) < 1e-4 else f"{number:.1g}"
        if digits > 6 and max(-self.low, self.high) < 1e-4:
            return f"{number + 0.0:.2g}"
        return f"{rounded + 0.0:.{max(digits, 0)}f}"  # no minus before a zero

    @property
    def flat(self) -> bool:
        """Whether nothing varies, but for what rounding leaves, which no three digits show."""
        return self.high - self.low <= 1e-12 + 1e-6 * abs(self.value)


def _decimals(half_width: float) -> int:
    """Decimals that show the half-width in one digit, or in two where the first is small."""
    exponent = floor(log10(half_width))
    leading = half_width / 10.0**exponent
    return -exponent + (leading < 3)


def _plain(number: float) -> str:
    """A number without an interval: three digits, or all before the point."""
    settled = round(number, 12) + 0.0
    if 0 < abs(settled) < 1e-4:
        return _small(settled)
    return f"{settled:.0f}" if abs(settled) >= 1000 else f"{settled:.3g}"


def _small(number: float) -> str:
    """One digit of a small number, written out: whoever reads of shares does not read exponents."""
    return f"{number:.{-floor(log10(abs(number)))}f}"


def mean(values: ArrayLike, *, level: float = 0.95, unit: str = "run") -> Estimate:
    """The mean of one number a run, with Student's t interval; runs without a number (NaN) drop out.

    The interval knows no bounds; of numbers that have a range say ``mean(values).within(low, high)``.
    """
    given = numbers(values)
    n = len(given)
    if n == 0:
        return Estimate(nan, nan, nan, 0, level, unit)
    if n == 1:
        return Estimate(float(given[0]), nan, nan, 1, level, unit)
    error = float(given.std(ddof=1)) / sqrt(n)
    return _interval(float(given.mean()), error, n - 1, n, level, unit)


def difference(
    a: ArrayLike, b: ArrayLike, *, paired: bool = False, level: float = 0.95, unit: str = "run"
) -> Estimate:
    """Mean of `a` minus mean of `b`.

    Args:
        a: one number a run.
        b: one number a run.
        paired: whether the runs belong together (a replicate of a cell and of its baseline share
            their noise). Two series are matched by index, which must then name the pair (the
            replicate, not the run); two arrays by place.
        level: confidence.
        unit: what a number stands for.

    Paired: t over the differences. Else Welch's t, which lets the spreads differ.

    Raises:
        SpecificationError: paired arrays of different length.
    """
    if paired:
        one, other = matched(a, b)
        found = mean(one - other, level=level, unit=unit)
        return _renamed(found, "paired t", unit if unit.startswith("pair") else f"pair of {unit}s")
    one, other = numbers(a), numbers(b)
    n, m = len(one), len(other)
    value = float(one.mean() - other.mean()) if n and m else nan
    if min(n, m) < 2:
        return Estimate(value, nan, nan, n + m, level, unit, "Welch t")
    u, v = float(one.var(ddof=1)) / n, float(other.var(ddof=1)) / m
    freedom = (u + v) ** 2 / (u**2 / (n - 1) + v**2 / (m - 1)) if u + v > 0 else n + m - 2
    return _renamed(_interval(value, sqrt(u + v), freedom, n + m, level, unit), "Welch t", unit)


def ratio(
    a: ArrayLike, b: ArrayLike, *, paired: bool = False, level: float = 0.95, unit: str = "run"
) -> Estimate:
    """Mean of `a` over mean of `b`, with an interval on the log scale (delta method).

    Both means must be positive for there to be an interval. See `difference` for `paired`.
    """
    one, other = matched(a, b) if paired else (numbers(a), numbers(b))
    n, m = len(one), len(other)
    top, bottom = (float(x.mean()) if len(x) else nan for x in (one, other))
    value = top / bottom if bottom else nan
    count, what = (n, f"pair of {unit}s") if paired else (n + m, unit)
    if min(n, m) < 2 or not (top > 0 and bottom > 0):
        return Estimate(value, nan, nan, count, level, what, "log t")
    if paired:
        logs = mean(one / top - other / bottom, level=level)
        half = (logs.high - logs.low) / 2
    else:
        logs = difference(one / top, other / bottom, level=level)
        half = (logs.high - logs.low) / 2
    with np.errstate(over="ignore"):  # of a mean that is hardly above 0 the ratio has no upper end
        low, high = value * np.exp(-half), value * np.exp(half)
    return Estimate(value, float(low), float(high), count, level, what, "log t")


def proportion(successes: int, n: int, *, level: float = 0.95, unit: str = "run") -> Estimate:
    """Share of runs in which something happened, with the exact interval (Clopper & Pearson 1934)."""
    from scipy.stats import beta  # SciPy's statistics take a second to import

    if n == 0:
        return Estimate(nan, nan, nan, 0, level, unit, "exact binomial")
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, successes, n - successes + 1)) if successes else 0.0
    high = float(beta.ppf(1 - tail, successes + 1, n - successes)) if successes < n else 1.0
    return Estimate(successes / n, low, high, n, level, unit, "exact binomial")


def jackknife(
    values: ArrayLike,
    statistic: Callable[[Reals], float],
    *,
    level: float = 0.95,
    unit: str = "run",
) -> Estimate:
    """A statistic of all runs together, with the interval from leaving out one run at a time.

    Made for statistics that are smooth in the runs, such as `unpredictability`, whose pairs of runs
    are not independent (Efron & Stein 1981: its variance is not too small on average). The interval
    knows no bounds: see `Estimate.within`.

    Args:
        values: shape [runs, ...]; a row is a run.
        statistic: array of shape [runs, ...] -> a number.
        level: confidence.
        unit: what a row stands for.
    """
    rows = np.asarray(values, dtype=np.float64)
    n = len(rows)
    whole = float(statistic(rows)) if n else nan
    if n < 3:
        return Estimate(whole, nan, nan, n, level, unit, "jackknife")
    left = np.array([statistic(np.delete(rows, at, axis=0)) for at in range(n)])
    error = sqrt((n - 1) / n * float(np.square(left - left.mean()).sum()))
    return _renamed(_interval(whole, error, n - 1, n, level, unit), "jackknife", unit)


def verdict(estimate: Estimate, *, null: float = 0.0, margin: float | None = None) -> Verdict:
    """What an estimate decides.

    "no effect" needs a margin: the whole interval within null +- margin (equivalence; at confidence
    95 % this is two one-sided tests at 2.5 %). Else "effect" where the interval excludes the null, and
    "undecided" otherwise, or where there is no interval.
    """
    if not estimate.known:
        return "undecided"
    if margin is not None and null - margin < estimate.low and estimate.high < null + margin:
        return "no effect"
    return "effect" if not estimate.low <= null <= estimate.high else "undecided"


def runs_needed(sd: float, effect: float, *, power: float = 0.8, level: float = 0.95) -> float:
    """Runs (or pairs) for the interval of a mean to exclude 0 with this power; infinite for no effect.

    Two-sided, by the normal approximation with Guenther's correction for Student's t (1981):
    n = ((z_a + z_b) sd / effect)^2 + z_a^2 / 2; at least 3. Where spread and effect are themselves
    estimated from a few runs, only its order of magnitude is known: tell it by `about`.

    Args:
        sd: standard deviation between runs.
        effect: the true mean that should be told from 0.
        power: chance to tell it.
        level: confidence.
    """
    from scipy.special import ndtri

    if not (isfinite(sd) and isfinite(effect)):
        return nan
    if effect == 0:
        return inf
    a, b = float(ndtri(0.5 + level / 2)), float(ndtri(power))
    return max(3.0, float(ceil(((a + b) * sd / effect) ** 2 + a**2 / 2)))


def about(n: float, unit: str = "") -> str:
    """A number of runs as an order of magnitude: all that `runs_needed` can know from a few runs.

    It goes by the square of spread over effect. The spread of five runs is known to within a factor of
    0.6 to 2.9 (95 %, normal values), so the number of runs to within 0.36 to 8.3: one digit is enough.

    Example:
        ``about(41)`` is "about 40", ``about(380, "runs")`` "some hundreds of runs"; then come "some
        thousands" and "ten thousand or more"; infinitely many are "no number"
    """
    if not isfinite(n):
        told, of = "no number" if n == inf else "an unknown number", " of "
    else:
        one_digit = round(n, -floor(log10(n))) if n >= 1 else 1.0
        told, of = _magnitude(one_digit)
    return f"{told}{of}{unit}" if unit else told


def _magnitude(one_digit: float) -> tuple[str, str]:
    """In words, and what comes between them and the unit."""
    if one_digit <= 100 or one_digit == 1000:
        return f"about {one_digit:.0f}", " "
    if one_digit < 10_000:
        return f"some {'hundreds' if one_digit < 1000 else 'thousands'}", " of "
    return "ten thousand or more", " "


def numbers(values: ArrayLike) -> Reals:
    """The values that are numbers, flat."""
    given = np.asarray(values, dtype=np.float64).ravel()
    return given[~np.isnan(given)]


def matched(a: Any, b: Any) -> tuple[Reals, Reals]:
    """The pairs that have both numbers: series are matched by index, arrays by place.

    Raises:
        SpecificationError: arrays of different length.
    """
    if hasattr(a, "align") and hasattr(b, "align"):
        a, b = a.align(b, join="inner")
    one, other = (np.asarray(x, dtype=np.float64).ravel() for x in (a, b))
    if len(one) != len(other):
        raise SpecificationError(
            f"paired values: {len(one)} against {len(other)}; give as many of each, pair by pair, "
            "or two series indexed by replicate"
        )
    both = ~(np.isnan(one) | np.isnan(other))
    return one[both], other[both]


def _interval(
    value: float, error: float, freedom: float, n: int, level: float, unit: str
) -> Estimate:
    from scipy.special import stdtrit  # quick to import, unlike scipy.stats

    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    return Estimate(value, value - half, value + half, n, level, unit)


def _renamed(found: Estimate, method: str, unit: str) -> Estimate:
    return Estimate(found.value, found.low, found.high, found.n, found.level, unit, method, found.p)
