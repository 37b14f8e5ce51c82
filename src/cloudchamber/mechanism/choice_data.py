"""Choices as columns for fitting: for each decision of a trace what was shown, what was picked, and by whom.

A row is one pick: a decision that takes several options one after the other gives a row for each, with
what it had taken no longer open (Plackett-Luce as a row of choices). Numbers are kept small (a million
choices among 48 options with one signal take 0.3 GB) and made large a block at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism.shown import Heard, Recalled, Shown
from cloudchamber.questions import Ints, Reals

__all__ = ["Asked", "ChoiceData"]

Asked = Literal["one", "any"]
"""Whether a row is a choice among its options, or says yes or no to each."""

BLOCK = 1 << 18
"""Options that are looked at together; their columns fit a core's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceData:
    """n rows of k options each, sorted by run; `choices_of` reads them from a trace."""

    asked: Asked
    run: NDArray[np.int64]
    decision: NDArray[np.int64]
    pick: NDArray[np.int16]
    """(n,): which pick of its decision the row is, 1 for the first."""
    step: NDArray[np.int32]
    agent: NDArray[np.int32]
    group: NDArray[np.int16]
    item: Ints
    """(n, k): the items in the order shown; -1 fills short rows."""
    choice: NDArray[np.int16]
    """(n,): the column picked, -1 for none; of rows asked about each option always -1."""
    taken: NDArray[np.bool_] | None = None
    """(n, k): what was said yes to, where each option was asked about."""
    probability: NDArray[np.float32] | None = None
    """(n, k): the exact distribution of the answer; NaN in rows where only a sample was had."""
    open: NDArray[np.bool_] | None = None
    """(n, k): what could still be picked; None: everything."""
    labels: Ints | None = None
    signals: Mapping[str, NDArray[np.floating[Any]]] = field(default_factory=dict)
    """(n, k) each; NaN is hidden."""
    heard: Mapping[str, Heard] = field(default_factory=dict)
    """What was heard of each option, "own", "met" and "others"."""
    recalled: Mapping[str, Recalled] = field(default_factory=dict)
    """The same, act by act."""
    context: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """(n,) each: in what decisions may differ beside group, agent and step: a cell, a presentation."""
    content: Mapping[str, Reals] = field(default_factory=dict)
    """(items,) each: what belongs to the item itself, as the world tells it."""

    def __post_init__(self) -> None:
        n, k = self.item.shape
        if (np.diff(self.run) < 0).any():
            raise SpecificationError("rows of choices must be sorted by run; sort them first")
        if self.choice.size and self.choice.max() >= k:
            raise SpecificationError(f"a choice lies outside the columns 0 to {k - 1}")
        if self.asked == "any" and self.taken is None:
            raise SpecificationError('rows that are asked "any" need `taken`, a yes or no for each')
        for name, levels in self.context.items():
            if levels.shape != (n,) or name in ("group", "agent", "step"):
                raise SpecificationError(
                    f"context {name!r} of shape {levels.shape} given; it must be ({n},), and none of "
                    "group, agent and step, which are known"
                )
        for name, array in self._wide():
            if array.shape != (n, k):
                raise SpecificationError(f"{name} has shape {array.shape}; it must be ({n}, {k})")

    def __len__(self) -> int:
        return len(self.run)

    @property
    def options(self) -> int:
        """The most options that a row has."""
        return int(self.item.shape[1])

    @property
    def items(self) -> int:
        """One more than the highest item shown."""
        return int(self.item.max(initial=-1)) + 1

    @property
    def runs(self) -> NDArray[np.int64]:
        """The runs, ascending."""
        return np.unique(self.run)

    @property
    def exact(self) -> NDArray[np.bool_]:
        """(n,): whether the row's whole distribution is known."""
        if self.probability is None:
            return np.zeros(len(self), bool)
        return ~np.isnan(self.probability[:, 0])

    def block_rows(self) -> int:
        """How many rows are looked at together."""
        return max(1, BLOCK // max(self.options, 1))

    def where(
        self, rows: NDArray[np.bool_] | Ints, run: NDArray[np.int64] | None = None
    ) -> "ChoiceData":
        """Some of the rows, by mask or by number: a group, a context, some runs.

        Args:
            rows: which; ascending, unless new numbers of runs are given.
            run: the run that each of them counts as.
        """
        taken = {
            one.name: _rows(getattr(self, one.name), rows)
            for one in fields(self)
            if one.name not in ("asked", "content")
        }
        if run is not None:
            taken["run"] = run
        return replace(self, **taken)

    def among(self, runs: Ints) -> "ChoiceData":
        """The rows of some runs."""
        return self.where(np.isin(self.run, runs))

    def shown(self, rows: slice) -> Shown:
        """What stood before the agents in some rows."""
        return Shown(
            self.item[rows],
            {name: part[rows] for name, part in self.signals.items()},
            {name: one.where(rows) for name, one in self.heard.items()},
            self.content,
            None if self.labels is None else self.labels[rows],
            _open(self.item[rows], None if self.open is None else self.open[rows]),
            {name: one.where(rows) for name, one in self.recalled.items()},
            {
                "group": self.group[rows],
                "agent": self.agent[rows],
                "step": self.step[rows],
                **{name: levels[rows] for name, levels in self.context.items()},
            },
        )

    def within(self, **context: Any) -> "ChoiceData":
        """The same with a context told: for each name a level of every row, or one for all."""
        told = {name: np.broadcast_to(np.asarray(one), len(self)) for name, one in context.items()}
        return replace(self, context={**self.context, **told})

    def _wide(self) -> list[tuple[str, NDArray[Any]]]:
        named = [(name, getattr(self, name)) for name in ("taken", "probability", "open", "labels")]
        named += list(self.signals.items())
        for name, one in self.heard.items():
            named += [(name, one.count), (name, one.age)]
        return [(name, array) for name, array in named if array is not None]


def _open(item: Ints, still: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """What may be picked: what is there and was not picked before; None where that is everything."""
    if len(item) and item.min() < 0:
        there = item >= 0
        return there if still is None else there & still
    return still


def _rows(part: Any, rows: NDArray[np.bool_] | Ints) -> Any:
    if part is None:
        return None
    if isinstance(part, Heard | Recalled):
        return part.where(rows)
    if isinstance(part, Mapping):
        return {name: _rows(one, rows) for name, one in part.items()}
    return part[rows]
