from math import exp, lgamma, sqrt
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.analysis.effects.effect_sizes import (
    cliffs_delta,
    cohens_dz,
    hedges_g,
    superiority,
)

stats: Any = scipy.stats

A = [5.1, 4.9, 5.6, 5.8, 6.0, 5.5, 5.2, 5.7]
B = [5.0, 5.1, 5.4, 5.9, 5.8, 5.6, 5.3]


def small(freedom: int) -> float:
    """Hedges (1981), equation 6e."""
    return exp(lgamma(freedom / 2) - lgamma((freedom - 1) / 2)) / sqrt(freedom / 2)


def test_hedges_g_and_its_interval_by_their_definitions() -> None:
    found = hedges_g(A, B)
    t = stats.ttest_ind(A, B).statistic
    root = sqrt(8 * 7 / 15)
    assert found.value == pytest.approx(small(13) * t / root)
    # The ends are the effects under which the t that was found lies at 97.5 and at 2.5 %.
    for end, tail in ((found.low, 0.975), (found.high, 0.025)):
        assert stats.nct.cdf(t, 13, end / small(13) * root) == pytest.approx(tail, abs=1e-6)
    assert found.n == 15


def test_dz_and_its_interval_by_their_definitions() -> None:
    found = cohens_dz(A[:7], B)
    gaps = np.subtract(A[:7], B)
    d = gaps.mean() / gaps.std(ddof=1)
    assert found.value == pytest.approx(small(6) * d)
    for end, tail in ((found.low, 0.975), (found.high, 0.025)):
        assert stats.nct.cdf(sqrt(7) * d, 6, end / small(6) * sqrt(7)) == pytest.approx(tail)
    assert found.unit == "pair of runs"
    assert cohens_dz(gaps).value == pytest.approx(found.value)


def test_effects_far_beyond_the_inverse_of_the_noncentral_t_still_have_an_interval() -> None:
    a = np.linspace(1000, 1001, 40)
    found = hedges_g(a, np.linspace(0, 1, 40))
    assert found.low < found.value < found.high
    assert 0.05 < (found.high - found.low) / found.value < 0.5


def test_without_spread_there_is_no_effect_size() -> None:
    assert np.isnan(hedges_g([1, 1, 1], [2, 2, 2]).value)
    assert np.isnan(cohens_dz([1, 2, 3], [0, 1, 2]).value)
    assert np.isnan(hedges_g([1], [2, 3]).value)
    assert np.isnan(cohens_dz([1, 2], [2, 5]).value)


few = st.lists(st.integers(-4, 4), min_size=2, max_size=12)


@given(few, few)
def test_superiority_is_the_mann_whitney_share(a: list[int], b: list[int]) -> None:
    found = superiority(a, b, paired=False)
    u = stats.mannwhitneyu(a, b, method="asymptotic").statistic
    assert found.value == pytest.approx(u / (len(a) * len(b)))
    assert 0 <= found.low <= found.value <= found.high <= 1
    mirrored = superiority(b, a, paired=False)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))
    delta = cliffs_delta(a, b)
    assert delta.value == pytest.approx(2 * found.value - 1)
    assert (delta.low, delta.high) == pytest.approx((2 * found.low - 1, 2 * found.high - 1))


def test_paired_superiority_is_a_binomial_share() -> None:
    found = superiority([2, 3, 4, 5, 0], [1, 1, 1, 1, 1], paired=True)
    exact = stats.binomtest(4, 5).proportion_ci()
    assert (found.value, found.low, found.high) == pytest.approx((0.8, exact.low, exact.high))
    tied = superiority([1, 1, 1], [1, 1, 1], paired=True)
    assert tied.value == 0.5
    assert tied.low < 0.1 and tied.high > 0.9
    assert superiority([2, 2, 2], [1, 1, 1], paired=True).high == 1


def test_groups_that_do_not_overlap_leave_doubt() -> None:
    found = superiority([11, 12, 13, 14], [1, 2, 3, 4], paired=False)
    assert found.value == found.high == 1
    assert 0.4 < found.low < 0.8


@pytest.mark.parametrize("shift", [0.0, 0.8, 2.0])
def test_intervals_cover(shift: float) -> None:
    rng = np.random.default_rng(3)
    times, n = 600, 10
    hits = np.zeros(3)
    for _ in range(times):
        b = rng.normal(size=n)
        a = rng.normal(shift, 1, n)
        g, dz = hedges_g(a, b), cohens_dz(a, b)
        p = superiority(a, b, paired=False)
        true = stats.norm.cdf(shift / sqrt(2))
        inside = [
            g.low <= shift * small(18) <= g.high,
            dz.low <= shift / sqrt(2) * small(9) <= dz.high,
            p.low <= true <= p.high,
        ]
        hits += inside
    # 600 intervals: two and a half standard errors are 2.2 points.
    assert hits[:2] / times == pytest.approx([0.95, 0.95], abs=0.022)
    assert 0.92 <= hits[2] / times <= 0.99
