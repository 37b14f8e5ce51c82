"""Evolution: the course of strategies beside replicator dynamics, and what is refused."""

import numpy as np
import pytest

from cloudchamber.agents import Always, LanguageModel, Random
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import evolve
from cloudchamber.games import replicator
from cloudchamber.microspec import Group, Meetings, Microspec, Population
from cloudchamber.worlds import Dilemma, Feed

HAWK_AND_DOVE = np.array([[3.0, 1.0], [5.0, 0.0]])
"""What a cooperator and a defector earn in the snowdrift game below: they come to rest together."""


def snowdrift(cooperators: int, defectors: int, steps: int = 20) -> Microspec:
    groups = (
        Group(name="cooperators", count=cooperators, decides=Always(item=0)),
        Group(name="defectors", count=defectors, decides=Always(item=1)),
    )
    return Microspec(
        world=Dilemma(temptation=5.0, reward=3.0, punishment=0.0, sucker=1.0),
        population=Population(groups=groups),
        turns=Meetings(steps=steps, at_once=True),
    )


def test_it_follows_the_replicator_to_rest() -> None:
    """Of 2,000 that meet at random; apportioned, only who met whom is chance."""
    course = evolve(snowdrift(1800, 200), 12, seed=3)
    theory = replicator(HAWK_AND_DOVE, [0.9, 0.1], 12)[:, 0]
    grown = course[course["group"] == "cooperators"].set_index("generation")["share"]
    assert np.abs(grown.to_numpy() - theory).max() < 0.01
    assert abs(theory[-1] - 1 / 3) < 0.01, "at rest as many cooperate as make both earn the same"


def test_drawn_offspring_drift() -> None:
    """Both earn the same in a game that pays everyone alike: what moves the shares is chance alone."""
    even = snowdrift(50, 50, steps=1).replace_all(
        {f"world.{name}": 1.0 for name in ("temptation", "reward", "punishment", "sucker")}
    )
    still = evolve(even, 3, replicates=range(4))
    assert set(still["share"]) == {0.5}
    drifted = evolve(even, 3, replicates=range(60), drawn=True)
    last = drifted[(drifted["generation"] == 3) & (drifted["group"] == "defectors")]["share"]
    assert abs(last.mean() - 0.5) < 0.04
    # Wright & Fisher: the variance after t generations of n is x(1 - x)(1 - (1 - 1/n)^t).
    expected = 0.25 * (1 - 0.99**3)
    assert 0.5 * expected < last.var() < 2 * expected


def test_who_died_out_stays_out() -> None:
    """Where defecting pays and everyone who cooperates earns nothing."""
    spec = snowdrift(10, 10).replace_all({"world.reward": 0.0, "world.sucker": 0.0})
    course = evolve(spec, 4)
    cooperators = course[course["group"] == "cooperators"]
    assert cooperators["count"].tolist() == [10, 0, 0, 0, 0]
    assert cooperators["score"].isna().tolist() == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("spec", "generations", "words"),
    [
        (snowdrift(2, 2), 0, "0 generations given; at least 1"),
        (snowdrift(2, 2).replace("world.sucker", -9.0), 1, "not negative"),
        (snowdrift(2, 2).replace("population.groups[0].decides", LanguageModel()), 1, "for rules"),
        (
            Microspec(
                world=Feed.of(3), population=Population(groups=(Group(count=2, decides=Random()),))
            ),
            1,
            "scores nothing",
        ),
    ],
)
def test_what_cannot_evolve_is_refused(spec: Microspec, generations: int, words: str) -> None:
    with pytest.raises(SpecificationError, match=words):
        evolve(spec, generations)
