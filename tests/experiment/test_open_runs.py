"""How many runs are open: as many as keep the models busy, and no more than the user says."""

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.agents import LanguageModel
from cloudchamber.errors import TraceError
from cloudchamber.experiment import Cell, Design, Driver
from cloudchamber.experiment.limits import Budget
from cloudchamber.experiment.metering import Metered
from cloudchamber.experiment.open_runs import ENOUGH, LAST, OpenRuns, Place
from cloudchamber.microspec import Group, Microspec, Population, Simultaneous
from cloudchamber.models.fake import fake
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.models.store.stored import StoredModel
from cloudchamber.trace import TraceFolder, TraceWriter
from cloudchamber.worlds import Feed
from tests.experiment.small import MODEL, asked, design, grown


class Telling:
    """A model that says how many questions it takes, answers so many at a time, and notes what it saw."""

    def __init__(self, at_once: int | None) -> None:
        self._model = fake("hash")
        self.name, self.fingerprint, self.exact = MODEL, self._model.fingerprint, True
        self.at_once = at_once
        self.waiting = self.most = 0

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        for _ in range(10):
            await asyncio.sleep(0)
        self.waiting -= 1
        return await self._model.ask(request, draw)

    async def close(self) -> None:
        pass


def opened(at_once: int | None, most: int | None, questions: int, wanting: int = 100) -> int:
    """Runs that are open once each of those let in has asked so many questions."""

    async def main() -> int:
        runs = OpenRuns([Telling(at_once)], most)
        entering = [asyncio.ensure_future(runs.enter()) for _ in range(wanting)]

        async def ask(one: "asyncio.Future[Place]") -> None:
            (await one).asks(questions)

        asking = [asyncio.ensure_future(ask(one)) for one in entering]
        for _ in range(5 * wanting):
            await asyncio.sleep(0)
        for one in [*entering, *asking]:
            one.cancel()
        return runs.open

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("at_once", "most", "questions", "runs"),
    [
        (4, None, 1, 4),  # one after the other: enough for the model
        (4, None, 4, 1),  # all together: one is enough
        (4, None, 3, 2),
        (4, 3, 1, 3),  # as the user says
        (1, None, 1000, 1),
        (None, None, 1, ENOUGH),  # nobody says anything
        (None, 20, 1, 20),
        (1000, None, 1, 100),  # all that there are
    ],
)
def test_so_many_are_open(at_once: int | None, most: int | None, questions: int, runs: int) -> None:
    assert opened(at_once, most, questions) == runs


@pytest.mark.parametrize(("wanting", "runs"), [(8, 8), (9, 4), (7, 7), (4, 4), (3, 3), (100, 4)])
def test_the_last_ones_do_not_end_alone(wanting: int, runs: int) -> None:
    """Four at a time; where no more than four are left besides, they are let in as well."""
    assert LAST == 2
    assert opened(4, None, 1, wanting) == runs


def test_the_next_is_opened_when_a_batch_runs_out_and_not_when_it_is_about_to_be_followed() -> None:
    async def main() -> None:
        runs = OpenRuns([Telling(4)])
        first = await runs.enter()
        second = asyncio.ensure_future(runs.enter())
        others = [asyncio.ensure_future(runs.enter()) for _ in range(9)]
        await asyncio.sleep(0)
        first.asks(6)
        for left in (5, 4):
            first.answered()
            await asyncio.sleep(0)
            assert (runs.asked, second.done()) == (left, False)
        first.answered()
        await asyncio.sleep(0)
        assert (runs.open, runs.asked) == (2, 3)
        third = others[0]
        (await second).asks(1)
        await asyncio.sleep(0)
        assert not third.done(), "four are asked, which is enough"
        (await second).answered()
        await asyncio.sleep(0)
        assert not third.done(), "its last answer is soon followed by a question"
        (await second).leave()
        await asyncio.sleep(0)
        assert third.done()
        for place in (first, third.result()):
            place.leave()
        for other in others[1:]:
            (await other).leave()
        assert (runs.open, runs.asked) == (0, 0)

    asyncio.run(main())


def test_who_stops_waiting_leaves_no_gap() -> None:
    async def main() -> None:
        runs = OpenRuns([Telling(1)], 1)
        first = await runs.enter()
        waiting = [asyncio.ensure_future(runs.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        first.leave()
        waiting[1].cancel()  # has been let in already
        (await waiting[2]).leave()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert (runs.open, runs.asked) == (0, 0)

    asyncio.run(main())


def test_the_driver_opens_as_many_as_the_model_takes_and_the_trace_is_the_same(
    tmp_path: Path,
) -> None:
    digests, most = set(), []
    for number, (at_once, cap) in enumerate(((1, None), (3, None), (50, None), (50, 2))):
        model = Telling(at_once)
        folder = tmp_path / str(number)
        Driver(folder, models={MODEL: model}, concurrency=cap).grow(asked(), 5)
        digests.add(TraceFolder(folder).digest())
        most.append(model.most)
    assert len(digests) == 1
    assert most == [LAST, 3 * LAST, 20, 2]


def test_runs_whose_agents_decide_together_are_open_one_or_two_at_a_time(tmp_path: Path) -> None:
    group = Group(count=40, decides=LanguageModel(model=MODEL))
    together = Microspec(
        world=Feed.of(6), population=Population(groups=(group,)), turns=Simultaneous(steps=2)
    )
    model = Telling(4)
    Driver(tmp_path / "t", models={MODEL: model}).grow(Design((Cell("one", together),)), 3)
    assert 40 <= model.most <= 80


def test_units_are_written_away_from_the_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By threads of their own; the trace is that of writing them in between."""
    threads = set()
    commit = TraceWriter.commit

    def noted(self: TraceWriter, runs: Mapping[str, Any] | None = None) -> None:
        threads.add(threading.current_thread())
        commit(self, runs)

    monkeypatch.setattr(TraceWriter, "commit", noted)
    aside = grown(tmp_path / "aside", asked(), 3)
    assert threads and threading.main_thread() not in threads
    assert not any(thread.is_alive() for thread in threads)
    monkeypatch.undo()
    assert grown(tmp_path / "again", asked(), 3, at_once=1) == aside


def test_a_unit_that_cannot_be_written_ends_it_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: TraceWriter, runs: Mapping[str, Any] | None = None) -> None:
        raise TraceError("no room on the disk")

    monkeypatch.setattr(TraceWriter, "commit", full)
    for what in (asked(), design()):
        with pytest.raises(TraceError, match="no room"):
            Driver(tmp_path / "t", models={MODEL: fake("hash")}).grow(what, 2)
    monkeypatch.undo()
    assert grown(tmp_path / "t", asked(), 2) == grown(tmp_path / "new", asked(), 2)


def test_who_is_cancelled_while_a_unit_is_written_leaves_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()
    commit = TraceWriter.commit

    def slow(self: TraceWriter, runs: Mapping[str, Any] | None = None) -> None:
        begun.set()
        assert may_end.wait(30)
        commit(self, runs)

    async def main() -> None:
        driver = Driver(tmp_path / "t", models={MODEL: fake("hash")}, concurrency=1)
        growing = asyncio.ensure_future(driver.grow_async(asked(), 2))
        while not begun.is_set():
            await asyncio.sleep(0)
        for _ in range(3):
            growing.cancel()
            for _ in range(10):
                await asyncio.sleep(0)
        assert not growing.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await growing

    monkeypatch.setattr(TraceWriter, "commit", slow)
    asyncio.run(main())
    monkeypatch.undo()
    assert len(TraceFolder(tmp_path / "t")) == 1
    assert grown(tmp_path / "t", asked(), 2) == grown(tmp_path / "new", asked(), 2)


def test_models_behind_others_say_how_many_they_take(tmp_path: Path) -> None:
    async def main() -> None:
        model = Telling(5)
        stored: Model = StoredModel(Metered(model, Budget(), None), tmp_path / "answers.sqlite")
        assert getattr(stored, "at_once", None) == 5
        model.at_once = 7
        assert getattr(stored, "at_once", None) == 7
        await stored.close()

    asyncio.run(main())
