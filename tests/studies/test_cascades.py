"""The study of information cascades with rules whose behaviour is known."""

from pathlib import Path

import pytest

from cloudchamber.agents import Bayesian, OwnSign
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider
from cloudchamber.models.fake import fake
from cloudchamber.report import account
from cloudchamber.report.document import Check, Document


def grown(decider: Decider, folder: Path) -> tuple[str, Document]:
    study = load("cascades", quick=True, decides=decider)
    document, _ = account.build(study, study.run(folder))
    return " ".join(document.answer), document


def own_signs(document: Document) -> Check:
    blocks = document.sections[-1].blocks
    (found,) = (one for one in blocks if isinstance(one, Check) and "own sign" in one.question)
    return found


def test_bayesians_are_wrong_together(tmp_path: Path) -> None:
    told, document = grown(Bayesian(), tmp_path)
    assert "**Information cascade grows** in the cell at risk (counts)" in told
    assert "0.286 end in a wrong cascade" in told
    (figure,) = (one for one in document.figures if one.id == "places")
    theory = figure.data[figure.data["sight"] == "Bayesians, in theory"]
    assert len(theory) == 20
    assert own_signs(document).state == "fine"


def test_who_goes_by_the_own_sign_is_not(tmp_path: Path) -> None:
    told, _ = grown(OwnSign(), tmp_path)
    assert "**Information cascade does not grow**" in told


def test_who_does_not_go_by_its_sign_at_all_is_called_out(tmp_path: Path) -> None:
    study = load("cascades", quick=True)
    results = study.run(tmp_path, models={"embedded": fake("uniform")}, replicates=6)
    document, _ = account.build(study, results)
    assert own_signs(document).state == "bad"


@pytest.mark.parametrize("quick", [True, False])
def test_every_cell_is_told_against_a_twin_that_sees_nothing(quick: bool) -> None:
    study = load("cascades", quick=quick, decides=Bayesian())
    for cell in study.combinations():
        twin = study.null_of(cell)
        assert twin is not None
        assert twin.spec.communication.representation == "counts"
        assert not twin.spec.visibility.display("choices").reveals
