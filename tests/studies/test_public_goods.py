"""The study of public goods with rules whose behaviour is known."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloudchamber.agents import BackwardInduction, ConditionalCooperator, Contributor, LanguageModel
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider, Group, Population
from cloudchamber.models.fake import fake
from cloudchamber.report import account
from cloudchamber.report.document import Check, Document


def grown(decider: Decider | None, folder: Path) -> tuple[str, Document]:
    study = load("public_goods", quick=True, decides=decider)
    document, _ = account.build(study, study.run(folder, replicates=10))
    return " ".join(document.answer), document


def heeded(document: Document) -> Check:
    blocks = document.sections[-1].blocks
    (found,) = (one for one in blocks if isinstance(one, Check) and "others gave" in one.question)
    return found


def test_giving_somewhat_less_than_others_makes_it_collapse(tmp_path: Path) -> None:
    told, document = grown(None, tmp_path)
    assert "**Collapse of cooperation grows** in the cell at risk (the total / at once)" in told
    assert "By backward induction of one round they would give 0 of it" in told
    assert heeded(document).state == "fine"
    # How far it falls is what its excess is, wherever that is told.
    assert "rate rises" in told and "its excess over the null falls" in told
    (explanatory,) = (one for one in document.verdicts if one.name.startswith("Explanatory"))
    assert "the phenomenon weakens, as the hypothesis says" in explanatory.because[0]
    (figure,) = (one for one in document.figures if one.id == "rounds")
    # The closed form: .6 in the first round, .8 times as much in each after it.
    course = figure.data[figure.data["cell"] == "the total / at once"].set_index("round")["value"]
    for at, value in enumerate(course.head(4)):
        assert value == pytest.approx(0.6 * 0.8**at, abs=0.03)


@pytest.mark.parametrize("rule", [ConditionalCooperator(), BackwardInduction()])
def test_what_gives_as_much_as_others_or_nothing_at_all_does_not_collapse(
    rule: Decider, tmp_path: Path
) -> None:
    told, document = grown(rule, tmp_path)
    assert "**Collapse of cooperation does not grow**" in told
    assert heeded(document).state == "bad", "it never varies, so nothing can be told"


def test_who_heeds_nobody_is_called_out(tmp_path: Path) -> None:
    study = load("public_goods", quick=True, decides=LanguageModel())
    results = study.run(tmp_path, models={"embedded": fake("uniform")}, replicates=2)
    document, _ = account.build(study, results)
    assert heeded(document).state == "bad"
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
    document, _ = account.build(study, study.run(tmp_path, replicates=40))
    check = heeded(document)
    slope = float(check.answer.split("a player gives ")[1].split(" ")[0])
    assert check.state == "bad" and abs(slope) < 0.15, check.answer


@pytest.mark.parametrize("quick", [True, False])
def test_every_cell_is_told_against_a_twin_that_sees_nothing(quick: bool) -> None:
    study = load("public_goods", quick=quick)
    assert len(study.combinations()) == (4 if quick else 9)
    for cell in study.combinations():
        twin = study.null_of(cell)
        assert twin is not None
        assert not twin.spec.visibility.display("contributed").reveals
        assert not twin.spec.visibility.display("payoff").reveals
        assert twin.spec.communication.representation == "counts"
        assert twin.spec.turns == cell.spec.turns
