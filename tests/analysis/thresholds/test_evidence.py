"""Marginal likelihoods against closed forms, and what must hold of any shape."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln
from scipy.stats import multivariate_normal

from cloudchamber.analysis.thresholds.evidence import Measures, Shares, posterior, responses
from cloudchamber.analysis.thresholds.looking import credible
from cloudchamber.analysis.thresholds.products import product
from cloudchamber.analysis.thresholds.shapes import FAMILIES, PRIOR, Zoom, shapes

HERE = np.array([0.1, 0.35, 0.6, 0.95])


@given(st.lists(st.integers(0, 9), min_size=4, max_size=4), st.integers(9, 30))
def test_flat_shares_are_beta_binomial(grown: list[int], n: int) -> None:
    counts = Shares(HERE, np.full(4, float(n)), np.array(grown, float))
    found = counts.weigh(np.zeros((1, 4))).log_evidence[0]
    total = sum(grown)
    assert found == pytest.approx(
        betaln(total + 0.5, 4 * n - total + 0.5) - betaln(0.5, 0.5), abs=0.05
    )


def test_a_known_jump_of_shares_is_two_beta_binomials() -> None:
    counts = Shares(HERE, np.full(4, 10.0), np.array([1.0, 0, 7, 9]))
    found = counts.weigh(np.array([[0.0, 0, 1, 1]])).log_evidence[0]
    each = [betaln(k + 0.5, 20 - k + 0.5) - betaln(0.5, 0.5) for k in (1, 16)]
    assert found == pytest.approx(sum(each), abs=0.05)
    assert found > counts.weigh(np.zeros((1, 4))).log_evidence[0]


def test_measures_are_a_regression_in_closed_form() -> None:
    rng = np.random.default_rng(0)
    at = np.repeat(HERE, 5)
    values = rng.normal(1 + 2 * at, 0.3)
    told = responses(at, values)
    assert isinstance(told, Measures)
    curves = np.array([HERE, np.zeros(4), [0, 0, 1, 1]])
    levels, middle = told.mean, told.low + told.scale / 2
    noise = told._variance(HERE) / told.n + (0.02 * told.scale) ** 2
    found = told._given(1.0, curves)[0]
    densities = []
    for curve in curves:
        design = np.stack([np.ones(4), curve], axis=1)
        prior = np.diag([told.scale**2 / 4, told.scale**2 / 2])
        covariance = design @ prior @ design.T + np.diag(noise)
        densities.append(multivariate_normal([middle] * 4, covariance).logpdf(levels))
    assert found - found[0] == pytest.approx(np.array(densities) - densities[0])


def test_responses_of_0_and_1_are_shares_whatever_their_type() -> None:
    assert isinstance(responses(HERE, np.array([0.0, 1, 1, 0])), Shares)
    assert isinstance(responses(HERE, np.array([0.0, 1, 1, 0.5])), Measures)


@given(st.floats(0.02, 0.4), st.lists(st.floats(0, 1), max_size=5))
def test_shapes_lie_between_0_and_1_and_their_priors_add_up(
    sharp: float, tested: list[float]
) -> None:
    grid = shapes(sharp, np.array(tested), Zoom((0.2, 0.3), (0.4, 0.6), (0.1, 0.3), (0.5, 0.6)))
    assert grid.prior.sum() == pytest.approx(1 - PRIOR[-1])
    sums = np.bincount(grid.family, grid.prior, len(FAMILIES))
    assert sums[:-1] == pytest.approx(PRIOR[:-1])
    drawn = grid.curves(np.linspace(0, 1, 33))
    assert drawn.min() >= 0 and drawn.max() <= 1
    way = np.diff(drawn[np.isin(grid.family, (1, 2, 3))], axis=1)
    assert (way >= -1e-12).all()
    turns = drawn[grid.family == 4]
    assert (turns.max(axis=1) - turns[:, [0, -1]].max(axis=1) > 0.2).all()


def test_the_place_of_a_jump_is_even_between_the_last_no_and_the_first_yes() -> None:
    at = np.repeat(np.linspace(0, 1, 11), 40)
    tested = np.unique(np.round(at, 12))
    known = posterior(shapes(0.02, tested), responses(at, (at > 0.45).astype(float)), tested)
    low, high = credible(
        known.grid.edges[0], known.grid.by_cell(known.weight)[0], np.array([0.025, 0.975])
    )
    assert low == pytest.approx(0.4025, abs=0.003) and high == pytest.approx(0.4975, abs=0.003)


@settings(max_examples=10)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(0, 40))
def test_products_in_blocks_are_products(rows: int, inner: int, columns: int) -> None:
    rng = np.random.default_rng(rows)
    a = rng.standard_normal((rows * 37, inner))
    b = rng.standard_normal((inner, columns) if columns else inner)
    assert product(a, b) == pytest.approx(a @ b)
