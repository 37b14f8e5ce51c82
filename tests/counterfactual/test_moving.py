"""The influence graph where it is known: blind rules, an urn, a leader, a branching process."""

from typing import Literal

import numpy as np
import pytest

from cloudchamber.agents import MajorityOfMemory, Rule, SocialProof
from cloudchamber.counterfactual import PastRuns, influence
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import (
    Affordances,
    Edges,
    ErdosRenyi,
    Fixed,
    Group,
    Meetings,
    Microspec,
    NoMemory,
    Population,
    Sequential,
    Star,
    Visibility,
    Window,
)
from cloudchamber.questions import Questions, Reals
from cloudchamber.worlds import Feed, NamingGame
from tests.counterfactual.specs import MODEL, SPECS, feed, models_for

ITEMS = 5


class Copies(Rule):
    """With probability `zeal` the item of the act heard of last, else any item alike."""

    kind: Literal["copies in a test"] = "copies in a test"
    zeal: float = 0.6

    def weights(self, questions: Questions) -> Reals:
        n, k = questions.items.shape
        weights = np.full((n, k), 1 / k)
        heard = questions.heard
        row, last = heard.row(), heard.offsets[1:] - 1
        told = np.flatnonzero(np.diff(heard.offsets))
        assert (row[last[told]] == told).all()
        item = heard.item[last[told]]
        weights[told] *= 1 - self.zeal
        weights[told] += self.zeal * (questions.items[told] == item[:, None])
        return weights


def tied(pairs: list[tuple[int, int]], agents: int, zeal: float = 0.6) -> Microspec:
    """One after the other, each once; (a, b): b hears what a did."""
    group = Group(name="all", count=agents, decides=Copies(zeal=zeal))
    return Microspec(
        world=Feed.of(ITEMS),
        population=Population(groups=(group,), placement="in order"),
        communication=Edges(pairs=tuple(pairs), directed=True, representation="acts", last=1),
        visibility=Visibility(whose="neighbours", order=Fixed()),
        turns=Sequential(order="fixed"),
    ).replace("visibility.fields.likes", "hidden")


def test_nobody_moves_the_blind() -> None:
    found = influence(PastRuns(SPECS["blind"], range(4)))
    assert not len(found.edges()) and not len(found.trees()) and not len(found.agents())
    assert found.reached > 0  # they were shown one another's likes
    ratio = found.branching()
    assert (ratio.value, ratio.low, ratio.high) == (0.0, 0.0, 0.0)


def test_in_an_urn_each_like_weighs_what_the_closed_form_says() -> None:
    """Weights 1 + likes: without one of the n likes, n_j of them on j, p_j falls to n_j / (k + n - 1)."""
    spec = feed(SocialProof(), visibility=Visibility(order=Fixed()))
    runs = PastRuns(spec, range(3), seed=2)
    edges = influence(runs).edges()
    made = runs.past.trace.columns("decisions")
    choice = {
        (int(run), int(d)): int(item)
        for run, d, item in zip(made["run"], made["decision"], made["choice"], strict=True)
    }
    ids = dict(enumerate(runs.runs.ids.tolist()))
    assert len(edges) == 3 * 12 * 11 / 2  # every earlier act moves every later decision a little
    for edge in edges.to_dict("records"):
        run, source, decision = ids[edge["replicate"]], edge["source"], edge["decision"]
        before = [choice[run, d] for d in range(decision)]
        on = before.count(choice[run, source])
        known = (1 + on) / (7 + len(before)) - on / (7 + len(before) - 1)
        assert edge["distance"] == pytest.approx(known)
        assert (edge["pull"] > 0) == (choice[run, source] == choice[run, decision])


def test_a_planted_leader_is_found() -> None:
    spec = tied([(3, other) for other in range(8) if other != 3], 8)
    spec = spec.altered(turns=Sequential(order="fixed", steps=3))
    found = influence(PastRuns(spec, range(10)))
    edges = found.edges()
    assert (edges["source_agent"] == 3).all() and set(edges["agent"]) == set(range(8)) - {3}
    agents = found.agents()
    assert set(agents["source_agent"]) == {3} and len(agents) == 7
    trees = found.trees(threshold=0.1, largest=None)
    assert (trees["agent"] == 3).all() and (trees["depth"] == 1).all()
    assert "from decision" in str(found)


def test_a_star_moves_through_its_hub() -> None:
    spec = tied([], 6).replace("communication", Star(hub=2, representation="acts", last=1))
    edges = influence(PastRuns(spec, range(6))).edges()
    assert ((edges["source_agent"] == 2) | (edges["agent"] == 2)).all() and len(edges)


WIDTH, DEPTH, ZEAL = 3, 4, 0.6
NODES = (WIDTH**DEPTH - 1) // (WIDTH - 1)
INNER = range((WIDTH ** (DEPTH - 1) - 1) // (WIDTH - 1))
FAMILY = tied([((node - 1) // WIDTH, node) for node in range(1, NODES)], NODES, ZEAL)
"""Each agent is heard by three later ones, and each hears one: whom it moves is a branching process."""


def chance_of_another_pick() -> float:
    """Of exponential clocks with rates p, then q: 1 - sum_i 1 / sum_j max(p_j / p_i, q_j / q_i)."""
    p = np.full(ITEMS, (1 - ZEAL) / ITEMS)
    p[0] += ZEAL
    q = np.full(ITEMS, 1 / ITEMS)
    return float(1 - sum(1 / np.maximum(p / p[i], q / q[i]).sum() for i in range(ITEMS)))


def test_the_branching_ratio_of_a_branching_process() -> None:
    found = influence(PastRuns(FAMILY, range(60), seed=1))
    # By distance every child counts: each is zeal * (1 - 1 / items) away from what it would have done.
    assert np.allclose(found.pairs["distance"], ZEAL * (1 - 1 / ITEMS))
    known = ZEAL * (1 - 1 / ITEMS) - 1e-9
    assert found.branching(known, among=INNER).value == WIDTH
    assert found.branching(known + 0.01, among=INNER).value == 0
    # By the pick each child is moved with a known chance, each on its own.
    expected = WIDTH * chance_of_another_pick()
    ratio = found.branching(among=INNER)
    assert ratio.low < expected < ratio.high and ratio.high - ratio.low < 0.25
    # An act has as many children whether it was moved itself or not.
    again = found.branching(among=INNER, moved=True)
    assert again.low < expected < again.high
    # Last come those whom nobody hears: counted in, they halve the ratio and more.
    assert found.branching().value == pytest.approx(ratio.value * len(INNER) / NODES)


def test_trees_are_as_large_as_those_of_a_branching_process() -> None:
    found = influence(PastRuns(FAMILY, range(60), seed=1))
    mean = WIDTH * chance_of_another_pick()
    trees = found.trees(largest=None)
    first = trees[trees["root"] == 0].set_index("replicate")["size"].reindex(range(60)).fillna(1)
    expected = sum(mean**generation for generation in range(DEPTH))
    error = first.std() / np.sqrt(60)
    assert abs(first.mean() - expected) < 2.5 * error
    assert trees["depth"].max() == DEPTH - 1
    whole = found.trees(threshold=0.1)
    assert (
        (whole["size"] == NODES).all() and (whole["depth"] == DEPTH - 1).all() and len(whole) == 10
    )


def test_offspring_add_up_to_the_edges() -> None:
    found = influence(PastRuns(SPECS["polya"], range(3)))
    table, edges = found.offspring(0.05), found.edges()
    others = edges[(edges["source_agent"] != edges["agent"])]
    assert table["offspring"].sum() == (others["distance"] >= 0.05).sum()
    assert table["weight"].sum() == pytest.approx(others["distance"].sum())
    assert (table["parents"] >= 0).all() and len(table) == 36


def test_a_memory_of_ones_own_is_no_influence_of_others() -> None:
    spec = tied([], 4).altered(memory=Window(k=1), turns=Sequential(order="fixed", steps=3))
    found = influence(PastRuns(spec, range(3)))
    edges = found.edges()
    assert len(edges) and (edges["source_agent"] == edges["agent"]).all()
    assert not len(found.agents()) and not len(found.trees()) and found.branching().value == 0
    assert isinstance(tied([], 4).memory, NoMemory)


@pytest.mark.parametrize("name", SPECS)
def test_edges_go_where_what_is_shown_comes_from(name: str) -> None:
    spec = SPECS[name]
    runs = PastRuns(spec, range(2), seed=6, models=models_for(spec))
    found = influence(runs)
    edges = found.edges()
    assert (edges["source"] < edges["decision"]).all()
    assert found.reached >= len(edges)
    assert (edges["distance"].fillna(1) > 0).any() or name == "blind"
    again = influence(runs)
    assert again.edges().equals(edges)


def test_heard_acts_are_the_edges_that_provenance_names() -> None:
    made = PastRuns(FAMILY, range(5), seed=1)
    exposures = made.past.trace.columns("exposures")
    heard = exposures["channel"] == 1
    told = {
        (int(run), int(origin), int(decision))
        for run, origin, decision in zip(
            exposures["run"][heard], exposures["origin"][heard], exposures["decision"][heard], strict=True
        )
    }  # fmt: skip
    edges = influence(made).edges()
    ids = made.runs.ids
    ends = zip(ids[edges["replicate"]].tolist(), edges["source"], edges["decision"], strict=True)
    assert set(ends) == told


def test_models_are_asked_what_could_have_moved_them_and_no_more() -> None:
    spec = SPECS["model"]
    fake = models_for(spec)
    assert fake is not None
    runs = PastRuns(spec, models=fake)
    found = influence(runs)
    # Eight decisions one after the other, all of which see all likes.
    assert found.asked == found.reached == 8 * 7 / 2
    assert len(fake[MODEL].asked) == 8 + 28
    some = influence(runs, sources=[6])
    assert some.asked == 1 and set(some.edges()["source"]) <= {6}
    with pytest.raises(SpecificationError, match="most: 5 questions allowed"):
        influence(runs, most=5)
    with pytest.raises(SpecificationError, match="decision: 50 given"):
        influence(runs, sources=[50])


def test_who_does_nothing_moves_nobody() -> None:
    spec = feed(
        SocialProof(base=0.001), affordances=Affordances(choose="up to", most=1, may_decline=True)
    )
    found = influence(PastRuns(spec, range(3)))
    assert len(found.offspring()) == found.decisions["acts"].sum() < len(found.decisions["acts"])


def test_a_world_in_many_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = PastRuns(SPECS["neighbours"], range(2))
    whole = influence(runs).edges()
    monkeypatch.setattr("cloudchamber.counterfactual.moving.AGENTS", 18)
    assert influence(runs).edges().equals(whole)


def test_runs_without_a_decision_are_refused() -> None:
    strangers = Microspec(
        world=NamingGame(),
        population=Population(groups=(Group(count=2, decides=MajorityOfMemory()),)),
        communication=ErdosRenyi(p=0.0),
        visibility=Visibility(whose="neighbours"),
        turns=Meetings(),
    )
    with pytest.raises(SpecificationError, match="no decisions"):
        influence(PastRuns(strangers))
