from collections.abc import Callable, Sequence
from math import atanh, sqrt, tanh

import numpy as np
import pytest

from cloudchamber.analysis.thresholds.hysteresis import Loop, hysteresis
from cloudchamber.errors import SpecificationError

Grown = Callable[[Sequence[float], int], list[float]]


def magnet(coupling: float, noise: float, time: float, seed: int = 0) -> Grown:
    """Agents that follow the majority (mean field): m' = tanh(coupling m + field) - m, plus noise."""

    def sweep(levels: Sequence[float], replicate: int) -> list[float]:
        rng = np.random.default_rng([seed, replicate, len(levels)])
        state, out = -1.0, []
        for field in levels:
            for kick in rng.standard_normal(int(time / 0.1)):
                state += 0.1 * (tanh(coupling * state + field) - state) + noise * sqrt(0.1) * kick
            out.append(state)
        return out

    return sweep


def no_memory(seed: int, shares: bool) -> Grown:
    def sweep(levels: Sequence[float], replicate: int) -> list[float]:
        rng = np.random.default_rng([seed, replicate, len(levels)])
        mean = 1 / (1 + np.exp(-6 * np.array(levels)))
        if shares:
            return [float(x) for x in rng.random(len(mean)) < mean]
        return list(mean + 0.1 * rng.standard_normal(len(mean)))

    return sweep


def test_followers_of_a_majority_remember_where_the_field_came_from() -> None:
    found = hysteresis(magnet(1.6, 0, 8), -1, 1, sweeps=4, steps=41, criterion=0)
    assert found.kind == "hysteresis"
    # The state jumps where it ceases to be one: m^2 = 1 - 1 / coupling.
    edge = sqrt(1 - 1 / 1.6)
    field = 1.6 * edge - atanh(edge)
    assert found.up.value == pytest.approx(field, abs=0.06)
    assert found.down.value == pytest.approx(-field, abs=0.06)
    assert found.area.value < found.slow.value < found.fast.value


def test_a_loop_is_told_through_noise() -> None:
    found = hysteresis(magnet(1.6, 0.1, 2), -1, 1, sweeps=8)
    assert found.kind == "hysteresis" and found.area.low > 0
    assert found.up.low > found.down.high


def test_mere_lag_is_no_hysteresis() -> None:
    quick = hysteresis(magnet(0.5, 0.1, 0.5), -1, 1, sweeps=8)
    assert quick.fast.low > 0.3 and quick.kind == "cannot tell"
    assert "sweep slower" in quick.aloud()
    slow = hysteresis(magnet(0.5, 0.05, 4), -1, 1, sweeps=8)
    assert slow.kind == "no hysteresis"


@pytest.mark.parametrize("shares", [False, True])
def test_what_has_no_memory_has_no_hysteresis(shares: bool) -> None:
    """Claimed of the truth without memory in at most 5 of 100 (here 200 studies)."""
    kinds = [hysteresis(no_memory(seed, shares), -1, 1, sweeps=8).kind for seed in range(200)]
    assert kinds.count("hysteresis") <= 0.05 * len(kinds)


@pytest.mark.slow
def test_loops_are_told_in_95_of_100() -> None:
    kinds = [hysteresis(magnet(1.6, 0.1, 2, seed), -1, 1).kind for seed in range(200)]
    assert kinds.count("hysteresis") >= 190


def test_a_response_that_never_changes_is_no_loop() -> None:
    found = hysteresis(lambda levels, _: [0.5] * len(levels), 0, 1)
    assert found.kind == "no hysteresis"


def test_each_response_is_kept_with_its_way() -> None:
    found: Loop = hysteresis(lambda levels, _: list(levels), 0, 1, sweeps=4, steps=5)
    frame = found.frame()
    assert len(frame) == 4 * 2 * 2 * 5
    assert (frame["response"] == frame["level"]).all()
    assert set(frame["direction"]) == {"up", "down"}


def test_the_slower_pace_dwells_on_each_level() -> None:
    paths: list[list[float]] = []

    def sweep(levels: Sequence[float], replicate: int) -> list[float]:
        paths.append(list(levels))
        return list(levels)

    hysteresis(sweep, 0, 1, sweeps=4, levels=[0, 0.5, 1], dwell=2)
    assert paths[0] == [0, 0.5, 1, 1, 0.5, 0]
    assert paths[1] == [0, 0, 0.5, 0.5, 1, 1, 1, 1, 0.5, 0.5, 0, 0]


def test_what_makes_no_sense_is_said() -> None:
    with pytest.raises(SpecificationError, match="at least 4, 3 and 2"):
        hysteresis(lambda levels, _: list(levels), 0, 1, sweeps=2)
    with pytest.raises(SpecificationError, match="give one a level"):
        hysteresis(lambda levels, _: [0.0], 0, 1)
