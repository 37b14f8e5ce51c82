"""PRIM, the patient rule induction method: a box of conditions in which an outcome is frequent.

From all cells on, the best thin slice is peeled off again and again, then what was peeled too much is pasted
back (Friedman & Fisher 1999; Bryant & Lempert 2010). The slice taken is the one that raises the mean most for
each cell given up, which is fair between numbers and levels (Kwakkel & Jaxa-Rozen 2016).
The boxes are those that the EMA Workbench finds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Box", "Condition", "Peeled", "peel", "within"]

Reals = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Condition:
    """What one factor is restricted to: an interval of numbers, ends included, or some of its levels."""

    factor: str
    low: float = -inf
    high: float = inf
    levels: frozenset[str] | None = None
    others: frozenset[str] = frozenset()
    """The levels that are left out."""
    whole: bool = False
    """Whether the factor's numbers are whole."""

    def holds(self, values: "pd.Series[Any]") -> Mask:
        """For which values of the factor it holds."""
        if self.levels is not None:
            return values.astype(str).isin(self.levels).to_numpy()
        numbers = values.to_numpy(dtype=np.float64)
        return np.asarray((numbers >= self.low) & (numbers <= self.high))

    def __str__(self) -> str:
        if self.levels is not None:
            if len(self.others) < len(self.levels):
                return f"{self.factor} not {' or '.join(sorted(self.others))}"
            return f"{self.factor} {' or '.join(sorted(self.levels))}"
        low, high = self.low, self.high
        if self.whole:
            low = low if low == -inf else ceil(low)
            high = high if high == inf else floor(high)
        if low == high:
            return f"{self.factor} {low:g}"
        if low == -inf:
            return f"{self.factor} at most {high:.3g}"
        return (
            f"{self.factor} at least {low:.3g}"
            if high == inf
            else f"{self.factor} from {low:.3g} to {high:.3g}"
        )


Box = tuple[Condition, ...]
"""Conditions that are to hold together, one for each factor that is restricted."""


@dataclass(frozen=True)
class Peeled:
    """One box on the way from all cells to the purest."""

    box: Box
    inside: Mask
    """Which cells are in it."""


def peel(
    conditions: "pd.DataFrame",
    share: Reals,
    runs: Reals | None = None,
    *,
    slice: float = 0.05,
    least: float = 0.05,
) -> tuple[Peeled, ...]:
    """The boxes from all cells to the purest, each within the one before but for what was pasted back.

    Args:
        conditions: a row a cell, a column a factor; numbers, or levels as text.
        share: of each cell's runs, the share in which the phenomenon grew.
        runs: of each cell; all alike if not given.
        slice: part of the cells that a slice of numbers takes; of levels it is always one level.
        least: part of all cells that a box holds at least.
    """
    weight = np.ones(len(share)) if runs is None else np.asarray(runs, dtype=np.float64)
    search = _Search(conditions, np.asarray(share, dtype=np.float64), weight, slice, least)
    return tuple(search.go())


def within(conditions: "pd.DataFrame", box: Box) -> Mask:
    """Which cells are in a box."""
    inside = np.ones(len(conditions), dtype=np.bool_)
    for condition in box:
        inside &= condition.holds(conditions[condition.factor])
    return inside


Limits = Mapping[str, tuple[float, float] | frozenset[str]]


class _Search:
    def __init__(
        self, conditions: "pd.DataFrame", share: Reals, weight: Reals, slice: float, least: float
    ) -> None:
        from pandas.api.types import is_bool_dtype, is_numeric_dtype

        self.share, self.weight, self.slice = share, weight, slice
        self.fewest = least * len(share)
        self.numbers: dict[str, Reals] = {}
        self.levels: dict[str, NDArray[np.str_]] = {}
        self.whole: set[str] = set()
        self.names = list(map(str, conditions.columns))
        for name in self.names:
            column = conditions[name]
            if is_numeric_dtype(column) and not is_bool_dtype(column):
                self.numbers[name] = column.to_numpy(dtype=np.float64)
                if (self.numbers[name] == np.round(self.numbers[name])).all():
                    self.whole.add(name)
            else:
                self.levels[name] = column.astype(str).to_numpy(dtype=np.str_)
        self.start: dict[str, tuple[float, float] | frozenset[str]] = {
            name: (float(values.min()), float(values.max()))
            for name, values in self.numbers.items()
        }
        self.start |= {name: frozenset(values.tolist()) for name, values in self.levels.items()}

    def go(self) -> Iterator[Peeled]:
        limits: Limits = self.start
        inside = np.ones(len(self.share), dtype=np.bool_)
        yield Peeled((), inside)
        for moves in (self._peels, self._pastes):
            while True:
                best = self._best(limits, inside, list(moves(limits, inside)))
                if best is None:
                    break
                limits, inside = best
                yield Peeled(self._box(limits), inside)

    def _best(
        self, limits: Limits, inside: Mask, moves: Sequence[tuple[Limits, Mask]]
    ) -> tuple[Limits, Mask] | None:
        """The move that raises the mean most for each cell; of equal ones the least restricted."""
        before, size = self._mean(inside), int(inside.sum())
        found: tuple[float, int] = (0.0, 0)
        chosen = None
        for moved, there in moves:
            now = int(there.sum())
            if now == size or now < self.fewest:
                continue
            gain = (self._mean(there) - before) / abs(size - now)
            score = (gain, -len(self._restricted(moved)))
            if gain > 0 and (chosen is None or score > found):
                found, chosen = score, (moved, there)
        return chosen

    def _peels(self, limits: Limits, inside: Mask) -> Iterator[tuple[Limits, Mask]]:
        for name, values in self.numbers.items():
            low, high = self._interval(limits, name)
            there = values[inside]
            upper, lower = _quantile(there, 1 - self.slice), _quantile(there, self.slice)
            yield {**limits, name: (low, upper)}, inside & (values <= upper)
            yield {**limits, name: (lower, high)}, inside & (values >= lower)
        for name, column in self.levels.items():
            kept = self._kept(limits, name)
            for level in sorted(kept) if len(kept) > 1 else ():
                yield {**limits, name: kept - {level}}, inside & (column != level)

    def _pastes(self, limits: Limits, inside: Mask) -> Iterator[tuple[Limits, Mask]]:
        for name in self._restricted(limits):
            if name in self.levels:
                kept, all_levels = self._kept(limits, name), self._kept(self.start, name)
                wider: list[Limits] = [
                    {**limits, name: kept | {level}} for level in sorted(all_levels - kept)
                ]
            else:
                (low, high), (least, most) = (
                    self._interval(at, name) for at in (limits, self.start)
                )
                below = self.numbers[name][self._within({**limits, name: (least, low)})]
                above = self.numbers[name][self._within({**limits, name: (high, most)})]
                start = _quantile(below, 1 - self.slice) if below.size else least
                end = _quantile(above, self.slice) if above.size else most
                wider = [{**limits, name: (start, high)}, {**limits, name: (low, end)}]
            for one in wider:
                there = self._within(one)
                if there.sum() > inside.sum():
                    yield one, there

    def _within(self, limits: Limits) -> Mask:
        inside = np.ones(len(self.share), dtype=np.bool_)
        for name in self._restricted(limits):
            if name in self.levels:
                inside &= np.isin(self.levels[name], list(self._kept(limits, name)))
            else:
                low, high = self._interval(limits, name)
                inside &= (self.numbers[name] >= low) & (self.numbers[name] <= high)
        return inside

    def _mean(self, inside: Mask) -> float:
        weight = self.weight[inside]
        return float(weight @ self.share[inside] / weight.sum()) if weight.sum() > 0 else 0.0

    def _restricted(self, limits: Limits) -> list[str]:
        return [name for name in self.names if limits[name] != self.start[name]]

    def _interval(self, limits: Limits, name: str) -> tuple[float, float]:
        at = limits[name]
        assert isinstance(at, tuple)
        return at

    def _kept(self, limits: Limits, name: str) -> frozenset[str]:
        at = limits[name]
        assert isinstance(at, frozenset)
        return at

    def _box(self, limits: Limits) -> Box:
        return tuple(self._condition(limits, name) for name in self._restricted(limits))

    def _condition(self, limits: Limits, name: str) -> Condition:
        if name in self.levels:
            kept = self._kept(limits, name)
            return Condition(name, levels=kept, others=self._kept(self.start, name) - kept)
        (low, high), (least, most) = (self._interval(at, name) for at in (limits, self.start))
        return Condition(
            name,
            low if low > least else -inf,
            high if high < most else inf,
            whole=name in self.whole,
        )


def _quantile(values: Reals, q: float) -> float:
    """Half way between two neighbours, beyond equal ones, so that a slice is not empty."""
    ordered = np.sort(values)
    at = (len(ordered) - 1) * q
    lower, upper = floor(at), ceil(at)
    if q > 0.5:
        while ordered[lower] == ordered[upper] and lower > 0:
            lower -= 1
    else:
        while ordered[lower] == ordered[upper] and upper < len(ordered) - 1:
            upper += 1
    return float((ordered[lower] + ordered[upper]) / 2)
