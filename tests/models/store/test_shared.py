"""Several processes and one store; stores that are locked, read-only or full."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudchamber.errors import StoreError
from cloudchamber.models import Reply, Request, open_model
from cloudchamber.models.fake import fake
from cloudchamber.models.store import file as store_file
from cloudchamber.models.store.stored import ReplayedModel, StoredModel

REQUEST = Request((("user", "pick"),), ("a", "b"))

WRITER = """
import asyncio, sys, time
from pathlib import Path
from cloudchamber.models import FakeModel, Reply, Request
from cloudchamber.models.store.stored import StoredModel

path, me, count, go = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
Path(f"{path}.ready-{me}").write_text("")
while not go.exists():
    time.sleep(0.001)

async def main():
    model = FakeModel(lambda _: Reply(text=me, choice=0), "shared", exact=False)
    stored = StoredModel(model, Path(path))
    for draw in range(count):
        reply = await stored.ask(Request((("user", "pick"),), ("a", "b")), draw)
        print(draw, reply.text)
    await stored.close()

asyncio.run(main())
"""


def writers(path: Path, processes: int, count: int) -> list[dict[str, str]]:
    """What each process was told for each draw; all begin at one moment, the store not yet there."""
    source = Path(__file__).parents[3] / "src"
    go = path.with_name("go")
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(me), str(count), str(go)],
            env={**os.environ, "PYTHONPATH": str(source), "OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for me in range(processes)
    ]
    while len(list(path.parent.glob("*.ready-*"))) < processes:
        assert all(one.poll() is None for one in started), "a process ended before it began"
    go.write_text("")
    told = []
    for process in started:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        told.append(dict(line.split() for line in out.splitlines()))
    return told


def test_processes_that_write_the_same_keys_at_once_agree_on_every_answer(tmp_path: Path) -> None:
    told = writers(tmp_path / "s", 4, 150)
    assert all(len(one) == 150 for one in told)
    assert told[0] == told[1] == told[2] == told[3]

    async def replayed() -> dict[str, str]:
        model = ReplayedModel("shared", tmp_path / "s")
        replies = {str(draw): (await model.ask(REQUEST, draw)).text for draw in range(150)}
        await model.close()
        return replies

    assert asyncio.run(replayed()) == told[0], "and a replay finds what they were told"


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store that another process is writing and does not let go of."""
    monkeypatch.setattr(store_file, "BUSY", 0.01)
    path = tmp_path / "s"
    asyncio.run(open_model("fake:hash", store=path).close())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield path
    other.close()


def test_a_store_that_is_locked_is_said_and_can_still_be_replayed(locked: Path) -> None:
    with pytest.raises(StoreError, match="the store of answers cannot be used .*locked"):
        open_model("fake:hash", store=locked)
    asyncio.run(open_model("fake:hash", store=locked, mode="replay").close())


def test_a_store_that_cannot_be_written_in_the_middle_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        stored = StoredModel(fake("hash"), tmp_path / "s")
        stored._file._database.execute("PRAGMA query_only = ON")  # as a disk that has become full
        try:
            with pytest.raises(StoreError, match="the store of answers cannot be used"):
                await stored.ask(REQUEST)
        finally:
            await stored.close()

    asyncio.run(main())


def test_where_nothing_can_be_written_a_store_is_still_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kept() -> Reply:
        stored = open_model("fake:hash", store=tmp_path / "s")
        reply = await stored.ask(REQUEST)
        await stored.close()
        return reply

    async def again() -> Reply:
        replayed = open_model("fake:hash", store=tmp_path / "s", mode="replay")
        reply = await replayed.ask(REQUEST)
        await replayed.close()
        return reply

    told = asyncio.run(kept())
    assert asyncio.run(again()) == told
    connected = store_file._connected

    def as_on_a_read_only_disk(path: Path, how: str) -> sqlite3.Connection:
        if "immutable" not in how:
            raise sqlite3.OperationalError("unable to open database file")
        return connected(path, how)

    monkeypatch.setattr(store_file, "_connected", as_on_a_read_only_disk)
    assert asyncio.run(again()) == told
    with pytest.raises(StoreError, match="unable to open"):
        open_model("fake:hash", store=tmp_path / "s")
    (tmp_path / "s-wal").write_text("")  # somebody is writing it: what is read might be torn
    with pytest.raises(StoreError, match="unable to open"):
        open_model("fake:hash", store=tmp_path / "s", mode="replay")
