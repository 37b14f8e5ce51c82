"""A study's plan: which cells its factors make, checked when it is built and grown only where missing."""

from functools import partial
from pathlib import Path

import pytest

from cloudchamber import Factor, Feed, Group, Microspec, Population, SocialProof, Study
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Axis, fractional, sobol_sequence
from cloudchamber.experiment.probing import morris_paths
from cloudchamber.microspec import Sequential
from cloudchamber.phenomenon import HERDING

LATENCY = Factor.over("visibility.latency", 0, 2, whole=True, name="latency")
SHARE = Factor.over("population.groups[1].share", 0, 0.5, name="followers")
LIKES = Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes")
ORDER = Factor.at("visibility.order", ["shuffled", "popularity"], "order")


def study(*factors: Axis, n: int = 4) -> Study:
    groups = (
        Group(name="others", count=6, decides=SocialProof(strength=0.0)),
        Group(name="followers", count=2, decides=SocialProof(strength=5.0)),
    )
    return Study(
        name="planned",
        question="Does it work?",
        phenomenon=HERDING,
        microspec=Microspec(
            world=Feed.of(6), population=Population(groups=groups), turns=Sequential(steps=3)
        ),
        factors=factors,
        plan=partial(sobol_sequence, n=n),
        replicates=2,
    )


def test_a_sampled_study_grows_and_a_longer_one_computes_the_rest(tmp_path: Path) -> None:
    first = study(LATENCY, SHARE, LIKES).run(tmp_path / "out")
    assert len(first.done) == 8
    before = dict(zip(first.done["name"], first.done["cell"], strict=True))
    more = study(LATENCY, SHARE, LIKES, n=8)
    assert more.estimate(tmp_path / "out").missing == 8
    second = more.run(tmp_path / "out")
    assert second.complete
    after = dict(zip(second.done["name"], second.done["cell"], strict=True))
    assert before.items() <= after.items()
    gini = second.measure("gini")
    assert gini.shape == (2, 8)
    assert gini.notna().all().all()


def test_the_share_of_a_group_keeps_the_number_of_agents() -> None:
    cells = study(SHARE, n=16).design()
    counts = {tuple(group.count for group in cell.spec.population.groups) for cell in cells}
    assert {sum(count) for count in counts} == {8}
    assert {count[1] for count in counts} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("visibility.latancy", "Did you mean 'latency'"),
        ("visibility.likes", "Near paths: visibility.fields.likes"),
        ("population.groups[0].shares", "Near paths: population.groups.0.share"),
        ("population.groups[2].share", "has no entry '2'"),
    ],
)
def test_a_wrong_path_is_told_when_the_study_is_built(path: str, near: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        study(Factor.over(path, 0, 1))
    assert near in str(caught.value)


def test_a_factor_may_lie_within_what_another_sets() -> None:
    talk = Factor.at("turns", ["asynchronous"], "turns")
    study(talk, Factor.over("turns.rates.0", 0.5, 2))


def test_what_a_range_varies_cannot_be_set_beside_it() -> None:
    with pytest.raises(SpecificationError, match="the study's factor 'followers' varies"):
        study(SHARE).set("population.groups[0].count", 3)
    larger = study(SHARE).set("population.count", 80)
    assert {cell.spec.population.count for cell in larger.design()} == {80}
    study(SHARE).set("population.groups[0].decides.strength", 1.0)


def test_a_range_needs_a_plan_that_samples() -> None:
    plain = Study("plain", "?", HERDING, study().microspec, factors=(LATENCY,))
    with pytest.raises(SpecificationError, match="a range was given, but a full factorial needs"):
        plain.design()


def test_other_plans() -> None:
    from dataclasses import replace

    half = replace(study(LIKES, ORDER, LATENCY.levels(2)), plan=partial(fractional, resolution=3))
    assert len(half.combinations()) == 4
    paths = replace(study(LIKES, SHARE), plan=partial(morris_paths, n=3))
    assert len(paths.combinations()) == 9
    assert len(study().combinations()) == 1, "without factors there is the baseline alone"
