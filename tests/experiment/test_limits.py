"""Caps: never passed, nothing sent after, and what goes on later is as if there had been none."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.errors import SpecificationError, Unfinished
from cloudchamber.experiment import Budget, Driver, Limits, Price
from cloudchamber.experiment.metering import Metered, most_tokens
from cloudchamber.models.fake import FakeModel, fake
from cloudchamber.models.model import Reply, Request
from cloudchamber.models.store.stored import StoredModel
from cloudchamber.testing.fakes import Dawdling
from cloudchamber.trace import TraceFolder
from tests.experiment.small import MODEL, Counting, asked, grown

PRICE = Price(3.0, 11.0)


def request(length: int = 40, most: int = 16) -> Request:
    return Request((("user", "x" * length),), ("A", "B"), max_tokens=most)


class Sized:
    """A model whose replies take as many tokens as it is told to, and that notes what it was sent."""

    exact = True
    name = fingerprint = "sized"

    def __init__(self, sizes: list[tuple[int, int]], turns: list[int]) -> None:
        self.sizes, self.turns, self.sent, self.after = sizes, turns, 0, 0
        self.budget: Budget | None = None

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        assert self.budget is not None
        self.after += bool(self.budget.stopped)
        self.sent += 1
        for _ in range(self.turns[draw % len(self.turns)]):
            await asyncio.sleep(0)
        tokens_in, tokens_out = self.sizes[draw % len(self.sizes)]
        return Reply(logprobs=np.zeros(2), tokens_in=tokens_in, tokens_out=tokens_out)

    async def close(self) -> None:
        pass


def spend(model: Sized, limits: Limits, questions: int, length: int, at_once: int = 0) -> Budget:
    """Ask many questions at once; those refused are let go."""
    budget = model.budget = Budget(limits)
    if at_once:
        model.at_once = at_once  # type: ignore[attr-defined]

    async def ask() -> None:
        metered = Metered(model, budget, PRICE)
        replies = await asyncio.gather(
            *(metered.ask(request(length), draw) for draw in range(questions)),
            return_exceptions=True,
        )
        assert all(isinstance(one, Reply | Unfinished) for one in replies)

    asyncio.run(ask())
    return budget


HONEST = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 16)), min_size=1, max_size=9)
TURNS = st.lists(st.integers(0, 4), min_size=1, max_size=5)
CAPS = st.builds(
    Limits,
    cost=st.none() | st.floats(0, 0.005),
    tokens=st.none() | st.integers(0, 1500),
    questions=st.none() | st.integers(0, 40),
)


@given(HONEST, TURNS, CAPS, st.integers(1, 40), st.integers(0, 5))
def test_no_cap_is_passed_and_nothing_is_sent_after(
    sizes: list[tuple[int, int]], turns: list[int], limits: Limits, questions: int, at_once: int
) -> None:
    model = Sized(sizes, turns)
    budget = spend(model, limits, questions, 40, at_once)
    spent = budget.spent
    assert limits.questions is None or spent.questions <= limits.questions
    assert limits.tokens is None or spent.tokens <= limits.tokens
    assert limits.cost is None or spent.cost <= limits.cost * (1 + 1e-9)
    assert model.after == 0 and model.sent == spent.questions
    assert budget.under_way == 0 and budget.reserved.tokens == 0
    assert bool(budget.stopped) == (model.sent < questions)


@given(HONEST, TURNS, st.integers(0, 1500))
def test_what_is_left_of_a_cap_is_less_than_one_question_may_take(
    sizes: list[tuple[int, int]], turns: list[int], cap: int
) -> None:
    budget = spend(Sized(sizes, turns), Limits(tokens=cap), 100, 40)
    if budget.stopped:
        assert cap - budget.spent.tokens < sum(most_tokens(request(40)))


@given(st.integers(2, 30), TURNS, st.integers(0, 60_000), st.integers(1, 6))
def test_a_model_that_takes_more_than_it_may_is_foretold_by_as_much_from_then_on(
    times: int, turns: list[int], cap: int, at_once: int
) -> None:
    most = sum(most_tokens(request(40)))
    model = Sized([(most * times, 0)], turns)
    budget = spend(model, Limits(tokens=cap), 60, 40, at_once)
    # Nothing is known of it before its first replies: those that were under way then may pass the cap.
    assert budget.spent.tokens <= cap + at_once * most * times
    assert model.after == 0


def test_a_reply_that_does_not_tell_its_tokens_counts_with_the_most_it_may_have_taken() -> None:
    most = sum(most_tokens(request(40)))
    budget = spend(Sized([(0, 0)], [1]), Limits(tokens=5 * most), 9, 40)
    assert budget.spent.questions == 5 and budget.spent.tokens == 5 * most
    assert f"{5 * most:,} spent, and the next question may take {most}" in budget.stopped


def test_a_question_that_ends_in_an_error_was_sent() -> None:
    def broken(_: Request) -> Reply:
        raise ZeroDivisionError

    budget = Budget(Limits(questions=3))
    model = Metered(FakeModel(broken), budget, None)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            asyncio.run(model.ask(request()))
    with pytest.raises(Unfinished, match="the cap of 3 questions is reached"):
        asyncio.run(model.ask(request()))
    assert budget.under_way == 0


def test_time_is_over_for_rules_and_models() -> None:
    now = 0.0
    budget = Budget(Limits(seconds=5), clock=lambda: now)
    model = Metered(fake("hash"), budget, None)
    asyncio.run(model.ask(request()))
    budget.pace()
    now = 5.0
    with pytest.raises(Unfinished, match="the cap of 5 seconds is reached"):
        budget.pace()
    with pytest.raises(Unfinished, match="5 seconds"):
        asyncio.run(model.ask(request()))
    assert budget.spent.questions == 1


def test_who_waits_for_room_and_gives_up_lets_the_next_one_look() -> None:
    async def crowd() -> int:
        budget = Budget(Limits(tokens=150))  # room for one at a time
        model = Sized([(4, 0)], [3])
        model.budget = budget
        metered = Metered(model, budget, PRICE)
        tasks = [asyncio.ensure_future(metered.ask(request(20), d)) for d in range(12)]
        await asyncio.sleep(0)
        for task in tasks[1:8]:
            task.cancel()
        done = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        return sum(isinstance(one, Reply) for one in done)

    assert asyncio.run(crowd()) == 5


@pytest.mark.parametrize("name", ["cost", "tokens", "questions", "seconds"])
def test_a_cap_below_nothing_is_refused(name: str) -> None:
    with pytest.raises(
        SpecificationError, match=f"limits.{name}: -1 was given; allowed: 0 or more"
    ):
        Limits(**{name: -1})
    with pytest.raises(SpecificationError, match="price tokens_in: nan"):
        Price(float("nan"), 1.0)


CAPPED = st.one_of(
    st.builds(Limits, questions=st.integers(0, 30)),
    st.builds(Limits, tokens=st.integers(0, 12_000)),
    st.builds(Limits, cost=st.floats(0, 0.04)),
)


@settings(max_examples=12)
@given(st.lists(CAPPED, min_size=1, max_size=3), st.integers(1, 5), st.integers(0, 9))
def test_stopped_and_gone_on_with_equals_uncapped_and_nothing_is_asked_twice(
    tmp_path_factory: pytest.TempPathFactory, caps: list[Limits], at_once: int, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("capped")
    counting = Counting()
    for limits in (*caps, Limits()):
        budget = Budget(limits)

        async def call(budget: Budget) -> None:
            beneath = Metered(Dawdling(counting, seed, at_once=3), budget, PRICE)
            stored = StoredModel(beneath, folder / "answers.sqlite")
            driver = Driver(
                folder / "t", models={MODEL: stored}, concurrency=at_once, budget=budget
            )
            progress = await driver.grow_async(asked(), 2)
            await budget.drained()
            await stored.close()
            assert bool(budget.stopped) == (progress.done < 8)
            assert progress.failed == 0

        before = sum(counting.asked.values())
        asyncio.run(call(budget))
        assert sum(counting.asked.values()) - before == budget.spent.questions
        if limits.questions is not None:
            assert budget.spent.questions <= limits.questions
    assert TraceFolder(folder / "t").digest() == WHOLE(tmp_path_factory)
    assert set(counting.asked.values()) == {1}, "what was answered is kept, and not asked again"


_known: list[str] = []


def WHOLE(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the uncapped."""
    if not _known:
        _known.append(grown(tmp_path_factory.mktemp("whole") / "t", asked(), 2))
    return _known[0]


def test_a_run_costs_what_its_answers_took_when_they_were_first_had(tmp_path: Path) -> None:
    def cost(name: str, prices: Price | None) -> "dict[int, float]":
        model = StoredModel(fake("hash"), tmp_path / "answers.sqlite")
        driver = Driver(tmp_path / name, models={MODEL: model}, prices=prices)
        driver.grow(asked(), 2)
        runs = TraceFolder(tmp_path / name).runs().set_index("run")
        assert (runs["cost"] == runs["tokens"] * (prices.tokens_in if prices else 0) / 1e6).all()
        return dict(runs["cost"])

    first = cost("asked", Price(2.0, 9.0))
    assert all(value > 0 for value in first.values())
    assert cost("from the store", Price(2.0, 9.0)) == first
    assert set(cost("on this machine", None).values()) == {0.0}
