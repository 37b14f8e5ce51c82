"""A threshold regrown: by the true rule run by run; by a wrong one elsewhere, or nowhere at all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.experiment import Factor
from cloudchamber.intervention import isolate
from cloudchamber.mechanism import Logit, Signal
from cloudchamber.microspec import Group, Microspec, Population, Sequential
from cloudchamber.phenomenon import HERDING
from cloudchamber.report import account
from cloudchamber.report.explaining import regrown_of
from cloudchamber.study import Study, boundary, explain, threshold
from cloudchamber.study.relocating import relocate
from cloudchamber.study.sought import Sought
from cloudchamber.study.told import read, tell
from cloudchamber.worlds import Feed

TRUE = Logit(terms=(Signal(form="log", strength=1.5),))
BLIND = Logit()
LATENCY = Factor.over("visibility.latency", 0, 4, whole=True, name="latency")


def study(**more: Any) -> Study:
    readers = Group(name="readers", count=10, decides=TRUE)
    usual = Study(
        name="late",
        question="How late may likes be?",
        phenomenon=HERDING,
        microspec=Microspec(
            world=Feed.of(10), population=Population(groups=(readers,)), turns=Sequential(steps=4)
        ),
        replicates=6,
        null=isolate(),
        mechanisms={"more likes": TRUE, "no likes": BLIND},
    )
    return replace(usual, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was run, and its search along the latency."""
    out: Path = tmp_path_factory.mktemp("late")
    study().run(out / "run")
    threshold(study(), LATENCY, out / "search", runs=27)
    return out


def test_the_true_rule_goes_through_the_same_search_run_by_run(folder: Path) -> None:
    sought = Sought.read(folder / "search")
    found = relocate(study(), sought, TRUE, draws=2)
    assert found.grown.kind in ("gradual", "threshold") and found.grown.at.known
    one, other = sought.found.trials, found.regrown.trials
    assert [(run.level, run.replicate) for run in one] == [
        (run.level, run.replicate) for run in other
    ]
    assert [run.response for run in one] == pytest.approx(
        [run.response for run in other], abs=1e-12
    )
    assert found.gap.value == pytest.approx(0, abs=1e-9) and found.fit_error < 1e-9
    assert replace(found, margin=0.4).answer == "sufficient"


def test_a_wrong_rule_is_told_apart(folder: Path) -> None:
    found = relocate(study(), Sought.read(folder / "search"), BLIND, draws=1)
    assert found.regrown.kind == "never" and found.answer == "not sufficient"
    assert "regrown: it is never there" in found.sentence()


def test_an_explanation_holds_it_and_the_report_tells_it(folder: Path) -> None:
    found = explain(study(), folder / "run", draws=3, searches=[folder / "search"], apart=0.4)
    (part,) = found.parts
    assert set(part.places) == {"more likes"}  # the hypothesis' own, which predicts best
    (place,) = part.places["more likes"]
    assert place.answer == "sufficient" and "along latency from 0 to 4" in str(found)
    told = tell(found)
    told.save(folder / "run")
    kept = read(folder / "run")
    assert kept is not None and regrown_of(kept).because.endswith(place.sentence())
    results = study().results(folder / "run")
    document = account.write(study(), results, folder / "run")
    assert any("Does it begin there, too?" in line for line in document.answer)
    assert "threshold-latency" in {figure.id for figure in document.figures}


def test_a_rule_that_begins_nowhere_does_not_suffice_though_it_grows_the_rest(folder: Path) -> None:
    alone = study(mechanisms={"no likes": BLIND})
    found = explain(alone, folder / "run", draws=2, margin=0.9, searches=[folder / "search"])
    assert found.sufficiency is not None and found.sufficiency.answer == "sufficient"
    told = tell(found)
    assert regrown_of(told).answer == "not sufficient"
    assert "it is never there" in regrown_of(told).because


def test_of_a_boundary_each_line_is_searched_again(folder: Path, tmp_path: Path) -> None:
    steps = Factor.over("turns.steps", 5, 9, whole=True, name="steps")
    found = boundary(study(), LATENCY, steps, tmp_path, runs=15, lines=3)
    sought = Sought.all_of(tmp_path)
    assert [one.name for one in sought] == [f"latency, steps = {at}" for at in (5, 7, 9)]
    assert {run.level for one in sought for run in one.found.trials} <= {0.0, 1.0, 2.0, 3.0, 4.0}
    assert [one.found for one in sought] == [one for _, one in found.lines]
    for one in sought:
        again = relocate(study(), one, TRUE, draws=1)
        runs, others = one.found.trials, again.regrown.trials
        assert [(run.level, run.replicate) for run in runs] == [
            (run.level, run.replicate) for run in others
        ]
        assert [run.response for run in runs] == pytest.approx(
            [run.response for run in others], abs=1e-12
        )
    # No two lines share a run, so each is evidence of its own.
    numbers = [run.replicate for one in sought for run in one.found.trials]
    assert len(numbers) == len(set(numbers)) == found.runs
    told = explain(study(), folder / "run", draws=2, searches=[tmp_path], apart=0.4)
    places = told.parts[0].places["more likes"]
    assert [place.factor for place in places] == [one.name for one in sought]
    tell(told).save(folder / "run")
    document, _ = account.build(study(), study().results(folder / "run"))
    assert "threshold-latency-steps-5" in {figure.id for figure in document.figures}
    (tmp_path / "results" / "boundary.json").write_text("{}")
    with pytest.raises(TraceError, match="boundary.json is damaged"):
        Sought.all_of(tmp_path)


def test_what_cannot_be_searched_again_says_why(folder: Path, tmp_path: Path) -> None:
    sought = Sought.read(folder / "search")
    with pytest.raises(SpecificationError, match="a specification .* does not have"):
        relocate(study().set("turns.steps", 7), sought, TRUE)
    with pytest.raises(TraceError, match="holds no search for a threshold"):
        explain(study(), folder / "run", searches=[folder / "run"])
    strength = Factor.over(
        "population.groups[0].decides.terms[0].strength", 0.0, 4.0, name="strength"
    )
    threshold(study(), strength, tmp_path, runs=9)
    found = explain(study(), folder / "run", draws=2, searches=[tmp_path])
    assert not found.parts[0].places
    assert "nothing that could be varied so" in found.parts[0].not_relocated["strength"]
    tell(found).save(folder / "run")
    document, _ = account.build(study(), study().results(folder / "run"))
    assert any("was not done again" in getattr(block, "text", "") for block in document.blocks)
    (tmp_path / "results" / "threshold.json").write_text("{}")
    with pytest.raises(TraceError, match="is damaged"):
        Sought.read(tmp_path)
