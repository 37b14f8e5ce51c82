"""The study of the force of the majority with rules whose behaviour is known."""

import re
from pathlib import Path
from typing import Literal

import numpy as np

from cloudchamber.agents import MajorityForce, Random, Rule
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider
from cloudchamber.models.fake import fake
from cloudchamber.questions import Questions, Reals
from cloudchamber.report import account
from cloudchamber.report.document import Document


def grown(decider: Decider, folder: Path) -> tuple[str, Document]:
    study = load("majority", quick=True, decides=decider)
    document, _ = account.build(study, study.run(folder, replicates=12))
    return " ".join(document.answer), document


def test_a_strong_force_grows_consensus_and_a_weak_one_does_not(tmp_path: Path) -> None:
    told, document = grown(MajorityForce(), tmp_path)
    assert "**Consensus by majority grows** in the cell at risk (1.5 / everyone)" in told
    assert "not grown in 0.5 / everyone" in told
    (figure,) = (one for one in document.figures if one.id == "strength")
    assert set(figure.data["sight"]) == {
        "everyone",
        "neighbours",
        "a large group that sees all, in theory",
    }


def test_who_answers_at_random_does_not_agree(tmp_path: Path) -> None:
    told, _ = grown(Random(), tmp_path)
    assert "**Consensus by majority does not grow**" in told


class Leaning(Rule):
    """Prefers the second answer, and heeds nobody."""

    kind: Literal["test-leaning"] = "test-leaning"

    def weights(self, questions: Questions) -> Reals:
        return np.where(questions.items == 1, 4.0, 1.0)

    def aloud(self) -> str:
        return "gives the second answer four times in five"


def test_who_all_prefer_an_answer_are_not_taken_for_moved_by_the_majority(tmp_path: Path) -> None:
    """After the first step most stand by it, and four in five go on answering as most do."""
    told, _ = grown(Leaning(), tmp_path)
    ((low, high),) = re.findall(r"where few do by \S+ \[(\S+), (\S+)\]", told)
    assert float(low) < 0 < float(high) and float(high) - float(low) < 0.2
    assert "**Consensus by majority does not grow**" in told


def test_with_a_language_model(tmp_path: Path) -> None:
    study = load("majority", quick=True)
    results = study.run(tmp_path, models={"embedded": fake("uniform")})
    document, _ = account.build(study, results)
    assert "What moves them" in " ".join(document.answer)


def test_every_cell_is_told_against_a_twin_that_sees_nothing() -> None:
    study = load("majority", decides=MajorityForce())
    for cell in study.combinations():
        twin = study.null_of(cell)
        assert twin is not None and not twin.spec.visibility.display("people").reveals
