"""Processes that ask the same at once: one asks, the others wait, and none waits for the dead."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudchamber.errors import ModelError
from cloudchamber.models import FakeModel, Reply, Request
from cloudchamber.models.store import claims
from cloudchamber.models.store.claims import LEASE, Claims
from cloudchamber.models.store.file import StoreFile
from cloudchamber.models.store.stored import StoredModel

REQUEST = Request((("user", "pick"),), ("a", "b"))

ASKER = """
import asyncio, os, sys
from pathlib import Path
from cloudchamber.models import Reply, Request
from cloudchamber.models.store import claims
from cloudchamber.models.store.stored import StoredModel

path, me, count, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
claims.PATIENCE = float(sys.argv[5])
log = os.open(f"{path}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

class Slow:
    name = fingerprint = "slow"
    exact = False

    async def ask(self, request, draw=0):
        os.write(log, f"{draw} {me}\\n".encode())
        await asyncio.sleep(pause)
        return Reply(text=me, choice=0)

    async def close(self):
        pass

async def main():
    stored = StoredModel(Slow(), Path(path))
    async def some(start):
        for draw in range(start, count, 8):
            await stored.ask(Request((("user", "pick"),), ("a", "b")), draw)
    await asyncio.gather(*map(some, range(8)))
    await stored.close()

asyncio.run(main())
"""


def asker(
    path: Path, me: str, count: int, pause: float, patience: float = 30
) -> subprocess.Popen[bytes]:
    """A process that asks questions 0 to `count`, eight at a time, each taking `pause` seconds."""
    source = Path(__file__).parents[3] / "src"
    return subprocess.Popen(
        [sys.executable, "-c", ASKER, str(path), me, str(count), str(pause), str(patience)],
        env={**os.environ, "PYTHONPATH": str(source), "OPENBLAS_NUM_THREADS": "1"},
    )


def log_of(path: Path) -> list[tuple[str, str]]:
    """Who asked what, in order."""
    log = path.with_name(f"{path.name}.log")
    lines = log.read_text().splitlines() if log.exists() else []
    return [(line.split()[0], line.split()[1]) for line in lines]


def test_processes_that_ask_the_same_at_once_pay_once(tmp_path: Path) -> None:
    path = tmp_path / "s"
    started = [asker(path, str(me), 120, 0.02) for me in range(3)]
    assert [one.wait(60) for one in started] == [0, 0, 0]
    asked = Counter(draw for draw, _ in log_of(path))
    assert asked == Counter({str(draw): 1 for draw in range(120)})
    file = StoreFile(path)
    assert file.run("SELECT * FROM asking") == file.run("SELECT * FROM owners") == []
    file.close()


def test_who_comes_later_waits_for_what_is_under_way_and_takes_over_from_the_dead(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s"
    first = asker(path, "first", 8, 600)
    while len(log_of(path)) < 8:
        assert first.poll() is None
        time.sleep(0.01)
    second = asker(path, "second", 8, 0, patience=0.5)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(2)  # longer than it is patient
    assert len(log_of(path)) == 8, "it has claimed what it asked before anybody else was there"
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert second.wait(20) == 0
    assert [who for _, who in log_of(path)] == ["first"] * 8 + ["second"] * 8


class Gated:
    """A model that answers when it is let, and then as it is told."""

    name = fingerprint = "gated"
    exact = True
    stopped = ""

    def __init__(self, answer: Callable[[], Reply]) -> None:
        self.answer, self.asked, self.gate = answer, 0, asyncio.Event()

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        self.asked += 1
        await self.gate.wait()
        return self.answer()

    async def close(self) -> None:
        pass


def said(text: str) -> Callable[[], Reply]:
    return lambda: Reply(text=text, choice=0)


def broken() -> Reply:
    raise ModelError("it broke")


def late() -> Reply:
    return Reply(status="timeout", reason="late.")


async def two(tmp_path: Path, answer: Callable[[], Reply]) -> tuple[Gated, Gated, StoredModel]:
    """Two models with one store, of which the first is asking and the second may; the second's store."""
    one, other = Gated(answer), Gated(said("other"))
    other.gate.set()
    first, second = (StoredModel(model, tmp_path / "s") for model in (one, other))
    asking = asyncio.ensure_future(first.ask(REQUEST, 1))
    await asyncio.sleep(0.01)
    waiting = asyncio.ensure_future(second.ask(REQUEST, 1))
    await asyncio.sleep(0.3)
    assert (one.asked, other.asked, waiting.done()) == (1, 0, False)
    one.gate.set()
    await asyncio.gather(asking, return_exceptions=True)
    one.gate.clear()
    reply = await asyncio.wait_for(waiting, 5)
    assert reply.text == ("other" if other.asked else "one")
    await first.close()
    return one, other, second


@pytest.mark.parametrize(("answer", "asked"), [(said("one"), 0), (broken, 1), (late, 1)])
def test_who_waited_is_told_the_answer_or_asks_if_there_is_none(
    tmp_path: Path, answer: Callable[[], Reply], asked: int
) -> None:
    async def main() -> None:
        _, other, second = await two(tmp_path, answer)
        assert other.asked == asked
        await second.close()

    asyncio.run(main())


def test_who_is_to_stop_waits_no_longer(tmp_path: Path) -> None:
    async def main() -> None:
        one, other = Gated(said("one")), Gated(said("other"))
        other.gate.set()
        first, second = (StoredModel(model, tmp_path / "s") for model in (one, other))
        asking = asyncio.ensure_future(first.ask(REQUEST))
        await asyncio.sleep(0.01)
        waiting = asyncio.ensure_future(second.ask(REQUEST))
        await asyncio.sleep(0.2)
        other.stopped = "interrupted"
        assert (await asyncio.wait_for(waiting, 5)).text == "other"
        asking.cancel()
        await first.close()
        await second.close()

    asyncio.run(main())


def test_other_models_are_nobody_to_wait_for(tmp_path: Path) -> None:
    async def main() -> None:
        one, other = Gated(said("one")), Gated(said("other"))
        other.gate.set()
        other.fingerprint = "another"
        first, second = (StoredModel(model, tmp_path / "s") for model in (one, other))
        asking = asyncio.ensure_future(first.ask(REQUEST))
        await asyncio.sleep(0.01)
        assert (await asyncio.wait_for(second.ask(REQUEST), 0.09)).text == "other"
        asking.cancel()
        await first.close()
        await second.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("left", "taken"),
    [(LEASE, False), (-1.0, True), (3 * LEASE, True)],
    ids=["lives", "was not heard of", "is of a time to come"],
)
def test_a_lease_on_another_machine_ends_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: float, taken: bool
) -> None:
    monkeypatch.setattr(claims, "PATIENCE", -1.0)
    file, now = StoreFile(tmp_path / "s"), 1000.0
    file.run("INSERT INTO owners VALUES (7, 'm', 1, 'elsewhere', ?, 0)", now + left)
    file.run("INSERT INTO asking VALUES (?, 7)", b"key")

    async def main() -> None:
        nonlocal now
        mine = Claims(file, "m", clock=lambda: now)
        taking = asyncio.ensure_future(mine.take(b"key"))
        await asyncio.sleep(0.05)
        assert taking.done() == taken
        if not taken:
            now += LEASE + 1
            assert await asyncio.wait_for(taking, 5) is False, "look again"
            taking = asyncio.ensure_future(mine.take(b"key"))
        assert await asyncio.wait_for(taking, 5) is True
        mine.release(b"key")
        mine.close()

    asyncio.run(main())
    assert file.run("SELECT * FROM asking") == []
    file.close()


def test_a_store_that_fails_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def main() -> None:
        one, other = Gated(said("one")), Gated(said("other"))
        other.gate.set()
        first, second = (StoredModel(model, tmp_path / "s") for model in (one, other))
        asking = asyncio.ensure_future(first.ask(REQUEST))
        await asyncio.sleep(0.01)
        waiting = asyncio.ensure_future(second.ask(REQUEST))
        await asyncio.sleep(0.2)
        second._file.close()
        with pytest.raises(ModelError, match="cannot be used"):
            await asyncio.wait_for(waiting, 5)
        asking.cancel()
        await first.close()

    asyncio.run(main())


def test_the_same_store_serves_one_event_loop_after_the_other(tmp_path: Path) -> None:
    stored = StoredModel(
        FakeModel(lambda _: Reply(text="a", choice=0), exact=False), tmp_path / "s"
    )
    for draw in range(3):
        assert asyncio.run(stored.ask(REQUEST, draw)).choice == 0
    asyncio.run(stored.close())
