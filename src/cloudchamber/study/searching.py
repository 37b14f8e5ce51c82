"""Where along a factor a study's phenomenon appears: runs are grown where they tell most, round by round."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from typing import Any

from cloudchamber.analysis.located import Threshold
from cloudchamber.analysis.saved import save
from cloudchamber.analysis.thresholds import Probe, seek
from cloudchamber.errors import SpecificationError, Unfinished
from cloudchamber.experiment import Axis, Cell, Design, Range, Results
from cloudchamber.experiment.calling import Means, Round
from cloudchamber.experiment.design import run_id
from cloudchamber.experiment.factors import Setting
from cloudchamber.experiment.manifest import TRACE, placed
from cloudchamber.measures import Measure
from cloudchamber.study.study import Study

__all__ = ["threshold"]

Search = Generator[tuple[Probe, ...], Sequence[float], Threshold]
_FEWEST = 3
"""Levels of a factor that can be searched."""


def threshold(
    study: Study,
    factor: Axis,
    out: str | Path,
    *,
    runs: int = 120,
    cell: str = "",
    criterion: float | None = None,
    width: float | None = None,
    coverage: float = 0.95,
    batch: int = 6,
    seed: int = 0,
    means: Means | None = None,
    options: dict[str, Any] | None = None,
) -> Threshold:
    """Where along a factor does the phenomenon appear?

    Each run is told by its excess over its own null (the twin of the same replicate without influence), in
    the direction of the phenomenon, and counts as grown beyond the criterion; without a null, by the
    measure itself. Call again, and the search goes on from what the folder holds.

    Args:
        study: any.
        factor: a range of numbers, or a factor of numbers; it departs from the cell at risk.
        out: the folder.
        runs: how many may be spent, each with its twin.
        cell: the cell it departs from, if not the one at risk.
        criterion: the mean excess from which it counts as there; the phenomenon's own margin if not
            given. Needed where the study has no null, in the measure's units.
        width: how narrow the interval must be for the search to stop early, in units of the factor; a
            twentieth of the range if not given.
        coverage: of the interval, and the probability that a verdict needs.
        batch: runs that are grown together. Fewer place better, more keep a model busy.
        seed: of every draw.
        means: with what it grows.
        options: how the study was built, kept in the folder.

    Returns:
        What was found; saved under results/ in the folder, as threshold.parquet (a row a run) and
        threshold_curve.parquet (a row a level).

    Raises:
        SpecificationError: a factor that cannot be searched, or a criterion is lacking.
        Unfinished: a cap was reached; the same call with a higher cap goes on.
    """
    criterion = _criterion(study, criterion)
    line = _line(factor)
    search = seek(
        line.low,
        line.high,
        runs=runs,
        coverage=coverage,
        criterion=criterion,
        width=width,
        batch=batch,
        logarithmic=line.logarithmic,
        levels=line.levels,
    )
    searching = _Searching(study, cell or study.at_risk(), factor, placed(out), seed, search)
    stopped = (means or Means()).grow(
        f"{study.name}-threshold", searching.folder, searching.rounds(), seed=seed, options=options
    )
    if searching.found is None:
        raise Unfinished(stopped)
    found = searching.found
    save(found.trials_frame(), searching.folder / "results" / "threshold.parquet")
    save(found.curve_frame(), searching.folder / "results" / "threshold_curve.parquet")
    return found


def _criterion(study: Study, given: float | None) -> float:
    own = study.phenomenon.criterion
    if given is not None:
        return given
    if study.null is None or own.in_sd:
        lacking = "the study has no null" if study.null is None else "the margin is told in spreads"
        raise SpecificationError(
            f"criterion: none is given, and {lacking}; give one in the units of the "
            f"{study.phenomenon.measure.name}."
        )
    return own.margin


@dataclass(frozen=True, slots=True)
class _Line:
    """A factor as the search takes it."""

    low: float
    high: float
    logarithmic: bool
    levels: tuple[float, ...] | None


def _line(factor: Axis) -> _Line:
    if isinstance(factor, Range):
        whole = tuple(range(int(factor.low), int(factor.high) + 1)) if factor.whole else None
        return _Line(factor.low, factor.high, factor.log, whole)
    numbers = [one.value for one in factor.settings]
    levels = sorted(float(one) for one in numbers if isinstance(one, int | float))
    if len(levels) < len(numbers) or len(levels) < _FEWEST:
        raise SpecificationError(
            f"{factor.name}: the levels {numbers} were given; allowed: three numbers or more, or a range "
            "such as Factor.over(path, low, high)."
        )
    return _Line(levels[0], levels[-1], False, tuple(levels))


class _Searching:
    """The rounds of a search: what is grown next depends on what was grown."""

    def __init__(
        self, study: Study, cell: str, factor: Axis, folder: Path, seed: int, search: Search
    ) -> None:
        self.study, self.factor, self.folder, self.seed = study, factor, folder, seed
        self.base = study.design()[cell].spec
        self.search = search
        self.found: Threshold | None = None
        self.cells: dict[float, tuple[Cell, Cell | None]] = {}

    def rounds(self) -> Iterator[Round]:
        """Designs with the replicates that tell most, until it is told."""
        probes = next(self.search)
        while True:
            yield self._round(probes)
            try:
                probes = self.search.send(self._responses(probes))
            except StopIteration as end:
                self.found = end.value
                return

    def _round(self, probes: Sequence[Probe]) -> Round:
        wanted: dict[str, list[int]] = {}
        for probe in probes:
            for one in self._pair(probe.level):
                if one is not None and probe.replicate not in wanted.setdefault(one.id, []):
                    wanted[one.id].append(probe.replicate)
        return self.design(), wanted

    def design(self) -> Design:
        """All cells so far."""
        return Design(tuple(one for pair in self.cells.values() for one in pair if one is not None))

    def _pair(self, level: float) -> tuple[Cell, Cell | None]:
        """The cell at a level, and its twin without influence."""
        if level not in self.cells:
            setting = self._setting(level)
            name = f"{self.factor.name} = {setting.name}"
            cell = Cell.at(name, self.base, {self.factor.name: setting})
            twin = None
            if self.study.null is not None:
                twin = replace(
                    cell,
                    name=f"{name}, {self.study.null.name}",
                    spec=self.study.null(cell.spec),
                    levels={},
                    values={},
                )
            self.cells[level] = (cell, twin)
        return self.cells[level]

    def _setting(self, level: float) -> Setting:
        if isinstance(self.factor, Range):
            value = round(level) if self.factor.whole else level
            return Setting(str(value), {self.factor.path: value})
        return next(
            one
            for one in self.factor.settings
            if isinstance(one.value, int | float) and float(one.value) == level
        )

    def _responses(self, probes: Sequence[Probe]) -> list[float]:
        """The excess of each run, in the phenomenon's direction; NaN where it failed."""
        phenomenon = self.study.phenomenon
        values = self._values(phenomenon.measure)
        sign = 1.0 if phenomenon.criterion.direction == "above" else -1.0
        told = []
        for probe in probes:
            cell, twin = self._pair(probe.level)
            grown = values.get(run_id(cell.spec, self.seed, probe.replicate), nan)
            if twin is None:
                told.append(grown)
                continue
            told.append(
                sign * (grown - values.get(run_id(twin.spec, self.seed, probe.replicate), nan))
            )
        return told

    def _values(self, measure: Measure) -> dict[int, float]:
        results = Results(self.design(), 1, self.seed, self.folder / TRACE)
        return {int(str(run)): float(value) for run, value in measure(results.trace).items()}
