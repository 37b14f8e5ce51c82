"""The study of thresholds and diffusion with rules whose behaviour is known."""

from pathlib import Path

from cloudchamber.agents import Always, Threshold
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider
from tests.studies.reported import Told, at_random, drawn, reported


def grown(decider: Decider, folder: Path) -> Told:
    study = load("diffusion", quick=True, decides=decider)
    smaller = study.set_all({"population.groups.0.count": 50, "turns.steps": 20})
    return reported(smaller, folder, replicates=10)


def test_it_tips_where_thresholds_are_spread(tmp_path: Path) -> None:
    told, document = grown(Threshold(), tmp_path)
    assert "**Cascade of adoption grows** in the cell at risk (0.16 / everyone)" in told
    assert "not grown in 0.08 / everyone" in told
    assert set(drawn(document, "spread")["sight"]) == {"everyone", "many who see all, in theory"}


def test_who_never_takes_it_up_grows_nothing(tmp_path: Path) -> None:
    told, document = grown(Always(item=0), tmp_path)
    assert "**Cascade of adoption does not grow**" in told
    assert "theory" not in told, "it is of agents who go by thresholds"
    assert set(drawn(document, "spread")["sight"]) == {"everyone"}


def test_with_a_language_model(tmp_path: Path) -> None:
    told, _ = at_random(load("diffusion", quick=True), tmp_path)
    assert "In theory" not in told, "one agent is planted"
