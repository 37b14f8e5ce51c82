"""Public goods: payoffs as of the exact game, in any order of moves, and what a language model is told."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.agents import Contributor, FreeRider
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import (
    Acts,
    Affordances,
    Glimpse,
    Group,
    Microspec,
    Opening,
    Population,
    Sequential,
    Simultaneous,
    State,
    Turns,
    Window,
)
from cloudchamber.microspec.world import Remembered, Shown
from cloudchamber.testing import grown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds import PublicGoods

NAN = math.nan


def give(
    world: PublicGoods, state: State, step: int, agents: list[int], amounts: list[float]
) -> Acts:
    many = len(agents)
    acts = Acts(
        np.zeros(many, np.int64),
        np.array(agents),
        np.zeros(many, np.int64),
        np.arange(many),
        step,
        np.array(amounts, float),
    )
    world.apply(state, acts)
    return acts


def settle(world: PublicGoods, state: State, *acts: Acts) -> Any:
    return world.settle(state, Acts.joined(acts))["payoff"]


worlds = st.builds(
    PublicGoods,
    players=st.just(3),
    endowment=st.sampled_from([1.0, 20.0]),
    multiplier=st.sampled_from([0.0, 1.6, 4.0]),
    bonus=st.sampled_from([0.0, 0.1]),
    threshold=st.sampled_from([0.0, 1.0, 25.0]),
    penalty=st.sampled_from([0.0, 5.0]),
)
rounds = st.lists(st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=3, max_size=3), max_size=3)


@settings(max_examples=80, deadline=None)
@given(world=worlds, shares=rounds, sequential=st.booleans())
def test_scores_are_the_payoffs_of_the_game(
    world: PublicGoods, shares: list[list[float]], sequential: bool
) -> None:
    state = world.start(Opening.of(1, 3))
    expected = np.zeros(3)
    for step, one in enumerate(shares):
        given_ = [world.endowment * share for share in one]
        if sequential:
            acts = [give(world, state, step, [at], [c]) for at, c in enumerate(given_)]
            paid = world.game.payoffs(given_)
        else:  # nobody is before anybody
            acts = [give(world, state, step, [0, 1, 2], given_)]
            paid = world.altered(bonus=0.0).game.payoffs(given_)
        assert np.allclose(state.score[0], expected), "nobody is paid before the round is over"
        assert np.allclose(settle(world, state, *acts), paid)
        expected += paid
        assert state.tally.tolist() == [[pytest.approx(sum(given_))]]
    assert np.allclose(state.score[0], expected)
    assert state.more["mean score"][0] == pytest.approx(expected.mean())


@pytest.mark.parametrize("turns", [Sequential(steps=3, order="fixed"), Simultaneous(steps=3)])
def test_remembered_is_what_the_whole_round_was_worth(turns: Turns) -> None:
    """Who gave first is told of the gifts that came after it, once the round is over."""
    shares = (1.0, 0.5, 0.25)
    world = PublicGoods(players=3, multiplier=1.5, bonus=0.02, threshold=40, penalty=8)
    groups = tuple(
        Group(name=f"{share:g}", count=1, decides=Contributor(share=share)) for share in shares
    )
    trace = grown(
        Microspec(
            world=world,
            population=Population(groups=groups, placement="in order"),
            turns=turns,
            memory=Window(k=1),
            affordances=Affordances(choose="amount", scoring="shown"),
        )
    )
    paid = world.game.payoffs([20.0, 10.0, 5.0])
    if turns.kind == "simultaneous":  # nobody gives before anybody
        paid = world.altered(bonus=0.0).game.payoffs([20.0, 10.0, 5.0])
    told = trace.frame("exposures").merge(
        trace.frame("decisions")[["run", "decision", "step", "agent"]], on=["run", "decision"]
    )
    own = told[told["channel"] == "own"]
    assert len(own) == len(told["run"].unique()) * 2 * 3
    assert np.allclose(own["signal_payoff"], paid[own["agent"]])
    score = told[told["channel"] == "score"]
    assert np.allclose(score["signal_value"], score["step"] * paid[score["agent"]])


def test_a_round_in_which_someone_gives_no_answer_is_settled_too() -> None:
    world = PublicGoods(players=3, endowment=10, multiplier=1.5, threshold=20, penalty=4)
    state = world.start(Opening.of(1, 3))
    settle(world, state, give(world, state, 0, [0, 2], [10, 5]))
    assert state.score.tolist() == [[7.5 - 4, 7.5 - 4, 12.5 - 4]]
    settle(world, state, give(world, state, 1, [0, 2], [10, 10]))
    assert state.score.tolist() == [[3.5 + 10, 3.5 + 10, 8.5 + 10]]


def test_runs_of_a_pool_do_not_touch_one_another() -> None:
    world = PublicGoods(players=2, endowment=10, multiplier=1.0, threshold=5, penalty=3)
    state = world.start(Opening.of(3, 2))
    acts = Acts(np.array([2]), np.array([0]), np.array([0]), np.array([0]), 0, np.array([4.0]))
    world.apply(state, acts)
    settle(world, state, acts)
    assert not state.score[:2].any() and not state.tally[:2].any()
    assert state.score[2].tolist() == [6 + 2 - 3, 2 - 3]


def test_places_are_told_to_each_alone() -> None:
    state = PublicGoods(players=3, places=True).start(Opening.of(2, 3))
    assert state.given["place"].shape == (2, 3, 1)
    assert state.given["place"][1, :, 0].tolist() == [1, 2, 3]
    assert PublicGoods(players=3).start(Opening.of(2, 3)).given == {}


def glimpse(signals: dict[str, float], *heard: Remembered) -> Glimpse:
    options = (Shown(0, "A", signals),)
    allowed = tuple(f"{amount:g}" for amount in PublicGoods(step=5).scale.grid())
    return Glimpse(Kind.amount, options, heard, 1, False, about=0, allowed=allowed)


def test_what_a_player_is_told() -> None:
    told = (
        Remembered("others", 0, 2, 0, 12.5),
        Remembered("own", 0, 1, 1, 20.0, {"payoff": 17.0}),
        Remembered("score", -1, -1, 0, 17.0),
    )
    world = PublicGoods(bonus=0.02, threshold=60, penalty=8, places=True)
    prompt = world.prompt(glimpse({"contributed": 30.0, "place": 2.0}, *told))
    assert prompt.answers == ("0", "5", "10", "15", "20")
    assert prompt.system == (
        "You play a game in a group of 4 players, yourself included. You want to get as many points as you "
        "can."
    )
    assert prompt.user.splitlines() == [
        "In each round every player has 20 points and decides how many of them to put into pool A. What a "
        "player does not put in, it keeps.",
        "What is in pool A is multiplied by 1.6 and shared out equally among all 4 players: each point put "
        "in pays every player 0.4 points.",
        "For each point that you put in you also get 0.02 points for each point that others have put in "
        "before you in the same round.",
        "If all players together put in less than 60 points in a round, each of them loses 8 points.",
        "",
        "You are number 2 of 4 to decide.",
        "The latest contributions of all players come to 30 points.",
        "Just now, another player put in 12.5 points.",
        "1 round ago, you put in 20 points; in that round you got 17 points.",
        "You have 17 points so far.",
        "",
        "How many points do you put into pool A? Answer with a number: 0, 5, 10, 15 or 20.",
    ]


def test_of_many_amounts_the_first_and_the_last_are_told() -> None:
    allowed = tuple(f"{amount:g}" for amount in PublicGoods(step=0.5).scale.grid())
    told = PublicGoods(step=0.5).prompt(replace(glimpse({}), allowed=allowed))
    assert told.user.endswith("Answer with a number: 0, 0.5, 1 and so on up to 20.")
    assert told.answers == allowed


def test_what_was_given_in_all_is_told_as_that() -> None:
    told = PublicGoods().prompt(glimpse({}, Remembered("own", 0, 1, 2, 35.0, total=True))).user
    assert "You have put in 35 points in all.\n" in told and "ago" not in told


def test_rules_that_do_not_hold_are_not_told() -> None:
    told = PublicGoods().prompt(glimpse({})).user
    assert "before you" not in told and "loses" not in told and "number 2" not in told
    assert len(told.splitlines()) == 4
    other = PublicGoods().paraphrases()["reworded"].prompt(glimpse({})).user
    assert other != told and "1.6" in other and "0.4 points" in other


def test_games_that_make_no_sense() -> None:
    people = Population(groups=(Group(count=3, decides=FreeRider()),))
    can = Affordances(choose="amount")
    with pytest.raises(SpecificationError, match="world.players: 4 given, but there are 3 agents"):
        Microspec(world=PublicGoods(), population=people, affordances=can)
    with pytest.raises(SpecificationError, match="agents give amounts; set it to 'amount'"):
        Microspec(world=PublicGoods(players=3), population=people)
    with pytest.raises(SpecificationError, match="players: .*greater than or equal to 2"):
        PublicGoods(players=1)
    with pytest.raises(SpecificationError, match="share: .*less than or equal to 1"):
        Contributor(share=1.1)


def test_it_reads_aloud() -> None:
    assert PublicGoods(bonus=0.5, threshold=30, penalty=2, places=True).aloud() == (
        "a public good: 4 players put any part of 20 a round into a pool, which is multiplied by 1.6 and "
        "shared by all; each unit brings its giver 0.5 for each unit given before it; if less than 30 is "
        "given in all, each loses 2; each knows its place in the queue"
    )
