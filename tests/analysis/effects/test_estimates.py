from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.analysis.effects.estimates import (
    bootstrap,
    cluster_curve,
    difference,
    mean,
    permutation_p,
    verdict,
)

stats: Any = scipy.stats

small = st.lists(st.integers(-20, 20), min_size=2, max_size=7)


@given(small)
def test_sign_flips_are_scipys_exact_test(values: list[int]) -> None:
    exact = stats.permutation_test(
        (np.array(values, float),), np.sum, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert permutation_p(values, paired=True) == pytest.approx(min(1, exact))


@settings(max_examples=15)
@given(small, small)
def test_deals_are_scipys_exact_test_of_welchs_t(one: list[int], other: list[int]) -> None:
    if len(one) + len(other) > 10 or min(np.ptp(one), np.ptp(other)) == 0:
        return

    def welch(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
        gap = x.mean(axis=axis) - y.mean(axis=axis)
        error = x.var(axis=axis, ddof=1) / x.shape[axis] + y.var(axis=axis, ddof=1) / y.shape[axis]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(gap == 0, 0, np.abs(gap) / np.sqrt(error)))

    exact = stats.permutation_test(
        (one, other), welch, n_resamples=np.inf, alternative="greater", vectorized=True
    ).pvalue
    assert permutation_p(one, other, paired=False) == pytest.approx(exact)


def test_known_p_values() -> None:
    # All five differences positive: 2 of 32 sign patterns are as extreme.
    assert permutation_p([1, 2, 3, 4, 5], paired=True) == pytest.approx(2 / 32)
    # Complete separation of 4 and 4: 2 of 70 deals.
    assert permutation_p([1, 2, 3, 4], [11, 12, 13, 15], paired=False) == pytest.approx(2 / 70)
    assert np.isnan(permutation_p([1], [2, 3], paired=False))
    assert permutation_p([3, 3, 3], [3, 3, 3], paired=False) == 1
    assert permutation_p([2.0] * 20, paired=True) == pytest.approx(1e-4)


def test_false_claims_stay_at_five_in_a_hundred() -> None:
    rng = np.random.default_rng(5)
    times = 1500
    # Paired runs without an effect, with few and with many runs; skewed, unpaired, same distribution.
    paired = [difference(*rng.normal(size=(2, 9)), paired=True) for _ in range(times)]
    many = [permutation_p(rng.laplace(size=16), paired=True) for _ in range(300)]
    apart = [permutation_p(*rng.exponential(size=(2, 5)), paired=False) for _ in range(300)]
    assert np.mean([verdict(e) == "effect" for e in paired]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([e.p is not None and e.p <= 0.05 for e in paired]) <= 0.05 + 0.017
    # 300 tests: three standard errors are 3.8 points.
    assert np.mean(np.array(many) <= 0.05) <= 0.05 + 0.038
    assert np.mean(np.array(apart) <= 0.05) <= 0.05 + 0.038


def test_a_difference_carries_its_p_only_with_an_interval() -> None:
    found = difference([5, 6, 7, 8], [1, 2, 3, 4.5], paired=False)
    assert found.p == pytest.approx(2 / 70)
    assert difference([5], [1], paired=False).p is None
    assert difference([1, 2], [1, 2], paired=True).p == 1


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_the_bootstrap_is_near_scipys(method: str) -> None:
    values = np.random.default_rng(2).exponential(size=40)
    found = bootstrap(values, np.median, method=method, draws=9000)  # type: ignore[arg-type]
    other = stats.bootstrap(
        (values,), np.median, method=method, n_resamples=9000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.low == pytest.approx(other.low, abs=0.05)
    assert found.high == pytest.approx(other.high, abs=0.05)


def test_the_bootstrap_covers_where_there_are_runs_enough() -> None:
    hits = 0
    times = 400
    for at in range(times):
        values = np.random.default_rng(at).normal(1, 1, 40)
        found = bootstrap(values, draws=500, seed=at)
        hits += found.low <= 1 <= found.high
    # 400 intervals: three standard errors are 3.3 points; 40 runs cost about 1.
    assert hits / times == pytest.approx(0.945, abs=0.035)


def test_the_bootstrap_draws_whole_runs_and_admits_what_it_cannot_tell() -> None:
    rows = np.arange(12.0).reshape(4, 3)
    seen: list[np.ndarray] = []

    def note(sample: np.ndarray) -> float:
        seen.append(sample)
        return float(sample.mean())

    bootstrap(rows, note, draws=50)
    assert all(tuple(row) in set(map(tuple, rows)) for sample in seen for row in sample)
    assert not bootstrap([1.0, 2.0]).known
    assert bootstrap([3.0, 3.0, 3.0]).low == 3


def test_a_curve_is_the_mean_at_each_point() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.random((6, 4)), columns=[1, 2, 3, 4])
    wide.iloc[1:, 3] = np.nan
    wide.iloc[0, 2] = np.nan
    curve = cluster_curve(wide)
    for point in (1, 2, 3):
        expected = mean(wide[point])
        got = curve.loc[point]
        assert (got["value"], got["low"], got["high"], got["n"]) == pytest.approx(
            (expected.value, expected.low, expected.high, expected.n)
        )
    clipped = cluster_curve(wide, within=(0.4, 0.6))
    assert clipped["low"].min() >= 0.4 and clipped["high"].max() <= 0.6
    assert clipped["value"].equals(curve["value"])
    assert curve.loc[4, "n"] == 1
    assert curve.loc[4, ["low", "high"]].isna().all()
    long = wide.rename_axis("run").reset_index().melt("run", var_name="step")
    pd.testing.assert_frame_equal(
        cluster_curve(long), curve, check_names=False, check_index_type=False
    )
