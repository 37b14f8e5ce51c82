"""Golden transcripts: small seeded runs, written out, so that a change of behaviour is read in a diff.

To accept a change: CLOUDCHAMBER_ACCEPT=1 pytest tests/engine/test_notation.py, then read the diff.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.agents import LanguageModel, SocialProof, TwoStage
from cloudchamber.microspec import (
    Affordances,
    Asynchronous,
    Complete,
    Group,
    Microspec,
    Popularity,
    Population,
    Ring,
    Sequential,
    Simultaneous,
    Visibility,
    Window,
)
from cloudchamber.testing import grown
from cloudchamber.testing.seen import seen_by
from cloudchamber.worlds import Feed
from tests.engine.notation import transcript

HERE = Path(__file__).parent / "transcripts"

FEED = Feed(headlines=("Rain at noon", "Bread is back", "A train is late"))
READERS = Group(name="readers", count=3, decides=SocialProof(strength=2.0))

GAMES: dict[str, dict[str, Any]] = {
    "organic": {"turns": Simultaneous(steps=2)},
    "late_and_popular": {
        "turns": Sequential(steps=2),
        "visibility": Visibility(order=Popularity(), latency=1, top=2),
        "memory": Window(k=1),
    },
    "neighbours_acts": {
        "communication": Ring(representation="acts", last=2),
        "visibility": Visibility(whose="neighbours"),
        "turns": Asynchronous(steps=2),
    },
    "one_at_a_time": {
        "population": Population(
            groups=(Group(name="readers", count=2, decides=TwoStage(gate="none", appeal=0.0)),)
        ),
        "affordances": Affordances(presentation="one at a time", scoring="shown"),
        "world": FEED.altered(reward="agreement"),
    },
    "one_by_one": {
        "turns": Sequential(steps=1, order="fixed"),
        "affordances": Affordances(choose="up to", most=2, picks="one by one", may_decline=True),
    },
    "who_is_next": {
        "turns": Sequential(steps=1, order="endogenous"),
        "communication": Complete(representation="acts", last=1),
        "affordances": Affordances(choose="up to", most=2, may_decline=True),
    },
}


def game(name: str) -> Microspec:
    known: dict[str, Any] = {"world": FEED, "population": Population(groups=(READERS,))}
    return Microspec(**(known | GAMES[name]))


@pytest.mark.parametrize("name", GAMES)
def test_transcript(name: str) -> None:
    spec = game(name)
    told = transcript(spec, grown(spec, seed=7))
    kept = HERE / f"{name}.txt"
    if os.environ.get("CLOUDCHAMBER_ACCEPT"):
        HERE.mkdir(exist_ok=True)
        kept.write_text(told, encoding="utf-8")
    assert told == kept.read_text(encoding="utf-8")


def test_none_is_missing_and_none_left_over() -> None:
    assert {path.stem for path in HERE.glob("*.txt")} == set(GAMES) | {"prompts"}


def test_prompts() -> None:
    """What a language model's agents were told, in full."""
    people = Population(
        groups=(
            Group(
                name="readers",
                count=2,
                decides=LanguageModel(model="fake:uniform", instruction="Judge on merit."),
                personas=("You are a baker.",),
            ),
        )
    )
    parts: list[dict[str, Any]] = [
        {
            "turns": Sequential(steps=1, order="fixed"),
            "communication": Complete(representation="acts"),
        },
        {"memory": Window(k=2), "turns": Simultaneous(steps=2)},
        {
            "affordances": Affordances(presentation="one at a time"),
            "world": FEED.altered(likes=(1, 0, 9)),
        },
        {"affordances": Affordances(may_decline=True, labels="letters")},
        {"affordances": Affordances(choose="up to", most=2, picks="one by one", may_decline=True)},
    ]
    told = []
    for some in parts:
        known: dict[str, Any] = {"world": FEED, "population": people}
        spec = Microspec(**(known | some))
        seen = sorted(seen_by(grown(spec, seed=7)).items(), key=lambda pair: pair[1].decision)
        told += [f"== agent {place[1]} at step {place[2]}\n{one.prompt}\n" for place, one in seen]
    kept = HERE / "prompts.txt"
    if os.environ.get("CLOUDCHAMBER_ACCEPT"):
        kept.write_text("\n".join(told), encoding="utf-8")
    assert "\n".join(told) == kept.read_text(encoding="utf-8")
