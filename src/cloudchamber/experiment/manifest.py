"""What an output folder is a folder of: the study, how it was called, and what every cell means.

It is written before anything is grown, so that a folder can be continued, reported and told from a
foreign one at any time. One process grows a folder at a time: two would clear away each other's
unfinished parts.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from cloudchamber.errors import TraceError
from cloudchamber.experiment.design import Design
from cloudchamber.trace.layout import check_mark

__all__ = ["TRACE", "Manifest", "held", "placed"]

NAME = "study.json"
TRACE = "trace"
"""The folder of the trace, within a study's."""
FRESH = f".{NAME}."
"""Beginning of a manifest's name until it is whole."""
LOCK = f".{TRACE}.lock"
MOST_SHOWN = 40
"""Characters of a value in a message."""
FORMAT = "cloudchamber study 1"


@dataclass(frozen=True)
class Manifest:
    """The identity of an output folder."""

    study: str
    """Name or path of the study."""
    options: Mapping[str, Any]
    """How the study was built: quick, agents, overrides."""
    seed: int
    level: str
    replicates: int
    cells: tuple[Mapping[str, Any], ...] = ()
    """Name, levels and specification of each cell."""
    version: str = ""
    stopped: str = ""
    """Why the last call ended before everything was grown; empty if it did not."""
    servers: Mapping[str, str] = field(default_factory=dict)
    """What each server that was asked can do, by the model's name, as it was found out."""
    format: str = field(default=FORMAT)

    def write(self, folder: Path) -> None:
        """Write it, at once or not at all.

        Raises:
            TraceError: the folder cannot be written.
        """
        body = msgspec.json.format(msgspec.json.encode(asdict(self), order="sorted"), indent=2)
        path = folder / NAME
        fresh = folder / f"{FRESH}{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(body)
            os.replace(fresh, path)
        except OSError as error:
            raise TraceError(
                f"cannot write {path}: {error.strerror}; give another folder with --out."
            ) from None

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read a folder's manifest.

        Raises:
            TraceError: there is none, or it is damaged.
        """
        path = folder / NAME
        if not folder.exists():
            raise TraceError(f"no such folder: {folder}.")
        try:
            given = msgspec.json.decode(path.read_bytes())
            if given["format"] != FORMAT:
                raise TraceError(f"{path} has the format {given['format']!r}; allowed: {FORMAT!r}.")
            return replace(cls(**given), cells=tuple(given["cells"]))
        except FileNotFoundError:
            raise TraceError(
                f"{folder} is not the output of a study (it holds no {NAME}); give a folder that "
                "'cloudchamber run' wrote."
            ) from None
        except OSError as error:
            raise TraceError(f"cannot read {path}: {error.strerror}.") from None
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise TraceError(
                f"{path} is damaged ({type(error).__name__}); remove it or give another folder."
            ) from None

    @classmethod
    def of(
        cls,
        study: str,
        options: Mapping[str, Any],
        seed: int,
        level: str,
        replicates: int,
        design: Design,
    ) -> "Manifest":
        """What a folder is to hold."""
        from cloudchamber import __version__

        cells = tuple(
            {
                "name": cell.name,
                "levels": dict(cell.levels),
                "spec": cell.spec.model_dump(mode="json"),
            }
            for cell in design
        )
        return cls(study, dict(options), seed, level, replicates, cells, __version__)

    @classmethod
    def note(cls, folder: Path, stopped: str, servers: Mapping[str, str]) -> None:
        """Write down why a call ended before everything was grown, and what servers were found to do."""
        if not stopped and not servers:
            return
        with held(folder / TRACE):
            there = cls.read(folder)
            replace(there, stopped=stopped, servers={**there.servers, **servers}).write(folder)

    def claim(self, folder: Path) -> None:
        """Make the folder this study's, or see that it already is; then write the manifest.

        A folder in which nothing is grown yet is anybody's. Else more cells and more replicates may come,
        and cells may go; but what a cell's name means stays. Cells that have gone are kept in the
        manifest, so that their names keep their meaning too.

        Raises:
            TraceError: the folder holds something else, the same study under another seed or level, or a
                cell of the same name with another specification; or another process grows it.
        """
        there = _there(folder)
        if there is not None:
            there._keep_apart(self, folder)
        with held(folder / TRACE):
            for left in folder.glob(f"{FRESH}*"):  # by one that was killed while writing it
                with suppress(OSError):
                    left.unlink()
            cells = {cell["name"]: cell for cell in self.cells}
            gone: tuple[Mapping[str, Any], ...] = ()
            if there is not None and _grown(folder):
                gone = tuple(cell for cell in there.cells if cell["name"] not in cells)
            servers = there.servers if there is not None else {}
            replace(self, cells=(*self.cells, *gone), servers=servers).write(folder)

    def _keep_apart(self, asked: "Manifest", folder: Path) -> None:
        if not _grown(folder):
            return
        for name in ("study", "seed", "level"):
            old, new = getattr(self, name), getattr(asked, name)
            if old != new:
                raise TraceError(
                    f"{folder} holds {name} {old!r}, and {new!r} was asked for; keep them apart: "
                    "give another folder with --out."
                )
        before = {cell["name"]: cell["spec"] for cell in self.cells}
        for cell in asked.cells:
            spec = msgspec.json.decode(msgspec.json.encode(cell["spec"]))  # as it was written, too
            changed = _changed(before.get(cell["name"], spec), spec)
            if changed:
                path, old, new = changed
                raise TraceError(
                    f"{folder} holds the cell {cell['name']!r} with {path} = {old}, and {new} was asked "
                    "for; keep them apart: give another folder with --out, or remove this one to begin "
                    "anew."
                )


def placed(folder: str | Path) -> Path:
    """A folder as a user names it: ~ is the home.

    Raises:
        TraceError: there is no such home.
    """
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise TraceError(f"{folder}: {error} Give the folder's whole path.") from None


def _there(folder: Path) -> Manifest | None:
    """The manifest of a folder that holds anything."""
    try:
        str(folder).encode()
        there = folder.exists()
        occupied = folder.is_dir() and any(
            p.name != LOCK and not p.name.startswith(FRESH) for p in folder.iterdir()
        )
    except (OSError, UnicodeEncodeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no name for a folder"
        raise TraceError(
            f"cannot use {str(folder)[:80]!r}: {why}; give another folder with --out."
        ) from None
    if there and not folder.is_dir():
        raise TraceError(f"{folder} is a file; give a folder with --out.")
    return Manifest.read(folder) if occupied else None


def _grown(folder: Path) -> bool:
    """Whether any run is there.

    Raises:
        TraceError: what stands in the trace's place is none.
    """
    trace = folder / TRACE
    return check_mark(trace) and any((trace / "runs").glob("*.parquet"))


def _changed(before: object, after: object) -> tuple[str, str, str] | None:
    """The field in which two specifications differ, and what it is in each; kinds before the rest."""
    old, new = dict(_fields(before)), dict(_fields(after))
    paths = [path for path in {**old, **new} if old.get(path) != new.get(path)]
    if not paths:
        return None
    first = min(paths, key=lambda path: (not path.endswith("kind"), path))
    was, asked = (_short(one[first]) if first in one else "absent" for one in (old, new))
    return first, was, asked


def _fields(node: object, path: str = "") -> Iterator[tuple[str, object]]:
    below: list[tuple[object, object]] = []
    if isinstance(node, Mapping):
        below = list(node.items())
    elif isinstance(node, list):
        below = list(enumerate(node))
    for key, part in below:
        yield from _fields(part, f"{path}.{key}" if path else str(key))
    if not below:
        yield path, node


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a trace folder for growing, by a lock beside it that ends with the process, however it ends.

    Where the file system knows no locks, nothing is held.

    Raises:
        TraceError: another process grows it, or nothing can be written there.
    """
    path = folder.with_name(f".{folder.name}.lock")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(path)
    except BlockingIOError:
        raise TraceError(
            f"another process is growing {folder}; wait for it to end, or give another folder with --out."
        ) from None
    except OSError as error:
        raise TraceError(
            f"cannot write {path}: {error.strerror}; give another folder with --out."
        ) from None
    try:
        yield
    finally:
        # First removed, then let go: who waits for it sees that its file is no longer the one there.
        with suppress(OSError):
            path.unlink()
        os.close(file)


def _locked(path: Path) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(file)
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        return
    import fcntl  # POSIX alone has it

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return
