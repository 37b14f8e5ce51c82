import json
from functools import partial
from math import inf, isnan, nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.special import ndtr

from cloudchamber.analysis.thresholds.seeking import Probe, Threshold, seek, threshold
from cloudchamber.errors import SpecificationError

# ---- known answers


def joined(sigma: float) -> float:
    """Granovetter 1978: the share of many that joins in when thresholds are Normal(25, sigma) of 100."""
    joining = 0.0
    for _ in range(100_000):
        follow = 100 * ndtr((joining - 25) / sigma)
        if abs(follow - joining) < 1e-9:
            break
        joining = follow
    return float(joining / 100)


@pytest.mark.parametrize(("logarithmic", "width"), [(False, 0.1), (True, 0.1 / 12)])
def test_granovetters_jump_is_located(logarithmic: bool, width: float) -> None:
    def grown(sigma: float, replicate: int) -> bool:
        return joined(sigma) > 0.5

    found = threshold(grown, 5, 50, runs=60, logarithmic=logarithmic, width=width)
    assert found.kind == "threshold"
    # Where the lower two of three equilibria meet: the reaction curve touches the diagonal.
    jump = brentq(lambda sigma: joined(sigma) - 0.5, 12.0, 12.5, xtol=1e-4)
    assert 12.2 < jump < 12.3
    assert found.at.low <= jump <= found.at.high
    assert found.at.high - found.at.low <= 0.11
    assert found.at.value == pytest.approx(jump, abs=0.1)


def test_granovetters_jump_of_a_measure_without_noise() -> None:
    found = threshold(lambda sigma, _: joined(sigma), 5, 30, runs=60, criterion=0.5, width=0.1)
    assert found.kind == "threshold" and not found.shares
    assert 12.2 < found.at.low < found.at.high < 12.3
    assert found.first.value < 0.1 and found.last.value > 0.9


def test_a_hundred_people_have_no_sharp_threshold() -> None:
    """In a crowd of 100 drawn thresholds the jump is smeared out: half the crowds join far above 12.2."""

    def grown(sigma: float, replicate: int) -> bool:
        drawn = np.sort(np.random.default_rng(replicate).normal(25, sigma, 100))
        waiting = drawn > np.arange(100)
        return bool((waiting.argmax() if waiting.any() else 100) >= 50)

    found = threshold(grown, 5, 30, runs=240)
    assert found.kind == "gradual" and found.shape == "sigmoid"
    assert found.at.low > 12.3 and found.width.low > 2.5


def flipped(p: float) -> bool:
    """Binary naming game, committed share p, many agents (Xie et al. 2011, mean field)."""

    def change(_: float, n: np.ndarray) -> list[float]:
        a, b = n
        both = 1 - p - a - b
        return [
            -a * b + both**2 + both * a + 1.5 * p * both,
            -a * b + both**2 + both * b - p * b,
        ]

    end = solve_ivp(change, (0, 3000), [0.0, 1 - p], method="LSODA", rtol=1e-8, atol=1e-10)
    return bool(end.y[1, -1] < 0.1)


def test_the_committed_fraction_that_flips_a_naming_game_is_located() -> None:
    found = threshold(lambda p, _: flipped(p), 0, 0.3, runs=50, width=0.002)
    assert found.kind == "threshold"
    assert found.at.low <= 0.0979 <= found.at.high
    assert found.at.high - found.at.low < 0.002


def right_cascade(p: float) -> float:
    """Bikhchandani, Hirshleifer & Welch 1992: long-run chance of the right cascade, coin flips at ties."""
    return p * (p + 1) / (2 * (1 - p + p * p))


def test_right_cascades_come_gradually_with_the_precision_of_signals() -> None:
    rng = np.random.default_rng(5)
    found = threshold(lambda p, _: rng.random() < right_cascade(p), 0.5, 1, runs=300, criterion=0.8)
    assert found.kind == "gradual"
    crossing = (2.6 - sqrt(2.6**2 - 4 * 0.6 * 1.6)) / 1.2  # of p (p + 1) = 1.6 (1 - p + p^2)
    assert right_cascade(crossing) == pytest.approx(0.8)
    assert found.at.low <= crossing <= found.at.high
    assert found.first.low <= 0.5 <= found.first.high


def test_right_cascades_never_fall_below_chance() -> None:
    rng = np.random.default_rng(6)
    found = threshold(lambda p, _: rng.random() < right_cascade(p), 0.6, 1, runs=200, criterion=0.4)
    assert found.kind == "always"


# ---- how it asks


def test_the_search_is_a_generator_that_knows_nothing_of_runs() -> None:
    search = seek(0, 1, runs=30, batch=4, replicate=100)
    probes = next(search)
    asked: list[Probe] = []
    with pytest.raises(StopIteration) as end:
        while True:
            asked += probes
            probes = search.send([probe.level > 0.3 for probe in probes])
    found: Threshold = end.value.value
    assert found.kind == "threshold"
    assert [probe.replicate for probe in asked] == list(range(100, 100 + found.runs))
    assert [trial.level for trial in found.trials] == [probe.level for probe in asked]


@settings(max_examples=15)
@given(st.integers(9, 40), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_no_more_runs_than_allowed_all_within_the_range_and_all_answers_kept(
    runs: int, batch: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    given = list(rng.choice([0.0, 1.0, nan], runs, p=[0.45, 0.45, 0.1]))
    answers = iter(given)
    found = threshold(lambda x, _: next(answers), -3, 5, runs=runs, batch=batch)
    assert found.runs <= runs
    assert all(-3 <= trial.level <= 5 for trial in found.trials)
    told = [trial.response for trial in found.trials]
    assert np.array_equal(told, given[: len(told)], equal_nan=True)


def test_the_same_responses_lead_to_the_same_verdict() -> None:
    def grown(level: float, replicate: int) -> bool:
        return bool(np.random.default_rng(replicate).random() < level)

    one, other = (threshold(grown, 0, 1, runs=40) for _ in range(2))
    assert one == other


def test_only_levels_that_there_are_are_asked_for() -> None:
    found = threshold(lambda n, _: n >= 17, 2, 50, runs=40, levels=range(1, 100))
    assert {trial.level for trial in found.trials} <= set(range(2, 51))
    assert found.at.low >= 16 and found.at.high <= 17


def test_between_two_levels_there_is_nothing_more_to_find() -> None:
    found = threshold(lambda n, _: n >= 4, 1, 6, runs=200, levels=[1, 2, 3, 4, 5, 6])
    assert found.kind == "threshold" and found.runs < 100
    assert 3 <= found.at.low < found.at.high <= 4


def test_failed_runs_are_spent_and_tell_nothing() -> None:
    found = threshold(lambda x, k: nan if k % 3 == 0 else x > 0.4, 0, 1, runs=60)
    assert found.kind == "threshold" and found.at.low <= 0.4 <= found.at.high
    assert isnan(found.trials[0].response)
    all_failed = threshold(lambda x, k: nan, 0, 1, runs=20)
    assert all_failed.kind == "cannot tell" and all_failed.runs == 20


def test_levels_are_short_to_write() -> None:
    found = threshold(lambda x, _: x > 0.3, 0, 1, runs=40)
    assert max(len(repr(trial.level)) for trial in found.trials) <= 9


def test_runs_go_where_they_tell_most() -> None:
    rng = np.random.default_rng(2)
    found = threshold(lambda x, _: rng.random() < (0.95 if x > 0.62 else 0.05), 0, 1, runs=60)
    later = np.array([trial.level for trial in found.trials if trial.batch > 2])
    assert np.median(np.abs(later - 0.62)) < 0.06


# ---- what it says


def test_a_drop_is_a_threshold_too() -> None:
    found = threshold(lambda x, _: x < 0.3, 0, 1, runs=60)
    assert found.kind == "threshold" and found.first.value > 0.9
    assert "drops" in found.aloud()


def test_a_step_below_the_criterion_is_never() -> None:
    rng = np.random.default_rng(3)
    found = threshold(
        lambda x, _: (0.3 if x > 0.5 else 0.0) + 0.02 * rng.standard_normal(),
        0,
        1,
        runs=60,
        criterion=0.5,
    )
    assert found.kind == "never" and found.shape == "step"


def test_what_does_not_depend_on_the_factor_but_lies_at_the_criterion_is_flat() -> None:
    rng = np.random.default_rng(4)
    found = threshold(lambda x, _: rng.standard_normal(), 0, 1, runs=250)
    assert found.kind == "flat" and not found.at.known
    assert "does not depend" in found.aloud()


def test_two_crossings_are_told_with_their_intervals() -> None:
    rng = np.random.default_rng(5)
    found = threshold(
        lambda x, _: (0.2 < x < 0.6) + 0.1 * rng.standard_normal(), 0, 1, runs=120, criterion=0.5
    )
    assert found.kind == "non-monotone" and len(found.crossings) == 2
    for crossing, place in zip(found.crossings, (0.2, 0.6), strict=True):
        assert crossing.low - 0.02 <= place <= crossing.high + 0.02
    assert "rises and falls again" in found.aloud()


def test_cannot_tell_says_how_many_runs_more() -> None:
    rng = np.random.default_rng(1)
    found = threshold(lambda x, _: rng.random() < 0.2 + 0.6 * x, 0, 1, runs=30)
    assert found.kind == "cannot tell"
    assert 0 < found.more < inf
    assert "more" in found.aloud()


def test_a_verdict_is_a_value_that_can_be_kept_and_plotted() -> None:
    found = threshold(lambda x, _: x > 0.3, 0, 1, runs=40)
    kept = json.loads(json.dumps(found.as_json()))
    assert kept["kind"] == "threshold" and kept["at"]["value"] == found.at.value
    assert kept["crossings"] == []
    trials, curve = found.trials_frame(), found.curve_frame()
    assert len(trials) == found.runs and list(trials) == ["level", "replicate", "response", "batch"]
    assert curve["level"].is_monotonic_increasing
    assert ((curve["low"] <= curve["value"]) & (curve["value"] <= curve["high"])).mean() > 0.9
    assert sum(chance for _, chance in found.shapes) == pytest.approx(1)
    assert str(found) == found.aloud()


def test_where_the_way_matters_there_is_no_one_threshold() -> None:
    def sweep(levels: object, replicate: int) -> list[float]:
        state, out = 0.0, []
        for level in np.asarray(levels):
            state = 1.0 if level > 0.7 else 0.0 if level < 0.3 else state
            out.append(state)
        return out

    found = threshold(lambda x, _: x > 0.5, 0, 1, runs=40, sweep=sweep)
    assert found.kind == "hysteresis" and found.loop is not None
    assert "hysteresis" in found.aloud() and "sweeps" in found.aloud()
    assert found.loop.area.value == pytest.approx(0.4, abs=0.07)


WRONG = [
    (partial(seek, 1, 1, runs=20), "low < high"),
    (partial(seek, 0, 1, runs=20, logarithmic=True), "positive low"),
    (partial(seek, 0, 1, runs=5), "at least 9 runs"),
    (partial(seek, 0, 1, runs=20, batch=0), "batches of 1"),
    (partial(seek, 0, 1, runs=20, coverage=95), "more than 0.5 and less than 1"),
    (partial(seek, 0, 1, runs=20, width=2), "at most half the range"),
    (partial(seek, 0, 1, runs=20, sharp=0), "more than 0"),
    (partial(seek, 0, 1, runs=20, criterion=nan), "give a number"),
    (partial(seek, 0, 1, runs=20, levels=[0, 1, 2, 3]), "at least 3"),
]


@pytest.mark.parametrize(("search", "message"), WRONG)
def test_what_makes_no_sense_is_said(search: partial[object], message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        next(search())  # type: ignore[call-overload]


def test_answers_that_do_not_fit_are_said() -> None:
    search = seek(0, 1, runs=20)
    next(search)
    with pytest.raises(SpecificationError, match="9 runs were asked for and 1 responses"):
        search.send([1.0])
    with pytest.raises(SpecificationError, match="finite number"):
        threshold(lambda x, _: inf, 0, 1, runs=20)
