"""The pace towards best answers: recovered where it was planted, none found where there is none."""

import numpy as np
import pytest

from cloudchamber.agents import BestQuantity, Constant, Random
from cloudchamber.errors import TraceError
from cloudchamber.measures import measure_named
from cloudchamber.mechanism.best_answers import best_answers, fit_best_quantity
from cloudchamber.microspec import (
    Affordances,
    Decider,
    Group,
    Microspec,
    Population,
    Simultaneous,
    Window,
)
from cloudchamber.testing.growing import grown
from cloudchamber.trace import Trace
from cloudchamber.worlds import Cournot

WORLD = Cournot()
MARKET = WORLD.market(2)


def trace(decides: Decider, runs: int = 20, steps: int = 30) -> Trace:
    spec = Microspec(
        world=WORLD,
        population=Population(groups=(Group(count=2, decides=decides),)),
        turns=Simultaneous(steps=steps),
        memory=Window(k=2),
        affordances=Affordances(choose="amount"),
    )
    return grown(spec, replicates=range(runs))


@pytest.mark.parametrize("pace", [0.3, 0.7, 1.0])
def test_what_was_planted_is_recovered(pace: float) -> None:
    found = best_answers(trace(BestQuantity(pace=pace, noise=3.0), runs=60, steps=60), MARKET)
    for name, planted in (("pace", pace), ("habit", 1 - pace)):
        error = found[name].std() / np.sqrt(len(found))
        assert abs(found[name].mean() - planted) < 4 * error + 0.01
        assert error < 0.02
    assert found["noise"].mean() == pytest.approx(3.0, rel=0.03)


def test_who_never_moves_tells_nothing() -> None:
    for rule in (Constant(given=((80.0, 5.0), (5.0, 80.0))), Constant.nash(MARKET)):
        assert best_answers(trace(rule, runs=1), MARKET)["pace"].isna().all()


def test_amounts_at_random_go_nowhere() -> None:
    """They come back to their mean, as who goes to a best answer also does, but not for what rivals made."""
    found = best_answers(trace(Random(), runs=60), MARKET)
    for name in ("pace", "habit"):
        assert abs(found[name].mean()) < 4 * found[name].std() / np.sqrt(60) + 0.05
    assert found["noise"].mean() > 20


def test_firms_that_answer_others_than_those_there_are_not_taken_for_it() -> None:
    """Noise around a constant: the rivals' amounts vary, and nobody heeds them."""
    deaf = BestQuantity(intercept=1.0, expected=0.0, noise=5.0, pace=0.5)
    found = best_answers(trace(deaf, runs=40), MARKET)
    assert abs(found["pace"].mean()) < 4 * found["pace"].std() / np.sqrt(40) + 0.02


def test_the_fitted_rule_grows_the_same_market() -> None:
    planted = trace(BestQuantity(pace=0.6, noise=4.0), runs=40)
    fitted = fit_best_quantity(planted, MARKET)
    assert fitted.pace == pytest.approx(0.6, abs=0.05)
    regrown = trace(fitted, runs=40)
    for name in ("profit", "specialisation"):
        one, other = (measure_named(name)(each) for each in (planted, regrown))
        error = np.sqrt(one.var() / 40 + other.var() / 40)
        assert abs(one.mean() - other.mean()) < 4 * error


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(TraceError, match="0 runs"):
        fit_best_quantity(trace(Constant.nash(MARKET), runs=2), MARKET)
    assert len(best_answers(trace(Random(), runs=1), WORLD.market(3))) == 0
