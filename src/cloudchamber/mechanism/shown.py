"""What the terms of a mechanism read: options as shown, from a trace or from the engine's questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.questions import Ints, Questions, Reals
from cloudchamber.trace.tables import Channel

__all__ = [
    "HEARD",
    "Heard",
    "HeardOn",
    "Recalled",
    "Shown",
    "in_order",
    "joined",
    "shown_to",
    "tallied",
]

HeardOn = Literal["own", "met", "others"]
"""One's own past acts, what the others did in past meetings, and acts of others that were passed on."""
HEARD: tuple[HeardOn, ...] = ("own", "met", "others")
"""The channels beside the options that a mechanism may weigh."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard of each option on one channel: how often, and how long ago at the latest."""

    count: NDArray[np.floating[Any]]
    """(n, k): acts on the option; 0 where nothing was heard of it."""
    age: NDArray[np.floating[Any]]
    """(n, k): steps since the latest of them; infinite where there is none."""

    def where(self, rows: Any) -> "Heard":
        """Some rows."""
        return Heard(self.count[rows], self.age[rows])


@dataclass(frozen=True, slots=True)
class Recalled:
    """The single acts heard of on one channel, as they were told, the last told first."""

    item: Ints
    """(n, m): the items acted on; -1 fills short rows."""
    weight: NDArray[np.floating[Any]]
    """(n, m): how many acts, or how much, an entry stands for; 0 where there is none."""
    results: Mapping[str, NDArray[np.floating[Any]]] = field(default_factory=dict)
    """(n, m) each: what the acts led to; NaN where that is not told."""

    def where(self, rows: Any) -> "Recalled":
        """Some rows."""
        results = {name: part[rows] for name, part in self.results.items()}
        return Recalled(self.item[rows], self.weight[rows], results)


@dataclass(frozen=True, slots=True)
class Shown:
    """n decisions of k options each; column j is what stood at place j + 1."""

    item: Ints
    """(n, k); -1 fills short rows."""
    signals: Mapping[str, NDArray[np.floating[Any]]] = field(default_factory=dict)
    heard: Mapping[str, Heard] = field(default_factory=dict)
    content: Mapping[str, Reals] = field(default_factory=dict)
    labels: Ints | None = None
    open: NDArray[np.bool_] | None = None
    """(n, k): what may be picked; None: everything."""
    recalled: Mapping[str, Recalled] = field(default_factory=dict)
    """What was heard, act by act."""
    context: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """(n,) each: in what decisions may differ as a whole: group, agent, step, and what else is known."""

    def signal(self, name: str) -> Reals:
        """(n, k): a signal, 0 where it is hidden, for what is not shown cannot attract."""
        given = self.signals.get(name)
        if given is None:
            return np.zeros(self.item.shape)
        hidden = np.isnan(given)
        if hidden.any():
            return np.where(hidden, 0.0, given).astype(np.float64)
        return np.asarray(given, np.float64)

    def acts(self, channel: str) -> Recalled:
        """The single acts heard of on a channel; (n, 0) where there are none."""
        known = self.recalled.get(channel)
        if known is not None:
            return known
        return Recalled(np.zeros((len(self.item), 0), np.int64), np.zeros((len(self.item), 0)))

    def level(self, context: str) -> NDArray[Any]:
        """(n,): the level of a context.

        Raises:
            SpecificationError: it is not known of these decisions.
        """
        if context not in self.context:
            known = ", ".join(sorted(self.context)) or "none"
            raise SpecificationError(
                f"parameters differ by {context!r}, which is not known of these decisions (known: "
                f"{known}); give it to the choices, or settle it with mechanism.at({context}=...)"
            )
        return self.context[context]

    def where(self, rows: NDArray[np.int64]) -> "Shown":
        """Some of the decisions."""
        return Shown(
            self.item[rows],
            {name: part[rows] for name, part in self.signals.items()},
            {name: one.where(rows) for name, one in self.heard.items()},
            self.content,
            None if self.labels is None else self.labels[rows],
            None if self.open is None else self.open[rows],
            {name: one.where(rows) for name, one in self.recalled.items()},
            {name: part[rows] for name, part in self.context.items()},
        )


def shown_to(questions: Questions, singly: bool = True) -> Shown:
    """The questions of a batch, as far as a mechanism reads them.

    Args:
        questions: the batch.
        singly: whether what was heard is needed act by act too.
    """
    heard: dict[str, Heard] = {}
    recalled: dict[str, Recalled] = {}
    if questions.heard.offsets[-1]:
        for name in HEARD:
            heard[name], one = _heard(questions, Channel[name], singly)
            if one is not None:
                recalled[name] = one
    return Shown(
        questions.items,
        questions.signals,
        heard,
        questions.content,
        questions.labels,
        questions.open(),
        recalled,
        {
            "group": questions.group,
            "agent": questions.agent,
            "step": np.full(len(questions), questions.address.step),
        },
    )


def _heard(questions: Questions, channel: Channel, singly: bool) -> tuple[Heard, Recalled | None]:
    heard = questions.heard
    entry = heard.channel == channel
    weight = np.where(np.isnan(heard.value[entry]), 1.0, heard.value[entry])
    row, item, age = heard.row()[entry], heard.item[entry], heard.latency[entry]
    told = tallied(questions.items, row, item, weight, age.astype(np.float64))
    if not singly:
        return told, None
    results = {name: part[entry] for name, part in heard.results.items()}
    return told, in_order(len(questions), row, item, weight, results)


def tallied(options: Ints, row: Ints, item: Ints, weight: Reals, age: Reals) -> Heard:
    """Acts heard of, by the option that they were on; acts on what is not an option count nowhere.

    Args:
        options: (n, k), the items shown.
        row: (e,), which row heard of the act.
        item: (e,), the item acted on.
        weight: (e,), how many acts the entry stands for.
        age: (e,), steps since it.
    """
    entry, column = np.nonzero((options[row] == item[:, None]) & (item >= 0)[:, None])
    count, latest = np.zeros(options.shape), np.full(options.shape, np.inf)
    np.add.at(count, (row[entry], column), weight[entry])
    np.minimum.at(latest, (row[entry], column), age[entry])
    return Heard(count, latest)


def in_order(
    rows: int, row: Ints, item: Ints, weight: Reals, results: Mapping[str, Reals]
) -> Recalled:
    """Acts heard of, side by side, the last told first.

    Args:
        rows: n.
        row: (e,), which row heard of the act; a row's entries stand together, in the order told.
        item: (e,), the item acted on.
        weight: (e,), how many acts the entry stands for.
        results: (e,) each, what it led to.
    """
    counts = np.bincount(row, minlength=rows)
    first = np.cumsum(counts) - counts
    column = counts[row] - 1 - (np.arange(len(row)) - first[row])
    shape = (rows, int(counts.max(initial=0)))

    def wide(values: NDArray[Any], fill: float, kind: type[np.generic]) -> NDArray[Any]:
        whole = np.full(shape, fill, kind)
        whole[row, column] = values
        return whole

    return Recalled(
        wide(item, -1, np.int32),
        wide(weight, 0.0, np.float32),
        {name: wide(values, np.nan, np.float32) for name, values in results.items()},
    )


def joined(parts: Sequence[Recalled]) -> Recalled:
    """The rows of one after those of another; short rows are filled."""
    width = max((part.item.shape[1] for part in parts), default=0)
    names = dict.fromkeys(name for part in parts for name in part.results)

    def wide(values: Sequence[NDArray[Any] | None], fill: float) -> NDArray[Any]:
        whole = []
        for part, given in zip(parts, values, strict=True):
            known = np.full(part.weight.shape, fill, np.float32) if given is None else given
            more = width - known.shape[1]
            whole.append(np.pad(known, ((0, 0), (0, more)), constant_values=fill))
        return np.concatenate(whole)

    return Recalled(
        wide([part.item for part in parts], -1),
        wide([part.weight for part in parts], 0.0),
        {name: wide([part.results.get(name) for part in parts], np.nan) for name in names},
    )
