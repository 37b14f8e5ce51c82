"""The driver: grows what is missing of a design, many runs at once, and writes each run when it is whole.

Rules answer at once, so all missing replicates of a cell ride in one pool. Where a language model is
asked, each run is a pool of its own and several are open at a time; what was answered is in the models'
store, so an interrupted run costs nothing again. A run that fails is a row with its stage and reason.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cloudchamber.agents.society import Society, models_of
from cloudchamber.engine import Account, Runs, grow
from cloudchamber.errors import (
    CloudchamberError,
    ModelUnreachable,
    RunFailed,
    StoreError,
    TraceError,
    Unanswered,
)
from cloudchamber.experiment.design import Cell, Design, run_id
from cloudchamber.experiment.manifest import held
from cloudchamber.models.model import Model
from cloudchamber.questions import Questions
from cloudchamber.trace import Level, RunStatus, Status, TraceFolder, TraceWriter, clean
from cloudchamber.trace.layout import check_mark

__all__ = ["Driver", "Progress", "Unit"]

POOL_ROWS = 2_000_000
"""Agents that ride in one pool of rules at most, over all its runs."""

BREATH = 0.1
"""Seconds that rules work at most before an interrupt is let in."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Runs of one cell that are grown, and written, together."""

    cell: Cell
    replicates: tuple[int, ...]

    def name(self, seed: int) -> str:
        """The unit's name in the trace; the time lets a later attempt stand beside a failed one."""
        first, last = self.replicates[0], self.replicates[-1]
        return f"{self.cell.id}-{seed}-{first}-{last}-{time.time_ns():x}"


@dataclass(slots=True)
class Progress:
    """How far the growing is; passed to whoever watches, after every change."""

    runs: int
    """Runs asked for, over all cells."""
    done: int
    """Runs that are complete, earlier ones included."""
    failed: int = 0
    questions: int = 0
    """Questions answered so far in this call."""
    expected: int = 0
    """Questions that this call comes to, as far as that is known beforehand."""
    shown: int = 0
    """Options shown so far in this call: what the time left is told by, since a list takes longer."""
    to_show: int = 0
    cell: str = ""
    """The cell that was last worked on."""
    started: float = field(default_factory=time.monotonic)

    @property
    def rate(self) -> float:
        """Questions a second in this call."""
        return self.questions / max(time.monotonic() - self.started, 1e-9)

    @property
    def left(self) -> float:
        """Seconds left, if it goes on as so far; infinite before anything was answered."""
        ahead = max(self.to_show - self.shown, 0)
        return (
            ahead * (time.monotonic() - self.started) / self.shown if self.shown else float("inf")
        )


Watch = Callable[[Progress], None]


class Driver:
    """Grows a design into a folder.

    Args:
        folder: where the trace goes.
        seed: the experiment's seed.
        level: how much of the trace is kept; full if not given.
        models: opened language models by the names that specifications use.
        concurrency: runs that are open at a time where models are asked.
        study: name of the study, for the table of runs.
        watch: called with the progress after every change.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 0,
        level: Level | None = None,
        models: Mapping[str, Model] | None = None,
        concurrency: int = 16,
        study: str = "",
        watch: Watch | None = None,
    ) -> None:
        self.folder, self.seed, self.study = folder, seed, study
        self.level = level or Level()
        self.models, self.concurrency = dict(models or {}), concurrency
        self.watch = watch or (lambda progress: None)
        self._breathed = 0.0

    def missing(self, design: Design, replicates: int) -> list[Unit]:
        """What is not grown yet, replicate by replicate so that all cells advance together."""
        done = self._done()
        rules, asked = [], []
        for cell in design.conditions():
            lacking = [r for r in range(replicates) if run_id(cell.spec, self.seed, r) not in done]
            if models_of(cell.spec):
                asked += [Unit(cell, (r,)) for r in lacking]
            else:
                rules += list(_pools(cell, lacking))
        return rules + sorted(asked, key=lambda unit: unit.replicates)

    def _done(self) -> set[int]:
        if not check_mark(self.folder):
            return set()
        runs = TraceFolder(self.folder).runs()
        return set(runs.loc[runs["status"] == "done", "run"])

    def grow(self, design: Design, replicates: int) -> Progress:
        """Grow what is missing.

        Raises:
            TraceError: the folder cannot be written, or another process grows it.
            ModelUnreachable: no model answers; what is complete is kept.
        """
        return asyncio.run(self.grow_async(design, replicates))

    async def grow_async(self, design: Design, replicates: int) -> Progress:
        """As `grow`, for notebooks and programs with an event loop of their own."""
        with held(self.folder):
            clean(self.folder)
            return await self._grow(design, replicates)

    async def _grow(self, design: Design, replicates: int) -> Progress:
        units = self.missing(design, replicates)
        total = len(design.conditions()) * replicates
        lacking = sum(len(unit.replicates) for unit in units)
        progress = Progress(total, total - lacking)
        progress.expected = sum(questions_of(unit.cell) * len(unit.replicates) for unit in units)
        progress.to_show = sum(_shown_in(unit.cell) * len(unit.replicates) for unit in units)
        self.watch(progress)
        # Pools of rules are large and wait for nobody: one at a time, beside the runs that wait for models.
        waiting, alone = asyncio.Semaphore(self.concurrency), asyncio.Lock()

        async def one(unit: Unit) -> None:
            async with waiting if models_of(unit.cell.spec) else alone:
                await self._unit(unit, progress)

        try:
            async with asyncio.TaskGroup() as group:
                for unit in units:
                    group.create_task(one(unit))
        except BaseExceptionGroup as failures:
            raise _first(failures) from None
        return progress

    async def _unit(self, unit: Unit, progress: Progress) -> None:
        progress.cell = unit.cell.name
        started = time.monotonic()
        try:
            with TraceWriter(self.folder, unit.name(self.seed)) as sink:
                account = await self._grown(unit, sink, progress)
                rows = self._rows(unit, account, time.monotonic() - started)
                sink.commit(rows)
        except RunFailed as failure:
            await self._failed(unit, failure, progress)
            return
        progress.done += len(unit.replicates)
        self.watch(progress)

    async def _grown(self, unit: Unit, sink: TraceWriter, progress: Progress) -> Account:
        """Drive the engine to its end, with whoever answers."""
        spec = unit.cell.spec
        try:
            society = Society(spec, {name: self.models[name] for name in models_of(spec)})
            growth = grow(spec, self._runs(unit), sink, level=self.level)
            questions = next(growth)
            while True:
                answers = (
                    society.answer_now(questions)
                    if society.immediate
                    else await society.answer(questions)
                )
                self._tell(progress, questions)
                if society.immediate:
                    await self._breathe()
                questions = growth.send(answers)
        except StopIteration as end:
            account: Account = end.value
            return account
        except Unanswered as miss:
            raise miss.told(f"the cell {unit.cell.name!r}") from None
        except (RunFailed, ModelUnreachable, StoreError, TraceError):
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

    def _tell(self, progress: Progress, questions: Questions) -> None:
        progress.questions += len(questions)
        progress.shown += questions.items.size
        self.watch(progress)

    def _runs(self, unit: Unit) -> Runs:
        ids = [run_id(unit.cell.spec, self.seed, r) for r in unit.replicates]
        return Runs(self.seed, np.array(unit.replicates), np.array(ids))

    async def _failed(self, unit: Unit, failure: RunFailed, progress: Progress) -> None:
        """A run alone becomes a row; of a pool, each run is grown by itself, so that one fails alone."""
        if len(unit.replicates) > 1:
            for replicate in unit.replicates:
                await self._unit(Unit(unit.cell, (replicate,)), progress)
            return
        rows = self._rows(unit, None, 0.0)
        rows |= {"status": int(RunStatus.failed), "stage": failure.stage, "reason": failure.reason}
        with TraceWriter(self.folder, unit.name(self.seed)) as sink:
            sink.commit(rows)
        progress.failed += 1
        self.watch(progress)

    def _rows(self, unit: Unit, account: Account | None, seconds: float) -> dict[str, Any]:
        runs, cell = self._runs(unit), unit.cell
        names = models_of(cell.spec)
        rows: dict[str, Any] = {
            "run": runs.ids,
            "study": self.study,
            "cell": cell.id,
            "name": cell.name,
            "levels": msgspec.json.encode(dict(cell.levels)).decode(),
            "replicate": runs.replicates,
            "seed": self.seed,
            "spec": cell.spec.hash,
            "model": ", ".join(self.models[name].fingerprint for name in names),
            "seconds": seconds / len(unit.replicates),
        }
        if account is not None:
            rows |= {
                "decisions": account.questions,
                "questions": account.questions if names else 0,
                "unparseable": account.status[:, Status.unparseable],
                "refused": account.status[:, Status.refused],
                "timeouts": account.status[:, Status.timeout],
                "tokens": account.tokens,
            }
        return rows


def questions_of(cell: Cell) -> int:
    """Questions that one run of a cell comes to (on average, where turns are asynchronous)."""
    spec = cell.spec
    shown = spec.world.items if spec.visibility.top is None else spec.visibility.top
    each = shown if spec.affordances.presentation == "one at a time" else 1
    rates = getattr(spec.turns, "rates", (1.0,))
    rate = sum(rates) / len(rates)
    extra = 1 if spec.turns.endogenous else 0
    return round(spec.population.count * spec.turns.steps * (each + extra) * rate)


def _shown_in(cell: Cell) -> int:
    """Options shown in one run of a cell."""
    spec = cell.spec
    shown = spec.world.items if spec.visibility.top is None else spec.visibility.top
    singly = spec.affordances.presentation == "one at a time"
    return questions_of(cell) * (1 if singly else shown)


def _pools(cell: Cell, replicates: list[int]) -> Iterable[Unit]:
    size = max(1, POOL_ROWS // cell.spec.population.count)
    for start in range(0, len(replicates), size):
        yield Unit(cell, tuple(replicates[start : start + size]))


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first, out of its group."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
