"""What is damaged in a trace, and what to remove so that the next run makes it good.

A unit without its file of runs never happened: if that file is removed, the next run grows the unit
again, and clears away what is left of it. So the remedy never names another file.
"""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.errors import TraceError
from cloudchamber.trace.layout import (
    META,
    VERSION,
    enum_types,
    part_path,
    quoted,
    read_expression,
    runs_path,
)
from cloudchamber.trace.tables import SIGNAL, TABLES

if TYPE_CHECKING:
    import duckdb

__all__ = ["damage", "is_parquet", "parts_of"]

MOST_NAMED = 5
_MAGIC = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Whether a file begins and ends as a Parquet file does; a missing or a cut one does not."""
    try:
        with path.open("rb") as file:
            first = file.read(4)
            file.seek(-4, 2)
            return first == file.read(4) == _MAGIC
    except OSError:
        return False


def parts_of(folder: Path, runs: Path, meta: str | None) -> Iterator[tuple[str, Path]]:
    """Table and path of each part of a unit, as the metadata of its file of runs count them.

    Raises:
        ValueError: the file was not written as the unit's file of runs.
        TraceError: it was written by another version.
    """
    if meta is None:
        raise ValueError("not written by cloudchamber")
    given = json.loads(meta)
    if given["version"] != VERSION:
        raise TraceError(f"{runs} has version {given['version']}; allowed: {VERSION}")
    if given["unit"] != runs.stem:
        raise ValueError(f"a copy of {given['unit']}")
    for table, parts in given["parts"].items():
        for number in range(parts):
            yield table, part_path(folder, table, runs.stem, number)


def damage(folder: Path) -> TraceError | None:
    """Read every file of a trace to its end; what is damaged, and what to remove. None if nothing is."""
    import duckdb  # 50 ms that writing a specification need not pay

    found: dict[Path, str] = {}
    units: dict[str, None] = {}
    runs = sorted((folder / "runs").glob("*.parquet"))
    with duckdb.connect() as connection:
        for statement in enum_types():
            connection.execute(statement)
        for path in runs:
            for part, reason in _unit(folder, path, connection):
                found[part] = reason
                units[path.stem] = None
    if not found:
        return None
    return TraceError(_told(folder, found, [runs_path(folder, unit) for unit in units], len(runs)))


def _unit(
    folder: Path, runs: Path, connection: "duckdb.DuckDBPyConnection"
) -> Iterator[tuple[Path, str]]:
    """The damaged files of a unit, and why."""
    reason = _reason("runs", runs, connection)
    if reason:
        yield runs, reason
        return
    source = f"parquet_kv_metadata({quoted(str(runs))})"
    query = f"SELECT decode(value) FROM {source} WHERE decode(key) = '{META}'"
    row = connection.execute(query).fetchone()
    try:
        parts = list(parts_of(folder, runs, row[0] if row else None))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield runs, str(error) if type(error) is ValueError else "its list of parts is none"
        return
    for table, path in parts:
        reason = _reason(table, path, connection)
        if reason:
            yield path, reason


def _reason(name: str, path: Path, connection: "duckdb.DuckDBPyConnection") -> str:
    """Why a file cannot be read as one of a table; "" if it can."""
    import duckdb  # as above

    if not path.exists():
        return "missing"
    if not is_parquet(path):
        return "no Parquet file"
    table, source = TABLES[name], f"read_parquet({quoted(str(path))})"
    try:
        there = [
            row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        ]
        lacking = [c.name for c in table.columns if c.name not in there and not c.optional]
        if lacking:
            return f"it lacks the column {lacking[0]!r}"
        names = [*table.names, *(column for column in there if column.startswith(SIGNAL))]
        columns = ", ".join(read_expression(table, column, column in there) for column in names)
        connection.execute(f"SELECT count(COLUMNS(*)) FROM (SELECT {columns} FROM {source})")
    except duckdb.Error as error:
        return str(error).splitlines()[0].removesuffix(".")
    return ""


def _told(folder: Path, found: dict[Path, str], remove: list[Path], units: int) -> str:
    named = [f"{path.relative_to(folder)} ({why})" for path, why in found.items()][:MOST_NAMED]
    more = f", and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    one = "a file is" if len(found) == 1 else f"{len(found)} files are"
    commands = " ".join(shlex.quote(str(path)) for path in remove[:MOST_NAMED])
    if len(remove) <= MOST_NAMED:
        remedy = f"to have it grown again by the next run: rm {commands}"
    else:
        remedy = (
            f"{len(remove)} of {units} units are touched: begin anew with rm -r "
            f"{shlex.quote(str(folder))} (answers of models are kept), or, to keep the rest, remove the "
            f"first {MOST_NAMED}, run again and go on: rm {commands}"
        )
    return f"{folder}: {one} damaged: {', '.join(named)}{more}; {remedy}"
