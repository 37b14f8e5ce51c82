"""Worlds whose agents are a known mechanism, for tests of what is found of it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from cloudchamber.mechanism import (
    By,
    ChoiceData,
    ConsiderThenChoose,
    ContentEffect,
    FallOff,
    Gate,
    HeardEffect,
    ItemEffects,
    LabelEffects,
    Logit,
    Majority,
    Mechanism,
    MemoryTable,
    PlaceEffects,
    Readiness,
    Reinforcement,
    Signal,
    choices_of,
)
from cloudchamber.microspec import Group, Meetings, Microspec, Population, Sequential, Window
from cloudchamber.testing import grown
from cloudchamber.worlds import Cascade, Feed, NamingGame

__all__ = ["KNOWN", "MEETING", "Known"]


@dataclass(frozen=True)
class Known:
    """A mechanism, and where it is the agents'."""

    mechanism: Mechanism
    world: Any = field(default_factory=lambda: Feed.of(12))
    agents: int = 20
    groups: int = 1
    steps: int = 2
    runs: int = 12
    """For one fit."""
    asked: Literal["one", "several", "any"] | None = None
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def form(self) -> Literal["one", "any"]:
        """What the parameters bear on."""
        return "any" if self.asked == "any" else "one"

    def spec(self) -> Microspec:
        """Where it decides."""
        each = self.agents // self.groups
        groups = tuple(
            Group(name=f"group {number}", count=each, decides=self.mechanism)
            for number in range(self.groups)
        )
        given: dict[str, Any] = {"turns": Sequential(steps=self.steps)} | self.parts
        return Microspec(world=self.world, population=Population(groups=groups), **given)

    def data(self, fits: int) -> ChoiceData:
        """The choices of as many runs as so many fits need, grown in one pool."""
        trace = grown(self.spec(), replicates=range(fits * self.runs))
        return choices_of(trace, asked=self.asked, content=self.world.content())


SEEDED: Any = {"visibility": {"fields": {"likes": {"kind": "seeded"}}}}
REMEMBERING: Any = {"memory": Window(k=5)}
MEETING: Any = {"turns": Meetings(steps=10), "memory": Window(k=5)}
GOOD = Feed.of(8, quality=(0.0, 1.0, 0.5, -1.0, 0.3, -0.4, 0.8, 0.1))

KNOWN: dict[str, Known] = {
    "any like": Known(Logit(terms=(FallOff(rate=0.3), Signal(strength=1.5)))),
    "gate, log of likes": Known(
        Logit(terms=(Gate(width=4, beyond=-2.0), Signal(form="log", strength=0.7)))
    ),
    "threshold": Known(
        Logit(terms=(FallOff(rate=0.2), Signal(form="threshold", threshold=3.0, strength=1.0))),
        parts=SEEDED,
    ),
    "size": Known(Logit(terms=(Signal(form="linear", strength=0.005),)), parts=SEEDED),
    "rank": Known(Logit(terms=(FallOff(), Signal(form="rank", strength=1.5)))),
    "saturating": Known(
        Logit(terms=(FallOff(), Signal(form="saturating", strength=2.5, half=2.0))), runs=24
    ),
    "places and content": Known(
        Logit(
            terms=(
                PlaceEffects(effects=(-0.3, -0.5, -1.0, -1.0, -1.2, -1.5, -1.6)),
                ContentEffect(strength=0.7),
            )
        ),
        world=GOOD,
    ),
    "items and labels": Known(
        Logit(
            terms=(
                ItemEffects(effects=(0.0, 0.5, -0.5, 1.0)),
                LabelEffects(labels=(0, 1, 2, 3), effects=(0.0, -0.3, 0.6, 0.2)),
            )
        ),
        world=Feed.of(4),
        parts={"affordances": {"labels": "letters"}},
    ),
    "declining": Known(
        Logit(terms=(FallOff(), Signal(form="log", strength=0.8)), decline=0.5),
        parts={"affordances": {"may_decline": True}},
    ),
    "two stages": Known(
        ConsiderThenChoose(
            considered=FallOff(rate=0.2), terms=(Signal(form="log", strength=1.5),), appeal=-2.0
        ),
        runs=24,
    ),
    "each on its own": Known(
        Logit(terms=(FallOff(), Signal(strength=1.0)), appeal=-1.0),
        asked="any",
        parts={"affordances": {"choose": "any"}},
    ),
    "two stages, each on its own": Known(
        ConsiderThenChoose(
            considered=FallOff(rate=0.2), terms=(Signal(strength=1.0),), appeal=-0.5
        ),
        asked="any",
        parts={"affordances": {"choose": "any"}},
    ),
    "three in order": Known(
        Logit(terms=(FallOff(), Signal(form="log", strength=0.5))),
        asked="several",
        parts={"affordances": {"choose": "up to", "most": 3}},
    ),
    "three, one by one": Known(
        Logit(terms=(FallOff(), Signal(form="log", strength=0.5))),
        parts={"affordances": {"choose": "up to", "most": 3, "picks": "one by one"}},
    ),
    "own memory": Known(
        Logit(terms=(HeardEffect(form="count", strength=0.8), HeardEffect(form="recent"))),
        steps=6,
        agents=8,
        parts=REMEMBERING,
    ),
    "others heard of": Known(
        Logit(terms=(FallOff(), HeardEffect(channel="others", form="count", strength=0.6))),
        parts={"communication": {"kind": "complete", "representation": "acts", "last": 5}},
    ),
    "by group": Known(
        Logit(
            terms=(
                By(term=FallOff(), levels=(0, 1), terms=(FallOff(rate=0.1), FallOff(rate=0.4))),
                Signal(strength=0.5),
                By(term=Signal(), besides=0, levels=(1,), terms=(Signal(strength=1.0),)),
            )
        ),
        groups=2,
    ),
    "by agent": Known(
        Logit(
            terms=(
                FallOff(),
                By(
                    term=Readiness(),
                    by="agent",
                    besides=0,
                    levels=(1, 2, 3),
                    terms=tuple(Readiness(strength=one) for one in (-0.5, 0.5, 1.0)),
                ),
            ),
            appeal=-1.0,
        ),
        agents=4,
        steps=4,
        asked="any",
        parts={"affordances": {"choose": "any"}},
    ),
    "reinforcement": Known(
        Logit(terms=(Reinforcement(strength=0.012, keep=0.7),)),
        world=NamingGame(names=("Q", "M", "X")),
        parts=MEETING,
    ),
    "propensities": Known(
        Logit(terms=(Reinforcement(form="proportional", least=-50.0, start=60.0, keep=0.8),)),
        world=NamingGame(),
        parts=MEETING,
        runs=24,
    ),
    "values": Known(
        Logit(terms=(Reinforcement(strength=0.012, keep=0.6, forgets="when tried"),)),
        world=NamingGame(names=("Q", "M", "X")),
        parts=MEETING,
    ),
    "fictitious play": Known(
        Logit(
            terms=(
                Reinforcement(channel="met", result="", strength=0.7, keep=0.75),
                HeardEffect(channel="own", strength=0.2),
            )
        ),
        world=NamingGame(),
        parts=MEETING,
    ),
    "table": Known(
        Logit(
            terms=(
                MemoryTable.of_probabilities(
                    {
                        (0, 0, 0): 0.48, (1, 0, 0): 0.1, (1, 0, 1): 0.3, (1, 1, 0): 0.8,
                        (1, 1, 1): 0.9, (2, 0, 0): 0.1, (2, 0, 1): 0.2, (2, 0, 2): 0.4,
                        (2, 1, 0): 0.4, (2, 1, 1): 0.5, (2, 1, 2): 0.6, (2, 2, 0): 0.7,
                        (2, 2, 1): 0.8, (2, 2, 2): 0.9,
                    },
                    of=1,
                ),
            )
        ),
        world=NamingGame(),
        parts=MEETING | {"memory": Window(k=2)},
    ),
    "force of a majority": Known(
        Logit(terms=(Majority(field="choices", beta=0.6, toward=1, h=0.15),)), world=Cascade()
    ),
    "majority and an own sign": Known(
        Logit(
            terms=(
                Majority(field="choices", beta=0.8),
                Signal(field="sign", form="linear", strength=1.2),
            )
        ),
        world=Cascade(),
    ),
}  # fmt: skip
