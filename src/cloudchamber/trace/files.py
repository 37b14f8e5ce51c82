"""Writing a trace to disk: a sink that streams columns to Parquet parts, safe against a kill.

Each part is written under a temporary name and renamed when whole; the file of runs comes last and
makes the unit exist. Memory stays bounded: a table's rows are written out whenever a part is full.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from cloudchamber.errors import TraceError
from cloudchamber.trace.buffer import Buffer
from cloudchamber.trace.layout import (
    MARK,
    META,
    TEMPORARY,
    VERSION,
    check_mark,
    enum_types,
    part_path,
    quoted,
    runs_path,
    write_expression,
)
from cloudchamber.trace.memory import joined, settled
from cloudchamber.trace.tables import (
    TABLES,
    Columns,
    clean_text,
    conform,
    text_key,
)

if TYPE_CHECKING:
    import duckdb

__all__ = ["TraceWriter", "clean"]

PART_ROWS = 1_000_000
"""Rows of a part: about 70 MB of exposures in memory."""
_TEXT_CHARACTERS = 30_000_000
"""Texts wait in memory up to this length: some 10,000 prompts of 48 headlines."""

_LOCK = Lock()

T = TypeVar("T")


class TraceWriter:
    """A sink that writes one unit of a trace folder.

    Rows may come in any order and any chunks. Nothing of the unit exists for readers until `commit`.
    Writers of different units may write the same folder at once, from several processes.

    Example:
        ``with TraceWriter(folder, "unit-1") as sink: ...; sink.commit({"run": [1], ...})``

    Raises:
        TraceError: the folder is foreign or cannot be written, or the unit is complete already.
    """

    def __init__(self, folder: Path | str, unit: str, *, part_rows: int = PART_ROWS) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", unit):
            raise TraceError(f"unit {unit!r}: give letters, digits, '_' and '-' only")
        self.folder = Path(folder)
        self.unit = unit
        self._guarded(self._prepare)
        self._buffers = {name: Buffer(table, part_rows) for name, table in TABLES.items()}
        self._parts = {name: 0 for name in TABLES if name != "runs"}
        self._texts: dict[int, tuple[str, str]] = {}
        self._text_characters = 0
        self._written_texts: set[int] = set()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._committed = False

    def _prepare(self) -> None:
        if not check_mark(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            fresh = self.folder / f"{MARK}.{os.getpid()}{TEMPORARY}"
            fresh.write_text(json.dumps({"format": "cloudchamber trace", "version": VERSION}))
            os.replace(fresh, self.folder / MARK)
        for name in TABLES:
            (self.folder / name).mkdir(exist_ok=True)
        if runs_path(self.folder, self.unit).exists():
            raise TraceError(f"unit {self.unit!r} of {self.folder} is complete; give another name")
        self._remove_parts()

    def _remove_parts(self) -> None:
        """Remove what an earlier attempt at this unit left."""
        for table in TABLES:
            # Parts are written one after the other, so the first gap is the end.
            for number in range(1_000_000):
                path = part_path(self.folder, table, self.unit, number)
                path.with_name(path.name + TEMPORARY).unlink(missing_ok=True)
                if not path.exists():
                    break
                path.unlink()

    def append(self, table: str, columns: Mapping[str, Any]) -> None:
        """Append rows to a table; see `Sink.append`.

        Raises:
            TraceError: the rows do not fit the table, or cannot be written.
        """
        rows, given = conform(table, columns)
        if self._committed:
            raise TraceError(f"unit {self.unit!r} is complete; open a writer for another unit")
        if table == "texts":
            whole = joined(table, [(rows, given)])
            for key, kind, content in zip(*(c.tolist() for c in whole.values()), strict=True):
                self._keep_text(key, kind, content)
            return
        buffer = self._buffers[table]
        start = 0
        while start < rows:
            stop = min(rows, start + buffer.capacity - buffer.rows)
            buffer.add(given, start, stop)
            start = stop
            if buffer.rows == buffer.capacity and table != "runs":
                self._flush(table)

    def text(self, kind: str, content: str) -> int:
        """Keep a text once; its key. A lone surrogate or NUL is kept as a question mark."""
        content = clean_text(content)
        key = text_key(kind, content)
        self._keep_text(key, kind, content)
        return key

    def _keep_text(self, key: int, kind: str, content: str) -> None:
        if key in self._written_texts or key in self._texts:
            return
        self._texts[key] = (kind, content)
        self._text_characters += len(content)
        if self._text_characters > _TEXT_CHARACTERS:
            self._flush_texts()

    def _flush_texts(self) -> None:
        if self._texts:
            kinds, contents = zip(*self._texts.values(), strict=True)
            rows = {"text": np.array(list(self._texts)), "kind": [*kinds], "content": [*contents]}
            count, given = conform("texts", rows)
            self._buffers["texts"].capacity = count
            self._buffers["texts"].add(given, 0, count)
            self._flush("texts")
            self._written_texts.update(self._texts)
            self._texts, self._text_characters = {}, 0

    def commit(self, runs: Mapping[str, Any] | None = None) -> None:
        """Write what waits, then the unit's runs: from now on the unit exists for readers.

        Args:
            runs: rows of the table of runs, beside those appended earlier.

        Raises:
            TraceError: there are no runs, or the folder cannot be written; the unit then does not
                exist, and every other unit is as it was.
        """
        if runs is not None:
            self.append("runs", runs)
        if not self._buffers["runs"].rows:
            raise TraceError(f"unit {self.unit!r} has no runs; give a row a run")
        self._flush_texts()
        for table in self._parts:
            if self._buffers[table].rows:
                self._flush(table)
        count = self._buffers["runs"].rows
        arrays, constants = self._buffers["runs"].take()
        rows = settled(joined("runs", [(count, {**arrays, **constants})]))
        meta = json.dumps({"version": VERSION, "unit": self.unit, "parts": self._parts})
        self._write("runs", rows, {}, runs_path(self.folder, self.unit), meta)
        self._committed = True
        self.close()

    def close(self) -> None:
        """Let go of the unit; uncommitted rows are dropped and their parts removed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if not self._committed:
            self._guarded(self._remove_parts)
        self._buffers = {n: Buffer(b.table, b.capacity) for n, b in self._buffers.items()}

    def __enter__(self) -> "TraceWriter":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        # What went wrong first is what the user should read.
        with suppress(TraceError) if error else nullcontext():
            self.close()

    def _flush(self, table: str) -> None:
        arrays, constants = self._buffers[table].take()
        path = part_path(self.folder, table, self.unit, self._parts[table])
        self._write(table, arrays, constants, path)
        self._parts[table] += 1

    def _write(
        self, table: str, arrays: Columns, constants: Mapping[str, Any], path: Path, meta: str = ""
    ) -> None:
        signals = sorted({*arrays, *constants} - {*TABLES[table].names})
        names = [
            column.name
            for column in TABLES[table].columns
            if not column.optional or constants.get(column.name, None) != column.default
        ]
        names += signals
        select = ", ".join(
            write_expression(TABLES[table], n, None if n in arrays else constants[n]) for n in names
        )
        temporary = path.with_name(path.name + TEMPORARY)
        # Level 1 of zstd writes a fifth faster than the default and makes no larger files here.
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2"
        if meta:
            options += f", KV_METADATA {{{META}: {quoted(meta)}}}"
        copy = f"COPY (SELECT {select} FROM rows) TO {quoted(str(temporary))} ({options})"

        def write() -> None:
            connection = self._connect()
            connection.register("rows", arrays)
            try:
                connection.execute(copy)
                os.replace(temporary, path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            finally:
                connection.unregister("rows")

        self._guarded(write)

    def _connect(self) -> "duckdb.DuckDBPyConnection":
        if self._connection is None:
            with _LOCK:
                self._connection = _database(os.getpid()).cursor()
        return self._connection

    def _guarded(self, act: Callable[[], T]) -> T:
        """Do something to the folder; what the disk refuses is a TraceError."""
        import duckdb  # as above

        try:
            return act()
        except (OSError, duckdb.Error) as error:
            raise TraceError(
                f"the trace cannot be written to {self.folder}: {str(error).splitlines()[0]}; "
                "complete runs are kept: make room there or give another folder"
            ) from error


@lru_cache(1)
def _database(process: int) -> "duckdb.DuckDBPyConnection":
    """What writes the files of this process: opening it costs as much as writing a small unit."""
    import duckdb  # 50 ms that reading a specification need not pay

    database = duckdb.connect(config={"threads": 1})
    for statement in enum_types():
        database.execute(statement)
    return database


def _unit_of(path: Path) -> str:
    """The unit that a part, a file of runs, or either's temporary belongs to."""
    name = path.name.removesuffix(TEMPORARY).removesuffix(".parquet")
    return name if path.parent.name == "runs" else re.sub(r"-\d+$", "", name)


def clean(folder: Path | str) -> list[Path]:
    """Remove what killed writers left: temporary files, and parts of units without runs.

    Call it while nothing writes the folder. Returns what was removed.

    Raises:
        TraceError: the folder is foreign, or cannot be written.
    """
    root = Path(folder)
    if not check_mark(root):
        return []
    removed = []
    try:
        complete = {path.stem for path in (root / "runs").glob("*.parquet")}
        for path in [*root.glob(f"*{TEMPORARY}"), *root.glob("*/*")]:
            known = path.parent.name in TABLES or path.parent == root
            left = path.suffix == TEMPORARY or _unit_of(path) not in complete
            if known and left and path.is_file():
                path.unlink()
                removed.append(path)
    except OSError as error:
        raise TraceError(f"{root} cannot be cleaned: {error}; make it writable") from error
    return removed
