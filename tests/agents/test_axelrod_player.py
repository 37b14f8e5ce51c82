"""Strategies of the axelrod package in our world score what they score in its own matches."""

import numpy as np
import pytest

from cloudchamber.agents.axelrod_player import AxelrodPlayer
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import Group, Meetings, Microspec, Population, Window
from cloudchamber.testing import grown
from cloudchamber.worlds import Dilemma

try:
    import axelrod
except ImportError:  # it is no dependency
    axelrod = None
HERE = axelrod is not None
needs_axelrod = pytest.mark.skipif(not HERE, reason="the axelrod package is not installed")
PLAYERS = (
    "TitForTat",
    "Defector",
    "Cooperator",
    "Grudger",
    "WinStayLoseShift",
    "TitFor2Tats",
    "SuspiciousTitForTat",
    "Alternator",
    "Bully",
    "HardGoByMajority",
    "Handshake",
    "Punisher",
)


def match(one: str, other: str, turns: int) -> tuple[float, float]:
    """The scores of a match grown in our world."""
    groups = tuple(
        Group(name=side, count=1, decides=AxelrodPlayer(strategy=name))
        for side, name in (("one", one), ("other", other))
    )
    spec = Microspec(
        world=Dilemma(),
        population=Population(groups=groups),
        turns=Meetings(steps=turns, at_once=True, partners="kept"),
        memory=Window(k=turns),
    )
    trace = grown(spec)
    decisions = trace.columns("decisions")
    acts = [decisions["choice"][decisions["agent"] == agent] for agent in (0, 1)]
    pay = np.array([[3.0, 0.0], [5.0, 1.0]])
    return float(pay[acts[0], acts[1]].sum()), float(pay[acts[1], acts[0]].sum())


@needs_axelrod
@pytest.mark.parametrize(
    ("one", "other", "scores"),
    [("TitForTat", "Defector", (199, 204)), ("TitForTat", "TitForTat", (600, 600))],
)
def test_the_published_scores(one: str, other: str, scores: tuple[float, float]) -> None:
    assert match(one, other, 200) == scores


@needs_axelrod
def test_every_pair_scores_as_in_the_package() -> None:
    for at, one in enumerate(PLAYERS):
        for other in PLAYERS[at:]:
            pair = (getattr(axelrod, one)(), getattr(axelrod, other)())
            played = axelrod.Match(pair, turns=20)
            played.play()
            assert match(one, other, 20) == played.final_score(), f"{one} against {other}"


@pytest.mark.skipif(HERE, reason="the axelrod package is installed")
def test_without_the_package_it_says_what_to_install() -> None:
    with pytest.raises(SpecificationError, match="pip install axelrod"):
        match("TitForTat", "Defector", 2)


@needs_axelrod
def test_an_unknown_strategy_lists_near_ones() -> None:
    with pytest.raises(SpecificationError, match="TitForTat"):
        match("TitForTats", "Defector", 2)


def test_a_strategy_is_a_name() -> None:
    with pytest.raises(SpecificationError, match="the name of a class"):
        AxelrodPlayer(strategy="os.system")
