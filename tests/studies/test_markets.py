"""The study of market division with rules whose behaviour is known: division and profit told apart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cloudchamber.agents import BestQuantity, Constant, Random
from cloudchamber.cli.finding import load
from cloudchamber.errors import SpecificationError
from cloudchamber.intervention import at_joint_optimum, at_nash
from cloudchamber.microspec import Decider, Group, Microspec, Population
from cloudchamber.worlds import Cournot, Feed
from tests.studies.reported import Told, at_random, check, quick

EIGHTY_FIVE = Constant(given=((80.0, 5.0), (5.0, 80.0)))


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Decider], Told]:
    """The quick study with a rule, grown once."""
    known: dict[str, Told] = {}

    def grow(rule: Decider) -> Told:
        key = rule.model_dump_json()
        if key not in known:
            known[key] = quick("markets", rule, tmp_path_factory.mktemp(rule.kind))
        return known[key]

    return grow


def test_division_grows_and_pays(grown: Callable[[Decider], Told]) -> None:
    told, document = grown(Constant())
    assert "**Market division grows** in the cell at risk (different / hidden)" in told
    assert "lasting specialisation is 1" in told
    assert "their profit is above Nash: 1 of the way to the joint optimum" in told
    assert check(document, "costs them less").state == "fine"


def test_eighty_five_is_specialised_and_below_nash_and_the_report_says_both(
    grown: Callable[[Decider], Told],
) -> None:
    told, _ = grown(EIGHTY_FIVE)
    assert "**Market division grows**" in told and "lasting specialisation is 0.882" in told
    assert "the price is 57.5 (at Nash 63.33, at the joint optimum 70)" in told
    assert "a firm earns 1438 a round (at Nash 1444.44" in told
    assert "**Together** (different / hidden): firms are more specialised than at Nash" in told
    assert "their profit is below Nash: -0.0195 of the way" in told


def test_firms_that_best_answer_each_other_neither_divide_nor_gain(
    grown: Callable[[Decider], Told],
) -> None:
    told, _ = grown(BestQuantity())
    assert "**Market division does not grow**" in told
    assert "their profit is that of Nash" in told


def test_noise_is_not_taken_for_division(grown: Callable[[Decider], Told]) -> None:
    """By the published measure, round by round, amounts at random are more specialised than Nash."""
    told, document = grown(Random())
    assert "**Market division does not grow**" in told
    noise = check(document, "noise").answer
    assert "0.340 [" in noise and "At Nash both are 0.273" in noise
    assert check(document, "costs them less").state == "warning"


def test_price_profit_and_quantities_are_drawn(grown: Callable[[Decider], Told]) -> None:
    _, document = grown(EIGHTY_FIVE)
    figures = {one.id: one for one in document.figures}
    gains = figures["gains"].data
    mine = gains[gains["label"] == "different / hidden"].set_index("measure")["value"]
    assert mine["price"] == pytest.approx(-0.875) and mine["profit"] == pytest.approx(
        -0.0195, abs=1e-4
    )
    made = figures["quantities"].data
    firm = made[(made["who"] == "firm 0, product A") & (made["cell"] == "different / hidden")]
    assert (firm["value"] == 80).all() and len(firm) == 20


def test_a_model_that_does_nothing_sensible_is_reported_as_it_is(tmp_path: Path) -> None:
    told, document = at_random(load("markets", quick=True), tmp_path)
    assert check(document, "costs them less").state == "warning"
    assert "**Together**" in told
    said = [one for verdict in document.verdicts for one in verdict.because]
    assert any("Lin, Ojha, Cai & Chen 2024" in one for one in said)
    assert not any("MusicLab" in one or "14,341" in one for one in said)


@pytest.mark.parametrize("short", [True, False])
def test_every_cell_is_told_against_its_own_nash(short: bool) -> None:
    study = load("markets", quick=short, decides=EIGHTY_FIVE)
    for cell in study.judged():
        twin = study.null_of(cell)
        assert twin is not None
        world, firms = twin.spec.world, twin.spec.population.count
        assert isinstance(world, Cournot)
        rule = twin.spec.population.groups[0].decides
        assert rule == Constant.nash(world.market(firms))


def test_nash_needs_a_market() -> None:
    spec = Microspec(world=Feed.of(2), population=Population(groups=(Group(decides=Random()),)))
    for one in (at_nash(), at_joint_optimum()):
        with pytest.raises(SpecificationError, match="those of a market"):
            one(spec)
