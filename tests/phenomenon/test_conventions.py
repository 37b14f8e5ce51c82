"""Conventions grow where agents hear each other, and not where the names are all one to them."""

import numpy as np
import pytest

from cloudchamber.agents import Always, LookUp, MajorityOfMemory, Random, Society
from cloudchamber.agents.rules import Rule
from cloudchamber.engine import Runs, grow
from cloudchamber.intervention import isolate, uncommit
from cloudchamber.microspec import (
    Group,
    Hidden,
    Meetings,
    Microspec,
    Population,
    Visibility,
    Window,
)
from cloudchamber.phenomenon import (
    COMMITTED_MINORITY,
    CONVENTION,
    CONVENTION_FACETS,
    RISKS,
    Finding,
    Phenomenon,
)
from cloudchamber.trace import Trace
from cloudchamber.worlds import NAMES_10, NamingGame

RUNS = 6


def spec(rule: Rule, committed: int = 0, **world: object) -> Microspec:
    groups = (
        Group(name="players", count=16 - committed, decides=rule),
        Group(name="minority", count=committed, decides=Always(item=1)),
    )
    return Microspec(
        world=NamingGame(**world),  # type: ignore[arg-type]
        population=Population(groups=groups),
        turns=Meetings(steps=70, at_once=True),
        memory=Window(k=5),
        visibility=Visibility(fields={"uses": Hidden()}),
    )


def beside(one: Microspec, other: Microspec) -> Trace:
    """Runs 1 to 6 of one specification and 7 to 12 of another, under the same noise."""
    trace = Trace()
    for first, grown in ((1, one), (1 + RUNS, other)):
        replicate = np.arange(RUNS)
        society, growth = Society(grown), grow(grown, Runs(3, replicate, replicate + first), trace)
        try:
            questions = next(growth)
            while True:
                questions = growth.send(society.answer_now(questions))
        except StopIteration:
            pass
        trace.append("runs", {"run": replicate + first, "replicate": replicate})
    return trace


def told(of: Phenomenon, one: Microspec, other: Microspec) -> Finding:
    """The finding of runs of one specification against those of another."""
    runs, baseline = range(1, 1 + RUNS), range(1 + RUNS, 1 + 2 * RUNS)
    return of.against_baseline(beside(one, other), runs=runs, baseline=baseline)


@pytest.mark.parametrize("rule", [LookUp(), MajorityOfMemory()])
def test_grown_where_agents_follow_what_they_met(rule: Rule) -> None:
    whole = spec(rule)
    for facet in CONVENTION_FACETS:
        found = told(facet, whole, isolate()(whole))
        assert found.answer == "grown"
        assert found.expected.value == pytest.approx(0.5 if facet is CONVENTION else 0, abs=0.08)


def test_ten_names_gain_more_than_two() -> None:
    whole = spec(MajorityOfMemory(), names=NAMES_10)
    found = told(CONVENTION, whole, isolate()(whole))
    assert found.answer == "grown" and found.expected.value == pytest.approx(0.1, abs=0.1)


@pytest.mark.parametrize("rule", [Random(), Always(item=0)])
def test_not_grown_where_nobody_heeds_anybody(rule: Rule) -> None:
    """Chance alone agrees half the time, and one mind always: neither is a convention."""
    whole = spec(rule)
    assert told(CONVENTION, whole, isolate()(whole)).answer == "not grown"


def test_a_large_minority_overturns_and_a_small_one_does_not() -> None:
    for committed, answer in ((1, "not grown"), (7, "grown")):
        whole = spec(MajorityOfMemory(), committed, convention=0)
        assert told(COMMITTED_MINORITY, whole, uncommit("minority")(whole)).answer == answer


def test_the_risks_can_be_measured() -> None:
    known = {risk.name for risk in RISKS if risk.measurable}
    assert known >= {"convention without individual bias", "committed minority"}
