"""The study of thresholds and diffusion with rules whose behaviour is known."""

from pathlib import Path

import pytest

from cloudchamber.agents import Always, Threshold
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider
from cloudchamber.models.fake import fake
from cloudchamber.report import account
from cloudchamber.report.document import Document


def grown(decider: Decider, folder: Path) -> tuple[str, Document]:
    study = load("diffusion", quick=True, decides=decider)
    study = study.set_all({"population.groups.0.count": 50, "turns.steps": 20})
    document, _ = account.build(study, study.run(folder, replicates=10))
    return " ".join(document.answer), document


def test_it_tips_where_thresholds_are_spread(tmp_path: Path) -> None:
    told, document = grown(Threshold(), tmp_path)
    assert "**Cascade of adoption grows** in the cell at risk (0.16 / everyone)" in told
    assert "not grown in 0.08 / everyone" in told
    (figure,) = (one for one in document.figures if one.id == "spread")
    assert set(figure.data["sight"]) == {"everyone", "many who see all, in theory"}


def test_who_never_takes_it_up_grows_nothing(tmp_path: Path) -> None:
    told, _ = grown(Always(item=0), tmp_path)
    assert "**Cascade of adoption does not grow**" in told


def test_with_a_language_model(tmp_path: Path) -> None:
    study = load("diffusion", quick=True)
    results = study.run(tmp_path, models={"embedded": fake("uniform")})
    document, _ = account.build(study, results)
    assert "In theory" not in " ".join(document.answer), "one agent is planted"


@pytest.mark.parametrize("quick", [True, False])
def test_every_cell_is_told_against_a_twin_that_sees_nothing(quick: bool) -> None:
    study = load("diffusion", quick=quick, decides=Threshold())
    for cell in study.combinations():
        twin = study.null_of(cell)
        assert twin is not None and not twin.spec.visibility.display("people").reveals
