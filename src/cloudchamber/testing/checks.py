"""Checks of single parts: a world, a decider, a regime, a measure, of ours or of one's own.

Each puts the part through what its own contract says, then, in small microspecifications, through the
laws. AssertionError says what broke.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.agents import LanguageModel, Random, SocialProof
from cloudchamber.agents.society import Society
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import (
    Affordances,
    Communication,
    Complete,
    Decider,
    Display,
    Group,
    Memory,
    Microspec,
    Order,
    Population,
    Sequential,
    Simultaneous,
    Turns,
    Visibility,
    World,
)
from cloudchamber.microspec.value import Family, Value
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Remembered, Shown
from cloudchamber.questions import Answers, Questions
from cloudchamber.testing import laws
from cloudchamber.testing.growing import SEED, Models, grown, run_of
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds import Feed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_decider", "check_measure", "check_regime", "check_value", "check_world"]

ITEMS = 6
AGENTS = 7
STEPS = 3


def check_value(value: Value) -> None:
    """A part of a specification is a value: it survives JSON, equals its copy, and can be read aloud."""
    kind = type(value)
    again = kind.model_validate(json.loads(value.model_dump_json()))
    assert again == value and hash(again) == hash(value), (
        f"{kind.__name__} does not survive JSON: {value!r} came back as {again!r}."
    )
    spoken = value.aloud()
    assert spoken and spoken != kind.__name__, (
        f"{kind.__name__} cannot be read aloud: give it aloud()."
    )
    if isinstance(value, Family):
        root = next(r for r in Family.__subclasses__() if isinstance(value, r))
        assert root.kinds.get(value.kind) is kind, (
            f"{kind.__name__}: no {root.__name__} is registered as {value.kind!r}; give the field "
            "`kind` a default of its own."
        )


def check_world(world: World) -> None:
    """A world offers what it says, changes only by `apply`, and passes the laws.

    Its prompts, where it has any, name every option, show every signal, and hold nothing unseen.
    """
    check_value(world)
    items = world.items
    assert items >= 1 and world.fields and world.acts, "a world has items, fields and acts."
    for name, array in (("initial", world.initial()), ("created", world.created())):
        assert array.shape == (items,), f"{name}() has shape {array.shape}, not ({items},)."
    for name, array in world.content().items():
        assert array.shape == (items,), f"content {name!r} has shape {array.shape}, not ({items},)."
    like = world.similarity()
    assert like is None or like.shape == (items, items), "similarity() is (items, items) or None."
    assert len(world.words()) in (0, items), f"words() has {len(world.words())} of {items} items."
    _check_apply(world)
    _check_prompts(world)
    _check_hidden(world)
    scored = Affordances(scoring="shown") if world.scores else Affordances()
    for spec in (
        _spec(world=world, affordances=scored),
        _spec(world=world, turns=Sequential(steps=2), visibility=Visibility(latency=1)),
    ):
        _pass(spec)


def _check_apply(world: World) -> None:
    before = world.to_json() if hasattr(world, "to_json") else world.model_dump_json()
    group = np.zeros(3, np.int64)
    # The run that acts is replicate 1 in both.
    state = world.start(Opening(SEED, np.array([0, 1]), group))
    alone = world.start(Opening(SEED, np.array([1]), group))
    assert state.tally.shape == (2, world.items), f"tally has shape {state.tally.shape}."
    assert state.score.shape == (2, 3), f"score has shape {state.score.shape}, not (runs, agents)."
    untouched = state.tally[0].copy()
    agent, item = np.array([0, 1, 2]), np.array([0, world.items - 1, 0])
    number, other = np.arange(3), np.ones(3, np.int64)
    world.apply(state, Acts(other, agent, item, number, 0))
    world.apply(alone, Acts(other * 0, agent, item, number, 0))
    assert np.array_equal(state.tally[0], untouched), "acts of one run changed another run."
    assert np.array_equal(state.tally[1], alone.tally[0]), (
        "the same acts have another effect in a pool of two runs than in a run alone."
    )
    after = world.to_json() if hasattr(world, "to_json") else world.model_dump_json()
    assert before == after, "apply() changed the world itself; only the state may change."


def _check_prompts(world: World) -> None:
    options = tuple(
        Shown(item, str(41 + item), {name: 7.0 + item for name in world.fields})
        for item in range(min(3, world.items))
    )
    heard = (Remembered("others", 0, 5, 2, math.nan), Remembered("own", 0, 1, 3, math.nan))
    for kind in (Kind.choose, Kind.judge):
        some = options if kind is Kind.choose else options[:1]
        glimpse = Glimpse(
            kind, some, heard, 1, False, persona="You are kind.", instruction="Judge on merit."
        )
        try:
            prompt = world.prompt(glimpse)
        except NotImplementedError:
            return  # a world without words, for rules only
        assert prompt == world.prompt(glimpse), "the same glimpse gave two prompts."
        wanted = len(some) if kind is Kind.choose else 2
        assert len(set(prompt.answers)) == wanted, (
            f"{wanted} different answers are needed, the prompt allows {prompt.answers}."
        )
        whole = f"{prompt.system}\n{prompt.user}"
        for text in ("You are kind.", "Judge on merit."):
            assert text in whole, f"the prompt leaves out {text!r}:\n{whole}"
        for altered, what in _altered(glimpse):
            told = world.prompt(altered)
            assert (told.system, told.user) != (prompt.system, prompt.user), (
                f"{what} was shown, but the prompt does not tell it:\n{whole}"
            )
    _check_picked(world, options)


def _check_picked(world: World, options: tuple[Shown, ...]) -> None:
    """Asked again, an agent is told what it picked, and may not pick it again."""
    first = Glimpse(Kind.choose, options, (), 2, False, one_by_one=True)
    left = (replace(options[0], open=False), *options[1:])
    just = Remembered("picked", options[0].item, 5, 0, math.nan)
    before, after = world.prompt(first), world.prompt(replace(first, options=left, heard=(just,)))
    assert after.answers == before.answers[1:], (
        f"item {options[0].item} was picked already, but the prompt allows {after.answers} of "
        f"{before.answers}; give answers of open options only."
    )
    assert before.user != after.user, f"the prompt does not tell what was picked:\n{after.user}"


def _altered(glimpse: Glimpse) -> Iterator[tuple[Glimpse, str]]:
    """The glimpse with one thing changed at a time."""
    for place, option in enumerate(glimpse.options):
        for name, value in option.signals.items():
            signals = {**option.signals, name: value + 90}
            options = list(glimpse.options)
            options[place] = replace(option, signals=signals)
            yield replace(glimpse, options=tuple(options)), f"{name} of option {place}"
    for place, one in enumerate(glimpse.heard):
        heard = glimpse.heard[:place] + glimpse.heard[place + 1 :]
        yield replace(glimpse, heard=heard), f"an act heard by way of {one.channel!r}"


def _check_hidden(world: World) -> None:
    """A prompt that shows nothing of what the world counts is the same for a twin that begins elsewhere."""
    options = tuple(Shown(item, str(41 + item), {}) for item in range(min(3, world.items)))
    for name in type(world).model_fields:
        try:
            twin = world.altered(**{name: tuple(901.0 + item for item in range(world.items))})
        except SpecificationError:
            continue  # this field holds no numbers of items
        if np.array_equal(twin.initial(), world.initial()):
            continue
        for kind, some in ((Kind.choose, options), (Kind.judge, options[:1])):
            glimpse = Glimpse(kind, some, (), 1, False)
            try:
                one, other = world.prompt(glimpse), twin.prompt(glimpse)
            except NotImplementedError:
                return  # a world without words
            assert one == other, (
                f"{name} is hidden, but the prompt tells of it:\n{one.text()}\n---\n{other.text()}"
            )


def check_decider(
    decider: Decider, world: World | None = None, models: Models | None = None
) -> None:
    """A decider answers each question by what is shown there, and passes the laws.

    Its distribution is the same whatever other rows are in the batch, and whatever stands in the parts of
    a question that nobody is shown: seed, replicate, run, number of the decision, content of other items.
    """
    check_value(decider)
    for affordances in _forms(decider):
        spec = _spec(world=world, decides=decider, affordances=affordances)
        if not isinstance(decider, LanguageModel):
            _check_answers(spec)
            some = max((spec.world.items + 1) // 2, affordances.most)
            _check_answers(spec.replace("visibility.top", some))
        _pass(spec, models)
        laws.independent_draws(spec, models)


def _forms(decider: Decider) -> Iterator[Affordances]:
    for form in (
        Affordances(),
        Affordances(may_decline=True),
        Affordances(choose="up to", most=2),
        Affordances(choose="any"),
        Affordances(presentation="one at a time"),
        Affordances(choose="up to", most=2, picks="one by one"),
    ):
        if not decider.refuses(form):
            yield form


def _check_answers(spec: Microspec) -> None:
    society = Society(spec)
    asked: list[Questions] = []

    def answer(questions: Questions) -> Answers:
        asked.append(questions)
        return society.answer_now(questions)

    grown(spec, answer=answer)
    decider = type(spec.population.groups[0].decides).__name__
    for questions in asked[-3:]:
        whole = society.answer_now(questions)
        rows = np.arange(len(questions))[::-2]
        some = society.answer_now(questions.take(rows))
        _equal(whole, some, rows, questions, f"{decider} answers a row by the other rows too")
        # Row by row, for what one is not shown another of the batch may be.
        for row in rows:
            alone = np.array([row])
            masked = _masked(questions.take(alone))
            again = society.answer_now(masked)
            what = f"{decider} looks at what it is not shown"
            _equal(whole, again, alone, masked, what, picks=False)


def _equal(
    whole: Answers,
    some: Answers,
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    questions: Questions,
    what: str,
    picks: bool = True,
) -> None:
    if whole.weights is not None and some.weights is not None:
        assert np.array_equal(whole.weights[rows], some.weights, equal_nan=True), (
            f"{what}: its weights changed in batch {questions.items.tolist()}."
        )
    if picks:
        chosen, width = whole.picks[rows], some.picks.shape[1]
        assert np.array_equal(chosen[:, :width], some.picks), f"{what}: its picks changed."


def _masked(questions: Questions) -> Questions:
    """The same questions as far as the agents can see, with everything else altered."""
    address = replace(
        questions.address,
        seed=questions.address.seed + 1,
        replicate=questions.address.replicate + 9,
    )
    content = {
        name: np.where(np.isin(np.arange(len(values)), questions.items), values, values + 5.0)
        for name, values in questions.content.items()
    }
    return replace(
        questions,
        address=address,
        run=questions.run + 3,
        decision=questions.decision + 1000,
        content=content,
        labels=None if questions.labels is None else questions.labels[:, ::-1],
    )


def check_regime(
    regime: Communication | Visibility | Display | Order | Turns | Memory | Affordances,
) -> None:
    """A regime fits any world that has what it needs, is a value, and passes the laws."""
    check_value(regime)
    if isinstance(regime, Display):
        seen = Visibility(fields={"likes": regime})
        specs = [_spec(visibility=seen), _spec(visibility=seen, turns=Sequential(steps=2))]
    elif isinstance(regime, Order):
        specs = [_spec(visibility=Visibility(order=regime, top=top)) for top in (None, 3)]
    elif isinstance(regime, Visibility):
        specs = [_spec(visibility=regime)]
    elif isinstance(regime, Communication):
        acts = regime.altered(representation="acts", last=2)
        specs = [
            _spec(communication=talk, visibility=_heard_from(regime, late))
            for talk, late in ((regime, 0), (regime, 2), (acts, 0), (acts, 1))
        ]
    elif isinstance(regime, Turns):
        specs = [_spec(turns=regime), _spec(turns=regime, memory={"kind": "window", "k": 2})]
    elif isinstance(regime, Memory):
        specs = [_spec(memory=regime), _spec(memory=regime, turns=Sequential(steps=STEPS))]
    else:
        specs = [_spec(affordances=regime, world=_feed(reward="quality"))]
    for spec in specs:
        _pass(spec)


def _heard_from(regime: Communication, latency: int) -> Visibility:
    return Visibility(whose="all" if regime.everyone else "neighbours", latency=latency)


def check_measure(measure: "Callable[[Trace], pd.Series[float]]") -> None:
    """A measure gives one number a run, of that run alone, whatever else the trace holds.

    It neither changes the trace, nor depends on the order of its runs; where it has `low` and `high`, its
    numbers lie between; where it has `over_time`, the last of its course is the number itself.
    """
    name = getattr(measure, "name", repr(measure))
    spec = _spec(decides=SocialProof(), turns=Sequential(steps=STEPS))
    parts = [grown(spec, replicates=(one,)) for one in range(4)]
    trace = Trace.concatenate(parts)
    digest = trace.digest()
    numbers = measure(trace)
    assert trace.digest() == digest, f"{name} changed the trace."
    runs = [run_of(one) for one in range(4)]
    assert sorted(numbers.index) == runs, (
        f"{name} must give one number for each of the runs {runs}; given: {sorted(numbers.index)}."
    )
    # Up to rounding: a database adds in no fixed order.
    again = measure(trace).reindex(numbers.index)
    assert np.allclose(numbers, again, rtol=1e-12, atol=1e-15, equal_nan=True), (
        f"{name} gave two answers to one question."
    )
    backwards = measure(Trace.concatenate(parts[::-1]))
    for run, part in zip(runs, parts, strict=True):
        alone = float(measure(part).loc[run])
        for other, how in ((numbers, "other runs are in the trace"), (backwards, "their order")):
            assert np.isclose(alone, other.loc[run], equal_nan=True), (
                f"{name} of run {run} depends on {how}: {alone} alone, {other.loc[run]} there."
            )
    low, high = getattr(measure, "low", -np.inf), getattr(measure, "high", np.inf)
    known = numbers.dropna()
    assert known.between(low, high).all(), f"{name} left {low} to {high}: {known.tolist()}"
    course = getattr(measure, "over_time", None)
    if course is not None:
        last = course(trace).sort_values("step").groupby("run")["value"].last()
        assert np.allclose(last, numbers.sort_index(), equal_nan=True), (
            f"{name}: its course ends at {last.tolist()}, but its numbers are {numbers.tolist()}."
        )


def _feed(**parts: object) -> Feed:
    quality = tuple(0.5 * item for item in range(ITEMS))
    return Feed.of(ITEMS, **({"quality": quality} | parts))


def _spec(world: World | None = None, decides: Decider | None = None, **parts: object) -> Microspec:
    """A small microspecification around one part."""
    groups = (
        Group(name="agents", count=AGENTS, decides=decides or SocialProof()),
        Group(name="others", count=2, decides=Random()),
    )
    known: dict[str, object] = {"communication": Complete(), "turns": Simultaneous(steps=STEPS)}
    return Microspec.model_validate(
        known | {"world": world or _feed(), "population": Population(groups=groups)} | parts
    )


def _pass(spec: Microspec, models: Models | None = None) -> None:
    laws.determined(spec, models, SEED)
    laws.complete(spec, models, SEED)
    laws.nothing_unseen(spec, models, SEED)
    laws.provenance(spec, models, SEED)
    laws.paired(spec, spec, models, SEED, same=True)
    laws.failed_run_is_a_row(spec, seed=SEED)
