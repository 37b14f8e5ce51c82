"""The battery of a study: it finds what matters to a rule, and nothing where nothing can."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloudchamber import Feed, Group, Microspec, Population, Study
from cloudchamber.agents import Random, SocialProof
from cloudchamber.errors import SpecificationError
from cloudchamber.intervention import isolate
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import Decider, Sequential
from cloudchamber.phenomenon import HERDING, HERDING_FACETS, Criterion
from cloudchamber.report.battery import write
from cloudchamber.study import battery


def study(decides: Decider, replicates: int = 12) -> Study:
    people = Population(groups=(Group(name="readers", count=20, decides=decides),))
    return Study(
        name="urn",
        question="?",
        phenomenon=HERDING,
        microspec=Microspec(world=Feed.of(10), population=people, turns=Sequential(steps=6)),
        null=isolate(),
        replicates=replicates,
    )


def test_of_social_proof_sight_and_its_lateness_matter_place_and_memory_do_not(
    tmp_path: Path,
) -> None:
    whole = battery(study(SocialProof(strength=3.0)))
    found = whole.judge(whole.study.run(tmp_path))
    assert found.verdict("visibility") == found.verdict("communication") == "relevant"
    assert found.verdict("mix") == "relevant"
    assert found.verdict("order") == found.verdict("memory") == "irrelevant"
    table = found.effects.set_index(["measure", "change"])
    first = found.effects["measure"].iloc[0]
    # Rules that look at likes alone are the same whatever the order: not one choice differs.
    assert table.loc[(first, "by popularity"), "estimate"] == 0
    assert table.loc[(first, "hide likes"), "high"] < 0
    # Of the isolated twin of what is hidden nothing is left to explain.
    over = "excess of the Gini coefficient over its null"
    assert table.loc[(over, "hide likes"), "mean"] == 0
    told = " ".join(found.sentences())
    assert "Relevant to the Gini coefficient: visibility" in told
    assert "less than 0.05, as perturbed here" in told
    # Where not one choice differs there is no interval to tell.
    assert "order (one order for all: 0)" in told or "order (by popularity: 0)" in told


def test_where_nobody_heeds_anything_nothing_is_called_relevant(tmp_path: Path) -> None:
    whole = battery(study(Random()), only=("visibility", "order", "memory", "communication", "mix"))
    found = whole.judge(whole.study.run(tmp_path))
    assert set(found.dimensions["verdict"]) <= {"irrelevant", "undecided"}
    assert found.verdict("memory") == "irrelevant"


def test_few_runs_decide_nothing(tmp_path: Path) -> None:
    whole = battery(study(SocialProof(strength=3.0), replicates=3), only=("visibility",))
    found = whole.judge(whole.study.run(tmp_path))
    assert set(found.dimensions["verdict"]) == {"undecided"}
    assert set(found.effects["verdict"]) == {"undecided"}
    # Over five comparisons even runs that all go one way are no news.
    needed = "With 3 pairs of runs no change can be told beyond chance over 5 comparisons"
    assert found.sentences()[0] == f"{needed}: that takes 8 or more."


def test_a_phenomenon_that_compares_runs_has_its_battery_and_page_too(tmp_path: Path) -> None:
    apart = replace(study(SocialProof(strength=3.0), 8), phenomenon=HERDING_FACETS[3])
    whole = battery(apart, only=("visibility", "memory"))
    results = whole.study.run(tmp_path)
    page, found = write(whole, results, tmp_path)
    assert found.verdict("visibility") == "relevant"
    # Twins are grown, but are no comparisons of the battery.
    rows = found.effects.set_index("change")
    assert len(rows) == len(whole.perturbations)
    least = int(rows["p"].to_numpy().argmin())
    assert rows["p_adjusted"].iloc[least] == pytest.approx(len(rows) * rows["p"].iloc[least])
    assert "unpredictability" in page.answer[0]


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(SpecificationError, match="dimension: 'sight' given; allowed: visibility"):
        battery(study(Random()), only=("sight",))
    with pytest.raises(SpecificationError, match="nothing of the study can be perturbed: labels"):
        battery(study(Random()), only=("labels",))
    spreads = replace(HERDING, criterion=Criterion(margin=2.0, in_sd=True))
    whole = battery(replace(study(Random()), phenomenon=spreads))
    with pytest.raises(SpecificationError, match="standard deviations of its null; give the least"):
        whole.margin()
    assert whole.margin(0.1) == 0.1
    whole = battery(replace(study(Random()), phenomenon=replace(HERDING, criterion=Criterion(0.0))))
    with pytest.raises(SpecificationError, match="the phenomenon's is 0; give the least change"):
        whole.margin()
    with pytest.raises(SpecificationError, match="-1 was given; allowed: above 0, in the units of"):
        whole.margin(-1.0)


def test_it_is_a_study_like_any_other() -> None:
    whole = battery(study(SocialProof()))
    assert whole.study.name == "urn-battery"
    names = [cell.name for cell in whole.study.design()]
    assert names[0] == "baseline" and "with hide likes" in names
    assert whole.study.phenomenon.measure is MEASURES["gini"]
    assert len(whole.perturbed) == len(whole.perturbations) == len(whole.study.interventions)
