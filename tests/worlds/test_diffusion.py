"""Something that spreads: what is drawn, what is open to whom, what a prompt holds."""

import math

import numpy as np
import pytest

from cloudchamber.agents import Contagion
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import Affordances, Group, Microspec, Population, Simultaneous
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds import Diffusion, Drawn


def test_seeds_are_drawn_for_each_run() -> None:
    state = Diffusion(seeds=3).start(Opening.of(40, 10, seed=1))
    held = state.held
    assert held is not None and (held.sum(axis=1) == 3).all()
    assert state.tally.tolist() == [[7, 3, 0]] * 40
    assert len({tuple(row) for row in held.tolist()}) > 20
    often = held.mean(axis=0)
    assert (np.abs(often - 0.3) < 4 * math.sqrt(0.21 / 40)).all()
    for seeds in (0, 10):
        tally = Diffusion(seeds=seeds).start(Opening.of(2, 10)).tally
        assert tally.tolist() == [[10 - seeds, seeds, 0]] * 2


def test_thresholds() -> None:
    drawn = Diffusion(thresholds=Drawn(mean=25, sd=10)).start(Opening.of(50, 200, seed=2))
    told = drawn.given["threshold"]
    assert np.isnan(told[..., [0, 2]]).all(), "they are told of taking it up alone"
    own = told[..., 1]
    assert own.mean() == pytest.approx(25, abs=0.4) and own.std() == pytest.approx(10, abs=0.3)
    wider = Diffusion(thresholds=Drawn(mean=25, sd=20)).start(Opening.of(50, 200, seed=2))
    moved = wider.given["threshold"][..., 1] - 25
    assert np.allclose(moved, 2 * (own - 25)), "the spread moves no draw"
    given = Diffusion(thresholds=(1.0, 2.0), of="share").start(Opening.of(3, 2))
    assert given.given["threshold_share"][..., 1].tolist() == [[1, 2]] * 3
    assert not Diffusion().private and not Diffusion().start(Opening.of(1, 2)).given


def opened(acts: tuple[str, ...]) -> list[list[bool]]:
    world = Diffusion(seeds=0)
    state = world.start(Opening(0, np.arange(1), np.zeros(3, np.int64), acts))
    state.held = np.array([[0, 1, 2]])
    may = world.open(state, np.zeros(3, np.int64), np.arange(3))
    return [[bool(one) for one in row] for row in may]


def test_what_is_open() -> None:
    stays, keeps, nothing = [True, True, False], [False, True, True], [False] * 3
    assert opened(()) == opened(("adopt", "stop")) == [stays, keeps, nothing]
    assert opened(("adopt",)) == [stays, nothing, nothing]


def test_reach_and_peak_are_kept() -> None:
    world = Diffusion(seeds=1)
    state = world.start(Opening.of(1, 4))
    assert state.held is not None
    seed = int(state.held[0].argmax())
    others = [agent for agent in range(4) if agent != seed]

    def act(agents: list[int], item: int) -> None:
        rows = np.zeros(len(agents), np.int64)
        chosen = np.full(len(agents), item)
        world.apply(state, Acts(rows, np.array(agents), chosen, np.arange(len(agents)), 0))

    act(others[:2], 1)
    assert state.tally.tolist() == [[1, 3, 0]]
    act([seed, others[0]], 2)
    act([others[2]], 0)
    assert state.tally.tolist() == [[1, 1, 2]]
    assert state.more["reached"] == 0.75 and state.more["peak"] == 0.75


def test_of_several_acts_of_one_agent_the_last_stands() -> None:
    state = Diffusion(seeds=0).start(Opening.of(2, 2))
    none = np.zeros(4, np.int64)
    acts = Acts(none, np.array([0, 1, 0, 0]), np.array([1, 1, 2, 1]), none, 0)
    Diffusion().stand(state, acts)
    assert state.held is not None
    assert state.held.tolist() == [[1, 1], [0, 0]] and state.tally.tolist() == [
        [0, 2, 0],
        [2, 0, 0],
    ]


def spec(world: Diffusion, agents: int = 4) -> Microspec:
    people = Population(groups=(Group(count=agents, decides=Contagion()),))
    return Microspec(world=world, population=people, turns=Simultaneous(steps=1))


@pytest.mark.parametrize(
    ("world", "told"),
    [
        (Diffusion(seeds=5), r"world\.seeds: 5 given, but there are 4 agents; at most 4"),
        (Diffusion(thresholds=(1.0, 2.0)), r"world\.thresholds: 2 given, but there are 4 agents"),
    ],
)
def test_what_does_not_fit_the_population(world: Diffusion, told: str) -> None:
    with pytest.raises(SpecificationError, match=told):
        spec(world)


def test_acts_are_those_it_knows() -> None:
    with pytest.raises(SpecificationError, match="no act 'infect'"):
        spec(Diffusion()).replace("affordances", Affordances(acts=("infect",)))


def shown(
    *options: tuple[int, str, dict[str, float]], heard: tuple[Remembered, ...] = ()
) -> Glimpse:
    told = tuple(Shown(item, label, signals) for item, label, signals in options)
    return Glimpse(Kind.choose, told, heard, 1, False)


def test_in_words() -> None:
    world = Diffusion(what="a new seed")
    without = shown((1, "41", {"people": 3.0, "threshold": 2.0}), (0, "17", {"people": 6.0}))
    assert world.prompt(without).user == (
        "There is a new seed. Each of you may take it up or go on without it.\n\n"
        "41: take it up; so far 3 of those you see; worth it to you once 2 or more have done so\n"
        "17: go on without it; so far 6 of those you see\n\n"
        "What do you do? Answer with its code."
    )
    having = shown((1, "41", {}), (2, "17", {}))
    assert world.prompt(having).user == (
        "There is a new seed. Each of you may take it up or go on without it. You have it now.\n\n"
        "41: keep it\n17: give it up again\n\nWhat do you do? Answer with its code."
    )
    share = shown((1, "41", {"threshold_share": 0.25}), (0, "17", {}))
    assert "41: take it up; worth it to you once 25 % or more of those" in world.prompt(share).user


def test_what_others_did_in_words() -> None:
    heard = (
        Remembered("others", 1, 5, 0, math.nan),
        Remembered("own", 0, 0, 2, math.nan),
        Remembered("own", 0, 0, 2, 3.0, total=True),
    )
    told = Diffusion().prompt(shown((1, "41", {}), (0, "17", {}), heard=heard)).user
    assert (
        "Person 5 took it up (just now).\nYou went on without it (2 rounds ago).\n"
        "You went on without it 3 times."
    ) in told
    ((name, other),) = Diffusion().paraphrases().items()
    assert name == "adopt" and list(other.paraphrases()) == ["take up"]
    assert "41: adopt it" in other.prompt(shown((1, "41", {}), (0, "17", {}))).user
