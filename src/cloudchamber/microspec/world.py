"""The world: what there is to see, what an act does to it, what it scores.

A world is a frozen value; what changes is its `State`, which only the world's own `apply` changes. It
knows nothing of who sees what: communication, visibility and memory decide that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.microspec.value import Family
from cloudchamber.questions import Ints, Reals, Scale, Writing
from cloudchamber.trace.tables import Kind

__all__ = ["Acts", "Glimpse", "Opening", "Past", "Prompt", "Remembered", "Shown", "State", "World"]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a world is started for: a pool of runs, and where its draws are."""

    seed: int
    replicates: Ints
    """(runs,)"""
    group: Ints
    """(agents,): the number of each agent's group."""
    acts: tuple[str, ...] = ()
    """The acts open to the agents, of those the world knows; empty for all of them."""

    @classmethod
    def of(cls, runs: int, agents: int, seed: int = 0) -> "Opening":
        """So many runs of so many agents that are all of one group."""
        return cls(seed, np.arange(runs), np.zeros(agents, np.int64))

    @property
    def runs(self) -> int:
        """How many runs."""
        return len(self.replicates)

    @property
    def agents(self) -> int:
        """How many agents in each."""
        return len(self.group)

    @property
    def shape(self) -> tuple[int, int]:
        """(runs, agents)."""
        return self.runs, self.agents

    def run_keys(self, stream: str) -> NDArray[np.uint64]:
        """(runs,): keys of draws that a run has once."""
        return randomness.keys(self.seed, self.replicates, stream, 0, -1)

    def agent_keys(self, stream: str) -> NDArray[np.uint64]:
        """(runs, agents): keys of draws that each agent of a run has once."""
        agent = np.arange(self.agents)
        return randomness.keys(self.seed, self.replicates[:, None], stream, 0, agent)


@dataclass(frozen=True, slots=True)
class Past:
    """What agents remember from before the first step, oldest first: (runs, agents, acts) each.

    An item of -1 is nothing.
    """

    item: Ints
    met: Ints | None = None
    """What the other did, where agents meet."""
    results: Mapping[str, Reals] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """What changes in a world: arrays with a row for each run of the pool."""

    tally: Reals
    """(runs, items): what the world counts on each item."""
    score: Reals
    """(runs, agents): what each agent has scored."""
    given: Mapping[str, Reals] = field(default_factory=dict)
    """(runs, agents, items) for each private field: what the world tells an agent alone; NaN is nothing.
    Fixed from the start, so that it rests on nobody's act."""
    held: Ints | None = None
    """(runs, agents): the item each agent stands by now, -1 for none; where the latest acts count."""
    past: Past | None = None
    """What agents remember from before the first step."""
    more: dict[str, Reals] = field(default_factory=dict)
    """Whatever else a world of its own keeps."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What a batch did: a row for each act that has an effect."""

    run: Ints
    agent: Ints
    item: Ints
    decision: Ints
    step: int
    value: Reals | None = None
    """The amount, where acts are amounts; None stands for 1 each."""
    partner: Ints | None = None
    """Where agents meet: whom each met; None where they do not."""
    met: Ints | None = None
    """Where agents meet: the item that the other chose in the same meeting; -1 if it chose none."""
    others: Ints | None = None
    """Where agents meet: the decision of the other; -1 if it chose nothing."""

    @classmethod
    def joined(cls, parts: "Sequence[Acts]") -> "Acts":
        """Acts of one step, one part after the other; of parts without acts no column is missed."""
        if len(parts) == 1:
            return parts[0]
        given = {
            name: [told for one in parts if (told := getattr(one, name)) is not None]
            for name in ("run", "agent", "item", "decision", "value", "partner", "met", "others")
        }
        columns = {name: np.concatenate(told) for name, told in given.items() if told}
        return cls(step=parts[0].step, **columns)

    def everyone(self, runs: int, agents: int, items: int) -> bool:
        """Whether these are an act of each agent of each run on each item, in that order."""
        if len(self) != runs * agents * items:
            return False
        cell = (self.run * np.int64(agents) + self.agent) * items + self.item
        return bool((cell == np.arange(len(self))).all())

    @property
    def amount(self) -> Reals:
        """The amount of each act, 1 where acts are choices."""
        return np.ones(len(self.run)) if self.value is None else self.value

    def __len__(self) -> int:
        return len(self.run)


@dataclass(frozen=True, slots=True)
class Shown:
    """One option as one agent sees it."""

    item: int
    label: str
    signals: Mapping[str, float]
    open: bool = True
    """Whether it may be chosen; not where it has been picked already."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One thing shown beside the options: another's act, an own past act or pick just made, or the score.

    In what is remembered of a meeting, "met" is what the other did in it; it follows the own act. Worlds are
    told nothing of notes and messages: those are put into words for all of them alike (`worded`).
    """

    channel: Literal["others", "own", "score", "picked", "met", "note", "message"]
    item: int
    source: int
    latency: int
    value: float
    """An amount, a tally or the score; NaN where there is none."""
    results: Mapping[str, float] = field(default_factory=dict)
    """What the own act led to, by the names of `World.results`, as far as it is visible."""
    total: bool = False
    """Whether the value is of all acts on the item so far, and not of a single one."""
    text: str = ""
    """What a note or a message says."""
    name: str = ""
    """What a text is called: the name of a note, or "message"."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """All that one agent is shown for one decision; a prompt is made of this and of nothing else."""

    kind: Kind
    options: tuple[Shown, ...]
    heard: tuple[Remembered, ...]
    most: int
    """How many options may be chosen in all."""
    may_decline: bool
    one_by_one: bool = False
    """Whether this asks for one of them, and will be asked again."""
    persona: str = ""
    instruction: str = ""
    about: int = -1
    """Where an amount is asked for: of which of the options, by its place; -1 else."""
    allowed: tuple[str, ...] = ()
    """The amounts that may be given, as they are written."""
    writing: Writing | None = None
    """Where a text is asked for: which."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A glimpse in words: what the model is told, and the answers it may give."""

    system: str
    user: str
    answers: tuple[str, ...]
    """One for each open option in the order shown, or each amount allowed; yes and no for a judgement;
    then none, if allowed."""
    begin: str = ""
    """What the model's answer is made to begin with."""
    recurs: int = 0
    """Letters that `user` begins with and that many other questions begin with as well: what they have
    in common is computed once. Of no effect on what the model is told."""
    asks: str = ""
    """The question, with which `user` ends; where a text is to be written, that is asked for instead."""
    words: int = 0
    """Where a text is asked for: the most words of it."""

    def text(self) -> str:
        """The whole prompt as one text, as the trace keeps it."""
        return "\n\n".join(part for part in (self.system, self.user, self.begin) if part)


class World(Family):
    """What there is to see and do."""

    @property
    def items(self) -> int:
        """How many items there are."""
        raise NotImplementedError

    @property
    def fields(self) -> tuple[str, ...]:
        """The signals that acts leave on items; each tells what is counted there."""
        raise NotImplementedError

    @property
    def private(self) -> tuple[str, ...]:
        """Signals on items that the world tells each agent alone: the names in `State.given`."""
        return ()

    @property
    def results(self) -> tuple[str, ...]:
        """What an agent is told that its acts led to, when it remembers them: what `apply` returns."""
        return ()

    @property
    def settles(self) -> bool:
        """Whether what acts led to is known when their step is over, and `settle` says it then."""
        return False

    @property
    def facts(self) -> tuple[str, ...]:
        """What is so in each run though nobody is told: names of arrays (runs,) in `State.more`.

        They go into the trace's series at each checkpoint, for measures to read.
        """
        return ()

    @property
    def closes(self) -> bool:
        """Whether `open` may close something to someone."""
        return False

    @property
    def counting(self) -> Literal["acts", "latest"]:
        """What is counted on an item: every act, or those of the agents whose latest act it is."""
        return "acts"

    @property
    def meets(self) -> Literal["", "both", "one"]:
        """Whether agents act in meetings of two, which needs turns of that kind: both act, or one of them."""
        return ""

    @property
    def scale(self) -> Scale | None:
        """Where acts are amounts of items: which are allowed; None where they are choices."""
        return None

    @property
    def visible(self) -> tuple[str, ...]:
        """All that visibility can show or hide."""
        met = ("partner",) if self.meets == "both" else ()
        return (*self.fields, *self.private, *self.results, *met)

    @property
    def who(self) -> str:
        """What an agent is called in words, e.g. "reader"."""
        return "agent"

    @property
    def acts(self) -> tuple[str, ...]:
        """The acts that the world knows."""
        raise NotImplementedError

    @property
    def scores(self) -> bool:
        """Whether the world scores its agents."""
        return False

    def problems(self, agents: int) -> Iterator[str]:
        """Why it makes no sense with so many agents: the field, what was given, what is allowed."""
        yield from ()

    def start(self, opening: Opening) -> State:
        """The state of some runs before anything happened."""
        return State(np.tile(self.initial(), (opening.runs, 1)), np.zeros(opening.shape))

    def open(self, state: State, run: Ints, agent: Ints) -> NDArray[np.bool_]:
        """(rows, items): what each may do now, where the world `closes`; who may do nothing is not asked."""
        return np.ones((len(run), self.items), bool)

    def initial(self) -> Reals:
        """(items,): what is on each item before anyone acted."""
        return np.zeros(self.items)

    def created(self) -> Reals:
        """(items,): when each item appeared."""
        return np.arange(self.items, dtype=np.float64)

    def content(self) -> Mapping[str, Reals]:
        """Arrays over items that reach whoever is shown the item."""
        return {}

    def words(self) -> tuple[str, ...]:
        """What each item says, where items are told in words; empty where they are not."""
        return ()

    def paraphrases(self) -> Mapping[str, "World"]:
        """The same world told in other words that mean the same, by a name.

        They are those that its field `wording` may have, if it has such a field.
        """
        known = type(self).model_fields.get("wording")
        if known is None or get_origin(known.annotation) is not Literal:
            return {}
        now = getattr(self, "wording", known.default)
        others = (one for one in get_args(known.annotation) if one != now)
        return {one: self.altered(wording=one) for one in others}

    def similarity(self) -> Reals | None:
        """(items, items), or None where the world cannot tell."""
        return None

    def apply(self, state: State, acts: Acts) -> Mapping[str, Reals] | None:
        """Let a batch's acts have their effect; the only place where a state changes.

        Returns:
            What each act led to, an entry for each, by the names of `results`; None where there are none.
        """
        raise NotImplementedError

    def settle(self, state: State, acts: Acts) -> Mapping[str, Reals]:
        """Where the world `settles`: say what a step's acts led to, now that all of them are known.

        It may change the state, as `apply` may: score who is to be scored. Not called after a step in which
        nobody acted.

        Args:
            state: as the step left it.
            acts: all of the step, in the order in which they were done.

        Returns:
            What each act led to by the names of `results`, in place of what `apply` said, from now on. Until
            now what `apply` returned was told, and nothing if it returned None.
        """
        return {}

    def stand(self, state: State, acts: Acts) -> None:
        """Each stands by its act from now on, and the tally counts who stands by what."""
        assert state.held is not None
        runs, items = state.tally.shape
        before, place = state.held[acts.run, acts.agent], np.arange(len(acts))
        # Of several acts of one agent the last counts: of what is written to one place twice, that stays.
        state.held[acts.run, acts.agent] = place
        last = state.held[acts.run, acts.agent] == place
        run, item, before = acts.run[last].astype(np.int64), acts.item[last], before[last]
        state.held[run, acts.agent[last]] = item
        left = (run * items + before)[before >= 0]
        state.tally += np.bincount(run * items + item, minlength=runs * items).reshape(runs, items)
        state.tally -= np.bincount(left, minlength=runs * items).reshape(runs, items)

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told of a glimpse."""
        raise NotImplementedError
