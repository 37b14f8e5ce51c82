"""Archives of a study: made, and replayed elsewhere.

An archive is made by replaying the study from what is to be in it, so it holds the replies that were used,
no others, and is known to lead to the same trace.
"""

import asyncio
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cloudchamber.agents.society import models_of
from cloudchamber.cli import finding
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

KINDS = {".csv", ".json", ".md", ".py", ".toml", ".tsv", ".txt", ".yaml", ".yml"}
"""Of files in a study's folder that belong to it."""
LEFT_OUT = {"__pycache__", "out"}

README = """# {study}

An archive, written by cloudchamber {version}: a study, what it was given, what language models answered it.
Replayed, it asks no model, needs no key and costs nothing, and comes to the same trace:

    cloudchamber replay FILE.zip --trust

That runs the study's own program, {file}, with your rights. Read it first, if you do not know who wrote it.
Unpacked, the same is, in this folder:

    {command}

The canonical digest of the trace must be {digest}.
"""


def export(folder: Path, file: Path, store: Path | None = None) -> tuple[Archive, list[str]]:
    """Make an archive of what a folder holds; what it is, and the names of its files.

    Args:
        folder: what `cloudchamber run` wrote.
        file: the archive.
        store: what the study was grown with, if not the folder's own.

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
        options = _collected(given, stage)
        study = build(_below(options, stage))
        answers = store or folder / ANSWERS
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
        (stage / "README.md").write_text(_read_me(about), encoding="utf-8")
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
    options = _below(about.options, out)
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


def _collected(options: Options, stage: Path) -> Options:
    """Copy what a study is built from into a folder; the options with their paths below it."""
    file = finding.find(options["study"])
    name = re.sub(r"[^\w-]+", "-", file.parent.name if file.name == "study.py" else file.stem)
    home = stage / "studies" / (name.strip("-") or "study")
    home.mkdir(parents=True)
    for source, path in _belonging(file):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, home / path)
    inside = options | {"study": (home / "study.py").relative_to(stage).as_posix()}
    for option in ("items", "field"):
        if options.get(option):
            source = Path(options[option])
            stem = re.sub(r"[^\w-]+", "-", source.stem).strip("-") or option
            target = stage / "given" / option / f"{stem}{source.suffix}"
            target.parent.mkdir(parents=True)
            try:
                shutil.copyfile(source, target)
            except OSError as error:
                raise ArchiveError(f"cannot read {source}: {error.strerror}.") from None
            inside[option] = target.relative_to(stage).as_posix()
    return inside


def _belonging(file: Path) -> Iterator[tuple[Path, Path]]:
    """A study's files and where they stand in its folder; of one in no folder of its own, it alone."""
    yield file, Path("study.py")
    if file.name != "study.py":
        return
    for path in sorted(file.parent.rglob("*")):
        within = path.relative_to(file.parent)
        hidden = any(part.startswith(".") or part in LEFT_OUT for part in within.parts)
        linked = any(
            one.is_symlink() for one in (path, *path.parents) if one.is_relative_to(file.parent)
        )
        if path != file and path.suffix in KINDS and path.is_file() and not hidden and not linked:
            yield path, within


def _below(options: Any, folder: Path) -> Options:
    """Options whose paths are below a folder, as the command line would give them."""
    whole = dict(options)
    for option in ("study", "items", "field"):
        if whole.get(option):
            path = (folder / str(whole[option])).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise ArchiveError(
                    f"its {option} is {whole[option]!r}, which is not in the archive."
                )
            whole[option] = str(path)
    return whole


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


def _read_me(about: Archive) -> str:
    options = about.options
    parts = [
        "cloudchamber",
        "run",
        options["study"],
        *(["--quick"] if options.get("quick") else []),
    ]
    for name in ("agents", "model", "items", "field"):
        parts += [f"--{name}", options[name]] if options.get(name) else []
    for change in options.get("set", ()):
        parts += ["--set", change]
    parts += ["--seed", str(about.seed), "--replicates", str(about.replicates)]
    parts += ["--level", about.level, "--store", ANSWERS, "--store-mode", "replay", "--out", "out"]
    return README.format(
        study=about.study,
        version=about.version,
        file=options["study"],
        command=shlex.join(parts),
        digest=about.digest,
    )


def _differs(folder: Path) -> str:
    return (
        f"{folder} cannot be exported: replayed, the study comes to another trace. It, or what it was given, "
        "or its store has changed since, or it does not depend on its seed alone."
    )
