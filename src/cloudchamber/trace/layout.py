"""How a trace lies on disk: names of files, and SQL between NumPy columns and Parquet.

    trace.json                   the mark of a trace folder, with the version of its format
    exposures/UNIT-0000.parquet  rows of a unit, in parts; likewise decisions, outcomes, series, texts
    runs/UNIT.parquet            the unit's runs, written last: what has no such file never happened

A unit is what is written by one writer, e.g. a batch of runs. The file of runs carries the number of
parts of each table, so a missing part is noticed.
"""

import json
import re
from enum import IntEnum
from pathlib import Path
from typing import Any

from cloudchamber.errors import TraceError
from cloudchamber.trace.tables import TABLES, Table

__all__ = [
    "MARK",
    "META",
    "TEMPORARY",
    "VERSION",
    "check_mark",
    "enum_types",
    "in_columns",
    "part_path",
    "quoted",
    "read_expression",
    "runs_path",
    "sql_type",
    "write_expression",
]

MARK = "trace.json"
META = "cloudchamber"
"""Key of the metadata in the Parquet file of runs."""
TEMPORARY = ".tmp"
VERSION = 3

_SQL_TYPES = {
    "i8": "BIGINT",
    "i4": "INTEGER",
    "i2": "SMALLINT",
    "i1": "TINYINT",
    "u1": "UTINYINT",
    "f8": "DOUBLE",
    "f4": "FLOAT",
    "O": "VARCHAR",
}


def part_path(folder: Path, table: str, unit: str, part: int) -> Path:
    """Where a part of a unit's table lies."""
    return folder / table / f"{unit}-{part:04d}.parquet"


def runs_path(folder: Path, unit: str) -> Path:
    """Where a unit's runs lie."""
    return folder / "runs" / f"{unit}.parquet"


def check_mark(folder: Path) -> bool:
    """Whether the folder is a trace folder; False where it is new or empty.

    Raises:
        TraceError: it holds something else, or a trace of another version.
    """
    mark = folder / MARK
    try:
        if mark.exists():
            given = json.loads(mark.read_text(encoding="utf-8"))
            if not isinstance(given, dict) or given.get("format") != "cloudchamber trace":
                raise TraceError(f"{mark} is not the mark of a trace; give another folder")
            if given.get("version") != VERSION:
                raise TraceError(
                    f"{folder} holds a trace of version {given.get('version')}; this cloudchamber "
                    f"reads version {VERSION}: give another folder, or use the version that wrote it"
                )
            return True
        if folder.exists() and not folder.is_dir():
            raise TraceError(f"{folder} is a file; give a folder")
        if folder.exists() and any(p.suffix != TEMPORARY for p in folder.iterdir()):
            # Another writer may have set its mark between the two looks.
            if mark.exists():
                return check_mark(folder)
            raise TraceError(
                f"{folder} holds files that are not a trace (it has no {MARK}); give another folder"
            )
    except (OSError, ValueError) as error:
        raise TraceError(f"{folder} cannot be read as a trace folder: {error}") from error
    return False


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _enum_name(codes: type[IntEnum]) -> str:
    return "code_" + re.sub(r"(?<!^)(?=[A-Z])", "_", codes.__name__).lower()


def enum_types() -> list[str]:
    """Statements that make one SQL enumeration for each coded column's names."""
    found = {c.codes for table in TABLES.values() for c in table.columns if c.codes}
    return [
        f"CREATE TYPE {_enum_name(codes)} AS ENUM ({', '.join(quoted(c.name) for c in codes)})"
        for codes in sorted(found, key=_enum_name)
    ]


def write_expression(table: Table, name: str, constant: Any = None) -> str:
    """SQL for a column on its way to Parquet: codes become names, NaN becomes NULL.

    Args:
        table: the table.
        name: the column.
        constant: the column's one value in this part; None: it is a column of the rows.
    """
    column = table.column(name)
    kind = _SQL_TYPES[column.dtype.str.lstrip("<>|=")]
    if column.codes:
        enum = _enum_name(column.codes)
        if constant is not None:
            return f"{quoted(column.codes(int(constant)).name)}::{enum} AS {name}"
        cases = " ".join(f"WHEN {c.value} THEN {quoted(c.name)}::{enum}" for c in column.codes)
        return f'CASE "{name}" {cases} END AS "{name}"'
    if constant is not None:
        if isinstance(constant, str):
            return f'{quoted(constant)} AS "{name}"'
        # NaN is not equal to itself.
        value = "NULL" if constant != constant else quoted(repr(constant.item()))  # noqa: PLR0124
        return f'{value}::{kind} AS "{name}"'
    if column.dtype.kind == "f":
        return f'nullif("{name}", \'nan\'::{kind}) AS "{name}"'
    return f'"{name}"::{kind} AS "{name}"'


def sql_type(table: Table, name: str) -> str:
    """The SQL type of a column in a view."""
    column = table.column(name)
    return _enum_name(column.codes) if column.codes else _SQL_TYPES[column.dtype.str.lstrip("<>|=")]


def read_expression(table: Table, name: str, there: bool = True) -> str:
    """SQL for a column of a Parquet file in a view: names are an enumeration again.

    Args:
        table: the table.
        name: the column.
        there: whether any file has it; of an optional column the others hold the default.
    """
    column = table.column(name)
    value = f'"{name}"' if there else "NULL"
    if column.optional:
        value = f"coalesce({value}, {column.default})"
    return f'{value}::{sql_type(table, name)} AS "{name}"'


def in_columns(table: Table, name: str) -> str:
    """SQL for a column of a view on its way to NumPy: enumerations become codes."""
    return f'enum_code("{name}") AS "{name}"' if table.column(name).codes else f'"{name}"'
