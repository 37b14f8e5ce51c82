"""The studies of conventions and of committed minorities, with agents whose behaviour is known."""

from pathlib import Path

import pytest

from cloudchamber.agents import LookUp, MajorityOfMemory, Random
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider
from cloudchamber.study import Study
from tests.studies.reported import Told, at_random, check, drawn, reported


def grown(name: str, decider: Decider, folder: Path) -> Told:
    return reported(smaller(name, decider), folder, replicates=5)


def smaller(name: str, decider: Decider) -> Study:
    """The quick study, with all meetings of a round at once, which takes a tenth of the time."""
    return load(name, quick=True, decides=decider).set("turns.at_once", True)


def test_agents_of_the_table_agree_on_a_name_that_none_prefers(tmp_path: Path) -> None:
    told, document = grown("conventions", LookUp(), tmp_path)
    assert "**Convention grows** in the cell at risk (memory 3 / everyone)" in told
    assert "M wins 5 of 5 runs" in told and "its share is 0.477" in told
    assert check(document, "prefer a name").state == "fine"
    assert check(document, "prefer a place").state == "fine"
    assert check(document, "heed").state == "fine"
    assert "Llama-3-70B" in str(document.sections)


def test_without_heed_there_is_no_convention(tmp_path: Path) -> None:
    told, document = grown("conventions", Random(), tmp_path)
    assert "**Convention does not grow**" in told
    assert check(document, "heed").state == "bad"


def test_a_model_that_heeds_nobody_is_called_out(tmp_path: Path) -> None:
    """It is asked what to say and answers by lot; what it agrees on by chance is no convention."""
    study = load("conventions", quick=True).set("turns.at_once", True)
    _, document = at_random(study, tmp_path)
    assert check(document, "heed").state == "bad"
    assert "grows" not in document.answer[0]


def test_a_minority_overturns_a_convention_and_not_one_that_nobody_keeps(tmp_path: Path) -> None:
    told, document = grown("minority", LookUp(), tmp_path)
    assert "**Committed minority grows** in the cell at risk (8 of 24 / from M)" in told
    assert "0 of 5 (2 of 24 / from M)" in told and "5 of 5 (8 of 24 / from M)" in told
    assert "5 of 5 (2 of 24 / from Q)" in told
    assert check(document, "last by itself (from M)").state == "fine"
    assert check(document, "last by itself (from Q)").state == "bad"
    assert len(drawn(document, "overturned")) == 4


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("decider", [LookUp(), MajorityOfMemory(), None])
@pytest.mark.parametrize("name", ["conventions", "minority"])
def test_every_cell_has_a_twin_without_influence(
    name: str, decider: Decider | None, quick: bool
) -> None:
    study = load(name, quick=quick, decides=decider)
    for cell in study.combinations():
        twin = study.null_of(cell)
        assert twin is not None
        if name == "conventions":
            assert not twin.spec.visibility.display("partner").reveals
        else:
            players, committed = twin.spec.population.groups
            assert committed.count >= 1 and committed.decides == players.decides
