"""Who is asking what: processes that share a store tell one another, so that a new question is asked once.

A process that finds nobody else asking the same model claims nothing, and only looks now and then whether
that is still so. One that comes later waits until those who are there have seen it and claimed what they are
asking. A claim ends with its process: who lives renews a lease, and who waits looks whether the other lives.
Nobody waits for more than one claim while holding one, so nobody waits for ever.
"""

import asyncio
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from cloudchamber.models.store.file import StoreFile

__all__ = ["Claims"]

LEASE = 30.0
"""Seconds after which a process that was not heard of is taken for gone; renewed three times as often."""
POLL = 0.1
"""Seconds between two looks."""
IDLE = 1.0
"""Seconds without a question after which a process leaves."""
PATIENCE = 5.0
"""Seconds that a newcomer waits to be seen by those who are there, who may be busy or not asking."""


class Claims:
    """One process's claims on questions to one model.

    Args:
        file: the store.
        model: the model's fingerprint; who asks another model is nobody to wait for.
        stopped: whether nothing more is to be asked, and so nothing to be waited for.
        clock: seconds since 1970, the same for all processes.
    """

    def __init__(
        self,
        file: StoreFile,
        model: str,
        stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file, self._model, self._stopped, self._clock = file, model, stopped, clock
        self.news = True
        """Whether another may just have answered: who has taken a question looks into the store once more."""
        self._me, self._host = 0, _host()
        self._others: set[int] = set()
        self._mine: set[bytes] = set()
        self._told: set[bytes] = set()  # those of mine that stand in the file
        self._waiting: dict[bytes, asyncio.Future[None]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._version = self._renewed = 0.0

    async def take(self, key: bytes) -> bool:
        """Whether a question is now this process's to ask; if not, another has just ended asking it.

        A key that was taken must be released.
        """
        if self._watching is None or self._watching.done() or self._elsewhere():
            self._join()
        if not self._ready.is_set():
            await self._ready.wait()
        if not self._others or self._stopped() or self._claim(key):
            self._mine.add(key)
            return True
        self._waiting[key] = asyncio.get_running_loop().create_future()
        try:
            await self._waiting[key]
        finally:
            self._waiting.pop(key, None)
        return False

    def release(self, key: bytes) -> None:
        """A question that was taken has been answered, or will not be."""
        self._mine.discard(key)
        if key in self._told:
            self._told.discard(key)
            self._file.run("DELETE FROM asking WHERE key = ? AND owner = ?", key, self._me)

    def close(self) -> None:
        """Leave; what was not released is anybody's."""
        if self._watching is not None and not self._elsewhere():
            self._watching.cancel()
        self._watching = None
        self._wake(())
        self._leave()

    def _elsewhere(self) -> bool:
        """Whether the event loop that was watched in is another than this."""
        if self._watching is None:
            return False
        try:
            return self._watching.get_loop() is not asyncio.get_running_loop()
        except RuntimeError:
            return True

    def _join(self) -> None:
        self._leave()
        self._ready = asyncio.Event()
        self._waiting.clear()
        self._file.run(
            "INSERT INTO owners (model, pid, host, until, knows) VALUES (?, ?, ?, ?, 0)",
            self._model,
            os.getpid(),
            self._host,
            self._clock() + LEASE,
        )
        ((self._me,),) = self._file.run("SELECT last_insert_rowid()")
        self._renewed = self._clock()
        self._look()
        self.news = True
        if not self._others:
            self._ready.set()
        self._watching = asyncio.ensure_future(self._watch())
        self._watching.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _leave(self) -> None:
        if self._me:
            self._file.run("DELETE FROM asking WHERE owner = ?", self._me)
            self._file.run("DELETE FROM owners WHERE owner = ?", self._me)
        self._me = 0
        self._told.clear()
        self._others.clear()

    async def _watch(self) -> None:
        try:
            await self._greet()
            last = self._clock()
            await asyncio.sleep(POLL / 10)
            self._look()
            while self._mine or self._waiting or 0 <= self._clock() - last < IDLE:
                if self._mine or self._waiting:
                    last = self._clock()
                await asyncio.sleep(POLL)
                self._look()
        finally:  # a store that fails keeps nobody waiting: whoever goes on will find it so
            self._ready.set()
            self._wake(())
            self._leave()

    async def _greet(self) -> None:
        """Wait until those who are there have told what they are asking."""
        until = self._clock() + PATIENCE
        while self._others and not self._seen() and 0 <= until - self._clock() <= PATIENCE:
            await asyncio.sleep(POLL / 4)
            self._look()
        self._ready.set()

    def _seen(self) -> bool:
        """Whether all who were there have seen this process, or are gone."""
        knows = dict(self._file.run("SELECT owner, knows FROM owners WHERE model = ?", self._model))
        return all(knows.get(one, self._me) >= self._me for one in self._others if one < self._me)

    def _look(self) -> None:
        """See who is there, let go of who is gone, and let those go on who waited for what has ended."""
        now = self._clock()
        renewed = abs(now - self._renewed) > LEASE / 3
        if renewed:
            self._renew(now)
        ((version,),) = self._file.run("PRAGMA data_version")
        if version == self._version and not self._others and not renewed:
            self.news = False
            return
        self._version = version
        before, self._others, gone = self._others, set(), []
        for owner, pid, host, until in self._file.run(
            "SELECT owner, pid, host, until FROM owners WHERE model = ? AND owner != ?",
            self._model,
            self._me,
        ):
            lives = 0 < until - now < 2 * LEASE and _runs(pid, host == self._host)
            self._others.add(owner) if lives else gone.append(owner)
        self.news = bool(before or self._others)
        for owner in gone:
            self._file.run("DELETE FROM asking WHERE owner = ?", owner)
            self._file.run("DELETE FROM owners WHERE owner = ?", owner)
        if self._others - before:
            self._tell(self._mine - self._told)
            self._file.run(
                "UPDATE owners SET knows = ? WHERE owner = ?", max(self._others), self._me
            )
        if self._waiting:
            marks = ", ".join("?" * len(self._others))
            held = self._file.run(f"SELECT key FROM asking WHERE owner IN ({marks})", *self._others)
            self._wake(() if self._stopped() else {key for (key,) in held})

    def _renew(self, now: float) -> None:
        self._renewed = now
        self._file.run(
            "INSERT INTO owners (owner, model, pid, host, until, knows) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (owner) DO UPDATE SET until = excluded.until",
            self._me,
            self._model,
            os.getpid(),
            self._host,
            now + LEASE,
            max(self._others, default=0),
        )

    def _tell(self, keys: Iterable[bytes]) -> None:
        """Claim what is being asked already."""
        mine = list(keys)
        self._file.run_all(
            "INSERT OR IGNORE INTO asking VALUES (?, ?)", [(key, self._me) for key in mine]
        )
        self._told.update(mine)

    def _claim(self, key: bytes) -> bool:
        """Claim a question before it is asked; in vain where another who lives has."""
        for _ in range(2):
            if self._file.run_all("INSERT OR IGNORE INTO asking VALUES (?, ?)", [(key, self._me)]):
                self._told.add(key)
                return True
            there = self._file.run("SELECT owner FROM asking WHERE key = ?", key)
            if there and there[0][0] in self._others:
                return False
            self._look()  # a claim of somebody who is new, or gone
            for (owner,) in there:
                if owner not in self._others:
                    self._file.run("DELETE FROM asking WHERE key = ? AND owner = ?", key, owner)
        return False

    def _wake(self, held: Iterable[bytes]) -> None:
        """Let those go on who wait for what is not held any more."""
        for key in self._waiting.keys() - set(held):
            waiting = self._waiting[key]
            with suppress(RuntimeError):  # its event loop is closed
                if not waiting.done():
                    waiting.set_result(None)


def _host() -> str:
    """The machine, and the part of it in which numbers of processes mean the same."""
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        space = 0
    return f"{platform.node()}/{space}"


def _runs(pid: int, here: bool) -> bool:
    """Whether a process runs, as far as that can be told from here."""
    if not here or sys.platform == "win32":  # there a signal 0 would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
