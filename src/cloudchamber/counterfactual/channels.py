"""Channels of exposure: the ways on which what an agent is shown comes to it, and other things put there.

A channel is one of the signals on options, by its name; their `order`; `others`, the single acts of others
that are heard of; `own`, the own past as far as it is remembered; or the `score`. What one channel says can
be replaced by what the same agent was shown at the same moment of another run, by what was shown at an
earlier moment, or by what speaks of other items; all other channels say what they say.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.counterfactual.tape import Tape
from cloudchamber.engine import Alter
from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.microspec import Hidden, Microspec, NoMemory
from cloudchamber.questions import Heard, Ints, Questions, Reals, Taken
from cloudchamber.trace.tables import Channel, Kind

__all__ = [
    "ORDER",
    "Frozen",
    "arranged",
    "by_item",
    "channels_of",
    "check_channels",
    "placed",
    "replaced",
    "shuffled",
    "taped",
]

ORDER = "order"
HEARD: dict[str, tuple[Channel, ...]] = {
    "others": (Channel.others, Channel.message),
    "own": (Channel.own, Channel.met, Channel.note),
    "score": (Channel.score,),
}
"""What is heard beside the options, in the order in which it is told."""


def channels_of(spec: Microspec) -> tuple[str, ...]:
    """The channels through which the agents of a specification are shown anything."""
    fields = (*spec.world.fields, *spec.world.private)
    shown = [name for name in fields if not isinstance(spec.visibility.display(name), Hidden)]
    if spec.affordances.presentation == "list":
        shown.append(ORDER)
    if spec.communication.representation == "acts" or spec.communication.messages:
        shown.append("others")
    if not isinstance(spec.memory, NoMemory):
        shown.append("own")
    if spec.affordances.scoring == "shown":
        shown.append("score")
    return tuple(shown)


def check_channels(channels: Sequence[str], *specs: Microspec) -> None:
    """Refuse channels that none of some specifications has, and an order of which only the top is shown.

    Raises:
        SpecificationError: with the channels that there are.
    """
    there = dict.fromkeys(name for spec in specs for name in channels_of(spec))
    for name in channels:
        if name not in there:
            raise SpecificationError(f"channel: {name!r}; {nearest(name, there, as_given=True)}")
    if len(set(channels)) != len(channels):
        raise SpecificationError(f"channels: {list(channels)} given; name each once")
    if ORDER in channels and any(spec.visibility.top is not None for spec in specs):
        raise SpecificationError(
            "channel: 'order', but only the top of the list is shown (visibility.top), and an item out of "
            "sight cannot be put in its place; show all items"
        )


def taped(
    channels: Sequence[str], tape: Tape, missed: Callable[[int], None] = lambda _: None
) -> Alter:
    """Show on some channels what the same agents were shown there on a tape.

    Args:
        channels: which.
        tape: of another growth of the same replicates.
        missed: told how many rows of each block are not on the tape; they are shown their own.
    """

    def alter(questions: Questions) -> Questions:
        if questions.kind is Kind.next:
            return questions
        found = list(tape.find(questions))
        missed(len(questions) - sum(len(one.rows) for one in found))
        parts = [(one.rows, tape.blocks[one.block].take(one.there)) for one in found]
        return replaced(questions, channels, parts)

    return alter


def replaced(
    questions: Questions, channels: Sequence[str], parts: Sequence[tuple[Ints, Questions]]
) -> Questions:
    """Questions in which some channels of some rows say what they say in others.

    Args:
        questions: as they are.
        channels: what is replaced; everything else stays, item by item.
        parts: rows, and as many rows of other questions to the same agents.
    """
    for name in channels:
        if name == ORDER:
            questions = _reordered(questions, parts)
        elif name in HEARD:
            questions = _heard(questions, name, parts)
        else:
            questions = _signalled(questions, name, parts)
    return questions


def _signalled(
    questions: Questions, name: str, parts: Sequence[tuple[Ints, Questions]]
) -> Questions:
    unseen = np.full(questions.items.shape, np.nan)
    told = np.array(questions.signals.get(name, unseen))
    for rows, other in parts:
        given = other.signals.get(name)
        told[rows] = np.nan if given is None else by_item(other.items, given, questions.items[rows])
    signals = {one: values for one, values in questions.signals.items() if one != name}
    if not np.isnan(told).all():
        # In its own place, so that what is told in words is told in the same order.
        signals = {**questions.signals, name: told}
    return replace(questions, signals=signals)


def _reordered(questions: Questions, parts: Sequence[tuple[Ints, Questions]]) -> Questions:
    order = np.tile(np.arange(questions.items.shape[1]), (len(questions), 1))
    for rows, other in parts:
        own = questions.items[rows]
        places = np.broadcast_to(
            np.arange(other.items.shape[1], dtype=np.float64), other.items.shape
        )
        # What the other does not show comes after what it does, the fill of short rows last.
        place = np.nan_to_num(by_item(other.items, places, own), nan=float(other.items.shape[1]))
        order[rows] = np.argsort(np.where(own < 0, np.inf, place), axis=1, kind="stable")
    return arranged(questions, order)


def arranged(questions: Questions, order: Ints) -> Questions:
    """The same options at other places: `order` (n, k) holds the old place of what stands at each."""

    def moved(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.take_along_axis(values, order, axis=1))

    taken = questions.taken
    return replace(
        questions,
        items=moved(questions.items),
        signals={name: moved(shown) for name, shown in questions.signals.items()},
        taken=taken and Taken(moved(taken.options), moved(taken.noise), taken.decline),
    )


def by_item(items: Ints, values: Reals, wanted: Ints) -> Reals:
    """(n, j): the value of each item wanted, row by row; NaN where the row has no such item.

    Args:
        items: (n, k), -1 where there is none.
        values: (n, k), of each.
        wanted: (n, j), -1 where none is.
    """
    if items.shape == wanted.shape and np.array_equal(items, wanted):
        return values
    width = int(max(items.max(initial=-1), wanted.max(initial=-1))) + 2
    known = np.full((len(items), width), np.nan)
    np.put_along_axis(known, items + 1, values, axis=1)
    known[:, 0] = np.nan
    return np.take_along_axis(known, wanted + 1, axis=1)


def _heard(questions: Questions, name: str, parts: Sequence[tuple[Ints, Questions]]) -> Questions:
    rows = len(questions)
    kept = np.ones(rows, bool)
    for some, _ in parts:
        kept[some] = False
    told = list(_by_group(questions.heard))
    own = [heard.select(~np.isin(heard.channel, HEARD[name]) | kept[heard.row()]) for heard in told]
    given = [
        placed(other.heard.select(np.isin(other.heard.channel, HEARD[name])), some, rows)
        for some, other in parts
    ]
    at = list(HEARD).index(name)
    return replace(questions, heard=Heard.joined([*own[: at + 1], *given, *own[at + 1 :]], rows))


def _by_group(heard: Heard) -> Iterator[Heard]:
    """What is heard in parts: group after group, and last what belongs to none of them."""
    group = np.full(len(heard.channel), len(HEARD))
    for number, channels in enumerate(HEARD.values()):
        group[np.isin(heard.channel, channels)] = number
    for number in range(len(HEARD) + 1):
        yield heard.select(group == number)


def placed(heard: Heard, at: Ints, rows: int) -> Heard:
    """What some rows hear, as the rows `at` of `rows` rows; `at` rises."""
    count = np.zeros(rows, np.int64)
    count[at] = np.diff(heard.offsets)
    return replace(heard, offsets=np.concatenate([[0], np.cumsum(count)]))


def shuffled(channels: Sequence[str]) -> Alter:
    """Let some channels speak of other items: of each row's options dealt anew, at random.

    As much is said as before, of the same strength and in the same order, but of items that it does not
    belong to. The order becomes a random one.
    """

    def alter(questions: Questions) -> Questions:
        if questions.kind is Kind.next:
            return questions
        for name in channels:
            keys = questions.address.keys(f"channel/{name}")
            drawn = randomness.uniforms(keys, questions.items)
            dealt = np.argsort(np.where(questions.items < 0, np.inf, drawn), axis=1)
            if name == ORDER:
                questions = arranged(questions, dealt)
            elif name in HEARD:
                questions = _dealt(questions, name, np.take_along_axis(questions.items, dealt, 1))
            elif name in questions.signals:
                told = np.take_along_axis(questions.signals[name], dealt, axis=1)
                questions = replace(questions, signals={**questions.signals, name: told})
        return questions

    return alter


def _dealt(questions: Questions, name: str, dealt: Ints) -> Questions:
    """Entries of one channel, each of the option that was dealt to its own; others' items stay."""
    heard = questions.heard
    width = int(max(questions.items.max(initial=0), heard.item.max(initial=0))) + 2
    other = np.tile(np.arange(width) - 1, (len(questions), 1))
    np.put_along_axis(other, questions.items + 1, dealt, axis=1)
    mine = np.isin(heard.channel, HEARD[name])
    item = np.where(mine, other[heard.row(), heard.item + 1], heard.item)
    return replace(questions, heard=replace(heard, item=item))


class Frozen:
    """Shows on some channels, from a step on, what was shown there when the step began.

    What is the same for all agents of a run is what the first of them was shown in that step; what each is
    shown alone (its own past, its neighbours' acts, an order of its own) what it was shown at its first
    decision from that step on. An alteration for one growth: it remembers.

    Args:
        channels: which.
        spec: what is grown.
        at: the step, counted from 0.
    """

    def __init__(self, channels: Sequence[str], spec: Microspec, at: int = 0) -> None:
        self.channels, self.at = tuple(channels), at
        self.agents, self.items = spec.population.count, spec.world.items
        self.alone = {name for name in channels if not _shared(spec, name)}
        self._first: dict[str, dict[int, tuple[int, int]]] = {name: {} for name in channels}
        self._blocks: list[Questions] = []

    def __call__(self, questions: Questions) -> Questions:
        """What is shown instead."""
        if questions.kind is Kind.next or questions.address.step < self.at:
            return questions
        self._blocks.append(questions)
        shown, new = questions, False
        for name in self.channels:
            known = self._first[name]
            found: dict[int, tuple[list[int], list[int]]] = {}
            for row, key in enumerate(self._keys(questions, name).tolist()):
                block, there = known.setdefault(key, (len(self._blocks) - 1, row))
                new |= block == len(self._blocks) - 1
                rows, others = found.setdefault(block, ([], []))
                rows.append(row)
                others.append(there)
            parts = [
                (np.array(rows), self._blocks[block].take(np.array(others)))
                for block, (rows, others) in found.items()
            ]
            shown = replaced(shown, [name], parts)
        if not new:
            self._blocks.pop()
        return shown

    def _keys(self, questions: Questions, name: str) -> Ints:
        keys = questions.run.astype(np.int64)
        if name in self.alone:
            keys = keys * self.agents + questions.agent
        if questions.kind is Kind.judge:
            keys = keys * self.items + questions.items[:, 0]
        return keys


def _shared(spec: Microspec, name: str) -> bool:
    """Whether what a channel says at a moment is the same for all agents of a run."""
    if name == ORDER:
        return spec.visibility.whose == "all" and not spec.visibility.order.personal
    if name == "others":
        return spec.communication.everyone
    return name in spec.world.fields and spec.visibility.whose == "all"
