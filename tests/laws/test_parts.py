"""Every world, rule, regime and measure of the package passes the checks a user's own must pass."""

import pytest

from cloudchamber.agents import (
    Always,
    BackwardInduction,
    Bayesian,
    BestPrice,
    BestQuantity,
    ConditionalCooperator,
    Constant,
    Contagion,
    Contributor,
    FreeRider,
    Grim,
    LanguageModel,
    LookUp,
    MajorityForce,
    MajorityOfMemory,
    MemoryOne,
    OwnSign,
    PositionOnly,
    Quality,
    Quantal,
    Random,
    RandomPlayer,
    SocialProof,
    SuspiciousTitForTat,
    Threshold,
    TitForTat,
    TwoStage,
    WinStayLoseShift,
    Writer,
)
from cloudchamber.measures import MEASURES
from cloudchamber.measures.measure import Measure
from cloudchamber.mechanism import (
    ConsiderThenChoose,
    FallOff,
    Gate,
    HeardEffect,
    ItemEffects,
    Logit,
    Signal,
)
from cloudchamber.microspec import (
    Affordances,
    Asynchronous,
    BarabasiAlbert,
    Binary,
    Bucketed,
    Chronological,
    Communication,
    Complete,
    Dealt,
    Decider,
    Display,
    Edges,
    Engineered,
    ErdosRenyi,
    Exact,
    Fixed,
    Hidden,
    Meetings,
    Memory,
    Noisy,
    NoMemory,
    Notes,
    Order,
    Popularity,
    RandomPairs,
    Retrieval,
    Ring,
    Seeded,
    Sequential,
    Shuffled,
    Simultaneous,
    Star,
    Summary,
    Turns,
    Visibility,
    WattsStrogatz,
    Window,
    World,
)
from cloudchamber.microspec.value import Family
from cloudchamber.testing import check_decider, check_measure, check_regime, check_world
from cloudchamber.testing.toy import Toy
from cloudchamber.worlds import (
    Bertrand,
    Cascade,
    Cournot,
    Diffusion,
    Dilemma,
    Drawn,
    Feed,
    MinimalNamingGame,
    NamingGame,
    Opinion,
    PublicGoods,
)

WORLDS: list[World] = [
    Cascade(),
    Opinion(up=0.7),
    Diffusion(seeds=2, thresholds=Drawn(mean=2.0, sd=2.0)),
    NamingGame(),
    MinimalNamingGame(),
    Dilemma(),
    PublicGoods(),
    Cournot(),
    Bertrand(),
    Toy(secret=True, latest=True, tired=True, remembered=True),
    Toy(pairs="both", remembered=True),
    Toy(pairs="one", tired=True),
    Toy(amounts=True, secret=True, latest=True, remembered=True),
    Feed.of(6),
    Feed(headlines=("Sun", "Rain: (3 likes)", "Bread", "Fog"), quality=(0.0, 1.0, 2.0, -1.0)),
    Feed.of(5, likes=(1.0, 2.0, 3.0, 4.0, 5.0), reward="agreement"),
]
DECIDERS = [
    Always(item=1),
    Random(),
    PositionOnly(gate="hard", width=3.0),
    SocialProof(proof="log"),
    Quality(),
    TwoStage(proof="threshold", threshold=2.0),
    Logit(
        terms=(FallOff(), Signal(form="rank"), HeardEffect(), ItemEffects(effects=(0.0, 1.0))),
        decline=-1.0,
    ),
    ConsiderThenChoose(considered=Gate(width=3, beyond=-2.0), terms=(Signal(form="log"),)),
    Writer(strength=2.0),
    LanguageModel(model="fake:hash"),
    LanguageModel(model="fake:sampled", readout="sample"),
]
AT_HOME: list[tuple[Decider, World]] = [
    (Bayesian(slip=0.1), Cascade()),
    (OwnSign(slip=0.1), Cascade()),
    (Quantal(), Cascade()),
    (Threshold(chance=0.5, stop=0.3), Diffusion()),
    (Contagion(chance=0.2, stop=0.3), Diffusion()),
    (MajorityForce(strength=2.0, lean=0.3), Opinion()),
    (MajorityOfMemory(), NamingGame()),
    (LookUp(), NamingGame()),
    (TitForTat(), Dilemma()),
    (SuspiciousTitForTat(), Dilemma()),
    (Grim(), Dilemma()),
    (WinStayLoseShift(), Dilemma()),
    (RandomPlayer(), Dilemma()),
    (MemoryOne(), Dilemma()),
    (FreeRider(), PublicGoods()),
    (Contributor(), PublicGoods()),
    (ConditionalCooperator(), PublicGoods()),
    (BackwardInduction(), PublicGoods()),
    (Constant(), Cournot()),
    (BestQuantity(), Cournot()),
    (BestPrice(), Bertrand()),
]
"""Deciders that need a world of their kind."""
REGIMES = [
    Complete(),
    Ring(k=2),
    WattsStrogatz(),
    BarabasiAlbert(),
    ErdosRenyi(p=0.4),
    Star(hub=3),
    Edges(pairs=((0, 1), (3, 4), (4, 8))),
    RandomPairs(),
    Simultaneous(steps=3),
    Sequential(steps=2, order="endogenous"),
    Meetings(steps=3),
    Meetings(steps=3, at_once=True, partners="kept"),
    Asynchronous(steps=3, rates=(0.5, 2.0)),
    NoMemory(),
    Window(k=2),
    Notes(names=("plans", "insights"), words=9, k=1),
    Notes(names=("plans", "insights"), words=9, k=1, when="before"),
    Summary(),
    Retrieval(k=1, horizon=3),
    Hidden(),
    Exact(),
    Binary(threshold=2.0),
    Bucketed(edges=(1.0, 4.0)),
    Dealt(),
    Noisy(),
    Seeded(each="run"),
    Shuffled(each="run"),
    Fixed(items=(5, 4, 3, 2, 1, 0)),
    Popularity(),
    Chronological(),
    Engineered(pinned=(2,), rest=Popularity()),
    Visibility(latency=2, top=3),
    Affordances(choose="up to", most=2, scoring="shown"),
]


def name(part: object) -> str:
    return str(getattr(part, "kind", type(part).__name__))


@pytest.mark.parametrize("world", WORLDS, ids=name)
def test_worlds(world: World) -> None:
    check_world(world)


@pytest.mark.parametrize("decider", DECIDERS, ids=name)
def test_deciders(decider: Decider) -> None:
    check_decider(decider)


@pytest.mark.parametrize(("decider", "world"), AT_HOME, ids=name)
def test_deciders_at_home(decider: Decider, world: World) -> None:
    check_decider(decider, world)


@pytest.mark.parametrize("regime", REGIMES, ids=name)
def test_regimes(
    regime: Communication | Visibility | Display | Order | Turns | Memory | Affordances,
) -> None:
    check_regime(regime)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_measures(measure: Measure) -> None:
    check_measure(measure)


def test_none_is_left_out() -> None:
    """Whoever adds a kind adds it above."""
    at_home = (part for pair in AT_HOME for part in pair)
    checked = {type(part) for part in (*WORLDS, *DECIDERS, *REGIMES, *at_home)}
    needs_more = {"recorded", "axelrod"}
    for root in Family.__subclasses__():
        for kind, made in root.kinds.items():
            ours = made.__module__.startswith("cloudchamber.")
            assert not ours or made in checked or kind in needs_more, (
                f"{kind!r} is not put through the laws; add it to this file."
            )
