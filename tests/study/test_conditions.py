"""Which conditions matter and suffice, of a study: from its results, kept beside them."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cloudchamber import Factor, Feed, Group, Microspec, Population, Study
from cloudchamber.agents import SocialProof
from cloudchamber.analysis.saved import load
from cloudchamber.analysis.sensitivity.variance import Indices
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import sobol_sequence
from cloudchamber.intervention import isolate
from cloudchamber.microspec import Sequential
from cloudchamber.phenomenon import HERDING
from cloudchamber.study import grown, sensitivity, sufficiency

LIKES = Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes")
LABELS = Factor.at("affordances.labels", ["codes", "letters"], "labels")
STUDY = Study(
    name="urn",
    question="?",
    phenomenon=HERDING,
    microspec=Microspec(
        world=Feed.of(10),
        population=Population(
            groups=(Group(name="readers", count=20, decides=SocialProof(strength=5.0)),)
        ),
        turns=Sequential(steps=5),
    ),
    factors=(LIKES, LABELS),
    null=isolate(),
    replicates=80,
)


def test_shown_likes_suffice_and_labels_are_no_condition(tmp_path: Path) -> None:
    results = STUDY.run(tmp_path)
    runs = grown(STUDY, results)
    assert runs[["hidden / codes", "hidden / letters"]].to_numpy().max() == 0
    found = sufficiency(STUDY, results)
    assert str(found).startswith("likes exact suffice")
    table = load(tmp_path / "results" / "sufficiency.parquet")
    assert table["conditions"].tolist() == ["likes exact"] and table["claimed"].all()
    kept = load(tmp_path / "results" / "grown.parquet").set_index("replicate")
    assert kept.to_numpy().tolist() == runs.to_numpy().tolist()
    with pytest.raises(SpecificationError, match="sensitivity takes a sampled design"):
        sensitivity(STUDY, results)


def test_of_a_sampled_study_the_strength_matters_and_labels_do_not(tmp_path: Path) -> None:
    strength = Factor.over("population.groups[0].decides.strength", 0, 5, name="strength")
    sampled = replace(
        STUDY, factors=(strength, LABELS), plan=partial(sobol_sequence, n=16), replicates=4
    )
    results = sampled.run(tmp_path)
    found = sensitivity(sampled, results)
    assert isinstance(found, Indices)
    assert found.total["strength"].value > 0.5
    assert found.total["labels"].low <= 0 <= found.total["labels"].high
    kept = load(tmp_path / "results" / "sensitivity.parquet")
    assert set(kept["factor"]) == {"strength", "labels"}


def test_without_a_null_it_must_be_said_what_counts_as_grown(tmp_path: Path) -> None:
    bare = replace(STUDY, null=None, replicates=2)
    results = bare.run(tmp_path)
    with pytest.raises(SpecificationError, match="above: none is given, and the study has no null"):
        grown(bare, results)
    assert set(grown(bare, results, above=0.9).to_numpy().ravel()) <= {0.0, 1.0}
