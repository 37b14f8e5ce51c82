"""Estimates: of what can be counted they are exact, of the rest near; nothing is asked, nothing fetched."""

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.agents import LanguageModel, SocialProof
from cloudchamber.errors import StoreError
from cloudchamber.experiment import Budget, CostEstimate, Design, Driver, Limits, Price, estimate
from cloudchamber.experiment.design import Cell
from cloudchamber.experiment.estimate import _covered, _shared, measured_rate
from cloudchamber.experiment.metering import Metered
from cloudchamber.experiment.prices import Prices, price_of
from cloudchamber.experiment.vocabulary import counter
from cloudchamber.microspec import (
    Affordances,
    Group,
    Microspec,
    Notes,
    Population,
    Simultaneous,
)
from cloudchamber.models.fake import fake
from cloudchamber.models.remote.capabilities import Capabilities
from cloudchamber.models.store.stored import StoredModel
from cloudchamber.trace import TraceFolder
from cloudchamber.worlds import Cournot, Feed
from tests.experiment.small import MODEL, asked, design, spec

ELSEWHERE = "openai:some@http://127.0.0.1:9/v1"


def foretold(
    what: Design,
    replicates: int = 2,
    trace: Path | None = None,
    rate: float | None = None,
    prices: Prices | None = None,
    store: Path | None = None,
    **more: Any,
) -> CostEstimate:
    units = Driver(trace or Path()).missing(what, replicates, anew=trace is None)
    conditions = len(what.conditions())
    return estimate.estimate(
        units,
        seed=0,
        conditions=conditions,
        runs=conditions * replicates,
        trace=trace,
        rate=rate,
        prices=prices,
        store=store,
        **more,
    )


def grown(
    folder: Path, what: Design, replicates: int, model: str = MODEL, limits: Limits | None = None
) -> Budget:
    """What growing it really took."""
    budget = Budget(limits)

    async def grow() -> None:
        beneath = Metered(fake("uniform"), budget, Price(1.0, 1.0))
        stored = StoredModel(beneath, folder.with_suffix(".sqlite"), called=model)
        await Driver(folder, models={model: stored}).grow_async(what, replicates)
        await stored.close()

    asyncio.run(grow())
    return budget


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was fetched before is here."""
    monkeypatch.setenv("CLOUDCHAMBER_CACHE", str(tmp_path / "no cache"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"affordances.presentation": "one at a time"},
        {"turns.order": "endogenous"},
        {"turns": {"kind": "simultaneous", "steps": 4}},
        {"memory": {"kind": "window", "k": 2}},
        {"memory": {"kind": "notes", "names": ["plans", "insights"], "k": 1}},
        {"communication.messages": 9, "memory": "notes"},
    ],
)
def test_questions_are_counted_exactly_and_what_is_sent_is_near(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    cell = spec(LanguageModel(model=MODEL), steps=4)
    for path, value in changes.items():
        cell = cell.replace(path, value)
    what = Design((Cell("it", cell),))
    expected = foretold(what)
    budget = grown(tmp_path / "t", what, 2)
    (one,) = expected.expected
    assert one.whole and one.prompts == one.questions
    assert expected.questions == sum(TraceRuns(tmp_path / "t")), "every one, repeated ones included"
    # Everybody picks at random here and there, though not the same: so are the prompts.
    assert expected.sent == pytest.approx(budget.spent.questions, rel=0.25, abs=3)
    assert expected.missing == expected.runs == 2 and expected.decisions == 0


def test_texts_are_expected_to_be_as_long_as_they_may_be() -> None:
    quiet = spec(LanguageModel(model=MODEL), steps=4)
    talking = quiet.replace("communication.messages", 20)
    (one,) = foretold(Design((Cell("it", quiet),))).expected
    (other,) = foretold(Design((Cell("it", talking),))).expected
    assert other.questions == 2 * one.questions
    assert one.tokens_out == 0, "distributions are read off"
    assert other.tokens_out == other.most_out == one.questions * 38
    assert other.tokens_in > 2 * one.tokens_in, "what is written is read"
    rules = foretold(Design((Cell("it", spec().replace("communication.messages", 20)),)))
    assert rules.decisions == foretold(Design((Cell("it", spec()),))).decisions


def test_each_good_of_a_market_is_a_question(tmp_path: Path) -> None:
    firms = Group(name="firms", count=2, decides=LanguageModel(model=MODEL))
    market = Microspec(
        world=Cournot(),
        population=Population(groups=(firms,)),
        turns=Simultaneous(steps=3),
        memory=Notes(k=2),
        affordances=Affordances(choose="amount"),
    )
    what = Design((Cell("it", market),))
    (one,) = foretold(what).expected
    budget = grown(tmp_path / "t", what, 2)
    assert one.whole and one.questions == 2 * 2 * 3 * (2 + 1)
    assert one.sent == pytest.approx(budget.spent.questions, rel=0.25, abs=3)


def TraceRuns(folder: Path) -> list[int]:
    from cloudchamber.trace import TraceFolder

    return [int(n) for n in TraceFolder(folder).runs()["questions"]]


def test_equal_prompts_are_sent_once_where_distributions_are_read_off(tmp_path: Path) -> None:
    """Nothing differs between agents, steps and replicates: one prompt for each item."""
    cell = (
        spec(LanguageModel(model=MODEL), steps=4)
        .replace("affordances.presentation", "one at a time")
        .replace("visibility.fields.likes", "hidden")
    )
    what = Design((Cell("alone", cell), Cell("again", cell.replace("turns.steps", 5))))
    expected = foretold(what, 9)
    assert expected.sent == 6 and expected.questions == 9 * 3 * 6 * (4 + 5)
    assert grown(tmp_path / "t", what, 9).spent.questions == 6
    sampled = Design(
        (Cell("alone", cell.replace("population.groups.0.decides.readout", "sample")),)
    )
    assert foretold(sampled, 9).sent == 9 * 3 * 6 * 4, "a sample is each agent's own"


def test_what_is_complete_is_not_counted(tmp_path: Path) -> None:
    assert foretold(asked(), 3, tmp_path / "t").missing == 12
    grown(tmp_path / "t", asked(), 2)
    rest = foretold(asked(), 3, tmp_path / "t")
    assert (rest.missing, rest.runs, rest.questions) == (4, 12, 4 * 6)
    assert {one.runs for one in rest.expected} == {1}
    nothing = foretold(asked(), 2, tmp_path / "t")
    assert (nothing.missing, nothing.cost, nothing.seconds) == (0, 0.0, 0.0)


def test_what_a_store_holds_of_all_runs_is_known_and_nothing_is_left_to_be_sent(
    tmp_path: Path,
) -> None:
    grown(tmp_path / "t", asked(), 3)
    store = tmp_path / "t.sqlite"
    again = foretold(asked(), 3, tmp_path / "other", store=store)
    assert (again.missing, again.sent, again.tokens_in, again.most_out) == (12, 0, 0, 0)
    assert again.held.known == again.questions and again.held.walked == 12
    assert again.held.thought == 0
    more = foretold(asked(), 4, tmp_path / "other", store=store)
    first_steps = more.held.known - again.questions
    assert 0 <= first_steps < 4 * 6 and more.sent <= 4 * 6 - first_steps
    assert more.sent >= grown_more(tmp_path, 4), "what is told is the most"


def test_a_run_that_the_store_answers_to_its_end_is_as_long_as_it_is(tmp_path: Path) -> None:
    one_by_one = Affordances(choose="up to", most=3, picks="one by one", may_decline=True)
    stops = spec(LanguageModel(model=MODEL), steps=5).replace("affordances", one_by_one)
    what = Design((Cell("stops", stops),))
    blind = foretold(what, 3)
    grown(tmp_path / "t", what, 3)
    really = int(TraceFolder(tmp_path / "t").runs()["questions"].sum())
    assert really != blind.questions, "who may stop is asked as often as it goes on"
    again = foretold(what, 3, tmp_path / "other", store=tmp_path / "t.sqlite")
    assert (again.questions, again.held.known, again.sent) == (really, really, 0)
    more = foretold(what, 4, tmp_path / "other", store=tmp_path / "t.sqlite")
    assert more.questions >= really and more.held.known >= really
    assert 0 < more.sent <= blind.questions / 3


def grown_more(tmp_path: Path, replicates: int) -> int:
    """What growing more into the store really sends."""
    (tmp_path / "more.sqlite").symlink_to(tmp_path / "t.sqlite")
    return grown(tmp_path / "more", asked(), replicates).spent.questions


@given(cap=st.integers(1, 40))
@settings(max_examples=4)
def test_of_a_run_that_was_stopped_what_is_held_is_known_up_to_the_first_miss(
    tmp_path_factory: pytest.TempPathFactory, cap: int
) -> None:
    folder = tmp_path_factory.mktemp("stopped")
    sent = grown(folder / "t", asked(), 2, limits=Limits(questions=cap)).spent.questions
    rest = foretold(asked(), 2, folder / "t", store=folder / "t.sqlite")
    blind = foretold(asked(), 2, folder / "t")
    assert rest.held.known <= blind.questions
    assert rest.sent <= blind.sent
    really = grown(folder / "t", asked(), 2).spent.questions
    # Sequential turns, three readers: an answer that is missing hides none that were given after it.
    assert rest.questions - rest.held.known >= really
    assert sent == cap or rest.missing == 0


def test_runs_that_were_not_looked_up_are_taken_to_be_as_far_as_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(tmp_path / "t", asked(), 5)
    monkeypatch.setattr(estimate, "LOOKED_UP", 4 * 7)
    part = foretold(asked(), 5, tmp_path / "other", store=tmp_path / "t.sqlite")
    assert part.held.walked == 4 * 2 and part.held.known == 4 * 2 * 6
    assert part.held.thought == 4 * 3 * 6 and part.sent == 0
    beyond = foretold(asked(), 9, tmp_path / "other", store=tmp_path / "t.sqlite")
    assert beyond.held.thought == 0, (
        "the last run is not there, so nothing is thought of the others"
    )


def test_a_store_of_another_model_holds_nothing_and_one_that_is_none_is_said(
    tmp_path: Path,
) -> None:
    other = Design((Cell("it", spec(LanguageModel(model="fake:first"))),))
    grown(tmp_path / "t", other, 1, model="fake:first")
    blind = foretold(asked(), 2)
    assert foretold(asked(), 2, store=tmp_path / "t.sqlite").sent == blind.sent
    with pytest.raises(StoreError, match="there is no store"):
        foretold(asked(), 2, store=tmp_path / "none.sqlite")
    assert foretold(asked(), 2, store=tmp_path / "t.sqlite", sends=False).sent == 0


def test_a_server_that_was_found_to_give_distributions_is_sent_equal_prompts_once() -> None:
    cell = (
        spec(LanguageModel(model=ELSEWHERE), steps=4)
        .replace("affordances.presentation", "one at a time")
        .replace("visibility.fields.likes", "hidden")
    )
    what = Design((Cell("it", cell),))
    unknown = foretold(what, 9)
    assert (unknown.sent, unknown.alike) == (unknown.questions, 6)
    can, cannot = Capabilities(top=20).aloud(), Capabilities().aloud()
    lists = foretold(what, 9, servers={ELSEWHERE: can})
    assert lists.sent == 6 and lists.tokens_out == 0
    assert foretold(what, 9, servers={ELSEWHERE: cannot}).sent == unknown.questions
    scores = foretold(what, 9, servers={ELSEWHERE: Capabilities(scores=True).aloud()})
    assert scores.sent == 6


def test_a_large_design_is_sampled_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = spec(LanguageModel(model=MODEL), readers=30, steps=30)
    whole = foretold(Design((Cell("it", cell),)), 5)
    monkeypatch.setattr(estimate, "PROMPTS", 150)
    few = foretold(Design((Cell("it", cell),)), 5)
    assert few.questions == whole.questions == 5 * 900
    (one,) = few.expected
    assert not one.whole and 100 < one.prompts < 200
    assert few.sent == few.questions, "of a sample nobody knows how much is asked again"
    assert few.tokens_in / few.sent == pytest.approx(whole.tokens_in / whole.sent, rel=0.05)
    monkeypatch.setattr(estimate, "BATCHES", 200)
    short = foretold(Design((Cell("it", cell),)), 5)
    assert short.questions == pytest.approx(whole.questions, rel=0.01)
    assert not short.expected[0].whole


def test_mixed_populations_rules_and_several_models() -> None:
    groups = (
        Group(name="a", count=2, decides=LanguageModel(model=MODEL)),
        Group(name="b", count=1, decides=LanguageModel(model=ELSEWHERE)),
        Group(name="c", count=3, decides=SocialProof()),
    )
    mixed: Microspec = spec(steps=4).replace("population", Population(groups=groups))
    what = Design((Cell("mixed", mixed), *design().cells))
    expected = foretold(what, 3)
    by_model = {(one.cell, one.model): one.questions for one in expected.expected}
    assert by_model[("mixed", MODEL)] == 3 * 2 * 4
    assert by_model[("mixed", ELSEWHERE)] == 3 * 1 * 4
    assert by_model[("mixed", "")] == 3 * 3 * 4
    assert expected.questions == 3 * 3 * 4 and expected.decisions == 3 * 3 * 4 + 12 * 6
    assert math.isnan(expected.cost), "of one model the price is unknown: never 0"
    assert expected.prices[MODEL] == Price(0, 0, "answered on this machine")
    priced = foretold(what, 3, prices={ELSEWHERE: Price(10.0, 40.0)})
    (one,) = (one for one in priced.expected if one.model == ELSEWHERE)
    assert priced.cost == pytest.approx((one.tokens_in * 10 + one.tokens_out * 40) / 1e6)
    assert priced.most_cost == pytest.approx((one.tokens_in * 10 + one.sent * 16 * 40) / 1e6)
    assert one.tokens_out < one.most_out == one.sent * 16


def test_tokens_by_length_where_no_tokenizer_is_here() -> None:
    expected = foretold(Design((Cell("it", spec(LanguageModel(model=MODEL))),)))
    (one,) = expected.expected
    assert one.counted == "a token taken for 4 characters" == counter("embedded").told
    assert counter("gguf:/no/such/file").told == counter("embedded").told
    assert 10 < one.tokens_in / one.sent < 400


def test_time_is_that_of_the_given_rate_or_of_earlier_runs_or_unknown(tmp_path: Path) -> None:
    assert math.isnan(foretold(asked()).seconds)
    given = foretold(asked(), rate=4.0)
    assert given.seconds == given.sent / 4.0
    assert given.beyond(Limits(seconds=1.0, questions=10_000)) == [
        f"seconds 1 (about {given.seconds:.4g} expected)"
    ]
    grown(tmp_path / "t", asked(), 2)
    rate = measured_rate(tmp_path / "t")
    assert rate > 0
    later = foretold(asked(), 4, tmp_path / "t")
    assert later.measured and later.seconds == later.questions / rate
    Driver(tmp_path / "rules").grow(design(), 1)
    assert math.isnan(measured_rate(tmp_path / "rules"))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=12))
def test_what_spans_cover_together(spans: list[tuple[int, int]]) -> None:
    covered = {second for start, length in spans for second in range(start, start + length)}
    assert _covered([(float(a), float(a + n)) for a, n in spans]) == len(covered)


@given(st.integers(0, 500), st.lists(st.integers(1, 100), min_size=1, max_size=9))
def test_what_is_shared_out(whole: int, needs: list[int]) -> None:
    given_out = _shared(whole, needs)
    assert all(1 <= one <= need for one, need in zip(given_out, needs, strict=True))
    assert sum(given_out) <= max(whole, len(needs))
    if sum(needs) <= whole:
        assert given_out == needs
    short = [one for one, need in zip(given_out, needs, strict=True) if one < need]
    assert all(one <= max(short) + 1 for one in given_out) if short else True


OPENAI = "@https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("embedded", True),
        ("gguf:model.gguf", True),
        ("fake:hash", True),
        (f"openai:gpt-4.1-mini{OPENAI}", True),
        ("inspect:openai/gpt-4.1-mini", True),
        (f"openai:gpt-none{OPENAI}", False),
        ("openai:gpt-4.1-mini@http://127.0.0.1:8000/v1", False),
        ("openai:gpt-4.1-mini@https://api.openai.com.example.org/v1", False),
        ("inspect:other/gpt-4.1-mini", False),
        ("", False),
    ],
)
def test_a_price_is_known_or_unknown(model: str, known: bool) -> None:
    price = price_of(model)
    assert (price is not None) == known
    if price is not None and "gpt" in model:
        assert price.tokens_in > 0 and "2026" in price.source, "it says of when it is"
    given_one = Price(1.0, 2.0)
    assert price_of(model, given_one) is given_one
    assert price_of(model, {model: given_one}) is given_one
    assert price_of(model, {"another": given_one}) == price


def test_who_may_stop_picking_leaves_no_questions_for_rules_to_answer() -> None:
    can = Affordances(choose="up to", most=3, picks="one by one", may_decline=True)
    people = Population(groups=(Group(count=5, decides=LanguageModel(model="fake:hash")),))
    picking = Microspec(world=Feed.of(8), population=people, affordances=can)
    told = foretold(Design((Cell("picks", picking),)), 3)
    assert [one.model for one in told.expected] == ["fake:hash"]
    assert 15 < told.expected[0].questions <= 45
