"""Specifications of every sort, small: what is shown in every way, and asked in every way."""

from collections.abc import Mapping

from cloudchamber.agents import (
    BestQuantity,
    LanguageModel,
    MajorityOfMemory,
    Quality,
    Quantal,
    Random,
    SocialProof,
    TitForTat,
)
from cloudchamber.microspec import (
    Affordances,
    Asynchronous,
    Complete,
    Decider,
    Group,
    Hidden,
    Meetings,
    Microspec,
    Popularity,
    Population,
    RandomPairs,
    Ring,
    Sequential,
    Simultaneous,
    Summary,
    Visibility,
    Window,
)
from cloudchamber.models.fake import FakeModel, fake
from cloudchamber.worlds import Cascade, Cournot, Dilemma, Feed, NamingGame

MODEL = "fake:hash"


def people(decider: Decider, count: int = 6) -> Population:
    return Population(groups=(Group(name="all", count=count, decides=decider),))


def feed(decider: Decider, **parts: object) -> Microspec:
    given: dict[str, object] = {
        "world": Feed.of(7),
        "population": people(decider),
        "turns": Sequential(steps=2),
        "visibility": Visibility(order=Popularity()),
    }
    return Microspec(**(given | parts))  # type: ignore[arg-type]


POLYA = feed(SocialProof())
MIXED = Population(
    groups=(
        Group(name="followers", count=4, decides=SocialProof(proof="any", strength=2.0)),
        Group(name="judges", count=2, decides=Quality()),
    )
)
SPECS: Mapping[str, Microspec] = {
    "polya": POLYA,
    "all at once": feed(SocialProof(), turns=Simultaneous(steps=4)),
    "neighbours": feed(
        SocialProof(),
        communication=Ring(k=1, representation="acts", last=2),
        visibility=Visibility(whose="neighbours", latency=1),
        turns=Asynchronous(steps=4),
        memory=Window(k=2),
    ),
    "pairs": feed(
        SocialProof(),
        communication=RandomPairs(representation="acts", last=1),
        visibility=Visibility(whose="neighbours"),
        turns=Simultaneous(steps=4),
        memory=Summary(),
    ),
    "judged": feed(
        SocialProof(proof="any", strength=2.0),
        affordances=Affordances(presentation="one at a time", choose="up to", most=2),
    ),
    "one by one": feed(
        SocialProof(),
        affordances=Affordances(choose="up to", most=3, picks="one by one", may_decline=True),
    ),
    "several": feed(SocialProof(), affordances=Affordances(choose="up to", most=2)),
    "any": feed(SocialProof(), affordances=Affordances(choose="any")),
    "named": feed(SocialProof(), turns=Sequential(order="endogenous", steps=2)),
    "mixed": feed(
        SocialProof(),
        population=MIXED,
        world=Feed.of(7, quality=tuple(range(7)), reward="agreement"),
        affordances=Affordances(scoring="shown"),
        communication=Complete(representation="acts", last=2),
    ),
    "top": feed(SocialProof(), visibility=Visibility(order=Popularity(), top=3)),
    "model": feed(
        LanguageModel(model=MODEL),
        communication=Complete(representation="acts", last=2),
        population=people(LanguageModel(model=MODEL), 4),
    ),
    "sampled": feed(
        LanguageModel(model=MODEL, readout="sample"),
        population=people(LanguageModel(model=MODEL, readout="sample"), 4),
    ),
    "naming": Microspec(
        world=NamingGame(),
        population=people(MajorityOfMemory(noise=0.2)),
        turns=Meetings(steps=3),
        memory=Window(k=3),
        affordances=Affordances(scoring="shown"),
    ),
    "dilemma": Microspec(
        world=Dilemma(),
        population=people(TitForTat(slip=0.2)),
        turns=Meetings(at_once=True, steps=6),
        memory=Window(k=2),
    ),
    "cascade": Microspec(
        world=Cascade(),
        population=people(Quantal()),
        communication=Complete(representation="acts", last=6),
        visibility=Visibility(fields={"choices": Hidden()}),
        turns=Sequential(steps=1),
    ),
    "market": Microspec(
        world=Cournot(),
        population=people(BestQuantity(noise=1.0), 3),
        turns=Simultaneous(steps=4),
        memory=Window(k=2),
        communication=Complete(representation="acts", last=4),
        visibility=Visibility(fields={"quantity": Hidden()}, latency=1),
        affordances=Affordances(choose="amount", labels="words"),
    ),
    "blind": feed(Random()),
}


def models_for(spec: Microspec) -> dict[str, FakeModel] | None:
    """The fake that it names, or None."""
    asks = any(isinstance(group.decides, LanguageModel) for group in spec.population.groups)
    return {MODEL: fake("hash")} if asks else None
