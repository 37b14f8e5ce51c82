"""The study of the force of the majority with rules whose behaviour is known."""

import re
from pathlib import Path
from typing import Literal

import numpy as np

from cloudchamber.agents import MajorityForce, Random, Rule
from cloudchamber.cli.finding import load
from cloudchamber.questions import Questions, Reals
from tests.studies.reported import at_random, drawn, quick


def test_a_strong_force_grows_consensus_and_a_weak_one_does_not(tmp_path: Path) -> None:
    told, document = quick("majority", MajorityForce(), tmp_path, replicates=12)
    assert "**Consensus by majority grows** in the cell at risk (1.5 / everyone)" in told
    assert "not grown in 0.5 / everyone" in told
    assert set(drawn(document, "strength")["sight"]) == {
        "everyone",
        "neighbours",
        "a large group that sees all, in theory",
    }


def test_who_answers_at_random_does_not_agree(tmp_path: Path) -> None:
    told, _ = quick("majority", Random(), tmp_path, replicates=12)
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
    told, _ = quick("majority", Leaning(), tmp_path, replicates=12)
    ((low, high),) = re.findall(r"where few do by \S+ \[(\S+), (\S+)\]", told)
    assert float(low) < 0 < float(high) and float(high) - float(low) < 0.2
    assert "**Consensus by majority does not grow**" in told


def test_with_a_language_model(tmp_path: Path) -> None:
    told, _ = at_random(load("majority", quick=True), tmp_path)
    assert "What moves them" in told
