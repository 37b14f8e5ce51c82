"""The account rests on stored results alone, says what is missing, and doubts what it should."""

from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from cloudchamber import (
    Factor,
    Feed,
    Group,
    Microspec,
    Population,
    Results,
    SocialProof,
    Study,
)
from cloudchamber.agents import LanguageModel, Random
from cloudchamber.analysis import Estimate
from cloudchamber.errors import TraceError
from cloudchamber.experiment import Cell, Manifest
from cloudchamber.intervention import hide, isolate, pin
from cloudchamber.microspec import Decider, Sequential
from cloudchamber.models.fake import FakeModel, fake
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.phenomenon import HERDING
from cloudchamber.report import account, evidence, findings, sceptic
from cloudchamber.report.document import Check, Document, Figure, Prose, Supplement
from cloudchamber.testing.fakes import Flaky

MODEL = LanguageModel(model="fake")


def study(decides: Decider | None = None, **more: Any) -> Study:
    spec = Microspec(
        world=Feed.of(6),
        population=Population(
            groups=(Group(name="readers", count=6, decides=decides or SocialProof()),)
        ),
        turns=Sequential(steps=3),
    )
    whole = Study(
        name="small",
        question="Does it work?",
        phenomenon=HERDING,
        microspec=spec,
        factors=(
            Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes"),
            Factor.at("visibility.order", ["shuffled", "popularity"], "order"),
        ),
        replicates=3,
        null=isolate(),
        risk="exact / popularity",
        interventions=(hide("likes"),),
        attack=pin(1),
    )
    return replace(whole, **more)


def told(study: Study, folder: Path, model: Model | None = None, **more: Any) -> Document:
    models = {"fake": model} if model else None
    return account.build(study, study.run(folder, models=models, **more))[0]


def check(document: Document, start: str) -> Check:
    (found,) = [one for one in document.checks if one.question.startswith(start)]
    return found


def test_without_a_complete_run_there_is_no_report_and_the_reason_is_said(tmp_path: Path) -> None:
    asked = study(MODEL)
    with pytest.raises(TraceError, match=r"no complete run yet.*the fake always fails") as caught:
        told(asked, tmp_path, fake("fail"))
    assert str(tmp_path) in str(caught.value)
    assert not (tmp_path / "report.html").exists()


def test_before_anything_was_grown_there_is_no_report(tmp_path: Path) -> None:
    plain = study()
    Manifest.of("small", {}, 0, "full", 3, plain.design()).claim(tmp_path)
    with pytest.raises(TraceError, match="no trace"):
        account.build(plain, plain.results(tmp_path))


def test_an_unfinished_study_has_a_report_that_says_so(tmp_path: Path) -> None:
    flaky = Flaky(fake("hash"), "failed", share=0.04)
    document = told(study(MODEL), tmp_path, flaky, replicates=4)
    missing = check(document, "Is every run there?")
    assert missing.state == "warning"
    assert "0 are missing" in missing.answer and "this fake was made to be failed" in missing.answer
    runs = study(MODEL).results(tmp_path, replicates=4).runs.drop_duplicates("run")
    lost = int((runs["status"] == "failed").sum())
    assert 0 < lost < len(runs)
    assert document.unfinished.startswith(f"{lost} of {len(runs)} runs are missing or failed")


def test_a_study_of_which_one_cell_is_wholly_missing_still_has_its_report(tmp_path: Path) -> None:
    """The null too may be what is missing: then nothing can be told against it."""
    results = study().run(tmp_path)
    for cell in ("hidden / shuffled", "exact / popularity", "attacked"):
        trace = tmp_path / "trace" / "runs"
        for path in trace.glob(f"{results.design[cell].id}-*"):
            path.unlink()
        document, tables = account.build(study(), study().results(tmp_path))
        assert len(document.verdicts) == 3
        mine: Any = tables["cells"].set_index(["label", "measure"]).loc[(cell, "gini")]
        assert np.isnan(mine["value"])
    assert document.verdicts[0].answer in ("undecided", "no evidence")


@pytest.mark.parametrize("replicates", [1, 2])
def test_few_runs_decide_nothing(tmp_path: Path, replicates: int) -> None:
    document = told(study(), tmp_path, replicates=replicates)
    if replicates == 1:
        assert {v.answer for v in document.verdicts} <= {"undecided", "no evidence"}
    assert len(document.sections) == 6


@pytest.mark.parametrize(
    ("status", "word"),
    [("refused", "refused"), ("unparseable", "unparseable"), ("timeout", "timeouts")],
)
def test_what_could_not_be_used_is_counted_in_the_check(
    tmp_path: Path, status: Literal["refused", "unparseable", "timeout"], word: str
) -> None:
    asked = study(MODEL)
    flaky = Flaky(fake("hash"), status, share=0.05)
    document = told(asked, tmp_path, flaky, replicates=2)
    runs = asked.results(tmp_path).runs.drop_duplicates("run")
    lost, total = int(runs[word].sum()), int(runs["questions"].sum())
    found = check(document, "What fraction")
    assert 0 < lost < total and total == len(runs) * 18
    assert f"{lost / total:.1%} of {total:,} answers" in found.answer
    assert f"{lost} {word}" in found.answer
    assert found.state == "warning"
    saved = pd.DataFrame(account.build(asked, asked.results(tmp_path))[1]["runs"])
    assert int(saved.drop_duplicates("run")[word].sum()) == lost, "by run and cell in the table"


def test_a_model_that_answers_nothing_usable_makes_every_claim_undecided(tmp_path: Path) -> None:
    document = told(study(MODEL), tmp_path, fake("refuse"))
    assert check(document, "What fraction").state == "bad"
    assert [v.answer for v in document.verdicts] == ["undecided", "undecided", "no evidence"]


def with_mass(mass: float) -> FakeModel:
    def answer(request: Request) -> Reply:
        return Reply(logprobs=np.full(len(request.options), -np.log(6)), mass=mass)

    return FakeModel(answer, "fake")


@pytest.mark.parametrize(
    ("mass", "state"), [(0.95, "fine"), (0.5, "warning"), (0.1, "warning"), (0.001, "bad")]
)
def test_how_much_the_model_means_its_answers(tmp_path: Path, mass: float, state: str) -> None:
    document = told(study(MODEL), tmp_path, with_mass(mass), replicates=2)
    found = check(document, "Does the model answer")
    assert found.state == state and f"{mass:.2g}" in found.answer


def test_a_model_that_chooses_by_the_code_is_found_out(tmp_path: Path) -> None:
    def by_code(request: Request) -> Reply:
        favour = np.array([100.0 if option.startswith("1") else 1.0 for option in request.options])
        return Reply(logprobs=np.log(favour / favour.sum()), mass=1.0)

    def by_place(request: Request) -> Reply:
        weights = np.array([2.0**-k for k in range(len(request.options))])
        return Reply(logprobs=np.log(weights / weights.sum()), mass=1.0)

    plain = study(MODEL, factors=(), null=None, risk="", interventions=(), attack=None)
    plain = plain.set("world.headlines", [f"item {k}" for k in range(24)]).set("turns.steps", 10)
    states = {
        name: check(
            told(plain, tmp_path / name, FakeModel(answer, "fake"), replicates=2), "Is it biased"
        ).state
        for name, answer in (("code", by_code), ("place", by_place))
    }
    assert states == {"code": "warning", "place": "fine"}


def test_doubts_are_the_answers_of_checks_that_are_bad() -> None:
    given = (Check("A?", "yes.", "fine"), Check("B?", "no.", "bad"), Check("C?", "so.", "warning"))
    assert sceptic.doubts(given) == ("B? no.",)


def test_rules_are_not_asked_what_models_are(tmp_path: Path) -> None:
    document = told(study(Random()), tmp_path)
    assert [one.question for one in document.checks] == ["Is every run there?"]


def test_a_study_without_factors_interventions_attack_or_null_has_its_report(
    tmp_path: Path,
) -> None:
    bare = study(factors=(), null=None, risk="", interventions=(), attack=None)
    document = told(bare, tmp_path)
    assert document.verdicts[0].answer in ("met", "not met", "undecided")
    (found,) = [b for b in document.sections[2].blocks if isinstance(b, Figure) and b.id == "cells"]
    assert list(found.data["label"]) == ["baseline"], "the baseline is what was grown"
    account.write(bare, bare.results(tmp_path), tmp_path)
    assert (tmp_path / "report.html").stat().st_size > 100_000


def test_further_cells_and_blocks_of_the_study_find_their_place(tmp_path: Path) -> None:
    """Even where a further cell says where it stands on a factor."""

    def mine(_: Study, __: Results) -> Supplement:
        stage = {2: (Prose("In the second stage."),)}
        return Supplement(("A sentence.",), (Check("Mine?", "Yes.", "fine"),), stage)

    spec = study().microspec.replace("visibility.latency", 1)
    late = Cell("late", spec, {"likes": "exact", "place": "anywhere"})
    document = told(study(account=mine, more=(late,)), tmp_path)
    assert check(document, "Mine?").answer == "Yes."
    assert document.answer[-1] == "A sentence."
    assert Prose("In the second stage.") in document.sections[1].blocks


def test_the_report_is_a_function_of_what_is_stored(tmp_path: Path) -> None:
    plain = study()
    results = plain.run(tmp_path)
    account.write(plain, results, tmp_path, "again")
    first = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    account.write(plain, plain.results(tmp_path), tmp_path, "again")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == first


def test_factors_are_told_replicate_by_replicate(tmp_path: Path) -> None:
    """Recomputed by hand from the table of cells."""
    plain = study()
    results = plain.run(tmp_path, replicates=5)
    table = results.measure(HERDING.measure)
    (row,) = (
        evidence.factors(plain, results, HERDING.measure)
        .query("factor == 'likes'")
        .to_dict("records")
    )
    gap = (
        table["exact / shuffled"]
        - table["hidden / shuffled"]
        + table["exact / popularity"]
        - table["hidden / popularity"]
    ) / 2
    half = 2.7764451 * gap.std(ddof=1) / np.sqrt(5)
    assert (row["value"], row["n"]) == (pytest.approx(gap.mean()), 5)
    assert (row["low"], row["high"]) == (
        pytest.approx(gap.mean() - half, rel=1e-6),
        pytest.approx(gap.mean() + half, rel=1e-6),
    )


def test_what_an_intervention_and_the_attack_change_is_told_replicate_by_replicate(
    tmp_path: Path,
) -> None:
    plain = study()
    results = plain.run(tmp_path, replicates=4)
    table = results.measure(HERDING.measure)
    whole, excess = evidence.contrasts(plain, results, HERDING.measure).to_dict("records")
    gap = (table["with hide likes"] - table["exact / popularity"]).mean()
    assert whole["value"] == pytest.approx(gap)
    # Both are told against the same null here: nobody heeds anybody in an order that stays.
    assert excess["value"] == pytest.approx(gap)
    share = results.measure(evidence.target_share((1,)))
    first, second = evidence.attacks(plain, results).to_dict("records")
    assert first["value"] == pytest.approx((share["attacked"] - share["exact / popularity"]).mean())
    assert second["value"] == pytest.approx(
        (share["attacked, with hide likes"] - share["with hide likes"]).mean()
    )


def test_a_main_effect_that_is_not_the_same_throughout_is_told_place_by_place() -> None:
    rows = {"n": 9, "text": "x", "label": "likes: b instead of a"}
    mains = pd.DataFrame([rows | {"low": 0.01, "high": 0.2}])
    places = [("shuffled", 0.1, 0.2), ("fixed", -0.01, 0.01)]
    simple = pd.DataFrame(
        [
            rows | {"of": rows["label"], "place": f"order is {p}", "low": a, "high": b}
            for p, a, b in places
        ]
    )
    tables = {"factors": mains, "simple_effects": simple}
    (told,) = findings._factors(tables, "the Gini", 0.05)
    assert (
        "rises where order is shuffled" in told
        and "changes by less than 0.05 where order is fixed" in told
    )
    (alike,) = findings._factors(tables | {"simple_effects": simple.head(1)}, "the Gini", 0.05)
    assert "cannot be told" in alike
    few = {name: frame.assign(n=3) for name, frame in tables.items()}
    assert "from 3 runs" in findings._factors(few, "the Gini", 0.05)[0]


def test_what_did_not_grow_needs_no_explanation(tmp_path: Path) -> None:
    document = told(study(Random()), tmp_path, replicates=6)
    # Whoever heeds nothing decides as its null does, to the letter.
    assert [one.answer for one in document.verdicts][:2] == ["not met", "no evidence"]


def test_an_estimate_in_a_table_leaves_the_number_of_runs_to_the_caption() -> None:
    assert evidence.brief(Estimate(0.52, 0.49, 0.55, 10)) == "0.52 [0.49, 0.55]"
    assert evidence.brief(Estimate(0.52, nan, nan, 1)) == "0.52"
    assert evidence.brief(Estimate(0.5, 0.5, 0.5, 4)) == "0.5", "nothing varied"
    assert evidence.brief(Estimate(nan, nan, nan, 0)) == "–"


def test_a_name_with_quotes_is_written_and_read(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s "quoted" ; DROP'
    plain = study()
    document = account.write(plain, plain.run(folder), folder)
    assert document.title == "small"
    assert (folder / "results" / "cells.parquet").exists()


def test_what_a_server_can_do_is_written_down_and_kept(tmp_path: Path) -> None:
    class Able:
        def aloud(self) -> str:
            return "answers by chat."

    model: Any = fake("hash")
    model.capabilities = Able()
    asked = study().decided_by(LanguageModel(model="mine"))
    results = asked.run(tmp_path, models={"mine": model}, replicates=1)
    assert Manifest.read(tmp_path).servers == {"mine": "answers by chat."}
    asked.run(tmp_path, models={}, replicates=1)
    assert Manifest.read(tmp_path).servers, "what is there already asks nobody, and forgets nothing"
    document, _ = account.build(asked, results)
    assert ("the server of mine", "answers by chat.") in document.provenance
