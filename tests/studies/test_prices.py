"""The study of prices with rules whose behaviour is known: price and profit told apart, beside theory."""

from pathlib import Path

import pytest

from cloudchamber.agents import BestPrice, Constant, Random
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider
from cloudchamber.models.fake import fake
from cloudchamber.report import account
from cloudchamber.report.document import Check, Document
from cloudchamber.worlds import Bertrand


def told(rule: Decider, out: Path) -> tuple[str, Document]:
    """The quick study's answer and its report."""
    study = load("prices", quick=True, decides=rule)
    document, _ = account.build(study, study.run(out))
    return " ".join(document.answer), document


def check(document: Document) -> Check:
    blocks = document.sections[-1].blocks
    (found,) = (one for one in blocks if isinstance(one, Check) and "unit costs" in one.question)
    return found


def test_firms_that_best_answer_each_other_do_not_collude(tmp_path: Path) -> None:
    answer, document = told(BestPrice(), tmp_path)
    assert "**Collusion does not grow** in the cell at risk (2 / each seen)" in answer
    assert "(at Nash 1.473, at the joint optimum 1.925)" in answer
    assert check(document).state == "fine"
    (figure,) = (one for one in document.figures if one.id == "prices")
    last = figure.data[figure.data["round"] == 20].set_index("what")["value"]
    assert last["2 / each seen"] == pytest.approx(last["Nash"], abs=1e-6)
    assert last["joint optimum"] == pytest.approx(1.92498, abs=1e-5)


def test_the_joint_optimum_kept_to_is_collusion(tmp_path: Path) -> None:
    answer, _ = told(Constant(), tmp_path)
    assert "**Collusion grows** in the cell at risk (2 / each seen)" in answer
    assert "firms ask 1.92" in answer and "1 of the way; each earns 33.7" in answer


def test_a_price_halfway_is_a_profit_more_than_halfway(tmp_path: Path) -> None:
    """What is said in the notes, and that the two are told apart."""
    nash, joint = (
        float(acts[0, 0]) for acts in (Bertrand().market(2).nash(), Bertrand().market(2).joint())
    )
    answer, _ = told(Constant(given=(((nash + joint) / 2,),)), tmp_path)
    assert "), 0.5 of the way; each earns" in answer
    market = Bertrand().market(2)
    low, half, high = (
        float(market.profits(acts)[0, 0])
        for acts in (market.nash(), (market.nash() + market.joint()) / 2, market.joint())
    )
    assert f"{(half - low) / (high - low):.3g} of the way." in answer and half > (low + high) / 2


def test_noise_is_no_collusion_and_heeds_no_cost(tmp_path: Path) -> None:
    answer, document = told(Random(), tmp_path)
    assert "**Collusion does not grow**" in answer
    assert check(document).state == "warning"


def test_a_model_that_does_nothing_sensible_is_reported_as_it_is(tmp_path: Path) -> None:
    study = load("prices", quick=True)
    document, _ = account.build(study, study.run(tmp_path, models={"embedded": fake("uniform")}))
    assert check(document).state == "warning"
    said = [one for verdict in document.verdicts for one in verdict.because]
    assert any("Peist, Romero & Sauer 2025" in one for one in said)


@pytest.mark.parametrize("quick", [True, False])
def test_every_cell_is_told_against_its_own_nash(quick: bool) -> None:
    study = load("prices", quick=quick, decides=Random())
    for cell in study.judged():
        twin = study.null_of(cell)
        assert twin is not None and isinstance(twin.spec.world, Bertrand)
        market = twin.spec.world.market(twin.spec.population.count)
        assert twin.spec.population.groups[0].decides == Constant.nash(market)
