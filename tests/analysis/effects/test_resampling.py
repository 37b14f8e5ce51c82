from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.analysis.effects.estimates import difference
from cloudchamber.analysis.effects.resampling import (
    Alternative,
    bootstrap_difference,
    permutation_p,
)
from cloudchamber.measures.estimate import difference as t_difference

stats: Any = scipy.stats

few = st.lists(st.integers(-9, 9), min_size=2, max_size=6)
SIDES: list[Alternative] = ["greater", "less", "two-sided"]


@given(few, st.sampled_from(SIDES[:2]))
def test_one_sided_sign_flips_are_scipys(values: list[int], side: Alternative) -> None:
    exact = stats.permutation_test(
        (np.array(values, float),),
        np.sum,
        permutation_type="samples",
        n_resamples=np.inf,
        alternative=side,
    ).pvalue
    assert permutation_p(values, paired=True, alternative=side) == pytest.approx(exact)


@settings(max_examples=20)
@given(few, few, st.sampled_from(SIDES[:2]))
def test_one_sided_deals_are_scipys(one: list[int], other: list[int], side: Alternative) -> None:
    # Of groups as large, deals are ordered by the difference of means as by Welch's t.
    other = (other * 6)[: len(one)]

    def gap(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(x.mean(axis=axis) - y.mean(axis=axis))

    exact = stats.permutation_test(
        (one, other), gap, n_resamples=np.inf, alternative=side, vectorized=True
    ).pvalue
    assert permutation_p(one, other, paired=False, alternative=side) == pytest.approx(exact)


def test_random_arrangements_agree_with_all_of_them() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.8, 1, 8), rng.normal(0, 1, 8)
    for paired in (True, False):
        for side in SIDES:
            exact = permutation_p(a, b, paired=paired, alternative=side, draws=20_000)
            drawn = permutation_p(a, b, paired=paired, alternative=side, draws=200)
            # Three standard errors of 200 draws.
            assert drawn == pytest.approx(exact, abs=3 * (exact * (1 - exact) / 200) ** 0.5 + 0.005)
            assert permutation_p(a, b, paired=paired, alternative=side, draws=200) == drawn


def test_what_rounding_leaves_of_equal_runs_is_no_evidence() -> None:
    """(0.1 + 0.2) + 0.3 is above 0.1 + (0.2 + 0.3), in every run: it was counted as 12 equal signs."""
    one, other = np.full(12, (0.1 + 0.2) + 0.3), np.full(12, 0.1 + (0.2 + 0.3))
    assert (one > other).all()
    assert permutation_p(one, other, paired=True) == 1
    assert permutation_p(one + 1e-9, other, paired=True) < 0.001


def test_thousands_of_runs_are_arranged_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    a, b = rng.normal(0.2, 1, (2, 300))
    whole = [permutation_p(a, b, paired=paired, draws=999) for paired in (True, False)]
    monkeypatch.setattr("cloudchamber.analysis.effects.resampling._BLOCK", 60_000)
    parts = [permutation_p(a, b, paired=paired, draws=999) for paired in (True, False)]
    t = [stats.ttest_rel(a, b).pvalue, stats.ttest_ind(a, b, equal_var=False).pvalue]
    assert whole == pytest.approx(t, abs=0.05) and parts == pytest.approx(t, abs=0.05)


def test_series_are_paired_by_replicate() -> None:
    a = pd.Series([1.0, 2, 3, 4, 5], index=[0, 1, 2, 3, 4])
    b = pd.Series([0.0, 0, 0, 0, 0], index=[4, 3, 2, 1, 9])
    assert permutation_p(a, b, paired=True) == pytest.approx(2 / 16)


@pytest.mark.parametrize("paired", [True, False])
def test_the_bca_is_scipys(paired: bool) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.exponential(2, 30), rng.exponential(1, 30)
    found = bootstrap_difference(a, b, paired=paired, method="bca", draws=9000)
    assert found.value == pytest.approx(a.mean() - b.mean())
    data = (a - b,) if paired else (a, b)

    def gap(*groups: np.ndarray, axis: int = -1) -> np.ndarray:
        means = [group.mean(axis=axis) for group in groups]
        return np.asarray(means[0] - means[1] if len(means) > 1 else means[0])

    other = stats.bootstrap(data, gap, n_resamples=9000, rng=np.random.default_rng(5))
    interval = other.confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.05)


def test_few_or_flat_runs_have_no_bootstrap() -> None:
    assert not bootstrap_difference([1, 2, 3, 4, 5], [2, 2, 3, 1, 0], paired=True).known
    flat = bootstrap_difference([2.0] * 8, [1.0] * 8, paired=True)
    assert (flat.low, flat.high) == (1, 1)


def test_the_interval_of_a_difference_can_be_chosen() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(1, 1, 12), rng.normal(0, 1, 12)
    t = difference(a, b, paired=True)
    drawn = difference(a, b, paired=True, interval="percentile-t")
    assert t.p == drawn.p
    assert t.method == "paired t" and drawn.method == "bootstrap (percentile-t)"
    assert (drawn.low, drawn.high) == pytest.approx((t.low, t.high), abs=0.35)


@pytest.mark.parametrize("paired", [True, False])
def test_percentile_t_covers_where_skewed_runs_are_few(paired: bool) -> None:
    rng = np.random.default_rng(4)
    times, n = 400, 12
    hits = {"t": 0, "percentile-t": 0, "bca": 0}
    for at in range(times):
        # Long to one side, against runs that hardly vary.
        a, b, true = rng.exponential(size=n), rng.normal(0, 0.1, n), 1.0
        t = t_difference(a, b, paired=paired)
        hits["t"] += t.low <= true <= t.high
        for method in ("percentile-t", "bca"):
            found = bootstrap_difference(
                a,
                b,
                paired=paired,
                method=method,
                draws=500,
                seed=at,
            )
            hits[method] += found.low <= true <= found.high
    # In 1,000 studies of 12 pairs: 94 % (percentile-t), 92 % (t), 89 % (BCa). Of 400 three
    # standard errors are 3.6 points.
    assert hits["percentile-t"] / times > 0.94 - 0.036
    assert hits["percentile-t"] > hits["t"]
    assert hits["percentile-t"] > hits["bca"] + 0.02 * times
