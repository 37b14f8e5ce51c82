"""Communication: the networks are those the words promise; populations and memories as columns."""

from typing import Any

import pytest

from cloudchamber import randomness
from cloudchamber.agents import Random
from cloudchamber.microspec import (
    BarabasiAlbert,
    Communication,
    Complete,
    Edges,
    ErdosRenyi,
    Group,
    NoMemory,
    Population,
    RandomPairs,
    Retrieval,
    Ring,
    Star,
    Summary,
    WattsStrogatz,
    Window,
)

N = 12


def heard(talk: Communication, replicate: int = 0) -> list[list[int]]:
    network = talk.network(N, randomness.generator(1, replicate, "topology"))
    return [sorted(network.of([agent])[1].tolist()) for agent in range(N)]


def test_who_hears_whom() -> None:
    others = [[j for j in range(N) if j != i] for i in range(N)]
    assert heard(Complete()) == others
    assert heard(Ring(k=2))[0] == [1, 2, 10, 11]
    assert heard(Ring(k=2, directed=True))[0] == [10, 11]
    assert heard(WattsStrogatz(k=4, p=0.0))[5] == [3, 4, 6, 7], "k counts both sides"
    assert heard(Star(hub=3))[0] == [3] and len(heard(Star(hub=3))[3]) == N - 1
    assert heard(Edges(pairs=((0, 1),), directed=True))[:2] == [[], [0]], "1 hears 0"
    assert heard(Edges(pairs=((0, 1),)))[:2] == [[1], [0]]
    assert heard(ErdosRenyi(p=1.0)) == others and not any(heard(ErdosRenyi(p=0.0)))
    assert all(len(row) >= 2 for row in heard(BarabasiAlbert(m=2)))


def test_mean_degree_of_a_small_world_is_k() -> None:
    for p in (0.0, 0.3, 1.0):
        rows = heard(WattsStrogatz(k=4, p=p))
        assert sum(map(len, rows)) == 4 * N


def test_random_pairs_are_pairs() -> None:
    talk = RandomPairs()
    rows = heard(talk)
    assert all(len(row) == 1 and rows[row[0]] == [agent] for agent, row in enumerate(rows))
    assert talk.each_step and heard(talk, 1) != rows


@pytest.mark.parametrize(
    "talk", [BarabasiAlbert(), ErdosRenyi(p=0.3), WattsStrogatz(p=0.5), RandomPairs()]
)
def test_a_network_belongs_to_its_replicate(talk: Communication) -> None:
    assert heard(talk, 4) == heard(talk, 4)
    assert heard(talk, 4) != heard(talk, 5)


@pytest.mark.parametrize(
    ("talk", "agents", "words"),
    [
        (Ring(k=3), 6, "communication.k: 3 on each side given, but there are 6 agents; at most 2"),
        (
            Ring(k=1),
            2,
            "communication.k: 1 on each side given, but there are 2 agents; there are too few",
        ),
        (Ring(k=6, directed=True), 6, "6 behind given, but there are 6 agents; at most 5"),
        (WattsStrogatz(k=6), 6, "communication.k: 6 given, but there are 6 agents; at most 4"),
    ],
)
def test_too_few_agents(talk: Communication, agents: int, words: str) -> None:
    (told,) = talk.problems(agents)
    assert words in told


@pytest.mark.parametrize("k", [2, 4, 10])
def test_what_has_no_problem_can_be_built(k: int) -> None:
    for agents in range(2, 14):
        for talk in (Ring(k=k), Ring(k=k, directed=True), WattsStrogatz(k=k), BarabasiAlbert(m=k)):
            if not list(talk.problems(agents)):
                talk.network(agents, randomness.generator(0, 0, "topology"))


def test_a_population_as_columns() -> None:
    groups = (
        Group(name="a", count=2, decides=Random()),
        Group(name="b", count=3, decides=Random(), personas=("x", "y")),
    )
    people = Population(groups=groups)
    columns = people.people()
    assert people.count == 5
    assert columns.group.tolist() == [0, 0, 1, 1, 1]
    assert columns.member.tolist() == [0, 1, 0, 1, 2]
    assert people.aloud() == (
        "2 a (a rule that chooses at random) and 3 b (a rule that chooses at random) with 2 personas"
    )


def test_how_many_acts_a_memory_needs() -> None:
    depths: list[tuple[Any, int]] = [
        (NoMemory(), 0),
        (Window(k=4), 4),
        (Summary(), 0),
        (Retrieval(k=2, horizon=9), 9),
    ]
    assert [memory.depth for memory, _ in depths] == [depth for _, depth in depths]
