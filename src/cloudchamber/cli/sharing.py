"""Archives of a study: made, and replayed elsewhere.

An archive is made by replaying the study from what is to be in it, so it holds the replies that were used,
no others, and is known to lead to the same trace.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cloudchamber.agents.society import models_of
from cloudchamber.cli.enclosing import below, collected, read_me
from cloudchamber.cli.options import Options, build
from cloudchamber.errors import ArchiveError
from cloudchamber.experiment import Manifest, Results
from cloudchamber.experiment.archive import ANSWERS, Archive, pack, secrets_in, unpack
from cloudchamber.models import Model
from cloudchamber.models.store import ReplayedModel
from cloudchamber.models.store_file import StoreFile
from cloudchamber.trace import Level

if TYPE_CHECKING:
    from cloudchamber.study import Study

__all__ = ["export", "replay"]


def export(folder: Path, file: Path, store: Path | None = None) -> tuple[Archive, list[str]]:
    """Make an archive of what a folder holds; what it is, and the names of its files.

    Args:
        folder: what `cloudchamber run` wrote.
        file: the archive.
        store: what the study was grown with, if not what the folder says.

    Raises:
        ArchiveError: the study is not finished, was not written by the command line, does not replay to
            its trace, or a key is in it.
    """
    there = Manifest.read(folder)
    given = dict(there.options)
    if not isinstance(given.get("study"), str):
        raise ArchiveError(
            f"{folder} was not written by 'cloudchamber run'; only what it wrote can be."
        )
    if file.exists():
        raise ArchiveError(f"{file} exists already; give another name, or remove it.")
    digest = _finished(build(given).results(folder), folder)
    with TemporaryDirectory(prefix="cloudchamber-") as temporary:
        stage = Path(temporary) / "archive"
        options = collected(given, stage)
        study = build(below(options, stage))
        answers = store or (Path(there.store) if there.store else folder / ANSWERS)
        with _replayed(study, answers, stage / ANSWERS) as models:
            results = study.run(
                Path(temporary) / "out",
                seed=there.seed,
                replicates=there.replicates,
                level=Level(there.level),  # type: ignore[arg-type]  # a manifest's word
                models=models,
            )
        if results.trace.digest() != digest:
            raise ArchiveError(_differs(folder))
        about = Archive(
            study.name,
            options,
            there.seed,
            there.level,
            there.replicates,
            digest,
            _sealed(stage / ANSWERS),
            there.version,
        )
        about.write(stage)
        (stage / "README.md").write_text(read_me(about), encoding="utf-8")
        _refuse_secrets(stage)
        pack(stage, file)
        names = sorted(p.relative_to(stage).as_posix() for p in stage.rglob("*") if p.is_file())
    return about, names


def replay(
    file: Path, out: Path, watch: Callable[[Any], None]
) -> tuple[Archive, "Study", Results, Options]:
    """Unpack an archive into a folder and grow its study there, below `out`, from its answers alone.

    Its program is run: whoever calls this trusts it.

    Raises:
        ArchiveError: it is none, is damaged, or leads to another trace.
        NotStored: an answer is missing.
    """
    from cloudchamber import __version__

    about = unpack(file, out)
    options = below(about.options, out)
    study = build(options)
    results = study.run(
        out / "out",
        seed=about.seed,
        replicates=about.replicates,
        level=Level(about.level),  # type: ignore[arg-type]  # refused there if it is none
        store=out / ANSWERS,
        store_mode="replay",
        options=options,
        watch=watch,
    )
    digest = results.trace.digest()
    if digest != about.digest:
        raise ArchiveError(
            f"{file} leads to another trace here ({digest[:12]}, not {about.digest[:12]}): it was written by "
            f"cloudchamber {about.version}, and this is {__version__}; what was grown is in {out / 'out'}."
        )
    return about, study, results, options


def _finished(results: Results, folder: Path) -> str:
    """The digest of a finished study's trace."""
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
def _replayed(study: "Study", answers: Path, into: Path) -> Iterator[dict[str, Model]]:
    """The models that a study names, as a store knows them; what they answer is copied."""
    names = sorted({name for cell in study.design() for name in models_of(cell.spec)})
    models: dict[str, Model] = {}
    try:
        for name in names:
            models[name] = ReplayedModel(name, answers, into=into)
        yield models
    finally:
        for model in models.values():
            asyncio.run(model.close())


def _sealed(path: Path) -> int:
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


def _differs(folder: Path) -> str:
    return (
        f"{folder} cannot be exported: replayed, the study comes to another trace. It, or what it was given, "
        "or its store has changed since, or it does not depend on its seed alone."
    )
