"""Turns: who decides when.

Turns cut each step into batches of agents that decide together. A batch is given as columns, a row for
each (run, agent); all of a batch is shown the state before the batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cloudchamber import randomness
from cloudchamber.microspec.value import Family, Real, Whole, counted
from cloudchamber.microspec.visibility import shuffle
from cloudchamber.questions import Ints, Reals

__all__ = ["Asynchronous", "Batch", "Moment", "Sequential", "Simultaneous", "Turns"]


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


@dataclass(frozen=True, slots=True)
class Batch:
    """Agents that decide together: (run, agent), and which of the agent's occasions in this step it is."""

    run: Ints
    agent: Ints
    occasion: Ints

    def block(self, start: int, stop: int) -> "Batch":
        """Some consecutive rows."""
        rows = slice(start, stop)
        return Batch(self.run[rows], self.agent[rows], self.occasion[rows])

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

    def batches(self, moment: Moment) -> Iterator[Batch]:
        """The batches of one step, in order."""
        raise NotImplementedError


class Simultaneous(Turns):
    """All decide together in each step: nobody sees what another does in the same step."""

    kind: Literal["simultaneous"] = "simultaneous"

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
