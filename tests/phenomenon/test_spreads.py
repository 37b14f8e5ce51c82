from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.measures.estimate import jackknife
from cloudchamber.phenomenon import HERDING, HERDING_FACETS, Criterion
from cloudchamber.phenomenon.spreads import beyond_spreads
from tests.phenomenon.test_phenomenon import ITEMS, polya, traced

IN_SPREADS = replace(HERDING, criterion=Criterion(1.0, draws=100, in_sd=True))


def test_of_pairs_it_is_the_jackknife() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(1, 2, (9, 2))

    def statistic(some: np.ndarray) -> float:
        a, b = some[:, 0], some[:, 1]
        return float(a.mean() - b.mean() - 1.5 * b.std(ddof=1) * (1 + 1 / (4 * (len(b) - 1))))

    expected = jackknife(rows, statistic)
    found = beyond_spreads(rows[:, 0], rows[:, 1], 1.5, paired=True)
    told = found.estimate()
    assert told.value == pytest.approx(expected.value)
    assert (told.low, told.high) == pytest.approx((expected.low, expected.high))
    assert (found.n, found.freedom) == (9, 8)


def test_the_spread_of_normal_numbers_is_not_too_small() -> None:
    drawn = np.random.default_rng(1).normal(0, 1, (4000, 5))
    widths = [beyond_spreads(row, row, 1.0, paired=True).width for row in drawn]
    assert np.mean(widths) == pytest.approx(1, abs=0.02)


def test_the_estimate_covers_what_is_there() -> None:
    rng = np.random.default_rng(2)
    for paired in (True, False):
        hits = 0
        for _ in range(500):
            b = rng.normal(0, 1, 16)
            a = (0.6 * b if paired else 0) + rng.normal(1, 0.8, 16)
            told = beyond_spreads(a, b, 1.0, paired=paired).estimate()
            hits += told.low <= 0 <= told.high
        # 500 intervals: two and a half standard errors are 2.4 points, and few runs make them wide.
        assert 0.95 - 0.024 <= hits / 500 <= 0.99


def test_too_few_runs_and_runs_that_do_not_vary() -> None:
    assert np.isnan(beyond_spreads([1, 2], [3, 4], 1, paired=True).value)
    flat = beyond_spreads([2, 2.5, 3], [1, 1, 1], 4, paired=False)
    assert flat.width == 0 and flat.value == 1.5
    a, b = pd.Series([1.0, 2, 4], index=[2, 1, 0]), pd.Series([4.0, 2, 1], index=[0, 1, 2])
    assert beyond_spreads(a, b, 0.0, paired=True).error == 0


@pytest.mark.parametrize("paired", [True, False])
def test_a_phenomenon_told_by_the_spread_of_its_null(paired: bool) -> None:
    rng = np.random.default_rng(3)
    equal = np.ones(ITEMS) / ITEMS
    trace = traced(polya(rng, 12, 300), first=1)
    traced(rng.multinomial(300, equal, 12), first=101, trace=trace)
    traced(rng.multinomial(300, equal, 12), first=201, trace=trace)
    urn, plain, again = (range(first, first + 12) for first in (1, 101, 201))
    found = IN_SPREADS.against_baseline(
        trace, urn, plain, paired=paired, null="runs in which likes are dealt at random"
    )
    assert found.answer == "grown"
    gini = HERDING.measure(trace)
    assert found.margin == pytest.approx(gini.reindex(plain).std() * (1 + 1 / 44))
    assert "expected of runs in which likes are dealt at random" in found.sentence()
    assert f"counts as grown above {found.margin:.3g}" in found.sentence()
    same = IN_SPREADS.against_baseline(trace, again, plain, paired=paired)
    assert same.answer != "grown"
    computed = IN_SPREADS.against_independent(trace, urn)
    assert computed.answer == "grown"
    assert computed.margin == pytest.approx(found.margin, rel=0.5)


def test_undecided_says_how_many_runs_would_decide() -> None:
    rng = np.random.default_rng(4)
    trace = traced(rng.multinomial(300, rng.dirichlet(np.full(ITEMS, 120)), 6), first=1)
    traced(rng.multinomial(300, np.ones(ITEMS) / ITEMS, 6), first=101, trace=trace)
    found = IN_SPREADS.against_baseline(trace, range(1, 7), range(101, 107))
    assert found.answer == "undecided"
    assert found.needed > 6
    assert "runs would decide." in found.sentence()


def test_below_its_null_it_is_as_above() -> None:
    rng = np.random.default_rng(5)
    trace = traced(polya(rng, 12, 300), first=1)
    traced(rng.multinomial(300, np.ones(ITEMS) / ITEMS, 12), first=101, trace=trace)
    even = replace(HERDING_FACETS[2], criterion=Criterion(1.0, "below", in_sd=True))
    assert even.measure.name == "entropy"
    found = even.against_baseline(trace, range(1, 13), range(101, 113))
    assert found.answer == "grown" and found.excess.value > found.margin > 0
    turned = even.against_baseline(trace, range(101, 113), range(1, 13))
    assert turned.answer == "not grown"


def test_a_measure_that_compares_runs_has_no_spread_between_them() -> None:
    with pytest.raises(SpecificationError, match="unpredictability compares runs"):
        replace(HERDING_FACETS[-1], criterion=Criterion(1.0, in_sd=True))
