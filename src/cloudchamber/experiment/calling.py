"""One call: opens the models that are still to be asked, grows what is missing, and notes what it came to."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from cloudchamber.agents.society import models_of
from cloudchamber.errors import ModelError, TraceError
from cloudchamber.experiment.design import Design
from cloudchamber.experiment.driver import Driver
from cloudchamber.experiment.interrupting import run, until_interrupted
from cloudchamber.experiment.manifest import Manifest, placed
from cloudchamber.experiment.metering import Metered, affordable
from cloudchamber.experiment.prices import price_of
from cloudchamber.models import Mode, Model, abilities, check_mode, open_model

__all__ = ["ANSWERS", "call", "looked_into"]

ANSWERS = "answers.sqlite"
"""A folder's own store."""


def call(
    driver: Driver,
    design: Design,
    replicates: int,
    *,
    answers: Path | None = None,
    mode: Mode = "read-write",
    processes: int | None = None,
) -> None:
    """Grow what is missing into a study's folder, whose manifest stands.

    Args:
        driver: of the folder's trace.
        design: what is asked for.
        replicates: of each cell.
        answers: the store; the folder's own if None.
        mode: how it is used.
        processes: workers of an embedded model.

    Raises:
        SpecificationError: a cap on the cost of a model whose price is not known.
        ModelError: a model cannot be had, or nothing answers any more.
    """
    folder, budget, prices = driver.folder.parent, driver.budget, driver.prices
    # Models are opened only where there is something left to ask them.
    named = {n for unit in driver.missing(design, replicates) for n in models_of(unit.cell.spec)}
    own = sorted(named - driver.models.keys())
    affordable(budget.limits, named, prices)

    def metered(model: Model, name: str) -> Model:
        return Metered(model, budget, price_of(name, prices))

    for name in named & driver.models.keys():
        driver.models[name] = metered(driver.models[name], name)
    # Where it is not the folder's own, a replay or an archive has to know.
    kept = "" if answers is None or mode == "off" else str(answers.resolve())
    refresh = Manifest.begun(folder, kept, mode) if own else ""

    async def grow() -> None:
        try:
            for name in own:
                driver.models[name] = open_model(
                    name,
                    store=answers or folder / ANSWERS,
                    mode=mode,
                    refresh=refresh,
                    processes=processes,
                    beneath=partial(metered, name=name),
                )
            await until_interrupted(driver, driver.grow_async(design, replicates))
        finally:
            for name in own:
                if name in driver.models:
                    await driver.models[name].close()

    stopped = ""
    try:
        run(grow)
    except KeyboardInterrupt:
        stopped = "interrupted"
        raise
    except ModelError as error:
        stopped = str(error)
        raise
    finally:
        Manifest.note(folder, stopped or budget.stopped, abilities(driver.models), budget.spent)


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
