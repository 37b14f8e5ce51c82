"""Answers kept in a file, so that nothing is asked twice and a study can be replayed without any model.

The key of an exact readout is the model's fingerprint and the request; a sampled answer's key holds the
address of its draw besides, so that identical agents do not share one fate. Of a failure or a time-out a
replay knows; anyone else asks again.
"""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cloudchamber.errors import NotStored
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.models.store.claims import Claims
from cloudchamber.models.store.file import StoreFile, is_final

__all__ = ["ReplayedModel", "StoredModel"]

MOST_SHOWN = 80
"""Characters of a question in a message."""


class StoredModel:
    """A model whose answers are kept.

    Args:
        model: whoever answers what is not in the store; closed with it.
        path: SQLite file, made if it is not there; several processes may use it at once.
        called: the name that a replay will know it by; its own if not given.
        refresh: a name for asking once again for what is there, and replacing the answer; whoever gives
            the same name goes on where it stopped. Empty for no such thing.

    Raises:
        StoreError: the file is damaged, foreign, locked, or cannot be written.
    """

    def __init__(self, model: Model, path: Path, *, called: str = "", refresh: str = "") -> None:
        self.name, self.fingerprint, self.exact = model.name, model.fingerprint, model.exact
        self.hits = 0
        """Requests that the store answered."""
        self._model, self._refresh = model, refresh
        self._file = StoreFile(path)
        self._file.called(called or model.name, self.fingerprint, self.exact)
        self._claims = Claims(
            self._file, self.fingerprint, lambda: bool(getattr(model, "stopped", ""))
        )
        self._flying: dict[bytes, asyncio.Task[Reply]] = {}

    @property
    def capabilities(self) -> object:
        """What the server can do, where there is one and it has been asked."""
        return getattr(self._model, "capabilities", None)

    @property
    def at_once(self) -> int | None:
        """Questions worth handing to the model at a time, where it says so."""
        return getattr(self._model, "at_once", None)

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """The kept answer, or the model's; the same question is asked once however often it waits."""
        sampled, exact = keys = _keys(self.fingerprint, request, draw)
        reply = self._kept(keys)
        if reply is not None:
            return reply
        # An exact answer under way serves every draw; free text and samples serve their own.
        if self._lists and request.options and not request.sampled:
            waits = exact in self._flying
            reply = await self._once(exact, request, draw)
            if not waits or reply.logprobs is not None:
                return reply
            # It was no distribution after all: who only waited for it asks for itself.
            reply = self._kept([sampled])
        return reply or await self._once(sampled, request, draw)

    @property
    def _lists(self) -> bool:
        """Whether an answer may be a distribution, which serves all who ask the same."""
        return self.exact or bool(getattr(self._model, "lists", False))

    def _kept(self, keys: Sequence[bytes]) -> Reply | None:
        """The first answer there is to some keys."""
        known = self._file.fresh(keys, self._refresh) if self._refresh else keys
        kept = self._file.get(known) if known else {}
        for key in known:
            if key in kept and is_final(kept[key]):
                self.hits += 1
                return kept[key]
        return None

    async def _once(self, key: bytes, request: Request, draw: int) -> Reply:
        task = self._flying.get(key)
        if task is None:
            task = asyncio.ensure_future(self._fetch(key, request, draw))
            self._flying[key] = task
            task.add_done_callback(lambda done: self._landed(key, done))
        # Who stops waiting does not take the answer from the others, or from the store.
        return await asyncio.shield(task)

    def _landed(self, key: bytes, task: asyncio.Task[Reply]) -> None:
        self._flying.pop(key, None)
        if not task.cancelled():
            task.exception()  # marks it as seen where nobody waits any more

    async def _fetch(self, claimed: bytes, request: Request, draw: int) -> Reply:
        """Ask, unless another process does: then what it was answered."""
        keys = sampled, exact = _keys(self.fingerprint, request, draw)
        while not await self._claims.take(claimed):
            if (reply := self._kept(keys)) is not None:
                return reply
        try:
            reply = self._kept(keys) if self._claims.news else None
            if reply is None:
                reply = await self._model.ask(request, draw)
                key = exact if reply.logprobs is not None else sampled
                # What stands in the store is the answer, also where another process was first: a replay
                # will find that and nothing else.
                reply = self._file.put(key, reply, refresh=self._refresh)
            return reply
        finally:
            self._claims.release(claimed)

    async def close(self) -> None:
        """Close the file and the model; answers under way are dropped."""
        tasks = list(self._flying.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._claims.close()
        self._file.close()
        await self._model.close()


class ReplayedModel:
    """A model that is not there: the store answers for it, and what is not kept is an error.

    Args:
        name: what the model was called; its fingerprint is the store's word.
        path: the store, which is left as it is.
        into: a store that each answer is copied to, so that it holds what was used and no more.

    Raises:
        StoreError: there is no such store, it is damaged or foreign, or knows no such model.
    """

    def __init__(self, name: str, path: Path, *, into: Path | None = None) -> None:
        self.name = name
        self.hits = 0
        """Requests that the store answered: all of them."""
        self._file = StoreFile(path, write=False)
        try:
            self.fingerprint, self.exact = self._file.model(name)
            self._copy = StoreFile(into) if into is not None else None
        except BaseException:
            self._file.close()
            raise
        if self._copy is not None:
            self._copy.called(name, self.fingerprint, self.exact)

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """The kept answer, time-outs and failures included.

        Raises:
            NotStored: there is none.
        """
        keys = _keys(self.fingerprint, request, draw)
        kept = self._file.get(keys)
        for key in keys:
            if key in kept:
                self.hits += 1
                if self._copy is not None:
                    self._copy.put(key, kept[key])
                return kept[key]
        raise NotStored(str(self._file.path), _beginning(request))

    async def close(self) -> None:
        """Close the file."""
        self._file.close()
        if self._copy is not None:
            self._copy.close()


def _keys(fingerprint: str, request: Request, draw: int) -> tuple[bytes, bytes]:
    """Where an answer may be: that of this draw alone first, else the one that all draws share.

    In this order: where a server answers one and the same request now by a distribution and now by a text,
    a draw that was told the text is told it again.
    """
    shared = f"{fingerprint}\0{request.key()}"
    return sha256(f"{shared}\0{draw}".encode()).digest(), sha256(shared.encode()).digest()


def _beginning(request: Request) -> str:
    """The first line of what is asked, for a message."""
    lines = [line.strip() for line in request.messages[-1][1].splitlines() if line.strip()]
    line = lines[0] if lines else ""
    return line if len(line) <= MOST_SHOWN else f"{line[:MOST_SHOWN]}..."
