"""The influence graph: edges between decisions, how many others each moves, and the trees that this makes.

A decision moves another if without its act the other would have been drawn from a distribution further away
than a threshold; or, with no threshold, if under the noise of that decision something else would have been
picked. What a decision brings about through others is not among its own edges, but in its tree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.measures.estimate import Estimate, mean
from cloudchamber.questions import Ints

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Influence"]

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Influence:
    """Decisions of some runs, and which of them moved which."""

    decisions: Columns
    """A row a decision: replicate, decision, step, agent, acts (whether it did anything), source (whether its
    act was taken out)."""
    pairs: Columns
    """A row an edge: replicate, source, decision, distance, pull, moved."""
    reached: int
    """Pairs of decisions of which the first changes what the second is shown; the edges are among them."""
    asked: int
    """Questions that were put to the deciders."""

    @cached_property
    def _ends(self) -> tuple[Ints, Ints]:
        """Rows of `decisions`: the source and the target of each edge."""
        width = int(self.decisions["decision"].max(initial=0)) + 1
        _, run = np.unique(self.decisions["replicate"], return_inverse=True)
        at = run * width + self.decisions["decision"]
        runs = np.searchsorted(np.unique(self.decisions["replicate"]), self.pairs["replicate"])
        source, target = (
            np.searchsorted(at, runs * width + self.pairs[name]) for name in ("source", "decision")
        )
        return source, target

    def edges(self) -> "pd.DataFrame":
        """A row an edge, with both ends.

        Columns: replicate, source, decision (numbers of the trace), source_agent, agent, source_step, step,
        distance (total variation, see `asking_again.Shift`), pull (how much likelier the act made the pick),
        moved (whether something else would have been picked under the same noise).
        """
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        source, target = self._ends
        agent, step = self.decisions["agent"], self.decisions["step"]
        return pd.DataFrame(
            {
                "replicate": self.pairs["replicate"],
                "source": self.pairs["source"],
                "decision": self.pairs["decision"],
                "source_agent": agent[source],
                "agent": agent[target],
                "source_step": step[source],
                "step": step[target],
                "distance": self.pairs["distance"],
                "pull": self.pairs["pull"],
                "moved": self.pairs["moved"],
            }
        )

    def agents(self) -> "pd.DataFrame":
        """Who moved whom: source_agent, agent, distance (summed over decisions, mean of the runs), edges.

        The heaviest first; what an agent's own past does to it is left out.
        """
        edges = self.edges()
        edges = edges[edges["source_agent"] != edges["agent"]]
        by = edges.groupby(["source_agent", "agent"])["distance"].agg(["sum", "count"])
        runs = len(np.unique(self.decisions["replicate"]))
        by = by.rename(columns={"sum": "distance", "count": "edges"}).reset_index()
        by["distance"] /= runs
        return by.sort_values(
            ["distance", "source_agent"], ascending=[False, True], ignore_index=True
        )

    def offspring(self, threshold: float | None = None) -> "pd.DataFrame":
        """A row a decision whose act was taken out: how many decisions of others it moved.

        Columns: replicate, decision, agent, step, offspring, weight (the summed distance of all its edges to
        others, whatever the threshold), parents (how many decisions of others moved it).
        """
        import pandas as pd  # as above

        counted, source, target = self._counted(threshold)
        n = len(self.decisions["decision"])
        every = self._of_others()
        weight = np.zeros(n)
        np.add.at(weight, self._ends[0][every], np.nan_to_num(self.pairs["distance"][every]))
        table = pd.DataFrame(
            {
                **{
                    name: self.decisions[name]
                    for name in ("replicate", "decision", "agent", "step")
                },
                "offspring": np.bincount(source[counted], minlength=n),
                "weight": weight,
                "parents": np.bincount(target[counted], minlength=n),
            }
        )
        return table[self.decisions["acts"] & self.decisions["source"]].reset_index(drop=True)

    def branching(
        self,
        threshold: float | None = None,
        *,
        among: Sequence[int] | None = None,
        moved: bool = False,
        level: float = 0.95,
    ) -> Estimate:
        """The branching ratio: the mean number of others' decisions that a decision moves, by run.

        Acts late in a run have had little time to move anyone: `among` limits the mean to acts that have.

        Args:
            threshold: least distance of what counts as moved; None: something else would have been picked.
            among: decisions, by their numbers, over which the mean is taken; all if None.
            moved: take the mean over decisions that others moved themselves.
            level: confidence.
        """
        table = self.offspring(threshold)
        if among is not None:
            table = table[table["decision"].isin(list(among))]
        if moved:
            table = table[table["parents"] > 0]
        ratios = table.groupby("replicate")["offspring"].mean()
        found = mean(ratios.to_numpy(np.float64), level=level)
        return found.within(0.0) if len(ratios) else found

    def trees(self, threshold: float | None = None, largest: int | None = 10) -> "pd.DataFrame":
        """The largest trees: each decision hangs on the decision of another that moved it most.

        Columns: replicate, root (the decision), agent, step, size (decisions, the root included), depth
        (edges from the root to the farthest). Single decisions are no trees.

        Args:
            threshold: as for `branching`.
            largest: how many, over all runs; None: all.
        """
        import pandas as pd  # as above

        root, depth = self._rooted(threshold)
        size = np.bincount(root, minlength=len(root))
        deepest = np.zeros(len(root), np.int64)
        np.maximum.at(deepest, root, depth)
        there = np.flatnonzero(size > 1)
        table = pd.DataFrame(
            {
                "replicate": self.decisions["replicate"][there],
                "root": self.decisions["decision"][there],
                "agent": self.decisions["agent"][there],
                "step": self.decisions["step"][there],
                "size": size[there],
                "depth": deepest[there],
            }
        )
        table = table.sort_values("size", ascending=False, kind="stable", ignore_index=True)
        return table if largest is None else table.head(largest)

    def _rooted(self, threshold: float | None) -> tuple[Ints, Ints]:
        """(decisions,) each: the row of the root that each hangs on, and how many edges away it is."""
        counted, source, target = self._counted(threshold)
        weight = np.nan_to_num(self.pairs["distance"])[counted]
        source, target = source[counted], target[counted]
        # The heaviest edge of each decision, of equal ones from the latest source.
        order = np.lexsort((source, weight, target))
        last = np.flatnonzero(np.diff(target[order], append=-1))
        parent = np.full(len(self.decisions["decision"]), -1)
        parent[target[order][last]] = source[order][last]
        root, depth = np.arange(len(parent)), np.zeros(len(parent), np.int64)
        for row in np.flatnonzero(parent >= 0).tolist():  # a source is before what it moves
            root[row], depth[row] = root[parent[row]], depth[parent[row]] + 1
        return root, depth

    def _of_others(self) -> NDArray[np.bool_]:
        source, target = self._ends
        return np.asarray(self.decisions["agent"][source] != self.decisions["agent"][target])

    def _counted(self, threshold: float | None) -> tuple[NDArray[np.bool_], Ints, Ints]:
        """Which edges count, and their ends."""
        kept = self.pairs["moved"] if threshold is None else self.pairs["distance"] >= threshold
        return np.asarray(kept) & self._of_others(), *self._ends

    def __str__(self) -> str:
        runs = len(np.unique(self.decisions["replicate"]))
        told = (
            f"{len(self.decisions['decision'])} decisions in {runs} run{'' if runs == 1 else 's'}; in "
            f"{self.reached} pairs one changes what the other is shown, in {len(self.pairs['source'])} "
            "what it would do"
        )
        lines = [told, f"branching ratio (another pick under the same noise): {self.branching()}"]
        trees = self.trees(largest=1)
        if len(trees):
            one = trees.iloc[0]
            lines.append(
                f"largest tree: {one['size']} decisions, {one['depth']} deep, from decision {one['root']} of "
                f"agent {one['agent']} in replicate {one['replicate']}"
            )
        return "\n".join(lines)
