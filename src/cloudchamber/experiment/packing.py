"""What makes an archive, of whatever kind: what is to be in it is replayed, looked through, and packed.

So it holds the replies that were used, no others, and is known to lead to the same trace.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudchamber.agents.society import models_of
from cloudchamber.errors import ArchiveError
from cloudchamber.experiment.archive import ANSWERS, Archive, pack, secrets_in
from cloudchamber.experiment.design import Design
from cloudchamber.experiment.results import Results
from cloudchamber.models import Model
from cloudchamber.models.store.file import StoreFile
from cloudchamber.models.store.stored import ReplayedModel

__all__ = ["differs", "finished", "led", "refuse_taken", "replayed", "sealed", "whole"]


def refuse_taken(file: Path) -> None:
    """Refuse to write over a file.

    Raises:
        ArchiveError: it is there.
    """
    if file.exists():
        raise ArchiveError(f"{file} exists already; give another name, or remove it.")


def finished(results: Results, folder: Path) -> str:
    """The digest of a finished study's trace.

    Raises:
        ArchiveError: runs are missing, or there are more than the study asks for; says what to do.
    """
    asked = results.runs.drop_duplicates("run")
    missing = int((asked["status"] == "missing").sum())
    if missing:
        raise ArchiveError(
            f"{folder} is not finished: {missing} of {len(asked)} runs are missing; run the study again, "
            "which goes on, and then export it."
        )
    more = len(results.trace) - len(asked)
    if more:
        raise ArchiveError(
            f"{folder} holds {more} runs that the study does not ask for as it is now; grow it into a "
            f"folder of its own, which asks nothing anew: --store {folder / ANSWERS} --out OTHER."
        )
    return results.trace.digest()


@contextmanager
def replayed(design: Design, answers: Path, into: Path | None) -> Iterator[dict[str, Model]]:
    """The models that a design names, as a store knows them; what they answer is copied."""
    names = sorted({name for cell in design for name in models_of(cell.spec)})
    models: dict[str, Model] = {}
    try:
        for name in names:
            models[name] = ReplayedModel(name, answers, into=into)
        yield models
    finally:
        for model in models.values():
            asyncio.run(model.close())


def sealed(path: Path) -> int:
    """Make a copied store one plain file; the number of its replies."""
    if not path.exists():
        return 0
    store = StoreFile(path)
    count = store.seal()
    store.close()
    return count


def _refuse_secrets(stage: Path) -> None:
    parts = {
        path.relative_to(stage).as_posix(): path.read_bytes()
        for path in stage.rglob("*")
        if path.is_file() and path.name != ANSWERS
    }
    if (stage / ANSWERS).exists():
        # SQLite spreads a long reply over pages, so each is looked at by itself.
        store = StoreFile(stage / ANSWERS, write=False)
        parts[ANSWERS] = b"\n".join(store.packed())
        store.close()
    for name, variable in secrets_in(parts, os.environ):
        raise ArchiveError(
            f"{name} holds the value of {variable}, which looks like a key; nothing was written. Take it out "
            "of there, or unset the variable if it is none."
        )


def whole(about: Archive, told: str, stage: Path, file: Path) -> list[str]:
    """Pack what is staged; the names of the files in it.

    Raises:
        ArchiveError: the value of a variable that is named like a key is in it, or it cannot be written.
    """
    about.write(stage)
    (stage / "README.md").write_text(told, encoding="utf-8")
    _refuse_secrets(stage)
    pack(stage, file)
    return sorted(p.relative_to(stage).as_posix() for p in stage.rglob("*") if p.is_file())


def led(about: Archive, results: Results, file: Path) -> None:
    """Make sure that a replay came to the trace that was exported.

    Raises:
        ArchiveError: it did not.
    """
    from cloudchamber import __version__

    digest = results.trace.digest()
    if digest != about.digest:
        raise ArchiveError(
            f"{file} leads to another trace here ({digest[:12]}, not {about.digest[:12]}): it was written by "
            f"cloudchamber {about.version}, and this is {__version__}; what was grown is in "
            f"{results.folder.parent}."
        )


def differs(folder: Path) -> str:
    """Why a folder cannot be exported whose replay comes to another trace."""
    return (
        f"{folder} cannot be exported: replayed, the study comes to another trace. It, or what it was given, "
        "or its store has changed since, or it does not depend on its seed alone."
    )
