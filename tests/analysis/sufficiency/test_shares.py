"""The share of runs: exact for independent ones, wider where replicates or cells go together."""

import numpy as np
import pytest

from cloudchamber.analysis.sufficiency.shares import in_common, of_one_cell, share_of
from cloudchamber.measures.estimate import proportion

ALL = np.ones(20, dtype=np.bool_)


def test_where_cells_are_all_there_are_each_replicate_counts_once() -> None:
    grown = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    found = share_of(grown, np.array([True, True]), sampled=False)
    five = proportion(4, 5)
    assert (found.low, found.high) == pytest.approx((five.low, five.high))
    assert (found.n, found.unit) == (5, "replicate")


def test_runs_of_a_cell_that_never_differ_count_once() -> None:
    found = share_of(np.ones((50, 20)), ALL)
    assert found.low == pytest.approx(proportion(20, 20).low)
    cells = np.random.default_rng(0).random((1, 20)) < 0.5
    mixed = share_of(np.repeat(cells, 6, axis=0).astype(float), ALL)
    whole = proportion(int(cells.sum()), 20)
    assert (mixed.low, mixed.high) == pytest.approx((whole.low, whole.high))


def test_what_is_certain_has_the_correlation_of_what_is_not() -> None:
    """A side where all grew, beside one where runs of a cell are as different as any."""
    rng = np.random.default_rng(1)
    grown = np.hstack([np.ones((6, 20)), (rng.random((6, 60)) < 0.5).astype(float)])
    side = np.arange(80) < 20
    assert of_one_cell(grown, side) < 0.1
    found = share_of(grown, side)
    assert proportion(20, 20).low < found.low <= proportion(120, 120).low
    assert found.n == 120


def test_what_replicates_have_in_common_widens_the_interval() -> None:
    rng = np.random.default_rng(0)
    alone = (rng.random((6, 20)) < 0.8).astype(float)
    lucky = np.repeat(np.array([[1.0], [1], [1], [1], [0], [1]]), 20, axis=1)
    assert in_common(lucky) > 0.9
    assert in_common(alone) < 0.2
    narrow, wide = share_of(alone, ALL), share_of(lucky, ALL)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    six = proportion(5, 6)
    assert (wide.low, wide.high) == pytest.approx((six.low, six.high), abs=0.1)


def test_runs_that_are_lacking_do_not_count() -> None:
    grown = np.array([[1.0, np.nan], [0.0, 1.0], [1.0, np.nan]])
    found = share_of(grown, np.array([True, True]))
    assert (found.value, found.n) == (0.75, 4)
    assert share_of(grown, np.array([False, False])).n == 0


@pytest.mark.parametrize("luck", [0.0, 0.3])
def test_the_interval_holds_the_share(luck: float) -> None:
    """300 studies of 8 replicates of 20 cells; part of what is drawn is drawn for a whole replicate."""
    from scipy.stats import norm

    held = 0
    for study in range(300):
        rng = np.random.default_rng(study)
        drawn = np.sqrt(luck) * rng.normal(size=(8, 1)) + np.sqrt(1 - luck) * rng.normal(
            size=(8, 20)
        )
        found = share_of((drawn < norm.ppf(0.8)).astype(float), ALL)
        held += found.low <= 0.8 <= found.high
    assert held / 300 >= 0.93
