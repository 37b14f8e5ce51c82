"""Rings, and rings whose edges have been moved."""

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec.neighbours import (
    LOW,
    Neighbours,
    check_agents,
    check_probability,
    from_edges,
)

__all__ = ["ring", "watts_strogatz"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def ring(n: int, k: int, directed: bool = False) -> Neighbours:
    """A circle on which everyone hears k neighbours on each side (2k in all).

    `directed`: each hears only the k before it (i - 1, ..., i - k), so that word travels one way.

    Raises:
        SpecificationError: k is below 1, or so large that a neighbour would be met twice.
    """
    listeners, sources = _lattice(n, k, directed)
    return from_edges(n, listeners, sources, both=not directed)


def watts_strogatz(
    n: int, k: int, p: float, rng: np.random.Generator, directed: bool = False
) -> Neighbours:
    """A ring with k neighbours on each side, each edge moved with probability p.

    A moved edge keeps one end, and takes for the other anyone drawn uniformly to whom there is no
    edge yet (Watts & Strogatz 1998): the number of edges stays n k exactly, the mean degree 2k.
    (networkx counts both sides: its k is twice this one.) In a graph so full that an agent has no
    free place left, the edge goes to any free place. `directed`: everyone hears exactly 2k, and
    what is moved is whom it hears.

    Raises:
        SpecificationError: k or p is out of range.
    """
    check_probability("communication.p", p)
    listeners, sources = _lattice(n, k, directed=False)
    if directed:
        listeners, sources = np.append(listeners, sources), np.append(sources, listeners)
    moved = rng.random(len(listeners)) < p
    keep, kept = listeners[moved], _codes(listeners[~moved], sources[~moved], directed)
    moved_codes = _place(n, keep, kept, rng, directed)
    codes = np.append(kept, moved_codes)
    return from_edges(n, codes >> 32, codes & LOW, both=not directed)


def _lattice(n: int, k: int, directed: bool) -> tuple[Ints, Ints]:
    """Each agent and the k before it."""
    check_agents(n)
    largest = n - 1 if directed else (n - 1) // 2
    if not 1 <= k <= largest:
        sides = "before it" if directed else "on each side"
        allowed = f"1 to {largest}" if largest else "none with so few agents"
        raise SpecificationError(
            f"communication.k: {k} neighbours {sides} among {n} agents; allowed: {allowed}. "
            "Lower k, raise the population, or use the complete topology."
        )
    listeners = np.repeat(np.arange(n), k)
    return listeners, (listeners - np.tile(np.arange(1, k + 1), n)) % n


def _codes(listeners: Ints, sources: Ints, directed: bool) -> Ints:
    """One number for each edge; the same for both directions unless directed."""
    if directed:
        return (listeners << 32) | sources
    return (np.maximum(listeners, sources) << 32) | np.minimum(listeners, sources)


def _place(n: int, keep: Ints, taken: Ints, rng: np.random.Generator, directed: bool) -> Ints:
    """New codes for the edges of the agents in `keep`, on places neither taken nor shared."""
    placed = np.full(len(keep), -1, dtype=np.int64)
    open_ = np.arange(len(keep))
    for _ in range(64):
        if not len(open_):
            return placed
        drawn = rng.integers(0, n, len(open_))
        proposed = _codes(keep[open_], drawn, directed)
        settled = np.append(taken, placed[placed >= 0])
        free = (drawn != keep[open_]) & ~_repeats(np.append(settled, proposed))[len(settled) :]
        placed[open_[free]] = proposed[free]
        open_ = open_[~free]
    settled = np.append(taken, placed[placed >= 0])
    placed[open_] = _place_in_full(n, keep[open_], settled, rng, directed)
    return placed


def _place_in_full(
    n: int, keep: Ints, taken: Ints, rng: np.random.Generator, directed: bool
) -> Ints:
    """The same one by one, the free places listed: only where the graph is nearly complete."""
    full = np.eye(n, dtype=np.bool_)

    def fill(codes: Ints) -> None:
        full[codes >> 32, codes & LOW] = True
        if not directed:
            full[codes & LOW, codes >> 32] = True

    fill(taken)
    placed = np.empty_like(keep)
    for edge, listener in enumerate(keep.tolist()):
        free = np.argwhere(~full)
        own = free[free[:, 0] == listener]
        chosen = rng.choice(own if len(own) else free)
        placed[edge] = _codes(chosen[:1], chosen[1:], directed)[0]
        fill(placed[edge : edge + 1])
    return placed


def _repeats(codes: Ints) -> Bools:
    """Where a number has occurred before."""
    ordered = np.sort(codes)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    again = np.zeros(len(codes), dtype=np.bool_)
    if len(twice):
        at = np.minimum(np.searchsorted(twice, codes), len(twice) - 1)
        those = np.flatnonzero(twice[at] == codes)
        again[those] = True
        again[those[np.unique(codes[those], return_index=True)[1]]] = False
    return again
