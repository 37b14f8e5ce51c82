"""One call: opens the models that are still to be asked, grows what is missing, and notes what it came to."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from cloudchamber.agents.society import models_of
from cloudchamber.errors import ModelError, SpecificationError, TraceError
from cloudchamber.experiment.design import Design, Replicates
from cloudchamber.experiment.driver import Driver
from cloudchamber.experiment.interrupting import run, until_interrupted
from cloudchamber.experiment.limits import Budget, Limits
from cloudchamber.experiment.manifest import TRACE, Manifest, placed
from cloudchamber.experiment.metering import Metered, affordable
from cloudchamber.experiment.prices import Prices, price_of
from cloudchamber.experiment.progress import Watch
from cloudchamber.models import Mode, Model, abilities, check_mode, check_name, open_model
from cloudchamber.trace import Level

__all__ = ["ANSWERS", "MOST_REPLICATES", "Means", "Opened", "Round", "looked_into"]

Round = tuple[Design, Replicates]
MOST_REPLICATES = 1_000_000
"""Of each cell; what is missing is looked up run by run."""

ANSWERS = "answers.sqlite"
"""A folder's own store."""


@dataclass(frozen=True)
class Means:
    """With what a call grows, and how far it may go: nothing here changes what a run comes to."""

    level: Level = field(default_factory=Level)
    """How much of the trace is kept."""
    concurrency: int | None = None
    """Runs open at a time where models are asked, at most; as many as keep the models busy, if None."""
    processes: int | None = None
    """Workers of an embedded model; the machine's cores if None."""
    models: Mapping[str, Model] | None = None
    """Models already open, by the names that specifications use; what they answer is not stored."""
    store: str | Path | None = None
    """SQLite file of what language models answered; answers.sqlite in the folder if None."""
    store_mode: Mode = "read-write"
    limits: Limits | None = None
    """Caps on what the call may spend."""
    prices: Prices | None = None
    """Of models, where the table that ships does not know them."""
    watch: Watch | None = None
    """Called with the progress."""
    timeout: float = 120.0
    """Seconds that one attempt at a server may take."""

    def __post_init__(self) -> None:
        """Refuse an unknown mode, and models for a replay."""
        check_mode(self.store_mode)
        if not 0 < self.timeout < inf:
            raise SpecificationError(
                f"timeout: {self.timeout} was given; allowed: seconds, above 0."
            )
        if self.store_mode == "replay" and self.models:
            raise SpecificationError("models: some were given, but a replay asks no model.")

    def grow(
        self,
        study: str,
        folder: Path,
        rounds: Iterable[Round],
        *,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> str:
        """Grow what is missing of one design after another; each is asked for when the last is grown.

        Args:
            study: its name.
            folder: where everything goes.
            rounds: designs, with the replicates of their cells. What asks for them may look at what is
                in the folder by then.
            seed: of every draw.
            options: how the study was built, kept in the folder.

        Returns:
            Why it stopped before everything was grown; empty if it did not.

        Raises:
            SpecificationError: a seed or a number of replicates out of range; a cap on the cost of a model
                whose price is not known.
            TraceError: the folder is of something else, or cannot be written.
            ModelError: a model cannot be had, or nothing answers any more.
            StoreError: the store cannot be used, or a replay misses an answer.
        """
        _within("seed", seed, 0, 2**63 - 1)
        driver = Driver(
            folder / TRACE,
            seed=seed,
            level=self.level,
            models=self.models,
            concurrency=self.concurrency,
            study=study,
            watch=self.watch,
            budget=Budget(self.limits),
            prices=self.prices,
        )
        opened = Opened(self, driver.models, driver.budget, lambda: self._begun(folder))
        stopped, claimed = "", False

        async def grow() -> None:
            nonlocal claimed
            try:
                for design, replicates in rounds:
                    most = _most(replicates)
                    _within("replicates", most, 1, MOST_REPLICATES)
                    for name in sorted({n for cell in design.cells for n in models_of(cell.spec)}):
                        check_name(name)
                    there = Manifest.of(study, options or {}, seed, self.level.name, most, design)
                    there.claim(folder)
                    claimed = True
                    lacking = driver.missing(design, replicates)
                    opened.open({name for unit in lacking for name in models_of(unit.cell.spec)})
                    growing = driver.grow_async(design, replicates)
                    await until_interrupted(driver.budget, growing, driver.remind)
                    if driver.budget.stopped:
                        break
            finally:
                await opened.close()

        try:
            run(grow)
        except KeyboardInterrupt:
            stopped = "interrupted"
            raise
        except ModelError as error:
            stopped = str(error)
            raise
        finally:
            if claimed:
                budget = driver.budget
                able = abilities(driver.models)
                Manifest.note(folder, stopped or budget.stopped, able, budget.spent)
        return driver.budget.stopped

    def _begun(self, folder: Path) -> tuple[Path, str]:
        """Where a folder's answers are from now on, and the name of the refresh, if it is one."""
        store = None if self.store is None else placed(self.store)
        # Where it is not the folder's own, a replay or an archive has to know.
        kept = "" if store is None or self.store_mode == "off" else str(store.resolve())
        return store or folder / ANSWERS, Manifest.begun(folder, kept, self.store_mode)


class Opened:
    """The models of a call: opened where there is something left to ask them, and counted.

    Args:
        means: how they are opened.
        models: those that are open already, by name; the others come beside them.
        budget: what they spend from.
        begin: tells the store and the name of the refresh, when the first is opened.
    """

    def __init__(
        self,
        means: Means,
        models: dict[str, Model],
        budget: Budget,
        begin: Callable[[], tuple[Path, str]],
    ) -> None:
        self.means, self.models, self.budget = means, models, budget
        self._begin = begin
        self._store: tuple[Path, str] | None = None
        self._own: list[str] = []
        self._given = set(models)

    def open(self, named: Collection[str]) -> None:
        """Open what is not open yet.

        Raises:
            SpecificationError: a cap on the cost of a model whose price is not known.
            ModelError: a model cannot be had.
        """
        affordable(self.budget.limits, named, self.means.prices)
        for name in sorted(self._given & set(named)):
            self.models[name] = self._metered(self.models[name], name)
            self._given.remove(name)
        for name in sorted(set(named) - self.models.keys()):
            self.models[name] = self._open(name)
            self._own.append(name)

    def _open(self, name: str) -> Model:
        if self._store is None:
            self._store = self._begin()
        store, refresh = self._store
        return open_model(
            name,
            store=store,
            mode=self.means.store_mode,
            refresh=refresh,
            processes=self.means.processes,
            timeout=self.means.timeout,
            beneath=partial(self._metered, name=name),
        )

    def _metered(self, model: Model, name: str) -> Model:
        return Metered(model, self.budget, price_of(name, self.means.prices))

    async def close(self) -> None:
        """Close what was opened here."""
        for name in self._own:
            await self.models[name].close()


def _within(name: str, given: int, least: int, most: int) -> None:
    if not least <= given <= most:
        raise SpecificationError(f"{name}: {given} was given; allowed: {least} to {most}.")


def _most(replicates: Replicates) -> int:
    """As many as a cell has, counted from the first."""
    if isinstance(replicates, int):
        return replicates
    return max((max(some) + 1 for some in replicates.values() if some), default=1)


def looked_into(
    folder: Path | None, store: str | Path | None, mode: Mode
) -> tuple[Path | None, Mapping[str, str]]:
    """The store that a call would read from, and what the folder says of its servers."""
    check_mode(mode)
    own = folder / ANSWERS if folder is not None else None
    there = placed(store) if store is not None else own
    if mode in ("refresh", "off") or (mode != "replay" and there and not there.exists()):
        there = None
    if folder is None or not folder.is_dir():
        return there, {}
    with suppress(TraceError):
        return there, Manifest.read(folder).servers
    return there, {}
