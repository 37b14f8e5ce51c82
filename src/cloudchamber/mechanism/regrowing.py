"""Regrowth: a mechanism in the agents' place, in the same cells and under the same noise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Results
from cloudchamber.measures import Measure
from cloudchamber.mechanism.growing import decided_by, grown_by
from cloudchamber.mechanism.matching import Match, Sufficiency, judged, matched_up, row_of
from cloudchamber.mechanism.plausible import Fitted
from cloudchamber.phenomenon.null import gained
from cloudchamber.questions import Reals
from cloudchamber.trace import Level
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Course", "Regrowth", "regrow"]


@dataclass(frozen=True, eq=False)
class Course:
    """A measure over time."""

    step: Reals
    """(steps,)."""
    grown: Reals
    """(replicates, steps)."""
    regrown: Reals
    """(draws + 1, replicates, steps)."""


@dataclass(frozen=True, eq=False)
class Regrowth:
    """What the agents grew and what a mechanism grows in their place: by cell and measure, run by run."""

    grown: dict[tuple[str, str], Reals]
    """(replicates,) for each (cell, measure); NaN where a run is missing."""
    regrown: dict[tuple[str, str], Reals]
    """(draws + 1, replicates); the first row is the fit itself."""
    seen: frozenset[str]
    """The cells whose choices the mechanism was fitted to."""
    margins: Mapping[str, float]
    """For each measure the least gap that matters."""
    courses: dict[tuple[str, str], Course] = field(default_factory=dict)
    """By (cell, measure), where the measure has a course."""
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """What each measure can be at least and at most, where that is known."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Cells that were not regrown, and why."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that were regrown."""
        return tuple(dict.fromkeys(cell for cell, _ in self.regrown))

    def level(self, cell: str, measure: str) -> Match:
        """A measure in a cell.

        Raises:
            SpecificationError: the cell was not regrown, or the measure not computed.
        """
        one, other = self._of(cell, measure)
        margin, seen = self.margins.get(measure, nan), cell in self.seen
        return self._bounded(matched_up(one, other, measure, cell, margin=margin, seen=seen))

    def response(self, cell: str, against: str, measure: str) -> Match:
        """What a cell changes in a measure against another, replicate by replicate.

        Raises:
            SpecificationError: as `level`.
        """
        one, other = self._of(cell, measure)
        base, base_other = self._of(against, measure)
        return matched_up(
            one - base,
            other - base_other,
            measure,
            cell,
            against=against,
            margin=self.margins.get(measure, nan),
            seen=cell in self.seen,
        )

    def course(self, cell: str, measure: str) -> tuple[Match, ...]:
        """A measure in a cell after each step; empty where it has no course."""
        known = self.courses.get((cell, measure))
        if known is None:
            return ()
        told = partial(matched_up, measure=measure, margin=self.margins.get(measure, nan))
        return tuple(
            self._bounded(
                told(known.grown[:, at], known.regrown[:, :, at], cell=f"{cell}, step {step:g}")
            )
            for at, step in enumerate(known.step)
        )

    def _bounded(self, one: Match) -> Match:
        """With no interval further out than the measure can be."""
        low, high = self.bounds.get(one.measure, (-inf, inf))
        sides = [
            side.within(low, high) if low <= side.value <= high else side
            for side in (one.grown, one.regrown)
        ]
        return replace(one, grown=sides[0], regrown=sides[1])

    def _of(self, cell: str, measure: str) -> tuple[Reals, Reals]:
        if (cell, measure) not in self.regrown:
            why = self.left_out.get(cell)
            raise SpecificationError(
                f"{cell!r} was not regrown: {why}"
                if why
                else f"the {measure} of {cell!r} was not regrown; there are {', '.join(self.cells)}"
            )
        return self.grown[cell, measure], self.regrown[cell, measure]

    def sufficiency(
        self,
        measure: str,
        responses: Sequence[tuple[str, str]] = (),
        *,
        cells: Sequence[str] | None = None,
        alpha: float = 0.05,
    ) -> Sufficiency:
        """Whether the mechanism suffices for a measure: in every cell, and in each response.

        Args:
            measure: of the phenomenon.
            responses: pairs of a changed cell and the one it departs from.
            cells: the cells in which it has to suffice; all, if not given.
            alpha: the chance of a false "sufficient", and of a false "not sufficient".
        """
        matches = [self.level(cell, measure) for cell in (self.cells if cells is None else cells)]
        matches += [self.response(one, other, measure) for one, other in responses]
        return judged(matches, alpha)

    def table(self, measure: str, responses: Sequence[tuple[str, str]] = ()) -> "pd.DataFrame":
        """A row a number: cell, against, seen, grown, regrown, gap with intervals, margin, answer."""
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        matches = [self.level(cell, measure) for cell in self.cells]
        matches += [self.response(one, other, measure) for one, other in responses]
        return pd.DataFrame([row_of(one, len(matches)) for one in matches])


def regrow(
    results: Results,
    found: "Fitted | Mapping[str, Fitted]",
    measures: Sequence[Measure],
    *,
    cells: Iterable[str] | None = None,
    seen: Iterable[str] = (),
    margins: Mapping[str, float] | None = None,
    draws: int = 20,
    seed: int = 0,
) -> Regrowth:
    """Regrow cells of a design with a mechanism in the agents' place.

    Args:
        results: what the agents grew.
        found: a fit for every group, or one for each of some groups, by name; the others stay. Of a
            mechanism that is no fit the parameters are taken as known.
        measures: what of the macro pattern is compared.
        cells: the names of those that are regrown; all, if not given.
        seen: the names of those that the mechanism was fitted to.
        margins: for each measure, by name, the least gap that matters.
        draws: how many draws of the fit's parameters beside the fit itself.
        seed: of these draws; runs are regrown under the seed of the results.

    Raises:
        SpecificationError: no such cell or group, or no uncertainty is known of a fit.
        RunFailed: a mechanism could not answer.
    """
    level = Level("summary" if all(one.of_tally for one in measures) else "full")
    bounds = {one.name: (one.low, one.high) for one in measures}
    whole = Regrowth({}, {}, frozenset(seen), dict(margins or {}), bounds=bounds)
    there = {one.name: _Numbers.of(one, results.trace) for one in measures}
    done = results.done
    for name in [cell.name for cell in results.design] if cells is None else cells:
        cell, mine = results.require(name), done[done["name"] == name].sort_values("replicate")
        if mine.empty:
            whole.left_out[name] = "no run of it is complete"
            continue
        deciding = decided_by(cell.spec, found, draws, seed=seed)
        replicates = mine["replicate"].astype(int).tolist()
        pools = grown_by(cell.spec, deciding, seed=results.seed, replicates=replicates, level=level)
        parts: list[dict[str, tuple[Reals, Reals, Reals]]] = [
            {one.name: _Numbers.of(one, pool.trace).of_runs(pool.runs()) for one in measures}
            for pool in pools
        ]
        for one in measures:
            key = (name, one.name)
            values, step, course = there[one.name].of_runs(mine["run"].to_numpy(np.int64)[None])
            whole.grown[key] = values[0]
            whole.regrown[key] = np.concatenate([part[one.name][0] for part in parts])
            again = np.concatenate([part[one.name][2] for part in parts])
            if len(step):
                whole.courses[key] = Course(step, course[0], again)
    return whole


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A measure of all runs of a trace."""

    measure: Measure
    source: Readable
    value: "pd.Series[float] | None"
    over_time: "pd.DataFrame | None"

    @classmethod
    def of(cls, measure: Measure, source: Readable) -> "_Numbers":
        if measure.across_runs:
            return cls(measure, source, None, None)
        over_time = measure.over_time
        course = None
        if over_time is not None:
            course = over_time(source).pivot(index="run", columns="step", values="value")
        return cls(measure, source, measure(source), course)

    def of_runs(self, runs: NDArray[np.int64]) -> tuple[Reals, Reals, Reals]:
        """Of runs (draws, replicates): values of that shape, steps, and (draws, replicates, steps)."""
        shape, flat = runs.shape, runs.ravel()
        none, nowhere = _reals([], (0,)), _reals([], (*shape, 0))
        if self.value is None:
            return _reals([self._across(some) for some in runs], shape), none, nowhere
        values = _reals(self.value.reindex(flat), shape)
        if self.over_time is None:
            return values, none, nowhere
        course = self.over_time.reindex(flat).dropna(axis=1, how="all")
        steps = _reals(course.columns, course.columns.shape)
        return values, steps, _reals(course, (*shape, len(steps)))

    def _across(self, runs: NDArray[np.int64]) -> Reals:
        """A measure of the differences between runs, as the jackknife's pseudo-values: one number a run."""
        assert self.measure.of_tally is not None  # measures across runs are of the tallies
        of, n = self.measure.of_tally, len(runs)
        tally = gained(self.source, runs.tolist())
        value = tally.value[np.searchsorted(tally.run, runs), -1]
        if n < 3:
            return np.full(n, nan)
        left = [float(np.nanmean(of(np.delete(value, at, axis=0)))) for at in range(n)]
        return np.asarray(n * float(np.nanmean(of(value))) - (n - 1) * np.array(left))


def _reals(given: Any, shape: tuple[int, ...]) -> Reals:
    return np.asarray(given, np.float64).reshape(shape)
