"""Hypothesis strategies: small random microspecifications over every kind of regime and rule.

Needs hypothesis (`pip install hypothesis`), which cloudchamber itself does without.
"""

from typing import Any, Literal, get_args

from hypothesis import strategies as st

from cloudchamber.agents import (
    LanguageModel,
    PositionOnly,
    Quality,
    Random,
    SocialProof,
    TwoStage,
    Writer,
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
    Group,
    Hidden,
    Meetings,
    Memory,
    Microspec,
    Noisy,
    NoMemory,
    Notes,
    Order,
    Popularity,
    Population,
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
from cloudchamber.testing.toy import Pairs, Toy
from cloudchamber.worlds import Feed

__all__ = [
    "affordances",
    "communications",
    "displays",
    "feeds",
    "memories",
    "orders",
    "populations",
    "rules",
    "specs",
    "toys",
    "turns",
]

Presentation = Literal["list", "one at a time"]
How = Literal["one", "up to", "any"]
WORDS = ("sun", "rain", "bread", "train", "school", "river")


@st.composite
def feeds(draw: st.DrawFn, items: int = 7) -> Feed:
    """Feeds of 2 to `items` items, with and without quality, first likes and reward."""
    count = draw(st.integers(2, items))
    words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
    quality = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=count, max_size=count)
    likes = st.lists(st.sampled_from([0.0, 1.0, 12.0]), min_size=count, max_size=count)
    return Feed(
        headlines=tuple(f"{draw(words)} [{number}]" for number in range(count)),
        quality=tuple(draw(st.just([]) | quality)),
        likes=tuple(draw(st.just([]) | likes)),
        reward=draw(st.sampled_from(["none", "quality", "agreement"])),
    )


@st.composite
def toys(draw: st.DrawFn) -> Toy:
    """Toys with any of their features that go together."""
    pairs: Pairs = draw(st.sampled_from(get_args(Pairs)))
    amounts = not pairs and draw(st.booleans())
    names = ("secret", "latest", "remembered", "shared")
    flags: dict[str, Any] = {name: draw(st.booleans()) for name in names}
    tired = not amounts and draw(st.booleans())
    return Toy(tokens=draw(st.integers(2, 4)), pairs=pairs, amounts=amounts, tired=tired, **flags)


def rules() -> st.SearchStrategy[Decider]:
    """Rules of every kind."""
    gate = st.sampled_from(["none", "hard", "exponential"])
    width = st.sampled_from([1.0, 2.0, 3.5])
    proof = st.sampled_from(["none", "any", "linear", "log", "threshold"])
    base = st.sampled_from([0.2, 0.7, 1.0])
    return st.one_of(
        st.builds(Random, base=base),
        st.builds(Writer, strength=st.sampled_from([0.0, 2.0]), base=base),
        st.builds(PositionOnly, gate=gate, width=width, base=base),
        st.builds(SocialProof, proof=proof, strength=st.sampled_from([0.0, 1.0, 2.5]), base=base),
        st.builds(Quality, strength=st.sampled_from([-1.0, 1.0]), base=base),
        st.builds(TwoStage, gate=gate, width=width, proof=proof),
    )


@st.composite
def populations(draw: st.DrawFn, deciders: st.SearchStrategy[Decider] | None = None) -> Population:
    """One to three groups of 1 to 4 agents."""
    names = ("readers", "editors", "bots")
    groups = tuple(
        Group(
            name=names[at],
            count=draw(st.integers(1, 4)),
            decides=draw(deciders if deciders is not None else rules()),
            personas=tuple(draw(st.sampled_from([(), ("You are kind.", "You are tired.")]))),
        )
        for at in range(draw(st.integers(1, 3)))
    )
    return Population(groups=groups, placement=draw(st.sampled_from(["shuffled", "in order"])))


@st.composite
def communications(
    draw: st.DrawFn, agents: int, representations: tuple[str, ...] = ("counts", "acts")
) -> Communication:
    """Communication of every kind that makes sense among so many agents."""
    given: dict[str, Any] = {
        "representation": draw(st.sampled_from(representations)),
        "last": draw(st.integers(1, 4)),
        "messages": draw(st.sampled_from([0, 0, 6])),
    }
    directed, p = st.booleans(), st.sampled_from([0.0, 0.3, 1.0])
    kinds: list[st.SearchStrategy[Communication]] = [
        st.builds(Complete, **_just(given)),
        st.builds(ErdosRenyi, p=p, directed=directed, **_just(given)),
        st.builds(Star, hub=st.integers(0, agents - 1), **_just(given)),
        st.builds(RandomPairs, **_just(given)),
    ]
    if agents >= 2:
        pair = st.tuples(st.integers(0, agents - 1), st.integers(0, agents - 1))
        pairs = st.lists(pair.filter(lambda ends: ends[0] != ends[1]), max_size=6).map(tuple)
        kinds.append(st.builds(Edges, pairs=pairs, directed=directed, **_just(given)))
        m = st.integers(1, min(2, agents - 1))
        kinds.append(st.builds(BarabasiAlbert, m=m, directed=directed, **_just(given)))
    if agents >= 3:
        k = st.integers(1, (agents - 1) // 2)
        kinds.append(st.builds(Ring, k=k, directed=directed, **_just(given)))
        kinds.append(st.builds(WattsStrogatz, k=k.map(lambda n: 2 * n), p=p, **_just(given)))
    return draw(st.one_of(kinds))


def displays() -> st.SearchStrategy[Display]:
    """Displays of every kind."""
    each = st.sampled_from(["reader", "run"])
    return st.one_of(
        st.builds(Hidden),
        st.builds(Exact),
        st.builds(Binary, threshold=st.sampled_from([1.0, 3.0])),
        st.builds(Bucketed, edges=st.just((1.0, 5.0, 20.0))),
        st.builds(Dealt),
        st.builds(Noisy, sd=st.sampled_from([0.0, 0.5])),
        st.builds(Seeded, levels=st.just((0.0, 1.0, 100.0)), each=each),
    )


def orders(items: int, depth: int = 1) -> st.SearchStrategy[Order]:
    """Orders of every kind over so many items; an engineered one on top of another."""
    kinds: list[st.SearchStrategy[Order]] = [
        st.builds(Shuffled, each=st.sampled_from(["reader", "run"])),
        st.builds(Fixed),
        st.builds(Fixed, items=st.permutations(range(items)).map(tuple)),
        st.builds(Popularity),
        st.builds(Chronological),
    ]
    if depth:
        pinned = st.lists(st.integers(0, items - 1), min_size=1, max_size=2, unique=True)
        kinds.append(st.builds(Engineered, pinned=pinned.map(tuple), rest=orders(items, depth - 1)))
    return st.one_of(kinds)


def turns(
    agents: int, groups: int, steps: int = 5, meets: bool = False
) -> st.SearchStrategy[Turns]:
    """Turns of every kind, for up to `steps` steps; meetings, or all others."""
    count = st.integers(1, steps)
    if meets:
        return st.one_of(
            st.builds(Meetings, steps=count, at_once=st.booleans()),
            st.builds(Meetings, steps=count, at_once=st.just(True), partners=st.just("kept")),
        )
    how = ["fixed", "random", "endogenous"] if agents > 1 else ["fixed", "random"]
    rate = st.sampled_from([0.4, 1.0, 2.0])
    rates = rate.map(lambda one: (one,)) | st.tuples(*[rate] * groups)
    return st.one_of(
        st.builds(Simultaneous, steps=count),
        st.builds(Sequential, order=st.sampled_from(how), steps=count),
        st.builds(Asynchronous, rates=rates, steps=count),
    )


def memories(similar: bool = True) -> st.SearchStrategy[Memory]:
    """Memories of every kind; by relevance only where items can be similar."""
    weight = st.sampled_from([0.0, 1.0])
    return st.one_of(
        st.builds(NoMemory),
        st.builds(Window, k=st.integers(1, 4)),
        st.builds(Summary),
        st.builds(
            Notes,
            names=st.sampled_from([("notes",), ("plans", "insights")]),
            words=st.sampled_from([1, 9]),
            k=st.integers(0, 2),
            when=st.sampled_from(["before", "after"]),
        ),
        st.builds(
            Retrieval,
            k=st.integers(1, 3),
            horizon=st.integers(2, 6),
            decay=st.sampled_from([0.5, 0.9]),
            recency_weight=weight,
            relevance_weight=weight if similar else st.just(0.0),
        ),
    )


@st.composite
def affordances(draw: st.DrawFn, world: World, shown: int, worded: bool = False) -> Affordances:
    """What agents may do with so many options; what a language model can answer, if `worded`."""
    told: dict[str, Any] = {
        "scoring": "shown" if world.scores and draw(st.booleans()) else "hidden",
        "labels": draw(st.sampled_from(["codes", "letters", "numbers"])),
    }
    if world.scale is not None:
        return Affordances(choose="amount", **told)
    if world.meets:
        return Affordances(may_decline=draw(st.booleans()), **told)
    presentation: Presentation = draw(st.sampled_from(get_args(Presentation)))
    how: list[How] = ["one", "up to", "any"] if world.counting == "acts" else ["one"]
    if worded and presentation == "list" and "any" in how:
        how.remove("any")
    choose = draw(st.sampled_from(how))
    again = choose == "up to" and presentation == "list" and draw(st.booleans())
    return Affordances(
        choose=choose,
        most=draw(st.integers(1, min(shown, 3))) if choose == "up to" else 1,
        picks="one by one" if again else "at once",
        may_decline=draw(st.booleans()),
        presentation=presentation,
        **told,
    )


@st.composite
def specs(
    draw: st.DrawFn,
    models: bool = False,
    worlds: st.SearchStrategy[World] | None = None,
    deciders: st.SearchStrategy[Decider] | None = None,
) -> Microspec:
    """Valid microspecifications: any regime of each kind with any other, few agents, few steps.

    Args:
        draw: given by hypothesis.
        models: whether some groups are (fake) language models.
        worlds: which worlds; feeds if not given.
        deciders: what decides; rules of every kind if not given, and language models if `models`.
    """
    world: World = draw(feeds() if worlds is None else worlds)
    if deciders is None:
        known = rules() if world.scale is None else st.builds(Random)
        deciders = known | language_models() if models else known
    population = draw(populations(deciders).filter(lambda p: p.count > 1 or not world.meets))
    worded = any(group.decides.reads_text for group in population.groups)
    top = draw(st.none() | st.integers(1, world.items))
    can = draw(affordances(world, world.items if top is None else top, worded))
    single = can.presentation == "one at a time"
    talk = draw(communications(population.count, ("counts",) if single else ("counts", "acts")))
    when = draw(turns(population.count, len(population.groups), meets=bool(world.meets)))
    fields = {name: draw(_display_of(world, name)) for name in world.visible if draw(st.booleans())}
    return Microspec(
        world=world,
        population=population,
        communication=talk,
        visibility=Visibility(
            fields=fields,
            whose="all" if talk.everyone else "neighbours",
            order=draw(orders(world.items)),
            top=top,
            latency=draw(st.integers(0, min(3, when.steps))),
        ),
        turns=when,
        memory=draw(memories(world.similarity() is not None)),
        affordances=can,
    )


def _display_of(world: World, name: str) -> st.SearchStrategy[Display]:
    """How a field may appear: what is remembered is hidden or exact."""
    if name not in world.fields + world.private:
        return st.builds(Hidden) | st.builds(Exact)
    return displays().filter(lambda how: not (world.closes and isinstance(how, Dealt)))


def language_models() -> st.SearchStrategy[Decider]:
    """Fake language models, by exact readout."""
    return st.builds(
        LanguageModel,
        model=st.sampled_from(["fake:hash", "fake:uniform"]),
        instruction=st.sampled_from(["", "Judge on merit."]),
    )


def _just(given: dict[str, Any]) -> dict[str, st.SearchStrategy[Any]]:
    return {name: st.just(value) for name, value in given.items()}
