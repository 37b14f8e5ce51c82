"""Strategies of repeated dilemmas: match scores by hand, and cooperation against a random player exactly."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import (
    Always,
    Grim,
    MemoryOne,
    RandomPlayer,
    Society,
    SuspiciousTitForTat,
    TitForTat,
    WinStayLoseShift,
    decide,
)
from cloudchamber.agents.past import meetings
from cloudchamber.engine import Runs, grow
from cloudchamber.games import against_random, grim_against_random
from cloudchamber.microspec import (
    Decider,
    Group,
    Hidden,
    Meetings,
    Memory,
    Microspec,
    NoMemory,
    Population,
    Visibility,
    Window,
)
from cloudchamber.questions import Address, Choose, Heard, Ints, Questions
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Channel, Kind
from cloudchamber.worlds import Dilemma

TABLE = Dilemma().table
COOPERATOR, DEFECTOR = Always(item=0), Always(item=1)


def matches(
    one: Decider,
    two: Decider,
    rounds: int,
    runs: int = 1,
    memory: Memory | None = None,
    **parts: Any,
) -> Ints:
    """What both did in each round of some matches, (runs, rounds, 2)."""
    groups = (Group(name="one", decides=one), Group(name="two", decides=two))
    spec = Microspec(
        world=Dilemma(),
        population=Population(groups=groups),
        turns=Meetings(at_once=True, partners="kept", steps=rounds),
        memory=memory or Window(k=rounds),
        **parts,
    )
    trace, replicates = Trace(), np.arange(runs)
    decide(grow(spec, Runs(5, replicates, replicates), trace), Society(spec))
    rows = trace.columns("decisions")
    did = np.full((runs, rounds, 2), -1)
    did[rows["run"], rows["step"], rows["agent"]] = rows["choice"]
    return did


def scores(did: Ints) -> list[float]:
    own, other = did[0].T
    return [float(TABLE[own, other].sum()), float(TABLE[other, own].sum())]


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (TitForTat(), DEFECTOR, [199, 204]),
        (TitForTat(), TitForTat(), [600, 600]),
        (TitForTat(), SuspiciousTitForTat(), [500, 500]),
        (SuspiciousTitForTat(), SuspiciousTitForTat(), [200, 200]),
        (Grim(), SuspiciousTitForTat(), [203, 203]),
        (WinStayLoseShift(), DEFECTOR, [100, 600]),
        (COOPERATOR, DEFECTOR, [0, 1000]),
    ],
)
def test_matches_of_200_rounds(one: Decider, two: Decider, expected: list[float]) -> None:
    assert scores(matches(one, two, 200)) == expected


OURS: dict[str, Decider] = {
    "Cooperator": COOPERATOR,
    "Defector": DEFECTOR,
    "TitForTat": TitForTat(),
    "SuspiciousTitForTat": SuspiciousTitForTat(),
    "Grudger": Grim(),
    "WinStayLoseShift": WinStayLoseShift(),
}
PACKAGE = (
    ("Cooperator", "Cooperator", 150, 150),
    ("Cooperator", "Defector", 0, 250),
    ("Cooperator", "TitForTat", 150, 150),
    ("Cooperator", "SuspiciousTitForTat", 147, 152),
    ("Cooperator", "Grudger", 150, 150),
    ("Cooperator", "WinStayLoseShift", 150, 150),
    ("Defector", "Defector", 50, 50),
    ("Defector", "TitForTat", 54, 49),
    ("Defector", "SuspiciousTitForTat", 50, 50),
    ("Defector", "Grudger", 54, 49),
    ("Defector", "WinStayLoseShift", 150, 25),
    ("TitForTat", "TitForTat", 150, 150),
    ("TitForTat", "SuspiciousTitForTat", 125, 125),
    ("TitForTat", "Grudger", 150, 150),
    ("TitForTat", "WinStayLoseShift", 150, 150),
    ("SuspiciousTitForTat", "SuspiciousTitForTat", 50, 50),
    ("SuspiciousTitForTat", "Grudger", 53, 53),
    ("SuspiciousTitForTat", "WinStayLoseShift", 101, 101),
    ("Grudger", "Grudger", 150, 150),
    ("Grudger", "WinStayLoseShift", 150, 150),
    ("WinStayLoseShift", "WinStayLoseShift", 150, 150),
)
"""Scores of 50 rounds in matches of the axelrod package's own players, by its version 4.14.0."""


def test_our_strategies_score_as_those_of_the_axelrod_package() -> None:
    for one, two, *expected in PACKAGE:
        assert scores(matches(OURS[one], OURS[two], 50)) == expected, f"{one} against {two}"


KINDS: dict[str, tuple[Decider, float, tuple[float, ...]]] = {
    "tit for tat": (TitForTat(), 1, (1, 0, 1, 0)),
    "suspicious": (SuspiciousTitForTat(), 0, (1, 0, 1, 0)),
    "win-stay-lose-shift": (WinStayLoseShift(), 1, (1, 0, 0, 1)),
    "random": (RandomPlayer(alpha=0.3), 0.3, (0.3,) * 4),
    "slipping": (TitForTat(slip=0.1), 0.9, (0.9, 0.1, 0.9, 0.1)),
    "any": (
        MemoryOne(first=0.3, both=0.9, alone=0.2, other=0.4, nobody=0.7),
        0.3,
        (0.9, 0.2, 0.4, 0.7),
    ),
}


@pytest.mark.parametrize("alpha", [0.25, 0.8])
@pytest.mark.parametrize("name", KINDS)
def test_cooperation_against_a_random_player_is_that_of_the_chain(name: str, alpha: float) -> None:
    player, first, after = KINDS[name]
    runs, rounds = 400, 12
    did = matches(player, RandomPlayer(alpha=alpha), rounds, runs, Window(k=1))
    found = (did[:, :, 0] == 0).mean(axis=0)
    expected = against_random(first, after, alpha, rounds)
    spread = np.sqrt(expected * (1 - expected) / runs)
    assert (np.abs(found - expected) <= 4.5 * spread + 1e-12).all()


@pytest.mark.parametrize(("alpha", "window"), [(0.8, 30), (0.8, 3), (0.5, 1)])
def test_grim_forgets_what_memory_forgets(alpha: float, window: int) -> None:
    runs, rounds = 400, 15
    did = matches(Grim(), RandomPlayer(alpha=alpha), rounds, runs, Window(k=window))
    found = (did[:, :, 0] == 0).mean(axis=0)
    expected = grim_against_random(alpha, rounds, window)
    spread = np.sqrt(expected * (1 - expected) / runs)
    assert (np.abs(found - expected) <= 4.5 * spread + 1e-12).all()


@pytest.mark.parametrize(
    "blind", [{"memory": NoMemory()}, {"visibility": Visibility(fields={"partner": Hidden()})}]
)
def test_without_knowing_what_the_other_did_every_meeting_is_the_first(blind: Any) -> None:
    for player, act in ((TitForTat(), 0), (SuspiciousTitForTat(), 1), (Grim(), 0)):
        assert (matches(player, DEFECTOR, 6, **blind)[0, :, 0] == act).all()


def asked(own: list[list[int]], met: list[list[int]], tallied: bool = False) -> Questions:
    """Rows that remember meetings, -1 where the other's act is not known."""
    rows = len(own)
    entries: list[tuple[int, int, int, float]] = []
    for row, (mine, its) in enumerate(zip(own, met, strict=True)):
        for a, b in zip(mine, its, strict=True):
            entries.append((row, Channel.own, a, np.nan))
            entries += [(row, Channel.met, b, np.nan)] if b >= 0 else []
    whose, channel, item, value = (np.array(part) for part in zip(*entries, strict=True))
    none = np.zeros(len(whose), np.int64)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(whose, minlength=rows))])
    zero = np.zeros(rows, np.int64)
    return Questions(
        Kind.choose,
        Choose(),
        Address(0, zero, 0, np.arange(rows), zero),
        zero,
        zero.astype(np.int16),
        np.arange(rows),
        np.tile([1, 0], (rows, 1)),
        {},
        Heard(
            offsets,
            channel.astype(np.int8),
            item,
            none,
            none,
            none,
            value.astype(float),
            tallied=tallied,
        ),
    )


def test_meetings_are_read_from_what_is_heard() -> None:
    questions = asked([[0, 1, 1], [], [1], [0]], [[1, -1, 0], [], [-1], [0]])
    met = meetings(questions)
    assert met.own.tolist() == [[0, 1, 1], [-1, -1, -1], [-1, -1, 1], [-1, -1, 0]]
    assert met.other.tolist() == [[1, -1, 0], [-1, -1, -1], [-1, -1, -1], [-1, -1, 0]]
    tallies = meetings(asked([[0, 1]], [[1, 1]], tallied=True))
    assert tallies.own.tolist() == tallies.other.tolist() == [[-1]], "a tally is no single meeting"


def test_weights_go_to_the_acts_wherever_they_stand() -> None:
    questions = asked([[0], [0], [1]], [[0], [1], [-1]])
    assert TitForTat().weights(questions).tolist() == [[0, 1], [1, 0], [0, 1]]
    assert Grim(after=2).weights(questions).tolist() == [[0, 1]] * 3
    assert np.allclose(TitForTat(slip=0.25).weights(questions)[:2], [[0.25, 0.75], [0.75, 0.25]])


def test_players_read_aloud() -> None:
    assert TitForTat(slip=0.05).aloud() == (
        "a tit-for-tat player that cooperates first with chance 1, then with 1, 0, 1, 0 after both, it "
        "alone, the other alone, nobody did, slipping with chance 0.05"
    )
    assert Grim().aloud() == "a grim player that defects while it remembers a defection of others"
    assert RandomPlayer(alpha=0.2).aloud() == "a player that cooperates with chance 0.2"
