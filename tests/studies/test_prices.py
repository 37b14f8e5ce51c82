"""The study of prices with rules whose behaviour is known: price and profit told apart, beside theory."""

from pathlib import Path

import pytest

from cloudchamber.agents import BestPrice, Constant, Random
from cloudchamber.cli.finding import load
from cloudchamber.worlds import Bertrand
from tests.studies.reported import at_random, check, drawn, quick, reported

COST = "unit costs"


def test_firms_that_best_answer_each_other_do_not_collude(tmp_path: Path) -> None:
    answer, document = quick("prices", BestPrice(), tmp_path)
    assert "**Collusion does not grow** in the cell at risk (2 / each seen)" in answer
    assert "(at Nash 1.473, at the joint optimum 1.925)" in answer
    assert check(document, COST).state == "fine"
    prices = drawn(document, "prices")
    last = prices[prices["round"] == 20].set_index("what")["value"]
    assert last["2 / each seen"] == pytest.approx(last["Nash"], abs=1e-6)
    assert last["joint optimum"] == pytest.approx(1.92498, abs=1e-5)


def test_the_joint_optimum_kept_to_is_collusion(tmp_path: Path) -> None:
    answer, _ = quick("prices", Constant(), tmp_path)
    assert "**Collusion grows** in the cell at risk (2 / each seen)" in answer
    assert "firms ask 1.92" in answer and "1 of the way; each earns 33.7" in answer


def test_a_price_halfway_is_a_profit_more_than_halfway(tmp_path: Path) -> None:
    """What is said in the notes, and that the two are told apart."""
    nash, joint = (
        float(acts[0, 0]) for acts in (Bertrand().market(2).nash(), Bertrand().market(2).joint())
    )
    answer, _ = quick("prices", Constant(given=(((nash + joint) / 2,),)), tmp_path)
    assert "), 0.5 of the way; each earns" in answer
    market = Bertrand().market(2)
    low, half, high = (
        float(market.profits(acts)[0, 0])
        for acts in (market.nash(), (market.nash() + market.joint()) / 2, market.joint())
    )
    assert f"{(half - low) / (high - low):.3g} of the way." in answer and half > (low + high) / 2


def test_who_has_asked_no_price_yet_has_not_asked_for_nothing(tmp_path: Path) -> None:
    """Where firms decide at times of their own, some do late."""
    study = load("prices", quick=True, decides=Constant())
    study = study.set("turns", {"kind": "asynchronous", "steps": 20, "rates": [0.2]})
    _, document = reported(study, tmp_path)
    assert check(document, COST).state == "fine"
    assert " 0 of all prices" in check(document, COST).answer
    prices = drawn(document, "prices")
    mine = prices[prices["what"] == "2 / each seen"]["value"]
    assert mine.dropna().to_numpy() == pytest.approx(1.92498, abs=1e-4)


def test_noise_is_no_collusion_and_heeds_no_cost(tmp_path: Path) -> None:
    answer, document = quick("prices", Random(), tmp_path)
    assert "**Collusion does not grow**" in answer
    assert check(document, COST).state == "warning"


def test_a_model_that_does_nothing_sensible_is_reported_as_it_is(tmp_path: Path) -> None:
    _, document = at_random(load("prices", quick=True), tmp_path)
    assert check(document, COST).state == "warning"
    said = [one for verdict in document.verdicts for one in verdict.because]
    assert any("Peist, Romero & Sauer 2025" in one for one in said)


@pytest.mark.parametrize("short", [True, False])
def test_every_cell_is_told_against_its_own_nash(short: bool) -> None:
    study = load("prices", quick=short, decides=Random())
    for cell in study.judged():
        twin = study.null_of(cell)
        assert twin is not None and isinstance(twin.spec.world, Bertrand)
        market = twin.spec.world.market(twin.spec.population.count)
        assert twin.spec.population.groups[0].decides == Constant.nash(market)
