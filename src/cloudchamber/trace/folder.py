"""Reading a trace folder: pandas frames, DuckDB relations, or a whole trace in memory.

A folder is read as it was when it was opened. Units without a file of runs do not exist; a run that
failed has its row in the table of runs and no other; where two units hold the same run, the complete
one counts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import TraceError, nearest
from cloudchamber.trace.canonical import digest_of
from cloudchamber.trace.damage import damage, is_parquet, parts_of
from cloudchamber.trace.layout import (
    META,
    check_mark,
    enum_types,
    in_columns,
    quoted,
    read_expression,
    sql_type,
)
from cloudchamber.trace.memory import Trace
from cloudchamber.trace.tables import SIGNAL, TABLES, Columns

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["TraceFolder"]

T = TypeVar("T")

_BLOCK_ROWS = 4_000_000


class TraceFolder:
    """A trace on disk.

    Raises:
        TraceError: there is no trace, it is foreign, or a file of it is damaged or missing; the
            message names the file.
    """

    def __init__(self, folder: Path | str) -> None:
        import duckdb  # 50 ms that writing a specification need not pay

        self.folder = Path(folder)
        if not check_mark(self.folder):
            raise TraceError(f"{self.folder} holds no trace; give the folder of one")
        self._connection = duckdb.connect()
        for statement in enum_types():
            self._connection.execute(statement)
        self._units = sorted((self.folder / "runs").glob("*.parquet"))
        self._files: dict[str, list[Path]] = {name: [] for name in TABLES}
        self._files["runs"] = list(self._units)
        self._find_parts()
        dropped = self._make_runs()
        for name in TABLES:
            if name != "runs":
                self._make_view(name, dropped)

    def _find_parts(self) -> None:
        """List the parts of each unit, as its file of runs counts them."""
        if not self._units:
            return
        if not all(map(is_parquet, self._units)):
            raise self._damage()
        query = "SELECT file_name, decode(value) FROM parquet_kv_metadata"
        found = dict(self._rows(f"{query}({_listed(self._units)}) WHERE decode(key) = '{META}'"))
        for path in self._units:
            try:
                for table, part in parts_of(self.folder, path, found.get(str(path))):
                    if not is_parquet(part):
                        raise self._damage()
                    self._files[table].append(part)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self._damage() from error

    def _damage(self, reason: str = "it is being changed") -> TraceError:
        """What is damaged; where nothing is, the reason why it cannot be read."""
        return damage(self.folder) or TraceError(f"{self.folder} cannot be read: {reason}")

    def _make_runs(self) -> dict[str, list[int]]:
        """Make the view of runs; the runs of each unit whose other rows do not count."""
        table = TABLES["runs"]
        if not self._units:
            self._make_view("runs", {})
            return {}
        columns = ", ".join(read_expression(table, name) for name in table.names)
        # The complete row of a run counts, or else the one that was written last.
        self._rows(
            f"CREATE TABLE every AS SELECT {columns}, filename AS unit, "
            "row_number() OVER (PARTITION BY run ORDER BY status = 'done' DESC, filename DESC) AS n "
            f"FROM read_parquet({_listed(self._units)}, union_by_name = true, filename = true)"
        )
        names = ", ".join(f'"{name}"' for name in table.names)
        self._rows(f"CREATE VIEW runs AS SELECT {names} FROM every WHERE n = 1 ORDER BY run")
        dropped: dict[str, list[int]] = {}
        for unit, run in self._rows("SELECT unit, run FROM every WHERE n > 1 OR status = 'failed'"):
            dropped.setdefault(Path(unit).stem, []).append(run)
        return dropped

    def _make_view(self, name: str, dropped: dict[str, list[int]]) -> None:
        table, files = TABLES[name], self._files[name]
        if not files:
            empty = ", ".join(f'NULL::{sql_type(table, n)} AS "{n}"' for n in table.names)
            self._rows(f"CREATE VIEW {name} AS SELECT * FROM (SELECT {empty}) WHERE false")
            return
        touched = [] if name == "texts" else [p for p in files if _unit(p) in dropped]
        whole = [path for path in files if path not in set(touched)]
        sources = [f"SELECT * FROM {_parquet(whole)}"] if whole else []
        for unit in sorted({_unit(path) for path in touched}):
            mine = [path for path in touched if _unit(path) == unit]
            runs = ", ".join(map(str, dropped[unit]))
            sources.append(f"SELECT * FROM {_parquet(mine)} WHERE run NOT IN ({runs})")
        source = " UNION ALL BY NAME ".join(sources)
        if name == "texts":
            source = f"SELECT DISTINCT ON (text) * FROM ({source}) ORDER BY text"
        described = self._rows(f"DESCRIBE {source}")
        found = [row[0] for row in described]
        lacking = [c.name for c in table.columns if c.name not in found and not c.optional]
        if lacking:
            raise self._damage(f"it lacks the column {lacking[0]!r}")
        names = [*table.names, *sorted(n for n in found if n.startswith(SIGNAL))]
        columns = ", ".join(read_expression(table, n, n in found) for n in names)
        self._rows(f"CREATE VIEW {name} AS SELECT {columns} FROM ({source})")

    def runs(self) -> "pd.DataFrame":
        """The table of runs: one row a run, sorted by run."""
        return self._frame("runs")

    def decisions(
        self, columns: Sequence[str] | None = None, where: str | None = None
    ) -> "pd.DataFrame":
        """The decisions; `where` is an SQL condition on the columns."""
        return self._frame("decisions", columns, where)

    def exposures(
        self, columns: Sequence[str] | None = None, where: str | None = None
    ) -> "pd.DataFrame":
        """The exposures; `where` is an SQL condition on the columns, e.g. ``"position <= 3"``."""
        return self._frame("exposures", columns, where)

    def outcomes(self) -> "pd.DataFrame":
        """The world's tallies at checkpoints."""
        return self._frame("outcomes")

    def series(self) -> "pd.DataFrame":
        """The measures at steps."""
        return self._frame("series")

    def texts(self) -> "pd.DataFrame":
        """The texts, each once."""
        return self._frame("texts")

    def frame(self, table: str) -> "pd.DataFrame":
        """A table by name, as `Trace.frame` gives it."""
        return self._frame(table)

    def sql(self, query: str) -> "duckdb.DuckDBPyRelation":
        """A DuckDB relation over views named as the tables; ask it for .df(), .pl() or .arrow().

        Raises:
            TraceError: the query is wrong, with DuckDB's reason.
        """
        import duckdb  # as above

        try:
            return self._connection.sql(query)
        except duckdb.Error as error:
            raise TraceError(f"the query cannot be answered: {error}") from error

    def columns(self, table: str) -> Columns:
        """A table as arrays of shape [rows], in the types and codes of memory."""
        return self._columns(table, "")

    def to_trace(self) -> Trace:
        """The whole trace in memory."""
        trace = Trace()
        for table in TABLES:
            columns = self.columns(table)
            if len(columns[TABLES[table].names[0]]):
                trace.append(table, columns)
        return trace

    def select(self, runs: Iterable[int]) -> Trace:
        """Some of the runs, in memory; all texts are left behind."""
        wanted = ", ".join(str(int(run)) for run in runs) or "NULL"
        trace = Trace()
        for table in TABLES:
            if "run" in TABLES[table].names:
                columns = self._columns(table, f"WHERE run IN ({wanted})")
                if len(columns["run"]):
                    trace.append(table, columns)
        return trace

    def digest(self) -> str:
        """The same digest that the trace has in memory; reads a block of runs at a time."""
        return digest_of(self._blocks, self._shown())

    def __len__(self) -> int:
        """The number of runs."""
        return int(self._rows("SELECT count(*) FROM runs")[0][0])

    def _shown(self) -> list[str]:
        names = [n for n in self._names("exposures") if n.startswith(SIGNAL)]
        if not names:
            return []
        counts = ", ".join(f'count("{name}")' for name in names)
        found = self._rows(f"SELECT {counts} FROM exposures")[0]
        return [name for name, count in zip(names, found, strict=True) if count]

    def _blocks(self, table: str) -> Iterator[Columns]:
        """A table's rows in blocks of whole runs, ascending."""
        if "run" not in TABLES[table].names:
            yield self._columns(table, "")
            return
        query = f"SELECT run, count(*) FROM {table} GROUP BY run ORDER BY run"
        counted = self._rows(query)
        start = 0
        while start < len(counted):
            stop, rows = start, 0
            while stop < len(counted) and (stop == start or rows + counted[stop][1] <= _BLOCK_ROWS):
                rows += counted[stop][1]
                stop += 1
            yield self._columns(
                table, f"WHERE run BETWEEN {counted[start][0]} AND {counted[stop - 1][0]}"
            )
            start = stop

    def _names(self, table: str) -> list[str]:
        return [row[0] for row in self._rows(f"DESCRIBE {table}")]

    def _columns(self, name: str, where: str) -> Columns:
        table = TABLES[_known(name)]
        names = self._names(name)
        selected = ", ".join(in_columns(table, n) for n in names)
        query = f"SELECT {selected} FROM {name} {where}"
        found = self._ask(query, lambda result: result.fetchnumpy())
        return {n: _filled(found[n]).astype(table.column(n).dtype, copy=False) for n in names}

    def _frame(
        self, table: str, columns: Sequence[str] | None = None, where: str | None = None
    ) -> "pd.DataFrame":
        names = self._names(_known(table))
        for name in columns or ():
            if name not in names:
                raise TraceError(f"{table} has no column {name!r}; {nearest(name, names)}")
        selected = ", ".join(f'"{name}"' for name in columns or names)
        query = f"SELECT {selected} FROM {table}" + (f" WHERE {where}" if where else "")
        return self._ask(query, lambda result: result.df())

    def _rows(self, query: str) -> list[Any]:
        return self._ask(query, lambda result: result.fetchall())

    def _ask(
        self,
        query: str,
        fetch: "Callable[[duckdb.DuckDBPyConnection], T]",
    ) -> T:
        """Run a query and fetch all of it; where that fails, name the files that cannot be read."""
        import duckdb  # as above

        try:
            return fetch(self._connection.execute(query))
        except duckdb.Error as error:
            raise self._damage(str(error).splitlines()[0]) from error


def _known(table: str) -> str:
    if table not in TABLES:
        raise TraceError(f"a trace has no table {table!r}; {nearest(table, TABLES)}")
    return table


def _unit(path: Path) -> str:
    return path.stem if path.parent.name == "runs" else path.stem.rpartition("-")[0]


def _listed(files: Iterable[Path]) -> str:
    return "[" + ", ".join(quoted(str(path)) for path in files) + "]"


def _parquet(files: Iterable[Path]) -> str:
    return f"read_parquet({_listed(files)}, union_by_name = true)"


def _filled(values: Any) -> NDArray[Any]:
    """NULL as NaN; a column that may be NULL is one of floats."""
    return np.asarray(values.filled(np.nan) if isinstance(values, np.ma.MaskedArray) else values)
