"""A phenomenon: a collective risk to be grown, how it is measured, and when it counts as grown.

That a measure is large is not enough: few choices are concentrated by chance, and good items or a fixed
order concentrate them without anyone heeding anyone. So a phenomenon is told against a null: choices drawn
independently, or runs of a baseline in which the influence is taken out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isfinite, nan, sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.measures import Measure
from cloudchamber.measures.estimate import (
    Estimate,
    about,
    difference,
    jackknife,
    mean,
    runs_needed,
)
from cloudchamber.phenomenon.null import gained, independent
from cloudchamber.phenomenon.spreads import beyond_spreads
from cloudchamber.trace.tables import Readable

__all__ = ["Answer", "Criterion", "Finding", "Phenomenon", "RiskLevel"]

Reals = NDArray[np.float64]
_WITHOUT = "runs without the influence"
Answer = Literal["grown", "not grown", "undecided"]
RiskLevel = Literal["micro", "meso", "macro"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """When an excess over the null counts.

    Grown: the whole interval beyond the margin. Not grown: the whole interval short of it. Else
    undecided. So at 95 % either answer is wrong in at most 2.5 % of studies with normal values. Where the
    excess of some runs is far above that of most, as with a dozen runs of a young cascade, "not grown" is
    wrong in 4 to 6 % and "grown" in 1 %.
    """

    margin: float
    """The least excess that matters, a convention to be stated; 0 or more. In the measure's units, or in
    standard deviations between runs of the null (`in_sd`)."""
    direction: Literal["above", "below"] = "above"
    """Whether the phenomenon raises the measure or lowers it."""
    level: float = 0.95
    """Confidence of the interval."""
    draws: int = 999
    """Monte Carlo draws of the null."""
    in_sd: bool = False
    """Whether the margin is told by the null itself: how far runs without the phenomenon lie apart."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.margin < 0 or not 0 < self.level < 1 or self.draws < 1:
            raise SpecificationError(
                f"criterion: margin {self.margin}, level {self.level}, draws {self.draws}; allowed: "
                "a margin of 0 or more, a level between 0 and 1, at least one draw"
            )

    def judge(self, excess: Estimate, margin: float | None = None) -> Answer:
        """The answer to an excess in the direction of the phenomenon; fewer than four runs decide nothing.

        Args:
            excess: over the null.
            margin: in the measure's units; the criterion's own, if not given.
        """
        margin = self.margin if margin is None else margin
        if not excess.known or excess.few:
            return "undecided"
        if excess.low > margin:
            return "grown"
        return "not grown" if excess.high < margin else "undecided"


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a phenomenon was grown, and what that rests on."""

    phenomenon: str
    measure: str
    """Its name, as it is read aloud."""
    answer: Answer
    null: str
    """What it was told against, in words."""
    observed: Estimate
    expected: Estimate
    """The measure under the null; of a computed null the interval is Monte Carlo's own."""
    excess: Estimate
    """Observed less expected, in the direction of the phenomenon, run by run."""
    margin: float
    """In the measure's units; an estimate, where the criterion gives it in spreads of the null."""
    needed: float
    """Runs (pairs) that would decide with a chance of 80 %, if the excess and the spread between runs
    are what they seem; infinite if the excess is the margin, NaN where it cannot be told."""

    def sentence(self) -> str:
        """The finding as it is read aloud."""
        told = (
            f"{self.phenomenon.capitalize()}, by the {self.measure}: {self.answer}. "
            f"Observed {self.observed}; expected of {self.null}: {self.expected}. "
            f"The excess is {self.excess}; it counts as grown above {self.margin:.3g}."
        )
        if self.excess.few:
            return f"{told} Fewer than four runs decide nothing."
        if self.answer == "undecided" and isfinite(self.needed):
            return f"{told} {about(self.needed, 'runs').capitalize()} would decide."
        return told


@dataclass(frozen=True, slots=True)
class Phenomenon:
    """A collective risk to be grown.

    Example:
        ``HERDING.against_baseline(trace, runs=shown, baseline=hidden).sentence()``
    """

    name: str
    level: RiskLevel
    """Where it shows: in single agents, in their interaction, or in the whole population."""
    question: str
    """What is asked of the runs, in a sentence."""
    measure: Measure
    criterion: Criterion
    source: str = ""
    """The paper that named or measured it."""

    def __post_init__(self) -> None:
        """Refuse a margin in spreads between runs of a measure whose numbers speak of several runs."""
        if self.criterion.in_sd and self.measure.across_runs:
            raise SpecificationError(
                f"criterion: {self.measure.name} compares runs, so its numbers have no spread between "
                "runs to give a margin by; give it in the measure's units"
            )

    def against_independent(
        self,
        source: Readable,
        runs: Iterable[int] | None = None,
        *,
        shares: ArrayLike | None = None,
        seed: int = 0,
    ) -> Finding:
        """Tell grown runs from choices drawn independently, as many in each run as it made.

        Args:
            source: the trace.
            runs: runs of one cell; all of the trace, if not given.
            shares: the items' shares under the null, [items] or [runs, items]; equal, if not given.
                Where readers share an order, take `pooled_shares` of the cell that hides the likes in
                the same order: the places alone concentrate choices there.
            seed: of the null's draws.

        The p-value is Monte Carlo: how often runs of the null have a mean as far from its expectation.

        Raises:
            SpecificationError: the measure is not one of the world's tallies.
        """
        return self.told_of(gained(source, runs).value[:, -1], shares=shares, seed=seed)

    def told_of(
        self, tally: ArrayLike, *, shares: ArrayLike | None = None, seed: int = 0
    ) -> Finding:
        """`against_independent` of tallies of shape [runs, items], e.g. of field data."""
        of_tally = self.measure.of_tally
        if of_tally is None:
            raise SpecificationError(
                f"the {self.measure.name} is not a function of the world's tallies, so independent "
                "choice says nothing of it; compare with a baseline"
            )
        value = np.asarray(tally, np.float64)
        share = np.ones(value.shape[1]) if shares is None else np.asarray(shares, np.float64)
        if share.shape[-1] != value.shape[1]:
            raise SpecificationError(
                f"shares of {share.shape[-1]} items for a world of {value.shape[1]}; give one each"
            )
        chose = value.sum(axis=1) > 0
        value, share = value[chose], share[chose] if share.ndim > 1 else share
        drawn = independent(value.sum(axis=1), share, self.criterion.draws, seed)
        null = np.array([of_tally(each) for each in drawn])
        measured = of_tally(value)
        observed = self._over_runs(value, measured)
        centre = null.mean(axis=0)
        excess = replace(self._over_runs(value, measured, centre), p=_monte_carlo_p(measured, null))
        words = "independent choice" + ("" if shares is None else " from the given shares")
        means = null.mean(axis=1)
        error = 1.96 * float(means.std()) / sqrt(len(means))
        told = float(means.mean())
        expected = Estimate(
            told, told - error, told + error, len(means), unit="draw", method="Monte Carlo"
        )
        margin = self.criterion.margin
        if self.criterion.in_sd:  # runs of a computed null are as many as one likes
            margin *= float(null.std())
        return self._finding(words, observed, expected, excess, len(value), margin)

    def against_baseline(
        self,
        source: Readable,
        runs: Iterable[int],
        baseline: Iterable[int],
        *,
        paired: bool = True,
        null: str = _WITHOUT,
    ) -> Finding:
        """Tell grown runs from runs in which the influence is taken out.

        Any such runs serve: of the cell's isolated twin, with what is shown shuffled, of a rule that heeds
        nobody.

        Args:
            source: the trace that holds both.
            runs: runs of one cell.
            baseline: runs of another.
            paired: match them by replicate, which shares its noise between cells.
            null: what the baseline is, in words.
        """
        grown, plain = [int(run) for run in runs], [int(run) for run in baseline]
        places = _replicates(source) if paired else {}
        if self.measure.across_runs:
            return self._across_baseline(source, grown, plain, places, null)
        values = self.measure(source)
        one, other = values.reindex(grown), values.reindex(plain)
        if paired:
            one, other = one.rename(index=places), other.rename(index=places)
        found = difference(one, other, paired=paired, level=self.criterion.level)
        margin, told = self.criterion.margin, None
        if self.criterion.in_sd:
            above = self.criterion.direction == "above"
            beyond = beyond_spreads(one, other, margin if above else -margin, paired=paired)
            told = self._directed(beyond.estimate(self.criterion.level))
            margin = beyond.width
        excess = self._directed(found)
        return self._finding(null, mean(one), mean(other), excess, found.n, margin, told)

    def _across_baseline(
        self,
        source: Readable,
        grown: list[int],
        plain: list[int],
        places: dict[int, int],
        null: str,
    ) -> Finding:
        """For a measure of the differences between runs: the jackknife leaves out a whole replicate."""
        one, other = gained(source, grown), gained(source, plain)
        a = {places.get(run, run): at for at, run in enumerate(one.run.tolist())}
        b = {places.get(run, run): at for at, run in enumerate(other.run.tolist())}
        if len(one.item) != len(other.item):
            raise SpecificationError("the runs and their baseline have different items")
        if not places:
            raise SpecificationError(
                f"{self.measure.name} is compared replicate by replicate; give paired runs"
            )
        both = sorted(a.keys() & b.keys())
        stacked = np.stack(
            [one.value[[a[r] for r in both], -1], other.value[[b[r] for r in both], -1]], axis=1
        )
        found = jackknife(
            stacked,
            lambda pair: self._mean_of(pair[:, 0]) - self._mean_of(pair[:, 1]),
            level=self.criterion.level,
            unit="pair of runs",
        )
        observed, expected = (jackknife(stacked[:, at], self._mean_of) for at in (0, 1))
        excess, margin = self._directed(found), self.criterion.margin
        return self._finding(null, observed, expected, excess, len(both), margin)

    def _over_runs(self, value: Reals, measured: Reals, centre: Reals | None = None) -> Estimate:
        """The measure over runs, or its excess over a computed centre in the phenomenon's direction."""
        level = self.criterion.level
        if not self.measure.across_runs:
            if centre is None:
                return mean(measured, level=level)
            return self._directed(mean(measured - centre, level=level))
        found = jackknife(value, self._mean_of, level=level)
        if centre is None:
            return found
        shift = float(centre.mean())
        moved = replace(
            found, value=found.value - shift, low=found.low - shift, high=found.high - shift
        )
        return self._directed(moved)

    def _mean_of(self, value: Reals) -> float:
        assert self.measure.of_tally is not None  # its callers have seen to it
        numbers = self.measure.of_tally(value)
        return float(np.nanmean(numbers)) if np.isfinite(numbers).any() else nan

    def _directed(self, found: Estimate) -> Estimate:
        if self.criterion.direction == "above":
            return found
        return replace(found, value=-found.value, low=-found.high, high=-found.low)

    def _finding(
        self,
        null: str,
        observed: Estimate,
        expected: Estimate,
        excess: Estimate,
        n: int,
        margin: float,
        beyond: Estimate | None = None,
    ) -> Finding:
        """The finding; `beyond` is the excess less the margin, where that is estimated too."""
        low, high = self.measure.low, self.measure.high
        judged, at = (excess, margin) if beyond is None else (beyond, 0.0)
        return Finding(
            self.name,
            self.measure.aloud(),
            self.criterion.judge(judged, at),
            null,
            observed.within(low, high),
            expected.within(low, high),
            excess.within(low - high, high - low),
            margin,
            runs_needed(_spread(judged, n), abs(judged.value - at), level=excess.level),
        )


def _spread(found: Estimate, n: int) -> float:
    """The standard deviation between runs that an interval over n runs tells of."""
    from scipy.special import stdtrit  # quick to import, unlike scipy.stats

    if not found.known:
        return nan
    half = (found.high - found.low) / 2
    return half / float(stdtrit(max(n - 1, 1), 0.5 + found.level / 2)) * sqrt(n)


def _monte_carlo_p(measured: Reals, null: Reals) -> float | None:
    """Two-sided p of the runs' mean among the means of the null, [draws, runs]."""
    if not np.isfinite(measured).any():
        return None
    means = null.mean(axis=1)
    away = np.abs(means - means.mean())
    far = abs(float(measured.mean()) - float(means.mean()))
    return float((1 + (away >= far * (1 - 1e-9)).sum()) / (1 + len(means)))


def _replicates(source: Readable) -> dict[int, int]:
    """The replicate of each run."""
    rows: Any = source.sql("SELECT run, replicate FROM runs").fetchall()
    return dict(rows)
