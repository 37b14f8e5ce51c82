"""What kind of player one is: by the published definitions, round by round, and of players grown."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.agents import (
    Always,
    ConditionalCooperator,
    FreeRider,
    Grim,
    RandomPlayer,
    SocialProof,
    Society,
    TitForTat,
    WinStayLoseShift,
    decide,
)
from cloudchamber.engine import Runs, grow
from cloudchamber.games import against_random
from cloudchamber.measures import MEASURES
from cloudchamber.measures import cooperation as measured
from cloudchamber.microspec import (
    Affordances,
    Decider,
    Group,
    Meetings,
    Microspec,
    Population,
    Simultaneous,
    Turns,
    Window,
)
from cloudchamber.trace import Level, Trace
from cloudchamber.worlds import Dilemma, Feed, PublicGoods

NAN = float("nan")


def by_hand(own: list[int], other: list[int]) -> dict[str, float]:
    """The published definitions, read round by round (C is 0, D is 1)."""
    n = len(own)
    defections = [at for at in range(n) if own[at] == 1]
    provoked = [at for at in range(n) if other[at] == 1]
    mine, its = (min(part, default=n) for part in (defections, provoked))
    forgiven = counted = penalties = 0
    grudge = False
    for at in range(n):
        if grudge and own[at] == 0:
            forgiven, grudge = forgiven + 1, False
        if grudge and at < n - 1 and other[at] == 0 and own[at + 1] == 1:
            penalties += 1
        if not grudge and other[at] == 1:
            counted, grudge = counted + 1, True
    calls = [at for at in range(n - 1) if other[at] == 1 and (at == 0 or own[at - 1] == 0)]
    quiet = [0, *(at + 1 for at in range(n - 1) if other[at] == 0)]
    copied = [own[at + 1] == other[at] for at in range(n - 1)]
    return {
        "nice": float(mine == n or its < mine),
        "forgiving": forgiven / (counted + penalties) if counted + penalties else NAN,
        "retaliatory": float(np.mean([own[at + 1] for at in calls])) if calls else NAN,
        "troublemaking": float(np.mean([own[at] for at in quiet])),
        "emulative": float(np.mean(copied)) if copied else NAN,
    }


acts = st.integers(1, 9).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 1), min_size=n, max_size=n)] * 2)
)


@settings(max_examples=300, deadline=None)
@given(match=acts)
def test_dimensions_are_those_of_the_published_definitions(match: Any) -> None:
    own, other = match
    expected = by_hand(own, other)
    for name, function in measured.DIMENSIONS.items():
        assert function([own], [other])[0] == pytest.approx(expected[name], nan_ok=True), name
        padded = function([[*own, -2]], [[*other, -2]])[0]
        assert padded == pytest.approx(expected[name], nan_ok=True), "what was never played counts"


def match(
    one: Decider, two: Decider, runs: int = 1, steps: int = 30, level: Level | None = None
) -> Trace:
    groups = (Group(name="one", decides=one), Group(name="two", decides=two))
    spec = Microspec(
        world=Dilemma(),
        population=Population(groups=groups),
        turns=Meetings(at_once=True, partners="kept", steps=steps),
        memory=Window(k=steps),
    )
    return _grown(spec, runs, level)


def _grown(spec: Microspec, runs: int, level: Level | None = None) -> Trace:
    trace, replicates = Trace(), np.arange(runs)
    decide(grow(spec, Runs(2, replicates, replicates), trace, level=level), Society(spec))
    return trace


@pytest.mark.parametrize(
    ("player", "expected"),
    [
        (TitForTat(), (1, None, 1, 0, 1)),
        (Grim(), (1, 0, 1, None, None)),
        (Always(item=0), (1, None, 0, 0, None)),
        (Always(item=1), (0, 0, 1, 1, None)),
    ],
    ids=["tit for tat", "grim", "cooperator", "defector"],
)
def test_players_are_known_by_their_dimensions(player: Decider, expected: Any) -> None:
    found = measured.dimensions(match(player, RandomPlayer(alpha=0.6), runs=5), group=0)
    assert len(found) == 5
    for name, value in zip(measured.DIMENSIONS, expected, strict=True):
        if value is not None and not found[name].isna().all():
            assert (found[name].dropna() == value).all(), name


def test_the_rate_of_a_group_is_that_of_the_chain() -> None:
    trace = match(WinStayLoseShift(), RandomPlayer(alpha=0.8), runs=300)
    found = measured.cooperation_of(0)(trace)
    expected = against_random(1, (1, 0, 0, 1), 0.8, 30).mean()
    assert abs(found.mean() - expected) < 4 * found.std() / np.sqrt(300)
    other = measured.cooperation_of(1)(trace)
    assert abs(other.mean() - 0.8) < 4 * other.std() / np.sqrt(300)
    assert np.allclose((found + other) / 2, MEASURES["cooperation rate"](trace))
    steps = measured.by_group(trace)
    mine = steps[steps["group"] == 0]
    assert np.allclose(mine.groupby("run")["value"].mean(), found)


def test_rates_need_no_decisions_on_the_trace() -> None:
    kept, bare = (
        match(TitForTat(), RandomPlayer(alpha=0.5), 8, level=Level(how))
        for how in ("full", "summary")
    )
    for name in ("cooperation rate", "late cooperation rate", "mean score"):
        assert np.allclose(MEASURES[name](kept), MEASURES[name](bare))
        assert MEASURES[name](kept).notna().all()


@pytest.mark.parametrize("turns", [Meetings(steps=4), Meetings(steps=4, at_once=True)])
def test_histories_are_who_met_whom(turns: Turns) -> None:
    """In a population that meets by chance, against the other's acts as memory had them shown."""
    groups = (Group(count=7, decides=RandomPlayer()),)
    spec = Microspec(
        world=Dilemma(),
        population=Population(groups=groups),
        turns=turns,
        memory=Window(k=50),
    )
    trace = _grown(spec, 3)
    known = measured.histories(trace)
    shown, rows = trace.columns("exposures"), trace.columns("decisions")
    who = {(r, d): a for r, d, a in zip(rows["run"], rows["decision"], rows["agent"], strict=True)}
    met = shown["channel"] == 5
    latest: dict[tuple[int, int], tuple[int, list[int]]] = {}
    for run, decision, item in zip(
        shown["run"][met], shown["decision"][met], shown["item"][met], strict=True
    ):
        key = (int(run), int(who[run, decision]))
        if latest.get(key, (-1, []))[0] < decision:
            latest[key] = (int(decision), [])
        latest[key][1].append(int(item))
    assert len(latest) >= 15
    for (run, agent), (_, items) in latest.items():
        at = np.flatnonzero((known.run == run) & (known.agent == agent))[0]
        mine = known.other[at][known.other[at] > -2]
        assert mine[: len(items)].tolist() == items


def test_of_public_goods_the_share_of_endowments_is_told() -> None:
    groups = (
        Group(name="some", count=3, decides=ConditionalCooperator(slope=0.5)),
        Group(name="none", decides=FreeRider()),
    )
    spec = Microspec(
        world=PublicGoods(),
        population=Population(groups=groups),
        turns=Simultaneous(steps=4),
        memory=Window(k=1),
        affordances=Affordances(choose="amount"),
    )
    trace = _grown(spec, 2)
    given_ = 0.75 / 3 ** np.arange(4)  # of 60, each of three gives half the mean of two and of none
    assert np.allclose(MEASURES["cooperation rate"](trace), given_.mean())
    assert np.allclose(MEASURES["late cooperation rate"](trace), given_[2:].mean())
    steps = measured.by_group(trace)
    mine = steps[(steps["group"] == 0) & (steps["run"] == 0)]["value"]
    assert np.allclose(mine, 20 / 3 ** np.arange(4))
    assert MEASURES["nice"](trace).isna().all(), "nobody met anybody"


def test_nothing_is_told_of_worlds_without_cooperation() -> None:
    spec = Microspec(
        world=Feed.of(3), population=Population(groups=(Group(count=3, decides=SocialProof()),))
    )
    trace = _grown(spec, 2)
    for measure in measured.COOPERATION:
        assert measure(trace).isna().tolist() == [True, True], measure.name
    assert measured.cooperation_of(0)(trace).isna().all()
