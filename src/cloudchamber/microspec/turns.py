"""Turns: who decides when.

Turns cut each step into batches of agents that decide together. A batch is given as columns, a row for
each (run, agent); all of a batch is shown the state before the batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cloudchamber import randomness
from cloudchamber.microspec.neighbours import Neighbours
from cloudchamber.microspec.value import Family, Flag, Real, Whole, counted
from cloudchamber.microspec.visibility import shuffle
from cloudchamber.questions import Ints, Reals

__all__ = [
    "Asynchronous",
    "Batch",
    "Meetings",
    "Moment",
    "Sequential",
    "Simultaneous",
    "Turns",
]


@dataclass(frozen=True, slots=True)
class Moment:
    """The step at which turns are dealt out, and to whom."""

    seed: int
    replicates: Ints
    """The replicate of each run."""
    step: int
    agents: int
    group: Ints
    """The group of each agent."""
    network: Neighbours | None = None
    """Who can hear whom, run after run; None where all can hear all."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Agents that decide together: (run, agent), and which of the agent's occasions in this step it is."""

    run: Ints
    agent: Ints
    occasion: Ints
    partner: Ints | None = None
    """Where agents meet: whom each meets; those who meet each other stand in the same batch."""

    def block(self, start: int, stop: int) -> "Batch":
        """Some consecutive rows."""
        return self.take(slice(start, stop))

    def take(self, rows: Ints | NDArray[np.bool_] | slice) -> "Batch":
        """Some rows."""
        partner = None if self.partner is None else self.partner[rows]
        return Batch(self.run[rows], self.agent[rows], self.occasion[rows], partner)

    def __len__(self) -> int:
        return len(self.run)


class Turns(Family):
    """Who decides when, and for how many steps."""

    steps: Annotated[Whole, Field(ge=1)] = 1
    """A step is a round in which, on average or exactly, each agent decides once."""

    @property
    def endogenous(self) -> bool:
        """Whether agents say who is next."""
        return False

    @property
    def meets(self) -> bool:
        """Whether agents decide in meetings of two."""
        return False

    @property
    def again(self) -> bool:
        """Whether an agent may decide more than once in a step, and its turns do not count how often."""
        return self.endogenous

    @property
    def together(self) -> bool:
        """Whether all who decide in a step decide at once, so that nobody sees what another does in it."""
        return False

    def batches(self, moment: Moment) -> Iterator[Batch]:
        """The batches of one step, in order."""
        raise NotImplementedError


class Simultaneous(Turns):
    """All decide together in each step: nobody sees what another does in the same step."""

    kind: Literal["simultaneous"] = "simultaneous"

    @property
    def together(self) -> bool:
        """They do."""
        return True

    def batches(self, moment: Moment) -> Iterator[Batch]:
        """One batch of all."""
        runs = len(moment.replicates)
        run = np.repeat(np.arange(runs), moment.agents)
        agent = np.tile(np.arange(moment.agents), runs)
        yield Batch(run, agent, np.zeros(len(run), np.int64))

    def aloud(self) -> str:
        """The regime as a sentence."""
        return f"all decide at once, for {counted(self.steps, 'step')}"


class Sequential(Turns):
    """One after the other; each sees what those before it did."""

    kind: Literal["sequential"] = "sequential"
    order: Literal["fixed", "random", "endogenous"] = "random"
    """By number; drawn anew at each step; or each says who is next."""

    @property
    def endogenous(self) -> bool:
        """Whether agents say who is next."""
        return self.order == "endogenous"

    def batches(self, moment: Moment) -> Iterator[Batch]:
        """As many batches as agents, each of one agent a run.

        In endogenous order these are only the first proposals: the engine asks.
        """
        runs = len(moment.replicates)
        order = self._order(moment, runs)
        run, occasion = np.arange(runs), np.zeros(runs, np.int64)
        for turn in range(moment.agents):
            yield Batch(run, order[:, turn], occasion)

    def _order(self, moment: Moment, runs: int) -> Ints:
        if self.order == "fixed":
            return np.broadcast_to(np.arange(moment.agents), (runs, moment.agents))
        keys = randomness.keys(moment.seed, moment.replicates, "turns", moment.step, -1)
        return shuffle(keys, moment.agents)

    def aloud(self) -> str:
        """The regime as a sentence."""
        how = {
            "fixed": "always in the same order",
            "random": "in random order",
            "endogenous": "each naming who is next",
        }
        return f"one decides after the other, {how[self.order]}, for {counted(self.steps, 'step')}"


class Meetings(Turns):
    """Agents meet in pairs of such as can hear each other, and those who meet decide together.

    A step is as many meetings as half the agents, one after another, each of a random agent with a random
    one of those it hears; or all at once, in random pairs that nobody is in twice.
    """

    kind: Literal["meetings"] = "meetings"
    at_once: Flag = False
    """All meetings of a step at once; who finds nobody left to meet sits it out."""
    partners: Literal["drawn", "kept"] = "drawn"
    """Drawn anew for each meeting, or the pairs of the first step for good; these meet all at once."""

    @model_validator(mode="after")
    def _consistent(self) -> "Meetings":
        if self.partners == "kept" and not self.at_once:
            raise ValueError(
                "at_once: false given, but partners that are kept meet all at once; set it to true"
            )
        return self

    @property
    def meets(self) -> bool:
        """They do."""
        return True

    @property
    def again(self) -> bool:
        """One meeting after another, they may."""
        return not self.at_once

    @property
    def together(self) -> bool:
        """They do where all meet at once."""
        return self.at_once

    def batches(self, moment: Moment) -> Iterator[Batch]:
        """A batch for each meeting, the one who seeks before the one sought; or one of all meetings."""
        if self.at_once:
            yield self._matched(moment)
            return
        runs = len(moment.replicates)
        for number in range(max(moment.agents // 2, 1)):
            first, second = self._pair(moment, number)
            there = np.flatnonzero(second >= 0)
            run = np.repeat(np.arange(runs)[there], 2)
            agent = np.stack([first[there], second[there]], axis=1).reshape(-1)
            partner = np.stack([second[there], first[there]], axis=1).reshape(-1)
            yield Batch(run, agent, np.zeros(len(run), np.int64), partner)

    def _pair(self, moment: Moment, number: int) -> tuple[Ints, Ints]:
        """Who seeks and who is found, in each run; -1 where there is nobody to be found."""
        keys = randomness.keys(moment.seed, moment.replicates, "meetings", moment.step, -1, number)
        drawn = randomness.uniforms(keys, 2)
        first = (drawn[:, 0] * moment.agents).astype(np.int64)
        if moment.network is None:
            if moment.agents < 2:
                return first, np.full(len(first), -1)
            second = (drawn[:, 1] * (moment.agents - 1)).astype(np.int64)
            return first, second + (second >= first)
        offsets, ids = moment.network.of(np.arange(len(first)) * moment.agents + first)
        degree = np.diff(offsets)
        at = offsets[:-1] + (drawn[:, 1] * degree).astype(np.int64)
        found = np.append(ids, -1)[np.where(degree, at, len(ids))]
        return first, np.where(degree > 0, found % moment.agents, -1)

    def _matched(self, moment: Moment) -> Batch:
        """Random pairs; on a network, of all possible meetings the first that both sides are free for."""
        runs = len(moment.replicates)
        step = 0 if self.partners == "kept" else moment.step
        keys = randomness.keys(moment.seed, moment.replicates, "meetings", step, -1)
        if moment.network is None:
            order = shuffle(keys, moment.agents)[:, : moment.agents // 2 * 2]
            run = np.repeat(np.arange(runs), order.shape[1])
            pairs = order.reshape(-1, 2)
            partner = pairs[:, ::-1].reshape(-1)
            return Batch(run, order.reshape(-1), np.zeros(len(run), np.int64), partner)
        who, whom = _matching(moment.network, keys, moment.agents)
        ends = np.stack([who, whom], axis=1).reshape(-1)
        others = np.stack([whom, who], axis=1).reshape(-1)
        return Batch(
            ends // moment.agents, ends % moment.agents, np.zeros_like(ends), others % moment.agents
        )

    def aloud(self) -> str:
        """The regime as a sentence."""
        how = "all at once in random pairs" if self.at_once else "one random pair after another"
        if self.partners == "kept":
            how = "always the same two"
        return f"agents meet in pairs, {how}, for {counted(self.steps, 'step')}"


def _matching(network: Neighbours, keys: NDArray[np.uint64], agents: int) -> tuple[Ints, Ints]:
    """A random maximal matching of each run's network: the two ends of each meeting, by run."""
    offsets, heard = network.of(np.arange(network.n))
    hears = np.repeat(np.arange(network.n), np.diff(offsets))
    low, high = np.minimum(hears, heard), np.maximum(hears, heard)
    pairs = np.unique(low.astype(np.int64) * network.n + high)
    low, high = pairs // network.n, pairs % network.n
    run = low // agents
    # A priority that belongs to the pair within its run, whatever other runs are in the pool.
    lane = (low % agents) * agents + high % agents
    priority = randomness.bits(keys[run], lane[:, None])[:, 0]
    order = np.argsort(priority, kind="stable")
    low, high = low[order], high[order]
    found: list[tuple[Ints, Ints]] = []
    first = np.empty(network.n, np.int64)
    while len(low):
        place = np.arange(len(low))
        first[:] = len(low)
        np.minimum.at(first, low, place)
        np.minimum.at(first, high, place)
        chosen = np.flatnonzero((first[low] == place) & (first[high] == place))
        found.append((low[chosen], high[chosen]))
        taken = np.zeros(network.n, bool)
        taken[low[chosen]] = taken[high[chosen]] = True
        left = ~(taken[low] | taken[high])
        low, high = low[left], high[left]
    who = np.concatenate([part[0] for part in found] or [np.zeros(0, np.int64)])
    whom = np.concatenate([part[1] for part in found] or [np.zeros(0, np.int64)])
    order = np.lexsort((who, who // agents))
    return who[order], whom[order]


class Asynchronous(Turns):
    """Each agent decides at random moments of its own, as a Poisson process of the given rate."""

    kind: Literal["asynchronous"] = "asynchronous"
    rates: Annotated[tuple[Annotated[Real, Field(gt=0)], ...], Field(min_length=1)] = (1.0,)
    """Decisions a step: one rate for all, or one for each group."""

    def batches(self, moment: Moment) -> Iterator[Batch]:
        """The e-th batch holds the e-th decision of each run that has one, in order of time."""
        run, agent, occasion, place = self._events(moment)
        if not len(run):
            return  # nobody decides in this step; splitting nothing would give one empty batch
        order = np.argsort(place, kind="stable")
        for now in np.split(order, np.cumsum(np.bincount(place))[:-1]):
            yield Batch(run[now], agent[now], occasion[now])

    def _events(self, moment: Moment) -> tuple[Ints, Ints, Ints, Ints]:
        """All decisions of the step: run, agent, occasion, and their place in their run's time."""
        rates = np.asarray(self.rates)[moment.group if len(self.rates) > 1 else 0]
        replicates = moment.replicates[:, None]
        keys = randomness.keys(
            moment.seed, replicates, "rates", moment.step, np.arange(moment.agents)
        )
        found: list[tuple[Ints, Ints, Ints, Reals]] = []
        time = np.zeros(keys.shape)
        occasion = 0
        while True:
            time = time + randomness.exponentials(keys, np.array([occasion]))[..., 0] / rates
            run, agent = np.nonzero(time < 1.0)
            if not len(run):
                break
            found.append((run, agent, np.full(len(run), occasion), time[run, agent]))
            occasion += 1
        if not found:
            none = np.zeros(0, np.int64)
            return none, none, none, none
        run, agent, times, moments = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.lexsort((moments, run))
        run, agent, times = run[order], agent[order], times[order]
        starts = np.searchsorted(run, np.arange(len(moment.replicates)))
        return run, agent, times, np.arange(len(run)) - starts[run]

    def aloud(self) -> str:
        """The regime as a sentence."""
        rates = ", ".join(f"{rate:g}" for rate in self.rates)
        often = "once" if rates == "1" else f"{rates} times"
        return f"each decides at random moments, {often} a step, for {counted(self.steps, 'step')}"
