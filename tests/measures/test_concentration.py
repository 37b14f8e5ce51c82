from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cloudchamber.measures import concentration as c

tallies = arrays(
    np.float64, st.tuples(st.integers(1, 5), st.integers(2, 9)), elements=st.integers(0, 50)
)


@pytest.mark.parametrize("n", [2, 5, 48])
def test_closed_forms(n: int) -> None:
    equal, one = np.full(n, 3), np.eye(n)[0] * 7
    assert c.gini(equal) == pytest.approx(0)
    assert c.gini(one) == pytest.approx(1 - 1 / n)
    # Shares proportional to 1, 2, ..., n: G = (n - 1) / (3 n)
    assert c.gini(np.arange(1, n + 1)) == pytest.approx((n - 1) / (3 * n))
    assert c.entropy(equal) == pytest.approx(1)
    assert c.entropy(one) == pytest.approx(0)
    assert c.effective_number(equal) == pytest.approx(n)
    assert c.effective_number(one) == pytest.approx(1)
    assert c.herfindahl(equal) == pytest.approx(1 / n)
    assert c.herfindahl(one) == pytest.approx(1)
    assert c.top_share(equal, 1) == pytest.approx(1 / n)
    assert c.top_share(np.arange(1, n + 1), 2) == pytest.approx((2 * n - 1) / (n * (n + 1) / 2))
    assert c.top_share(equal, n) == pytest.approx(1)


def test_gini_of_exponential_shares_is_a_half() -> None:
    quantiles = -np.log1p(-(np.arange(100_000) + 0.5) / 100_000)
    assert c.gini(quantiles) == pytest.approx(0.5, abs=1e-3)


@given(tallies)
def test_gini_is_the_mean_difference_between_pairs(tally: np.ndarray) -> None:
    for row in tally:
        if row.sum() == 0:
            assert np.isnan(c.gini(row))
            continue
        differences = np.abs(row[:, None] - row[None]).mean()
        assert c.gini(row) == pytest.approx(differences / (2 * row.mean()), abs=1e-12)


@given(tallies, st.integers(1, 1000))
def test_only_shares_count_and_rows_are_apart(tally: np.ndarray, scale: int) -> None:
    for function in (c.gini, c.entropy, c.effective_number, c.herfindahl, c.top_share):
        whole = function(tally)
        np.testing.assert_allclose(function(tally * scale), whole, atol=1e-12)
        np.testing.assert_allclose(function(tally[:, ::-1]), whole, atol=1e-12)
        np.testing.assert_allclose([function(row) for row in tally], whole, atol=1e-12)
        np.testing.assert_allclose(function(tally[:, None]), whole[:, None], atol=1e-12)


def test_unpredictability_closed_forms() -> None:
    same = np.tile([3, 1, 0], (4, 1))
    assert c.unpredictability(same) == 0
    # Each of n runs has its own only item: |m_ij - m_ik| is 1 in (n - 1) of n (n - 1) / 2 pairs.
    assert c.unpredictability(np.eye(5) * 9) == pytest.approx(2 / 5)
    assert c.unpredictability([[1, 0], [0, 5]]) == pytest.approx(1)
    assert np.isnan(c.unpredictability([[1, 2]]))


@given(tallies)
def test_unpredictability_is_its_definition(tally: np.ndarray) -> None:
    counted = c.shares(tally[tally.sum(axis=1) > 0])
    pairs = [np.abs(one - other) for one, other in combinations(counted, 2)]
    if not pairs:
        assert np.isnan(c.unpredictability(tally))
        return
    assert c.unpredictability(tally) == pytest.approx(np.mean(pairs), abs=1e-12)
    by_run = c.unpredictability_by_run(tally)
    assert np.isnan(by_run[tally.sum(axis=1) == 0]).all()
    assert np.nanmean(by_run) == pytest.approx(np.mean(pairs), abs=1e-12)
