"""The study of public goods with rules whose behaviour is known."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloudchamber.agents import BackwardInduction, ConditionalCooperator, Contributor, LanguageModel
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider, Group, Population
from tests.studies.reported import at_random, check, drawn, quick, reported

HEEDED = "others gave"


def test_giving_somewhat_less_than_others_makes_it_collapse(tmp_path: Path) -> None:
    told, document = quick("public_goods", None, tmp_path, replicates=10)
    assert "**Collapse of cooperation grows** in the cell at risk (the total / at once)" in told
    assert "By backward induction of one round they would give 0 of it" in told
    assert check(document, HEEDED).state == "fine"
    # How far it falls is what its excess is, wherever that is told.
    assert "rate rises" in told and "its excess over the null falls" in told
    (explanatory,) = (one for one in document.verdicts if one.name.startswith("Explanatory"))
    assert "the phenomenon weakens, as the hypothesis says" in explanatory.because[0]
    # What is said of choices that concentrate by chance is not said of what is given.
    assert all("by chance" not in figure.caption for figure in document.figures)
    rounds = drawn(document, "rounds")
    # The closed form: .6 in the first round, .8 times as much in each after it.
    course = rounds[rounds["cell"] == "the total / at once"].set_index("round")["value"]
    for at, value in enumerate(course.head(4)):
        assert value == pytest.approx(0.6 * 0.8**at, abs=0.03)


@pytest.mark.parametrize("rule", [ConditionalCooperator(), BackwardInduction()])
def test_what_gives_as_much_as_others_or_nothing_at_all_does_not_collapse(
    rule: Decider, tmp_path: Path
) -> None:
    told, document = quick("public_goods", rule, tmp_path, replicates=10)
    assert "**Collapse of cooperation does not grow**" in told
    assert check(document, HEEDED).state == "bad", "it never varies, so nothing can be told"


def test_who_heeds_nobody_is_called_out(tmp_path: Path) -> None:
    study = load("public_goods", quick=True, decides=LanguageModel())
    _, document = at_random(study, tmp_path, replicates=2)
    assert check(document, HEEDED).state == "bad"
    assert "grows**" not in document.answer[0].replace("does not grow**", "")


def test_players_who_differ_for_good_and_heed_nobody_are_not_taken_for_contrary(
    tmp_path: Path,
) -> None:
    """Beside who gives much the others give less than beside who gives little: that is no answer to it."""
    study = load("public_goods", quick=True)
    groups = tuple(
        Group(name=f"{share:g}", count=1, decides=Contributor(share=share, noise=0.1))
        for share in (0.2, 0.4, 0.6, 0.8)
    )
    people = study.microspec.replace("population", Population(groups=groups))
    study = replace(study, microspec=people, interventions=(), factors=(), risk="baseline")
    _, document = reported(study, tmp_path, replicates=40)
    told = check(document, HEEDED)
    slope = float(told.answer.split("a player gives ")[1].split(" ")[0])
    assert told.state == "bad" and abs(slope) < 0.15, told.answer
