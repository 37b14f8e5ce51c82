"""What a search says is as often right as it says: shapes, no effect, coverage.

Budgets and noise: 300 runs that grow it or not, or 120 measures whose standard deviation is a tenth of the
range of their means; the search stops earlier where it can. The quick tests take a few studies, the slow
ones all.
"""

import numpy as np
import pytest

from tests.analysis.thresholds.planted import Noise, right, study

BUDGET: dict[Noise, int] = {"shares": 300, "even": 120, "uneven": 120}
SHAPES = ("step", "sigmoid", "line", "hump", "never", "always")


def told(what: str, noise: Noise, studies: int) -> float:
    return float(np.mean([right(*study(what, n, noise, BUDGET[noise])) for n in range(studies)]))


def covered(what: str, noise: Noise, studies: int) -> float:
    """Of those told to be what they are, how many intervals cover the planted place."""
    found = [study(what, n, noise, BUDGET[noise]) for n in range(studies)]
    known = [(planted.place, x.at) for planted, x in found if right(planted, x) and x.at.known]
    assert len(known) > 0.8 * studies
    return float(np.mean([at.low <= place <= at.high for place, at in known]))


@pytest.mark.parametrize("what", SHAPES)
def test_shapes_of_measures_are_told(what: str) -> None:
    assert told(what, "even", 3) == 1


@pytest.mark.parametrize("what", ["step", "never", "always"])
def test_shapes_of_shares_are_told(what: str) -> None:
    assert told(what, "shares", 3) == 1


@pytest.mark.parametrize("noise", ["shares", "even"])
def test_nothing_is_not_taken_for_a_threshold(noise: Noise) -> None:
    assert told("nothing", noise, 6) == 1


def test_intervals_cover() -> None:
    assert covered("step", "even", 20) >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["shares", "even"])
@pytest.mark.parametrize("what", SHAPES)
def test_each_shape_is_told_in_95_of_100(what: str, noise: Noise) -> None:
    assert told(what, noise, 200) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["shares", "even", "uneven"])
def test_of_nothing_a_threshold_or_any_change_is_claimed_in_at_most_5_of_100(noise: Noise) -> None:
    assert told("nothing", noise, 400) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["shares", "even", "uneven"])
@pytest.mark.parametrize("what", ["steep", "sigmoid"])
def test_95_of_100_intervals_cover(what: str, noise: Noise) -> None:
    # 400 studies: their share has a standard error of 0.011.
    assert 0.92 <= covered(what, noise, 400) <= 0.99
