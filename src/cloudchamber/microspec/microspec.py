"""The microspecification: population + interaction architecture + world, as one value.

With a seed and the agents' answers it determines a run completely. It is frozen, comparable, written and
read as canonical JSON, and hashed from that.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Self

import msgspec
from pydantic import ValidationError, model_validator

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.microspec import paths
from cloudchamber.microspec.affordances import LETTERS, Affordances
from cloudchamber.microspec.communication import Communication, Complete
from cloudchamber.microspec.memory import Memory, NoMemory, Retrieval
from cloudchamber.microspec.population import Population
from cloudchamber.microspec.turns import Asynchronous, Simultaneous, Turns
from cloudchamber.microspec.value import Value, counted, json_schema, readable
from cloudchamber.microspec.visibility import (
    Dealt,
    Engineered,
    Exact,
    Fixed,
    Hidden,
    Order,
    Visibility,
)
from cloudchamber.microspec.world import Opening, World
from cloudchamber.questions import Ints

__all__ = ["Change", "Microspec", "diff"]

FORMAT = 1
"""Version of the canonical form; part of every hash."""


class Microspec(Value):
    """A hypothesis about how a population interacts: its regimes, its agents, its world."""

    world: World
    population: Population
    communication: Communication = Complete()
    visibility: Visibility = Visibility()
    turns: Turns = Simultaneous()
    memory: Memory = NoMemory()
    affordances: Affordances = Affordances()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        problems = list(_problems(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, every field, no spaces."""
        return _canonical(self.model_dump(mode="json")).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Microspec":
        """Read what `to_json` wrote, or the same by hand.

        Raises:
            SpecificationError: names every field that is wrong.
        """
        try:
            given = json.loads(text)
        except ValueError as error:
            raise SpecificationError(f"not JSON: {error}.") from None
        return cls._from(given)

    @classmethod
    def _from(cls, given: object) -> "Microspec":
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SpecificationError(readable(error, "Microspec")) from None

    @classmethod
    def as_json_schema(cls) -> str:
        """The JSON schema, with every registered kind of world, regime and decider."""
        return json.dumps(json_schema(cls), indent=2)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, 64 hex digits."""
        body = {"format": FORMAT, "microspec": self.model_dump(mode="json")}
        return sha256(_canonical(body)).hexdigest()

    def replace(self, path: str, value: object) -> "Microspec":
        """The same microspecification with one field changed.

        Args:
            path: dotted, e.g. "visibility.latency", "population.groups[0].count", "visibility.fields.likes".
                Beside fields there are "population.count", which keeps the groups' proportions, and
                "population.groups[0].share", which keeps the number of agents: the other groups give or
                take in proportion, and sizes are whole by largest remainders.
            value: what it becomes: a value, or plain JSON; a string names a kind with its defaults.

        Raises:
            SpecificationError: no such path (the near ones are listed), or the value does not fit there.
        """
        return self.replace_all({path: value})

    def replace_all(self, changes: Mapping[str, object]) -> "Microspec":
        """The same microspecification with several fields changed, in order, and only then checked.

        So parts that only make sense together, such as a network and whose acts are seen, change together.

        Example:
            ``spec.replace_all({"communication": "ring", "visibility.whose": "neighbours"})``

        Raises:
            SpecificationError: as `replace`.
        """
        tree = self.model_dump(mode="json")
        paths.put(tree, changes, self.paths)
        try:
            return self._from(tree)
        except SpecificationError as error:
            told = " and ".join(f"{path} to {value!r}" for path, value in changes.items())
            raise SpecificationError(f"cannot set {told}:\n{error}") from None

    def paths(self) -> tuple[str, ...]:
        """Every path that can be replaced, parts before what they are made of."""
        there = list(paths.every(self.model_dump(mode="json")))
        there += [f"visibility.fields.{name}" for name in self.world.visible]
        there += [
            f"population.groups.{index}.share" for index in range(len(self.population.groups))
        ]
        return tuple(dict.fromkeys([*there, "population.count"]))

    def check_paths(self, names: Sequence[str]) -> None:
        """See that each path leads somewhere, or into what another of them sets.

        Raises:
            SpecificationError: the first that does not; lists the near ones.
        """
        paths.check(self.model_dump(mode="json"), names, self.paths)

    def opening(self, seed: int, replicates: Ints) -> Opening:
        """What its world is started for, to grow these replicates."""
        group = self.population.people().group
        return Opening(seed, replicates, group, self.affordances.acts)

    @property
    def as_at_once(self) -> int:
        """The largest latency that changes nothing: 1 where what others do is a step old anyway, else 0.

        So it is where all of a step decide together; but a message would be heard in the step it is written.
        """
        return int(self.turns.together and not self.communication.writes)

    def aloud(self) -> str:
        """The whole microspecification, read aloud: a line for each part."""
        seen = self.visibility.aloud()
        if 0 < self.visibility.latency <= self.as_at_once:
            seen += ", which is as at once where all decide together"
        parts = (
            ("World", self.world.aloud()),
            ("Population", self.population.aloud()),
            ("Communication", self.communication.aloud()),
            ("Visibility", seen),
            ("Turns", self.turns.aloud()),
            ("Memory", self.memory.aloud()),
            ("Affordances", self.affordances.aloud()),
        )
        return "\n".join(f"{name}: {told}." for name, told in parts)


@dataclass(frozen=True, slots=True)
class Change:
    """One field in which two microspecifications differ."""

    path: str
    before: object
    after: object

    def __str__(self) -> str:
        return f"{self.path}: {_told(self.before)} -> {_told(self.after)}"


def diff(before: Microspec, after: Microspec) -> tuple[Change, ...]:
    """Every field in which two microspecifications differ, by path; "absent" where one has no such field."""
    old = dict(_leaves(before.model_dump(mode="json")))
    new = dict(_leaves(after.model_dump(mode="json")))
    paths = sorted(
        {p for p in old.keys() | new.keys() if old.get(p, _ABSENT) != new.get(p, _ABSENT)}
    )
    return tuple(Change(p, old.get(p, _ABSENT), new.get(p, _ABSENT)) for p in paths)


_ABSENT = "absent"
LONGEST_TOLD = 160
"""Characters of one side of a difference as it is printed; the value itself is whole."""


def _told(part: object) -> str:
    if part is _ABSENT:
        return _ABSENT
    text = json.dumps(part)
    if len(text) <= LONGEST_TOLD:
        return text
    many = f" ({len(part)} entries)" if isinstance(part, list | dict) else ""
    return f"{text[: LONGEST_TOLD - 3]}...{many}"


def _canonical(tree: object) -> bytes:
    return msgspec.json.encode(tree, order="sorted")


def _leaves(node: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Leaves of a JSON tree; a list of plain values counts as one leaf."""
    if isinstance(node, Mapping):
        for key, part in node.items():
            yield from _leaves(part, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list) and any(isinstance(part, Mapping) for part in node):
        for index, part in enumerate(node):
            yield from _leaves(part, f"{path}.{index}")
    else:
        yield path, node


def _problems(spec: Microspec) -> Iterator[str]:
    """What does not fit together, each with its field, what was given, and what to do."""
    yield from _visibility_problems(spec)
    yield from _order_problems(spec.visibility.order, spec.world.items)
    yield from _population_problems(spec)
    yield from _affordance_problems(spec)
    relevance = spec.memory.relevance_weight if isinstance(spec.memory, Retrieval) else 0
    if relevance > 0 and spec.world.similarity() is None:
        yield (
            f"memory.relevance_weight: {relevance:g} given, but the world {spec.world.kind!r} "
            "cannot tell how similar items are; set it to 0"
        )


def _visibility_problems(spec: Microspec) -> Iterator[str]:
    seen, items = spec.visibility, spec.world.items
    for name in seen.fields:
        if name not in spec.world.visible:
            yield (
                f"visibility.fields.{name}: the world {spec.world.kind!r} has no such field; "
                f"{nearest(name, spec.world.visible)}"
            )
        elif name not in spec.world.fields + spec.world.private and not isinstance(
            seen.display(name), Hidden | Exact
        ):
            yield (
                f"visibility.fields.{name}: {seen.display(name).kind!r} given, but what is remembered is "
                "hidden or exact"
            )
        elif spec.world.closes and isinstance(seen.display(name), Dealt):
            yield (
                f"visibility.fields.{name}: 'dealt' given, but in the world {spec.world.kind!r} not "
                "every option is open to all; hide it instead"
            )
    if seen.top is not None and seen.top > items:
        yield f"visibility.top: {seen.top} given, but there are {items} items; at most {items}"
    if seen.latency > spec.turns.steps:
        yield (
            f"visibility.latency: {seen.latency} given, but the run has "
            f"{counted(spec.turns.steps, 'step')}, so nothing would ever be seen; lengthen turns.steps or "
            "hide the fields"
        )
    acts = spec.communication.representation == "acts"
    if seen.whose == "all" and not spec.communication.everyone:
        yield (
            f"visibility.whose: 'all' given, but communication is {spec.communication.kind!r}, where not "
            "everyone reaches everyone; set visibility.whose to 'neighbours'"
        )
    if seen.whose == "neighbours" and spec.communication.everyone:
        yield (
            "visibility.whose: 'neighbours' given, but in 'complete' communication all are neighbours; "
            "set it to 'all', or choose another communication"
        )
    if acts and spec.affordances.presentation == "one at a time":
        yield (
            "communication.representation: 'acts' given, but with affordances.presentation "
            "'one at a time' a reader judges one item and sees only its counts; set it to 'counts'"
        )


def _order_problems(order: Order, items: int) -> Iterator[str]:
    if isinstance(order, Fixed) and order.items and sorted(order.items) != list(range(items)):
        yield (
            f"visibility.order.items: must name each of the {items} items (0 to {items - 1}) once; "
            f"given {len(order.items)} entries"
        )
    if isinstance(order, Engineered):
        if len(set(order.pinned)) < len(order.pinned) or max(order.pinned) >= items:
            yield (
                f"visibility.order.pinned: {list(order.pinned)} given; allowed: different items "
                f"from 0 to {items - 1}"
            )
        yield from _order_problems(order.rest, items)


def _population_problems(spec: Microspec) -> Iterator[str]:
    agents = spec.population.count
    yield from spec.communication.problems(agents)
    yield from spec.world.problems(agents)
    yield from _meeting_problems(spec)
    if spec.turns.endogenous and agents < 2:
        yield "turns.order: 'endogenous' given, but one agent alone has nobody to name"
    if isinstance(spec.turns, Asynchronous) and len(spec.turns.rates) not in (
        1,
        len(spec.population.groups),
    ):
        groups = counted(len(spec.population.groups), "group")
        yield (
            f"turns.rates: {len(spec.turns.rates)} given for {groups}; give one for all or one for each group"
        )


def _meeting_problems(spec: Microspec) -> Iterator[str]:
    world = spec.world
    if world.meets and not spec.turns.meets:
        yield (
            f"turns: {spec.turns.kind!r} given, but in the world {world.kind!r} agents meet in pairs; "
            "set it to 'meetings'"
        )
    if spec.turns.meets and not world.meets:
        yield (
            f"turns: 'meetings' given, but in the world {world.kind!r} nobody meets; set it to "
            "'simultaneous', 'sequential' or 'asynchronous'"
        )
    if not world.meets:
        return
    if spec.population.count < 2:
        yield "population: one agent alone has nobody to meet; give two at least"
    can = spec.affordances
    if can.choose != "one" or can.presentation != "list":
        yield (
            f"affordances: choose {can.choose!r} and presentation {can.presentation!r} given, but who "
            "meets another chooses one of a list"
        )


def _affordance_problems(spec: Microspec) -> Iterator[str]:
    can, world = spec.affordances, spec.world
    if (can.choose == "amount") != (world.scale is not None):
        yield (
            f"affordances.choose: {can.choose!r} given, but in the world {world.kind!r} agents "
            + ("give amounts; set it to 'amount'" if world.scale else "choose; set it to 'one'")
        )
    if world.counting == "latest" and can.choose in ("up to", "any"):
        yield (
            f"affordances.choose: {can.choose!r} given, but in the world {world.kind!r} an agent stands by "
            "one thing at a time; set it to 'one'"
        )
    shown = world.items if spec.visibility.top is None else spec.visibility.top
    for act in can.acts:
        if act not in world.acts:
            yield f"affordances.acts: the world has no act {act!r}; {nearest(act, world.acts)}"
    if can.most > shown:
        yield f"affordances.most: {can.most} given, but {shown} items are shown; at most {shown}"
    if can.labels == "letters" and shown > len(LETTERS) and can.presentation == "list":
        yield (
            f"affordances.labels: 'letters' given for {shown} options; letters name at most "
            f"{len(LETTERS)}; use 'codes', or set visibility.top"
        )
    if can.labels == "words":
        words = [word.strip() for word in world.words()]
        if not words or len(set(words)) < len(words) or "None" in words:
            yield (
                f"affordances.labels: 'words' given, but the world {world.kind!r} "
                + ("has items with the same words" if words else "is not told in words")
                + "; use 'codes'"
            )
    if can.scoring == "shown" and not world.scores:
        yield (
            f"affordances.scoring: 'shown' given, but the world {world.kind!r} scores nothing here; "
            "set a reward"
        )
    for index, group in enumerate(spec.population.groups):
        why = group.decides.refuses(can)
        if why:
            yield f"population.groups.{index}.decides: {why}"
