"""The study of repeated dilemmas with players whose behaviour is known, beside exact chains."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cloudchamber.agents import Grim, LanguageModel, TitForTat
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider
from cloudchamber.models.fake import fake
from cloudchamber.report import account
from cloudchamber.report.document import Check, Document


def grown(decider: Decider | None, folder: Path) -> tuple[str, Document]:
    study = load("dilemmas", quick=True, decides=decider)
    document, _ = account.build(study, study.run(folder, replicates=8))
    return " ".join(document.answer), document


def heeded(document: Document) -> Check:
    blocks = document.sections[-1].blocks
    (found,) = (one for one in blocks if isinstance(one, Check) and "done to them" in one.question)
    return found


def test_errors_spread_among_partners_that_are_drawn_as_theory_has_it(tmp_path: Path) -> None:
    told, document = grown(None, tmp_path)
    assert "**Collapse of cooperation grows** in the cell at risk (drawn / memory 1)" in told
    assert heeded(document).state == "fine"
    (figure,) = (one for one in document.figures if one.id == "rounds")
    late = figure.data[figure.data["round"] > 20].groupby("cell")["value"].mean()
    # Twenty meet the same again oftener than a population without end: they stay a little above it.
    for cell, within in (("kept / memory 1", 0.05), ("drawn / memory 1", 0.1)):
        assert late[cell] == pytest.approx(late[f"{cell}, in theory"], abs=within)
    assert late["kept / memory 1"] > late["drawn / memory 1"] + 0.2


def test_who_answers_like_with_like_and_never_errs_cooperates_for_good(tmp_path: Path) -> None:
    told, document = grown(TitForTat(), tmp_path)
    assert "**Collapse of cooperation does not grow**" in told
    assert heeded(document).state == "warning", "nobody ever defects, so nothing can be told"


@pytest.mark.parametrize(("rule", "within"), [(TitForTat(), 0.03), (Grim(), 0.06)])
def test_players_beside_random_ones_do_as_the_chains_say(
    rule: Decider, within: float, tmp_path: Path
) -> None:
    """A hundred rounds, and of those before the ten that the published memory reaches."""
    study = load("dilemmas", decides=rule)
    study = replace(study, factors=(), interventions=(), risk="")
    document, _ = account.build(study, study.run(tmp_path, replicates=20))
    (told,) = (one for one in document.answer if "Beside random players" in one)
    pairs = re.findall(r"(0[.]\d+) \[[^]]*\] \(in theory (0[.]\d+)\)", told)
    assert len(pairs) == 3
    for found, theory in pairs:
        assert float(found) == pytest.approx(float(theory), abs=within)


def test_who_heeds_nobody_is_called_out(tmp_path: Path) -> None:
    study = load("dilemmas", quick=True, decides=LanguageModel())
    results = study.run(tmp_path, models={"embedded": fake("uniform")}, replicates=2)
    document, _ = account.build(study, results)
    assert heeded(document).state == "bad"


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("decider", [None, LanguageModel()])
def test_every_cell_is_told_against_a_twin_that_learns_nothing(
    decider: Decider | None, quick: bool
) -> None:
    study = load("dilemmas", quick=quick, decides=decider)
    for cell in study.combinations():
        twin = study.null_of(cell)
        assert twin is not None
        assert not twin.spec.visibility.display("partner").reveals
        assert not twin.spec.visibility.display("payoff").reveals
        assert twin.spec.turns == cell.spec.turns
