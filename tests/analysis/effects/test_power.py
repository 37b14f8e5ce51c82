from math import comb, inf

import numpy as np
import pytest

from cloudchamber.analysis.effects.equivalence import tost
from cloudchamber.analysis.effects.power import fewest, power, runs_for, runs_to_decide
from cloudchamber.errors import SpecificationError

# statsmodels 0.15.0: TTestPower and TTestIndPower, two-sided; effect in standard deviations, runs,
# power at 0.05 and 0.01 of the paired test and of two groups of as many.
POWERS = [
    (0.5, 10, 0.2931756065, 0.1026975095, 0.1850956567, 0.0599219220),
    (0.5, 34, 0.8077775013, 0.5765038584, 0.5285496271, 0.2857434229),
    (0.8, 20, 0.9238987554, 0.7536338988, 0.6934041966, 0.4379726045),
    (1.2, 8, 0.8279200604, 0.5110468370, 0.6078185013, 0.3246108578),
    (0.3, 100, 0.8439471027, 0.6457392842, 0.5600592536, 0.3183723102),
    (0.2, 50, 0.2835924147, 0.1133813634, 0.1676754865, 0.0558074055),
]
# The same: solve_power at 0.05 for a power of 0.8 and of 0.9.
RUNS = [
    (0.2, 198.150820955562, 264.6136854232749, 393.4056930002526, 526.3331885760532),
    (0.3, 89.14936472045834, 118.68650521827722, 175.38466947047476, 234.46274235072318),
    (0.5, 33.36713118431779, 43.99548069841475, 63.76561058891169, 85.0312841157341),
    (0.8, 14.30276455812943, 18.446224616418817, 25.524571854446116, 33.825542344160304),
    (1.0, 9.93785094105438, 12.585459677807366, 16.714722446954024, 22.021088441446192),
]


@pytest.mark.parametrize("row", POWERS)
def test_power_is_statsmodels(row: tuple[float, int, float, float, float, float]) -> None:
    effect, n, *known = row
    found = [
        power(n, 3 * effect, 3.0, paired=paired, alpha=alpha)
        for paired in (True, False)
        for alpha in (0.05, 0.01)
    ]
    assert found == pytest.approx(known, abs=1e-8)


@pytest.mark.parametrize("row", RUNS)
def test_runs_are_statsmodels_rounded_up(row: tuple[float, ...]) -> None:
    effect, *known = row
    found = [
        runs_for(-2 * effect, 2.0, power=target, paired=paired).n
        for paired in (True, False)
        for target in (0.8, 0.9)
    ]
    assert found == [float(np.ceil(n)) for n in known]


def test_there_is_a_power_for_any_number_of_runs() -> None:
    # SciPy's noncentral t is NaN at 189 and at 99 others of these.
    found = power(np.arange(2, 400), 0.6, 1.0)
    assert (np.diff(found) >= -1e-12).all()
    assert found[-1] == pytest.approx(1)
    within = power(np.arange(2, 400), 0.0, 1.0, margin=0.6)
    assert (np.diff(within) >= -1e-12).all()


def test_runs_have_the_power_and_one_fewer_has_not() -> None:
    for paired in (True, False):
        for margin, effect in ((None, 0.31), (0.4, 0.1), (0.4, 0.0)):
            n = runs_for(effect, 1.0, power=0.85, paired=paired, margin=margin).n
            found = power([n - 1, n], effect, 1.0, paired=paired, margin=margin)
            assert found[0] < 0.85 <= found[1]


def test_no_fewer_runs_than_the_permutation_test_needs() -> None:
    assert fewest(0.05, paired=True) == 6
    assert 2 / 2**6 <= 0.05 < 2 / 2**5
    assert fewest(0.05, paired=False) == 4
    assert fewest(0.01, paired=False) == 5
    assert 2 / comb(10, 5) <= 0.01 < 2 / comb(8, 4)
    assert runs_for(50.0, 1.0).n == 6
    # Five pairs that are all alike refute a margin at 5 %, four do not.
    assert runs_for(0.0, 1e-6, margin=1.0).n == 5
    assert tost([1.0] * 5, [1.0] * 5, 0.1, paired=True).verdict == "no effect"
    assert tost([1.0] * 4, [1.0] * 4, 0.1, paired=True).verdict == "undecided"
    with pytest.raises(SpecificationError, match="least p of 9,999 arrangements"):
        fewest(1e-5, paired=True)


def test_what_no_number_of_runs_finds() -> None:
    assert runs_for(0.0, 1.0).n == inf
    assert runs_for(0.5, 1.0, margin=0.5).n == inf
    assert "no number of pairs of runs to find an effect of 0 " in str(runs_for(0, [1.0, 2, 4]))


def test_a_pilot_says_how_little_it_knows() -> None:
    pilot = np.random.default_rng(0).normal(0, 1, 5)
    found = runs_for(0.5, pilot)
    assert found.low < found.n < found.assured < found.high
    # chi-square quantiles of four degrees of freedom: 0.4844, 11.143; 1.6488 at 20 %
    for n, divisor in ((found.low, 11.143), (found.high, 0.4844), (found.assured, 1.6488)):
        assert n == runs_for(0.5, found.sd * (4 / divisor) ** 0.5).n
    assert str(found).startswith(f"{found.n:.0f} pairs of runs [{found.low:.0f}, {found.high:.0f}]")
    assert str(found).endswith("with power 90% at 0.05, from a pilot of 5 pairs")
    known = runs_for(0.5, found.sd)
    assert (known.n, known.low, known.high, known.pilot) == (found.n, found.n, found.n, 0)


def test_pilots_of_two_cells() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 8), rng.normal(0, 3, 8)
    assert runs_for(1, a, b).sd == pytest.approx((a - b).std(ddof=1))
    apart = runs_for(1, a, b, paired=False)
    assert apart.sd == pytest.approx(((a.var(ddof=1) + b.var(ddof=1)) / 2) ** 0.5)
    assert apart.low < apart.n < apart.high
    assert runs_for(1, a, paired=False).sd == pytest.approx(a.std(ddof=1))


def test_four_of_five_assured_plans_have_the_power() -> None:
    rng = np.random.default_rng(2)
    plans = [runs_for(0.6, rng.normal(0, 1, 8)) for _ in range(400)]
    kept = {
        name: np.mean([power(getattr(plan, name), 0.6, 1.0) >= 0.9 for plan in plans])
        for name in ("n", "assured", "high")
    }
    # 400 pilots: two and a half standard errors are 5 points.
    assert kept["assured"] == pytest.approx(0.8, abs=0.05)
    assert kept["high"] == pytest.approx(0.975, abs=0.02)
    assert kept["n"] < 0.55


def test_what_would_decide() -> None:
    assert runs_to_decide(0.5, 1.0) == 34  # statsmodels: 33.4
    # Small beside the margin, equivalence is told sooner than the effect.
    assert runs_to_decide(0.1, 1.0, margin=1.0) < runs_to_decide(0.1, 1.0)
    assert runs_to_decide(0.9, 1.0, margin=1.0) == runs_to_decide(0.9, 1.0)
    assert runs_to_decide(0.0, 1.0) == inf
    # Runs that do not differ tell as soon as a permutation can be rare.
    assert runs_to_decide(0.3, 0.0) == 6
    assert runs_to_decide(0.0, 0.0, margin=0.1) == runs_to_decide(0.05, 0.0, margin=0.1) == 5
    assert runs_to_decide(0.0, 0.0) == inf
    assert np.isnan(runs_to_decide(0.3, np.nan))


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SpecificationError, match="at least two runs"):
        power(1, 1, 1)
    with pytest.raises(SpecificationError, match="one run has no spread"):
        runs_for(1, [3.0])
    with pytest.raises(SpecificationError, match="do not differ"):
        runs_for(1, [3.0, 3.0, 3.0])
    with pytest.raises(SpecificationError, match="power 0.01"):
        runs_for(1, 1.0, power=0.01)
