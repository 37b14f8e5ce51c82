"""How popularity built up in single runs or worlds, and what of it can be compared across them.

Runs of a simulation and worlds of the field rarely hold equally many choices, and fewer choices look more
concentrated by chance alone. So histories are thinned to a common total before they are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import TraceError
from cloudchamber.measures.concentration import gini, shares
from cloudchamber.randomness import generator

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History", "concentration_course", "histories", "ranked_shares", "thinned"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class History:
    """The tallies of one run at its checkpoints."""

    run: int
    """The run's or world's number."""
    steps: NDArray[np.int64]
    """int64[s], ascending."""
    tally: Floats
    """float64[s, items]."""

    @property
    def total(self) -> float:
        """All popularity at the end."""
        return float(self.tally[-1].sum())

    @property
    def shares(self) -> Floats:
        """float64[items]: each item's share at the end."""
        return shares(self.tally[-1])

    @property
    def can_be_thinned(self) -> bool:
        """Whether it counts whole things that never go away again."""
        gained = np.diff(self.tally, axis=0, prepend=0)
        return bool((gained >= 0).all() and (gained == np.floor(gained)).all())


def histories(outcomes: "pd.DataFrame", seeded: bool) -> list[History]:
    """The histories in a table of outcomes, without those in which nothing was chosen.

    Args:
        outcomes: run, step, item, value.
        seeded: the first checkpoint of a run is what its world was seeded with, which nobody chose: it is
            taken off. In the field the first checkpoint counts.

    Raises:
        TraceError: a run lacks the tally of some item at some checkpoint.
    """
    found = []
    for run, rows in outcomes.groupby("run", sort=True):
        table = rows.pivot(index="step", columns="item", values="value").sort_index()
        tally = table.to_numpy(dtype=np.float64)
        if np.isnan(tally).any():
            raise TraceError(
                f"Run {run}: some item has no tally at some checkpoint; give the whole table of outcomes."
            )
        if seeded:
            tally = tally - tally[0]
        if tally[-1].sum() > 0:
            found.append(History(int(str(run)), table.index.to_numpy(dtype=np.int64), tally))
    return found


def thinned(history: History, total: int, seed: int) -> History:
    """The history of a random part of its choices, each equally likely to be kept.

    Args:
        history: one that can be thinned.
        total: how many choices to keep, at most as many as there are.
        seed: the same seed keeps the same choices of the same run.
    """
    gained = np.diff(history.tally, axis=0, prepend=0).astype(np.int64)
    if total >= gained.sum():
        return history
    rng = generator(seed, history.run, "thinning")
    kept = rng.multivariate_hypergeometric(gained.ravel(), total, method="marginals")
    tally = np.cumsum(kept.reshape(gained.shape), axis=0).astype(np.float64)
    return History(history.run, history.steps, tally)


def ranked_shares(group: Sequence[History]) -> tuple[Floats, Floats]:
    """Each run's distribution of shares over its items, on one axis for any number of items.

    Returns:
        heights float64[runs, g], the share at each rank times the number of items (1 = an equal share),
        largest first, and widths float64[g], the parts of the axis from 0 to 1 on which it is constant.
    """
    sizes = sorted({history.tally.shape[1] for history in group})
    edges = np.unique(np.concatenate([np.arange(size + 1) / size for size in sizes]))
    middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    heights = [
        np.sort(h.shares)[::-1][(middles * len(h.shares)).astype(np.int64)] * len(h.shares)
        for h in group
    ]
    return np.array(heights), widths


def concentration_course(history: History, times: Floats) -> Floats | None:
    """The Gini coefficient at normalised times (0 = first checkpoint, 1 = last), linear in between.

    Before anything is chosen the coefficient is not defined; the first defined value stands in. None if
    there are fewer than two checkpoints at which it is defined.
    """
    some = history.tally.sum(axis=1) > 0
    if some.sum() < 2:
        return None
    at = (history.steps - history.steps[0]) / (history.steps[-1] - history.steps[0])
    return np.interp(times, at[some], gini(history.tally[some]))
