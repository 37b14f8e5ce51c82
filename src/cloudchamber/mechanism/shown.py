"""What the terms of a mechanism read: options as shown, from a trace or from the engine's questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.questions import Ints, Questions, Reals
from cloudchamber.trace.tables import Channel

__all__ = ["HEARD", "Heard", "Shown", "shown_to", "tallied"]

HEARD = ("own", "others")
"""The channels beside the options that a mechanism may weigh."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard of each option on one channel: how often, and how long ago at the latest."""

    count: NDArray[np.floating[Any]]
    """(n, k): acts on the option; 0 where nothing was heard of it."""
    age: NDArray[np.floating[Any]]
    """(n, k): steps since the latest of them; infinite where there is none."""


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

    def signal(self, name: str) -> Reals:
        """(n, k): a signal, 0 where it is hidden, for what is not shown cannot attract."""
        given = self.signals.get(name)
        if given is None:
            return np.zeros(self.item.shape)
        hidden = np.isnan(given)
        if hidden.any():
            return np.where(hidden, 0.0, given).astype(np.float64)
        return np.asarray(given, np.float64)


def shown_to(questions: Questions) -> Shown:
    """The questions of a batch, as far as a mechanism reads them."""
    return Shown(
        questions.items,
        questions.signals,
        {name: _heard(questions, Channel[name]) for name in HEARD}
        if questions.heard.offsets[-1]
        else {},
        questions.content,
        questions.labels,
        questions.open(),
    )


def _heard(questions: Questions, channel: Channel) -> Heard:
    heard = questions.heard
    entry = heard.channel == channel
    weight = np.where(np.isnan(heard.value[entry]), 1.0, heard.value[entry])
    row, item, age = heard.row()[entry], heard.item[entry], heard.latency[entry]
    return tallied(questions.items, row, item, weight, age.astype(np.float64))


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
