"""The tables of a trace, as data: columns, types, codes, defaults, and the keys that order rows.

In memory a table is a dictionary of equally long NumPy arrays; on disk it is Parquet. A column that
has codes is small integers in memory and strings on disk. This module knows no file and no engine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import TraceError, nearest

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "SIGNAL",
    "TABLES",
    "Channel",
    "Column",
    "Columns",
    "Kind",
    "Readable",
    "Readout",
    "RunStatus",
    "Sink",
    "Status",
    "Table",
    "clean_text",
    "conform",
    "text_key",
]

Columns = dict[str, NDArray[Any]]

SIGNAL = "signal_"
"""Prefix of the columns of exposures that hold one signal shown each, e.g. ``signal_likes``."""


class Kind(IntEnum):
    """What a decision was asked for: an item of a list, a yes or no, who is next, amounts, or a text."""

    choose = 0
    judge = 1
    next = 2
    amount = 3
    write = 4


class Status(IntEnum):
    """What became of a decision; each but ok is an outcome that is counted, never replaced."""

    ok = 0
    refused = 1
    unparseable = 2
    timeout = 3
    failed = 4


class Readout(IntEnum):
    """How an answer was had: by a rule, an exact distribution, a sample, or an earlier record."""

    rule = 0
    exact = 1
    sampled = 2
    recorded = 3


class Channel(IntEnum):
    """How an exposure came: as an option, another's act, one's own past, the score, or a pick just made.

    And what the other did in a past meeting; a note of one's own; another's message.
    """

    option = 0
    others = 1
    own = 2
    score = 3
    picked = 4
    met = 5
    note = 6
    message = 7


class RunStatus(IntEnum):
    """What became of a run."""

    done = 0
    failed = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    dtype: np.dtype[Any]
    """Type in memory; object stands for strings."""
    default: int | float | str | None = None
    """What an omitted column holds; None says that it must be given."""
    codes: type[IntEnum] | None = None
    """The meaning of the integers, where they are codes."""
    volatile: bool = False
    """True where equal runs may differ (time, money): left out of a trace's digest."""
    optional: bool = False
    """True where files in which all rows hold the default do without it: most runs have no use for it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns in order, and the columns that order its rows canonically."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def column(self, name: str) -> Column:
        """The column of that name; a signal counts as one in exposures.

        Raises:
            TraceError: the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        if self.name == "exposures" and name.startswith(SIGNAL) and name != SIGNAL:
            return Column(name, np.dtype("f8"), float("nan"))
        allowed = nearest(name, [c.name for c in self.columns])
        raise TraceError(f"table {self.name!r} has no column {name!r}; {allowed}")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, without signals."""
        return tuple(column.name for column in self.columns)


_NAN = float("nan")


def _columns(*rows: tuple[Any, ...]) -> Iterator[Column]:
    for name, dtype, *rest in rows:
        default = rest[0] if rest else None
        codes = type(default) if isinstance(default, IntEnum) else None
        value = int(default) if isinstance(default, IntEnum) else default
        yield Column(
            name, np.dtype(dtype), value, codes, _VOLATILE in rest[1:], _OPTIONAL in rest[1:]
        )


_VOLATILE, _OPTIONAL = "volatile", "optional"

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "decisions",
            tuple(
                _columns(
                    ("run", "i8"),
                    ("decision", "i8"),
                    ("pick", "i2", 1),
                    ("step", "i4", 0),
                    ("batch", "i4", 0),
                    ("agent", "i4", -1),
                    ("group", "i2", 0),
                    ("kind", "u1", Kind.choose),
                    ("choice", "i4", -1),
                    ("value", "f8", _NAN),
                    ("probability", "f4", _NAN),
                    ("entropy", "f4", _NAN),
                    ("mass", "f4", _NAN),
                    ("status", "u1", Status.ok),
                    ("readout", "u1", Readout.rule),
                    ("prompt", "i8", 0),
                    ("note", "i8", 0),
                    ("text", "i8", 0),
                )
            ),
            ("run", "decision", "pick"),
        ),
        Table(
            "exposures",
            tuple(
                _columns(
                    ("run", "i8"),
                    ("decision", "i8"),
                    ("channel", "u1", Channel.option),
                    ("position", "i2", 0),
                    ("item", "i4", -1),
                    ("source", "i4", -1),
                    ("origin", "i8", -1),
                    ("latency", "i4", 0),
                    ("label", "i4", -1),
                    ("probability", "f4", _NAN),
                    ("chosen", "i1", 0),
                    ("text", "i8", 0, _OPTIONAL),
                )
            ),
            ("run", "decision", "channel", "position", "item", "source", "origin"),
        ),
        Table(
            "outcomes",
            tuple(_columns(("run", "i8"), ("step", "i4"), ("item", "i4"), ("value", "f8"))),
            ("run", "step", "item"),
        ),
        Table(
            "series",
            tuple(_columns(("run", "i8"), ("step", "i4"), ("measure", "O"), ("value", "f8"))),
            ("run", "step", "measure"),
        ),
        Table(
            "texts",
            tuple(_columns(("text", "i8"), ("kind", "O"), ("content", "O"))),
            ("text",),
        ),
        Table(
            "runs",
            tuple(
                _columns(
                    ("run", "i8"),
                    ("study", "O", ""),
                    ("cell", "O", ""),
                    ("name", "O", ""),
                    ("levels", "O", "{}"),
                    ("replicate", "i4", 0),
                    ("seed", "i8", 0),
                    ("spec", "O", ""),
                    ("model", "O", ""),
                    ("status", "u1", RunStatus.done),
                    ("stage", "O", ""),
                    ("reason", "O", "", _VOLATILE),
                    ("decisions", "i8", 0),
                    ("questions", "i8", 0),
                    ("unparseable", "i8", 0),
                    ("refused", "i8", 0),
                    ("timeouts", "i8", 0),
                    ("tokens", "i8", 0, _VOLATILE),
                    ("cost", "f8", 0.0, _VOLATILE),
                    ("seconds", "f8", 0.0, _VOLATILE),
                )
            ),
            ("run",),
        ),
    )
}


class Sink(Protocol):
    """Where the engine writes what happened; a `Trace` in memory and a `TraceWriter` are sinks."""

    def append(self, table: str, columns: Mapping[str, Any]) -> None:
        """Append rows: arrays of equal length; scalars are repeated; omitted columns default.

        The sink takes copies: the caller may go on changing its arrays.
        """
        ...

    def text(self, kind: str, content: str) -> int:
        """Keep a text once; its key, a positive 63-bit hash."""
        ...


class Readable(Protocol):
    """What a measure reads: a `Trace` in memory or a `TraceFolder` on disk."""

    def sql(self, query: str) -> "duckdb.DuckDBPyRelation":
        """A relation over views named as the tables; coded columns are names, NaN is NULL."""
        ...


def clean_text(content: str) -> str:
    """The text with lone surrogates and NUL as question marks: what every reader can hold."""
    if not content.isascii():
        content = content.encode(errors="replace").decode()
    return content.replace("\0", "?")


def text_key(kind: str, content: str) -> int:
    """The key of a text: 63 bits of BLAKE2b of its kind and content, never 0."""
    digest = blake2b(f"{kind}\0{content}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 1) or 1


def conform(table: str, columns: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Check rows against a table: their number, and the given columns, not copied.

    Arrays stay arrays of shape [rows] and scalars stay scalars, so that a part keeps a constant as
    one number; omitted columns stay omitted. Numbers fit the column's type but may not have it yet.

    Raises:
        TraceError: unknown table or column, a required one missing, unequal lengths, or a value
            that does not fit the column's type.
    """
    if table not in TABLES:
        raise TraceError(f"a trace has no table {table!r}; {nearest(table, TABLES)}")
    schema = TABLES[table]
    for column in schema.columns:
        if column.default is None and column.name not in columns:
            raise TraceError(f"rows of table {table!r} lack the column {column.name!r}; add it")
    taken = {name: _taken(table, schema.column(name), value) for name, value in columns.items()}
    lengths = {name: len(value) for name, value in taken.items() if isinstance(value, np.ndarray)}
    if len(set(lengths.values())) > 1:
        raise TraceError(
            f"rows of table {table!r} have columns of unequal length ({lengths}); make them equal"
        )
    return next(iter(lengths.values()), 1), taken


_BOUNDS = {
    column.dtype: (int(np.iinfo(column.dtype).min), int(np.iinfo(column.dtype).max))
    for table in TABLES.values()
    for column in table.columns
    if column.dtype.kind in "iu"
}


def _taken(table: str, column: Column, value: Any) -> Any:
    """A column's values as an array, or as a scalar; both fit the column's type."""
    given = np.asarray(value)
    if given.dtype == column.dtype and given.ndim == 1 and column.dtype.kind != "O":
        return given
    if given.ndim > 1:
        raise TraceError(
            f"column {column.name!r} of table {table!r} was given the shape {given.shape}; "
            "give one dimension"
        )
    if column.dtype.kind == "O":
        return _strings(table, column, value, given)
    if given.dtype.kind not in "biuf" or (given.dtype.kind == "f" and column.dtype.kind != "f"):
        if given.size == 0:
            return np.empty(0, column.dtype)
        raise TraceError(
            f"column {column.name!r} of table {table!r} holds {column.dtype.name} and was given "
            f"{given.dtype.name}; convert it"
        )
    if column.dtype.kind in "iu" and not np.can_cast(given.dtype, column.dtype) and given.size:
        low, high = (given.min(), given.max()) if given.ndim else (value, value)
        least, most = _BOUNDS[column.dtype]
        if low < least or high > most:
            raise TraceError(
                f"column {column.name!r} of table {table!r} was given {low} to {high}; "
                f"allowed: {least} to {most}"
            )
    return given if given.ndim else given.astype(column.dtype)[()]


def _strings(table: str, column: Column, value: Any, given: NDArray[Any]) -> Any:
    if given.ndim == 0:
        if isinstance(value, str):
            return clean_text(value)
    elif all(isinstance(entry, str) for entry in given.tolist()):
        whole = np.empty(len(given), object)
        whole[:] = [clean_text(entry) for entry in given.tolist()]
        return whole
    raise TraceError(f"column {column.name!r} of table {table!r} holds text; give strings")
