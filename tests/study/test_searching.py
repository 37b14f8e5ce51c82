"""A search along a factor of a study: found where it was planted, resumed at no cost, capped and refused."""

from pathlib import Path

import pytest

from cloudchamber import Factor, Feed, Group, Microspec, Population, Study
from cloudchamber.agents import Random, SocialProof
from cloudchamber.analysis.saved import load
from cloudchamber.errors import SpecificationError, TraceError, Unfinished
from cloudchamber.experiment import Limits
from cloudchamber.experiment.calling import Means
from cloudchamber.intervention import isolate
from cloudchamber.microspec import Sequential
from cloudchamber.phenomenon import HERDING
from cloudchamber.report import searching
from cloudchamber.study import boundary, threshold
from cloudchamber.trace import TraceFolder

STRENGTH = Factor.over("population.groups[0].decides.strength", 0.0, 4.0, name="strength")
THRESHOLD = Factor.over("population.groups[0].decides.threshold", 1, 40, whole=True, name="likes")


def study(**rule: object) -> Study:
    decides = SocialProof.model_validate({"strength": 3.0} | rule)
    people = Population(groups=(Group(name="readers", count=20, decides=decides),))
    return Study(
        name="urn",
        question="?",
        phenomenon=HERDING,
        microspec=Microspec(world=Feed.of(10), population=people, turns=Sequential(steps=5)),
        null=isolate(),
    )


def test_without_influence_there_is_none_and_with_more_there_is_more(tmp_path: Path) -> None:
    found = threshold(study(), STRENGTH, tmp_path, runs=40)
    assert found.kind in ("gradual", "threshold")
    assert found.first.low < 0.05
    assert found.last.low > 0.1
    trials = load(tmp_path / "results" / "threshold.parquet")
    assert len(trials) == found.runs
    verdict = load(tmp_path / "results" / "threshold_verdict.parquet")
    assert set(verdict["kind"]) == {found.kind}
    (last,) = verdict.loc[verdict["what"] == "last", ["value", "low", "high"]].to_numpy().tolist()
    assert last == pytest.approx([found.last.value, found.last.low, found.last.high])
    (line,) = verdict.loc[verdict["what"] == "probability of line", "value"]
    assert line == found.probability("line")
    told = found.aloud(searching.told_by(study()))
    assert "the mean excess of the Gini coefficient over its null rises" in told
    # A run without strength heeds nobody: it is its own twin, choice by choice.
    assert (trials.loc[trials["level"] == 0, "response"] == 0).all()


def test_a_second_call_grows_nothing_and_says_the_same(tmp_path: Path) -> None:
    first = threshold(study(), STRENGTH, tmp_path, runs=20)
    before = len(TraceFolder(tmp_path / "trace").runs())
    again = threshold(study(), STRENGTH, tmp_path, runs=20)
    assert again == first
    assert len(TraceFolder(tmp_path / "trace").runs()) == before
    more = threshold(study(), STRENGTH, tmp_path, runs=26)
    assert [t.level for t in more.trials[:20]] == [t.level for t in first.trials]


def test_whole_numbers_alone_are_tried(tmp_path: Path) -> None:
    """Likes have an effect only from a number on that nothing reaches: so far up there is no herding."""
    found = threshold(study(proof="threshold"), THRESHOLD, tmp_path, runs=40)
    assert {trial.level for trial in found.trials} <= {float(n) for n in range(1, 41)}
    assert found.probability("flat") < 0.05
    assert found.last.low < 0.03


def test_what_never_grows_is_said_to_be_never_there(tmp_path: Path) -> None:
    weak = Factor.over("population.groups[0].decides.strength", 0.0, 0.002, name="strength")
    found = threshold(study(), weak, tmp_path, runs=60)
    assert found.kind in ("never", "flat")


def test_at_a_cap_it_is_unfinished_and_goes_on(tmp_path: Path) -> None:
    capped = Means(limits=Limits(seconds=0.0))
    with pytest.raises(Unfinished):
        threshold(study(), STRENGTH, tmp_path, runs=20, means=capped)
    assert threshold(study(), STRENGTH, tmp_path, runs=20).runs == 20


def test_what_cannot_be_searched_is_refused(tmp_path: Path) -> None:
    words = Factor.at("visibility.fields.likes", ["hidden", "exact"])
    with pytest.raises(SpecificationError, match="three numbers or more"):
        threshold(study(), words, tmp_path)
    with pytest.raises(SpecificationError, match="decides.strenth"):
        threshold(study(), Factor.over("population.groups[0].decides.strenth", 0, 1), tmp_path)


def test_the_page_shows_the_curve_and_every_level(tmp_path: Path) -> None:
    found = threshold(study(), STRENGTH, tmp_path, runs=20)
    page = searching.write(study(), STRENGTH, found, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "where does it begin?" in text and "threshold-curve" in text
    document = searching.document(study(), STRENGTH, found)
    assert document.answer[0].startswith("**strength**: ")


def test_the_boundary_of_two_factors_bends_where_influence_is_diluted(tmp_path: Path) -> None:
    """Where half of the readers pick at random, it takes a stronger pull to grow as much."""
    mixed = study()
    people = Population(
        groups=(
            Group(name="readers", count=14, decides=SocialProof(strength=3.0)),
            Group(name="random", count=6, decides=Random()),
        )
    )
    mixed = mixed.set("population", people)
    random = Factor.over("population.groups[1].share", 0.0, 0.8, name="random")
    found = boundary(mixed, STRENGTH, random, tmp_path, runs=24, lines=3, criterion=0.1)
    assert [across for across, _ in found.lines] == [0.0, 0.4, 0.8]
    first, last = found.lines[0][1], found.lines[-1][1]
    assert first.last.value > last.last.value
    assert len(load(tmp_path / "results" / "boundary_runs.parquet")) == found.runs


def test_a_folder_is_of_one_search(tmp_path: Path) -> None:
    """Another factor's search would write over what the first one found."""
    threshold(study(), STRENGTH, tmp_path, runs=9)
    latency = Factor.over("visibility.latency", 0, 4, whole=True, name="latency")
    with pytest.raises(TraceError, match="threshold along strength.*keep them apart"):
        threshold(study(), latency, tmp_path, runs=9)
