"""What holds of every world, of ours or of one's own. AssertionError says what broke."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import Meetings, Sequential, Visibility, Window, World
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Remembered, Shown
from cloudchamber.testing.checks import check_value
from cloudchamber.testing.growing import SEED
from cloudchamber.testing.small import passes, small
from cloudchamber.trace.tables import Kind

__all__ = ["check_world"]


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
    plain = small(world=world)
    turns = Meetings(steps=2, at_once=True) if world.meets else Sequential(steps=2)
    scored = plain.replace("affordances.scoring", "shown") if world.scores else plain
    for spec in (
        scored,
        small(world=world, turns=turns, visibility=Visibility(latency=1), memory=Window(k=2)),
    ):
        passes(spec)


def _check_apply(world: World) -> None:
    before = world.to_json() if hasattr(world, "to_json") else world.model_dump_json()
    group = np.zeros(3, np.int64)
    # The run that acts is replicate 1 in both.
    state = world.start(Opening(SEED, np.array([0, 1]), group))
    alone = world.start(Opening(SEED, np.array([1]), group))
    assert state.tally.shape == (2, world.items), f"tally has shape {state.tally.shape}."
    assert state.score.shape == (2, 3), f"score has shape {state.score.shape}, not (runs, agents)."
    untouched = state.tally[0].copy(), state.score[0].copy()
    agent, item = np.array([0, 1, 2]), np.array([0, world.items - 1, 0])
    one = np.ones(3, np.int64)
    acts = Acts(one, agent, item, np.arange(3), 0)
    if world.scale is not None:
        acts = replace(acts, value=np.full(3, world.scale.least))
    if world.meets:  # the last of them met nobody who chose anything
        partner, met = np.array([1, 0, 0]), np.array([item[1], item[0], -1])
        acts = replace(acts, partner=partner, met=met, others=np.array([1, 0, -1]))
    led, how = world.apply(state, acts) or {}, "apply()"
    world.apply(alone, replace(acts, run=one * 0))
    if world.settles:
        assert set(led) in (set(), set(world.results)), f"apply() returned some of {world.results}."
        led, how = world.settle(state, acts), "settle()"
        world.settle(alone, replace(acts, run=one * 0))
    assert set(led) == set(world.results), (
        f"{how} returned {sorted(led)}, but results are {sorted(world.results)}."
    )
    for name, told in led.items():
        assert np.shape(told) == (3,), f"{name} has shape {np.shape(told)}, not one for each act."
    for told, before_ in zip((state.tally[0], state.score[0]), untouched, strict=True):
        assert np.array_equal(told, before_), "acts of one run changed another run."
    assert np.array_equal(state.tally[1], alone.tally[0]) and np.array_equal(
        state.score[1], alone.score[0]
    ), "the same acts have another effect in a pool of two runs than in a run alone."
    after = world.to_json() if hasattr(world, "to_json") else world.model_dump_json()
    assert before == after, "apply() changed the world itself; only the state may change."


def _check_prompts(world: World) -> None:
    options = tuple(
        Shown(item, str(41 + item), {name: 7.0 + item for name in world.fields + world.private})
        for item in range(min(3, world.items))
    )
    for kind in _kinds(world):
        some = options[:1] if kind is Kind.judge else options
        glimpse = Glimpse(
            kind, some, _heard(world), 1, False, persona="You are kind.", instruction="On merit."
        )
        if kind is Kind.amount:
            glimpse = replace(glimpse, about=0, allowed=("0", "2.5", "5"))
        try:
            prompt = world.prompt(glimpse)
        except NotImplementedError:
            return  # a world without words, for rules only
        assert prompt == world.prompt(glimpse), "the same glimpse gave two prompts."
        wanted = {Kind.choose: len(some), Kind.judge: 2, Kind.amount: 3}[kind]
        assert len(set(prompt.answers)) == wanted, (
            f"{wanted} different answers are needed, the prompt allows {prompt.answers}."
        )
        assert prompt.user.endswith(prompt.asks), (
            f"the prompt does not end with what it asks, {prompt.asks!r}:\n{prompt.user}"
        )
        whole = f"{prompt.system}\n{prompt.user}"
        for text in ("You are kind.", "On merit."):
            assert text in whole, f"the prompt leaves out {text!r}:\n{whole}"
        for altered, what in _altered(world, glimpse):
            told = world.prompt(altered)
            assert (told.system, told.user) != (prompt.system, prompt.user), (
                f"{what} was shown, but the prompt does not tell it:\n{whole}"
            )
    if world.scale is None and not world.meets:
        _check_picked(world, options)


def _kinds(world: World) -> tuple[Kind, ...]:
    """What agents are asked for in a world."""
    if world.scale is not None:
        return (Kind.amount,)
    return (Kind.choose,) if world.meets else (Kind.choose, Kind.judge)


def _heard(world: World) -> tuple[Remembered, ...]:
    """Another's act, an own one with what it led to, and what the other did where agents meet."""
    value = math.nan if world.scale is None else 3.0
    led = {name: 13.0 + at for at, name in enumerate(world.results)}
    heard = [
        Remembered("others", 0, 5, 2, value),
        Remembered("own", 0, 1, 3, value, led),
    ]
    if world.meets == "both":
        heard.append(Remembered("met", 1, -1, 3, math.nan))
    return tuple(heard)


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


def _altered(world: World, glimpse: Glimpse) -> Iterator[tuple[Glimpse, str]]:
    """The glimpse with one thing changed at a time."""
    for place, option in enumerate(glimpse.options):
        for name, value in option.signals.items():
            signals = {**option.signals, name: value + 90}
            options = list(glimpse.options)
            options[place] = replace(option, signals=signals)
            yield replace(glimpse, options=tuple(options)), f"{name} of option {place}"
    for place, one in enumerate(glimpse.heard):
        before, after = glimpse.heard[:place], glimpse.heard[place + 1 :]
        if one.channel != "own" or not world.meets:  # a meeting is whole, or not there
            yield replace(glimpse, heard=before + after), f"an act heard by way of {one.channel!r}"
        for name, value in one.results.items():
            other = replace(one, results={**one.results, name: value + 90})
            yield replace(glimpse, heard=(*before, other, *after)), f"{name} of a remembered act"


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
        for kind in _kinds(world):
            some = options[:1] if kind is Kind.judge else options
            about = 0 if kind is Kind.amount else -1
            glimpse = Glimpse(kind, some, (), 1, False, about=about, allowed=("0", "1"))
            try:
                one, other = world.prompt(glimpse), twin.prompt(glimpse)
            except NotImplementedError:
                return  # a world without words
            assert one == other, (
                f"{name} is hidden, but the prompt tells of it:\n{one.text()}\n---\n{other.text()}"
            )
