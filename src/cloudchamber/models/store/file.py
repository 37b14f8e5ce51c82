"""The file of a store: replies by key, and which fingerprint each model's name stood for.

SQLite in WAL mode, so that several processes may read and write it at once. Replies are JSON and nothing in
the file is ever executed or unpickled. This module knows no model and no request.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from cloudchamber.errors import ModelError, StoreError
from cloudchamber.models.model import Reply, pack, unpack

__all__ = ["StoreFile"]

_OURS = 0x636C6463  # "cldc" in the header of the SQLite file
_VERSION = 2
_FINAL = ("ok", "refused", "unparseable")
BUSY = 30.0
"""Seconds to wait for another process that is writing."""
# A reply of fifty options is a kilobyte: in a table without row numbers each would take a page and more.
_TABLES = (
    "replies (key BLOB PRIMARY KEY, reply BLOB NOT NULL, final INTEGER NOT NULL DEFAULT 1)",
    "models (name TEXT, fingerprint TEXT, exact INTEGER, last INTEGER, PRIMARY KEY (name, fingerprint))",
)
# What came later, and stores of before can do without: which refresh an answer is of, who asks (`claims`).
_BESIDE = (
    "refreshed (key BLOB PRIMARY KEY, refresh TEXT NOT NULL) WITHOUT ROWID",
    "owners (owner INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, pid INTEGER NOT NULL,"
    " host TEXT NOT NULL, until REAL NOT NULL, knows INTEGER NOT NULL)",
    "asking (key BLOB PRIMARY KEY, owner INTEGER NOT NULL) WITHOUT ROWID",
)


class _Guard:
    """Turns what SQLite says into an error that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if not isinstance(error, sqlite3.Error | ModelError) or isinstance(error, StoreError):
            return
        raise StoreError(
            f"{self._path}: the store of answers cannot be used ({error}); it was left as it is. "
            "Move it away to start a new one, or give another path."
        ) from error


class StoreFile:
    """An open store.

    Args:
        path: SQLite file, made if it is not there.
        write: whether it is to be written; if not, it must be there and stays as it is.

    Raises:
        StoreError: the file is damaged, foreign, locked, or cannot be read or written.
    """

    def __init__(self, path: Path, *, write: bool = True) -> None:
        self.path = path
        self._guard = _Guard(path)
        try:
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
            elif not path.exists():
                raise StoreError(f"{path}: there is no store of answers; give one with --store.")
        except OSError as error:
            raise StoreError(f"{path}: no store can be made there ({error.strerror}).") from error
        with self._guard:
            self._database = _writable(path) if write else _readable(path)

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Reply]:
        """The replies there are to some keys, those that stand for no answer included."""
        wanted = tuple(keys)
        marks = ", ".join("?" * len(wanted))
        with self._guard:
            rows = self._database.execute(
                f"SELECT key, reply FROM replies WHERE key IN ({marks})", wanted
            ).fetchall()
            return {key: unpack(reply) for key, reply in rows}

    def fresh(self, keys: Iterable[bytes], refresh: str) -> list[bytes]:
        """Those of some keys whose replies are of a refresh."""
        wanted = tuple(keys)
        marks = ", ".join("?" * len(wanted))
        rows = self.run(
            f"SELECT key FROM refreshed WHERE refresh = ? AND key IN ({marks})", refresh, *wanted
        )
        return [key for key in wanted if (key,) in rows]

    def put(self, key: bytes, reply: Reply, *, refresh: str = "") -> Reply:
        """Keep a reply; the one that stands then, which another process may have put before.

        A time-out or failure gives way to any later reply: it is kept for a replay alone.

        Args:
            key: 32 bytes.
            reply: what was answered.
            refresh: of which it is; it takes the place of an answer that is of none, or of another.
        """
        packed = pack(reply)
        replace = bool(refresh) and not self.fresh([key], refresh)
        stays = "" if replace else " WHERE NOT final"
        with self._guard:
            if replace:  # with its mark, or not at all
                self._database.execute("BEGIN IMMEDIATE")
                if is_final(reply):
                    self._database.execute(
                        "INSERT OR REPLACE INTO refreshed VALUES (?, ?)", (key, refresh)
                    )
            written = self._database.execute(
                "INSERT INTO replies (key, reply, final) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"
                f" SET reply = excluded.reply, final = excluded.final{stays}",
                (key, packed, is_final(reply)),
            )
            if replace:
                self._database.execute("COMMIT")
        # As it will be read: what is told now is what a replay tells.
        return unpack(packed) if written.rowcount else self.get([key])[key]

    def run(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        """The rows that a statement gives."""
        with self._guard:
            rows: list[tuple[Any, ...]] = self._database.execute(statement, given).fetchall()
            return rows

    def run_all(self, statement: str, given: Sequence[tuple[object, ...]]) -> int:
        """Run a statement for each of some values, all or none; how many rows it changed."""
        with self._guard:
            if len(given) == 1:
                return self._database.execute(statement, given[0]).rowcount
            self._database.execute("BEGIN IMMEDIATE")
            try:
                return self._database.executemany(statement, given).rowcount
            finally:
                self._database.execute("COMMIT")

    def called(self, name: str, fingerprint: str, exact: bool) -> None:
        """Note which model a name stands for, so that a replay needs no model to know."""
        with self._guard:
            self._database.execute(
                "INSERT OR REPLACE INTO models VALUES (?, ?, ?,"
                " (SELECT ifnull(max(last), 0) + 1 FROM models))",
                (name, fingerprint, exact),
            )

    def model(self, name: str) -> tuple[str, bool]:
        """Fingerprint of the model that a name stood for last, and whether it answered exactly.

        Raises:
            StoreError: the store has no answers of a model of that name; lists the names.
        """
        with self._guard:
            row = self._database.execute(
                "SELECT fingerprint, exact FROM models WHERE name = ? ORDER BY last DESC", (name,)
            ).fetchone()
            names = self._database.execute("SELECT DISTINCT name FROM models ORDER BY 1").fetchall()
        if row is None:
            there = ", ".join(repr(one) for (one,) in names) or "no model"
            raise StoreError(f"{self.path} holds no answers of {name!r}, but of {there}.")
        return str(row[0]), bool(row[1])

    def seal(self) -> int:
        """Make it one plain file that opens where nothing can be written; the number of its replies."""
        with self._guard:
            self._database.execute("PRAGMA journal_mode = DELETE")
            self._database.execute("VACUUM")
            (count,) = self._database.execute("SELECT count(*) FROM replies").fetchone()
        return int(count)

    def packed(self) -> Iterator[bytes]:
        """Every reply as it is written."""
        with self._guard:
            for (reply,) in self._database.execute("SELECT reply FROM replies"):
                yield bytes(reply)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def is_final(reply: Reply) -> bool:
    """Whether a reply stands for an answer, and is not asked for again."""
    return reply.status in _FINAL


def _connected(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?{how}",
        uri=True,
        timeout=BUSY,
        isolation_level=None,
        check_same_thread=False,
    )


def _writable(path: Path) -> sqlite3.Connection:
    new = not path.exists() or path.stat().st_size == 0
    database = _connected(path, "mode=rwc" if new else "mode=rw")
    try:
        version = _checked(database)
        if version < _VERSION:
            database.execute("BEGIN IMMEDIATE")
            # Another process may have done it in the meantime.
            _upgrade(database, _checked(database))
            database.execute("COMMIT")
        _share(database)
        for table in _BESIDE:
            database.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("SELECT key FROM replies LIMIT 1").fetchone()
    except BaseException:
        database.close()
        raise
    return database


def _readable(path: Path) -> sqlite3.Connection:
    try:
        return _looked_at(_connected(path, "mode=rw"))
    except sqlite3.OperationalError:
        # Where nothing can be written beside it, a file that nobody writes can be read as it stands.
        if Path(f"{path}-wal").exists():
            raise
        return _looked_at(_connected(path, "mode=ro&immutable=1"))


def _looked_at(database: sqlite3.Connection) -> sqlite3.Connection:
    try:
        database.execute("PRAGMA query_only = ON")
        if _checked(database) < _VERSION:
            raise sqlite3.DatabaseError(
                "an earlier version's store, or an empty one; a run that may write it brings it up to date"
            )
    except BaseException:
        database.close()
        raise
    return database


def _checked(database: sqlite3.Connection) -> int:
    """The version of a store; 0 if nothing is in it yet.

    Raises:
        sqlite3.DatabaseError: it is no store of ours, or of a later version.
    """
    database.execute("PRAGMA trusted_schema = OFF")  # a stranger's file runs nothing
    owner, version, tables = database.execute(
        "SELECT (SELECT application_id FROM pragma_application_id),"
        " (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if not tables:
        return 0
    plain = database.execute(
        "SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index')"
    ).fetchone()
    if owner != _OURS or not 1 <= version <= _VERSION or plain != (0,):
        raise sqlite3.DatabaseError("another program's database, or another version's store")
    return int(version)


def _upgrade(database: sqlite3.Connection, version: int) -> None:
    if version == 1:  # every reply that it kept was final
        database.execute("ALTER TABLE replies ADD COLUMN final INTEGER NOT NULL DEFAULT 1")
    for table in _TABLES:
        database.execute(f"CREATE TABLE IF NOT EXISTS {table}")
    database.execute(f"PRAGMA application_id = {_OURS}")
    database.execute(f"PRAGMA user_version = {_VERSION}")


def _share(database: sqlite3.Connection) -> None:
    """Go over to WAL mode; SQLite does not wait by itself while another process does the same."""
    until = time.monotonic() + BUSY
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
