"""Equilibria and joint optima against closed forms, published values and firms that try to do better."""

import csv
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from cloudchamber.oligopoly import (
    Prices,
    Quantities,
    best_price,
    best_quantity,
    concentration,
    shares,
    specialisation,
)
from tests.field_data import field_file

LIN = np.array([[40.0, 50.0], [50.0, 40.0]])
"""Costs of Lin, Ojha, Cai & Chen 2024: each firm is the cheaper in one good."""

HUNDRED, TWO = np.full(2, 100.0), np.full(2, 2.0)


def market(costs: Any = LIN, capacity: float = 100.0, intercept: float = 100.0) -> Quantities:
    costs = np.asarray(costs, np.float64)
    goods = costs.shape[1]
    return Quantities(costs, np.full(goods, intercept), np.full(goods, 2.0), capacity)


class TestPublishedDesign:
    def test_nash(self) -> None:
        nash = market().nash()
        assert nash == pytest.approx(np.array([[140, 80], [80, 140]]) / 3)
        assert market().prices(nash) == pytest.approx(190 / 3)
        assert market().profits(nash).sum(axis=1) == pytest.approx(1444.444444)
        assert specialisation(nash) == pytest.approx(0.272727, abs=1e-6)
        assert concentration(nash) == pytest.approx(0.537190, abs=1e-6)
        assert 100 - nash.sum(axis=1) == pytest.approx(26.6667, abs=1e-4)

    def test_joint_optimum_is_division(self) -> None:
        joint = market().joint()
        assert joint == pytest.approx(np.array([[60, 0], [0, 60]]))
        assert market().prices(joint) == pytest.approx(70)
        assert market().profits(joint).sum(axis=1) == pytest.approx(1800)
        assert specialisation(joint) == pytest.approx(1)
        assert concentration(joint) == pytest.approx(1)

    def test_what_models_settle_at_is_specialised_and_earns_less_than_nash(self) -> None:
        acts = np.array([[80.0, 5.0], [5.0, 80.0]])
        assert market().prices(acts) == pytest.approx(57.5)
        assert market().profits(acts).sum(axis=1) == pytest.approx(1437.5)
        assert specialisation(acts) == pytest.approx(0.882, abs=5e-4)
        assert concentration(acts) == pytest.approx(0.889, abs=5e-4)
        nash = market().profits(market().nash()).sum(axis=1)
        assert (market().profits(acts).sum(axis=1) < nash).all()

    def test_symmetric_costs(self) -> None:
        alike = market(np.full((2, 2), 40.0))
        assert alike.nash() == pytest.approx(40)
        assert alike.joint() == pytest.approx(30)

    def test_duopoly_closed_form(self) -> None:
        costs = np.array([[11.0], [23.0]])
        expected = (100 - 2 * costs + costs[::-1]) / (3 * 0.5)
        assert market(costs).nash() == pytest.approx(expected)

    def test_a_firm_that_costs_too_much_stays_out(self) -> None:
        nash = market([[10.0], [90.0], [120.0]], capacity=np.inf).nash()
        assert nash[:, 0] == pytest.approx([90, 0, 0])

    def test_best_responses_in_turn_lead_two_firms_to_nash_by_a_quarter_a_round(self) -> None:
        free = market(capacity=np.inf)
        acts, away = np.zeros((2, 2)), []
        for _ in range(20):
            for firm in (0, 1):
                rest = acts[1 - firm]
                acts[firm] = best_quantity(rest, LIN[firm], free.intercept, free.slope, np.inf)
            away.append(np.abs(acts - free.nash()).max())
        assert np.array(away[1:10]) / np.array(away[:9]) == pytest.approx(0.25)


amounts = st.floats(0, 100)
anywhere = settings(max_examples=60, deadline=None)


@st.composite
def markets(draw: Any) -> Quantities:
    firms, goods = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    costs = [[draw(st.floats(0, 110)) for _ in range(goods)] for _ in range(firms)]
    if draw(st.booleans()):
        costs = [costs[firm // 2] for firm in range(firms)]
    intercept = np.array([draw(st.floats(20, 100)) for _ in range(goods)])
    slope = np.array([draw(st.floats(0.5, 4)) for _ in range(goods)])
    capacity = draw(st.one_of(st.just(np.inf), st.floats(5, 150)))
    return Quantities(np.array(costs), intercept, slope, capacity)


def tries(one: Quantities, seed: int, many: int = 200) -> Any:
    """Feasible quantities of one firm, (many, goods)."""
    drawn = np.random.default_rng(seed).dirichlet(np.ones(one.costs.shape[1] + 1), many)
    most = min(one.capacity, float((one.intercept * one.slope).sum()))
    return drawn[:, :-1] * most


@anywhere
@given(markets(), st.integers(0, 1000))
def test_nobody_betters_nash_alone(one: Quantities, seed: int) -> None:
    nash = one.nash()
    assert (nash >= 0).all() and (nash.sum(axis=1) <= one.capacity + 1e-9).all()
    earned = one.profits(nash).sum(axis=1)
    for firm in range(one.firms):
        tried = np.repeat(nash[None], 200, axis=0)
        tried[:, firm] = tries(one, seed)
        assert (one.profits(tried).sum(axis=2)[:, firm] <= earned[firm] + 1e-6).all()


@anywhere
@given(markets(), st.integers(0, 1000))
def test_nothing_betters_the_joint_optimum(one: Quantities, seed: int) -> None:
    joint = one.joint()
    assert (joint >= 0).all() and (joint.sum(axis=1) <= one.capacity + 1e-9).all()
    tried = np.stack([tries(one, seed + firm) for firm in range(one.firms)], axis=1)
    most = one.profits(joint).sum()
    assert (one.profits(tried).sum(axis=(1, 2)) <= most + 1e-6 * max(most, 1)).all()
    assert most >= one.profits(one.nash()).sum() - 1e-6


def test_many_firms_that_are_alike_are_solved_together() -> None:
    """100,000 firms that capacity binds, in two kinds: nobody betters Nash alone, and it takes no time."""
    costs = np.tile(LIN, (50_000, 1))
    one = Quantities(costs, HUNDRED, np.full(2, 1e5), 100.0)
    nash = one.nash()
    assert nash[:2] == pytest.approx(np.array([[100, 0], [0, 100]]), abs=1e-6)
    rest = nash.sum(axis=0) - nash[0]
    best = best_quantity(rest, LIN[0], HUNDRED, one.slope, 100.0)
    assert best == pytest.approx(nash[0], abs=1e-3)


@anywhere
@given(markets(), st.randoms(use_true_random=False))
def test_names_of_firms_mean_nothing(one: Quantities, random: Any) -> None:
    order = list(range(one.firms))
    random.shuffle(order)
    other = Quantities(one.costs[order], one.intercept, one.slope, one.capacity)
    assert other.nash() == pytest.approx(one.nash()[order], abs=1e-6)


@pytest.mark.parametrize("capacity", [35.0, 60.0, 90.0])
def test_capacity_against_a_general_solver(capacity: float) -> None:
    one = market([[10.0, 30.0, 45.0], [20.0, 25.0, 50.0]], capacity)

    def loss(flat: Any) -> float:
        return -float(one.profits(flat.reshape(2, 3)).sum())

    within = {"type": "ineq", "fun": lambda flat: capacity - flat.reshape(2, 3).sum(axis=1)}
    solver: Any = optimize.minimize
    found = solver(
        loss,
        np.full(6, capacity / 4),
        bounds=[(0, capacity)] * 6,
        constraints=[within],
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert one.profits(one.joint()).sum() == pytest.approx(-found.fun, rel=1e-7)


@anywhere
@given(st.lists(amounts, min_size=3, max_size=3), st.floats(1, 120))
def test_best_quantity_meets_its_conditions(rest: list[float], capacity: float) -> None:
    """Goods made have one margin left, the shadow price; others none above it; it is 0 within capacity."""
    costs, slope = np.array([10.0, 20.0, 30.0]), np.array([1.0, 2.0, 3.0])
    made = best_quantity(np.array(rest), costs, np.full(3, 100.0), slope, capacity)
    left = 100 - (np.array(rest) + 2 * made) / slope - costs
    shadow = max(float(left.max()), 0.0)
    assert left[made > 1e-9] == pytest.approx(shadow, abs=1e-8)
    assert made.sum() <= capacity + 1e-9
    assert shadow == pytest.approx(0, abs=1e-8) or made.sum() == pytest.approx(capacity)


def test_best_quantities_of_many_are_those_of_each() -> None:
    rest = np.random.default_rng(1).uniform(0, 150, (50, 2))
    together = best_quantity(rest, LIN[0], HUNDRED, TWO, 70.0)
    each = [best_quantity(one, LIN[0], HUNDRED, TWO, 70.0) for one in rest]
    assert np.array_equal(together, np.array(each))


class TestLogit:
    def duopoly(self, firms: int = 2, **more: float) -> Prices:
        return Prices(np.ones((firms, 1)), np.full((firms, 1), 2.0), **more)

    def test_published_values(self) -> None:
        """Calvano et al. 2020: quality 2, cost 1, spread 1/4: Nash 1.473, monopoly 1.925."""
        one = self.duopoly()
        assert one.nash() == pytest.approx(1.4729, abs=5e-5)
        assert one.joint() == pytest.approx(1.9250, abs=5e-5)
        assert one.profits(one.nash()) == pytest.approx(0.2229, abs=5e-5)
        assert one.profits(one.joint()) == pytest.approx(0.3375, abs=5e-5)

    @pytest.mark.parametrize(
        ("firms", "nash", "joint"),
        [(2, 1.4729, 1.9250), (3, 1.3702, 2.0), (4, 1.3315, 2.0544), (5, 1.3115, 2.0972)],
    )
    def test_published_for_more_firms(self, firms: int, nash: float, joint: float) -> None:
        """The reference prices of Peist, Romero & Sauer 2025, who put language models in this market."""
        one = self.duopoly(firms)
        assert one.nash() == pytest.approx(nash, abs=5e-5)
        assert one.joint() == pytest.approx(joint, abs=5e-5)

    def test_published_prices_on_our_scale(self) -> None:
        """What the study of prices quotes of them, counted again: between our Nash and our joint optimum."""
        source = field_file("sauer_llm_pricing", "converged_prices.csv")
        with source.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        quoted = {"P1": (0.65, 0.59, 0.52, 0.41), "P2": (0.01, 0.08, -0.02, -0.01)}
        for prompt, gains in quoted.items():
            for firms, gain in enumerate(gains, start=2):
                one = self.duopoly(firms)
                low, high = float(one.nash()[0, 0]), float(one.joint()[0, 0])
                mine = [r for r in rows if (r["n_agents"], r["prompt"]) == (str(firms), prompt)]
                mean = np.mean([float(row["price_mean_rounds_251_300"]) for row in mine])
                assert (mean - low) / (high - low) == pytest.approx(gain, abs=0.0051)
                assert float(mine[0]["price_nash"]) == pytest.approx(low, abs=5e-5)
                assert float(mine[0]["price_monopoly"]) == pytest.approx(high, abs=5e-5)

    def test_many_firms_of_few_kinds(self) -> None:
        """None of 100,000 does better alone: p = cost + spread / (1 - share), each of its own kind."""
        kinds = np.tile(np.array([[0.0], [1.0]]), (50_000, 1))
        one = Prices(1.0 + 0.2 * kinds, 2.0 + 0.1 * kinds)
        nash = one.nash()
        assert nash == pytest.approx(one.costs + 0.25 / (1 - one.quantities(nash)), rel=1e-9)
        assert len(np.unique(nash)) == 2

    def test_one_firm_alone_prices_as_a_monopolist(self) -> None:
        one = self.duopoly(1)
        assert one.nash() == pytest.approx(one.joint())

    def test_shares(self) -> None:
        one = self.duopoly(size=90.0)
        assert one.quantities(np.full((2, 1), 2.0)) == pytest.approx(30.0)  # three equal worths
        cheap = one.quantities(np.full((2, 1), -1e6))
        assert cheap == pytest.approx(45.0)
        assert one.quantities(np.full((2, 1), 1e6)) == pytest.approx(0.0)

    @anywhere
    @given(
        st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=1, max_size=5),
        st.floats(0.1, 2),
        st.floats(-2, 2),
    )
    def test_first_order_conditions(
        self, firms: list[tuple[float, float]], wide: float, outside: float
    ) -> None:
        costs, quality = (np.array(part)[:, None] for part in zip(*firms, strict=True))
        one = Prices(costs, quality, outside, wide)
        nash = one.nash()
        assert nash - costs == pytest.approx(wide / (1 - one.quantities(nash)), rel=1e-8)
        joint = one.joint()
        none = 1 - one.quantities(joint).sum(axis=0)
        assert joint - costs == pytest.approx(np.broadcast_to(wide / none, joint.shape), rel=1e-8)
        assert one.profits(joint).sum() >= one.profits(nash).sum() - 1e-12

    def test_no_price_betters_the_best(self) -> None:
        one = self.duopoly(size=100.0)
        rest = np.logaddexp(np.zeros(1), (2.0 - 1.6) / 0.25)
        best = float(best_price(rest, np.ones(1), np.full(1, 2.0), 0.25)[0])
        tried = np.array([[[p], [1.6]] for p in np.linspace(0.5, 3, 2001)])
        most = one.profits(np.array([[best], [1.6]]))[0, 0]
        assert (one.profits(tried)[:, 0, 0] <= most + 1e-12).all()

    def test_an_infinite_price_is_no_offer(self) -> None:
        one = self.duopoly()
        acts = np.array([[1.6], [np.inf]])
        alone = self.duopoly(1)
        assert one.profits(acts)[:, 0] == pytest.approx([alone.profits(acts[:1])[0, 0], 0.0])


def test_who_makes_nothing_has_no_specialisation_and_what_nobody_makes_no_shares() -> None:
    made = np.array([[[0.0, 0.0], [3.0, 0.0]], [[1.0, 1.0], [1.0, 3.0]]])
    assert np.isnan(specialisation(made)[0, 0]) and specialisation(made)[0, 1] == pytest.approx(1)
    assert np.isnan(shares(made)[0, :, 1]).all() and np.isnan(concentration(made)[0, 1])
    assert concentration(made)[1] == pytest.approx([0.5, 0.625])
    assert specialisation(made)[1] == pytest.approx([0, 0.5])
