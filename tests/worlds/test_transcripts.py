"""Golden transcripts of worlds: one small seeded run of each, what every agent saw, was told and did.

To accept a change: CLOUDCHAMBER_ACCEPT=1 pytest tests/worlds/test_transcripts.py, then read the diff.
"""

import os
from pathlib import Path

import pytest

from cloudchamber.agents import (
    Always,
    Bayesian,
    BestPrice,
    BestQuantity,
    ConditionalCooperator,
    LanguageModel,
    LookUp,
    MajorityForce,
    Random,
    Threshold,
    TitForTat,
)
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Decider,
    Group,
    Hidden,
    Meetings,
    Microspec,
    Notes,
    Population,
    Ring,
    Sequential,
    Simultaneous,
    Window,
)
from cloudchamber.microspec.visibility import Visibility
from cloudchamber.testing import grown
from cloudchamber.testing.seen import seen_by
from cloudchamber.worlds import (
    Bertrand,
    Cascade,
    Cournot,
    Diffusion,
    Dilemma,
    Drawn,
    MinimalNamingGame,
    NamingGame,
    Opinion,
    PublicGoods,
)
from tests.engine.notation import transcript

HERE = Path(__file__).parent / "transcripts"
MODEL = LanguageModel(model="fake:hash")


def groups(**who: tuple[int, Decider]) -> Population:
    """Groups by name: how many, and what decides for them."""
    return Population(
        groups=tuple(Group(name=name, count=many, decides=one) for name, (many, one) in who.items())
    )


GAMES: dict[str, Microspec] = {
    "cascade": Microspec(
        world=Cascade(),
        population=groups(people=(3, Bayesian()), models=(2, MODEL)),
        communication=Complete(representation="acts", last=2),
        visibility=Visibility(fields={"choices": Hidden()}),
        turns=Sequential(steps=1),
    ),
    "naming_game": Microspec(
        world=NamingGame(convention=0, remembered=1),
        population=groups(models=(2, MODEL), rules=(2, LookUp()), committed=(1, Always(item=1))),
        visibility=Visibility(fields={"uses": Hidden()}),
        turns=Meetings(steps=3),
        memory=Window(k=2),
        affordances=Affordances(labels="words", scoring="shown"),
    ),
    "minimal_naming": Microspec(
        world=MinimalNamingGame(different=5),
        population=groups(models=(2, MODEL), rules=(3, Random())),
        visibility=Visibility(fields={"uses": Hidden()}),
        turns=Meetings(steps=4),
        memory=Window(k=1),
        affordances=Affordances(labels="words"),
    ),
    "cournot": Microspec(
        world=Cournot(),
        population=groups(models=(1, MODEL), rules=(1, BestQuantity())),
        visibility=Visibility(fields={"quantity": Hidden()}),
        turns=Simultaneous(steps=3),
        memory=Window(k=4),
        affordances=Affordances(choose="amount", labels="words", scoring="shown"),
    ),
    "plans_and_messages": Microspec(
        world=Cournot(),
        population=groups(models=(2, MODEL)),
        communication=Complete(messages=12),
        visibility=Visibility(fields={"quantity": Hidden()}),
        turns=Simultaneous(steps=2),
        memory=Notes(names=("plans", "insights"), words=20, k=2, when="before"),
        affordances=Affordances(choose="amount", labels="words"),
    ),
    "bertrand": Microspec(
        world=Bertrand(),
        population=groups(models=(1, MODEL), rules=(1, BestPrice())),
        communication=Complete(representation="acts", last=1),
        visibility=Visibility(latency=2),
        turns=Simultaneous(steps=4),
        memory=Window(k=2),
        affordances=Affordances(choose="amount", labels="words", scoring="shown"),
    ),
    "opinion": Microspec(
        world=Opinion(up=0.6),
        population=groups(
            people=(3, MajorityForce(strength=1.5)), stubborn=(1, Always(item=0)), models=(1, MODEL)
        ),
        turns=Simultaneous(steps=2),
    ),
    "diffusion": Microspec(
        world=Diffusion(seeds=1, thresholds=Drawn(mean=0.4, sd=0.2), of="share"),
        population=groups(people=(3, Threshold(stop=0.5)), models=(2, MODEL)),
        communication=Ring(k=1),
        visibility=Visibility(whose="neighbours"),
        turns=Simultaneous(steps=2),
    ),
    "public_goods": Microspec(
        world=PublicGoods(
            players=3, step=5.0, places=True, bonus=0.01, threshold=20.0, penalty=4.0
        ),
        population=groups(models=(1, MODEL), rules=(2, ConditionalCooperator(slope=0.8))),
        turns=Sequential(steps=2, order="fixed"),
        memory=Window(k=1),
        affordances=Affordances(choose="amount", scoring="shown"),
    ),
    "dilemma": Microspec(
        world=Dilemma(),
        population=groups(models=(2, MODEL), rules=(2, TitForTat())),
        visibility=Visibility(fields={"chosen": Hidden()}),
        turns=Meetings(steps=3, at_once=True),
        memory=Window(k=2),
        affordances=Affordances(scoring="shown"),
    ),
}


def told(spec: Microspec) -> str:
    """The transcript, then what those who read were told."""
    trace = grown(spec, seed=7)
    prompts = [
        f"== agent {place[1]} at step {place[2]} is told\n{one.prompt}\n"
        for place, one in sorted(seen_by(trace).items(), key=lambda pair: pair[1].decision)
        if one.prompt
    ]
    return "\n".join([transcript(spec, trace), *prompts])


@pytest.mark.parametrize("name", GAMES)
def test_transcript(name: str) -> None:
    now, kept = told(GAMES[name]), HERE / f"{name}.txt"
    if os.environ.get("CLOUDCHAMBER_ACCEPT"):
        HERE.mkdir(exist_ok=True)
        kept.write_text(now, encoding="utf-8")
    assert now == kept.read_text(encoding="utf-8")


def test_none_is_left_over() -> None:
    assert {path.stem for path in HERE.glob("*.txt")} == set(GAMES)
