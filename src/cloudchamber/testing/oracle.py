"""What each decision must have been shown, worked out from the table of decisions alone.

This is the engine's slow twin: it keeps no index, handles one decision at a time, and rereads the whole
past for each. It shares with the engine only the regimes' own values (an order's `rank`, a display's
`show`, a network) and the addresses of their draws.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cloudchamber.microspec import Hidden, Microspec, Notes, Retrieval, Summary, Window
from cloudchamber.microspec.world import State
from cloudchamber.questions import Address, Ints
from cloudchamber.testing.rebuilding import (
    DIGITS,
    Act,
    Decision,
    Led,
    acts_of,
    let,
    meetings,
    met,
    network_of,
    settled,
    started,
)
from cloudchamber.testing.writings import heard_messages, own_notes, writings
from cloudchamber.trace.tables import Channel, Kind

__all__ = ["Row", "expected"]

Row = tuple[int, int, int, int, int, int, tuple[tuple[str, float | str], ...]]
"""channel, position, item, source, origin, latency, signals that are shown (name, value), and a text."""


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
        self.acts = met(spec, acts_of(decisions), seed, replicate)
        self.agents, self.items = spec.population.count, spec.world.items
        self.scores: dict[tuple[int, int, bool], list[float]] = {}
        """Of each agent, by step and batch, and whether it was after that."""
        self.may: dict[tuple[int, int, bool], NDArray[np.bool_]] = {}
        """(agents, items): what was open to each then."""
        self.single = spec.affordances.presentation == "one at a time"
        self.asked = writings(spec, decisions)
        self.whom = meetings(spec, seed, replicate) if spec.world.meets else {}
        self.led: dict[tuple[int, int], Led] = {}
        """What each act led to, by decision and item."""
        self.finally_led: dict[tuple[int, int], Led] = {}
        """The same once its step is over, where the world settles that then."""
        self.start = started(spec, seed, replicate)

    def all(self) -> dict[int, Counter[Row]]:
        self._score()
        shown: dict[int, Counter[Row]] = {}
        occasions: Counter[tuple[int, int]] = Counter()
        at = 0
        while at < len(self.decisions):
            one = self.decisions[at]
            if one.kind in (Kind.next, Kind.write):
                nth = occasions[one.step, one.agent] - self._after(one)
                shown[one.number] = (
                    self._nominees(one) if one.kind is Kind.next else self._text(one, nth)
                )
                at += 1
                continue
            occasion = occasions[one.step, one.agent]
            occasions[one.step, one.agent] += 1
            options, heard = self._slate(one, occasion)
            if one.kind in (Kind.choose, Kind.amount):
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
                alone: Row = (option[0], 1, *option[2:])
                shown[one.number + place] = Counter([alone, *heard])
            at += len(options)
        return shown

    def _after(self, one: Decision) -> bool:
        """Whether it is a note that is written after its batch has acted."""
        asked = self.asked.get(one.number)
        note = asked is not None and asked.channel is Channel.note
        return note and not self.spec.memory.plans

    def _text(self, one: Decision, occasion: int) -> Counter[Row]:
        """What who is to write is shown: a slate, without options where each is judged alone."""
        options, heard = self._slate(one, occasion)
        return Counter([*([] if self.single else options), *heard])

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
        state = started(self.spec, self.seed, self.replicate)
        times = sorted({(one.step, one.batch) for one in self.decisions})
        for (step, batch), (later, _) in zip(times, [*times[1:], (-1, -1)], strict=True):
            self._note(state, (step, batch, False))
            now = [act for act in self.acts if (act.step, act.batch) == (step, batch)]
            for act, led in zip(now, let(self.spec, state, now, step), strict=True):
                self.led[act.decision, act.item] = led
            self._note(state, (step, batch, True))
            if later != step:
                done = [act for act in self.acts if act.step == step]
                known = settled(self.spec, state, done, step)
                for act, led in zip(done, known, strict=False):
                    self.finally_led[act.decision, act.item] = led

    def _note(self, state: State, when: tuple[int, int, bool]) -> None:
        """Scores, and what is open to each, before or after a batch."""
        self.scores[when] = state.score[0].tolist()
        if self.spec.world.closes:
            everyone = np.arange(self.agents)
            self.may[when] = self.spec.world.open(state, np.zeros_like(everyone), everyone).copy()

    def _audible(self, step: int, agent: int) -> set[int]:
        """Whom an agent hears."""
        network = network_of(self.spec, self.seed, self.replicate, step)
        if network is None:
            return set(range(self.agents)) - {agent}
        return set(network.of([agent])[1].tolist())

    def _visible(self, one: Decision) -> list[Act]:
        """Whatever the reader could know of: done before its batch, and `latency` steps ago or more."""
        latency = self.spec.visibility.latency
        return [act for act in self.acts if self._past(one, act) and one.step - act.step >= latency]

    def _past(self, one: Decision, act: Act) -> bool:
        """Whether an act was done before: in an earlier batch, or in its own if it is a note."""
        done, now = (act.step, act.batch), (one.step, one.batch)
        return done < now or (done == now and self._after(one))

    def _listened(self, one: Decision) -> set[int]:
        """Whose messages reach an agent: in a meeting, those of the one it meets."""
        if self.whom:
            return {self.whom[one.step, one.batch, one.agent]}
        return self._audible(one.step, one.agent)

    def _slate(self, one: Decision, occasion: int) -> tuple[list[Row], list[Row]]:
        visible = self._visible(one)
        counted, whose = visible, set(range(self.agents))
        if self.spec.visibility.whose == "neighbours":
            whose = self._audible(one.step, one.agent)
            counted = [act for act in visible if act.agent in whose]
        address = Address(
            self.seed,
            np.array([self.replicate]),
            one.step,
            np.array([one.agent]),
            np.array([occasion]),
        )
        popularity = self._popularity(counted, whose)
        items = self._order(popularity, address, one)
        options = self._options(one, items, counted, popularity, address)
        heard: list[Row] = []
        if self.spec.communication.representation == "acts":
            heard += self._others(one, visible)
        heard += heard_messages(self.spec, one, self._listened(one), self.decisions, self.asked)
        heard += self._own(one, items)
        heard += own_notes(self.spec, one, self.decisions, self.asked)
        if self.spec.affordances.scoring == "shown":
            score = self.scores[one.step, one.batch, self._after(one)][one.agent]
            heard.append((Channel.score, 0, -1, -1, -1, 0, (("value", round(score, DIGITS)),)))
        told = [(row[0], place, *row[2:]) for place, row in enumerate(heard, start=1)]
        return options, told

    def _popularity(self, counted: list[Act], whose: set[int]) -> list[float]:
        """What counts on each item of those whose acts count for the reader."""
        popularity: list[float] = self.spec.world.initial().tolist()
        if self.spec.world.counting == "latest":
            for agent in whose:
                own = [act for act in counted if act.agent == agent]
                held = -1 if self.start.held is None else int(self.start.held[0, agent])
                if not own and held >= 0:
                    popularity[held] += 1
                for act in own:
                    if act.decision == own[-1].decision:
                        popularity[act.item] += 1 if act.amount is None else act.amount
            return popularity
        for act in counted:
            popularity[act.item] += 1 if act.amount is None else act.amount
        return popularity

    def _order(self, popularity: list[float], address: Address, one: Decision) -> Ints:
        order = self.spec.visibility.order
        known = np.array([popularity if order.reveals else [0.0] * self.items])
        ranked: Ints = order.rank(known, self.spec.world.created(), address)[0]
        if self.spec.world.closes:
            may = self.may[one.step, one.batch, self._after(one)]
            ranked = ranked[may[one.agent][ranked]]
        return ranked[: self.spec.visibility.top]

    def _options(
        self,
        one: Decision,
        items: Ints,
        counted: list[Act],
        popularity: list[float],
        address: Address,
    ) -> list[Row]:
        seen, world = self.spec.visibility, self.spec.world
        fields = [f for f in world.fields if not isinstance(seen.display(f), Hidden)]
        private = [f for f in world.private if not isinstance(seen.display(f), Hidden)]
        signals: list[list[tuple[str, float]]] = [[] for _ in items]
        for name in (*fields, *private):
            told = [popularity[item] if seen.display(name).reveals else 0.0 for item in items]
            if name in private:
                told = self.start.given[name][0, one.agent, items].tolist()
            shown = seen.display(name).show(np.array([told]), items[None], address, name)[0]
            for place, value in enumerate(shown):
                if not np.isnan(value):
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
        past = [act for act in self.acts if act.agent == one.agent and self._past(one, act)]
        if not memory.depth and not isinstance(memory, Summary):
            return []
        if isinstance(memory, Summary):
            return self._tallies(one, past)
        past = self._before(one.agent) + past
        if isinstance(memory, Window | Notes):
            return [row for act in past[-memory.k :] for row in self._recalled(one, act)]
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
        return [row for at in best[-memory.k :] for row in self._recalled(one, past[at])]

    def _before(self, agent: int) -> list[Act]:
        """What an agent remembers from before the first step: acts with numbers of their own, below -1."""
        past = self.start.past
        if past is None:
            return []
        found = []
        acts = past.item.shape[2]
        for at in range(acts):
            item = int(past.item[0, agent, at])
            if item < 0:
                continue
            number = -(2 + agent * acts + at)
            other = -1 if past.met is None else int(past.met[0, agent, at])
            found.append(Act(number, at - acts, 0, agent, item, met=other))
            self.led[number, item] = tuple(
                (name, round(float(told[0, agent, at]), DIGITS))
                for name, told in sorted(past.results.items())
                if not np.isnan(told[0, agent, at])
            )
        return found

    def _recalled(self, one: Decision, act: Act) -> list[Row]:
        """An own act with what it led to, and then what the other did, where agents meet."""
        hidden = {n for n in self.spec.world.visible if self._is_hidden(n)}
        known = self.led[act.decision, act.item]
        if act.step < one.step:
            known = self.finally_led.get((act.decision, act.item), known)
        led = tuple(part for part in known if part[0] not in hidden)
        origin = max(act.decision, -1)
        rows = [_told(Channel.own, one, replace(act, decision=origin), led)]
        if self.spec.world.meets == "both" and act.met >= 0 and "partner" not in hidden:
            late = one.step - act.step
            rows.append((Channel.met, 0, act.met, act.partner, act.others, late, ()))
        return rows

    def _is_hidden(self, name: str) -> bool:
        return isinstance(self.spec.visibility.display(name), Hidden)

    def _tallies(self, one: Decision, past: list[Act]) -> list[Row]:
        """How often each item, or how much of it; where agents meet also what others did."""
        rows: list[Row] = []
        for item in sorted({act.item for act in past}):
            own = [act for act in past if act.item == item]
            many = sum(1.0 if act.amount is None else act.amount for act in own)
            told = (("value", round(many, DIGITS)),)
            rows.append(_told(Channel.own, one, replace(own[-1], amount=None), told))
        if self.spec.world.meets != "both" or self._is_hidden("partner"):
            return rows
        for item in sorted({act.met for act in past if act.met >= 0}):
            theirs = [act for act in past if act.met == item]
            told = (("value", float(len(theirs))),)
            late = one.step - theirs[-1].step
            rows.append((Channel.met, 0, item, -1, -1, late, told))
        return rows

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
    if act.amount is not None:
        signals = tuple(sorted((*signals, ("value", round(act.amount, DIGITS)))))
    return (channel, 0, act.item, act.agent, act.decision, one.step - act.step, signals)
