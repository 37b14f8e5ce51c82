"""Paths: both ways to write them, what is near one that leads nowhere, and shares of groups."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.agents import Random, SocialProof, Society, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import Group, Microspec, Population, Sequential
from cloudchamber.trace import Trace
from cloudchamber.worlds import Feed


def mixed(*counts: int) -> Microspec:
    groups = tuple(
        Group(name=f"group {n}", count=count, decides=SocialProof())
        for n, count in enumerate(counts)
    )
    return Microspec(
        world=Feed.of(6), population=Population(groups=groups), turns=Sequential(steps=2)
    )


def sizes(spec: Microspec) -> list[int]:
    return [group.count for group in spec.population.groups]


def test_every_path_that_is_listed_can_be_replaced_by_what_lies_there() -> None:
    spec = mixed(3, 5)
    tree = spec.model_dump(mode="json")
    for path in spec.paths():
        node: Any = tree
        for part in path.split("."):
            node = node[int(part)] if isinstance(node, list) else node.get(part)
            if node is None:
                break
        if node is not None:
            assert spec.replace(path, node) == spec, path
    assert {"visibility.fields.likes", "population.count", "population.groups.1.share"} <= set(
        spec.paths()
    )


@pytest.mark.parametrize("name", ["population.groups[1].count", "population.groups.1.count"])
def test_an_entry_is_named_in_brackets_or_with_a_dot(name: str) -> None:
    assert sizes(mixed(3, 5).replace(name, 7)) == [3, 7]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("visibility.likes", "Near paths: visibility.fields.likes"),
        ("latency", "Near paths: visibility.latency"),
        ("population.groups[0].cuont", "Near paths: population.groups.0.count"),
        ("memory.window", "'window'"),
        ("turns.rates", "Of kind 'asynchronous' it would have one."),
        ("population.groups[4].share", "has no entry '4'; allowed: 0 to 1"),
        ("turns.steps.often", "is 2 and has no parts"),
    ],
)
def test_a_path_that_leads_nowhere_is_answered_with_what_is_near(path: str, words: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        mixed(3, 5).replace(path, 1)
    assert words in str(caught.value)
    with pytest.raises(SpecificationError):
        mixed(3, 5).check_paths([path])


def test_a_path_into_what_another_one_sets_is_not_held_against_what_is_there() -> None:
    mixed(3, 5).check_paths(["turns", "turns.rates", "visibility.fields.likes", "population.count"])
    with pytest.raises(SpecificationError, match="has no field 'rates'"):
        mixed(3, 5).check_paths(["turns.rates"])


class TestShares:
    def test_a_share_keeps_the_number_of_agents_and_the_others_proportions(self) -> None:
        spec = mixed(10, 20, 70)
        assert sizes(spec.replace("population.groups[0].share", 0.4)) == [40, 13, 47]
        assert sizes(spec.replace("population.groups[2].share", 0.1)) == [30, 60, 10]

    def test_several_shares_are_meant_together_in_any_order(self) -> None:
        both = {"population.groups[0].share": 0.5, "population.groups[1].share": 0.3}
        turned = dict(reversed(both.items()))
        spec = mixed(10, 20, 70)
        assert sizes(spec.replace_all(both)) == [50, 30, 20] == sizes(spec.replace_all(turned))

    def test_the_number_of_agents_keeps_the_proportions(self) -> None:
        assert sizes(mixed(10, 20, 70).replace("population.count", 10)) == [1, 2, 7]
        both = {"population.groups[0].share": 0.5, "population.count": 40}
        assert sizes(mixed(10, 20, 70).replace_all(both)) == [20, 4, 16]

    def test_a_group_of_none_is_a_group_and_the_run_grows(self) -> None:
        spec = mixed(3, 5).replace("population.groups[1].share", 0.0)
        assert sizes(spec) == [8, 0]
        spec = spec.replace("population.groups[1].decides", Random())
        trace = Trace()
        runs = Runs(seed=1, replicates=np.arange(2), ids=np.arange(1, 3))
        decide(grow(spec, runs, trace), Society(spec))
        decisions = trace.frame("decisions")
        assert len(decisions) == 2 * 8 * 2
        assert set(decisions["group"]) == {0}

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"population.groups[0].share": 1.2}, "allowed: a number from 0 to 1"),
            ({"population.groups[0].share": float("nan")}, "allowed: a number from 0 to 1"),
            ({"population.groups[0].share": "half"}, "allowed: a number from 0 to 1"),
            (
                {"population.groups[0].share": 0.7, "population.groups[1].share": 0.6},
                "0.7 for group 0, 0.6 for group 1 were given, more than 1",
            ),
            (
                {"population.groups[0].share": 0.3, "population.groups[1].share": 0.6},
                "nobody is left to be the rest",
            ),
            ({"population.count": 0}, "allowed: a whole number from 1"),
            ({"population.groups[0].count": 0, "population.groups[1].count": 0}, "every group is"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, changes: dict[str, object], words: str) -> None:
        with pytest.raises(SpecificationError) as caught:
            mixed(3, 5).replace_all(changes)
        assert words in str(caught.value)

    @given(
        counts=st.lists(st.integers(0, 50), min_size=2, max_size=5).filter(
            lambda n: sum(n[1:]) > 0
        ),
        share=st.floats(0, 1),
    )
    def test_sizes_are_within_one_agent_of_the_shares(
        self, counts: list[int], share: float
    ) -> None:
        found = sizes(mixed(*counts).replace("population.groups[0].share", share))
        total, rest = sum(counts), sum(counts[1:])
        ideal = [share * total, *((1 - share) * total * n / rest for n in counts[1:])]
        assert sum(found) == total
        assert np.abs(np.subtract(found, ideal)).max() < 1
