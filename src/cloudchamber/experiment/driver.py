"""The driver: grows what is missing of a design, many runs at once, and writes each run when it is whole.

Rules answer at once, so all missing replicates of a cell ride in one pool. Where a language model is
asked, each run is a pool of its own and several are open at a time; what was answered is in the models'
store, so an interrupted run costs nothing again. A run that fails is a row with its stage and reason; one
that the budget does not reach is no row, and is grown by a later call.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cloudchamber.agents.society import Society, models_of
from cloudchamber.engine import Account, grow
from cloudchamber.errors import (
    CloudchamberError,
    ModelUnreachable,
    NotStored,
    RunFailed,
    StoreError,
    TraceError,
    Unfinished,
)
from cloudchamber.experiment.design import Design, Replicates, run_id
from cloudchamber.experiment.holding import held
from cloudchamber.experiment.limits import Budget
from cloudchamber.experiment.metering import Billed
from cloudchamber.experiment.open_runs import OpenRuns, Place
from cloudchamber.experiment.prices import Prices
from cloudchamber.experiment.progress import Progress, Watch, questions_of, shown_in
from cloudchamber.experiment.unit import Unit, cost_of, pools
from cloudchamber.models.model import Model
from cloudchamber.questions import Questions
from cloudchamber.trace import Level, RunStatus, TraceFolder, TraceWriter, clean
from cloudchamber.trace.layout import check_mark

__all__ = ["Driver", "Progress", "Unit", "questions_of"]

WRITING = 2
"""Units that are written at a time."""
BREATH = 0.1
"""Seconds that rules work at most before an interrupt is let in."""


class Driver:
    """Grows a design into a folder.

    Args:
        folder: where the trace goes.
        seed: the experiment's seed.
        level: how much of the trace is kept; full if not given.
        models: opened language models by the names that specifications use.
        concurrency: runs that are open at a time where models are asked, at most; if not given, as many
            as keep the models busy.
        study: name of the study, for the table of runs.
        watch: called with the progress after every change.
        budget: what may be spent; models that are to spend from it are given wrapped as `Metered`, beneath
            their stores. Once it is stopped, what cannot go on is left for a later call.
        prices: of models, for what each run cost.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 0,
        level: Level | None = None,
        models: Mapping[str, Model] | None = None,
        concurrency: int | None = None,
        study: str = "",
        watch: Watch | None = None,
        budget: Budget | None = None,
        prices: Prices | None = None,
    ) -> None:
        self.folder, self.seed, self.study = folder, seed, study
        self.level = level or Level()
        self.models, self.concurrency = dict(models or {}), concurrency
        self._watch, self.prices = watch, prices
        self.budget = budget or Budget()
        self._breathed = 0.0
        self._progress: Progress | None = None

    def watch(self, progress: Progress) -> None:
        """Tell whoever watches."""
        progress.mark()
        if self._watch is not None:
            self._watch(progress)

    def remind(self) -> None:
        """Tell whoever watches once more, where something else than the growing has changed."""
        if self._progress is not None:
            self.watch(self._progress)

    def missing(self, design: Design, replicates: Replicates, *, anew: bool = False) -> list[Unit]:
        """What is not grown yet, replicate by replicate so that all cells advance together.

        Args:
            design: what is asked for.
            replicates: of each cell; or which, by the cells' ids.
            anew: whether to take nothing for grown.
        """
        done = set() if anew else self._done()
        rules, asked = [], []
        for cell, some in design.asked(replicates):
            lacking = [r for r in some if run_id(cell.spec, self.seed, r) not in done]
            if models_of(cell.spec):
                asked += [Unit(cell, (r,)) for r in lacking]
            else:
                rules += list(pools(cell, lacking))
        return rules + sorted(asked, key=lambda unit: unit.replicates)

    def _done(self) -> set[int]:
        if not check_mark(self.folder):
            return set()
        runs = TraceFolder(self.folder).runs()
        return set(runs.loc[runs["status"] == "done", "run"])

    def grow(self, design: Design, replicates: Replicates) -> Progress:
        """Grow what is missing.

        Raises:
            TraceError: the folder cannot be written, or another process grows it.
            ModelUnreachable: no model answers; what is complete is kept.
        """
        return asyncio.run(self.grow_async(design, replicates))

    async def grow_async(self, design: Design, replicates: Replicates) -> Progress:
        """As `grow`, for notebooks and programs with an event loop of their own."""
        with held(self.folder):
            clean(self.folder)
            return await self._grow(design, replicates)

    async def _grow(self, design: Design, replicates: Replicates) -> Progress:
        units = self.missing(design, replicates)
        total = sum(len(some) for _, some in design.asked(replicates))
        lacking = sum(len(unit.replicates) for unit in units)
        progress = self._progress = Progress(total, total - lacking, budget=self.budget)
        behind = Counter({unit.cell.id: 0 for unit in units})
        for unit in units:
            behind[unit.cell.id] += len(unit.replicates)
        progress.cells = len(design.conditions())
        progress.behind = behind
        progress.expected = sum(questions_of(unit.cell) * len(unit.replicates) for unit in units)
        progress.to_show = sum(shown_in(unit.cell) * len(unit.replicates) for unit in units)
        self.watch(progress)
        # Pools of rules are large and wait for nobody: one at a time, beside the runs that wait for models.
        runs, alone = OpenRuns(self.models.values(), self.concurrency), asyncio.Lock()

        async def one(unit: Unit) -> None:
            if not models_of(unit.cell.spec):
                async with alone:
                    return await self._unit(unit, progress)
            place = await runs.enter()
            try:
                return await self._unit(unit, progress, place)
            finally:
                place.leave()

        try:
            # Nobody's questions wait for what is written.
            with ThreadPoolExecutor(WRITING) as self._writing:
                async with asyncio.TaskGroup() as group:
                    for unit in units:
                        group.create_task(one(unit))
        except BaseExceptionGroup as failures:
            raise _first(failures) from None
        return progress

    async def _unit(self, unit: Unit, progress: Progress, place: Place | None = None) -> None:
        progress.cell = unit.cell.name
        started = time.monotonic()
        try:
            with TraceWriter(self.folder, unit.name(self.seed)) as sink:
                bills: dict[str, Billed] = {}
                account = await self._grown(unit, bills, sink, progress, place)
                if place is not None:
                    place.asks(0)
                rows = self._rows(unit, time.monotonic() - started) | unit.counted(account)
                await self._commit(sink, rows | {"cost": cost_of(bills, self.prices)})
        except Unfinished:
            return
        except RunFailed as failure:
            await self._failed(unit, failure, progress)
            return
        progress.done += len(unit.replicates)
        progress.behind[unit.cell.id] -= len(unit.replicates)
        self.watch(progress)

    async def _commit(self, sink: TraceWriter, rows: Mapping[str, Any]) -> None:
        """Write a unit, to its end: half of it could be written by nobody else."""
        writing = asyncio.get_running_loop().run_in_executor(self._writing, sink.commit, rows)
        interrupted = None
        while not writing.done():
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError as error:
                interrupted = error
        writing.result()
        if interrupted is not None:
            raise interrupted

    async def _grown(
        self,
        unit: Unit,
        bills: dict[str, Billed],
        sink: TraceWriter,
        progress: Progress,
        place: Place | None,
    ) -> Account:
        """Drive the engine to its end, with whoever answers."""
        spec = unit.cell.spec
        try:
            self.budget.pace()
            if place is not None:
                bills |= {n: Billed(place.through(self.models[n])) for n in models_of(spec)}
            society = Society(spec, bills)
            growth = grow(spec, unit.runs(self.seed), sink, level=self.level)
            questions = next(growth)
            while True:
                if place is not None:
                    place.asks(len(questions))
                answers = (
                    society.answer_now(questions)
                    if society.immediate
                    else await society.answer(questions)
                )
                self._tell(progress, questions, society.immediate)
                self.budget.pace()
                if society.immediate:
                    await self._breathe()
                questions = growth.send(answers)
        except StopIteration as end:
            account: Account = end.value
            return account
        except NotStored as miss:
            raise miss.told(f"the cell {unit.cell.name!r}") from None
        except (RunFailed, ModelUnreachable, StoreError, TraceError, Unfinished):
            raise
        except Exception as error:  # a rule or world of the user's own may do anything
            ours = isinstance(error, CloudchamberError)
            reason = str(error) if ours else f"{type(error).__name__}: {error}"
            raise RunFailed(0, "answer", reason) from error

    async def _breathe(self) -> None:
        """Let an interrupt in now and then, which rules alone would keep waiting to the end."""
        if time.monotonic() - self._breathed > BREATH:
            await asyncio.sleep(0)
            self._breathed = time.monotonic()

    def _tell(self, progress: Progress, questions: Questions, rules: bool) -> None:
        progress.questions += len(questions)
        progress.asked += 0 if rules else len(questions)
        progress.shown += questions.items.size
        self.watch(progress)

    def _rows(self, unit: Unit, seconds: float) -> dict[str, Any]:
        fingerprints = {name: model.fingerprint for name, model in self.models.items()}
        return unit.rows(self.seed, self.study, fingerprints, seconds)

    async def _failed(self, unit: Unit, failure: RunFailed, progress: Progress) -> None:
        """A run alone becomes a row; of a pool, each run is grown by itself, so that one fails alone."""
        if len(unit.replicates) > 1:
            for replicate in unit.replicates:
                await self._unit(Unit(unit.cell, (replicate,)), progress)
            return
        rows = self._rows(unit, 0.0)
        rows |= {"status": int(RunStatus.failed), "stage": failure.stage, "reason": failure.reason}
        with TraceWriter(self.folder, unit.name(self.seed)) as sink:
            await self._commit(sink, rows)
        progress.failed += 1
        self.watch(progress)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first, out of its group."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
