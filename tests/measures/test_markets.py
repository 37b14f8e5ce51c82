"""Markets by what their worlds record: known values, means of the later half, and the two kept apart."""

import numpy as np
import pytest

from cloudchamber.agents import Constant, Random
from cloudchamber.measures import MEASURES, measure_named
from cloudchamber.measures.markets import MARKETS, common_concentration, common_specialisation
from cloudchamber.microspec import Affordances, Decider, Group, Microspec, Population, Simultaneous
from cloudchamber.oligopoly import concentration, specialisation
from cloudchamber.phenomenon import COLLUSION, MARKET_DIVISION, MARKET_FACETS
from cloudchamber.testing import check_measure
from cloudchamber.testing.growing import grown
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds import Cournot, Feed

WORLD = Cournot()
EIGHTY_FIVE = Constant(given=((80.0, 5.0), (5.0, 80.0)))
NASH, JOINT = Constant.nash(WORLD.market(2)), Constant.joint(WORLD.market(2))


def trace(
    decides: Decider, world: Cournot = WORLD, replicates: tuple[int, ...] = (0,), steps: int = 4
) -> Trace:
    spec = Microspec(
        world=world,
        population=Population(groups=(Group(count=2, decides=decides),)),
        turns=Simultaneous(steps=steps),
        affordances=Affordances(choose="amount"),
    )
    return grown(spec, replicates=replicates)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (NASH, (0.27273, 0.27273, 0.53719, 0.53719, 63.33333, 1444.44444, 0, 0)),
        (JOINT, (1, 1, 1, 1, 70, 1800, 1, 1)),
        (EIGHTY_FIVE, (0.88235, 0.88235, 0.88927, 0.88927, 57.5, 1437.5, -0.875, -0.01953)),
    ],
    ids=["Nash", "division", "80/5"],
)
def test_known_values(rule: Constant, expected: tuple[float, ...]) -> None:
    found = [float(measure(trace(rule)).loc[1]) for measure in MARKETS]
    assert found == pytest.approx(expected, abs=5e-6)


def test_specialised_and_below_nash_are_two_numbers() -> None:
    """80/5: by far more specialised than at Nash, and it earns and charges less."""
    kept = trace(EIGHTY_FIVE)
    assert measure_named("specialisation")(kept).loc[1] > 0.27273 + 0.5
    assert measure_named("profit gain")(kept).loc[1] < 0
    assert measure_named("price gain")(kept).loc[1] < -0.5


def told(values: list[float]) -> Trace:
    """A run with a price at each step from 0 on, on a scale from 50 to 60."""
    kept = Trace()
    for step, value in enumerate(values):
        kept.append("outcomes", {"run": 1, "step": [step], "item": 0, "value": 0.0})
        for name, one in (
            ("price", value),
            ("price at Nash", 50.0),
            ("price at the joint optimum", 60.0),
        ):
            kept.append("series", {"run": 1, "step": [step], "measure": name, "value": one})
    return kept


def test_the_later_half() -> None:
    kept = told([np.nan, 10, 20, 30, 40, 50])
    price = measure_named("market price")
    assert price(kept).loc[1] == pytest.approx(40)  # rounds 3, 4 and 5
    assert price.over_time is not None
    course = price.over_time(kept)["value"]
    assert course.tolist()[1:] == pytest.approx([10, 20, 25, 35, 40])
    assert np.isnan(course[0])
    assert measure_named("price gain")(kept).loc[1] == pytest.approx(-1)


@pytest.mark.parametrize(
    "made", [((80.0, 5.0), (5.0, 80.0)), ((3.0, 1.0), (2.0, 2.0)), ((1.0, 1.0),) * 3]
)
def test_in_common_with_itself_is_the_thing_itself(made: tuple[tuple[float, ...], ...]) -> None:
    acts = np.array(made)
    assert common_specialisation(acts, 2 * acts) == pytest.approx(specialisation(acts))
    assert common_concentration(acts, 2 * acts) == pytest.approx(concentration(acts))


def test_what_lasts_is_what_two_spans_have_in_common() -> None:
    """One firm makes 60 of one good, then 60 of the other: specialised in each round, and not for long."""
    kept = Trace()
    for step in range(5):
        kept.append("outcomes", {"run": 1, "step": [step], "item": [0], "value": 0.0})
        kept.append("outcomes", {"run": 1, "step": [step], "item": [1], "value": 0.0})
    for step in range(4):
        for good in (0, 1):
            made = {0: 60.0, 1: 0.0}[(step + good) % 2]
            row = {"run": 1, "decision": [step], "pick": good + 1, "step": step, "agent": 0}
            kept.append("decisions", {**row, "kind": Kind.amount, "choice": good, "value": made})
    measure = measure_named("lasting specialisation")
    assert measure(kept).loc[1] == pytest.approx(-1)
    assert measure.over_time is not None
    course = measure.over_time(kept)["value"].tolist()
    assert course == pytest.approx([np.nan, np.nan, -1, -1], nan_ok=True)


def test_noise_is_specialised_in_each_round_and_not_for_long() -> None:
    """Amounts at random: by the published measure above Nash, on average over many rounds below it."""
    kept = trace(Random(), replicates=tuple(range(400)), steps=4)
    assert measure_named("specialisation")(kept).mean() > 0.33
    lasting = measure_named("lasting specialisation")(kept)
    assert abs(lasting.mean()) < 4 * lasting.std() / 20
    shares = measure_named("lasting concentration")(kept)
    assert abs(shares.mean() - 0.5) < 4 * shares.std() / 20


def test_what_is_not_known_is_left_out() -> None:
    price = measure_named("market price")
    assert price(told([np.nan, 1, 2, np.nan, 8])).loc[1] == pytest.approx(8)
    assert np.isnan(price(told([np.nan, 1, 2, np.nan, np.nan])).loc[1])


def test_where_nash_is_the_joint_optimum_there_is_no_scale() -> None:
    spec = Microspec(
        world=WORLD,
        population=Population(groups=(Group(count=1, decides=Random()),)),
        affordances=Affordances(choose="amount"),
    )
    kept = grown(spec)
    assert np.isnan(measure_named("profit gain")(kept).loc[1])
    assert np.isfinite(measure_named("profit")(kept).loc[1])


def test_other_worlds_have_no_market() -> None:
    spec = Microspec(world=Feed.of(3), population=Population(groups=(Group(decides=Random()),)))
    assert all(measure(grown(spec)).isna().all() for measure in MARKETS)


@pytest.mark.parametrize("measure", MARKETS, ids=lambda one: one.name)
def test_laws_of_measures(measure: object) -> None:
    check_measure(measure)  # type: ignore[arg-type]


class TestPhenomena:
    def both(self, rule: Decider) -> tuple[str, str]:
        """Market division and collusion, each against the same market at Nash."""
        replicates = tuple(range(6))
        grown_runs = trace(rule, replicates=replicates)
        plain = trace(NASH, replicates=replicates)
        whole = Trace.concatenate([grown_runs, _renumbered(plain)])
        answers = [
            one.against_baseline(whole, range(1, 7), range(101, 107)).answer
            for one in (MARKET_DIVISION, COLLUSION)
        ]
        return answers[0], answers[1]

    def test_division_pays_both_ways(self) -> None:
        assert self.both(JOINT) == ("grown", "grown")

    def test_eighty_five_divides_and_does_not_collude(self) -> None:
        assert self.both(EIGHTY_FIVE) == ("grown", "not grown")

    def test_half_of_the_joint_optimum_colludes_and_does_not_divide(self) -> None:
        assert self.both(Constant(given=((33.0, 27.0), (27.0, 33.0)))) == ("not grown", "grown")

    def test_nash_is_neither(self) -> None:
        assert self.both(NASH) == ("not grown", "not grown")

    def test_facets_are_of_known_measures(self) -> None:
        assert {one.measure.name for one in MARKET_FACETS} <= set(MEASURES)


def _renumbered(kept: Trace) -> Trace:
    other = Trace()
    for table in ("outcomes", "series", "runs", "decisions"):
        columns = dict(kept.columns(table))
        columns["run"] = columns["run"] + 100
        other.append(table, columns)
    return other
