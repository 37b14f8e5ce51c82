"""Means with a fit's uncertainty: both sources of error, each where it is known."""

from math import hypot, inf

import numpy as np
import pytest
from scipy.stats import t

from cloudchamber.measures.drawn import between_draws, drawn_mean, widened
from cloudchamber.measures.estimate import Estimate, mean


def test_of_the_fit_alone_it_is_the_mean_over_runs() -> None:
    values = np.array([[1.0, 2.0, 4.0, 5.0]])
    assert drawn_mean(values) == mean(values[0])
    # Draws that are all alike add nothing; of one draw the spread is not known.
    assert drawn_mean(np.vstack([values] * 4)) == mean(values[0])
    assert drawn_mean(np.vstack([values, values + 1])) == mean(values[0])


def test_the_spread_between_draws_comes_on_top_of_that_between_runs() -> None:
    runs, draws = np.array([1.0, 2.0, 4.0, 5.0]), np.array([0.0, -1.0, 0.5, 2.0])
    found = drawn_mean(runs + draws[:, None])
    more = draws[1:].std(ddof=1)
    half = t.ppf(0.975, 3) * hypot(runs.std(ddof=1) / 2, more)
    assert found.value == 3.0
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half))
    assert found.method == "t, with the fit's uncertainty" and found.n == 4
    assert between_draws(runs + draws[:, None]) == pytest.approx(more)
    assert between_draws(runs + draws[:, None], lambda one: 2 * float(one.max())) == pytest.approx(
        2 * more
    )


def test_what_has_no_interval_gets_none() -> None:
    alone = Estimate(1.0, float("nan"), float("nan"), 1)
    assert widened(alone, 3.0) is alone
    assert widened(Estimate(1.0, 0.0, 2.0, 5), inf).high == inf
