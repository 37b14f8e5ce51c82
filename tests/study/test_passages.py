"""Channels of a study from its folder: the planted one carries the effect, and the report says so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.agents import LanguageModel
from cloudchamber.counterfactual import mediate
from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.intervention import isolate
from cloudchamber.mechanism import Logit, Signal
from cloudchamber.microspec import (
    Decider,
    Group,
    Microspec,
    Popularity,
    Population,
    Sequential,
    Visibility,
)
from cloudchamber.models.fake import FAKES
from cloudchamber.phenomenon import HERDING
from cloudchamber.report import account
from cloudchamber.study import Passages, Study, channels
from cloudchamber.worlds import Feed

MORE = Logit(terms=(Signal(form="log", strength=1.5),))


def study(decides: Decider = MORE, **more: Any) -> Study:
    readers = Group(name="readers", count=6, decides=decides)
    usual = Study(
        name="passing",
        question="Through what?",
        phenomenon=HERDING,
        microspec=Microspec(
            world=Feed.of(6),
            population=Population(groups=(readers,)),
            visibility=Visibility(order=Popularity()),
            turns=Sequential(steps=3),
        ),
        replicates=8,
        null=isolate(),
        mechanisms={"more likes": Logit(terms=(Signal(form="log"),)), "blind": Logit()},
    )
    return replace(usual, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("passing")
    study().run(out)
    return out


@pytest.fixture(scope="module")
def found(folder: Path) -> Passages:
    return channels(study(), folder)


def test_who_heeds_likes_alone_lets_all_of_it_pass_through_likes(found: Passages) -> None:
    told = found.mediation
    assert told.channels == ("likes", "order")
    assert told.total().low > 0
    assert told.indirect("likes").value == pytest.approx(told.total().value)
    assert told.direct("likes").value == told.indirect("order").value == 0
    (both,) = found.crossings
    assert both.interaction().value == 0
    assert found.influence is not None and found.influence.branching().low > 0


def test_the_worlds_are_the_runs_of_the_folder(found: Passages, folder: Path) -> None:
    """With and without are what was grown, run by run; and what `mediate` says by itself."""
    results = study().results(folder)
    table = results.measure("gini")
    worlds = found.mediation.coupled.worlds
    assert worlds["with"] == pytest.approx(table["baseline"].to_numpy())
    assert worlds["without"] == pytest.approx(table["baseline, isolated"].to_numpy())
    alone = mediate(study().microspec, isolate(), ["likes"], replicates=range(8))
    assert alone.indirect("likes") == found.mediation.indirect("likes")


def test_it_is_kept_and_told_in_the_report(found: Passages, folder: Path) -> None:
    assert Passages.read(folder) is None
    found.save(folder)
    again = Passages.read(folder)
    assert again is not None and str(again) == str(found)
    document = account.write(study(), study().results(folder), folder)
    said = " ".join(document.answer)
    assert "**Through likes** pass" in said and "**Likes and order together**" in said
    assert "**Who moves whom**" in said
    assert "passages" in {figure.id for figure in document.figures}
    assert (folder / "results" / "passages influence.parquet").exists()
    (folder / "results" / "channels.json").write_text("{}")
    with pytest.raises(TraceError, match="cannot be read"):
        Passages.read(folder)
    (folder / "results" / "channels.json").unlink()


def test_a_fitted_rule_decides_in_the_agents_place(folder: Path) -> None:
    told = channels(study(), folder, by="more likes", moved=False, through=["likes"])
    assert told.by == "more likes" and told.influence is None and not told.crossings
    assert told.mediation.indirect("likes").low > 0
    blind = channels(study(), folder, by="blind", moved=False, runs=3)
    assert blind.mediation.total().value == 0 and blind.mediation.total().n == 3
    with pytest.raises(SpecificationError, match="by: no mechanism 'blynd'"):
        channels(study(), folder, by="blynd")


def test_a_language_model_is_refused_and_what_is_fitted_to_it_is_not(tmp_path: Path) -> None:
    assert "hash" in FAKES
    asking = study(LanguageModel(model="fake:hash"), replicates=3)
    asking.run(tmp_path)
    with pytest.raises(SpecificationError, match="--by NAME .* 'more likes', 'blind'"):
        channels(asking, tmp_path)
    told = channels(asking, tmp_path, by="more likes", moved=False)
    assert told.mediation.total().n == 3
    told.save(tmp_path)
    document, _ = account.build(asking, asking.results(tmp_path))
    assert any("decided in the agents' place" in getattr(b, "text", "") for b in document.blocks)


def test_what_has_no_effect_to_trace_is_refused(folder: Path) -> None:
    with pytest.raises(SpecificationError, match="has no null but itself"):
        channels(study(), folder, cell="baseline, isolated")
    with pytest.raises(SpecificationError, match="channel: 'lykes'"):
        channels(study(), folder, through=["lykes"])
