"""A trace in memory: the engine's sink in tests and notebooks, and what every measure reads.

It knows no files. Rows are kept in the chunks they came in, and joined when first asked for.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import TraceError, nearest
from cloudchamber.trace.canonical import digest_of
from cloudchamber.trace.layout import enum_types, write_expression
from cloudchamber.trace.tables import (
    SIGNAL,
    TABLES,
    Columns,
    RunStatus,
    clean_text,
    conform,
    text_key,
)

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["Trace", "joined", "settled"]

Part = tuple[int, dict[str, Any]]
"""Rows as they came: how many, and the given columns, constants as scalars."""


def joined(table: str, parts: list[Part]) -> Columns:
    """The whole table from its parts: every column of the schema, then the signals by name."""
    schema = TABLES[table]
    given = {name for _, columns in parts for name in columns}
    signals = sorted(name for name in given if name.startswith(SIGNAL))
    rows = sum(count for count, _ in parts)
    out: Columns = {}
    for name in (*schema.names, *signals):
        column = schema.column(name)
        whole = np.empty(rows, column.dtype)
        start = 0
        for count, columns in parts:
            whole[start : start + count] = columns.get(name, column.default)
            start += count
        out[name] = whole
    return out


def settled(runs: Columns) -> Columns:
    """One row a run: a complete row beats a failed one, else the later beats the earlier."""
    order = np.lexsort(
        (np.arange(len(runs["run"])), runs["status"] == RunStatus.done.value, runs["run"])
    )
    run = runs["run"][order]
    last = np.append(run[1:] != run[:-1], True)[: len(run)]
    kept = np.sort(order[last])
    return {name: values[kept] for name, values in runs.items()}


class Trace:
    """The tables of some runs, in memory; also a sink.

    Example:
        ``trace.append("outcomes", {"run": 1, "step": 0, "item": items, "value": 0.0})``
    """

    def __init__(self) -> None:
        self._parts: dict[str, list[Part]] = {name: [] for name in TABLES}
        self._texts: dict[int, tuple[str, str]] = {}
        self._connection: duckdb.DuckDBPyConnection | None = None

    def append(self, table: str, columns: Mapping[str, Any]) -> None:
        """Append rows to a table; see `Sink.append`.

        Raises:
            TraceError: the rows do not fit the table.
        """
        rows, given = conform(table, columns)
        self._connection = None
        schema = TABLES[table]
        part = {
            name: values.astype(schema.column(name).dtype)
            if isinstance(values, np.ndarray)
            else values
            for name, values in given.items()
        }
        if table == "texts":
            whole = joined(table, [(rows, part)])
            for key, kind, content in zip(*(c.tolist() for c in whole.values()), strict=True):
                self._texts[key] = (kind, content)
        elif rows:
            self._parts[table].append((rows, part))
        if table == "runs":
            self._drop_failed(joined(table, [(rows, part)]))

    def _drop_failed(self, runs: Columns) -> None:
        """Remove what a failed run left: its one row in the table of runs is all that stays."""
        failed = runs["run"][runs["status"] == RunStatus.failed.value]
        for table in ("decisions", "exposures", "outcomes", "series"):
            if len(failed) and self._parts[table]:
                whole = self.columns(table)
                kept = ~np.isin(whole["run"], failed)
                rows = {name: values[kept] for name, values in whole.items()}
                self._parts[table] = [(int(kept.sum()), rows)]

    def text(self, kind: str, content: str) -> int:
        """Keep a text once; its key. A lone surrogate or NUL is kept as a question mark."""
        content = clean_text(content)
        key = text_key(kind, content)
        self._connection = None
        self._texts[key] = (kind, content)
        return key

    def columns(self, table: str) -> Columns:
        """A table as read-only arrays of shape [rows], rows in the order they came.

        The table of runs has one row a run: a complete row supersedes a failed one.

        Raises:
            TraceError: there is no such table.
        """
        if table not in TABLES:
            raise TraceError(f"a trace has no table {table!r}; {nearest(table, TABLES)}")
        if table == "texts":
            return self._text_columns()
        whole = joined(table, self._parts[table])
        if table == "runs":
            whole = settled(whole)
        # The join is kept in place of the parts, so asking twice costs nothing.
        self._parts[table] = [(len(whole["run"]), dict(whole))]
        for values in whole.values():
            values.flags.writeable = False
        return whole

    def _text_columns(self) -> Columns:
        keys = np.array(sorted(self._texts), dtype="i8")
        rows = [self._texts[int(key)] for key in keys]
        kinds, contents = np.empty(len(rows), object), np.empty(len(rows), object)
        kinds[:], contents[:] = [kind for kind, _ in rows], [content for _, content in rows]
        return {"text": keys, "kind": kinds, "content": contents}

    def __len__(self) -> int:
        """The number of runs that have a row in the table of runs."""
        return len(self.columns("runs")["run"])

    def frame(self, table: str) -> "pd.DataFrame":
        """A table as a pandas frame; coded columns are categoricals of their names."""
        import pandas as pd  # 300 ms that a run without frames need not pay

        out: dict[str, Any] = {}
        for name, values in self.columns(table).items():
            codes = TABLES[table].column(name).codes
            if codes:
                names = pd.Index([code.name for code in codes])
                out[name] = pd.Categorical.from_codes(values.astype("i1"), names, ordered=True)
            else:
                out[name] = pd.array(values, dtype="str") if values.dtype == object else values
        return pd.DataFrame(out)

    def sql(self, query: str) -> "duckdb.DuckDBPyRelation":
        """A DuckDB relation over views named as the tables, as `TraceFolder.sql` gives it.

        Raises:
            TraceError: the query is wrong, with DuckDB's reason.
        """
        import duckdb  # 50 ms that a run without queries need not pay

        if self._connection is None:
            self._connection = duckdb.connect()
            for statement in enum_types():
                self._connection.execute(statement)
            for name, table in TABLES.items():
                columns = self.columns(name)
                self._connection.register(f"{name}_columns", columns)
                selected = ", ".join(write_expression(table, column) for column in columns)
                view = f"CREATE VIEW {name} AS SELECT {selected} FROM {name}_columns"
                self._connection.execute(view)
        try:
            return self._connection.sql(query)
        except duckdb.Error as error:
            raise TraceError(f"the query cannot be answered: {error}") from error

    def select(self, runs: Iterable[int] | NDArray[np.int64]) -> "Trace":
        """The trace of some of the runs; all texts are kept."""
        wanted = np.asarray(list(runs), dtype="i8")
        chosen = Trace()
        chosen._texts = dict(self._texts)
        for table, parts in self._parts.items():
            if not parts:
                continue
            whole = self.columns(table)
            kept = np.isin(whole["run"], wanted)
            rows = int(kept.sum())
            if rows:
                chosen._parts[table] = [(rows, {n: v[kept] for n, v in whole.items()})]
        return chosen

    @classmethod
    def concatenate(cls, traces: Iterable["Trace"]) -> Self:
        """One trace that holds the rows of all, in order."""
        whole = cls()
        for trace in traces:
            whole._texts.update(trace._texts)
            for table, parts in trace._parts.items():
                whole._parts[table].extend(parts)
        return whole

    def digest(self) -> str:
        """SHA-256 (hex) of the canonical rows: equal traces have equal digests.

        It does not depend on the order or the chunking of appends, nor on time, money and tokens.
        """
        return digest_of(lambda table: [self.columns(table)])
