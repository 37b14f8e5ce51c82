"""Regimes in which agents write: what they ask for, and what is refused."""

from typing import Any

import pytest

from cloudchamber.agents import LanguageModel, Random, Writer
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import (
    Complete,
    Decider,
    Group,
    Microspec,
    NoMemory,
    Notes,
    Population,
    Window,
)
from cloudchamber.questions import Writing
from cloudchamber.trace.tables import Channel
from cloudchamber.worlds import Feed


def spec(**parts: Any) -> Microspec:
    people = Population(groups=(Group(count=2, decides=Writer()),))
    return Microspec(**({"world": Feed.of(3), "population": people} | parts))


def test_what_is_written() -> None:
    assert Complete(messages=9).writes == (Writing(Channel.message, "message", 9),)
    notes = Notes(names=("plans", "insights"), words=20, k=2)
    assert [one.kind for one in notes.writes] == ["own plans", "own insights"]
    assert (notes.depth, notes.writes[0].words) == (2, 20)
    assert Complete().writes == NoMemory().writes == Window().writes == ()
    assert Notes(when="before").plans and not (notes.plans or Window().plans)


def test_it_is_written_and_read_as_json_and_changed_by_path() -> None:
    given = spec(communication=Complete(messages=9), memory=Notes(names=("plans",), k=0))
    assert Microspec.from_json(given.to_json()) == given
    changed = spec().replace_all({"communication.messages": 9, "memory": given.memory})
    assert changed == given and changed.hash == given.hash != spec().hash
    assert given.replace("memory.words", 7).memory == Notes(names=("plans",), k=0, words=7)


def test_it_is_read_aloud() -> None:
    assert Notes(names=("plans", "insights"), words=20, k=1).aloud() == (
        "agents are shown what they wrote themselves (plans, insights, up to 20 words), and remember their "
        "latest act"
    )
    assert Notes(k=0, when="before").aloud() == (
        "agents are shown what they wrote themselves before they decide (notes, up to 60 words)"
    )
    assert (
        Notes(k=0).aloud() == "agents are shown what they wrote themselves (notes, up to 60 words)"
    )
    assert Complete(messages=1).aloud().endswith("they write messages of up to 1 word")


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("memory", {"kind": "notes", "names": []}, "too short|at least 1"),
        ("memory", {"kind": "notes", "names": ["a", "a"]}, "each note needs a name of its own"),
        ("memory", {"kind": "notes", "names": ["</b>"]}, "memory.names.0"),
        ("memory", {"kind": "notes", "words": 0}, "greater than or equal to 1"),
        ("memory", {"kind": "notes", "when": "never"}, "'before' or 'after'"),
        ("memory", {"kind": "notes", "k": -1}, "greater than or equal to 0"),
        ("communication.messages", -1, "greater than or equal to 0"),
        ("communication.messages", 10**6, "less than or equal to 1000"),
    ],
)
def test_what_makes_no_sense_is_refused(path: str, value: object, why: str) -> None:
    with pytest.raises(SpecificationError, match=why):
        spec().replace(path, value)


@pytest.mark.parametrize(
    ("decider", "writes"),
    [(LanguageModel(), True), (Writer(), True), (Random(), False)],
)
def test_who_can_write(decider: Decider, writes: bool) -> None:
    assert decider.writes is writes
