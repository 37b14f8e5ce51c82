"""Channels of a study from its folder: by its rules, its models, or what was fitted to them."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from cloudchamber.agents import LanguageModel, SocialProof
from cloudchamber.counterfactual import mediate
from cloudchamber.errors import RunFailed, SpecificationError, TraceError, Unfinished
from cloudchamber.experiment import Limits, Manifest
from cloudchamber.experiment.calling import Means
from cloudchamber.intervention import isolate
from cloudchamber.mechanism import Logit, Signal, fit
from cloudchamber.mechanism.growing import decided_by, put
from cloudchamber.microspec import (
    Decider,
    Group,
    Microspec,
    Popularity,
    Population,
    Sequential,
    Visibility,
)
from cloudchamber.models.fake import fake
from cloudchamber.phenomenon import HERDING
from cloudchamber.questions import Answers, Questions
from cloudchamber.report import account
from cloudchamber.study import Passages, Study, channels, passing
from cloudchamber.study.parts import parts_of
from cloudchamber.testing.fakes import Flaky, Reader
from cloudchamber.worlds import Feed

MORE = Logit(terms=(Signal(form="log", strength=1.5),))


class Quiet(Decider):
    """A rule of whose choices only the picks are known, as of a sampled answer."""

    kind: Literal["quiet in a test"] = "quiet in a test"
    rule: Logit

    def answer(self, questions: Questions) -> Answers:
        return replace(self.rule.answer(questions), weights=None)


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
    for damaged in ("{}", "[1]", "{", '{"left_out": []}'):
        (folder / "results" / "channels.json").write_text(damaged)
        with pytest.raises(TraceError, match="cannot be read"):
            Passages.read(folder)
    (folder / "results" / "channels.json").unlink()


def test_a_fitted_rule_decides_in_the_agents_place(folder: Path) -> None:
    told = channels(study(), folder, by="more likes", moved=False, through=["likes"])
    assert told.by == "more likes" and told.influence is None and not told.crossings
    assert told.mediation.indirect("likes").low > 0
    blind = channels(study(), folder, by="blind", moved=False, runs=3)
    assert blind.mediation.total().value == 0 and blind.mediation.total().n == 3
    assert channels(study(), folder, decided_by="rule", moved=False, runs=2).by == "more likes"
    with pytest.raises(SpecificationError, match="by: no mechanism 'blynd'"):
        channels(study(), folder, by="blynd")


def test_the_uncertainty_of_the_fit_is_in_the_intervals(tmp_path: Path) -> None:
    """The fit itself gives the value; its draws widen the interval, and each is a world of its own."""
    folder, of = tmp_path, study(Quiet(rule=MORE))
    of.run(folder)
    by: Any = {"by": "more likes", "moved": False, "through": ["likes"]}
    plain, drawn = (channels(of, folder, draws=n, **by) for n in (0, 12))
    assert drawn.mediation.coupled.draws == 12 and plain.mediation.coupled.draws == 0
    assert "12 draws" in str(drawn) and "is not in the intervals" in str(plain)
    for effect in ("total", "direct", "indirect", "alone"):
        known = [
            one.mediation.total() if effect == "total" else getattr(one.mediation, effect)("likes")
            for one in (plain, drawn)
        ]
        assert known[0].value == known[1].value
        assert known[1].high - known[1].low >= known[0].high - known[0].low
    wider = drawn.mediation.indirect("likes")
    assert wider.high - wider.low > 1.05 * (
        plain.mediation.indirect("likes").high - plain.mediation.indirect("likes").low
    )
    assert wider.method.endswith("with the fit's uncertainty")
    assert drawn.mediation.share("likes").value == 1
    # A draw rides as it would alone: its numbers are those of its own parameters in everybody's place.
    results = of.results(folder)
    part = parts_of(of, results)[0][0]
    fits = {"readers": fit(of.mechanisms["more likes"], part.choices(results, "readers"))}
    spec = put(of.microspec, decided_by(of.microspec, fits, 12)[7])
    alone = mediate(spec, isolate(), ["likes"], replicates=range(8)).coupled
    for world, values in alone.worlds.items():
        assert (drawn.mediation.coupled.drawn[world][6] == values).all()


def headlines() -> tuple[str, ...]:
    world = study().microspec.world
    assert isinstance(world, Feed)
    return tuple(world.headlines)


def test_a_model_that_is_a_rule_has_the_rules_channels_to_the_last_bit(tmp_path: Path) -> None:
    of_rule = study(SocialProof(), replicates=4)
    of_rule.run(tmp_path / "rule")
    told = channels(of_rule, tmp_path / "rule")
    models = {"reader": Reader(SocialProof(), headlines())}
    of_model = study(LanguageModel(model="reader"), replicates=4)
    of_model.run(tmp_path / "model", models=models)
    asked = channels(
        of_model, tmp_path / "model", decided_by="agents", moved=True, means=Means(models=models)
    )
    assert asked.models == ("reader",) and not asked.by
    assert asked.mediation.coupled.frame().equals(told.mediation.coupled.frame())
    for one, other in zip(asked.crossings, told.crossings, strict=True):
        assert one.coupled.frame().equals(other.coupled.frame())
    assert asked.influence is not None and told.influence is not None
    assert asked.influence.edges()[["source", "decision", "moved"]].equals(
        told.influence.edges()[["source", "decision", "moved"]]
    )
    assert told.mediation.total().value != 0


def sent(folder: Path) -> int:
    return Manifest.read(folder).billed().questions


def test_a_cap_stops_it_and_what_was_answered_is_never_asked_again(tmp_path: Path) -> None:
    asking = study(LanguageModel(model="fake:hash"), replicates=2)
    for name in ("whole", "capped"):
        asking.run(tmp_path / name)
    before = sent(tmp_path / "whole")
    whole = channels(asking, tmp_path / "whole", decided_by="agents")
    cost = sent(tmp_path / "whole") - before
    plan = passing(asking, tmp_path / "whole", decided_by="agents")
    assert 0 < cost <= plan.decisions - plan.known
    assert f"at most {plan.decisions - plan.known:,} new questions" in str(plan)
    assert whole.influence is None

    capped = tmp_path / "capped"
    for cap, more in ((0, 0), (cost // 2, cost // 2)):
        with pytest.raises(Unfinished, match=f"the cap of {cap} questions"):
            channels(asking, capped, decided_by="agents", means=Means(limits=Limits(questions=cap)))
        assert sent(capped) == before + more and Passages.read(capped) is None
    again = channels(asking, capped, decided_by="agents")
    assert sent(capped) == before + cost
    assert again.mediation.coupled.frame().equals(whole.mediation.coupled.frame())
    # A second call asks nothing, and a replay has all it needs.
    channels(asking, capped, decided_by="agents", means=Means(limits=Limits(questions=0)))
    replayed = channels(asking, capped, decided_by="agents", means=Means(store_mode="replay"))
    assert replayed.mediation.coupled.frame().equals(whole.mediation.coupled.frame())
    assert Manifest.read(capped).stopped == ""
    with pytest.raises(Unfinished, match="seconds"):
        channels(asking, capped, decided_by="agents", means=Means(limits=Limits(seconds=0)))


def test_a_replicate_of_which_a_run_fails_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    models = {"flaky": Flaky(fake("hash"), "failed", share=0.05)}
    asking = study(LanguageModel(model="flaky"), replicates=6)
    asking.run(tmp_path, models={"flaky": fake("hash")})
    told = channels(asking, tmp_path, decided_by="agents", means=Means(models=models))
    left = told.mediation.coupled.left_out
    assert 0 < len(left) < 5 and len(told.mediation.coupled) == 6 - len(left)
    assert f"replicate {min(left)} is left out: failed at answer" in str(told)
    told.save(tmp_path)
    again = Passages.read(tmp_path)
    assert again is not None and str(again) == str(told)
    models = {"flaky": Flaky(fake("hash"), "failed", share=1.0)}
    with pytest.raises(RunFailed, match="was made to be failed"):
        channels(asking, tmp_path, decided_by="agents", means=Means(models=models))


def test_of_a_language_model_what_costs_nothing_is_the_default(tmp_path: Path) -> None:
    asking = study(LanguageModel(model="fake:hash"), replicates=3)
    asking.run(tmp_path)
    before = sent(tmp_path)
    plan = passing(asking, tmp_path)
    assert plan.by == "more likes" and not plan.asked
    assert "--decided-by agents" in str(plan) and "costs nothing" in str(plan)
    told = channels(asking, tmp_path, moved=False)
    assert told.by == "more likes" and told.mediation.total().n == 3
    assert sent(tmp_path) == before
    told.save(tmp_path)
    document, _ = account.build(asking, asking.results(tmp_path))
    assert any("decided in the agents' place" in getattr(b, "text", "") for b in document.blocks)
    with pytest.raises(SpecificationError, match="the agents decide, or a mechanism"):
        passing(asking, tmp_path, decided_by="agents", by="blind")
    with pytest.raises(SpecificationError, match="decided_by: 'model'"):
        passing(asking, tmp_path, decided_by=cast(Any, "model"))
    nameless = study(LanguageModel(model="fake:hash"), replicates=3, mechanisms={})
    with pytest.raises(SpecificationError, match="--decided-by agents"):
        passing(nameless, tmp_path)
    with pytest.raises(SpecificationError, match="'refresh' was given"):
        channels(asking, tmp_path, decided_by="agents", means=Means(store_mode="refresh"))


def test_what_it_comes_to_is_told_before(tmp_path: Path) -> None:
    asking = study(LanguageModel(model="fake:hash"), replicates=3)
    asking.run(tmp_path)
    plan = passing(asking, tmp_path, decided_by="agents")
    told = plan.estimate()
    assert plan.worlds == (4, 3) and plan.decisions == 7 * 3 * 18 and plan.known == 2 * 3 * 18
    assert told.questions == plan.decisions - plan.known
    assert told.tokens_in > 0
    assert passing(asking, tmp_path).estimate().questions == 0


def test_what_has_no_effect_to_trace_is_refused(folder: Path) -> None:
    with pytest.raises(SpecificationError, match="has no null but itself"):
        channels(study(), folder, cell="baseline, isolated")
    with pytest.raises(SpecificationError, match="channel: 'lykes'"):
        channels(study(), folder, through=["lykes"])
