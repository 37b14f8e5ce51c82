"""A study: the five stages in order, as a user writes them, in one file.

    identify      the phenomenon, and when it counts as grown
    microspecify  the baseline specification
    grow          factors, and how many replicates
    intervene     interventions and an attack, on the specification at risk
    validate      field data, if there are any

A study is a value; `run` grows what is missing of it into a folder, `results` reads what is there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as made  # `field` is field data here
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import (
    Axis,
    Cell,
    Design,
    Driver,
    Factor,
    Limits,
    Manifest,
    Progress,
    Results,
    factorial,
)
from cloudchamber.experiment.calling import Means, looked_into
from cloudchamber.experiment.estimate import estimate
from cloudchamber.experiment.expected import CostEstimate
from cloudchamber.experiment.manifest import placed
from cloudchamber.experiment.prices import Prices
from cloudchamber.intervention import Intervention, let_decide
from cloudchamber.measures import MEASURES, Measure
from cloudchamber.mechanism import Mechanism
from cloudchamber.microspec import Decider, Microspec
from cloudchamber.microspec.paths import overlap
from cloudchamber.models import Mode, Model
from cloudchamber.phenomenon import Phenomenon
from cloudchamber.study.kinds import check_kinds
from cloudchamber.trace import Level
from cloudchamber.validation.field import FieldPopularity
from cloudchamber.validation.published import Comparator

__all__ = ["Study"]

_ALSO = tuple(MEASURES[name] for name in ("gini", "top-5 share", "entropy", "mean position"))


@dataclass(frozen=True)
class Study:
    """The five stages together."""

    name: str
    question: str
    """What is asked, in one sentence."""
    phenomenon: Phenomenon
    """Stage 1: what is to be grown, how it is measured, when it counts as grown."""
    microspec: Microspec
    """Stage 2: the baseline."""
    factors: tuple[Axis, ...] = ()
    """Stage 3: what is varied, over levels or over a range."""
    replicates: int = 10
    """Runs of each cell."""
    more: tuple[Cell, ...] = ()
    """Cells beside the combinations."""
    risk: str = ""
    """Stage 4: the cell that interventions depart from; the first if not given."""
    interventions: tuple[Intervention, ...] = ()
    attack: Intervention | None = None
    """Applied to the cell at risk before each intervention, and without any."""
    null: Intervention | None = None
    """What takes the influence out of a cell, e.g. `isolate()`. The phenomenon is told of each cell
    against its own twin under it, so that what is in both (an order, a way of asking) is not taken for
    influence; against equal shares, if not given."""
    field: FieldPopularity | None = None
    """Stage 5: evidence from outside."""
    published: tuple[Comparator, ...] = ()
    """Published findings that the report quotes beside the study's own; they decide nothing."""
    account: Callable[["Study", Results], Any] | None = None
    """What the report says beyond any study's: a `cloudchamber.report.Supplement`."""
    notes: tuple[str, ...] = ()
    """Limits that a reader must know."""
    title: str = ""
    """A headline; the name if not given."""
    hypothesis: str = ""
    """The local rule that is thought to grow the phenomenon, in one sentence."""
    mechanisms: Mapping[str, Mechanism] = made(default_factory=dict)
    """Micro rules that may be behind the choices, by name: the first is the hypothesis', the others are
    its rivals. `cloudchamber.study.explain` fits them, and puts them in the agents' place."""
    also: tuple[Measure, ...] = _ALSO
    """Measures that are told beside the phenomenon's; those of attention if not given."""
    plan: Callable[[Microspec, Sequence[Axis]], Design] = factorial
    """The cells that factors make of the baseline; also e.g. ``partial(sobol_sequence, n=64)``."""

    def __post_init__(self) -> None:
        """Refuse what is of another kind, where it was given."""
        check_kinds(self)
        self.microspec.check_paths([path for factor in self.factors for path in factor.paths])

    def combinations(self) -> Design:
        """The cells that the plan makes of the factors; the baseline alone, where nothing is varied."""
        return self._combinations

    @cached_property
    def _combinations(self) -> Design:
        return (self.plan if self.factors else factorial)(self.microspec, self.factors)

    @property
    def crossed(self) -> tuple[Factor, ...]:
        """The factors, where every combination of their levels is a cell; none of a fraction or sample."""
        levelled = tuple(factor for factor in self.factors if isinstance(factor, Factor))
        every = prod(len(factor.settings) for factor in levelled)
        whole = levelled == self.factors and len(self.combinations()) == every
        return levelled if whole else ()

    def design(self) -> Design:
        """Every cell: the combinations of factors, the interventions, the attack, and the nulls.

        Raises:
            SpecificationError: a cell makes no sense, the cell at risk is none of them, or the
                phenomenon needs a null and has none.
        """
        return self._design

    @cached_property
    def _design(self) -> Design:
        grown = self.combinations() + Design(self.more)
        risk = grown[self.risk] if self.risk else grown.cells[0]
        tried = [Cell(f"with {one.name}", one(risk.spec)) for one in self.interventions]
        attacks = []
        if self.attack is not None:
            attacked = self.attack(risk.spec)
            attacks.append(Cell("attacked", attacked))
            attacks += [
                Cell(f"attacked, with {one.name}", one(attacked)) for one in self.interventions
            ]
        judged = [*self.combinations(), *([risk] if self.risk else []), *tried]
        whole = grown + Design((*tried, *attacks))
        return whole + Design(tuple(self._nulls(judged, whole)))

    def _nulls(self, judged: list[Cell], there: Design) -> Iterator[Cell]:
        """The twins without influence that are not there already."""
        if self.null is None:
            if self.phenomenon.measure.of_tally is None:
                raise SpecificationError(
                    f"null: none is given, but the {self.phenomenon.measure.name} can only be told "
                    "against a twin of each cell; give an intervention, e.g. null=isolate()."
                )
            return
        known = {cell.id for cell in there}
        for cell in judged:
            twin = self.null(cell.spec)
            if twin.hash[:12] not in known:
                known.add(twin.hash[:12])
                yield Cell(f"{cell.name}, {self.null.name}", twin)

    def null_of(self, cell: Cell) -> Cell | None:
        """The cell that a judged cell is told against; None where the null is equal shares.

        It is the cell itself where the null changes nothing: there is no influence to be told.
        """
        if self.null is None:
            return None
        twin = self.null(cell.spec)
        if twin == cell.spec:
            return cell
        return next((one for one in self.design() if one.spec == twin), None)

    def judged(self) -> tuple[Cell, ...]:
        """The cells of which it is told whether the phenomenon grew: combinations, then interventions."""
        names = [cell.name for cell in self.combinations()]
        names += [self.at_risk()] if self.at_risk() not in names else []
        idle = self.idle()
        names += [f"with {one.name}" for one in self.interventions if one not in idle]
        design = self.design()
        return tuple(design[name] for name in names)

    def idle(self) -> tuple[Intervention, ...]:
        """The interventions that change nothing in the cell at risk, e.g. words told to a rule."""
        risk = self.design()[self.at_risk()].spec
        return tuple(one for one in self.interventions if one(risk) == risk)

    def at_risk(self) -> str:
        """The name of the cell that interventions depart from."""
        return self.risk or (self.combinations() + Design(self.more)).cells[0].name

    def set(self, path: str, value: object) -> "Study":
        """The same study with one field of its baseline changed.

        Raises:
            SpecificationError: a factor varies that field, or it does not fit.
        """
        return self.set_all({path: value})

    def set_all(self, changes: Mapping[str, object]) -> "Study":
        """The same study with several fields of its baseline changed, and only then checked.

        Raises:
            SpecificationError: as `set`.
        """
        for path in changes:
            self._refuse_varied(path)
        changed = self.microspec.replace_all(changes)
        more = tuple(replace(cell, spec=cell.spec.replace_all(changes)) for cell in self.more)
        return replace(self, microspec=changed, more=more)

    def _refuse_varied(self, path: str) -> None:
        """Say so if a factor varies a field."""
        for factor in self.factors:
            clash = [p for p in factor.paths if overlap(path, p)]
            if clash:
                raise SpecificationError(
                    f"{path}: the study's factor {factor.name!r} varies {clash[0]}, so setting it "
                    "has no meaning; change the factor in the study's file."
                )

    def decided_by(self, decider: Decider) -> "Study":
        """The same study with another decider in every agent's place."""
        put = let_decide(decider)
        more = tuple(replace(cell, spec=put(cell.spec)) for cell in self.more)
        return replace(self, microspec=put(self.microspec), more=more)

    def run(
        self,
        out: str | Path,
        *,
        seed: int = 0,
        replicates: int | None = None,
        level: Level | None = None,
        concurrency: int | None = None,
        processes: int | None = None,
        models: Mapping[str, Model] | None = None,
        store: str | Path | None = None,
        store_mode: Mode = "read-write",
        options: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        prices: Prices | None = None,
        watch: Callable[[Progress], None] | None = None,
        timeout: float = 120.0,
    ) -> Results:
        """Grow what is missing into a folder; run again, it computes only that.

        Args:
            out: the folder.
            seed: of every draw.
            replicates: runs of each cell; the study's own number if not given.
            level: how much of the trace is kept; full if not given.
            concurrency: runs open at a time where models are asked, at most; if not given, as many as keep
                the models busy.
            processes: workers of an embedded model; the machine's cores if not given.
            models: models already open, by the names that the specification uses; what they answer is
                not stored.
            store: SQLite file of what language models answered, which several studies and processes may
                share; answers.sqlite in the folder if not given.
            store_mode: how it is used: "read-write"; "replay", which asks no model, and for which an
                answer that is missing is an error; "refresh", which asks again and replaces; or "off".
            options: how the study was built, kept in the folder for `cloudchamber report`.
            limits: caps on what this call may spend; at a cap nothing more is sent, what is complete is
                kept, and the results say why they are `stopped`. What the store answers is free.
            prices: of models, where the table that ships does not know them, or is not to be used.
            watch: called with the progress.
            timeout: seconds that one attempt at a server may take.

        An interrupt (Ctrl-C) stops it once nothing is under way any more; a second one stops it at once.

        Raises:
            SpecificationError: a seed or a number of replicates out of range; a cap on the cost of a model
                whose price is not known.
            TraceError: the folder is of something else or cannot be written.
            ModelError: a model cannot be had.
            StoreError: the store cannot be used, or a replay misses an answer.
        """
        means = Means(
            level or Level(),
            concurrency,
            processes,
            models,
            store,
            store_mode,
            limits,
            prices,
            watch,
            timeout,
        )
        folder = placed(out)
        design, count = self.design(), self.replicates if replicates is None else replicates
        means.grow(self.name, folder, [(design, count)], seed=seed, options=options)
        return self.results(folder, seed=seed, replicates=count)

    def estimate(
        self,
        out: str | Path | None = None,
        *,
        seed: int = 0,
        replicates: int | None = None,
        prices: Prices | None = None,
        rate: float | None = None,
        store: str | Path | None = None,
        store_mode: Mode = "read-write",
    ) -> CostEstimate:
        """What `run` would come to: runs that are missing, questions, tokens, cost, time.

        No model is asked, and nothing is fetched or written. What a store holds already is taken off as
        far as it can be known, which is up to the first answer that is missing in each run.

        Args:
            out: the folder that the runs would go into; what is complete there is not counted.
            seed: as for `run`.
            replicates: as for `run`.
            prices: of models; those of the dated table that ships, if not given.
            rate: questions sent a second; as in the folder's earlier runs, if not given.
            store: as for `run`.
            store_mode: as for `run`; a replay sends nothing.

        Raises:
            TraceError: the folder holds something that is no trace.
            StoreError: the store is not there, or cannot be read.
        """
        design, count = self.design(), self.replicates if replicates is None else replicates
        trace = placed(out) / "trace" if out is not None else None
        lacking = Driver(trace or Path(), seed=seed).missing(design, count, anew=trace is None)
        conditions = len(design.conditions())
        there, servers = looked_into(None if out is None else placed(out), store, store_mode)
        return estimate(
            lacking,
            seed=seed,
            conditions=conditions,
            runs=conditions * count,
            prices=prices,
            rate=rate,
            trace=trace,
            store=there,
            servers=servers,
            sends=store_mode != "replay",
        )

    def export(self, out: str | Path, file: str | Path, *, store: str | Path | None = None) -> Path:
        """Make an archive of what `run` grew into a folder; `cloudchamber replay` grows it again elsewhere.

        In it are each cell's specification and the answers that were used, no program. A study in a file,
        grown by `cloudchamber run`, goes as a whole with `cloudchamber export`.

        Args:
            out: the folder.
            file: the archive.
            store: what it was grown with, if not what the folder says.

        Raises:
            ArchiveError: runs are missing, a key is in it, or a part of a cell is your program's own.
            StoreError: its answers are not there, as `models` were passed open.
        """
        from cloudchamber.experiment.cell_archive import (
            export_cells,
        )  # sqlite3 only where it is used

        target = placed(file)
        export_cells(placed(out), target, None if store is None else placed(store))
        return target

    def results(
        self, out: str | Path, *, seed: int | None = None, replicates: int | None = None
    ) -> Results:
        """What is there of the study in a folder, complete or not.

        Raises:
            TraceError: the folder is not a study's.
        """
        folder = placed(out)
        there = Manifest.read(folder)
        return Results(
            self.design(),
            there.replicates if replicates is None else replicates,
            there.seed if seed is None else seed,
            folder / "trace",
        )
