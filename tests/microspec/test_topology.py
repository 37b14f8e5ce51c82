"""Graphs: exact counts, known laws, and rows that agree with brute force."""

from collections.abc import Callable
from itertools import combinations, pairwise, permutations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import attachment, topology
from cloudchamber.microspec.topology import Neighbours

Build = Callable[[int, bool, np.random.Generator], Neighbours]

BUILDERS: dict[str, Build] = {
    "complete": lambda n, _, __: topology.complete(n),
    "ring": lambda n, d, _: topology.ring(n, max(1, (n - 1) // 3), d),
    "small world": lambda n, d, r: topology.watts_strogatz(n, max(1, (n - 1) // 3), 0.4, r, d),
    "full small world": lambda n, d, r: topology.watts_strogatz(n, (n - 1) // 2, 0.9, r, d),
    "attachment": lambda n, d, r: topology.barabasi_albert(n, min(3, n - 1), r, d),
    "full attachment": lambda n, d, r: topology.barabasi_albert(n, n - 1, r, d),
    "random": lambda n, d, r: topology.erdos_renyi(n, 0.3, r, d),
    "star": lambda n, d, _: topology.star(n, n // 2, d),
}


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def dense(graph: Neighbours) -> npt.NDArray[np.int64]:
    """Matrix with 1 where the row's agent hears the column's."""
    matrix = np.zeros((graph.n, graph.n), dtype=np.int64)
    offsets, ids = graph.of(np.arange(graph.n))
    np.add.at(matrix, (np.repeat(np.arange(graph.n), np.diff(offsets)), ids), 1)
    return matrix


any_graph = st.builds(
    lambda name, n, directed, seed: BUILDERS[name](n, directed, rng(seed)),
    st.sampled_from(sorted(BUILDERS)),
    st.integers(3, 14),
    st.booleans(),
    st.integers(0, 1000),
)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("name", sorted(BUILDERS))
@pytest.mark.parametrize("n", [3, 4, 9, 30])
def test_rows_are_ascending_without_self_or_twice(name: str, directed: bool, n: int) -> None:
    graph = BUILDERS[name](n, directed, rng())
    offsets, ids = graph.of(np.arange(n))
    assert ids.dtype == np.int32
    assert offsets.dtype == graph.offsets.dtype == np.int64
    for agent in range(n):
        row = ids[offsets[agent] : offsets[agent + 1]].tolist()
        assert row == sorted(set(row) - {agent})
    if not directed:
        assert (dense(graph) == dense(graph).T).all()
    assert (graph.degree() == dense(graph).sum(axis=1)).all()


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_same_generator_same_graph_other_generator_other_graph(name: str, directed: bool) -> None:
    first, again, other = (BUILDERS[name](30, directed, rng(seed)) for seed in (5, 5, 6))
    assert (dense(first) == dense(again)).all()
    drawn = name not in {"complete", "ring", "star", "full attachment"}
    assert (dense(first) != dense(other)).any() == drawn


def test_ring_is_exact() -> None:
    assert dense(topology.ring(5, 1))[0].tolist() == [0, 1, 0, 0, 1]
    assert topology.ring(9, 4).degree().tolist() == [8] * 9
    one_way = topology.ring(6, 2, directed=True)
    assert [one_way.of([i])[1].tolist() for i in (0, 3)] == [[4, 5], [1, 2]]


def test_star_is_exact() -> None:
    both = topology.star(5, hub=2)
    assert both.degree().tolist() == [1, 1, 4, 1, 1]
    heard = topology.star(5, hub=2, directed=True)
    assert heard.degree().tolist() == [1, 1, 0, 1, 1]
    assert heard.of([0, 4])[1].tolist() == [2, 2]
    assert heard.reverse().degree().tolist() == [0, 0, 4, 0, 0]
    assert topology.star(1).degree().tolist() == [0]


def test_complete_stores_no_edge() -> None:
    graph = topology.complete(1_000_000)
    assert len(graph.ids) == 0
    assert graph.degree()[[0, 999_999]].tolist() == [999_999, 999_999]
    assert topology.complete(4).of([2, 0])[1].tolist() == [0, 1, 3, 1, 2, 3]
    assert topology.complete(1).degree().tolist() == [0]


def test_small_world_keeps_its_number_of_edges_and_moves_the_stated_share() -> None:
    n, k, p = 3000, 4, 0.2
    graph = topology.watts_strogatz(n, k, p, rng())
    assert graph.degree().sum() == 2 * n * k
    kept = (dense(graph) * dense(topology.ring(n, k))).sum() / 2
    # An edge stays on the ring if not moved, or (k/n of the time) moved to another's empty place.
    assert stats.binomtest(int(kept), n * k, 1 - p).pvalue > 1e-3
    assert graph.degree().min() >= k  # only one end of an edge moves
    assert (dense(topology.watts_strogatz(50, 3, 0, rng())) == dense(topology.ring(50, 3))).all()


def test_small_world_moved_wholly_is_random_but_for_the_edges_each_keeps() -> None:
    n, k = 4000, 3
    degree = topology.watts_strogatz(n, k, 1, rng()).degree()
    # k own edges and a Binomial(nk, 1/n) number from others (Barrat & Weigt 2000).
    assert abs((degree - k).mean() - k) < 1e-12
    assert abs(degree.var() / k - 1) < 5 * np.sqrt(2 / n)


def test_directed_small_world_keeps_what_each_hears() -> None:
    graph = topology.watts_strogatz(500, 3, 0.5, rng(), directed=True)
    assert graph.degree().tolist() == [6] * 500
    assert (dense(graph) != dense(graph).T).any()


@pytest.mark.parametrize("n", [3, 5, 6, 11])
@pytest.mark.parametrize("directed", [False, True])
def test_small_world_without_free_places_still_has_every_edge(n: int, directed: bool) -> None:
    k = (n - 1) // 2
    for seed in range(5):
        graph = topology.watts_strogatz(n, k, 0.7, rng(seed), directed)
        assert graph.degree().sum() == 2 * n * k


@pytest.mark.parametrize(("n", "m"), [(4, 3), (10, 1), (500, 4), (5000, 2), (9000, 20)])
def test_attachment_has_its_exact_number_of_edges(n: int, m: int) -> None:
    graph = topology.barabasi_albert(n, m, rng())
    assert graph.degree().sum() == 2 * (m * (m + 1) // 2 + m * (n - m - 1))
    assert graph.degree().min() >= m
    directed = topology.barabasi_albert(n, m, rng(), directed=True)
    assert directed.degree().tolist() == [m] * n
    # The same links: hearing either way is the undirected graph.
    if n <= 500:
        assert (((dense(directed) + dense(directed).T) > 0) == dense(graph)).all()


def test_attachment_follows_its_degree_law() -> None:
    n, m = 200_000, 3
    degree = topology.barabasi_albert(n, m, rng()).degree()
    k = np.arange(m, 60)
    expected = n * 2 * m * (m + 1) / (k * (k + 1) * (k + 2))
    observed = np.bincount(degree, minlength=60)[m:60]
    tail = (degree >= 60).sum(), n - expected.sum()
    chi2 = ((observed - expected) ** 2 / expected).sum() + (tail[0] - tail[1]) ** 2 / tail[1]
    assert stats.chi2.sf(chi2, len(k)) > 1e-4
    # Continuous maximum likelihood of the exponent, whose exact value is 3.
    large = degree[degree >= 30]
    exponent = 1 + len(large) / np.log(large / 29.5).sum()
    assert abs(exponent - 3) < 0.15


def outcomes(draws: int, alone: int) -> dict[tuple[int, ...], int]:
    """How often agents 3 and 4 of five, m = 2, link to which pairs."""
    found: dict[tuple[int, ...], int] = {}
    generator = rng(11)
    for _ in range(draws):
        targets = attachment._ends(5, 2, generator, alone=alone)[7::2].tolist()
        key = (*sorted(targets[:2]), *sorted(targets[2:]))
        found[key] = found.get(key, 0) + 1
    return found


def exact() -> dict[tuple[int, ...], float]:
    """The same by enumeration: one target after the other by degree, a repeat drawn again."""
    law: dict[tuple[int, ...], float] = {}
    for first in combinations(range(3), 2):
        degree = np.array([2, 2, 2, 2]) + np.bincount(first, minlength=4)
        for a, b in permutations(range(4), 2):
            key = (*first, *sorted((a, b)))
            chance = degree[a] / 10 * degree[b] / (10 - degree[a])
            law[key] = law.get(key, 0) + chance / 3
    return law


@pytest.mark.parametrize("alone", [0, 5], ids=["in generations", "one by one"])
def test_attachment_draws_from_the_exact_law(alone: int) -> None:
    draws, law = 5000, exact()
    found = outcomes(draws, alone)
    assert set(found) == set(law)
    result = stats.chisquare([found[k] for k in law], [draws * law[k] for k in law])
    assert result.pvalue > 1e-3


def test_a_target_drawn_again_reaches_all_who_copied_it() -> None:
    known = 10  # edge e has its newcomer at place 10 + 2e and its target at place 11 + 2e
    drawn = np.array([4, 11, 12, 13, 7, 19])  # 1 copies 0, 2 edge 1's newcomer, 3 edge 1, 5 edge 4
    assert sorted(attachment._copies(drawn, 0, known)) == [0, 1, 3]
    assert attachment._followed(drawn, drawn, known).tolist() == [4, 4, 12, 4, 7, 7]


def test_random_graph_is_binomial() -> None:
    n, p = 3000, 0.004
    graph = topology.erdos_renyi(n, p, rng())
    links, places = graph.degree().sum() // 2, n * (n - 1) // 2
    assert stats.binomtest(int(links), places, p).pvalue > 1e-3
    degree = graph.degree()
    assert abs(degree.mean() - (n - 1) * p) < 0.4
    assert abs(degree.var() / ((n - 1) * p * (1 - p)) - 1) < 0.12
    directed = topology.erdos_renyi(n, p, rng(), directed=True)
    assert stats.binomtest(int(directed.degree().sum()), 2 * places, p).pvalue > 1e-3


@pytest.mark.parametrize("directed", [False, True])
def test_random_graph_reaches_every_pair_equally(directed: bool) -> None:
    n, p, draws = 6, 0.35, 3000
    generator = rng(3)
    hits = np.zeros((n, n))
    for _ in range(draws):
        hits += dense(topology.erdos_renyi(n, p, generator, directed))
    off = hits[~np.eye(n, dtype=bool)] if directed else hits[np.tril_indices(n, -1)]
    z = (off - draws * p) / np.sqrt(draws * p * (1 - p))
    assert np.abs(z).max() < 4
    assert stats.chi2.sf((z**2).sum(), len(z)) > 1e-3


def test_random_graph_at_its_ends() -> None:
    assert topology.erdos_renyi(40, 0, rng()).degree().sum() == 0
    assert topology.erdos_renyi(40, 1, rng()).degree().tolist() == [39] * 40
    assert topology.erdos_renyi(40, 1, rng(), directed=True).degree().tolist() == [39] * 40
    assert topology.erdos_renyi(1, 0.5, rng()).degree().tolist() == [0]
    assert topology.erdos_renyi(10**6, 1e-300, rng()).degree().sum() == 0


def test_edges_read_source_then_listener() -> None:
    one_way = topology.edges(4, [[0, 1], [2, 1], [0, 1]], directed=True)
    assert one_way.of([1, 0])[1].tolist() == [0, 2]
    both = topology.edges(4, [[0, 1], [1, 0], [2, 1]])
    assert both.degree().tolist() == [1, 2, 1, 0]
    assert topology.edges(3, []).degree().tolist() == [0, 0, 0]


@given(n=st.integers(1, 60), seed=st.integers(0, 99))
def test_pairs_are_a_matching(n: int, seed: int) -> None:
    partner = topology.random_pairs(n, rng(seed))
    alone = np.flatnonzero(partner == -1)
    assert len(alone) == n % 2
    paired = np.delete(np.arange(n), alone)
    assert (partner[partner[paired]] == paired).all()
    assert (partner[paired] != paired).all()


def test_every_matching_is_equally_likely() -> None:
    generator = rng(4)
    first = np.bincount([topology.random_pairs(6, generator)[0] for _ in range(5000)], minlength=6)
    assert first[0] == 0
    assert stats.chisquare(first[1:]).pvalue > 1e-3
    left_out = [int(np.argmin(topology.random_pairs(5, generator))) for _ in range(5000)]
    assert stats.chisquare(np.bincount(left_out, minlength=5)).pvalue > 1e-3


@settings(deadline=None)
@given(graph=any_graph, data=st.data())
def test_of_and_count_agree_with_brute_force(graph: Neighbours, data: st.DataObject) -> None:
    matrix = dense(graph)
    agents = np.array(data.draw(st.lists(st.integers(0, graph.n - 1), max_size=6)), dtype=int)
    offsets, ids = graph.of(agents)
    rows = [ids[a:b].tolist() for a, b in pairwise(offsets)]
    assert rows == [np.flatnonzero(matrix[agent]).tolist() for agent in agents]
    weights = rng(data.draw(st.integers(0, 99))).integers(-3, 9, (graph.n, 4))
    assert (graph.count(weights, agents) == matrix[agents] @ weights).all()
    assert (graph.count(weights) == matrix @ weights).all()
    assert graph.count(weights > 2).dtype == np.int64
    assert (graph.count(weights.astype(np.float32)) == matrix @ weights).all()


@settings(deadline=None)
@given(parts=st.lists(any_graph, min_size=1, max_size=4))
def test_a_stack_is_block_diagonal_and_turns_round(parts: list[Neighbours]) -> None:
    from scipy.linalg import block_diag

    stacked, blocks = Neighbours.stack(parts), block_diag(*map(dense, parts))
    assert (dense(stacked) == blocks).all()
    assert (stacked.degree() == blocks.sum(axis=1)).all()
    assert (dense(stacked.reverse()) == blocks.T).all()
    weights = rng().integers(0, 5, (stacked.n, 2))
    assert (stacked.count(weights) == blocks @ weights).all()
    agents = np.arange(stacked.n)[::-2]
    assert (stacked.count(weights, agents) == blocks[agents] @ weights).all()


def test_totals_kept_by_the_caller_are_used() -> None:
    graph = Neighbours.stack([topology.complete(3), topology.complete(2)])
    weights = np.array([[1], [2], [4], [8], [16]])
    assert graph.count(weights, [0, 4], totals=np.array([[7], [24]])).tolist() == [[6], [8]]
    assert graph.count(weights, [0, 4], totals=np.array([[107], [24]])).tolist() == [[106], [8]]


def test_a_stack_of_nothing_has_nobody() -> None:
    assert Neighbours.stack([]).n == 0


def test_arrays_cannot_be_written() -> None:
    graph = topology.ring(5, 1)
    with pytest.raises(ValueError, match="read-only"):
        graph.ids[0] = 3


@pytest.mark.parametrize(
    ("build", "parts"),
    [
        (lambda: topology.ring(4, 2), ["communication.k: 2", "4 agents", "allowed: 1 to 1"]),
        (lambda: topology.ring(4, 4, directed=True), ["communication.k", "1 to 3"]),
        (lambda: topology.ring(2, 1), ["communication.k", "complete topology"]),
        (lambda: topology.watts_strogatz(9, 0, 0.1, rng()), ["communication.k: 0", "1 to 4"]),
        (lambda: topology.watts_strogatz(9, 2, 1.1, rng()), ["communication.p: 1.1", "0 to 1"]),
        (lambda: topology.erdos_renyi(9, -0.1, rng()), ["communication.p: -0.1", "0 to 1"]),
        (lambda: topology.erdos_renyi(9, float("nan"), rng()), ["communication.p: nan"]),
        (lambda: topology.barabasi_albert(3, 3, rng()), ["communication.m: 3", "n - 1 = 2"]),
        (lambda: topology.barabasi_albert(3, 0, rng()), ["communication.m: 0"]),
        (lambda: topology.star(3, hub=3), ["communication.hub: agent 3", "0 to 2"]),
        (
            lambda: topology.edges(3, [[0, 1], [1, 3], [-1, 0]]),
            ["communication.edges[1]: [1, 3]", "2 such edges", "0 to 2"],
        ),
        (lambda: topology.edges(3, [[1, 1]]), ["communication.edges[0]: [1, 1]", "leave the edge"]),
        (lambda: topology.edges(3, [[0.5, 1]]), ["communication.edges", "float64"]),
        (lambda: topology.edges(3, [0, 1]), ["communication.edges", "(2,)"]),
        (lambda: topology.complete(0), ["population: 0 agents"]),
        (lambda: topology.random_pairs(2**31, rng()), ["population: 2147483648"]),
    ],
)
def test_errors_name_field_given_and_allowed(build: Callable[[], object], parts: list[str]) -> None:
    with pytest.raises(SpecificationError) as caught:
        build()
    for part in parts:
        assert part in str(caught.value)
