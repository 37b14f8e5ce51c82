"""The topologies of communication: graphs by name, built whole in arrays.

Every builder that draws takes a `numpy.random.Generator`: the same state of it gives the same
graph. With `directed=False` whoever is heard hears back; `directed=True` is explained at each
builder.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec.attachment import barabasi_albert
from cloudchamber.microspec.neighbours import (
    Neighbours,
    check_agents,
    check_probability,
    from_edges,
)
from cloudchamber.microspec.small_world import ring, watts_strogatz

__all__ = [
    "Neighbours",
    "barabasi_albert",
    "complete",
    "edges",
    "erdos_renyi",
    "random_pairs",
    "ring",
    "star",
    "watts_strogatz",
]

Ints = NDArray[np.int64]


def complete(n: int) -> Neighbours:
    """Everybody hears everybody else; no edge is stored."""
    check_agents(n)
    return Neighbours(
        np.zeros(n + 1, dtype=np.int64), np.empty(0, dtype=np.int32), np.array([[0, n]])
    )


def erdos_renyi(n: int, p: float, rng: np.random.Generator, directed: bool = False) -> Neighbours:
    """Every pair linked with probability p, independently (Gilbert 1959).

    Drawn by geometric skips from link to link, so that the cost goes with the number of links.
    `directed`: each of the n (n - 1) ordered pairs on its own.

    Raises:
        SpecificationError: p is no probability.
    """
    check_agents(n)
    check_probability("communication.p", p)
    places = n * (n - 1) // (1 if directed else 2)
    code = _bernoulli_positions(places, p, rng)
    if directed:
        listeners, sources = np.divmod(code, max(n - 1, 1))
        return from_edges(n, listeners, sources + (sources >= listeners))
    # Pairs (i, j < i) in the order 10, 20, 21, 30, ...: i (i - 1) / 2 + j. The root may be 1 off.
    i = ((1 + np.sqrt(1 + 8 * code.astype(np.float64))) / 2).astype(np.int64)
    i -= i * (i - 1) // 2 > code
    i += (i + 1) * i // 2 <= code
    return from_edges(n, i, code - i * (i - 1) // 2, both=True)


def star(n: int, hub: int = 0, directed: bool = False) -> Neighbours:
    """One hub; everybody else is linked to the hub alone.

    `directed`: the hub is heard by all and hears nobody; `reverse()` turns that round.

    Raises:
        SpecificationError: there is no such hub.
    """
    check_agents(n)
    if not 0 <= hub < n:
        raise SpecificationError(
            f"communication.hub: agent {hub} among {n} agents; allowed: 0 to {n - 1}."
        )
    spokes = np.delete(np.arange(n), hub)
    return from_edges(n, spokes, np.full(n - 1, hub), both=not directed)


def edges(n: int, pairs: ArrayLike, directed: bool = False) -> Neighbours:
    """A graph given edge by edge; an edge given twice counts once.

    Args:
        n: number of agents.
        pairs: int[e, 2], agents numbered from 0. `directed`: (a, b) says that b hears a.
        directed: whether (a, b) leaves a deaf to b.

    Raises:
        SpecificationError: not pairs of whole numbers, an agent that does not exist, an edge to
            oneself.
    """
    check_agents(n)
    given = np.asarray(pairs)
    if given.size == 0:
        given = np.empty((0, 2), dtype=np.int64)
    if given.ndim != 2 or given.shape[1] != 2 or given.dtype.kind not in "iu":
        raise SpecificationError(
            f"communication.edges: an array of shape {given.shape} and type {given.dtype}; "
            "allowed: pairs of agent numbers, [[0, 1], [1, 2], ...]."
        )
    for wrong, why in (
        (((given < 0) | (given >= n)).any(axis=1), f"allowed: agents 0 to {n - 1}"),
        (given[:, 0] == given[:, 1], "an agent is not its own neighbour; leave the edge out"),
    ):
        if wrong.any():
            at = int(wrong.argmax())
            more = f" ({int(wrong.sum())} such edges)" if wrong.sum() > 1 else ""
            raise SpecificationError(
                f"communication.edges[{at}]: {given[at].tolist()} among {n} agents{more}; {why}."
            )
    return from_edges(n, given[:, 1], given[:, 0], both=not directed, unique=True)


def random_pairs(n: int, rng: np.random.Generator) -> Ints:
    """Everyone's partner in a uniformly random matching, int64[n]; with odd n one agent has -1."""
    check_agents(n)
    order = rng.permutation(n)
    half = n // 2
    partner = np.full(n, -1, dtype=np.int64)
    left, right = order[:half], order[half : 2 * half]
    partner[left], partner[right] = right, left
    return partner


def _bernoulli_positions(places: int, p: float, rng: np.random.Generator) -> Ints:
    """The ascending positions of the successes among independent trials of probability p."""
    if p == 0 or places == 0:
        return np.empty(0, dtype=np.int64)
    found: list[Ints] = []
    last = -1
    while last < places:
        left = (places - last) * p
        gaps = rng.geometric(p, int(left + 4 * np.sqrt(left) + 8))
        block = last + np.cumsum(np.minimum(gaps, places + 1))
        found.append(block)
        last = int(block[-1])
    positions = np.concatenate(found)
    return positions[: np.searchsorted(positions, places)]
