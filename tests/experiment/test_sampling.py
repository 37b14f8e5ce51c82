"""Sampled designs: even, numbered, and extended by computing only what is missing."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.experiment import (
    Axis,
    Design,
    Driver,
    Factor,
    Manifest,
    factorial,
    fractional,
    latin_hypercube,
    one_factor_at_a_time,
    sample_at,
    sobol_sequence,
)
from tests.experiment.small import spec

LATENCY = Factor.over("visibility.latency", 0, 2, whole=True, name="latency")
STRENGTH = Factor.over("population.groups[0].decides.strength", 0.1, 10, log=True, name="strength")
ORDER = Factor.at("visibility.order", ["shuffled", "popularity"], "order")
AXES = (LATENCY, STRENGTH, ORDER)


def test_cells_are_what_their_points_say() -> None:
    made = sample_at(spec(), AXES, [[0.0, 0.5, 0.2], [0.99, 1.0, 0.6]])
    assert [cell.name for cell in made] == ["point 1", "point 2"]
    first, second = made
    assert dict(first.values) == {"latency": 0, "strength": 1.0, "order": "shuffled"}
    wanted = spec().replace("visibility.latency", 2).replace("visibility.order", "popularity")
    assert second.spec == wanted.replace("population.groups.0.decides.strength", 10.0)
    assert second.levels["strength"] == "10.0"


def test_the_table_of_cells() -> None:
    table = sample_at(spec(), AXES, [[0.0, 0.5, 0.2], [0.1, 0.5, 0.3], [1.0, 1.0, 1.0]]).table()
    wanted = pd.DataFrame(
        {
            "name": ["point 1", "point 2", "point 3"],
            "same_as": ["", "point 1", ""],
            "latency": [0, 0, 2],
            "strength": [1.0, 1.0, 10.0],
            "order": ["shuffled", "shuffled", "popularity"],
        }
    )
    pd.testing.assert_frame_equal(table.drop(columns="specification"), wanted, check_dtype=False)
    assert table["specification"][0] == table["specification"][1] != table["specification"][2]


@given(n=st.integers(1, 40), doublings=st.integers(0, 3), seed=st.integers(0, 99))
def test_a_hypercube_and_each_of_its_halves_has_one_point_in_each_part(
    n: int, doublings: int, seed: int
) -> None:
    points = latin_hypercube(spec(), [STRENGTH, LATENCY], n, doublings=doublings, seed=seed).points
    for doubled in range(doublings + 1):
        size = n * 2**doubled
        parts = np.floor(points[:size] * size)
        assert (np.sort(parts, axis=0) == np.arange(size)[:, None]).all()


def test_a_sequence_is_balanced_in_each_factor_and_pair() -> None:
    points = sobol_sequence(spec(), AXES, 64, seed=3).points
    for one in range(3):
        assert (np.bincount((points[:, one] * 64).astype(int)) == 1).all()
    pairs = (points[:, :2] * 8).astype(int)
    assert len(np.unique(pairs, axis=0)) == 64


@pytest.mark.parametrize("n", [1, 5, 16, 23])
def test_a_longer_sequence_begins_with_the_shorter_one(n: int) -> None:
    short, long = (sobol_sequence(spec(), AXES, m, seed=1) for m in (n, 40))
    assert short.cells == long.cells[:n]
    assert np.array_equal(short.points, long.points[:n])
    assert short == sobol_sequence(spec(), AXES, n, seed=1) != sobol_sequence(spec(), AXES, n)


def test_one_factor_at_a_time_departs_from_the_baseline_by_one_factor() -> None:
    likes = Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes")
    late = Factor.at("visibility.latency", [0, 1, 2], "latency")
    base = spec().replace("visibility.fields.likes", "exact")
    made = one_factor_at_a_time(base, [likes, late])
    assert [cell.name for cell in made] == [
        "baseline",
        "likes: hidden",
        "latency: 1",
        "latency: 2",
    ]
    assert made["baseline"].spec == base
    assert dict(made["latency: 2"].values) == {"likes": "exact", "latency": 2}
    assert made["latency: 2"].spec == base.replace("visibility.latency", 2)


SMALLER_AND_LARGER: list[tuple[Callable[..., Design], Callable[..., Design], object]] = [
    (partial(sobol_sequence, n=3), partial(sobol_sequence, n=6), AXES),
    (partial(latin_hypercube, n=3), partial(latin_hypercube, n=3, doublings=1), AXES),
    (factorial, factorial, [ORDER, Factor.at("visibility.latency", [0, 1, 2], "latency")]),
    (one_factor_at_a_time, one_factor_at_a_time, [ORDER, LATENCY.levels(3)]),
    (
        partial(fractional, resolution=3),
        factorial,
        [ORDER, LATENCY.levels(2), Factor.at("turns.steps", [2, 3])],
    ),
]


@pytest.mark.parametrize(("small", "large", "axes"), SMALLER_AND_LARGER)
def test_what_is_added_is_all_that_is_grown(
    tmp_path: Path, small: Callable[..., Design], large: Callable[..., Design], axes: list[Axis]
) -> None:
    shorter = [Factor(f.name, f.settings[:2]) for f in axes if isinstance(f, Factor)]
    first = small(spec(), axes if small is not large else shorter)
    whole = large(spec(), axes)
    common = {cell.id for cell in first} & {cell.id for cell in whole}
    assert common == {cell.id for cell in first}
    Driver(tmp_path / "t").grow(first, 2)
    lacking = Driver(tmp_path / "t").missing(whole, 3)
    new = {(unit.cell.id, r) for unit in lacking for r in unit.replicates}
    wanted = {(cell.id, 2) for cell in whole}
    wanted |= {(cell.id, r) for cell in whole if cell.id not in common for r in (0, 1)}
    assert new == wanted


def test_another_hypercube_is_refused_by_a_folder_and_its_doubling_is_not(tmp_path: Path) -> None:
    def claim(design: Design) -> None:
        Manifest.of("mine", {}, 0, "full", 1, design).claim(tmp_path)
        Driver(tmp_path / "trace").grow(design, 1)

    claim(latin_hypercube(spec(), AXES, 3))
    claim(latin_hypercube(spec(), AXES, 3, doublings=1))
    with pytest.raises(TraceError, match="point 1"):
        claim(latin_hypercube(spec(), AXES, 4))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: sobol_sequence(spec(), AXES, 0), "points: 0 was given"),
        (lambda: latin_hypercube(spec(), AXES, 0), "points: 0 was given"),
        (lambda: latin_hypercube(spec(), AXES, 2, doublings=-1), "doublings: -1"),
        (lambda: sobol_sequence(spec(), [], 4), "none was given"),
        (lambda: sample_at(spec(), AXES, [[0.5, 0.5]]), r"allowed: \[cells, 3\]"),
        (lambda: sample_at(spec(), [LATENCY], [[1.5]]), "from 0 to 1"),
        (
            lambda: sobol_sequence(spec(), [Factor.over("visibility.latncy", 0, 1)], 2),
            "cell 'point 1'.*Did you mean 'latency'",
        ),
    ],
)
def test_what_is_no_sample_is_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(SpecificationError, match=said):
        make()


def test_outcomes_come_in_the_order_of_the_cells() -> None:
    made = sobol_sequence(spec(), AXES, 3)
    table = pd.DataFrame({"point 3": [3.0, 30.0], "point 1": [1.0, 10.0], "point 2": [2.0, 20.0]})
    assert made.outcomes(table).tolist() == [[1, 2, 3], [10, 20, 30]]
    with pytest.raises(SpecificationError, match="no column 'point 2'"):
        made.outcomes(table.drop(columns="point 2"))
