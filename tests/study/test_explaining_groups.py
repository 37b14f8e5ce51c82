"""A study of several groups explained, and its battery: each group has a fit, a place and a picture."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.intervention import isolate
from cloudchamber.mechanism import Logit, Signal
from cloudchamber.mechanism.scaling import sized
from cloudchamber.microspec import Group, Microspec, Population, Sequential
from cloudchamber.phenomenon import HERDING
from cloudchamber.report import account
from cloudchamber.report import battery as batteries
from cloudchamber.study import Explanation, Study, battery, explain
from cloudchamber.study.told import read, tell
from cloudchamber.worlds import Diffusion, Feed

KEEN, SHY = 2.0, -1.0
NAMED = {"more likes": Logit(terms=(Signal(form="log"),)), "blind": Logit()}


def study(**more: Any) -> Study:
    groups = tuple(
        Group(name=name, count=8, decides=Logit(terms=(Signal(form="log", strength=strength),)))
        for name, strength in (("keen", KEEN), ("shy", SHY))
    )
    usual = Study(
        name="mixed",
        question="Do both follow likes?",
        phenomenon=HERDING,
        microspec=Microspec(
            world=Feed.of(8), population=Population(groups=groups), turns=Sequential(steps=4)
        ),
        replicates=8,
        null=isolate(),
        mechanisms=NAMED,
    )
    return replace(usual, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("mixed")
    study().run(out)
    return out


@pytest.fixture(scope="module")
def found(folder: Path) -> Explanation:
    return explain(study(), folder, draws=3, margin=0.02, scale=[32])


def test_each_group_has_a_fit_of_its_own(found: Explanation) -> None:
    (part,) = found.parts
    assert part.part.groups == ("keen", "shy")
    fits = part.fits["more likes"]
    for name, strength in (("keen", KEEN), ("shy", SHY)):
        table = fits[name].table()
        row = table.iloc[0]
        assert row["low"] < strength < row["high"], table
        assert part.comparisons[name].ranking[0] == "more likes"
    assert set(part.predictions["more likes"]) == {"keen", "shy"}


def test_all_groups_are_regrown_together(found: Explanation) -> None:
    (part,) = found.parts
    gap = part.regrowths["more likes"].level("baseline", "gini").gap
    assert abs(gap.value) < 0.05
    blind = part.regrowths["blind"].level("baseline", "gini")
    assert blind.grown.value > blind.regrown.high
    assert part.sufficiency("blind").answer == "not sufficient"
    assert set(part.scales["more likes"].values) == {32}


def test_the_report_tells_the_groups_apart(found: Explanation, folder: Path) -> None:
    tell(found).save(folder)
    told = read(folder)
    assert told is not None
    for table in (
        "mechanism_parameters",
        "mechanism_scores",
        "mechanism_places",
        "mechanism_signals",
    ):
        assert set(told.tables[table]["group"]) == {"keen", "shy"}, table
    document = account.write(study(), study().results(folder), folder)
    figures = {figure.id: figure for figure in document.figures}
    for name in ("mechanism-places-list", "mechanism-signals-list"):
        shown = figures[name].data
        doubled = shown.groupby(
            [c for c in shown.columns if c not in ("value", "low", "high")]
        ).size()
        assert (doubled == 1).all(), f"{name}: two groups' numbers are drawn as one curve"
    which = [line for line in document.answer if line.startswith("**Which rule")]
    assert len(which) == 1 and "keen" in which[0] and "shy" in which[0]


def test_a_battery_is_explained_in_every_perturbation(tmp_path: Path) -> None:
    whole = battery(study(), only=("visibility", "mix"))
    results = whole.study.run(tmp_path)
    found = explain(whole.study, tmp_path, draws=3, margin=0.02)
    (part,) = found.parts
    assert part.part.fitted == ("baseline",)
    perturbed = {f"with {one.name}" for one in whole.perturbations}
    assert perturbed and perturbed <= set(part.part.unseen)
    assert perturbed <= {pair[0] for pair in part.responses if pair[1] == "baseline"}
    told = part.sufficiency("more likes", unseen=True)
    assert told.matches and told.answer in ("sufficient", "cannot tell")
    assert part.regrowths["blind"].level("baseline", "gini").gap.high < 0
    tell(found).save(tmp_path)
    document, _ = batteries.write(whole, results, tmp_path)
    assert "Which rule grows it" in [section.title for section in document.sections]


def test_a_size_that_cannot_be_is_refused_before_anything_is_fitted(folder: Path) -> None:
    spec = study().microspec
    thresholds = tuple(0.1 * at for at in range(spec.population.count))
    fixed = spec.altered(world=Diffusion(thresholds=thresholds))
    with pytest.raises(SpecificationError, match="16 given, but there are 32 agents"):
        sized(fixed, 32)
    said: list[str] = []
    with pytest.raises(SpecificationError, match="agents: 0; allowed: at least 1"):
        explain(study(), folder, scale=[32, 0], watch=said.append)
    assert not said
