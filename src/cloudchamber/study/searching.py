"""Where along one factor or two a study's phenomenon appears: runs are grown where they tell most."""

from collections.abc import Callable, Generator, Iterator, Sequence
from math import nan
from pathlib import Path
from typing import Any

from cloudchamber.analysis.saved import save
from cloudchamber.analysis.thresholds.boundary import Boundary, follow
from cloudchamber.analysis.thresholds.located import Threshold
from cloudchamber.analysis.thresholds.seeking import seek
from cloudchamber.errors import SpecificationError, Unfinished
from cloudchamber.experiment import Axis, Range
from cloudchamber.experiment.calling import Means, Round
from cloudchamber.experiment.design import run_id
from cloudchamber.experiment.manifest import TRACE, placed
from cloudchamber.measures import Measure
from cloudchamber.study.levels import Along, Levels, line_of
from cloudchamber.study.sought import Sought, save_boundary
from cloudchamber.study.study import Study
from cloudchamber.trace import TraceFolder

__all__ = ["boundary", "threshold"]

Search = Generator[tuple[Any, ...], Sequence[float], Any]


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
        What was found; saved under results/ in the folder, as threshold.parquet (a row a run),
        threshold_curve.parquet (a row a level), threshold_verdict.parquet (a row a number), and whole as
        threshold.json, which `explain` reads.

    Raises:
        SpecificationError: a factor that cannot be searched, or a criterion is lacking.
        Unfinished: a cap was reached; the same call with a higher cap goes on.
    """
    criterion = _criterion(study, criterion)
    line = line_of(factor)
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
        shares=False,
    )
    searching = _Searching(
        study, cell, (factor,), placed(out), seed, search, lambda probe: (probe.level,)
    )
    found: Threshold = searching.run(f"{study.name}, threshold along {factor.name}", means, options)
    save(found.trials_frame(), searching.folder / "results" / "threshold.parquet")
    save(found.curve_frame(), searching.folder / "results" / "threshold_curve.parquet")
    save(found.verdict_frame(), searching.folder / "results" / "threshold_verdict.parquet")
    kept = Sought(
        factor, cell or study.at_risk(), searching.along.base.hash, found, runs, width, batch, seed
    )
    kept.save(searching.folder)
    return found


def boundary(
    study: Study,
    along: Axis,
    across: Range,
    out: str | Path,
    *,
    runs: int = 80,
    lines: int = 9,
    cell: str = "",
    criterion: float | None = None,
    coverage: float = 0.95,
    jointly: bool = False,
    batch: int = 6,
    seed: int = 0,
    means: Means | None = None,
    options: dict[str, Any] | None = None,
) -> Boundary:
    """Where in the plane of two factors does the phenomenon appear? See `threshold`.

    Args:
        study: any.
        along: the factor along which each line is searched.
        across: the factor that the lines are levels of.
        out: the folder.
        runs: how many may be spent on each line, each with its twin.
        lines: how many levels of the other factor, at least 3.
        cell: see `threshold`.
        criterion: see `threshold`.
        coverage: of each interval, or of all together.
        jointly: whether all intervals together are to have the coverage.
        batch: see `threshold`.
        seed: see `threshold`.
        means: see `threshold`.
        options: see `threshold`.

    Returns:
        What was found; saved as results/boundary.parquet (a row a line), boundary_runs.parquet, and whole as
        boundary.json, which `explain` reads.

    Raises:
        SpecificationError: as for `threshold`.
        Unfinished: a cap was reached; the same call with a higher cap goes on.
    """
    line, other = line_of(along), line_of(across)
    search = follow(
        (line.low, line.high),
        (other.low, other.high),
        runs=runs,
        lines=lines,
        coverage=coverage,
        jointly=jointly,
        levels=other.levels,
        along_levels=line.levels,
        criterion=_criterion(study, criterion),
        batch=batch,
        logarithmic=line.logarithmic,
        shares=False,
    )
    searching = _Searching(
        study,
        cell,
        (along, across),
        placed(out),
        seed,
        search,
        lambda spot: (spot.level, spot.across),
    )
    found: Boundary = searching.run(
        f"{study.name}, boundary along {along.name} and {across.name}", means, options
    )
    save(found.frame(), searching.folder / "results" / "boundary.parquet")
    save(found.trials_frame(), searching.folder / "results" / "boundary_runs.parquet")
    save_boundary(
        searching.folder,
        along,
        across,
        found,
        cell=cell or study.at_risk(),
        spec=searching.along.base.hash,
        runs=runs,
        batch=batch,
        seed=seed,
    )
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


class _Searching:
    """The rounds of a search: what is grown next depends on what was grown."""

    def __init__(
        self,
        study: Study,
        cell: str,
        factors: tuple[Axis, ...],
        folder: Path,
        seed: int,
        search: Search,
        place: Callable[[Any], Levels],
    ) -> None:
        self.study, self.folder, self.seed = study, folder, seed
        self.along = Along(study, study.design()[cell or study.at_risk()].spec, factors)
        self.search, self.place = search, place
        self.found: Any = None

    def run(self, name: str, means: Means | None, options: dict[str, Any] | None) -> Any:
        """Search to the end.

        Raises:
            Unfinished: a cap was reached before.
        """
        means = means or Means()
        stopped = means.grow(name, self.folder, self.rounds(), seed=self.seed, options=options)
        if self.found is None:
            raise Unfinished(stopped)
        return self.found

    def rounds(self) -> Iterator[Round]:
        """Designs with the replicates that tell most, until it is told."""
        asked = next(self.search)
        while True:
            yield self._round(asked)
            try:
                asked = self.search.send(self._responses(asked))
            except StopIteration as end:
                self.found = end.value
                return

    def _round(self, asked: Sequence[Any]) -> Round:
        wanted: dict[str, list[int]] = {}
        for probe in asked:
            for one in self.along.pair(self.place(probe)):
                if one is not None and probe.replicate not in wanted.setdefault(one.id, []):
                    wanted[one.id].append(probe.replicate)
        return self.along.design(), wanted

    def _responses(self, asked: Sequence[Any]) -> list[float]:
        """The excess of each run, in the phenomenon's direction; NaN where it failed."""
        phenomenon = self.study.phenomenon
        values = self._values(phenomenon.measure)
        told = []
        for probe in asked:
            cell, twin = self.along.pair(self.place(probe))
            grown = values.get(run_id(cell.spec, self.seed, probe.replicate), nan)
            if twin is not None:
                null = values.get(run_id(twin.spec, self.seed, probe.replicate), nan)
                grown = self.along.sign * (grown - null)
            told.append(grown)
        return told

    def _values(self, measure: Measure) -> dict[int, float]:
        grown = measure(TraceFolder(self.folder / TRACE))
        return {int(str(run)): float(value) for run, value in grown.items()}
