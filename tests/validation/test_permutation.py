"""The permutation test over runs: exact where it can be, and as often wrong as it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from cloudchamber.validation.permutation import Distance, distances, energy_test


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def compared(values: NDArray[np.float64], first: int, permutations: int = 999) -> Distance:
    apart = np.abs(values[:, None] - values)
    return energy_test("x", "units", apart, first, rng(), permutations)


def test_the_statistic_is_scipys_energy_distance() -> None:
    values = rng().normal(size=15)
    found = compared(values, 9)
    # SciPy gives the square root of this one (for the area between distribution functions, times 2).
    assert found.statistic == pytest.approx(
        stats.energy_distance(values[:9], values[9:]) ** 2, rel=1e-12
    )


def test_with_two_against_three_all_ten_splits_count() -> None:
    found = compared(np.array([10.0, 11, 1, 2, 3]), 2)
    assert found.p == found.smallest_p == 0.1
    assert found.differs() is None
    assert found.differs(0.1) is True
    assert found.between == pytest.approx((9 + 8 + 7 + 10 + 9 + 8) / 6)
    assert [found.within_first, found.within_second] == pytest.approx([1, 4 / 3])
    assert (found.first, found.second) == (2, 3)


def test_equal_groups_count_their_mirror_image() -> None:
    found = compared(np.array([1.0, 2, 3, 11, 12, 13]), 3)
    assert found.p == found.smallest_p == 2 / 20


def test_one_world_against_many_runs_is_its_rank() -> None:
    found = compared(np.append(50.0, rng().normal(size=24)), 1)
    assert found.p == found.smallest_p == 1 / 25
    assert np.isnan(found.within_first)
    assert "two simulated runs" not in found.sentence()


def test_runs_that_are_all_alike_do_not_differ() -> None:
    found = compared(np.zeros(12), 6)
    assert (found.p, found.statistic, found.differs()) == (1, 0, False)


@pytest.mark.parametrize(("first", "second"), [(8, 8), (3, 8), (1, 30), (20, 20)])
def test_false_alarms_are_as_rare_as_stated(first: int, second: int) -> None:
    tests, generator = 400, rng(7)
    alarms = sum(
        compared(generator.exponential(size=first + second), first, 199).p <= 0.05
        for _ in range(tests)
    )
    assert stats.binomtest(alarms, tests, 0.05, alternative="greater").pvalue > 1e-3


def test_planted_differences_in_level_and_in_spread_are_found() -> None:
    generator = rng(3)
    level = [
        compared(np.append(generator.normal(0, 1, 12), generator.normal(2, 1, 10)), 12).p
        for _ in range(40)
    ]
    spread = [
        compared(np.append(generator.normal(0, 1, 20), generator.normal(0, 6, 20)), 20).p
        for _ in range(40)
    ]
    assert np.mean(np.array(level) <= 0.05) > 0.9
    assert np.mean(np.array(spread) <= 0.05) > 0.9


@settings(deadline=None)
@given(
    values=st.lists(st.integers(-5, 5), min_size=3, max_size=9),
    data=st.data(),
)
def test_the_order_within_a_group_does_not_matter(values: list[int], data: st.DataObject) -> None:
    first = data.draw(st.integers(1, len(values) - 1))
    a, b = values[:first], values[first:]
    found = compared(np.array(values, float), first)
    again = compared(
        np.array(data.draw(st.permutations(a)) + data.draw(st.permutations(b)), float), first
    )
    assert found.p == again.p
    assert found.statistic == pytest.approx(again.statistic, abs=1e-12)
    assert found.statistic >= -1e-12
    assert found.p >= found.smallest_p


def test_random_splits_come_near_all_splits() -> None:
    values = rng(5).normal(size=14)  # 3,432 splits
    apart = np.abs(values[:, None] - values)
    exact = energy_test("x", "u", apart, 7, rng())
    more = np.abs(np.append(values, 9)[:, None] - np.append(values, 9))  # 6,435 splits
    sampled = [energy_test("x", "u", more, 7, rng(seed), 1999).p for seed in range(5)]
    assert exact.smallest_p == 2 / 3432
    assert np.ptp(sampled) < 0.06
    assert energy_test("x", "u", more, 7, rng(), 1999).smallest_p == 1 / 2000


def test_distances_are_areas_between_curves() -> None:
    curves = np.array([[3.0, 1], [1, 1], [0, 5]])
    assert distances(curves, np.array([0.25, 0.75])).tolist() == [
        [0, 0.5, 3.75],
        [0.5, 0, 3.25],
        [3.75, 3.25, 0],
    ]


def test_sentences_say_what_was_found() -> None:
    assert "cannot tell" in compared(np.array([1.0, 2, 3]), 1).sentence()
    apart = compared(np.append(np.zeros(10), np.ones(10)), 10).sentence()
    assert "10 simulated runs and 10 field worlds are on average 1.000 apart (units)" in apart
    assert "they differ (p = " in apart
    assert "no difference found (p = 1.00)" in compared(np.zeros(12), 6).sentence()


@pytest.mark.parametrize("first", [0, 3])
def test_both_groups_need_a_run(first: int) -> None:
    with pytest.raises(ValueError, match="allowed: 1 to 2"):
        compared(np.zeros(3), first)
