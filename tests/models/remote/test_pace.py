"""The window of requests, on a clock of its own."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable

import pytest

from cloudchamber.models.remote.pace import FAILURES, LONGEST_WAIT, Breaker, Pace, backoff


class Clock:
    """Time that passes only when everybody waits."""

    def __init__(self) -> None:
        self.time = 0.0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def __call__(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleeping, (self.time + seconds, self._count, future))
        await future

    async def run(self, work: Awaitable[None]) -> float:
        """Do the work; gives the time it took."""
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleeping and not task.done():
                self.time, _, future = heapq.heappop(self._sleeping)
                if not future.done():
                    future.set_result(None)
        await task
        return self.time


def served(
    capacity: int,
    requests: int,
    most: int,
    latency: float = 1.0,
    limit: Callable[[float], int] | None = None,
) -> tuple[float, Pace, int]:
    """Wall time, the pace and refusals of a server that does so many at once and refuses the rest."""
    clock = Clock()
    pace = Pace(most, clock, clock.sleep)
    busy = refused = 0

    async def one(draw: int) -> None:
        nonlocal busy, refused
        attempt = 0
        while True:
            await pace.enter(attempt > 0)
            room = limit(clock.time) if limit else capacity
            if busy < room:
                busy += 1
                await clock.sleep(latency)
                busy -= 1
                pace.leave()
                pace.worked(latency)
                return
            await clock.sleep(0.001)
            pace.refused()
            pace.leave()
            refused += 1
            attempt += 1
            await clock.sleep(pace.again(draw, attempt - 1, None))

    async def everything() -> None:
        await asyncio.gather(*(one(draw) for draw in range(requests)))

    return asyncio.run(clock.run(everything())), pace, refused


@pytest.mark.parametrize("capacity", [1, 3, 10, 40, 200])
def test_the_capacity_is_found_and_kept_busy(capacity: int) -> None:
    requests = capacity * 100
    took, pace, refused = served(capacity, requests, most=256)
    assert took <= 1.05 * requests / capacity + 4
    assert 0.5 * capacity <= pace.window <= capacity + 2
    assert refused <= requests * 0.2


def test_all_places_are_used_where_nothing_is_refused() -> None:
    took, pace, refused = served(64, 6400, most=64)
    assert (refused, pace.window) == (0, 64.0)
    assert took <= 104


def test_a_server_that_gets_slower_is_sent_less() -> None:
    _, pace, _ = served(0, 2000, most=256, limit=lambda time: 40 if time < 20 else 6)
    assert pace.window < 10


def test_who_is_refused_gives_up_one_place_each_and_the_rest_go_on() -> None:
    clock = Clock()
    pace = Pace(64, clock, clock.sleep)

    async def everything() -> None:
        for _ in range(8):
            assert pace.take()
        for _ in range(3):
            pace.refused()
            pace.leave()
        assert (pace.under_way, pace.window, pace.take()) == (5, 5.0, False)
        pace.leave()
        pace.worked(1.0)
        assert pace.take() and not pace.take()

    asyncio.run(clock.run(everything()))


def test_the_last_answers_of_a_batch_are_not_waited_for_longer_than_an_answer_takes() -> None:
    """Batches of a hundred on a server of ten that refuses: each takes ten rounds, and what a round loses."""
    clock = Clock()
    pace = Pace(64, clock, clock.sleep)
    busy = 0

    async def one(draw: int) -> None:
        nonlocal busy
        refusals = 0
        while True:
            if not pace.take():
                await pace.enter(refusals > 0)
            if busy < 10:
                busy += 1
                await clock.sleep(0.05)
                busy -= 1
                pace.leave()
                pace.worked(0.05)
                return
            pace.refused()
            pace.leave()
            await clock.sleep(pace.again(draw, refusals, None))
            refusals += 1

    async def everything() -> None:
        for batch in range(20):
            await asyncio.gather(*(one(100 * batch + row) for row in range(100)))

    assert asyncio.run(clock.run(everything())) <= 1.05 * 20 * 10 * 0.05


def test_a_server_that_refuses_even_one_at_a_time_is_left_alone_ever_longer() -> None:
    clock = Clock()
    pace = Pace(8, clock, clock.sleep)
    sent = []

    async def one() -> None:
        for _ in range(5):
            await pace.enter(True)
            sent.append(clock.time)
            pace.refused()
            pace.leave()

    asyncio.run(clock.run(one()))
    assert pace.alone
    assert sent == [0.0, 0.5, 1.5, 3.5, 7.5]


def test_a_limit_that_makes_us_wait_is_tried_the_more_rarely() -> None:
    """Trying one more costs a second of nothing each time: no more than a twentieth of the time."""
    clock = Clock()
    pace = Pace(64, clock, clock.sleep)
    busy = refused = 0

    async def one(draw: int) -> None:
        nonlocal busy, refused
        again = False
        while True:
            if not pace.take():
                await pace.enter(again)
            if busy < 10:
                busy += 1
                await clock.sleep(0.1)
                busy -= 1
                pace.leave()
                pace.worked(0.1)
                return
            refused, again = refused + 1, True
            pace.refused(1.0)
            pace.leave()
            await clock.sleep(pace.again(draw, 0, 1.0))

    async def everything() -> None:
        await asyncio.gather(*(one(draw) for draw in range(10_000)))

    took = asyncio.run(clock.run(everything()))
    assert took <= 1.06 * 100
    assert 3 <= refused <= 20


def test_time_outs_take_a_third_once_however_many_were_sent_before() -> None:
    clock = Clock()
    pace = Pace(8, clock, clock.sleep)
    tickets = []
    for _ in range(8):
        assert pace.take()
        tickets.append(pace.ticket)
    for ticket in tickets:
        pace.slowed(ticket)
        pace.leave()
    assert pace.window == pytest.approx(0.7 * 7)


def test_who_has_waited_goes_in_the_order_of_coming_but_for_second_attempts() -> None:
    clock, order = Clock(), []
    pace = Pace(1, clock, clock.sleep)

    async def one(name: str, again: bool = False) -> None:
        await pace.enter(again)
        order.append(name)
        await clock.sleep(1.0)
        pace.leave()

    async def everything() -> None:
        first = [asyncio.ensure_future(one(name)) for name in "abc"]
        await asyncio.sleep(0)
        await asyncio.gather(*first, one("again", again=True))

    asyncio.run(clock.run(everything()))
    assert order == ["a", "again", "b", "c"]


def test_nobody_goes_before_the_time_the_server_asked_for() -> None:
    clock = Clock()
    pace = Pace(8, clock, clock.sleep)
    times = []

    async def one() -> None:
        await pace.enter()
        times.append(clock.time)
        pace.leave()

    async def everything() -> None:
        await pace.enter()
        pace.refused(7.0)
        pace.leave()
        await one()

    asyncio.run(clock.run(everything()))
    assert times == [7.0]


def test_who_is_cancelled_leaves_no_gap() -> None:
    clock = Clock()
    pace = Pace(1, clock, clock.sleep)

    async def everything() -> None:
        await pace.enter()
        waiting = [asyncio.ensure_future(pace.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        pace.leave()
        await asyncio.sleep(0)
        waiting[1].cancel()  # has its place already
        await asyncio.gather(*waiting[:2], return_exceptions=True)
        if not waiting[1].cancelled():
            pace.leave()
        await waiting[2]
        pace.leave()

    asyncio.run(clock.run(everything()))
    assert pace.under_way == 0


def test_the_wait_doubles_up_to_a_minute_and_is_the_same_each_time() -> None:
    waits = [backoff(7, attempt, None) for attempt in range(12)]
    assert waits == [backoff(7, attempt, None) for attempt in range(12)]
    assert all(0.5 * 2**at <= wait <= 0.75 * 2**at for at, wait in enumerate(waits[:6]))
    assert LONGEST_WAIT <= waits[-1] <= 1.5 * LONGEST_WAIT
    assert len({backoff(draw, 0, None) for draw in range(100)}) == 100
    assert backoff(7, 0, 30.0) == 30.0
    assert backoff(7, 0, 86400.0) == LONGEST_WAIT


def test_the_breaker_opens_after_failures_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed("HTTP 500")
    breaker.worked()
    for _ in range(FAILURES - 1):
        breaker.failed("HTTP 500")
    ends = [breaker.open]
    breaker.failed("HTTP 502")
    assert [*ends, breaker.open] == [False, True]
    assert breaker.reason == "HTTP 502"
