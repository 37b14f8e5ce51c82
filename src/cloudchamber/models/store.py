"""Answers kept in a SQLite file, so that nothing is asked twice and a run can be replayed.

The key of an exact readout is the model's fingerprint and the request; a sampled answer's key holds the
draw besides, so that identical agents do not share one fate. Time-outs and failures are not kept.
"""

import asyncio
import sqlite3
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from cloudchamber.errors import ModelError
from cloudchamber.models.model import Model, Reply, Request, pack, unpack

__all__ = ["StoredModel"]

_OURS = 0x636C6463  # "cldc" in the header of the SQLite file
_VERSION = 1
_KEPT = ("ok", "refused", "unparseable")


class _Guard:
    """Turns what SQLite says into an error that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise ModelError(
                f"{self._path}: the store of answers cannot be used ({error}); it was left as it is. "
                "Move it away to start a new one, or give another path."
            ) from error


class StoredModel:
    """A model whose answers are kept.

    Args:
        model: whoever answers what is not in the store; closed with it.
        path: SQLite file, made if it is not there; several processes may use it at once.

    Raises:
        ModelError: the file is damaged, foreign, or cannot be written.
    """

    def __init__(self, model: Model, path: Path) -> None:
        self.name, self.fingerprint, self.exact = model.name, model.fingerprint, model.exact
        self.hits = 0
        """Requests that the store answered."""
        self._model, self._path = model, path
        self._guard = _Guard(path)
        self._flying: dict[bytes, asyncio.Task[Reply]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ModelError(f"{path}: no store can be made there ({error.strerror}).") from error
        with self._guard:
            self._database = _open(path)

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """The kept answer, or the model's; the same question is asked once however often it waits."""
        exact, sampled = self._keys(request, draw)
        reply = self._get(exact) or self._get(sampled)
        if reply is not None:
            self.hits += 1
            return reply
        # An exact answer under way serves every draw; free text and samples serve their own.
        key = exact if self.exact and request.options and not request.sampled else sampled
        task = self._flying.get(key)
        if task is None:
            task = asyncio.ensure_future(self._fetch(request, draw, exact, sampled))
            self._flying[key] = task
            task.add_done_callback(lambda done: self._landed(key, done))
        # Who stops waiting does not take the answer from the others, or from the store.
        return await asyncio.shield(task)

    def _landed(self, key: bytes, task: asyncio.Task[Reply]) -> None:
        self._flying.pop(key, None)
        if not task.cancelled():
            task.exception()  # marks it as seen where nobody waits any more

    async def _fetch(self, request: Request, draw: int, exact: bytes, sampled: bytes) -> Reply:
        reply = await self._model.ask(request, draw)
        if reply.status in _KEPT:
            key = exact if reply.logprobs is not None else sampled
            with self._guard:
                self._database.execute(
                    "INSERT OR IGNORE INTO replies VALUES (?, ?)", (key, pack(reply))
                )
        return reply

    def _keys(self, request: Request, draw: int) -> tuple[bytes, bytes]:
        base = f"{self.fingerprint}\0{request.key()}"
        return sha256(base.encode()).digest(), sha256(f"{base}\0{draw}".encode()).digest()

    def _get(self, key: bytes) -> Reply | None:
        with self._guard:
            row = self._database.execute(
                "SELECT reply FROM replies WHERE key = ?", (key,)
            ).fetchone()
        return unpack(row[0]) if row else None

    async def close(self) -> None:
        """Close the file and the model; answers under way are dropped."""
        tasks = list(self._flying.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._database.close()
        await self._model.close()


def _open(path: Path) -> sqlite3.Connection:
    new = not path.exists() or path.stat().st_size == 0
    mode = "rwc" if new else "rw"
    database = sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=30.0,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        (owner,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and (owner, version) != (_OURS, _VERSION):
            raise sqlite3.DatabaseError("another program's database, or another version's store")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        if not tables:
            database.execute("BEGIN IMMEDIATE")
            database.execute(f"PRAGMA application_id = {_OURS}")
            database.execute(f"PRAGMA user_version = {_VERSION}")
            database.execute(
                "CREATE TABLE IF NOT EXISTS replies (key BLOB PRIMARY KEY, reply BLOB NOT NULL)"
                " WITHOUT ROWID"
            )
            database.execute("COMMIT")
        database.execute("SELECT key FROM replies LIMIT 1").fetchone()
    except BaseException:
        database.close()
        raise
    return database
