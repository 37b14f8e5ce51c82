"""What each decision must have been shown, worked out from the table of decisions alone.

This is the engine's slow twin: it keeps no index, handles one decision at a time, and rereads the whole
past for each. It shares with the engine only the regimes' own values (an order's `rank`, a display's
`show`, a network) and the addresses of their draws.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cloudchamber import randomness
from cloudchamber.microspec import Hidden, Microspec, NoMemory, Retrieval, Summary, Window
from cloudchamber.microspec.visibility import shuffle
from cloudchamber.microspec.world import Acts, Opening, State
from cloudchamber.questions import Address, Ints
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Channel, Kind

__all__ = ["Act", "Decision", "Row", "acts_of", "decisions_of", "expected", "rebuilt"]

Row = tuple[int, int, int, int, int, int, tuple[tuple[str, float], ...]]
"""channel, position, item, source, origin, latency, signals that are shown (name, value)."""

DIGITS = 9


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a run, from its rows in the table."""

    number: int
    step: int
    batch: int
    agent: int
    kind: Kind
    picks: tuple[int, ...]
    acted: bool
    """Whether its picks had an effect on the world."""


@dataclass(frozen=True, slots=True)
class Act:
    """One pick that had an effect."""

    decision: int
    step: int
    batch: int
    agent: int
    item: int


def decisions_of(trace: Trace, run: int) -> list[Decision]:
    """A run's decisions, in order."""
    table = trace.columns("decisions")
    here = np.flatnonzero(table["run"] == run)
    here = here[np.lexsort((table["pick"][here], table["decision"][here]))]
    found: dict[int, Decision] = {}
    for row in here:
        number, choice = int(table["decision"][row]), int(table["choice"][row])
        before = found[number].picks if number in found else ()
        kind = Kind(int(table["kind"][row]))
        found[number] = Decision(
            number,
            int(table["step"][row]),
            int(table["batch"][row]),
            int(table["agent"][row]),
            kind,
            (*before, choice) if choice >= 0 else before,
            kind is Kind.choose or (kind is Kind.judge and table["value"][row] == 1),
        )
    return [found[number] for number in sorted(found)]


def acts_of(decisions: list[Decision]) -> list[Act]:
    """What had an effect, in order; a decision's picks in the order they were made."""
    return [
        Act(one.number, one.step, one.batch, one.agent, item)
        for one in decisions
        if one.acted
        for item in one.picks
    ]


def rebuilt(
    spec: Microspec, decisions: list[Decision], seed: int, replicate: int
) -> Iterator[tuple[int, State]]:
    """The world's state at the start and after each step, from the decisions and the world alone."""
    state = _started(spec, seed, replicate)
    acts = acts_of(decisions)
    yield 0, state
    for step in range(spec.turns.steps):
        for batch in sorted({one.batch for one in decisions if one.step == step}):
            now = [act for act in acts if (act.step, act.batch) == (step, batch)]
            _let(spec, state, now, step)
        yield step + 1, state


def _started(spec: Microspec, seed: int, replicate: int) -> State:
    group = spec.population.people().group
    return spec.world.start(Opening(seed, np.array([replicate]), group))


def _let(spec: Microspec, state: State, acts: list[Act], step: int) -> None:
    columns = np.array([(0, a.agent, a.item, a.decision) for a in acts], np.int64).reshape(-1, 4)
    run, agent, item, decision = columns.T
    spec.world.apply(state, Acts(run, agent, item, decision, step))


def expected(
    spec: Microspec, decisions: list[Decision], seed: int, replicate: int
) -> dict[int, Counter[Row]]:
    """The exposures that each decision must have, by its number."""
    return _Oracle(spec, decisions, seed, replicate).all()


class _Oracle:
    def __init__(
        self, spec: Microspec, decisions: list[Decision], seed: int, replicate: int
    ) -> None:
        self.spec, self.decisions, self.seed, self.replicate = spec, decisions, seed, replicate
        self.acts = acts_of(decisions)
        self.agents, self.items = spec.population.count, spec.world.items
        self.scores: dict[tuple[int, int], list[float]] = {}

    def all(self) -> dict[int, Counter[Row]]:
        self._score()
        shown: dict[int, Counter[Row]] = {}
        occasions: Counter[tuple[int, int]] = Counter()
        at = 0
        while at < len(self.decisions):
            one = self.decisions[at]
            if one.kind is Kind.next:
                shown[one.number] = self._nominees(one)
                at += 1
                continue
            occasion = occasions[one.step, one.agent]
            occasions[one.step, one.agent] += 1
            options, heard = self._slate(one, occasion)
            if one.kind is Kind.choose:
                visit, told = self._visit(at), list(heard)
                for now in visit:  # asked again after each pick, shown what it picked
                    shown[now.number] = Counter([*options, *told])
                    told += [
                        (Channel.picked, len(told) + 1, item, now.agent, now.number, 0, ())
                        for item in now.picks
                    ]
                at += len(visit)
                continue
            for place, option in enumerate(options):  # judged one by one, as they were listed
                alone = (option[0], 1, *option[2:])
                shown[one.number + place] = Counter([alone, *heard])
            at += len(options)
        return shown

    def _visit(self, at: int) -> list[Decision]:
        """The decisions that one slate was shown for: several where agents pick one by one."""
        visit = [self.decisions[at]]
        most = self.spec.affordances.most if self.spec.affordances.one_by_one else 1
        for other in self.decisions[at + 1 : at + most]:
            last = visit[-1]
            same = (other.step, other.batch, other.agent) == (last.step, last.batch, last.agent)
            if not (same and last.picks and other.kind is Kind.choose):
                break
            visit.append(other)
        return visit

    def _score(self) -> None:
        """Every agent's score before each batch."""
        state = _started(self.spec, self.seed, self.replicate)
        for step, batch in sorted({(one.step, one.batch) for one in self.decisions}):
            self.scores[step, batch] = state.score[0].tolist()
            now = [act for act in self.acts if (act.step, act.batch) == (step, batch)]
            _let(self.spec, state, now, step)

    def _audible(self, step: int, agent: int) -> set[int]:
        """Whom an agent hears."""
        talk = self.spec.communication
        if talk.everyone:
            return set(range(self.agents)) - {agent}
        stream = f"topology/{step}" if talk.each_step else "topology"
        network = talk.network(self.agents, randomness.generator(self.seed, self.replicate, stream))
        sits = np.arange(self.agents)  # the agent at each node
        if self.spec.population.placement == "shuffled" and not talk.each_step:
            key = randomness.keys(self.seed, self.replicate, "placement")
            sits = shuffle(np.atleast_1d(key), self.agents)[0]
        node = int(np.flatnonzero(sits == agent)[0])
        _, heard = network.of([node])
        return {int(sits[other]) for other in heard}

    def _visible(self, one: Decision) -> list[Act]:
        """Whatever the reader could know of: done before its batch, and `latency` steps ago or more."""
        latency = self.spec.visibility.latency
        return [
            act
            for act in self.acts
            if (act.step, act.batch) < (one.step, one.batch) and one.step - act.step >= latency
        ]

    def _slate(self, one: Decision, occasion: int) -> tuple[list[Row], list[Row]]:
        visible = self._visible(one)
        counted = visible
        if self.spec.visibility.whose == "neighbours":
            audible = self._audible(one.step, one.agent)
            counted = [act for act in visible if act.agent in audible]
        address = Address(
            self.seed,
            np.array([self.replicate]),
            one.step,
            np.array([one.agent]),
            np.array([occasion]),
        )
        items = self._order(counted, address)
        options = self._options(one, items, counted, address)
        heard: list[Row] = []
        if self.spec.communication.representation == "acts":
            heard += self._others(one, visible)
        heard += self._own(one, items)
        if self.spec.affordances.scoring == "shown":
            score = self.scores[one.step, one.batch][one.agent]
            heard.append((Channel.score, 0, -1, -1, -1, 0, (("value", round(score, DIGITS)),)))
        told = [(row[0], place, *row[2:]) for place, row in enumerate(heard, start=1)]
        return options, told

    def _popularity(self, counted: list[Act]) -> list[float]:
        popularity: list[float] = self.spec.world.initial().tolist()
        for act in counted:
            popularity[act.item] += 1
        return popularity

    def _order(self, counted: list[Act], address: Address) -> Ints:
        order = self.spec.visibility.order
        known = np.array([self._popularity(counted) if order.reveals else [0.0] * self.items])
        ranked: Ints = order.rank(known, self.spec.world.created(), address)[0]
        return ranked[: self.spec.visibility.top]

    def _options(
        self, one: Decision, items: Ints, counted: list[Act], address: Address
    ) -> list[Row]:
        seen, popularity = self.spec.visibility, self._popularity(counted)
        fields = [f for f in self.spec.world.fields if not isinstance(seen.display(f), Hidden)]
        signals: list[list[tuple[str, float]]] = [[] for _ in items]
        for name in fields:
            told = [popularity[item] if seen.display(name).reveals else 0.0 for item in items]
            shown = seen.display(name).show(np.array([told]), items[None], address, name)[0]
            for place, value in enumerate(shown):
                signals[place].append((name, round(float(value), DIGITS)))
        rests = seen.order.reveals or any(seen.display(name).about_item for name in fields)
        rows: list[Row] = []
        for place, item in enumerate(items.tolist()):
            last = max((a for a in counted if a.item == item), key=_time, default=None)
            origin, late = (last.decision, one.step - last.step) if rests and last else (-1, 0)
            position = place + 1
            rows.append(
                (Channel.option, position, item, -1, origin, late, tuple(sorted(signals[place])))
            )
        return rows

    def _others(self, one: Decision, visible: list[Act]) -> list[Row]:
        """The latest acts of those whom the reader hears."""
        audible = self._audible(one.step, one.agent)
        acts = [act for act in visible if act.agent in audible]
        return [_told(Channel.others, one, act) for act in acts[-self.spec.communication.last :]]

    def _own(self, one: Decision, items: Ints) -> list[Row]:
        memory = self.spec.memory
        past = [
            act
            for act in self.acts
            if act.agent == one.agent and (act.step, act.batch) < (one.step, one.batch)
        ]
        if isinstance(memory, NoMemory):
            return []
        if isinstance(memory, Window):
            return [_told(Channel.own, one, act) for act in past[-memory.k :]]
        if isinstance(memory, Summary):
            tallies = Counter(act.item for act in past)
            latest = {act.item: act for act in past}
            return [
                _told(Channel.own, one, latest[item], (("value", float(times)),))
                for item, times in sorted(tallies.items())
            ]
        if not isinstance(memory, Retrieval):
            raise NotImplementedError(f"the oracle knows no memory {memory.kind!r}.")
        past = past[-memory.horizon :]
        like = self.spec.world.similarity()
        worth = [
            memory.recency_weight * memory.decay ** (one.step - act.step)
            + memory.relevance_weight * (0 if like is None else max(like[act.item, items]))
            for act in past
        ]
        best = sorted(range(len(past)), key=lambda at: (round(worth[at], DIGITS), at))
        return [_told(Channel.own, one, past[at]) for at in best[-memory.k :]]

    def _nominees(self, one: Decision) -> Counter[Row]:
        # One who hears nobody keeps the turn.
        audible = sorted(self._audible(one.step, one.agent)) or [one.agent]
        return Counter(
            (int(Channel.option), place, -1, agent, -1, 0, ())
            for place, agent in enumerate(audible, start=1)
        )


def _time(act: Act) -> tuple[int, int]:
    return act.step, act.decision


def _told(
    channel: Channel, one: Decision, act: Act, signals: tuple[tuple[str, float], ...] = ()
) -> Row:
    return (channel, 0, act.item, act.agent, act.decision, one.step - act.step, signals)
