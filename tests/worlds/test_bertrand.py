"""The Bertrand market with logit demand: what prices lead to, and rules against published equilibria."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import BestPrice, Constant, LanguageModel, Random
from cloudchamber.errors import SpecificationError
from cloudchamber.measures import measure_named
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Decider,
    Group,
    Hidden,
    Microspec,
    Population,
    Simultaneous,
    Visibility,
    Window,
)
from cloudchamber.microspec.world import Acts, Opening
from cloudchamber.phenomenon import COLLUSION
from cloudchamber.testing.growing import grown
from cloudchamber.trace import Trace
from cloudchamber.worlds import Bertrand


def spec(
    decides: Decider, world: Bertrand | None = None, firms: int = 2, **parts: Any
) -> Microspec:
    known: dict[str, Any] = {
        "turns": Simultaneous(steps=40),
        "memory": Window(k=2),
        "visibility": Visibility(fields={"prices": Hidden()}),
        "affordances": Affordances(choose="amount", labels="words"),
    }
    people = Population(groups=(Group(name="firms", count=firms, decides=decides),))
    return Microspec(world=world or Bertrand(), population=people, **(known | parts))


def facts(trace: Trace) -> Mapping[str, float]:
    series = trace.frame("series")
    return dict(series[series["step"] == series["step"].max()].set_index("measure")["value"])


def test_a_firm_that_has_asked_nothing_sells_nothing() -> None:
    world = Bertrand()
    state = world.start(Opening.of(1, 2))
    none = np.zeros(1, np.int64)
    led = world.apply(state, Acts(none, none, none, none, 0, np.array([2.0])))
    assert led["sold"] == pytest.approx(50)  # as many buy nothing
    assert led["profit"] == pytest.approx(50)
    assert state.tally.tolist() == [[50]] and state.score.tolist() == [[50, 0]]


@pytest.mark.parametrize(
    ("which", "price", "profit"), [("nash", 1.4729, 22.29), ("joint", 1.925, 33.75)]
)
def test_published_values(which: str, price: float, profit: float) -> None:
    """Calvano et al. 2020, with 100 buyers in place of 1."""
    rule = getattr(Constant, which)(Bertrand().market(2))
    found = facts(grown(spec(rule, turns=Simultaneous(steps=1))))
    assert found["price"] == pytest.approx(price, abs=5e-5)
    assert found["profit"] == pytest.approx(profit, abs=5e-3)


@pytest.mark.parametrize("firms", [2, 3, 5])
def test_best_prices_come_to_nash(firms: int) -> None:
    world = Bertrand()
    found = facts(grown(spec(BestPrice.of(world.market(firms)), world, firms)))
    assert found["price"] == pytest.approx(found["price at Nash"], abs=1e-6)
    assert found["profit"] == pytest.approx(found["profit at Nash"], abs=1e-4)


def test_firms_that_differ_come_to_their_own_nash() -> None:
    world = Bertrand(costs=((1.0, 1.2), (1.4, 0.9)), quality=((2.0, 2.0),), most=4.0)
    rule = BestPrice.of(world.market(2))
    trace = grown(spec(rule, world, memory=Window(k=2)))
    last = trace.frame("decisions").query("step == 39").sort_values(["agent", "choice"])["value"]
    assert last.to_numpy().reshape(2, 2) == pytest.approx(world.market(2).nash(), abs=1e-6)


def test_what_a_model_is_told() -> None:
    trace = grown(spec(LanguageModel(model="fake:hash"), turns=Simultaneous(steps=3)))
    last = trace.frame("decisions")["prompt"].iloc[-1]
    prompt = str(trace.frame("texts").set_index("text")["content"][last])
    assert "Your firm sells product A." in prompt and "costs you 1." in prompt
    assert "a price of" in prompt and "sold " in prompt and "profit " in prompt
    assert "Firm 0" not in prompt and "add up" not in prompt
    assert trace.frame("decisions")["value"].between(0, 3).all()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SpecificationError, match="give as many, or one row"):
        Bertrand(quality=((1.0, 2.0),))
    with pytest.raises(SpecificationError, match="grid: 5 given; allowed: at most 3"):
        Bertrand(grid=5.0)


def test_collusion_is_grown_by_the_joint_optimum_and_not_by_best_answers() -> None:
    market = Bertrand().market(2)
    runs = range(5)
    kept = [
        grown(spec(rule, turns=Simultaneous(steps=20)), replicates=runs, seed=seed)
        for seed, rule in enumerate(
            (Constant.joint(market), BestPrice.of(market), Constant.nash(market))
        )
    ]
    gains = [measure_named("profit gain")(trace) for trace in kept]
    assert [gain.mean() for gain in gains] == pytest.approx([1, 0, 0], abs=1e-3)
    assert measure_named("lasting specialisation")(kept[0]).mean() == pytest.approx(0)
    margin = COLLUSION.criterion.margin
    assert COLLUSION.measure.name == "profit gain" and gains[1].max() < margin < gains[0].min()


@pytest.mark.parametrize("latency", [0, 1, 3])
def test_rivals_prices_reach_a_firm_as_late_as_visibility_says(latency: int) -> None:
    """With no latency what is seen is the round before: all decide at once."""
    seen = Visibility(latency=latency)
    each = Complete(representation="acts", last=1)
    steps = Simultaneous(steps=6)
    trace = grown(spec(Random(), visibility=seen, communication=each, turns=steps))
    made = trace.frame("decisions").set_index("decision")
    asked = made.pivot_table(index="step", columns="agent", values="value")
    shown = trace.frame("exposures").join(made[["step", "agent"]], on="decision")
    late = max(latency, 1)
    for _, one in shown[shown["channel"] == "option"].iterrows():
        then = one["step"] - late
        assert one["signal_prices"] == pytest.approx(asked.loc[then].sum() if then >= 0 else 0.0)
    heard = shown[shown["channel"] == "others"]
    assert len(heard) == 2 * (6 - late) and (heard["latency"] == late).all()
    for _, one in heard.iterrows():
        assert one["signal_value"] == pytest.approx(
            asked.loc[one["step"] - late, 1 - one["agent"]], rel=1e-6
        )


def test_hidden_prices_reach_nobody() -> None:
    shown = grown(spec(Random(), turns=Simultaneous(steps=4))).frame("exposures")
    assert "signal_prices" not in shown or shown["signal_prices"].isna().all()
    assert not (shown["channel"] == "others").any()
