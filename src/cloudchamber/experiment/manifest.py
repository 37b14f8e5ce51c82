"""What an output folder is a folder of: the study, how it was called, and what every cell means.

It is written before anything is grown, so that a folder can be continued, reported and told from a
foreign one at any time. What its calls came to is noted in it, too: what was sent and billed, where the
answers are, why the last one ended.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from math import isnan, nan
from pathlib import Path
from typing import Any

import msgspec

from cloudchamber.errors import TraceError
from cloudchamber.experiment.design import Design
from cloudchamber.experiment.holding import held, lock_of
from cloudchamber.experiment.limits import Spending
from cloudchamber.trace.layout import check_mark

__all__ = ["TRACE", "Manifest", "placed"]

NAME = "study.json"
TRACE = "trace"
"""The folder of the trace, within a study's."""
FRESH = f".{NAME}."
"""Beginning of a manifest's name until it is whole."""
MOST_SHOWN = 40
"""Characters of a value in a message."""
FORMAT = "cloudchamber study 1"
_KEPT = ("servers", "spent", "store", "store_mode", "refresh")
"""What earlier calls came to."""


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
    spent: Mapping[str, float | None] = field(default_factory=dict)
    """Questions, tokens (and those of them that nobody told) and cost of all that was sent, over all calls
    but those that were killed; the cost is None if unknown."""
    store: str = ""
    """Where the answers of the last call that asked a model are; empty for the folder's own store."""
    store_mode: str = "read-write"
    """How that call used it."""
    refresh: str = ""
    """The name of the refresh that the folder is grown in; empty if it is in none."""
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
    def begun(cls, folder: Path, store: str, mode: str) -> str:
        """Write down where answers are taken from and kept; the name of the refresh, if it is one.

        A folder is refreshed once: a later call goes on with the refresh.
        """
        with held(folder / TRACE):
            there = cls.read(folder)
            refresh = there.refresh
            if mode == "refresh" and not refresh:
                refresh = f"{time.time_ns():x}"
            replace(there, store=store, store_mode=mode, refresh=refresh).write(folder)
        return refresh

    @classmethod
    def note(
        cls,
        folder: Path,
        stopped: str | None,
        servers: Mapping[str, str],
        spent: Spending | None = None,
    ) -> None:
        """Write down why a call ended before everything was grown, what servers can do, what was spent.

        Of a call that grew nothing for the folder, `stopped` is None: what it says of that stays.
        """
        if not (stopped or servers or (spent and spent.questions)):
            return
        with held(folder / TRACE):
            there = cls.read(folder)
            whole = there.billed()
            whole.add(spent or Spending())
            told = asdict(whole) | {"cost": None if isnan(whole.cost) else whole.cost}
            why = there.stopped if stopped is None else stopped
            replace(there, stopped=why, servers={**there.servers, **servers}, spent=told).write(
                folder
            )

    def answers(self, folder: Path) -> Path:
        """The store of the last call that asked a model."""
        return Path(self.store) if self.store else folder / "answers.sqlite"

    def billed(self) -> Spending:
        """What was sent and billed in all calls."""
        told = {name: nan if value is None else value for name, value in self.spent.items()}
        return Spending(**told)  # type: ignore[arg-type]  # numbers, as they were written

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
            known = {}
            if there is not None:
                known = {name: getattr(there, name) for name in _KEPT}
            replace(self, cells=(*self.cells, *gone), **known).write(folder)

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
            p.name != lock_of(folder / TRACE).name and not p.name.startswith(FRESH)
            for p in folder.iterdir()
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
