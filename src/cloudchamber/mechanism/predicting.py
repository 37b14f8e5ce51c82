"""Predictive checks: would the fitted mechanism have chosen as the agents did, in what it was not fitted to?

Parameters are drawn from the fit's sampling distribution, the choices are drawn anew given the exposures on
record, and statistics of them are held beside those observed (Gelman, Meng & Stern 1996). A statistic that
the fit matches by construction (the mean position, where a parameter goes with position) says little: its p
is nearly always large. So false alarms are rarer than p says.

Only statistics that add up over decisions, each of a choice among what it was made from, can be told so.
What accumulates (the Gini of likes) goes with what was shown, and what was shown rests on the choices that
were made: drawn anew beside likes that others earned, even the true mechanism spreads them wider. Of such
statistics `regrow` tells. One that divides by how often something was shown (the effect of likes) goes astray
likewise where choices decide what is shown, in short runs by up to one of its standard errors.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError, TraceError, nearest
from cloudchamber.measures import Measure, measure_named
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.likelihood import Targets
from cloudchamber.mechanism.plausible import Fitted, plausible
from cloudchamber.mechanism.reading import choices_of
from cloudchamber.mechanism.redrawing import Record
from cloudchamber.questions import Reals
from cloudchamber.trace import Trace, TraceFolder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATISTICS", "Prediction", "Predictions", "predict"]

STATISTICS = (
    "mean position",
    "first place share",
    "share on liked, places 1-5",
    "share on liked, places 6 on",
    "leader's pick rate",
)
"""What is looked at unless told otherwise, as far as the trace has it."""
EXPOSURES = 1_500_000
"""Of redrawn traces that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A statistic as observed, and as the mechanism predicts it: a mean over runs, or that of one run."""

    measure: str
    observed: float
    predicted: float
    """The mean over draws."""
    low: float
    """Lower end of the predictive interval."""
    high: float
    p: float
    """How often a draw lies as far out as what was observed, on either side: twice the smaller tail."""
    draws: int
    run: int | None = None
    """None for the mean over runs."""

    def __str__(self) -> str:
        return (
            f"{self.measure}: observed {self.observed:.3g}, predicted {self.predicted:.3g} "
            f"[{self.low:.3g}, {self.high:.3g}], p = {self.p:.2g}"
        )


@dataclass(frozen=True, eq=False)
class Predictions:
    """Statistics observed and predicted, run by run."""

    runs: NDArray[np.int64]
    observed: Mapping[str, Reals]
    """(runs,) for each statistic."""
    predicted: Mapping[str, Reals]
    """(draws, runs)."""
    left_out: Mapping[str, str]
    """Statistics that this trace does not tell, and why."""

    def overall(self, measure: str, level: float = 0.95) -> Prediction:
        """The mean over runs.

        Raises:
            SpecificationError: the statistic was not looked at.
        """
        one, other = self._of(measure)
        there = np.isfinite(one) & np.isfinite(other).all(axis=0)
        if not there.any():
            return Prediction(measure, nan, nan, nan, nan, nan, len(other))
        return _told(measure, float(one[there].mean()), other[:, there].mean(axis=1), level, None)

    def by_run(self, measure: str, level: float = 0.95) -> tuple[Prediction, ...]:
        """Each run by itself."""
        one, other = self._of(measure)
        return tuple(
            _told(measure, float(one[at]), other[:, at], level, int(run))
            for at, run in enumerate(self.runs)
        )

    @property
    def missed(self) -> tuple[str, ...]:
        """The statistics that the mechanism does not predict: p at most 5 %, over all of them (Holm)."""
        found = sorted((self.overall(name) for name in self.observed), key=lambda one: one.p)
        # What could not have come out otherwise was no test.
        found = [one for one in found if isfinite(one.p) and (one.low < one.high or one.p < 1)]
        missed = []
        for at, one in enumerate(found):
            if one.p * (len(found) - at) > 0.05:
                break
            missed.append(one.measure)
        return tuple(missed)

    def table(self, level: float = 0.95) -> "pd.DataFrame":
        """A row a statistic and run, and one for the mean over runs, whose `run` is missing."""
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        rows = [
            {
                "measure": one.measure,
                "run": pd.NA if one.run is None else one.run,
                "observed": one.observed,
                "predicted": one.predicted,
                "low": one.low,
                "high": one.high,
                "p": one.p,
            }
            for name in self.observed
            for one in (self.overall(name, level), *self.by_run(name, level))
        ]
        return pd.DataFrame(rows).astype({"run": "Int64"}) if rows else pd.DataFrame()

    def __str__(self) -> str:
        return "\n".join(str(self.overall(name)) for name in self.observed)

    def _of(self, measure: str) -> tuple[Reals, Reals]:
        if measure not in self.observed:
            why = self.left_out.get(measure)
            raise SpecificationError(
                f"{measure!r} cannot be told: {why}"
                if why
                else f"no statistic {measure!r} was looked at; {nearest(measure, self.observed)}"
            )
        return self.observed[measure], self.predicted[measure]


def predict(
    found: Fitted,
    source: Trace | TraceFolder,
    measures: Sequence[Measure | str] = STATISTICS,
    *,
    runs: Iterable[int] | None = None,
    asked: Literal["one", "several", "any"] | None = None,
    content: Mapping[str, Reals] | None = None,
    draws: int = 399,
    to: Targets = "choices",
    seed: int = 0,
) -> Predictions:
    """Draw the choices of a trace anew, under draws of a fit's parameters, and compare statistics.

    Args:
        found: a fit; of a mechanism that is none the parameters are taken as known.
        source: the trace, in memory or on disk.
        measures: statistics, or the names of some; any function of traces that goes by what was chosen.
        runs: only these runs.
        asked: as for `choices_of`.
        content: as for `choices_of`.
        draws: how often; the least p is 2 / (draws + 1).
        to: "choices" compares choices with choices. "distributions" compares probabilities, where those of
            the answers are known: what is left is the fit's uncertainty alone, so that every flaw shows.
        seed: of the draws.

    Raises:
        SpecificationError: an unknown statistic; fewer than 19 draws; no uncertainty is known of the fit.
        TraceError: there are no such choices.
    """
    if draws < 19:
        raise SpecificationError(f"draws: {draws}; allowed: at least 19, for p as low as 10 %")
    drawn = plausible(found, draws, seed=seed)[1:]
    wanted = [measure_named(one) if isinstance(one, str) else one for one in measures]
    whole = choices_of(source, asked=asked, runs=runs, content=content)
    observed: dict[str, list[Reals]] = {}
    predicted: dict[str, list[Reals]] = {}
    left: dict[str, str] = {}
    for some in _blocks(whole):
        record = Record.of(source.select(some.tolist()), whole.among(some))
        plain, exactly = record.observed(exactly=to == "distributions"), to == "distributions"
        told = {one.name: _Statistic(one) for one in wanted}
        left |= {name: why for name, one in told.items() if (why := one.untold(plain))}
        many = max(1, EXPOSURES // max(len(record.data) * whole.options, 1))
        for at in range(0, draws, many):
            trace, numbers = record.drawn(
                drawn[at : at + many], exactly=exactly, seed=seed, first=at
            )
            for name, one in told.items():
                if name not in left:
                    one.see(trace, numbers)
        for name, one in told.items():
            if name not in left:
                observed.setdefault(name, []).append(one.of(plain, some))
                predicted.setdefault(name, []).append(np.concatenate(one.parts))
    kept = [name for name in observed if name not in left]
    return Predictions(
        whole.runs,
        {name: np.concatenate(observed[name]) for name in kept},
        {name: np.concatenate(predicted[name], axis=1) for name in kept},
        left,
    )


class _Statistic:
    """A statistic of one block of runs, redraw after redraw."""

    def __init__(self, measure: Measure) -> None:
        self.measure, self.parts = measure, list[Reals]()

    def untold(self, trace: Trace) -> str:
        """Why the trace does not tell it; empty if it does."""
        if self.measure.across_runs:
            return "it compares runs with one another"
        if self.measure.of_tally is not None or self.measure.over_time is not None:
            return "it accumulates, and what was shown rests on what accumulated; regrow tells it"
        try:
            values = self.measure(trace)
        except TraceError as error:
            return str(error)
        return "" if np.isfinite(values.to_numpy(np.float64)).any() else "it has no value here"

    def see(self, trace: Trace, numbers: NDArray[np.int64]) -> None:
        """Its values in redraws, (draws, runs)."""
        self.parts.append(self.of(trace, numbers.ravel()).reshape(numbers.shape))

    def of(self, trace: Trace, runs: NDArray[np.int64]) -> Reals:
        """Its values in some runs."""
        return np.array(self.measure(trace).reindex(runs), np.float64)


def _blocks(data: ChoiceData) -> Iterator[NDArray[np.int64]]:
    """Runs, as many at a time as memory is to hold."""
    runs, counts = np.unique(data.run, return_counts=True)
    block = np.cumsum(counts * data.options) // EXPOSURES
    for one in np.unique(block):
        yield runs[block == one]


def _told(measure: str, observed: float, drawn: Reals, level: float, run: int | None) -> Prediction:
    known = drawn[np.isfinite(drawn)]
    if not len(known) or not isfinite(observed):
        return Prediction(measure, observed, nan, nan, nan, nan, len(drawn), run)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    # A tie, as of counts, is on either side.
    slack = 1e-9 * max(abs(observed), 1e-9)
    above, below = (known >= observed - slack).sum(), (known <= observed + slack).sum()
    p = min(1.0, 2 * (1 + min(int(above), int(below))) / (len(known) + 1))
    mean = float(known.mean())
    return Prediction(measure, observed, mean, float(low), float(high), p, len(drawn), run)
