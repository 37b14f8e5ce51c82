"""Rows and paths: what they change from cell to cell, and that longer ones begin with the shorter."""

import sys
from itertools import pairwise

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Factor
from cloudchamber.experiment.probing import morris_paths, saltelli_rows
from tests.experiment.small import spec

AXES = (
    Factor.over("visibility.latency", 0, 2, whole=True, name="latency"),
    Factor.over("population.groups[0].decides.strength", 0.1, 10, log=True, name="strength"),
    Factor.at("visibility.order", ["shuffled", "popularity"], "order"),
)


def test_a_row_is_a_point_its_mixtures_and_its_twin() -> None:
    design = saltelli_rows(spec(), AXES, 4)
    assert [cell.name for cell in design][:5] == [
        "row 1",
        "row 1, latency as in its twin",
        "row 1, strength as in its twin",
        "row 1, order as in its twin",
        "row 1, twin",
    ]
    rows = design.points.reshape(4, 5, 3)
    for k in range(3):
        others = [j for j in range(3) if j != k]
        assert np.array_equal(rows[:, 1 + k, k], rows[:, 4, k])
        assert np.array_equal(rows[:, 1 + k, others], rows[:, 0, others])
    values = np.arange(40.0).reshape(2, 20)
    assert design.by_row(values)[1, 2].tolist() == [30, 31, 32, 33, 34]


def test_each_step_of_a_path_changes_one_factor_and_each_factor_once() -> None:
    design = morris_paths(spec(), AXES, 6, seed=2)
    changed = design.steps() != 0
    assert changed.shape == (6, 3, 3)
    assert (changed.sum(axis=2) == 1).all()
    assert (changed.sum(axis=1) == 1).all()
    for path in range(6):
        cells = design.cells[4 * path : 4 * path + 4]
        for one, other in pairwise(cells):
            assert sum(one.levels[f.name] != other.levels[f.name] for f in AXES) == 1


@pytest.mark.parametrize("make", [saltelli_rows, morris_paths])
def test_a_longer_design_begins_with_the_shorter_one(make: type) -> None:
    short, long = make(spec(), AXES, 4, seed=5), make(spec(), AXES, 8, seed=5)
    assert short.cells == long.cells[: len(short)]
    assert short.cells != make(spec(), AXES, 4, seed=6).cells


@pytest.mark.parametrize(
    ("make", "n", "said"),
    [
        (saltelli_rows, 6, "a power of 2"),
        (saltelli_rows, 1, "a power of 2"),
        (morris_paths, 1, "paths: 1 was given"),
    ],
)
def test_numbers_that_make_no_sense(make: type, n: int, said: str) -> None:
    with pytest.raises(SpecificationError, match=said):
        make(spec(), AXES, n)


def test_an_odd_grid_and_no_factors_are_refused() -> None:
    with pytest.raises(SpecificationError, match="levels: 3 was given"):
        morris_paths(spec(), AXES, 4, levels=3)
    with pytest.raises(SpecificationError, match="none was given"):
        saltelli_rows(spec(), [], 4)


def test_without_salib_it_says_which_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.sample.sobol", None)
    with pytest.raises(SpecificationError, match=r"pip install 'cloudchamber\[sensitivity\]'"):
        saltelli_rows(spec(), AXES, 4)
