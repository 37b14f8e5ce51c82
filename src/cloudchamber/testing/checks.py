"""Checks of single parts: a world, a decider, a regime, a measure, of ours or of one's own.

Each puts the part through what its own contract says, then, in small microspecifications, through the
laws. AssertionError says what broke.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.agents import LanguageModel, SocialProof, Writer
from cloudchamber.agents.society import Society
from cloudchamber.microspec import (
    Affordances,
    Communication,
    Decider,
    Display,
    Meetings,
    Memory,
    Microspec,
    NoMemory,
    Order,
    Sequential,
    Simultaneous,
    Turns,
    Visibility,
    Window,
    World,
)
from cloudchamber.microspec.value import Family, Value
from cloudchamber.questions import Answers, Questions
from cloudchamber.testing import laws
from cloudchamber.testing.growing import Models, grown, run_of
from cloudchamber.testing.small import STEPS, feed, passes, small
from cloudchamber.testing.toy import Toy
from cloudchamber.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_decider", "check_measure", "check_regime", "check_value"]


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


def check_decider(
    decider: Decider, world: World | None = None, models: Models | None = None
) -> None:
    """A decider answers each question by what is shown there, and passes the laws.

    Its distribution is the same whatever other rows are in the batch, and whatever stands in the parts of
    a question that nobody is shown: seed, replicate, run, number of the decision, content of other items.
    """
    check_value(decider)
    there = feed() if world is None else world
    memory = Window(k=3) if there.meets or there.results else NoMemory()
    for affordances in _forms(decider, there):
        spec = small(world=there, decides=decider, affordances=affordances, memory=memory)
        if not isinstance(decider, LanguageModel):
            _check_answers(spec)
        if not isinstance(decider, LanguageModel) and there.items > 2:
            some = max((there.items + 1) // 2, affordances.most)
            _check_answers(spec.replace("visibility.top", some))
        passes(spec, models)
        laws.independent_draws(spec, models)


def _forms(decider: Decider, world: World) -> Iterator[Affordances]:
    """What the decider can be asked for in that world."""
    plain = (Affordances(), Affordances(may_decline=True))
    forms: tuple[Affordances, ...] = (
        *plain,
        Affordances(choose="up to", most=2),
        Affordances(choose="any"),
        Affordances(presentation="one at a time"),
        Affordances(choose="up to", most=2, picks="one by one"),
    )
    if world.scale is not None:
        forms = (Affordances(choose="amount"),)
    elif world.meets:
        forms = plain
    for form in forms:
        if form.most <= world.items and not decider.refuses(form):
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
    if whole.amounts is not None and some.amounts is not None and picks:
        assert np.array_equal(whole.amounts[rows], some.amounts, equal_nan=True), (
            f"{what}: its amounts changed."
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
        specs = [small(visibility=seen), small(visibility=seen, turns=Sequential(steps=2))]
    elif isinstance(regime, Order):
        specs = [small(visibility=Visibility(order=regime, top=top)) for top in (None, 3)]
    elif isinstance(regime, Visibility):
        specs = [small(visibility=regime)]
    elif isinstance(regime, Communication):
        acts = regime.altered(representation="acts", last=2)
        specs = [
            small(communication=talk, visibility=_heard_from(regime, late))
            for talk, late in ((regime, 0), (regime, 2), (acts, 0), (acts, 1))
        ]
        said = regime.altered(messages=6)
        specs += [
            small(communication=said, visibility=_heard_from(said, late), decides=Writer())
            for late in (0, 2)
        ]
    elif isinstance(regime, Meetings):
        pairs = Toy(pairs="both", remembered=True)
        specs = [small(pairs, turns=regime), small(pairs, turns=regime, memory=Window(k=2))]
    elif isinstance(regime, Turns):
        specs = [small(turns=regime), small(turns=regime, memory={"kind": "window", "k": 2})]
    elif isinstance(regime, Memory):
        who = Writer() if regime.writes else SocialProof()
        specs = [
            small(memory=regime, turns=turns, decides=who)
            for turns in (Simultaneous(steps=STEPS), Sequential(steps=STEPS))
        ]
    else:
        specs = [small(affordances=regime, world=feed(reward="quality"))]
    for spec in specs:
        passes(spec)


def _heard_from(regime: Communication, latency: int) -> Visibility:
    return Visibility(whose="all" if regime.everyone else "neighbours", latency=latency)


def check_measure(measure: "Callable[[Trace], pd.Series[float]]") -> None:
    """A measure gives one number a run, of that run alone, whatever else the trace holds.

    It neither changes the trace, nor depends on the order of its runs; where it has `low` and `high`, its
    numbers lie between; where it has `over_time`, the last of its course is the number itself.
    """
    name = getattr(measure, "name", repr(measure))
    spec = small(decides=SocialProof(), turns=Sequential(steps=STEPS))
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
