import json

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr

from cloudchamber.analysis.thresholds.boundary import boundary, follow
from cloudchamber.errors import SpecificationError


def test_a_curve_is_followed() -> None:
    rng = np.random.default_rng(1)

    def grown(x: float, y: float, replicate: int) -> bool:
        return bool(rng.random() < (0.97 if x > 0.2 + 0.6 * y * y else 0.03))

    found = boundary(grown, (0, 1), (0, 1), runs=90, lines=7, jointly=True)
    frame = found.frame()
    assert len(frame) == 7 and set(frame["kind"]) == {"threshold"}
    truth = 0.2 + 0.6 * frame["across"] ** 2
    assert ((frame["low"] <= truth) & (truth <= frame["high"])).sum() >= 6
    assert np.abs(frame["at"] - truth).max() < 0.03
    assert "7 lines" in found.aloud() and "jointly" in found.aloud()


def touching(mean: float) -> float:
    """Granovetter's sigma at which the reaction curve touches the diagonal, thresholds Normal(mean, sigma).

    r = 100 Phi(z), z = (r - mean) / sigma, and slope 1: 100 phi(z) = sigma.
    """

    def apart(z: float) -> float:
        sigma = 100 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        return float(100 * ndtr(z) - mean - sigma * z)

    z = brentq(apart, -6, -0.1)
    return float(100 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi))


def joins(sigma: float, mean: float) -> bool:
    joining = 0.0
    for _ in range(3000):
        joining = float(100 * ndtr((joining - mean) / sigma))
    return joining > 50


def test_granovetters_jump_over_the_mean_of_thresholds() -> None:
    assert touching(25) == pytest.approx(12.22, abs=0.01)
    found = boundary(
        lambda sigma, mean, _: joins(sigma, mean), (2, 32), (15, 35), runs=45, lines=3, width=0.2
    )
    for mean, line in found.lines:
        assert line.kind == "threshold"
        assert line.at.value == pytest.approx(touching(mean), abs=0.1)


def test_lines_without_a_threshold_say_so_and_more_lines_go_where_it_begins() -> None:
    found = boundary(lambda x, y, _: x > 0.3 + y, (0, 1), (0, 1), runs=45, lines=7)
    kinds = found.frame().set_index("across")["kind"]
    assert (kinds[kinds.index < 0.65] == "threshold").all()
    assert (kinds[kinds.index > 0.75] == "never").all()
    assert np.abs(kinds.index - 0.7).min() < 0.1


def test_runs_are_independent_and_all_are_kept() -> None:
    found = boundary(lambda x, y, _: x > y, (0, 1), (0.2, 0.8), runs=30, lines=3)
    trials = found.trials_frame()
    assert len(trials) == found.runs
    assert trials["replicate"].is_unique
    assert json.loads(json.dumps(found.as_json()))["lines"][0]["across"] == 0.2


def test_only_levels_that_there_are() -> None:
    found = boundary(
        lambda x, y, _: x > y / 10, (0, 1), (1, 8), runs=30, lines=9, levels=[1, 2, 5, 8]
    )
    assert [across for across, _ in found.lines] == [1, 2, 5, 8]


def test_fewer_than_three_lines_are_no_curve() -> None:
    with pytest.raises(SpecificationError, match="at least 3"):
        next(follow((0, 1), (0, 1), runs=30, lines=2))
