"""The own acts that agents remember, side by side: what rules of repeated games read.

It is what is shown flat (`Heard`), in the form in which it is kept; the flat form is laid out of it when
somebody reads that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ints", "Own", "Reals"]

Ints = NDArray[np.integer[Any]]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Own:
    """What each of n rows remembers: (entries, n) columns, the oldest first, the newest last.

    An entry is one act. Where memory is a tally it stands for as many as `often` says, and what others did
    has entries of its own, whose `item` is -1.
    """

    agent: Ints
    """(n,): whose acts they are; -1 where nothing is remembered and nobody says."""
    item: Ints
    """-1 where nothing is remembered; such places come before others."""
    decision: Ints
    latency: Ints
    amount: Reals | None = None
    """The amount of each act, where acts are amounts."""
    met: Ints | None = None
    """Where agents meet: the item that the other chose in the same meeting; -1 where that is unknown."""
    partner: Ints | None = None
    """Who that was,"""
    others: Ints | None = None
    """and its decision."""
    results: Mapping[str, Reals] = field(default_factory=dict)
    """What each act led to; NaN where that is not shown."""
    often: Reals | None = None

    def __len__(self) -> int:
        return len(self.agent)

    def take(self, rows: Ints) -> "Own":
        """What some rows remember."""
        told: dict[str, Any] = {
            name: part[:, rows] for name in _COLUMNS if (part := getattr(self, name)) is not None
        }
        results = {name: part[:, rows] for name, part in self.results.items()}
        return replace(self, agent=self.agent[rows], results=results, **told)


_COLUMNS = ("item", "decision", "latency", "amount", "met", "partner", "others", "often")
