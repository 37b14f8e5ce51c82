"""Games of two: payoffs by hand, and what a language model is told."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import Always, TitForTat
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import (
    Acts,
    Glimpse,
    Group,
    Meetings,
    Microspec,
    Opening,
    Population,
    Simultaneous,
)
from cloudchamber.microspec.world import Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds import Dilemma

NAN = float("nan")


def test_each_is_paid_by_what_both_chose() -> None:
    world = Dilemma(temptation=5, reward=3, punishment=1, sucker=0)
    state = world.start(Opening.of(2, 4))
    item, met = np.array([0, 0, 0, 1, 1, 0, 1, 1]), np.array([0, 0, 1, 0, 0, 1, 1, 1])
    run = np.array([1] * 4 + [0] * 4)
    agent = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    told = world.apply(state, Acts(run, agent, item, np.arange(8), 0, met=met))
    assert told["payoff"].tolist() == [3, 3, 0, 5, 5, 0, 1, 1]
    assert state.score.tolist() == [[5, 0, 1, 1], [3, 3, 0, 5]]
    assert state.tally.tolist() == [[1, 3], [3, 1]]
    assert state.more["mean score"].tolist() == [7 / 4, 11 / 4]


def test_who_met_nobody_that_chose_is_paid_nothing_and_told_nothing() -> None:
    world = Dilemma()
    state = world.start(Opening.of(1, 2))
    one = np.zeros(1, np.int64)
    told = world.apply(state, Acts(one, one, one, one, 0, met=one - 1))
    assert np.isnan(told["payoff"]).all() and not state.score.any()
    assert state.tally.tolist() == [[1, 0]]


def test_other_games() -> None:
    hunt, drift = Dilemma.stag_hunt(), Dilemma.snowdrift(benefit=4, cost=2)
    assert hunt.reward > hunt.temptation >= hunt.punishment > hunt.sucker
    assert drift.table.tolist() == [[3, 2], [4, 0]]
    assert 2 * Dilemma().reward > Dilemma().temptation + Dilemma().sucker


def glimpse(heard: tuple[Remembered, ...] = (), **more: Any) -> Glimpse:
    options = (Shown(1, "41", {}), Shown(0, "72", {}))
    return Glimpse(Kind.choose, options, heard, 1, False, **more)


def test_what_a_player_is_told() -> None:
    heard = (
        Remembered("own", 0, 3, 2, NAN, {"payoff": 0.0}),
        Remembered("met", 1, 5, 2, NAN),
        Remembered("own", 1, 3, 1, NAN, {"payoff": 1.0}),
        Remembered("met", 1, 6, 1, NAN),
        Remembered("score", -1, -1, 0, 1.0),
    )
    prompt = Dilemma().prompt(glimpse(heard, persona="You are a baker."))
    assert prompt.answers == ("41", "72") and prompt.begin == "The option I choose is "
    assert prompt.system == (
        "You play a game with another player. You want to get as many points as you can. You are a baker."
    )
    assert prompt.user.splitlines() == [
        "Each of you chooses one of two options at the same time, without seeing what the other chooses.",
        "If you choose 41 and the other player chooses 41, you get 1 point, the other 1 point.",
        "If you choose 41 and the other player chooses 72, you get 5 points, the other 0 points.",
        "If you choose 72 and the other player chooses 41, you get 0 points, the other 5 points.",
        "If you choose 72 and the other player chooses 72, you get 3 points, the other 3 points.",
        "",
        "2 rounds ago, you chose 72 and the other player chose 41; you got 0 points.",
        "1 round ago, you chose 41 and the other player chose 41; you got 1 point.",
        "You have 1 point so far.",
        "",
        "Which option do you choose, 41 or 72? Answer with its code.",
    ]


def test_nothing_says_which_option_is_which_unless_it_has_a_name() -> None:
    plain, named = (
        Dilemma(names=names).prompt(glimpse()) for names in ((), ("Cooperate", "Defect"))
    )
    for word in ("ooperat", "efect", "dilemma", "partner", "prison"):
        assert word not in plain.text()
    assert "If you choose 41 (Defect) and the other player chooses 72 (Cooperate)," in named.user
    assert "do you choose, 41 (Defect) or 72 (Cooperate)? Answer with its code." in named.user


def test_what_is_hidden_is_not_told() -> None:
    own = Remembered("own", 0, 3, 1, NAN)
    told = Dilemma().prompt(glimpse((own,))).user
    assert "1 round ago, you chose 72.\n" in told and "got" not in told
    tallies = (
        Remembered("own", 0, 3, 1, 4.0, total=True),
        Remembered("met", 1, -1, 1, 1.0, total=True),
    )
    told = Dilemma().prompt(glimpse(tallies)).user
    assert "You have chosen 72 4 times.\nThose you met have chosen 41 1 time.\n" in told


def test_counts_of_everyone_are_told_where_they_are_shown() -> None:
    asked = glimpse()
    counts = tuple(replace(one, signals={"chosen": 7.0 + one.item}) for one in asked.options)
    told = Dilemma().prompt(replace(asked, options=counts)).user
    assert "All players together have chosen 41 8 times so far." in told
    assert "All players together have chosen 72 7 times so far." in told


def test_the_other_wording_tells_the_same() -> None:
    (name, other), *_ = Dilemma().paraphrases().items()
    assert name == "reworded" and other == Dilemma(wording="reworded")
    told = other.prompt(glimpse()).user
    assert "You pick 41, the other person picks 72: 5 points for you, 0 points for" in told


def test_games_that_make_no_sense() -> None:
    with pytest.raises(SpecificationError, match="names: give a name for each of the two options"):
        Dilemma(names=("Cooperate",))
    with pytest.raises(SpecificationError, match="names: .*different ones"):
        Dilemma(names=("A", "A"))
    pair = Population(groups=(Group(count=2, decides=TitForTat()),))
    with pytest.raises(SpecificationError, match="agents meet in pairs; set it to 'meetings'"):
        Microspec(world=Dilemma(), population=pair, turns=Simultaneous())
    alone = Population(groups=(Group(count=1, decides=Always()),))
    with pytest.raises(SpecificationError, match="one agent alone has nobody to meet"):
        Microspec(world=Dilemma(), population=alone, turns=Meetings())


def test_it_reads_aloud() -> None:
    assert Dilemma(names=("Stay", "Go")).aloud() == (
        "a game of two that cooperate or defect, called Stay and Go: both cooperate 3, both defect 1, who "
        "defects alone 5, who cooperates alone 0"
    )
