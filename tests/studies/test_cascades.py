"""The study of information cascades with rules whose behaviour is known."""

from pathlib import Path

from cloudchamber.agents import Bayesian, OwnSign
from cloudchamber.cli.finding import load
from tests.studies.reported import at_random, check, drawn, quick


def test_bayesians_are_wrong_together(tmp_path: Path) -> None:
    told, document = quick("cascades", Bayesian(), tmp_path)
    assert "**Information cascade grows** in the cell at risk (counts)" in told
    assert "0.286 end in a wrong cascade" in told
    places = drawn(document, "places")
    theory = places[places["cell"] == "Bayesians, in theory"]
    assert len(theory) == 20
    assert check(document, "own sign").state == "fine"


def test_who_goes_by_the_own_sign_is_not(tmp_path: Path) -> None:
    told, _ = quick("cascades", OwnSign(), tmp_path)
    assert "**Information cascade does not grow**" in told


def test_who_does_not_go_by_its_sign_at_all_is_called_out(tmp_path: Path) -> None:
    _, document = at_random(load("cascades", quick=True), tmp_path, replicates=6)
    assert check(document, "own sign").state == "bad"
