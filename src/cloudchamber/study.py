"""A study: the five stages in order, as a user writes them, in one file.

    identify      the phenomenon, and when it counts as grown
    microspecify  the baseline specification
    grow          factors, and how many replicates
    intervene     interventions and an attack, on the specification at risk
    validate      field data, if there are any

A study is a value; `run` grows what is missing of it into a folder, `results` reads what is there.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cloudchamber.agents.society import models_of
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import (
    Cell,
    Design,
    Driver,
    Factor,
    Manifest,
    Progress,
    Results,
    factorial,
)
from cloudchamber.intervention import Intervention, let_decide
from cloudchamber.microspec import Decider, Microspec
from cloudchamber.models import Model, open_model
from cloudchamber.phenomenon import Phenomenon
from cloudchamber.trace import Level
from cloudchamber.validation.field import FieldPopularity

__all__ = ["Study"]

MOST_REPLICATES = 1_000_000
"""Of each cell; what is missing is looked up run by run."""

Blocks = Mapping[int, tuple[Any, ...]]
"""Further blocks of a report, by stage (1 to 5)."""


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
    factors: tuple[Factor, ...] = ()
    """Stage 3: what is varied; every combination is a cell."""
    replicates: int = 10
    """Runs of each cell."""
    more: tuple[Cell, ...] = ()
    """Cells beside the combinations."""
    risk: str = ""
    """Stage 4: the cell that interventions depart from; the first if not given."""
    interventions: tuple[Intervention, ...] = ()
    attack: Intervention | None = None
    """Applied to the cell at risk before each intervention, and without any."""
    null: str = ""
    """The cell in which agents choose independently, against which the phenomenon is told."""
    field: FieldPopularity | None = None
    """Stage 5: evidence from outside."""
    account: Callable[["Study", Results], Blocks] | None = None
    """Further blocks for the report."""
    notes: tuple[str, ...] = ()
    """Limits that a reader must know."""
    title: str = ""
    """A headline; the name if not given."""

    def combinations(self) -> Design:
        """Every combination of the factors' levels; the baseline alone, where nothing is varied."""
        return factorial(self.microspec, self.factors)

    def design(self) -> Design:
        """Every cell: the combinations of factors, then the interventions, then the attack.

        Raises:
            SpecificationError: a cell makes no sense, the cell at risk or the null is none of them, or
                the phenomenon needs a null and has none.
        """
        grown = self.combinations() + Design(self.more)
        risk = grown[self.risk] if self.risk else grown.cells[0]
        cells = [Cell(f"with {one.name}", one(risk.spec)) for one in self.interventions]
        if self.attack is not None:
            attacked = self.attack(risk.spec)
            cells.append(Cell("attacked", attacked))
            cells += [
                Cell(f"attacked, with {one.name}", one(attacked)) for one in self.interventions
            ]
        whole = grown + Design(tuple(cells))
        if self.null:
            _ = whole[self.null]
        elif self.phenomenon.measure.of_tally is None:
            raise SpecificationError(
                f"null: none is given, but the {self.phenomenon.measure.name} can only be told against a "
                f"cell; allowed: {', '.join(cell.name for cell in whole)}."
            )
        return whole

    def at_risk(self) -> str:
        """The name of the cell that interventions depart from."""
        return self.risk or self.design().cells[0].name

    def set(self, path: str, value: object) -> "Study":
        """The same study with one field of its baseline changed.

        Raises:
            SpecificationError: a factor varies that field, or it does not fit.
        """
        for factor in self.factors:
            for setting in factor.settings:
                clash = [p for p in setting.changes if _within(path, p) or _within(p, path)]
                if clash:
                    raise SpecificationError(
                        f"{path}: the study's factor {factor.name!r} varies {clash[0]}, so setting it "
                        "has no meaning; change the factor in the study's file."
                    )
        changed = self.microspec.replace(path, value)
        more = tuple(replace(cell, spec=cell.spec.replace(path, value)) for cell in self.more)
        return replace(self, microspec=changed, more=more)

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
        options: Mapping[str, Any] | None = None,
        watch: Callable[[Progress], None] | None = None,
    ) -> Results:
        """Grow what is missing into a folder; run again, it computes only that.

        Args:
            out: the folder.
            seed: of every draw.
            replicates: runs of each cell; the study's own number if not given.
            level: how much of the trace is kept; full if not given.
            concurrency: runs open at a time where models are asked.
            processes: workers of an embedded model; the machine's cores if not given.
            models: models already open, by the names that the specification uses.
            options: how the study was built, kept in the folder for `cloudchamber report`.
            watch: called with the progress.

        Raises:
            SpecificationError: a seed or a number of replicates out of range.
            TraceError: the folder is of something else or cannot be written.
            ModelError: a model cannot be had.
        """
        folder, level = Path(out), level or Level()
        design, count = self.design(), self.replicates if replicates is None else replicates
        for name, given, least, most in (
            ("seed", seed, 0, 2**63 - 1),
            ("replicates", count, 1, MOST_REPLICATES),
        ):
            if not least <= given <= most:
                raise SpecificationError(f"{name}: {given} was given; allowed: {least} to {most}.")
        self._manifest(seed, level, count, options or {}, design).claim(folder)
        driver = Driver(
            folder / "trace",
            seed=seed,
            level=level,
            models=models,
            concurrency=concurrency or 8,
            study=self.name,
            watch=watch,
        )
        # Models are opened only where there is something left to ask them.
        lacking = driver.missing(design, count)
        named = {name for unit in lacking for name in models_of(unit.cell.spec)}
        own = sorted(named - driver.models.keys())

        async def grow() -> None:
            try:
                for name in own:
                    driver.models[name] = open_model(
                        name, store=folder / "answers.sqlite", processes=processes
                    )
                await driver.grow_async(design, count)
            finally:
                for name in own:
                    if name in driver.models:
                        await driver.models[name].close()

        _run(grow)
        return self.results(folder, seed=seed, replicates=count)

    def results(
        self, out: str | Path, *, seed: int | None = None, replicates: int | None = None
    ) -> Results:
        """What is there of the study in a folder, complete or not.

        Raises:
            TraceError: the folder is not a study's.
        """
        folder = Path(out)
        there = Manifest.read(folder)
        return Results(
            self.design(),
            there.replicates if replicates is None else replicates,
            there.seed if seed is None else seed,
            folder / "trace",
        )

    def _manifest(
        self, seed: int, level: Level, count: int, options: Mapping[str, Any], design: Design
    ) -> Manifest:
        from cloudchamber import __version__

        cells = tuple(
            {
                "name": cell.name,
                "levels": dict(cell.levels),
                "spec": cell.spec.model_dump(mode="json"),
            }
            for cell in design
        )
        return Manifest(self.name, dict(options), seed, level.name, count, cells, __version__)


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}.")


def _run(grow: Callable[[], Any]) -> None:
    """Run to the end, also where an event loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(grow())
        return
    at_work: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def here() -> None:
        at_work.append((asyncio.get_running_loop(), asyncio.current_task()))
        await grow()

    with ThreadPoolExecutor(1) as thread:
        growing = thread.submit(asyncio.run, here())
        try:
            growing.result()
        except KeyboardInterrupt:  # reaches this thread alone, and the other would go on to the end
            for loop, task in at_work:
                if task is not None:
                    with suppress(RuntimeError):  # it has just ended
                        loop.call_soon_threadsafe(task.cancel)
            raise
