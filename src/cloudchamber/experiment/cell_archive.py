"""An archive of cells: of what was grown by a program of one's own, without that program.

Each cell is its specification and each answer is data, so replaying it runs nothing of a stranger's.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from cloudchamber.errors import ArchiveError, SpecificationError
from cloudchamber.experiment.archive import ANSWERS, CELLS, Archive
from cloudchamber.experiment.design import Cell, Design
from cloudchamber.experiment.driver import Driver
from cloudchamber.experiment.manifest import Manifest
from cloudchamber.experiment.packing import (
    differs,
    finished,
    led,
    refuse_taken,
    replayed,
    sealed,
    whole,
)
from cloudchamber.experiment.progress import Watch
from cloudchamber.experiment.results import Results
from cloudchamber.microspec import Microspec
from cloudchamber.models import Model
from cloudchamber.trace import Level

__all__ = ["export_cells", "replay_cells"]

README = """# {study}

An archive, written by cloudchamber {version}: each cell's specification, and what language models answered.
Replayed, it asks no model, needs no key, runs no program that is in it, and comes to the same trace:

    cloudchamber replay FILE.zip

The canonical digest of the trace must be {digest}.
"""


def export_cells(folder: Path, file: Path, store: Path | None = None) -> tuple[Archive, list[str]]:
    """Make an archive of the cells that a folder holds; what it is, and the names of its files.

    Args:
        folder: what a study was grown into.
        file: the archive.
        store: what it was grown with, if not what the folder says.

    Raises:
        ArchiveError: it is not finished, does not replay to its trace, or a key is in it; or a cell has a
            part that is not cloudchamber's own, which nobody else could grow.
        StoreError: its answers are not there.
    """
    there = Manifest.read(folder)
    refuse_taken(file)
    design = _design(there.cells, folder)
    results = Results(design, there.replicates, there.seed, folder / "trace")
    digest = finished(results, folder)
    with TemporaryDirectory(prefix="cloudchamber-") as temporary:
        stage = Path(temporary) / "archive"
        stage.mkdir()
        (stage / CELLS).write_bytes(msgspec.json.format(msgspec.json.encode(there.cells), indent=2))
        again = Path(temporary) / "out" / "trace"
        with replayed(design, store or there.answers(folder), stage / ANSWERS) as models:
            grown = _grown(again, design, there, models)
        if grown.trace.digest() != digest:
            raise ArchiveError(differs(folder))
        about = Archive.of(there, {"cells": CELLS}, digest, sealed(stage / ANSWERS))
        told = README.format(study=about.study, version=about.version, digest=digest)
        return about, whole(about, told, stage, file)


def replay_cells(about: Archive, file: Path, folder: Path, watch: Watch | None = None) -> Results:
    """Grow the cells of an archive that was unpacked into a folder, from its answers alone.

    Raises:
        ArchiveError: it is damaged, or leads to another trace.
        NotStored: an answer is missing.
    """
    try:
        cells = msgspec.json.decode((folder / CELLS).read_bytes(), type=list[dict[str, Any]])
        design = _design(cells, file)
    except (OSError, KeyError, TypeError, msgspec.MsgspecError) as error:
        raise ArchiveError(
            f"{file} is damaged ({type(error).__name__} in {CELLS}); have it exported again."
        ) from None
    with replayed(design, folder / ANSWERS, None) as models:
        results = _grown(folder / "out" / "trace", design, about, models, watch)
    led(about, results, file)
    return results


def _grown(
    trace: Path,
    design: Design,
    about: Archive | Manifest,
    models: Mapping[str, Model],
    watch: Watch | None = None,
) -> Results:
    level = Level(about.level)  # type: ignore[arg-type]  # refused there if it is none
    driver = Driver(
        trace, seed=about.seed, level=level, models=models, study=about.study, watch=watch
    )
    driver.grow(design, about.replicates)
    return Results(design, about.replicates, about.seed, trace)


def _design(cells: Any, source: Path) -> Design:
    """Cells as they were written down.

    Raises:
        ArchiveError: one has a part that is not cloudchamber's own.
    """
    _register()
    built = []
    for cell in cells:
        try:
            spec = Microspec.from_json(msgspec.json.encode(cell["spec"]))
        except SpecificationError as error:
            raise ArchiveError(f"{source}: the cell {cell['name']!r}: {error} {_PROGRAM}") from None
        own = sorted({kind for kind in _kinds(spec) if not kind.startswith("cloudchamber.")})
        if own:
            raise ArchiveError(f"{source}: the cell {cell['name']!r} has a {own[0]}. {_PROGRAM}")
        built.append(Cell(cell["name"], spec, dict(cell["levels"])))
    return Design(tuple(built))


_PROGRAM = (
    "What only your program knows goes into an archive with the program: write it as a study's file "
    "(cloudchamber new), and grow it by 'cloudchamber run'."
)


def _register() -> None:
    """Make the kinds that ship known before reading a specification."""
    import cloudchamber.agents
    import cloudchamber.worlds  # noqa: F401  # imported for the kinds they register


def _kinds(value: object) -> Iterator[str]:
    """Where the parts of a specification are defined."""
    if hasattr(type(value), "model_fields"):
        yield f"{type(value).__module__}.{type(value).__qualname__}"
        for name in type(value).model_fields:  # type: ignore[attr-defined]  # it has been looked for
            yield from _kinds(getattr(value, name))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _kinds(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _kinds(part)
