"""What goes into an archive: a study's own files and what it was given, by paths below its top."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloudchamber.cli import finding
from cloudchamber.cli.options import Options
from cloudchamber.errors import ArchiveError
from cloudchamber.experiment.archive import ANSWERS, Archive

__all__ = ["below", "collected", "read_me"]

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


def collected(options: Options, stage: Path) -> Options:
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


def below(options: Any, folder: Path) -> Options:
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


def read_me(about: Archive) -> str:
    """What an archive tells whoever opens it: how to replay it, and what that runs."""
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
