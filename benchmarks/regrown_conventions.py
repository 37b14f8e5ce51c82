"""Rules that play the naming game of Ashery, Aiello & Baronchelli 2025, and how far what they grow is right.

What a rule grows is a distribution: how often a convention is overturned, after how many meetings the run
stops. Recorded runs are held against it one by one, by proper scores, so that differences between rules have
intervals over recorded runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd

from cloudchamber.agents import Society
from cloudchamber.agents.society import decide
from cloudchamber.engine import Runs, grow
from cloudchamber.measures.estimate import Estimate
from cloudchamber.mechanism import ItemEffects, Logit, Mechanism
from cloudchamber.mechanism.stacking import Stacked
from cloudchamber.microspec import Decider, Group, Meetings, Microspec, Population, Window
from cloudchamber.questions import Answers, Questions, joined_answers
from cloudchamber.worlds import NamingGame

__all__ = ["Regrown", "Rules", "ahead", "crps", "flip_scores", "held_out", "regrown"]

NAMES = ("Q", "M")
STOP = 72
"""Meetings in a row that succeed, upon which a recorded run of 24 agents stopped."""
FEW = 4
"""Conditions of fewer recorded runs are left out."""
Column = np.ndarray
Rules = Mechanism | Sequence[Mechanism]
"""One rule for all runs, or several, of which each run has one."""


class Each(Decider):
    """Each rule for as many runs, side by side; of several, one for each replicate, in turn."""

    kind: Literal["each run its own"] = "each run its own"
    rules: tuple[tuple[Logit, ...], ...]
    runs: int

    @cached_property
    def together(self) -> tuple[Stacked, ...]:
        """Rules that differ in parameters alone answer as one."""
        return tuple(Stacked(some) for some in self.rules)

    def answer(self, questions: Questions) -> Answers:
        """Each row by its run's rule."""
        rule, parts = questions.run // self.runs, []
        for number, together in enumerate(self.together):
            rows = np.flatnonzero(rule == number)
            if len(rows):
                mine = questions.take(rows)
                which = mine.address.replicate % len(self.rules[number])
                parts.append((rows, together.answer(mine, which)))
        return joined_answers(len(questions), parts)


class _Choices:
    """A sink that keeps what was chosen, and by which group."""

    def __init__(self) -> None:
        self.kept: list[tuple[Column, ...]] = []

    def append(self, table: str, columns: Mapping[str, Any]) -> None:
        if table == "decisions":
            names = ("run", "decision", "group", "choice")
            self.kept.append(tuple(np.array(columns[name]) for name in names))

    def text(self, kind: str, content: str) -> int:
        return 1


@dataclass(frozen=True, eq=False)
class Regrown:
    """Runs that a rule grew."""

    meetings: Column
    """(runs,): until as many in a row succeeded, or to the end."""
    share: Column
    """(runs,): of the last answers of those not committed, one for each agent, that are `name`."""


def regrown(
    rules: Mapping[str, Rules],
    *,
    agents: int = 24,
    memory: int = 5,
    longest: int = 800,
    committed: int = 0,
    to: int | None = None,
    runs: int = 200,
    seed: int = 1,
    stop: int | None = STOP,
) -> dict[str, Regrown]:
    """Each rule in the agents' place, all under one noise.

    With `committed`, all others begin with the other name. A run ends where `stop` meetings in a row
    succeeded; if None, when it is as long as the longest.
    """
    several: list[tuple[Any, ...]] = [
        (one,) if isinstance(one, Mechanism) else tuple(one) for one in rules.values()
    ]
    always = Logit(terms=(ItemEffects(effects=(0.0, -60.0 if to == 0 else 60.0)),))
    decides = Each(rules=tuple(several), runs=runs)
    groups = [Group(name="free", count=agents - committed, decides=decides)]
    if committed:
        groups.append(Group(name="committed", count=committed, decides=always))
    spec = Microspec(
        world=NamingGame(convention=None if to is None else 1 - to, remembered=memory),
        population=Population(groups=tuple(groups)),
        turns=Meetings(steps=-(-longest // (agents // 2))),
        memory=Window(k=memory),
    )
    sink, every = _Choices(), np.arange(len(rules) * runs)
    decide(grow(spec, Runs(seed, every % runs, every), sink, block=1 << 16), Society(spec))
    run, decision, group, choice = (np.concatenate(part) for part in zip(*sink.kept, strict=True))
    order = np.lexsort((decision, run))
    shape = (len(rules), runs, -1, 2)
    said = choice[order].reshape(shape)[:, :, :longest]
    free = group[order].reshape(shape)[:, :, :longest] == 0
    name = 1 if to is None else to
    return {
        rule: _ended(said[number], free[number], agents, name, stop)
        for number, rule in enumerate(rules)
    }


def _ended(said: Column, free: Column, agents: int, name: int, stop: int | None) -> Regrown:
    if stop is None:
        ends = np.full(len(said), said.shape[1])
    else:
        ends = _stopped(said[:, :, 0] == said[:, :, 1], stop)
    share = np.empty(len(said))
    for run, end in enumerate(ends):
        last = slice(end - agents, end)
        share[run] = (said[run, last] == name)[free[run, last]].mean()
    return Regrown(ends, share)


def _stopped(succeeded: Column, stop: int) -> Column:
    success = np.cumsum(succeeded, axis=1)
    in_a_row = success.copy()
    in_a_row[:, stop:] -= success[:, :-stop]
    there = in_a_row == stop
    ends = np.where(there.any(axis=1), there.argmax(axis=1) + 1, succeeded.shape[1])
    return np.asarray(ends)


def flip_scores(flipped: Column, recorded: Column) -> Column:
    """(recorded runs,): log score of each flip, given how many of the regrown runs flipped.

    Half a run is added to either side, so that what none of them did is not taken for impossible.
    """
    p = (flipped.sum() + 0.5) / (len(flipped) + 1)
    return np.asarray(recorded * np.log(p) + (1 - recorded) * np.log(1 - p))


def crps(drawn: Column, recorded: Column) -> Column:
    """(recorded runs,): continuous ranked probability score of each number, in its unit; less is better."""
    near = np.abs(drawn[:, None] - recorded).mean(axis=0)
    return np.asarray(near - np.abs(drawn[:, None] - drawn).mean() / 2)


def held_out(
    rules: Mapping[str, Rules],
    recorded: pd.DataFrame,
    *,
    agents: int = 24,
    memory: int = 5,
    runs: int = 200,
    stop: int | None = STOP,
) -> pd.DataFrame:
    """Rules beside recorded runs with a committed minority: a row a recorded run and rule.

    Columns: committed, to, rule, flip and meetings as recorded, flipped and lasted as the rule grew them on
    average, log (score of the flip) and crps (of the meetings).
    """
    rows = []
    for challenger, count in product(NAMES, sorted(recorded.n_committed.unique())):
        here = (recorded.challenger == challenger) & (recorded.n_committed == count)
        some = recorded[here]
        if len(some) < FEW:
            continue
        flips = (some.final_word == challenger).to_numpy().astype(float)
        longest = max(int(some.n_interactions.max()), 800)
        regrew = regrown(
            rules,
            agents=agents,
            memory=memory,
            longest=longest,
            committed=int(count),
            to=NAMES.index(challenger),
            runs=runs,
            stop=stop,
        )
        for name, grown in regrew.items():
            flipped, meetings = grown.share > 0.5, some.n_interactions.to_numpy()
            told = {"committed": int(count), "to": challenger, "rule": name, "flip": flips}
            told |= {"meetings": meetings, "flipped": flipped.mean()}
            told |= {"lasted": grown.meetings.mean(), "log": flip_scores(flipped, flips)}
            rows.append(pd.DataFrame(told | {"crps": crps(grown.meetings, meetings)}))
    return pd.concat(rows, ignore_index=True)


def ahead(found: pd.DataFrame, rule: str, other: str, score: str, draws: int = 4000) -> Estimate:
    """By how much the sum of a rule's scores over recorded runs is above another's, with a 95 % interval.

    By the bootstrap over recorded runs, condition by condition; what was regrown stays as it is.
    """
    rng, value, drawn = np.random.default_rng(0), 0.0, np.zeros(draws)
    for _, some in found.groupby(["to", "committed"]):
        one, two = (some[some.rule == name][score].to_numpy() for name in (rule, other))
        apart = one - two
        value += apart.sum()
        drawn += apart[rng.integers(len(apart), size=(draws, len(apart)))].sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    runs = int((found.rule == rule).sum())
    return Estimate(float(value), float(low), float(high), runs, 0.95, "recorded run", "bootstrap")
