"""Choices drawn anew under a mechanism, given the exposures on record.

What agents were shown stays as it was, though other choices would have shown them other things.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.mechanisms import Mechanism
from cloudchamber.questions import Reals
from cloudchamber.randomness import exponentials, keys
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import TABLES, Channel, Columns

__all__ = ["Record", "probabilities"]


def probabilities(mechanism: Mechanism, data: ChoiceData) -> Reals:
    """(n, k): the probability of each option, a block at a time; of rows asked about each that of a yes."""
    whole = np.zeros(data.item.shape)
    for start in range(0, len(data), data.block_rows()):
        rows = slice(start, start + data.block_rows())
        shown = data.shown(rows)
        if data.asked == "any":
            whole[rows] = mechanism.inclusion(shown)
            continue
        weight = mechanism.log_weights(shown)
        none = -np.inf if mechanism.decline is None else mechanism.decline
        most = np.maximum(weight.max(axis=1, keepdims=True), none)
        most = np.where(np.isfinite(most), most, 0.0)
        weight = np.exp(weight - most)
        total = weight.sum(axis=1, keepdims=True) + np.exp(none - most)
        whole[rows] = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return whole


@dataclass(frozen=True, eq=False)
class Record:
    """Runs of a trace, and where in it each choice stands."""

    trace: Trace
    data: ChoiceData
    """First picks alone."""
    picks: NDArray[np.int64]
    """(n,): how many options each decision took."""
    row: NDArray[np.int64]
    """For each exposure the row of its decision, -1 where it is not an option of one."""

    @classmethod
    def of(cls, trace: Trace, data: ChoiceData) -> "Record":
        """The record of runs in memory; `data` are all their choices."""
        first = np.flatnonzero(data.pick == 1)
        picked = (data.choice >= 0) if data.taken is None else data.taken.any(axis=1)
        picks = np.add.reduceat(picked.astype(np.int64), first)
        shown = trace.columns("exposures")
        option = (shown["channel"] == Channel.option) & (shown["item"] >= 0)
        rows = data.where(first)
        row = _found(rows.run, rows.decision, shown["run"], shown["decision"])
        return cls(trace, rows, picks, np.where(option, row, -1))

    @property
    def runs(self) -> NDArray[np.int64]:
        """The runs, ascending."""
        return self.data.runs

    def drawn(
        self, mechanisms: Sequence[Mechanism], *, exactly: bool, seed: int = 0, first: int = 0
    ) -> tuple[Trace, NDArray[np.int64]]:
        """The trace of a redraw for each mechanism, and the number of each redraw's runs, (draws, runs).

        Noise is keyed as the engine's: runs of the same replicate share it, in whatever cell.

        Args:
            mechanisms: one for each draw.
            exactly: whether the mechanism's probabilities are recorded where those of the answers are;
                else choices alone.
            seed: of the choices.
            first: the number of the first draw.
        """
        many, runs = len(mechanisms), self.runs
        chosen, chance = [], []
        for draw, mechanism in enumerate(mechanisms, first):
            p = probabilities(mechanism, self.data)
            chosen.append(self._picked(p, self._keys(seed, f"redraw {draw}")))
            chance.append(p)
        numbers = 1 + np.arange(many * len(runs)).reshape(many, -1)
        trace = Trace()
        trace.append("exposures", self._exposures(numbers, chosen, chance, exactly))
        trace.append("decisions", self._decisions(numbers, chosen))
        table = self.trace.columns("runs")
        mine = np.isin(table["run"], runs)
        order = np.argsort(table["run"][mine])
        told = {name: np.tile(values[mine][order], many) for name, values in table.items()}
        if mine.any():
            trace.append("runs", told | {"run": numbers.ravel()})
        return trace, numbers

    def observed(self, *, exactly: bool) -> Trace:
        """The trace itself; without probabilities, where choices alone are to count."""
        if exactly:
            return self.trace
        plain = Trace()
        for table in TABLES:
            columns = self.trace.columns(table)
            if table == "exposures":
                columns = columns | {"probability": np.full(len(columns["run"]), np.nan)}
            if table != "texts" and len(columns["run"]):
                plain.append(table, columns)
        return plain

    def _keys(self, seed: int, stream: str) -> NDArray[np.uint64]:
        """(n,): keys of a decision's noise."""
        data, table = self.data, self.trace.columns("runs")
        replicate = data.run
        if np.isin(data.run, table["run"]).all():
            order = np.argsort(table["run"])
            at = np.searchsorted(table["run"][order], data.run)
            replicate = table["replicate"][order][at].astype(np.int64)
        lone = data.item[:, 0] if data.options == 1 else np.zeros(len(data), np.int64)
        return keys(seed, replicate, stream, data.step, data.agent, _occasions(data, lone))

    def _picked(self, p: Reals, noise: NDArray[np.uint64]) -> NDArray[np.int8]:
        """(n, k): the rank of each option among the picks, 0 for none."""
        clock = exponentials(noise, self.data.item)
        if self.data.asked == "any":
            with np.errstate(divide="ignore"):
                return (clock < -np.log1p(-np.minimum(p, 1.0))).astype(np.int8)
        with np.errstate(divide="ignore"):
            arrival = clock / p
        chosen = np.zeros(p.shape, np.int8)
        row = np.arange(len(p))
        if self.picks.max(initial=0) <= 1:
            # Whether it declines is drawn too: nothing is an option of its own.
            left = np.maximum(1 - p.sum(axis=1), 0.0)
            own = exponentials(noise ^ np.uint64(0x9E3779B97F4A7C15), 1)[:, 0]
            with np.errstate(divide="ignore"):
                none = own / np.where(left > 1e-9, left, 0.0)
            best = arrival.argmin(axis=1)
            taken = arrival[row, best] < none
            chosen[row[taken], best[taken]] = 1
            return chosen
        order = np.argsort(arrival, axis=1, kind="stable")
        for rank in range(int(self.picks.max())):
            goes = self.picks > rank
            chosen[row[goes], order[goes, rank]] = rank + 1
        return chosen

    def options(self) -> Trace:
        """The options that were shown, and which was chosen (first), with its probability."""
        shown, trace = self.trace.columns("exposures"), Trace()
        at = np.flatnonzero(self.row >= 0)
        told = {name: values[at] for name, values in shown.items()}
        trace.append("exposures", told | {"chosen": (told["chosen"] == 1).astype(np.int8)})
        return trace

    def expected(self, mechanism: Mechanism) -> Trace:
        """The exposures with the mechanism's probabilities: what it is expected to choose, run by run."""
        p, shown = probabilities(mechanism, self.data), self.trace.columns("exposures")
        at = np.flatnonzero(self.row >= 0)
        told = {name: values[at] for name, values in shown.items()}
        chance = p[self.row[at], shown["position"][at].astype(np.int64) - 1]
        trace = Trace()
        trace.append("exposures", told | {"probability": chance.astype(np.float32), "chosen": 0})
        return trace

    def _exposures(
        self,
        numbers: NDArray[np.int64],
        chosen: Sequence[NDArray[Any]],
        chance: Sequence[Reals],
        exactly: bool,
    ) -> Columns:
        shown, many = self.trace.columns("exposures"), len(numbers)
        at = np.flatnonzero(self.row >= 0)
        row, column = self.row[at], shown["position"][at].astype(np.int64) - 1
        told = {name: np.tile(values[at], many) for name, values in shown.items()}
        told["run"] = numbers[:, np.searchsorted(self.runs, shown["run"][at])].ravel()
        told["chosen"] = np.concatenate([one[row, column] for one in chosen]).astype(np.int8)
        told["probability"] = np.full(len(told["run"]), np.nan, np.float32)
        if exactly:
            known = np.tile(~np.isnan(shown["probability"][at]), many)
            drawn = np.concatenate([one[row, column] for one in chance])
            told["probability"][known] = drawn[known]
        return told

    def _decisions(
        self, numbers: NDArray[np.int64], chosen: Sequence[NDArray[Any]]
    ) -> dict[str, Any]:
        decided, many = self.trace.columns("decisions"), len(numbers)
        row = _found(self.data.run, self.data.decision, decided["run"], decided["decision"])
        at = np.flatnonzero(row >= 0)
        told = {name: np.tile(values[at], many) for name, values in decided.items()}
        told["run"] = numbers[:, np.searchsorted(self.runs, decided["run"][at])].ravel()
        item, rank = self.data.item[row[at]], decided["pick"][at]
        choices = []
        for one in chosen:
            mine = one[row[at]] == np.maximum(rank, 1)[:, None]
            choices.append(
                np.where(mine.any(axis=1), item[np.arange(len(at)), mine.argmax(axis=1)], -1)
            )
        told["choice"] = np.concatenate(choices)
        told["probability"] = np.full(len(told["run"]), np.nan, np.float32)
        return told


def _occasions(data: ChoiceData, lone: NDArray[Any]) -> NDArray[np.int64]:
    """(n,): how often the agent has decided before in the step; of judgements, about the same item."""
    order = np.lexsort((data.decision, lone, data.agent, data.step, data.run))
    parts = (data.run, data.step, data.agent, lone)
    new = np.ones(len(data), bool)
    new[1:] = np.any([one[order][1:] != one[order][:-1] for one in parts], axis=0)
    start = np.maximum.accumulate(np.where(new, np.arange(len(data)), 0))
    occasion = np.empty(len(data), np.int64)
    occasion[order] = np.arange(len(data)) - start
    return occasion


def _found(
    run: NDArray[Any], decision: NDArray[Any], other_run: NDArray[Any], other: NDArray[Any]
) -> NDArray[np.int64]:
    """Where each (run, decision) stands among ascending ones; -1 where it does not."""
    runs = np.unique(run)
    width = int(max(decision.max(initial=0), other.max(initial=0))) + 1
    keys = np.searchsorted(runs, run) * width + decision
    wanted = np.searchsorted(runs, other_run) * width + other
    at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    known = (
        (keys[at] == wanted) & np.isin(other_run, runs) if len(keys) else np.zeros(len(at), bool)
    )
    return np.where(known, at, -1)
