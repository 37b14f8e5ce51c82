"""Networks that grow by preferential attachment."""

from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec.neighbours import Neighbours, check_agents, from_edges

__all__ = ["barabasi_albert"]

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]


def barabasi_albert(n: int, m: int, rng: np.random.Generator, directed: bool = False) -> Neighbours:
    """Preferential attachment: each newcomer links to m different agents, odds by their degree.

    Starts from m + 1 agents all linked to one another, so that everyone has at least m links and
    there are m (m + 1) / 2 + m (n - m - 1) edges exactly (Barabasi & Albert 1999). The share of
    agents with degree k tends to 2 m (m + 1) / (k (k + 1) (k + 2)). `directed`: a newcomer hears
    the m it linked to and they do not hear back; everyone hears exactly m (the first m + 1 one
    another), and odds still go by all links.

    Drawn by copying a random end of an earlier edge (Batagelj & Brandes 2005) for whole
    generations at a time; a target met twice is drawn again in the order of arrival, so the law is
    that of the one-by-one process.

    Raises:
        SpecificationError: m is below 1, or not below n.
    """
    check_agents(n)
    if not 1 <= m < n:
        raise SpecificationError(
            f"communication.m: {m} links for each newcomer among {n} agents; allowed: 1 to n - 1 = "
            f"{n - 1}. Lower m or raise the population."
        )
    # Among the first arrivals a target is often met twice: those go one by one.
    ends = _ends(n, m, rng, alone=min(n, 1000 + 8 * m * m))
    newcomers, targets = ends[0::2], ends[1::2]
    if not directed:
        return from_edges(n, newcomers, targets, both=True)
    seed = m * (m + 1) // 2
    listeners = np.concatenate((newcomers, targets[:seed]))
    return from_edges(n, listeners, np.concatenate((targets, newcomers[:seed])))


def _ends(n: int, m: int, rng: np.random.Generator, alone: int) -> Ids:
    """The two ends of every edge, newcomer then target, in the order of arrival.

    A place drawn uniformly among the ends so far holds an agent with odds by degree. Agents below
    `alone` arrive one by one, the others in generations as large as all before them; the law is
    the same.
    """
    seed = m * (m + 1) // 2
    ends = np.empty(2 * (seed + m * (n - m - 1)), dtype=np.int32)
    ends[0 : 2 * seed : 2], ends[1 : 2 * seed : 2] = np.tril_indices(m + 1, -1)
    first = m + 1
    alone = max(first, alone)
    for newcomer in range(first, alone):
        at = 2 * (seed + m * (newcomer - first))
        ends[at : at + 2 * m : 2] = newcomer
        ends[at + 1 : at + 2 * m : 2] = _distinct(ends[:at], m, rng)
    start = alone
    while start < n:
        stop = min(2 * start, n)
        before = seed + m * (start - first)
        _generation(ends, before, np.arange(start, stop), m, rng)
        start = stop
    return ends


def _distinct(ends: Ids, m: int, rng: np.random.Generator) -> list[int]:
    """The first m different agents at places drawn one after the other."""
    found: dict[int, None] = {}
    while len(found) < m:
        for agent in ends[rng.integers(0, len(ends), m)].tolist():
            if len(found) < m:
                found[agent] = None
    return list(found)


def _generation(ends: Ids, before: int, newcomers: Ints, m: int, rng: np.random.Generator) -> None:
    """Fill in the edges of many newcomers, `before` being the number of edges before theirs."""
    known = 2 * before
    own = ends[known : known + 2 * m * len(newcomers)]
    own[0::2] = np.repeat(newcomers, m)
    targets = own[1::2]
    # A newcomer draws among the ends that were there before it came, so never itself.
    there = known + 2 * m * np.arange(len(newcomers))
    drawn = (rng.random((len(newcomers), m)) * there[:, None]).astype(np.int64).ravel()
    targets[:] = ends[_followed(drawn, drawn, known)]
    # In the order of arrival: what an earlier one draws again may change what a later one copied.
    suspects = _with_a_repeat(targets.reshape(-1, m))
    heapify(suspects)
    while suspects:
        row = heappop(suspects)
        while (slot := _first_repeat(targets[row * m : row * m + m])) >= 0:
            edge = row * m + slot
            drawn[edge] = rng.integers(0, there[row])
            changed = _copies(drawn, edge, known)
            targets[changed] = ends[_followed(drawn[changed], drawn, known)]
            for later in set((changed // m).tolist()) - {row}:
                heappush(suspects, later)


def _followed(places: Ints, drawn: Ints, known: int) -> Ints:
    """For each place, the place whose content it copies in the end."""
    places = places.copy()
    unknown = np.flatnonzero((places >= known) & (places & 1 == 1))
    while len(unknown):
        places[unknown] = drawn[(places[unknown] - known) >> 1]
        unknown = unknown[(places[unknown] >= known) & (places[unknown] & 1 == 1)]
    return places


def _copies(drawn: Ints, edge: int, known: int) -> Ints:
    """An edge and all whose target is copied from it, directly or not."""
    found = [np.array([edge])]
    while len(found[-1]):
        after = int(found[-1].min()) + 1
        found.append(after + np.flatnonzero(np.isin(drawn[after:], known + 2 * found[-1] + 1)))
    return np.concatenate(found)


def _with_a_repeat(targets: Ids) -> list[int]:
    ordered = np.sort(targets, axis=1)
    return np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1)).tolist()


def _first_repeat(targets: Ids) -> int:
    """Where a target first occurs again, or -1."""
    seen: set[int] = set()
    for slot, target in enumerate(targets.tolist()):
        if target in seen:
            return slot
        seen.add(target)
    return -1
