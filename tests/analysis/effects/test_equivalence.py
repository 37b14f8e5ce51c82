from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from cloudchamber.analysis.effects.equivalence import decide, p_value, tost
from cloudchamber.analysis.effects.resampling import Alternative
from cloudchamber.errors import SpecificationError

stats: Any = scipy.stats

X = [5.1, 4.9, 5.6, 5.8, 6.0, 5.5, 5.2, 5.7]
Y = [5.0, 5.1, 5.4, 5.9, 5.8, 5.6, 5.3, 5.5]


def test_as_statsmodels_has_it() -> None:
    # statsmodels 0.15.0: ttost_paired(X, Y, -0.3, 0.3), ttost_ind(X, Y, -0.5, 0.5, usevar="unequal")
    assert tost(X, Y, 0.3, paired=True, test="t").p == pytest.approx(0.0011569110229)
    assert tost(X, Y, 0.5, paired=False, test="t").p == pytest.approx(0.0083097556312)


def test_permutations_say_the_same_where_values_are_well_behaved() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.1, 1, (2, 13))
    for paired in (True, False):
        for margin in (0.4, 0.8, 1.2):
            t, exact = (
                tost(a, b, margin, paired=paired, test=test).p for test in ("t", "permutation")
            )
            assert exact == pytest.approx(t, abs=0.02)


def test_the_three_answers() -> None:
    rng = np.random.default_rng(1)
    b = rng.normal(0, 1, 20)
    same = tost(b + rng.normal(0, 0.1, 20), b, 0.5, paired=True)
    assert same.verdict == "no effect"
    assert same.sentence().startswith("No effect larger than 0.5 (p = ")
    other = tost(b + rng.normal(2, 0.1, 20), b, 0.5, paired=True)
    assert other.verdict == "effect"
    assert other.sentence().startswith("An effect (p = ")
    open_ = tost(b + rng.normal(0.2, 1, 20), b, 0.3, paired=True)
    assert open_.verdict == "undecided"
    assert open_.needed > 20
    assert "runs would decide" in open_.sentence()
    assert np.isnan(same.needed) and np.isnan(other.needed)


def test_an_effect_shown_to_be_within_the_margin_is_none_that_matters() -> None:
    found = tost(np.arange(30) + 0.1 + np.tile([0.01, -0.01], 15), np.arange(30), 0.5, paired=True)
    assert found.difference.p is not None and found.difference.p < 0.001
    assert found.verdict == "no effect"
    assert decide(0.001, 0.001) == "no effect"
    assert decide(0.001, 0.2) == "effect"
    assert decide(0.2, np.nan) == "undecided"


def test_the_interval_goes_with_the_tests() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        a, b = rng.normal(0, 1, (2, 12))
        found = tost(a, b, 0.8, paired=True, test="t")
        inside = found.difference.low > -0.8 and found.difference.high < 0.8
        assert inside == (found.p < 0.05)
    assert found.difference.level == pytest.approx(0.9)


def test_the_unit_of_the_measure_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0, 1, (2, 9))
    for paired in (True, False):
        for in_sd in (True, False):
            one = tost(a, b, 0.9, paired=paired, in_sd=in_sd)
            other = tost(100 * a, 100 * b, 0.9 if in_sd else 90, paired=paired, in_sd=in_sd)
            assert other.p == pytest.approx(one.p)
            assert other.margin == pytest.approx(100 * one.margin)
            assert other.needed == pytest.approx(one.needed, nan_ok=True)


def test_series_are_paired_by_replicate() -> None:
    b = pd.Series(X, index=range(8))
    a = b.sample(frac=1, random_state=1) + 0.01
    for in_sd in (True, False):
        found = tost(a, b, 0.5, paired=True, in_sd=in_sd)
        assert found.difference.value == pytest.approx(0.01)
        assert found.verdict == "no effect"


def test_a_null_that_does_not_vary_gives_no_margin() -> None:
    found = tost(X, [5.0] * 8, 1.0, paired=False, in_sd=True)
    assert found.margin == 0 and np.isnan(found.p)
    assert found.verdict == "effect"
    # Each spread left out is the same, and so is each pair: nothing to be uncertain of but the pairs.
    two = tost([0.0, 1] * 4, [0.0, 1] * 4, 1.0, paired=True, in_sd=True)
    assert two.verdict == "no effect" and two.p == pytest.approx(2**-8)


def test_p_values_by_t_are_students_and_welchs() -> None:
    for side in get_args(Alternative):
        paired = stats.ttest_rel(X, Y, alternative=side).pvalue
        apart = stats.ttest_ind(X, Y[:6], equal_var=False, alternative=side).pvalue
        assert p_value(X, Y, paired=True, test="t", alternative=side) == pytest.approx(paired)
        assert p_value(X, Y[:6], paired=False, test="t", alternative=side) == pytest.approx(apart)
    assert p_value([1, 1, 1], [1, 1, 1], paired=True, test="t") == 1
    assert p_value([2, 2, 2], [1, 1, 1], paired=True, test="t") == 0
    assert p_value([2, 2], [1, 1], paired=True, test="t", alternative="less") == 1
    assert np.isnan(p_value([1], [2], paired=True, test="t"))


@pytest.mark.parametrize("margin", [0.0, -1.0, np.nan, np.inf])
def test_a_margin_is_above_0(margin: float) -> None:
    with pytest.raises(SpecificationError, match="least difference that would matter"):
        tost(X, Y, margin, paired=True)
