"""The driver: the same trace however it is grown, only what is missing, and no run ends the others."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from cloudchamber.agents import LanguageModel, SocialProof
from cloudchamber.agents.rules import Rule
from cloudchamber.errors import ModelUnreachable, TraceError
from cloudchamber.experiment import Cell, Design, Driver, Progress, Results, driver, unit
from cloudchamber.experiment.design import run_id
from cloudchamber.experiment.driver import questions_of
from cloudchamber.microspec import Decider
from cloudchamber.models.fake import FakeModel, fake
from cloudchamber.models.model import Reply, Request
from cloudchamber.models.store.stored import StoredModel
from cloudchamber.questions import Questions, Reals
from cloudchamber.testing.fakes import Dawdling, Flaky
from cloudchamber.trace import TraceFolder
from tests.experiment.small import MODEL, Counting, asked, design, grown, spec


def results(folder: Path, what: Design, replicates: int) -> Results:
    return Results(what, replicates, 0, folder)


def test_pooled_and_alone_give_equal_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooled = grown(tmp_path / "pooled", design(), 5)
    monkeypatch.setattr(unit, "POOL_ROWS", 1)
    assert grown(tmp_path / "alone", design(), 5) == pooled
    monkeypatch.setattr(unit, "POOL_ROWS", 7)  # two runs of three readers
    assert grown(tmp_path / "twos", design(), 5) == pooled


def test_another_seed_gives_another_trace(tmp_path: Path) -> None:
    assert grown(tmp_path / "a", design(), 2) != grown(tmp_path / "b", design(), 2, seed=1)


@pytest.mark.parametrize("kind", ["hash", "sampled"])
def test_any_concurrency_and_order_of_arrival_gives_the_same_trace(
    tmp_path: Path, kind: str
) -> None:
    digests = set()
    orders = set()
    for number, at_once in enumerate((1, 64, 64)):
        model = Dawdling(fake(kind), seed=number, at_once=at_once)
        folder = tmp_path / str(number)
        Driver(folder, models={MODEL: model}, concurrency=at_once).grow(asked(), 2)
        digests.add(TraceFolder(folder).digest())
        orders.add(tuple(model.arrived))
    assert len(digests) == 1
    assert len(orders) == 3, "the replies were to arrive in different orders"


def test_only_what_is_missing_is_grown_and_asked(tmp_path: Path) -> None:
    model = Counting()
    grower = Driver(tmp_path / "t", models={MODEL: model})
    whole = grower.grow(asked(), 2)
    assert (whole.done, whole.runs, whole.questions) == (8, 8, 8 * 6)
    first = set(TraceFolder(tmp_path / "t").runs()["run"])

    again = grower.grow(asked(), 2)
    assert (again.done, again.questions, again.expected) == (8, 0, 0)

    before = sum(model.asked.values())
    more = grower.grow(asked(), 3)
    assert (more.done, more.questions) == (12, 4 * 6)
    assert sum(model.asked.values()) - before == 4 * 6
    runs = TraceFolder(tmp_path / "t").runs()
    assert set(runs.loc[~runs["run"].isin(first), "replicate"]) == {2}
    assert TraceFolder(tmp_path / "t").digest() == grown(tmp_path / "at once", asked(), 3)


def test_adding_replicates_to_rules_adds_only_these(tmp_path: Path) -> None:
    grown(tmp_path / "t", design(), 2)
    assert [unit.replicates for unit in Driver(tmp_path / "t").missing(design(), 5)] == [
        (2, 3, 4)
    ] * 4
    assert grown(tmp_path / "t", design(), 5) == grown(tmp_path / "at once", design(), 5)


def test_cells_that_share_a_specification_are_grown_once(tmp_path: Path) -> None:
    twins = Design((Cell("one", spec()), Cell("other", spec())))
    assert Driver(tmp_path / "t").grow(twins, 2).runs == 2
    found = results(tmp_path / "t", twins, 2)
    assert found.complete and found.ids("one") == found.ids("other")


def test_interrupted_and_gone_on_with_equals_uninterrupted_and_nothing_is_asked_twice(
    tmp_path: Path,
) -> None:
    model = Counting(stop=20)
    # Sampled answers are kept for their own draw; each of the 72 questions has one.
    model.exact = False

    async def grow() -> None:
        stored = StoredModel(model, tmp_path / "answers.sqlite")
        try:
            await Driver(tmp_path / "t", models={MODEL: stored}).grow_async(asked(), 3)
        finally:
            await stored.close()

    for stop in (20, 61):
        model.stop = stop
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(grow())
        there = (tmp_path / "t" / "trace.json").exists()
        assert not there or len(TraceFolder(tmp_path / "t")) < 12
    model.stop = 10**9
    asyncio.run(grow())
    assert TraceFolder(tmp_path / "t").digest() == grown(tmp_path / "at once", asked(), 3)
    assert sum(model.asked.values()) == 12 * 6


def test_cancelled_in_the_middle_and_gone_on_with_equals_uninterrupted(tmp_path: Path) -> None:
    async def cancelled(after: int) -> None:
        arrived = 0

        def answer(request: Request) -> Reply:
            nonlocal arrived
            arrived += 1
            if arrived == after:
                task.cancel()
            return answered(request)

        model = Dawdling(FakeModel(answer, MODEL), seed=after, at_once=4)
        grower = Driver(tmp_path / "t", models={MODEL: model}, concurrency=3)
        task = asyncio.ensure_future(grower.grow_async(asked(), 2))
        with pytest.raises(asyncio.CancelledError):
            await task

    answered = fake("hash")._answer
    for after in (5, 30):
        asyncio.run(cancelled(after))
        assert not list((tmp_path / "t").glob("**/*.tmp")), "what is unfinished is cleared away"
    assert grown(tmp_path / "t", asked(), 2) == grown(tmp_path / "at once", asked(), 2)


@pytest.fixture
def brittle() -> Iterator[Decider]:
    """A rule that chooses at random, until it meets one replicate."""

    class Brittle(Rule):
        kind: Literal["brittle"] = "brittle"

        def weights(self, questions: Questions) -> Reals:
            if (questions.address.replicate == 2).any():
                raise ZeroDivisionError("the third replicate is too much")
            return np.ones(questions.items.shape)

        def aloud(self) -> str:
            return "a rule that breaks"

    yield Brittle()
    del Decider.kinds["brittle"]  # other tests list the kinds there are


def test_a_run_that_fails_is_a_row_and_the_rest_goes_on(tmp_path: Path, brittle: Decider) -> None:
    what = Design((Cell("bad", spec(brittle)), Cell("good", spec())))
    progress = Driver(tmp_path / "t").grow(what, 4)
    assert (progress.done, progress.failed) == (7, 1)
    runs = TraceFolder(tmp_path / "t").runs().set_index("run")
    row: Any = runs.loc[run_id(spec(brittle), 0, 2)]
    assert (row["status"], row["stage"], row["replicate"]) == ("failed", "answer", 2)
    assert "the third replicate is too much" in row["reason"]
    assert (runs["status"] == "done").sum() == 7
    decisions = TraceFolder(tmp_path / "t").decisions()
    assert run_id(spec(brittle), 0, 2) not in set(decisions["run"])
    found = results(tmp_path / "t", what, 4)
    assert not found.complete and len(found.ids("bad")) == 3 and len(found.ids("good")) == 4
    # A later attempt tries the failed run again, and only it.
    assert [u.replicates for u in Driver(tmp_path / "t").missing(what, 4)] == [(2,)]


def test_a_run_that_fails_before_its_first_question_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 18 TiB")

    monkeypatch.setattr(driver, "grow", no_room)
    progress = Driver(tmp_path / "t").grow(design(), 1)
    assert progress.failed == 4
    assert "18 TiB" in TraceFolder(tmp_path / "t").runs()["reason"].iloc[0]


def test_a_model_that_fails_a_question_fails_its_run_alone(tmp_path: Path) -> None:
    model = Flaky(fake("hash"), "failed", share=0.04)
    Driver(tmp_path / "t", models={MODEL: model}).grow(asked(), 4)
    runs = TraceFolder(tmp_path / "t").runs()
    assert 0 < (runs["status"] == "failed").sum() < 16
    failed = runs[runs["status"] == "failed"]
    assert set(failed["stage"]) == {"answer"}
    assert set(failed["reason"]) == {"this fake was made to be failed."}


@pytest.mark.parametrize(
    ("status", "column"),
    [("refused", "refused"), ("unparseable", "unparseable"), ("timeout", "timeouts")],
)
def test_answers_that_are_none_are_counted_and_never_replaced(
    tmp_path: Path, status: Literal["refused", "unparseable", "timeout"], column: str
) -> None:
    Driver(tmp_path / "t", models={MODEL: Flaky(fake("hash"), status)}).grow(asked(), 2)
    trace = TraceFolder(tmp_path / "t")
    decisions, runs = trace.decisions(), trace.runs().set_index("run")
    lost = decisions[decisions["status"] == status]
    assert 0 < len(lost) < len(decisions) == 8 * 6
    assert set(lost["choice"]) == {-1}
    assert (decisions.loc[decisions["status"] == "ok", "choice"] >= 0).all()
    assert Counter(lost["run"]) == {r: n for r, n in runs[column].items() if n}
    # The world's tally knows of no choice in their place.
    outcomes = trace.outcomes()
    final = outcomes[outcomes["step"] == 2].groupby("run")["value"].sum()
    assert (final == runs["questions"] - runs[column]).all()


def test_where_no_model_answers_what_is_complete_is_kept(tmp_path: Path) -> None:
    class Gone(Counting):
        async def ask(self, request: Request, draw: int = 0) -> Reply:
            if sum(self.asked.values()) >= 30:
                raise ModelUnreachable("http://127.0.0.1:9/v1: no answer.")
            return await super().ask(request, draw)

    with pytest.raises(ModelUnreachable, match="no answer"):
        Driver(tmp_path / "t", models={MODEL: Gone()}, concurrency=2).grow(asked(), 2)
    runs = TraceFolder(tmp_path / "t").runs()
    assert 0 < len(runs) < 8 and set(runs["status"]) == {"done"}
    assert grown(tmp_path / "t", asked(), 2) == grown(tmp_path / "at once", asked(), 2)


def test_rules_and_models_mix_and_progress_tells(tmp_path: Path) -> None:
    what = Design((*design().cells, Cell("asked", spec(LanguageModel(model=MODEL)))))
    seen: list[tuple[int, int, int]] = []

    def watch(progress: Progress) -> None:
        seen.append((progress.done, progress.questions, progress.expected))

    Driver(tmp_path / "t", models={MODEL: fake("hash")}, watch=watch).grow(what, 3)
    assert seen[0] == (0, 0, 15 * 6) and seen[-1] == (15, 15 * 6, 15 * 6)
    assert [q for _, q, _ in seen] == sorted(q for _, q, _ in seen)


def test_questions_are_foretold(tmp_path: Path) -> None:
    for changed in (
        spec(),
        spec().replace("affordances.presentation", "one at a time"),
        spec().replace("visibility.top", 2).replace("affordances.presentation", "one at a time"),
        spec().replace("turns.order", "endogenous"),
        spec().replace("turns", {"kind": "simultaneous", "steps": 4}),
    ):
        cell = Cell("it", changed)
        progress = Driver(tmp_path / changed.hash[:8]).grow(Design((cell,)), 1)
        assert progress.questions == questions_of(cell) == progress.expected


def test_a_folder_is_grown_by_one_process_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "t"

    def watch(_: Progress) -> None:
        with pytest.raises(TraceError, match="another process is growing"):
            _refused(folder)

    Driver(folder, watch=watch).grow(Design((Cell("one", spec(SocialProof())),)), 1)
    assert not list(tmp_path.glob(".*lock")), "and the lock is gone"
    assert len(TraceFolder(folder)) == 1


def _refused(folder: Path) -> None:
    second = Driver(folder).grow_async(Design((Cell("one", spec()),)), 1)
    try:
        second.send(None)
    finally:
        second.close()


def test_a_folder_that_was_only_begun_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "trace.json.99.tmp").write_text("{")
    assert Driver(tmp_path / "t").grow(design(), 1).done == 4


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "thesis.txt").write_text("chapter 1")
    with pytest.raises(TraceError, match="not a trace"):
        Driver(tmp_path / "t").grow(design(), 1)
    assert [p.name for p in (tmp_path / "t").iterdir()] == ["thesis.txt"]
