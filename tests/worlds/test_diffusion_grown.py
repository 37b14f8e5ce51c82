"""Thresholds and contagion as they are grown, beside exact answers and closed forms."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import Contagion, Rule, Society, Threshold, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import (
    Affordances,
    Edges,
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
from cloudchamber.validation.closed_forms import final_size, mean_outbreak, threshold_share
from cloudchamber.worlds import Diffusion, Drawn

SI = Affordances(acts=("adopt",))
PEOPLE = 100


def grown(
    world: Diffusion, rule: Rule, agents: int, steps: int, runs: int = 1, **parts: Any
) -> Trace:
    known: dict[str, Any] = {"turns": Simultaneous(steps=steps), "affordances": SI}
    people = Population(groups=(Group(name="people", count=agents, decides=rule),))
    spec = Microspec(world=world, population=people, **(known | parts))
    trace = Trace()
    pool = Runs(3, np.arange(runs), np.arange(1, runs + 1))
    decide(grow(spec, pool, trace, level=Level("summary")), Society(spec))
    return trace


def reach(trace: Trace) -> np.ndarray:
    return MEASURES["reach"](trace).to_numpy()


LADDER = tuple(float(one) for one in range(PEOPLE))


@pytest.mark.parametrize(
    ("turns", "people"), [(Simultaneous(steps=PEOPLE), PEOPLE), (Sequential(steps=20), 20)]
)
def test_one_threshold_decides_between_all_and_one(turns: Any, people: int) -> None:
    """Granovetter 1978: of thresholds 0 to 99 all join; with the 1 replaced by a 2 one does."""
    ladder = LADDER[:people]
    riot = grown(Diffusion(seeds=0, thresholds=ladder), Threshold(), people, 1, turns=turns)
    assert reach(riot) == [1]
    broken = (0.0, 2.0, *ladder[2:])
    calm = grown(Diffusion(seeds=0, thresholds=broken), Threshold(), people, 1, turns=turns)
    assert reach(calm) == [1 / people]


def test_the_ladder_is_climbed_a_step_at_a_time() -> None:
    trace = grown(Diffusion(seeds=0, thresholds=LADDER), Threshold(), PEOPLE, PEOPLE)
    course = MEASURES["reach"].over_time
    assert course is not None
    assert np.allclose(course(trace)["value"], np.arange(PEOPLE + 1) / PEOPLE)
    assert MEASURES["time to half"](trace).tolist() == [50]


def test_who_sees_nobody_joins_for_no_other_reason() -> None:
    hidden = Visibility(fields={"people": Hidden()})
    world = Diffusion(seeds=0, thresholds=LADDER)
    assert reach(grown(world, Threshold(), PEOPLE, 9, visibility=hidden)) == [0.01]
    shares = Diffusion(seeds=0, thresholds=tuple(one / PEOPLE for one in LADDER), of="share")
    assert reach(grown(shares, Threshold(), PEOPLE, 9, visibility=hidden)) == [0.01]
    rule = Threshold(at=0.5, of="share")
    assert reach(grown(Diffusion(seeds=0), rule, PEOPLE, 9, visibility=hidden)) == [0]


@pytest.mark.parametrize("sd", [8, 10, 11, 12, 12.2, 12.3, 15, 20, 30, 50])
def test_the_table_over_the_spread_of_thresholds(sd: float) -> None:
    """Thresholds at the quantiles of a normal distribution end at the fixed point, beyond the jump too."""
    from scipy.special import ndtri

    agents = 2000
    quantiles = 0.25 + sd / 100 * ndtri((np.arange(agents) + 0.5) / agents)
    world = Diffusion(seeds=0, of="share", thresholds=tuple(quantiles.tolist()))
    ended = reach(grown(world, Threshold(), agents, 150))[0]
    joined = 0.0
    while (after := float((quantiles <= joined + 1e-9).mean())) > joined:
        joined = after
    assert ended == pytest.approx(joined), "where so many thresholds end, exactly"
    # Among finitely many the curve is a staircase, which tells near the jump.
    assert ended == pytest.approx(threshold_share(0.25, sd / 100), abs=3e-3)


@pytest.mark.parametrize(("sd", "wide"), [(0.10, 0.003), (0.2, 0.003), (0.5, 0.02)])
def test_thresholds_drawn(sd: float, wide: float) -> None:
    world = Diffusion(seeds=0, of="share", thresholds=Drawn(mean=0.25, sd=sd))
    ended = reach(grown(world, Threshold(), 2000, 30, runs=8))
    expected = threshold_share(0.25, sd)
    assert abs(ended.mean() - expected) < wide
    assert abs(ended.mean() - expected) < 4 * max(float(ended.std()), 3e-4) / 8**0.5


@pytest.mark.parametrize("runs", [150, pytest.param(2000, marks=pytest.mark.slow)])
def test_an_outbreak_below_one_is_a_branching_process(runs: int) -> None:
    agents, reproduction = 300, 0.5
    rule = Contagion(chance=reproduction / agents, stop=1.0)
    ended = reach(grown(Diffusion(seeds=1), rule, agents, 15, runs, affordances=Affordances()))
    sizes = ended * agents
    # Among N the mean falls short by some 1/N of it; the standard deviation is sqrt(R / (1 - R)^3) = 2.
    assert sizes.mean() == pytest.approx(mean_outbreak(reproduction), abs=4 * 2 / runs**0.5)
    assert sizes.std() == pytest.approx(2, rel=10 / runs**0.5)
    share_alone = float((sizes == 1).mean())
    assert share_alone == pytest.approx(np.exp(-reproduction), abs=4 * 0.49 / runs**0.5)


@pytest.mark.parametrize(("chance", "stop"), [(2.0, 1.0), (1.5, 1.0), (1.0, 0.5)])
def test_final_size(chance: float, stop: float) -> None:
    agents, seeds = 2000, 20
    rule = Contagion(chance=chance / agents, stop=stop)
    world = Diffusion(seeds=seeds)
    trace = grown(world, rule, agents, 60, runs=4, affordances=Affordances())
    expected = final_size(chance / stop, seeds / agents)
    assert abs(reach(trace).mean() - expected) < 0.03
    ended = trace.columns("outcomes")
    last = ended["step"] == 60
    assert not ended["value"][last & (ended["item"] == 1)].any(), "it is over"


def test_without_an_end_it_reaches_all() -> None:
    trace = grown(Diffusion(seeds=1), Contagion(chance=0.05), 200, 60, runs=3)
    assert (reach(trace) == 1).all() and (MEASURES["peak"](trace) == 1).all()


def test_on_a_ring_it_goes_a_step_each_way() -> None:
    near: dict[str, Any] = {
        "communication": Ring(k=1),
        "visibility": Visibility(whose="neighbours"),
    }
    for steps in (1, 5, 20):
        trace = grown(Diffusion(seeds=1), Contagion(chance=1.0), 101, steps, **near)
        assert reach(trace) == pytest.approx([(2 * steps + 1) / 101])
    # Two of those one sees do not come together on a ring of single neighbours (a complex contagion).
    assert reach(grown(Diffusion(seeds=1), Threshold(at=2), 101, 20, **near)) == [1 / 101]
    half, more = (
        reach(grown(Diffusion(seeds=1), Threshold(at=at, of="share"), 101, 60, **near))
        for at in (0.5, 0.51)
    )
    assert half == [1] and more == [1 / 101]


def test_a_complex_contagion_needs_ties_that_close() -> None:
    """Two seeds side by side: with two neighbours on each side it spreads, with one it does not."""
    for k, expected in ((2, 1.0), (1, 2 / 40)):
        pairs = tuple((a, (a + hop) % 40) for a in range(40) for hop in range(1, k + 1))
        spec: dict[str, Any] = {
            "communication": Edges(pairs=pairs),
            "visibility": Visibility(whose="neighbours"),
        }
        people = Population(
            groups=(
                Group(name="first", count=2, decides=Threshold(at=0)),
                Group(name="rest", count=38, decides=Threshold(at=2)),
            ),
            placement="in order",
        )
        world = Diffusion(seeds=0)
        micro = Microspec(
            world=world, population=people, turns=Simultaneous(steps=40), affordances=SI, **spec
        )
        trace = Trace()
        decide(grow(micro, Runs(1, np.arange(1), np.arange(1, 2)), trace), Society(micro))
        assert reach(trace) == pytest.approx([expected])


def test_who_is_named_though_nothing_is_open_to_it_leaves_the_turn_to_whose_it_would_be() -> None:
    """Some of those named have it already and are not asked, in some runs of a pool and not in others."""
    turns = Sequential(steps=12, order="endogenous")
    many, one = (
        grown(Diffusion(seeds=2), Contagion(chance=0.4), 6, 12, runs, turns=turns)
        for runs in (5, 1)
    )
    assert reach(many)[0] == reach(one)[0] and (reach(many) > 2 / 6).all()


def test_late_news_slows_it() -> None:
    late = Visibility(latency=3)
    turns = Simultaneous(steps=40)
    world = Diffusion(seeds=0, thresholds=tuple(float(one) for one in range(10)))
    soon = grown(world, Threshold(), 10, 40, turns=turns)
    slow = grown(world, Threshold(), 10, 40, turns=turns, visibility=late)
    half = MEASURES["time to half"]
    assert half(soon).tolist() == [5] and half(slow).tolist() == [13]
    assert reach(slow) == [1]
