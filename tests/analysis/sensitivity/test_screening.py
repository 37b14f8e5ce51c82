"""Morris screening: slopes of a line, SALib's numbers, and no factor taken for one that matters."""

import numpy as np
import pytest

from cloudchamber.analysis.sensitivity.screening import screen
from cloudchamber.experiment.probing import Paths, morris_paths
from tests.analysis.functions import axes, base, looked_up


def paths(k: int, n: int, seed: int = 0) -> Paths:
    return morris_paths(base(), axes(k), n, seed=seed)


def test_of_a_line_the_effects_are_its_slopes() -> None:
    design = paths(3, 5)
    found = screen(design, looked_up(design, lambda u: 3 * u[..., 0] - 2 * u[..., 1]))
    assert [one.mu.value for one in found.factors.values()] == pytest.approx([3, -2, 0])
    assert [one.mu_star for one in found.factors.values()] == pytest.approx([3, 2, 0])
    assert [one.sigma for one in found.factors.values()] == pytest.approx([0, 0, 0], abs=1e-12)
    assert [one.square.value for one in found.factors.values()] == pytest.approx([9, 4, 0])
    assert str(found) == "shown to matter: x0, x1; not shown to: x2"
    assert found.table()["factor"].tolist() == ["x0", "x1", "x2"]


def test_of_mean_outcomes_the_numbers_are_salibs() -> None:
    from SALib.analyze import morris

    design = paths(3, 12)
    noise = np.random.default_rng(0).normal(size=(4, len(design)))
    table = looked_up(design, lambda u: u[..., 0] * u[..., 1] ** 2 + u[..., 2], noise, 4)
    theirs = morris.analyze(
        {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3},
        design.points,
        table.mean().to_numpy(),
        num_levels=4,
    )
    found = list(screen(design, table).factors.values())
    assert [one.mu.value for one in found] == pytest.approx(np.asarray(theirs["mu"]))
    assert [one.mu_star for one in found] == pytest.approx(np.asarray(theirs["mu_star"]))
    assert [one.sigma for one in found] == pytest.approx(np.asarray(theirs["sigma"]))


def test_a_factor_without_influence_has_the_noises_mu_star_and_a_square_of_none() -> None:
    design = paths(4, 60)
    noise = np.random.default_rng(1).normal(0, 1, (5, len(design)))
    found = screen(design, looked_up(design, lambda u: 4 * u[..., 0], noise, 5)).factors
    idle = found["x2"]
    assert idle.mu_star == pytest.approx(idle.noise_floor, rel=0.2)
    assert idle.square.low <= 0 <= idle.square.high
    assert idle.mu.low <= 0 <= idle.mu.high
    assert found["x0"].matters


def test_what_is_shown_to_matter_by_chance_is_rare() -> None:
    """300 screenings of noise alone: the interval lies above 0 in 2.5 % at most, or a little over."""
    design, wrong = paths(2, 20), 0
    for study in range(150):
        noise = np.random.default_rng(study).normal(size=(4, len(design)))
        found = screen(design, looked_up(design, lambda u: 0 * u[..., 0], noise, 4))
        wrong += sum(one.matters for one in found.factors.values())
    assert wrong / 300 <= 0.04


def test_paths_that_lack_a_run_drop_out() -> None:
    design = paths(3, 6)
    table = looked_up(design, lambda u: 3 * u[..., 0] - 2 * u[..., 1])
    table.loc[1, "path 2, step 3"] = np.nan
    found = screen(design, table).factors["x0"]
    assert found.mu.value == pytest.approx(3)
    assert found.mu.n == 3 * 5 * 4
