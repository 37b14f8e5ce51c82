"""The naming game: what a meeting pays, what is remembered of a convention, what a player is told."""

import math

import numpy as np
import pytest

from cloudchamber.agents import LanguageModel, LookUp
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import (
    Affordances,
    Group,
    Hidden,
    Meetings,
    Microspec,
    Population,
    Visibility,
    Window,
)
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Remembered, Shown
from cloudchamber.testing import grown, laws
from cloudchamber.testing.seen import seen_by
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds import NAMES_10, NAMES_26, NamingGame

WORLD = NamingGame()


def meeting(run: int, agents: tuple[int, int], said: tuple[int, int], step: int = 0) -> Acts:
    """Two who meet, and what they say."""
    one, other = np.array(agents), np.array(said)
    return Acts(
        np.full(2, run),
        one,
        other,
        np.arange(2),
        step,
        partner=one[::-1].copy(),
        met=other[::-1].copy(),
    )


def test_the_same_name_pays_and_different_names_cost() -> None:
    state = WORLD.start(Opening.of(2, 3))
    assert WORLD.apply(state, meeting(0, (0, 2), (1, 1)))["payoff"].tolist() == [100, 100]
    assert WORLD.apply(state, meeting(0, (2, 1), (1, 0)))["payoff"].tolist() == [-50, -50]
    assert state.score.tolist() == [[100, -50, 50], [0, 0, 0]]
    assert state.tally.tolist() == [[1, 3], [0, 0]]


def test_who_meets_one_that_says_nothing_gains_nothing() -> None:
    state = WORLD.start(Opening.of(1, 2))
    zero, one = np.zeros(1, np.int64), np.ones(1, np.int64)
    alone = Acts(zero, zero, one, zero, 0, partner=one, met=-one)
    assert WORLD.apply(state, alone)["payoff"].tolist() == [-50]


def test_agreement_is_that_of_the_last_meetings() -> None:
    """Three meetings an agent count: with two agents, the last six."""
    state = WORLD.start(Opening.of(1, 2))
    assert math.isnan(state.more["agreement"][0])
    for number, said in enumerate([(0, 1), (0, 0), (1, 1), (0, 0), (1, 1), (1, 1), (0, 0)]):
        WORLD.apply(state, meeting(0, (0, 1), said))
        done = np.isfinite(state.more["meetings to agreement"][0])
        assert done == (number == 6)
    assert state.more["agreement"][0] == 1 and state.more["meetings to agreement"][0] == 7
    WORLD.apply(state, meeting(0, (0, 1), (0, 1)))
    assert state.more["agreement"][0] == 5 / 6
    assert state.more["meetings to agreement"][0] == 7 and state.more["meetings"][0] == 8


def test_meetings_at_once_count_as_meetings_one_by_one() -> None:
    """So do those of several runs; and the last window is the same, however it was filled."""
    rng = np.random.default_rng(0)
    alone, pooled = WORLD.start(Opening.of(1, 6)), WORLD.start(Opening.of(2, 6))
    for _ in range(20):
        pairs, said = rng.permutation(6).reshape(3, 2), rng.integers(0, 2, (3, 2))
        parts = [meeting(0, (a, b), (x, y)) for (a, b), (x, y) in zip(pairs, said, strict=True)]
        for part in parts:
            WORLD.apply(state=alone, acts=part)
        agent, item, decision, partner, met = (
            np.concatenate([getattr(part, name) for part in (*parts, *parts)])
            for name in ("agent", "item", "decision", "partner", "met")
        )
        whole = Acts(np.repeat([1, 0], 6), agent, item, decision, 0, partner=partner, met=met)
        WORLD.apply(pooled, whole)
    for name in ("agreement", "meetings"):
        assert pooled.more[name].tolist() == [alone.more[name][0]] * 2
    assert np.array_equal(pooled.score[0], alone.score[0])


def test_a_convention_is_remembered_by_all() -> None:
    assert WORLD.start(Opening.of(1, 3)).past is None
    state = WORLD.altered(convention=1, remembered=4).start(Opening.of(2, 3))
    past = state.past
    assert (state.score == 400).all() and (state.tally == 0).all()
    assert past is not None and past.met is not None
    assert past.item.shape == (2, 3, 4) and (past.item == 1).all() and (past.met == 1).all()
    assert (past.results["payoff"] == 100).all()


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"names": ("Q", "M", "Q")}, r"names: each once; given twice: \['Q'\]"),
        ({"convention": 2}, "convention: 2 given for 2 names; allowed: 0 to 1, or none"),
        ({"names": ("Q",)}, "names"),
    ],
)
def test_refused(parts: dict[str, object], told: str) -> None:
    with pytest.raises(SpecificationError, match=told):
        NamingGame(**parts)  # type: ignore[arg-type]


def test_the_pools_of_the_published_game() -> None:
    assert (len(WORLD.names), len(NAMES_10), len(NAMES_26)) == (2, 10, 26)
    assert len(set(NAMES_10)) == 10 and set(WORLD.names) < set(NAMES_10) < set(NAMES_26)


def glimpse(**parts: object) -> Glimpse:
    options = (Shown(1, "M", {}), Shown(0, "Q", {}))
    known: dict[str, object] = {"kind": Kind.choose, "options": options, "heard": ()}
    return Glimpse(**(known | {"most": 1, "may_decline": False} | parts))  # type: ignore[arg-type]


PAST = (
    Remembered("own", 0, 3, 2, math.nan, {"payoff": -50.0}),
    Remembered("met", 1, 7, 2, math.nan),
    Remembered("own", 1, 3, 1, math.nan, {"payoff": 100.0}),
    Remembered("met", 1, 5, 1, math.nan),
    Remembered("score", -1, 3, 0, 50.0),
)


def test_a_player_is_told_the_rules_its_rounds_and_the_names_in_the_order_shown() -> None:
    prompt = WORLD.prompt(glimpse(heard=PAST))
    assert prompt.user.splitlines() == [
        "The rounds so far:",
        "Round 1: Player 1 picked Q, Player 2 picked M; -50 points for each.",
        "Round 2: Player 1 picked M, Player 2 picked M; 100 points for each.",
        "The current score of Player 1 is 50.",
        "It is round 3.",
        "The names are: M, Q.",
        "Which name does Player 1 pick? Answer with the name.",
    ]
    assert prompt.answers == ("M", "Q") and prompt.begin == "Player 1 picks "
    for told in ("100 points", "-50 points", "Player 2"):
        assert told in prompt.system
    for hypothesis in ("convention", "population", "agree", "coordinat", "majority", "agents"):
        assert hypothesis not in prompt.text()


def test_what_is_hidden_is_not_told() -> None:
    blind = tuple(
        Remembered("own", one.item, 3, 1, math.nan) for one in PAST if one.channel == "own"
    )
    assert WORLD.prompt(glimpse(heard=blind)).user.splitlines()[1:3] == [
        "Round 1: Player 1 picked Q.",
        "Round 2: Player 1 picked M.",
    ]


def test_a_player_may_be_told_by_codes_and_how_often_names_were_used() -> None:
    options = (Shown(1, "41", {"uses": 1.0}), Shown(0, "37", {"uses": 8.0}))
    prompt = WORLD.prompt(glimpse(options=options, may_decline=True))
    assert (
        "The names are: 41: M (1 use by all players), 37: Q (8 uses by all players)." in prompt.user
    )
    assert prompt.answers == ("41", "37", "None")
    assert prompt.user.endswith("Answer with its code, or None.")


def test_other_words_say_the_same() -> None:
    ((name, other),) = WORLD.paraphrases().items()
    prompt = other.prompt(glimpse(heard=PAST))
    assert name == "reworded" and prompt.user != WORLD.prompt(glimpse(heard=PAST)).user
    assert "Round 1: Player 1 said Q, Player 2 said M; -50 points for each." in prompt.user
    assert dict(other.paraphrases()) == {"plain": WORLD}


def spec(world: NamingGame = WORLD, **parts: object) -> Microspec:
    known: dict[str, object] = {
        "world": world,
        "population": Population(groups=(Group(count=5, decides=LookUp()),)),
        "turns": Meetings(steps=3),
        "memory": Window(k=3),
        "visibility": Visibility(fields={"uses": Hidden()}),
        "affordances": Affordances(labels="words"),
    }
    return Microspec.model_validate(known | parts)


def test_players_of_a_language_model_see_their_meetings_and_nothing_else() -> None:
    people = Population(groups=(Group(count=4, decides=LanguageModel(model="fake:hash")),))
    trace = grown(spec(NamingGame(convention=0), population=people))
    prompts = [one.prompt for one in seen_by(trace).values()]
    first = "Round 1: Player 1 picked Q, Player 2 picked Q; 100 points for each."
    assert all("The rounds so far:" in prompt for prompt in prompts)
    assert sum(prompt.count(first) for prompt in prompts) >= 4
    assert all("It is round 4." in prompt for prompt in prompts)


@pytest.mark.parametrize("at_once", [False, True])
def test_laws(at_once: bool) -> None:
    turns = Meetings(steps=3, at_once=at_once)
    for one in (spec(turns=turns), spec(NamingGame(convention=1), turns=turns, visibility={})):
        laws.determined(one)
        laws.complete(one)
        laws.nothing_unseen(one)
        laws.provenance(one)
