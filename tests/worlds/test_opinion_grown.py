"""The force of a majority as it is grown, beside the mean field; what is finite about a group is said."""

from math import tanh
from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import Always, MajorityForce, Society, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.measures import MEASURES
from cloudchamber.mechanism import Logit, Majority
from cloudchamber.microspec import (
    Asynchronous,
    Decider,
    Group,
    Hidden,
    Microspec,
    Population,
    Ring,
    Sequential,
    Simultaneous,
    Visibility,
)
from cloudchamber.trace import Level, Trace
from cloudchamber.validation.closed_forms import opinion
from cloudchamber.worlds import Opinion


def grown(
    decides: Decider, agents: int, steps: int, runs: int = 4, up: float = 0.5, **parts: Any
) -> Trace:
    known: dict[str, Any] = {
        "turns": Simultaneous(steps=steps),
        "population": Population(groups=(Group(name="people", count=agents, decides=decides),)),
    }
    spec = Microspec(world=Opinion(up=up), **(known | parts))
    trace = Trace()
    pool = Runs(2, np.arange(runs), np.arange(1, runs + 1))
    decide(grow(spec, pool, trace, level=Level("summary")), Society(spec))
    return trace


def settled(trace: Trace) -> np.ndarray:
    """The mean opinion of each run over the second half of its steps."""
    course = MEASURES["mean opinion"].over_time
    assert course is not None
    frame = course(trace)
    late = frame[frame["step"] > frame["step"].max() / 2]
    return np.asarray(late.groupby("run")["value"].mean())


@pytest.mark.parametrize("strength", [1.2, 1.5, 2.5])
def test_a_large_group_settles_where_the_mean_field_does(strength: float) -> None:
    found = settled(grown(MajorityForce(strength=strength), 2000, 50, up=1.0))
    assert found.mean() == pytest.approx(opinion(strength), abs=0.02)
    down = settled(grown(MajorityForce(strength=strength), 2000, 50, up=0.0))
    assert down.mean() == pytest.approx(-opinion(strength), abs=0.02)


@pytest.mark.parametrize(
    "turns", [Asynchronous(steps=16), Sequential(steps=12)], ids=lambda one: one.kind
)
def test_whoever_decides_when(turns: Any) -> None:
    found = settled(grown(MajorityForce(strength=1.5), 120, 1, runs=16, up=1.0, turns=turns))
    # Of 120 the mean opinion of a run strays by about sqrt((1 - m^2) / 120) / (1 - slope).
    assert found.mean() == pytest.approx(opinion(1.5), abs=0.03)


@pytest.mark.parametrize("lean", [0.2, -0.2])
def test_a_lean_moves_it(lean: float) -> None:
    found = settled(grown(MajorityForce(strength=0.8, lean=lean), 2000, 40))
    assert found.mean() == pytest.approx(np.sign(lean) * opinion(0.8, abs(lean)), abs=0.02)
    away = settled(grown(MajorityForce(strength=0.8, lean=lean, toward=0), 2000, 40))
    assert away.mean() == pytest.approx(-found.mean(), abs=0.03)


def test_below_one_a_group_is_split_but_for_its_size() -> None:
    """m' = tanh(beta m) + noise of variance 1/N, so N var(m) is 1 / (1 - beta^2) for small m."""
    agents, runs, strength = 100, 400, 0.7
    last = MEASURES["mean opinion"](grown(MajorityForce(strength=strength), agents, 20, runs))
    expected = 1 / (1 - strength**2)
    assert agents * float(last.var()) == pytest.approx(expected, rel=4 * (2 / runs) ** 0.5)
    assert abs(float(last.mean())) < 4 * float(last.std()) / runs**0.5


@pytest.mark.parametrize(("strength", "low", "high"), [(0.7, 0.2, 0.3), (1.4, 0.95, 1.05)])
def test_one_is_critical(strength: float, low: float, high: float) -> None:
    """From an even split: below 1 the majority falls as one over the root of the size; above it stays."""
    few, many = (
        float(MEASURES["majority"](grown(MajorityForce(strength=strength), n, 20, 120)).mean())
        for n in (25, 400)
    )
    assert low < many / few < high


@pytest.mark.slow
def test_at_one_it_falls_as_one_over_the_fourth_root() -> None:
    few, many = (
        float(MEASURES["majority"](grown(MajorityForce(strength=1.0), n, 150, 200)).mean())
        for n in (50, 800)
    )
    assert many / few == pytest.approx(0.5, abs=0.07)


def least(strength: float, stubborn: float) -> float:
    """The least solution of m = s + (1 - s) tanh(strength m)."""
    m = -1.0
    for _ in range(100_000):
        m = stubborn + (1 - stubborn) * tanh(strength * m)
    return m


@pytest.mark.parametrize("stubborn", [0.04, 0.2])
def test_few_who_never_change_turn_a_group_or_do_not(stubborn: float) -> None:
    agents = 1000
    people = Population(
        groups=(
            Group(
                name="people",
                count=round(agents * (1 - stubborn)),
                decides=MajorityForce(strength=1.5),
            ),
            Group(name="stubborn", count=round(agents * stubborn), decides=Always(item=1)),
        )
    )
    found = settled(grown(MajorityForce(), agents, 60, up=0.0, population=people))
    assert found.mean() == pytest.approx(least(1.5, stubborn), abs=0.03)
    assert (found.mean() > 0) == (stubborn == 0.2)


def test_who_sees_nobody_does_not_agree() -> None:
    hidden = Visibility(fields={"people": Hidden()})
    trace = grown(MajorityForce(strength=5.0), 400, 10, runs=40, visibility=hidden)
    # The mean of |z| / sqrt(400), z standard normal.
    assert float(MEASURES["majority"](trace).mean()) == pytest.approx(0.8 / 20, abs=0.02)


def test_neighbours_on_a_ring_do_not_agree_for_good() -> None:
    near = {"communication": Ring(k=1), "visibility": Visibility(whose="neighbours")}
    ring = grown(MajorityForce(strength=1.5), 400, 60, runs=6, up=1.0, **near)
    assert float(MEASURES["majority"](ring).mean()) < 0.3, "one dimension has no order"


def test_the_mechanism_is_the_rule() -> None:
    """The term of the language of mechanisms and the rule are one formula, so they decide alike."""
    rule = MajorityForce(strength=1.3, lean=0.2)
    term = Majority(field="people", beta=1.3, toward=1, h=0.2)
    one, other = (settled(grown(by, 60, 20, up=0.3)) for by in (rule, Logit(terms=(term,))))
    assert np.array_equal(one, other)
