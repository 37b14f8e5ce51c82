import numpy as np
import pandas as pd
import pytest

from cloudchamber.analysis.effects.parting import _step_down, parting
from cloudchamber.analysis.effects.resampling import permutation_p
from cloudchamber.errors import SpecificationError

STEPS = 20


def series(rng: np.random.Generator, runs: int, persistence: float = 0.8) -> np.ndarray:
    """Runs of an autoregressive series of standard deviation 1."""
    drawn = rng.normal(size=(runs, STEPS))
    for step in range(1, STEPS):
        fresh = np.sqrt(1 - persistence**2) * drawn[:, step]
        drawn[:, step] = persistence * drawn[:, step - 1] + fresh
    return drawn


def test_a_parting_is_found_where_it_is() -> None:
    rng = np.random.default_rng(0)
    b = series(rng, 16)
    a = b + 0.1 * series(rng, 16) + np.where(np.arange(STEPS) >= 7, 2.0, 0.0)
    for margin in (0.0, 0.5):
        found = parting(a, b, paired=True, margin=margin)
        assert found.answer == "part"
        assert found.step == found.high == 7
        assert found.low <= 7
        assert found.p <= 0.001
        assert "from step 7 on" in found.sentence()
    # With a margin it is known as well that they had not parted before.
    assert found.low == 7
    assert found.table["differs"].tolist() == [0] * 7 + [1] * 13


def test_paired_runs_that_are_alike_until_then_have_not_parted() -> None:
    rng = np.random.default_rng(1)
    b = series(rng, 12)
    a = b.copy()
    a[:, 9:] += 1 + 0.1 * rng.normal(size=(12, STEPS - 9))
    found = parting(a, b, paired=True)
    assert (found.low, found.step, found.high) == (9, 9, 9)


def test_the_other_answers() -> None:
    rng = np.random.default_rng(2)
    b = series(rng, 14)
    near = b + 0.05 * series(rng, 14)
    assert parting(near, b, paired=True).answer == "undecided"
    within = parting(near, b, paired=True, margin=0.3)
    assert within.answer == "do not part"
    assert within.sentence().startswith("They do not part: within 0.3")
    hump = near + np.where((np.arange(STEPS) > 5) & (np.arange(STEPS) < 12), 1.0, 0.0)
    for_a_while = parting(hump, b, paired=True, margin=0.3)
    assert for_a_while.answer == "part for a while"
    assert np.isnan(for_a_while.step)
    assert "first at step 6 and last at step 11" in for_a_while.sentence()
    far = parting(series(rng, 14), series(rng, 14), paired=False, margin=0.3)
    assert far.answer == "undecided" and "cannot be told" in far.sentence()
    few = parting(hump[:3], b[:3], paired=True)
    assert few.answer == "undecided" and np.isnan(few.p)


def test_crossing_over_counts_from_the_last_crossing() -> None:
    rng = np.random.default_rng(3)
    b = series(rng, 12)
    a = b + 0.05 * series(rng, 12) + np.where(np.arange(STEPS) < 10, -1.0, 1.0)
    found = parting(a, b, paired=True)
    assert found.answer == "part" and found.step == 10


@pytest.mark.parametrize("paired", [True, False])
def test_one_step_is_a_permutation_test(paired: bool) -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.7, 1, (6, 1)), rng.normal(0, 1, (6, 1))
    found = parting(a, b, paired=paired)
    # Of one step the largest t is that step's, and flips are ordered by t as by the sum.
    assert found.p == pytest.approx(permutation_p(a.ravel(), b.ravel(), paired=paired))


def test_step_down_is_the_largest_of_those_that_are_left() -> None:
    rng = np.random.default_rng(5)
    permuted = np.abs(rng.normal(size=(200, 4)))
    t = np.array([0.5, 3.0, 1.4, 2.2])
    permuted[0] = t
    found = _step_down(t, permuted)
    left, before = [1, 3, 2, 0], 0.0
    for place, step in enumerate(left):
        share = (permuted[:, left[place:]].max(axis=1) >= t[step]).mean()
        before = max(before, share)
        assert found[step] == pytest.approx(before)


def test_frames_are_matched_by_replicate_and_lack_what_one_lacks() -> None:
    rng = np.random.default_rng(6)
    b = pd.DataFrame(series(rng, 8), columns=range(0, 200, 10))
    a = (b + 1.0 + 0.01 * rng.normal(size=b.shape)).sample(frac=1, random_state=2)
    a.loc[3, 50] = np.nan
    long = a.rename_axis("replicate").reset_index().melt("replicate", var_name="step")
    for given in (a, long):
        found = parting(given, b, paired=True)
        assert found.n == 8 and found.step == 0
        assert 50 not in set(found.table["step"]) and len(found.table) == STEPS - 1
    dropped = parting(a.drop(index=3), b, paired=True)
    assert dropped.n == 7 and len(dropped.table) == STEPS


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SpecificationError, match="the same steps"):
        parting(np.ones((5, 3)), np.ones((5, 4)), paired=True)
    with pytest.raises(SpecificationError, match="paired series: 5 runs against 6"):
        parting(np.ones((5, 3)), np.ones((6, 3)), paired=True)
    with pytest.raises(SpecificationError, match="margin -1"):
        parting(np.ones((5, 3)), np.ones((5, 3)), paired=True, margin=-1)
    alike = parting(np.ones((5, 3)), np.ones((5, 3)), paired=True)
    assert alike.answer == "undecided" and alike.p == 1


@pytest.mark.parametrize("paired", [True, False])
def test_bands_cover_all_steps_and_partings_are_not_invented(paired: bool) -> None:
    rng = np.random.default_rng(7)
    times, covered, claimed, early = 120, 0, 0, 0
    true = np.maximum(0, np.arange(STEPS) - 8) * 0.3
    for at in range(times):
        a, b = series(rng, 10), series(rng, 10)
        claimed += parting(a, b, paired=paired, draws=299, seed=at).p <= 0.05
        found = parting(a + true, b, paired=paired, draws=299, margin=1.0, seed=at)
        inside = (found.table["low"] <= true) & (true <= found.table["high"])
        covered += bool(inside.all())
        early += found.answer == "part" and not found.low <= 12 <= found.high
    # 120 studies: two and a half standard errors are 5 points.
    assert claimed / times <= 0.05 + 0.05
    assert covered / times >= 0.95 - 0.05
    assert early / times <= 0.05 + 0.05
