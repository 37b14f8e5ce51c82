"""Agreement: by hand, of runs that never agree, of names that win, and against what agents choose alone."""

import numpy as np
import pytest

from cloudchamber.agents import Always, LookUp, MajorityOfMemory, Random
from cloudchamber.agents.rules import Rule
from cloudchamber.errors import TraceError
from cloudchamber.measures import MEASURES
from cloudchamber.measures.agreement import (
    after_meetings,
    agreement_times,
    collective_bias,
    first_choices,
    last_choices,
    name_share,
    winners,
)
from cloudchamber.microspec import (
    Group,
    Hidden,
    Meetings,
    Microspec,
    Population,
    Visibility,
    Window,
)
from cloudchamber.testing import check_measure, grown
from cloudchamber.trace import Trace
from cloudchamber.worlds import NamingGame

PRIVATE = Visibility(fields={"uses": Hidden()})


def spec(rule: Rule, steps: int = 20, committed: int = 0, **world: object) -> Microspec:
    groups = (
        Group(name="players", count=12 - committed, decides=rule),
        Group(name="committed", count=committed, decides=Always(item=1)),
    )
    return Microspec(
        world=NamingGame(**world),  # type: ignore[arg-type]
        population=Population(groups=groups),
        turns=Meetings(steps=steps),
        memory=Window(k=5),
        visibility=PRIVATE,
    )


def told(facts: dict[int, list[tuple[float, float, float]]]) -> Trace:
    """A trace of facts: by run and step, meetings, agreement, meetings to agreement."""
    trace = Trace()
    names = ("meetings", "agreement", "meetings to agreement")
    for run, steps in facts.items():
        for step, values in enumerate(steps):
            trace.append("outcomes", {"run": run, "step": [step], "item": 0, "value": 0.0})
            for name, value in zip(names, values, strict=True):
                trace.append(
                    "series", {"run": run, "step": [step], "measure": name, "value": value}
                )
    return trace


MIRROR = ((0, 0, 0, 0.5), (1, 0, 0, 0.1), (1, 1, 1, 0.9), (1, 1, 0, 0.7), (1, 0, 1, 0.3))
"""Of one meeting: M with .9 where both said it and .1 where neither, the other's name with .7."""
HABIT = ((0, 0, 0, 0.5), (1, 0, 0, 0.1), (1, 1, 1, 0.9), (1, 1, 0, 0.1), (1, 0, 1, 0.9))
FAVOURITE = tuple((*row[:3], 0.7) for row in MIRROR)
NAN = float("nan")
TWO: dict[int, list[tuple[float, float, float]]] = {
    1: [(0, NAN, NAN), (10, 0.5, NAN), (20, 1.0, 18), (30, 0.9, 18), (40, 0.8, 18)],
    2: [(0, NAN, NAN), (10, 0.1, NAN), (20, 0.2, NAN), (30, 0.3, NAN), (40, 0.4, NAN)],
}


def test_who_never_agreed_counts_with_its_whole_length() -> None:
    times = agreement_times(told(TWO))
    assert times["meetings"].tolist() == [18, 40]
    assert times["rounds"].tolist() == [18 / 10, 4]
    assert times["agreed"].tolist() == [True, False]
    assert MEASURES["agreed"](told(TWO)).tolist() == [1, 0]
    assert MEASURES["rounds to agreement"](told(TWO)).tolist() == [1.8, 4]
    assert MEASURES["agreement"](told(TWO)).tolist() == [0.8, 0.4]


def test_a_run_of_another_world_has_no_number() -> None:
    trace = Trace()
    trace.append("outcomes", {"run": 5, "step": [0], "item": 0, "value": 0.0})
    for name in ("agreement", "agreed", "rounds to agreement", "share of name 1"):
        assert MEASURES[name](trace).isna().all(), name


@pytest.mark.parametrize("name", ["agreement", "agreed", "rounds to agreement", "share of name 1"])
def test_contract(name: str) -> None:
    check_measure(MEASURES[name])


def test_the_facts_are_those_of_the_decisions() -> None:
    """Agreement over again from who said what: two decisions are a meeting."""
    trace = grown(spec(LookUp(), steps=30), replicates=range(3))
    decisions = trace.frame("decisions")
    for run, rows in decisions.groupby("run"):
        said = rows.sort_values("decision")["choice"].to_numpy().reshape(-1, 2)
        same = said[:, 0] == said[:, 1]
        assert MEASURES["agreement"](trace)[run] == same[-36:].mean()
        whole = np.convolve(same, np.ones(36), "valid") == 36
        times = agreement_times(trace).loc[run]
        assert times["agreed"] == whole.any()
        assert times["meetings"] == (36 + np.argmax(whole) if whole.any() else len(same))


def test_the_last_choices_of_those_that_are_not_committed() -> None:
    trace = grown(spec(Always(item=0), committed=4), replicates=range(2))
    assert last_choices(trace).to_numpy().tolist() == [[1], [1]]
    assert name_share(1)(trace).tolist() == [0, 0] and name_share(0)(trace).tolist() == [1, 1]
    assert name_share(1, group=1)(trace).tolist() == [1, 1]
    both = last_choices(trace, group=None)
    assert 0.1 < both[1].mean() < 0.6 and np.allclose(both.sum(axis=1), 1)
    assert winners(trace)["item"].tolist() == [0, 0]


def test_a_committed_majority_overturns_a_convention() -> None:
    overturned = name_share(1)
    few, many = (
        grown(spec(MajorityOfMemory(), 40, count, convention=0), replicates=range(4))
        for count in (1, 7)
    )
    assert (overturned(few) < 0.2).all() and (overturned(many) > 0.8).all()


def test_a_collective_bias_without_an_individual_one() -> None:
    """The published tables choose M with .477 at first, and always agree on it."""
    found = collective_bias(grown(spec(LookUp(), 60), replicates=range(20)), 2)
    assert found.item == 1 and found.counts[1] >= 19
    assert abs(found.alone.value - 0.477) < 1e-6 and found.p < 0.001
    assert found.won.low > found.alone.high
    assert found.sentence(("Q", "M")).startswith(f"M wins {found.counts[1]} of 20 runs")


def test_none_is_found_where_there_is_none() -> None:
    """Players who follow the majority of their memory settle on either name alike."""
    found = collective_bias(grown(spec(MajorityOfMemory(), 30), replicates=range(40)), 2)
    assert found.p > 0.05 and found.alone.value == 0.5
    assert found.won.low < 0.5 < found.won.high


def test_what_is_chosen_first_is_chosen_without_memory() -> None:
    first = first_choices(grown(spec(LookUp(), 4), replicates=range(3)))
    assert np.allclose(first[1], 0.477, atol=1e-6)
    with pytest.raises(TraceError, match="no agent chose without memory"):
        collective_bias(grown(spec(LookUp(), 4, convention=0)), 2)


def test_without_decisions_nothing_is_known_of_choices() -> None:
    for function in (first_choices, last_choices):
        with pytest.raises(TraceError, match="holds no decisions"):
            function(told(TWO))


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Random(), [0.5, 0.5, 0.0]),
        (Always(item=0), [1.0, np.nan, np.nan]),
        (LookUp(table=MIRROR), [0.9, 0.7, 0.6]),
        (LookUp(table=HABIT), [0.9, 0.1, 0.0]),
    ],
)
def test_what_agents_do_after_a_meeting(rule: Rule, told: list[float]) -> None:
    """Planted rules: stay with .9 and shift with .7, and one that repeats itself whatever the other says."""
    one = spec(rule, 10).replace("memory.k", 1)
    found = after_meetings(grown(one, replicates=range(2)))
    assert list(found) == ["stays", "shifts", "heeds"]
    assert np.allclose(found, [told] * 2, atol=1e-6, equal_nan=True)


def test_a_favourite_name_is_no_heed() -> None:
    """Who says M with .7 stays and shifts more than chance would have it, and heeds nobody."""
    found = after_meetings(grown(spec(LookUp(table=FAVOURITE), 40).replace("memory.k", 1)))
    assert found["stays"][1] > 0.55 and found["heeds"][1] == pytest.approx(0, abs=1e-6)
