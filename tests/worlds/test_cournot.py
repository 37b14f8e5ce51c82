"""The Cournot market: what acts lead to, what is told and counted, and rules against the closed forms."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import BestQuantity, Constant, LanguageModel, Random
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Decider,
    Group,
    Hidden,
    Microspec,
    Population,
    Sequential,
    Simultaneous,
    Summary,
    Visibility,
    Window,
)
from cloudchamber.microspec.world import Acts, Opening, State
from cloudchamber.testing.growing import grown
from cloudchamber.trace import Trace
from cloudchamber.worlds import Cournot

AMOUNTS = Affordances(choose="amount", labels="words")
UNSEEN = Visibility(fields={"quantity": Hidden()})


def spec(decides: Decider, world: Cournot | None = None, firms: int = 2, **parts: Any) -> Microspec:
    known: dict[str, Any] = {
        "turns": Simultaneous(steps=30),
        "memory": Window(k=4),
        "visibility": UNSEEN,
        "affordances": AMOUNTS,
    }
    people = Population(groups=(Group(name="firms", count=firms, decides=decides),))
    return Microspec(world=world or Cournot(), population=people, **(known | parts))


def facts(trace: Trace, step: int = 30) -> Mapping[str, float]:
    series = trace.frame("series")
    return dict(series[series["step"] == step].set_index("measure")["value"])


def acting(world: Cournot, amounts: Any, state: State | None = None) -> tuple[State, Any]:
    """All firms of one run decide together."""
    given = np.asarray(amounts, np.float64)
    firms, goods = given.shape
    state = state or world.start(Opening.of(1, firms))
    agent, item = np.indices(given.shape).reshape(2, -1)
    number = np.arange(firms * goods)
    return state, world.apply(
        state, Acts(np.zeros_like(agent), agent, item, number, 0, given.reshape(-1))
    )


class TestWhatActsLeadTo:
    def test_price_share_and_profit_of_the_published_division(self) -> None:
        state, led = acting(Cournot(), [[60, 0], [0, 60]])
        assert led["price"] == pytest.approx([70, 70, 70, 70])
        assert led["share"] == pytest.approx([1, 0, 0, 1])
        assert led["profit"] == pytest.approx([1800, 0, 0, 1800])
        assert state.score == pytest.approx(1800)
        assert state.tally == pytest.approx(60)

    def test_a_later_decision_takes_the_place_of_the_earlier_one(self) -> None:
        world = Cournot()
        state, _ = acting(world, [[60, 0], [0, 60]])
        one = np.zeros(1, np.int64)
        world.apply(state, Acts(one, one, one + 1, one + 4, 1, np.array([30.0])))
        assert state.tally == pytest.approx(np.array([[0.0, 90.0]]))
        assert state.score[0] == pytest.approx([1800 + 30 * (55 - 50), 1800])

    def test_no_price_is_below_nothing(self) -> None:
        _, led = acting(Cournot(capacity=None), [[200.0, 100.0], [50.0, 150.0]])
        assert led["price"] == pytest.approx(0)
        assert led["profit"] == pytest.approx([-8000, -5000, -2500, -6000])

    def test_nothing_made_is_no_share(self) -> None:
        _, led = acting(Cournot(), [[0, 0], [0, 10]])
        assert led["share"] == pytest.approx([0, 0, 0, 1])

    def test_costs_are_told_firm_by_firm_and_dealt_in_turn(self) -> None:
        cost = Cournot().start(Opening.of(2, 3)).given["cost"]
        assert cost[1].tolist() == [[40, 50], [50, 40], [40, 50]]


class TestFacts:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("nash", (0.27273, 0.53719, 63.33333, 1444.44444)),
            ("joint", (1.0, 1.0, 70.0, 1800.0)),
            (((80.0, 5.0), (5.0, 80.0)), (0.88235, 0.88927, 57.5, 1437.5)),
        ],
    )
    def test_constant_firms(self, given: Any, expected: tuple[float, ...]) -> None:
        market = Cournot().market(2)
        known = {"nash": Constant.nash(market), "joint": Constant.joint(market)}
        rule = known[given] if isinstance(given, str) else Constant(given=given)
        found = facts(grown(spec(rule, turns=Simultaneous(steps=1))), 1)
        names = ("specialisation", "concentration", "price", "profit")
        assert [found[name] for name in names] == pytest.approx(expected, abs=5e-6)
        assert found["profit at Nash"] == pytest.approx(1444.4444, abs=1e-4)
        assert found["profit at the joint optimum"] == pytest.approx(1800)

    def test_at_eighty_five_firms_are_specialised_and_earn_less_than_at_nash(self) -> None:
        found = facts(grown(spec(Constant(given=((80.0, 5.0), (5.0, 80.0))))))
        assert found["specialisation"] > found["specialisation at Nash"]
        assert found["profit"] < found["profit at Nash"]
        assert found["price"] < found["price at Nash"]

    def test_before_anyone_acted_nothing_is_so(self) -> None:
        found = facts(grown(spec(Random())), 0)
        assert np.isnan(
            [found[name] for name in ("specialisation", "concentration", "profit")]
        ).all()


class TestBestQuantity:
    rule = BestQuantity.of(Cournot().market(2))

    @pytest.mark.parametrize(
        "parts",
        [
            {},
            {"visibility": Visibility()},
            {"communication": Complete(representation="acts", last=4)},
            {"turns": Sequential(steps=30, order="fixed")},
        ],
        ids=["infers", "sees totals", "sees acts", "in turn"],
    )
    def test_two_firms_come_to_nash_whatever_they_know_rivals_by(self, parts: Any) -> None:
        found = facts(grown(spec(self.rule, **parts)))
        assert found["profit"] == pytest.approx(1444.4444, abs=1e-3)
        assert found["specialisation"] == pytest.approx(0.272727, abs=1e-5)

    def test_symmetric_costs_lead_to_forty_each(self) -> None:
        world = Cournot(costs=((40.0, 40.0),))
        trace = grown(spec(self.rule, world))
        last = trace.frame("decisions").query("step == 29")["value"]
        assert last.tolist() == pytest.approx([40] * 4)

    def test_distance_to_nash_halves_each_round(self) -> None:
        """Two firms at once: each goes half as far the other way (Cournot's own argument)."""
        world = Cournot(costs=((40.0,), (40.0,)), capacity=None)
        values = grown(spec(self.rule, world, memory=Window(k=1))).frame("decisions")["value"]
        away = (values.to_numpy().reshape(30, 2) - 40)[:12, 0]
        assert away[1:] / away[:-1] == pytest.approx(-0.5)

    def test_three_firms_at_once_never_rest_and_with_half_the_pace_they_do(self) -> None:
        world = Cournot(costs=((40.0,),), capacity=None)
        whole = grown(spec(self.rule, world, firms=3, memory=Window(k=1)))
        half = grown(spec(self.rule.altered(pace=0.5), world, firms=3, memory=Window(k=1)))
        nash = float(world.market(3).nash()[0, 0])
        at = [trace.frame("decisions").query("step >= 28")["value"] for trace in (whole, half)]
        assert at[0].std() > 10
        assert at[1].to_numpy() == pytest.approx(nash, abs=1e-6)

    def test_who_knows_nothing_makes_a_monopolists_quantities_within_capacity(self) -> None:
        found = grown(spec(self.rule, turns=Simultaneous(steps=1)))
        assert sorted(found.frame("decisions")["value"]) == pytest.approx([45, 45, 55, 55])

    def test_with_rivals_hidden_and_no_memory_it_learns_nothing(self) -> None:
        values = grown(spec(self.rule, memory="none")).frame("decisions")
        assert values.groupby("step")["value"].sum().nunique() == 1

    def test_noise_is_the_agents_own_and_stays_on_the_scale(self) -> None:
        noisy = self.rule.altered(noise=10.0)
        values = grown(spec(noisy)).frame("decisions")
        assert values["value"].between(0, 100).all()
        made = values.groupby(["step", "agent"])["value"].sum()
        assert (made <= 100 + 1e-9).all() and made.nunique() > 30


class TestWhatAModelIsTold:
    def told(self, **parts: Any) -> str:
        model = LanguageModel(model="fake:hash")
        known: dict[str, Any] = {"turns": Simultaneous(steps=3)}
        trace = grown(spec(model, **(known | parts)))
        last = trace.frame("decisions")["prompt"].iloc[-1]
        return str(trace.frame("texts").set_index("text")["content"][last])

    def test_all_of_the_published_design_and_nothing_of_rivals(self) -> None:
        prompt = self.told()
        for part in (
            "product A and product B" if "product A and" in prompt else "product B and product A",
            "costs you 40",
            "costs you 50",
            "at most 100 units",
            "price ",
            "share ",
            "profit ",
            "2 rounds ago:",
        ):
            assert part in prompt
        for hidden in ("Firm 0", "Firm 1", "All firms together", "Nash", "rival", "collu", "divid"):
            assert hidden not in prompt

    def test_rivals_where_they_are_visible(self) -> None:
        prompt = self.told(
            visibility=Visibility(), communication=Complete(representation="acts", last=2)
        )
        assert "All firms together" in prompt and ("Firm 0" in prompt) != ("Firm 1" in prompt)

    @pytest.mark.parametrize("name", ["price", "share", "profit", "cost"])
    def test_what_is_hidden_is_not_told(self, name: str) -> None:
        seen = Visibility(fields={"quantity": Hidden(), name: Hidden()})
        rounds = self.told(visibility=seen).split("2 rounds ago:")[1].split("How many")[0]
        told = {one for one in ("price", "share", "profit") if f"{one} " in rounds}
        assert told == {"price", "share", "profit"} - {name}
        assert ("costs you" in self.told(visibility=seen)) == (name != "cost")

    def test_no_more_is_allowed_than_is_left(self) -> None:
        model = LanguageModel(model="fake:last")
        trace = grown(spec(model, turns=Simultaneous(steps=1), visibility=UNSEEN))
        assert trace.frame("decisions")["value"].tolist() == [100, 0, 100, 0]

    def test_a_summary_is_told_as_a_sum(self) -> None:
        prompt = self.told(memory=Summary())
        assert "So far you made" in prompt and "rounds ago" not in prompt

    def test_other_words_mean_the_same(self) -> None:
        others = Cournot().paraphrases()
        assert set(others) == {"plain", "reworded"}
        assert all(one.altered(wording="begun") == Cournot() for one in others.values())


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SpecificationError, match="each firm has a cost for each good"):
        Cournot(costs=((1.0, 2.0), (1.0,)))
    with pytest.raises(SpecificationError, match="grid: 200 given; allowed: at most 100"):
        Cournot(grid=200.0)
    with pytest.raises(SpecificationError, match="set it to 'amount'"):
        spec(Random(), affordances=Affordances())
