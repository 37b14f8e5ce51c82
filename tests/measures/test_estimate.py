from collections.abc import Callable
from math import inf, isnan, nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from cloudchamber.errors import SpecificationError
from cloudchamber.measures.concentration import unpredictability
from cloudchamber.measures.estimate import (
    Estimate,
    about,
    difference,
    jackknife,
    mean,
    proportion,
    ratio,
    runs_needed,
    verdict,
)

stats: Any = scipy.stats

numbers = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


def test_an_estimate_reads_as_a_sentence_part() -> None:
    assert str(Estimate(0.312, 0.221, 0.404, 12)) == "0.31 [0.22, 0.40], 12 runs"
    assert str(Estimate(0.3123, 0.3012, 0.3231, 12)) == "0.312 [0.301, 0.323], 12 runs"
    assert str(Estimate(24.5, 19.9, 29.1, 2)) == "24 [20, 29], 2 runs"
    assert str(Estimate(-0.0001, -0.5, 0.5, 2)) == "0.0 [-0.5, 0.5], 2 runs"
    assert str(Estimate(0.005, 0.002, 0.008, 5)) == "0.005 [0.002, 0.008], 5 runs"
    assert str(Estimate(12345, 12000, 12700, 4)) == "12300 [12000, 12700], 4 runs"
    assert str(Estimate(2e-8, 1e-8, 3e-8, 4)) == "2e-08 [1e-08, 3e-08], 4 runs"
    assert str(mean([0.31])) == "0.31, cannot tell (1 run)"
    assert str(mean([123456.7])) == "123457, cannot tell (1 run)"
    assert str(mean([])) == "cannot tell (0 runs)"
    assert str(difference([1, 2, 4], [0, 0, 1], paired=True)).endswith("3 pairs of runs")


def test_what_does_not_vary_is_told_without_an_interval() -> None:
    assert str(Estimate(-1e-17, -2e-17, 0, 5)) == "0, the same in all 5 runs"
    assert str(mean([0.35] * 10)) == "0.35, the same in all 10 runs"
    same = difference([0.3] * 4, [0.1] * 4, paired=True)
    assert str(same) == "0.2, the same in all 4 pairs of runs"
    assert str(difference([0.3] * 4, [0.1] * 3)) == "0.2, no spread in 7 runs"


def test_no_end_of_an_interval_without_0_is_told_as_0() -> None:
    assert str(Estimate(0.21, 0.004, 0.41, 12)) == "0.21 [0.004, 0.41], 12 runs"
    assert str(Estimate(-0.21, -0.41, -0.004, 12)) == "-0.21 [-0.41, -0.004], 12 runs"
    assert str(Estimate(0.20, -0.004, 0.41, 12)) == "0.20 [0.00, 0.41], 12 runs"


@given(st.floats(-1e3, 1e3), st.floats(1e-5, 1e6), st.floats(0, 1))
def test_what_is_told_is_near_what_is_meant(value: float, width: float, part: float) -> None:
    found = Estimate(value, value - part * width, value + (1 - part) * width, 7)
    assume(not found.flat)
    head = str(found).removesuffix(", 7 runs")
    assert head != str(found) and "-0 " not in head and "-0.0 " not in head
    told = [float(number) for number in head.translate({91: "", 93: "", 44: ""}).split()]
    half, largest = width / 2, max(abs(found.value), abs(found.low), abs(found.high))
    for number, meant in zip(told, (found.value, found.low, found.high), strict=True):
        assert abs(number - meant) <= max(0.2 * half, 0.005 * largest)
    assert (told[1] > 0) >= (found.low > 0) and (told[2] < 0) >= (found.high < 0)


def test_what_only_rounding_tells_apart_is_the_same() -> None:
    ten = mean(1 / 48 + 1e-10 * np.arange(10))
    assert ten.flat and str(ten) == "0.0208, the same in all 10 runs"
    assert not mean([0.1, 0.1001]).flat


def test_small_numbers_are_written_out() -> None:
    assert str(mean([-3.31e-5, -3.31e-5])) == "-0.00003, the same in all 2 runs"


def test_ends_are_kept_within_what_is_possible() -> None:
    share = mean([0.0, 0.02, 0.3])
    assert share.low < 0 < share.high < 1
    kept = share.within(0, 1)
    assert (kept.low, kept.high, kept.value) == (0, share.high, share.value)
    assert share.within(0, 0.2).high == 0.2
    assert share.within() == share
    assert verdict(kept) == verdict(share) == "undecided"
    assert isnan(mean([0.5]).within(0, 1).low), "no interval stays no interval"
    assert not mean([]).within(0, 1).known
    with pytest.raises(SpecificationError, match="-0.5 cannot be kept within 0 and 1"):
        mean([-0.5, -0.5]).within(0, 1)


def test_intervals_kept_within_what_is_possible_cover_as_before() -> None:
    """Near the edge, where the t interval is at its worst: cutting takes nothing that was right."""
    rng = np.random.default_rng(5)
    kept = whole = 0
    for _ in range(500):
        found = mean(rng.beta(1, 9, 6))
        whole += found.low <= 0.1 <= found.high
        kept += (cut := found.within(0, 1)).low <= 0.1 <= cut.high
    assert kept == whole


def test_three_runs_are_few() -> None:
    assert mean([1, 2, 3]).few and not mean([1, 2, 3, 4]).few
    assert difference([1, 2, 4], [0, 0, 1], paired=True).few


@given(numbers)
def test_the_mean_is_scipys_t_interval(values: list[float]) -> None:
    found = mean(values)
    assert found.value == pytest.approx(np.mean(values))
    if np.ptp(values) > 1e-6:
        low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((low, high))


@given(numbers, numbers)
def test_the_difference_is_scipys_welch_and_paired_t(one: list[float], other: list[float]) -> None:
    if np.ptp(one) > 1e-3 and np.ptp(other) > 1e-3:
        found = difference(one, other)
        low, high = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
        assert (found.low, found.high) == pytest.approx((low, high))
        assert found.n == len(one) + len(other)
    n = min(len(one), len(other))
    a, b = np.array(one[:n]), np.array(other[:n])
    if np.ptp(a - b) > 1e-6:
        low, high = stats.ttest_rel(a, b).confidence_interval()
        found = difference(a, b, paired=True)
        assert (found.low, found.high) == pytest.approx((low, high))


def test_series_are_paired_by_replicate_and_gaps_drop_out() -> None:
    a = pd.Series([5.0, 1.0, 3.0, nan], index=[3, 1, 2, 4])
    b = pd.Series([1.0, 2.0, 3.0, 4.0, 9.0], index=[1, 2, 3, 4, 5])
    found = difference(a, b, paired=True)
    assert found.value == pytest.approx(np.mean([0.0, 1.0, 2.0]))
    assert found.n == 3
    with pytest.raises(SpecificationError, match="3 against 2"):
        difference([1, 2, 3], [1, 2], paired=True)


def test_the_proportion_is_scipys_exact_interval() -> None:
    for k, n in ((0, 7), (3, 7), (7, 7), (1, 1)):
        low, high = stats.binomtest(k, n).proportion_ci(method="exact")
        found = proportion(k, n)
        assert (found.low, found.high) == pytest.approx((low, high))
    assert not proportion(0, 0).known


def test_ratio() -> None:
    a, b = np.array([2.0, 2.2, 1.8, 2.1]), np.array([1.0, 1.1, 0.9, 1.05])
    exact = ratio(a, b, paired=True)
    assert (exact.value, exact.low, exact.high) == pytest.approx((2, 2, 2))
    apart = ratio(a, b)
    assert apart.low < 2 < apart.high
    assert apart.low * apart.high == pytest.approx(4)
    assert not ratio([-1, -1, 0.5], [1, 1, 2]).known
    assert isnan(ratio([1, 2], [0, 0]).value)


def test_the_jackknife_of_a_mean_is_the_t_interval() -> None:
    values = np.random.default_rng(0).normal(size=9)
    found, plain = jackknife(values, lambda x: float(x.mean())), mean(values)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))


def test_verdicts() -> None:
    assert verdict(Estimate(0.3, 0.1, 0.5, 9)) == "effect"
    assert verdict(Estimate(0.3, -0.1, 0.5, 9)) == "undecided"
    assert verdict(Estimate(0.3, nan, nan, 1)) == "undecided"
    assert verdict(Estimate(0.0, -0.01, 0.01, 9)) == "undecided"
    assert verdict(Estimate(0.0, -0.01, 0.01, 9), margin=0.05) == "no effect"
    assert verdict(Estimate(0.02, 0.01, 0.03, 9), margin=0.05) == "no effect"
    assert verdict(Estimate(0.3, 0.1, 0.5, 9), null=0.3) == "undecided"
    assert verdict(Estimate(0.3, 0.1, 0.5, 9), margin=0.05) == "effect"


def covered(
    simulate: Callable[[np.random.Generator], Estimate], truth: float, times: int = 4000
) -> float:
    """Share of intervals that hold the truth."""
    hits = 0
    for at in range(times):
        found = simulate(np.random.default_rng(at))
        hits += found.low <= truth <= found.high
    return hits / times


# 4,000 intervals: the share that cover has a standard error of 0.34 points.
def test_intervals_of_means_cover_as_they_say() -> None:
    assert covered(lambda r: mean(r.normal(3, 2, 8)), 3) == pytest.approx(0.95, abs=0.02)
    assert covered(lambda r: difference(r.normal(3, 1, 6), r.normal(1, 3, 9)), 2) == pytest.approx(
        0.95, abs=0.02
    )


def test_paired_runs_are_told_apart_more_finely() -> None:
    def cells(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        shared = rng.normal(0, 3, 8)
        return 1 + shared + rng.normal(0, 0.5, 8), shared + rng.normal(0, 0.5, 8)

    assert covered(lambda r: difference(*cells(r), paired=True), 1) == pytest.approx(0.95, abs=0.02)
    a, b = cells(np.random.default_rng(1))
    close, wide = difference(a, b, paired=True), difference(a, b)
    assert (close.high - close.low) < 0.5 * (wide.high - wide.low)


def test_the_interval_of_unpredictability_is_not_too_narrow() -> None:
    def tallies(rng: np.random.Generator, runs: int) -> np.ndarray:
        return rng.multinomial(200, rng.dirichlet(np.full(12, 3.0), runs))

    truth = unpredictability(tallies(np.random.default_rng(10**6), 5000))
    share = covered(lambda r: jackknife(tallies(r, 12), unpredictability), truth, 600)
    # 600 intervals: a standard error of 0.9 points
    assert 0.92 < share <= 1


def test_runs_needed_give_the_power_they_promise() -> None:
    n = int(runs_needed(sd=1.0, effect=0.8))
    rng = np.random.default_rng(0)
    told = [verdict(mean(rng.normal(0.8, 1, n))) == "effect" for _ in range(4000)]
    assert np.mean(told) == pytest.approx(0.8, abs=0.04)
    assert runs_needed(1, 0) == inf
    assert isnan(runs_needed(nan, 1))


def test_runs_are_told_by_their_order_of_magnitude() -> None:
    told = {
        3: "about 3",
        9.6: "about 10",
        41: "about 40",
        149: "about 100",
        151: "some hundreds",
        949: "some hundreds",
        951: "about 1000",
        1501: "some thousands",
        9499: "some thousands",
        9501: "ten thousand or more",
        1e9: "ten thousand or more",
        inf: "no number",
        nan: "an unknown number",
    }
    assert {n: about(n) for n in told} == told
    assert about(38, "runs") == "about 40 runs"
    assert about(380, "pairs") == "some hundreds of pairs"
    assert about(inf, "runs") == "no number of runs"


def test_five_runs_know_the_number_of_runs_needed_to_one_digit_at_best() -> None:
    """The factors that the docstring of `about` names: of the spread of five runs, and its square."""
    spread = np.sqrt(4 / stats.chi2.ppf([0.975, 0.025], 4))
    assert spread == pytest.approx([0.6, 2.9], abs=0.05)
    assert spread**2 == pytest.approx([0.36, 8.3], abs=0.05)


def test_a_ratio_of_what_is_hardly_there_has_no_upper_end() -> None:
    found = ratio(np.array([1e-9, -1.0, 1.0, 0.5, -0.5]), np.arange(1.0, 6.0), paired=True)
    assert found.low == 0 and found.high == np.inf and not found.known
