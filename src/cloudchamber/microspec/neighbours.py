"""Who can hear whom, as compressed rows.

A row lists the agents that its agent hears. Nothing here knows what is said, when, or how the graph
came about; `topology` builds these rows, the engine reads them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import SpecificationError

__all__ = ["Neighbours", "Tally", "check_agents", "check_probability", "from_edges"]

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
Tally = NDArray[np.integer | np.floating | np.bool_]

_LARGEST = 2**31 - 1
# An edge is packed in one number, listener in the high half and source in the low half.
LOW = np.int64(2**32 - 1)


def _no_cliques() -> Ints:
    return np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each agent, the agents it can hear.

    Where everybody hears everybody no edge is stored, only the bounds of the clique: a complete
    graph of a million agents is two numbers. An agent in a clique has no stored edges besides.
    """

    offsets: Ints
    """int64[n + 1]: the sources of agent i are ids[offsets[i]:offsets[i + 1]]."""
    ids: Ids
    """int32[m]: sources, ascending in each row, never the agent itself, none twice."""
    cliques: Ints = field(default_factory=_no_cliques)
    """int64[c, 2]: ascending ranges (first, past the last) of agents who all hear each other."""

    def __post_init__(self) -> None:
        """Freeze the arrays too."""
        for array in (self.offsets, self.ids, self.cliques):
            array.setflags(write=False)

    @property
    def n(self) -> int:
        """The number of agents."""
        return len(self.offsets) - 1

    def degree(self) -> Ints:
        """int64[n]: how many agents each agent hears."""
        stored = np.diff(self.offsets)
        for first, last in self.cliques:
            stored[first:last] = last - first - 1
        return stored

    def of(self, agents: ArrayLike) -> tuple[Ints, Ids]:
        """The rows of some agents, in the order asked, as compressed rows of their own.

        Args:
            agents: int[a]; an agent may be asked for more than once.

        Returns:
            offsets int64[a + 1] and ids int32[sum of degrees]; the cost is that sum.
        """
        asked = np.asarray(agents, dtype=np.int64)
        clique = self._clique(asked)
        inside = clique >= 0
        lengths = self.offsets[asked + 1] - self.offsets[asked]
        starts = self.offsets[asked]
        if inside.any():
            bounds = self.cliques[clique[inside]]
            lengths[inside] = bounds[:, 1] - bounds[:, 0] - 1
            starts[inside] = bounds[:, 0]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        places = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        if not inside.any():
            return offsets, self.ids[places]
        lazy = np.repeat(inside, lengths)
        # In a clique the place is already the agent's number, but for the gap at oneself.
        found = (places + (places >= np.repeat(asked, lengths))).astype(np.int32)
        found[~lazy] = self.ids[places[~lazy]]
        return offsets, found

    def count(
        self,
        weights: Tally,
        agents: ArrayLike | None = None,
        totals: Tally | None = None,
    ) -> Tally:
        """The sum, over those whom each agent hears, of a tally kept for every agent.

        Args:
            weights: [n, items], e.g. 1 where agent j has endorsed item i. Whole numbers and
                booleans are summed as int64, floats as they are: exact for whole numbers, else to
                rounding.
            agents: int[a], by default everyone in order.
            totals: [cliques, items], the tally summed over each clique, where the caller keeps it
                up to date; without it, cliques are summed at each call.

        Returns:
            [a, items], int64 or the float type of the weights.
        """
        tally = weights if weights.dtype.kind == "f" else weights.astype(np.int64, copy=False)
        asked = np.arange(self.n) if agents is None else np.asarray(agents, dtype=np.int64)
        clique = self._clique(asked)
        inside = clique >= 0
        heard = np.zeros((len(asked), tally.shape[1]), dtype=tally.dtype)
        if inside.any():
            sums = self._totals(tally) if totals is None else np.asarray(totals, dtype=tally.dtype)
            heard[inside] = sums[clique[inside]] - tally[asked[inside]]
        if not inside.all():
            whole = agents is None and not len(self.cliques)
            heard[~inside] = _summed(
                *((self.offsets, self.ids) if whole else self.of(asked[~inside])), tally
            )
        return heard

    def reverse(self) -> "Neighbours":
        """The graph in which i hears j where j heard i before."""
        listeners = np.repeat(np.arange(self.n), np.diff(self.offsets))
        return from_edges(self.n, self.ids, listeners, cliques=self.cliques)

    @staticmethod
    def stack(parts: Sequence["Neighbours"]) -> "Neighbours":
        """Several graphs side by side, deaf to one another; part r's agents follow part r - 1's."""
        sizes = [part.n for part in parts]
        check_agents(max(sum(sizes), 1))
        shifts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        edges_before = np.concatenate(([0], np.cumsum([len(part.ids) for part in parts])))
        rows = zip(parts, shifts, edges_before, strict=False)
        offsets, ids, cliques = [np.zeros(1, dtype=np.int64)], [], [_no_cliques()]
        for part, shift, before in rows:
            offsets.append(part.offsets[1:] + before)
            ids.append(part.ids + np.int32(shift))
            cliques.append(part.cliques + shift)
        flat = np.concatenate(ids) if ids else np.empty(0, dtype=np.int32)
        return Neighbours(np.concatenate(offsets).astype(np.int64), flat, np.concatenate(cliques))

    def _clique(self, agents: Ints) -> Ints:
        """The clique each agent is in, or -1."""
        if not len(self.cliques):
            return np.full(agents.shape, -1)
        at = np.searchsorted(self.cliques[:, 0], agents, side="right") - 1
        inside = (at >= 0) & (agents < self.cliques[at, 1])
        return np.where(inside, at, -1)

    def _totals(self, tally: Tally) -> Tally:
        return np.stack([tally[first:last].sum(axis=0) for first, last in self.cliques])


def _summed(offsets: Ints, ids: Ids, tally: Tally) -> Tally:
    from scipy.sparse import csr_array  # costs 100 ms that a complete graph never pays

    ones = np.ones(len(ids), dtype=tally.dtype)
    rows = csr_array((ones, ids, offsets), shape=(len(offsets) - 1, len(tally)))
    return np.asarray(rows @ tally)


def from_edges(
    n: int,
    listeners: NDArray[np.integer],
    sources: NDArray[np.integer],
    *,
    both: bool = False,
    unique: bool = False,
    cliques: Ints | None = None,
) -> Neighbours:
    """Compressed rows from edges in any order; `both` adds each the other way round."""
    to, of = listeners.astype(np.int64), sources.astype(np.int64)
    codes = np.concatenate(((to << 32) | of, (of << 32) | to)) if both else (to << 32) | of
    codes.sort()
    if unique and len(codes):
        codes = codes[np.append(True, codes[1:] != codes[:-1])]
    offsets = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(codes >> 32, minlength=n), out=offsets[1:])
    ids = (codes & LOW).astype(np.int32)
    return Neighbours(offsets, ids, _no_cliques() if cliques is None else cliques)


def check_agents(n: int) -> None:
    """Refuse a number of agents that no graph can have."""
    if not 1 <= n <= _LARGEST:
        raise SpecificationError(
            f"population: {n} agents; allowed: 1 to {_LARGEST}. Change the groups' counts."
        )


def check_probability(name: str, p: float) -> None:
    """Refuse what is not a probability, by the field's name."""
    if not 0 <= p <= 1:
        raise SpecificationError(f"{name}: {p}; allowed: a probability, 0 to 1.")
