"""Channels and influence in a report: every number is one of what was found."""

from dataclasses import replace
from pathlib import Path

from cloudchamber.agents import SocialProof
from cloudchamber.counterfactual import PastRuns, cross, influence, mediate
from cloudchamber.intervention import isolate
from cloudchamber.microspec import Group, Microspec, Popularity, Population, Sequential, Visibility
from cloudchamber.phenomenon import HERDING
from cloudchamber.report import Figure, Prose, Table, write
from cloudchamber.report.channels import supplement
from cloudchamber.study import Study
from cloudchamber.worlds import Feed

SPEC = Microspec(
    world=Feed.of(5),
    population=Population(groups=(Group(name="all", count=6, decides=SocialProof()),)),
    visibility=Visibility(order=Popularity()),
    turns=Sequential(steps=3),
)


def test_what_passes_through_each_channel_is_told_with_its_numbers(tmp_path: Path) -> None:
    found = mediate(SPEC, isolate(), ["likes", "order"], replicates=range(6))
    crossed = cross(SPEC, isolate(), "likes", "order", replicates=range(6))
    moved = influence(PastRuns(SPEC, range(6)))
    said = supplement(found, crossed, moved)
    assert len(said.answer) == 2 and said.answer[0].startswith("**Through likes** pass ")
    figure, table, told, trees = said.blocks[4]
    assert isinstance(figure, Figure) and len(figure.data) == 8
    assert isinstance(table, Table) and len(table.frame) == 5
    assert isinstance(told, Prose) and "A decision moved " in told.text
    assert isinstance(trees, Table) and set(trees.frame["replicate"]) <= set(range(6))
    assert set(said.tables) == {"channels", "channels crossed", "influence"}

    study = Study(
        name="channels", question="?", phenomenon=HERDING, microspec=SPEC, replicates=3, null=isolate()
    )  # fmt: skip
    study = replace(study, account=lambda study, results: said)
    write(study, study.run(tmp_path / "out"), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "passes through each channel" in page and "Through likes" in page
    assert "largest trees of influence" in page


def test_without_influence_there_are_no_trees() -> None:
    blind = SPEC.replace("population.groups.0.decides", {"kind": "random"})
    found = mediate(blind, isolate(), ["likes"], replicates=range(3))
    said = supplement(found, influence=influence(PastRuns(blind, range(2))))
    assert [type(block) for block in said.blocks[4]] == [Figure, Prose]
    assert "pass 0 of the total effect of 0 on the Gini coefficient; past it 0." in said.answer[0]
