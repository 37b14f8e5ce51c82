"""The study of repeated dilemmas with players whose behaviour is known, beside exact chains."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cloudchamber.agents import Grim, LanguageModel, TitForTat
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider
from tests.studies.reported import at_random, check, drawn, quick, reported

HEEDED = "done to them"


def test_errors_spread_among_partners_that_are_drawn_as_theory_has_it(tmp_path: Path) -> None:
    told, document = quick("dilemmas", None, tmp_path, replicates=8)
    assert "**Collapse of cooperation grows** in the cell at risk (drawn / memory 1)" in told
    assert check(document, HEEDED).state == "fine"
    rounds = drawn(document, "rounds")
    late = rounds[rounds["round"] > 20].groupby("cell")["value"].mean()
    # Twenty meet the same again oftener than a population without end: they stay a little above it.
    for cell, within in (("kept / memory 1", 0.05), ("drawn / memory 1", 0.1)):
        assert late[cell] == pytest.approx(late[f"{cell}, in theory"], abs=within)
    assert late["kept / memory 1"] > late["drawn / memory 1"] + 0.2


def test_who_answers_like_with_like_and_never_errs_cooperates_for_good(tmp_path: Path) -> None:
    told, document = quick("dilemmas", TitForTat(), tmp_path, replicates=8)
    assert "**Collapse of cooperation does not grow**" in told
    assert check(document, HEEDED).state == "warning", "nobody ever defects, so nothing can be told"


@pytest.mark.parametrize(("rule", "within"), [(TitForTat(), 0.03), (Grim(), 0.06)])
def test_players_beside_random_ones_do_as_the_chains_say(
    rule: Decider, within: float, tmp_path: Path
) -> None:
    """A hundred rounds, and of those before the ten that the published memory reaches."""
    study = load("dilemmas", decides=rule)
    study = replace(study, factors=(), interventions=(), risk="")
    _, document = reported(study, tmp_path, replicates=20)
    (told,) = (one for one in document.answer if "Beside random players" in one)
    pairs = re.findall(r"(0[.]\d+) \[[^]]*\] \(in theory (0[.]\d+)\)", told)
    assert len(pairs) == 3
    for found, theory in pairs:
        assert float(found) == pytest.approx(float(theory), abs=within)


def test_who_heeds_nobody_is_called_out(tmp_path: Path) -> None:
    study = load("dilemmas", quick=True, decides=LanguageModel())
    _, document = at_random(study, tmp_path, replicates=2)
    assert check(document, HEEDED).state == "bad"
