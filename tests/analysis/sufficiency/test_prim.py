"""PRIM: the boxes of the EMA Workbench, boxes that were planted, and boundaries in words."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.analysis.sufficiency.prim import Condition, peel, within


def planted() -> tuple[pd.DataFrame, np.ndarray]:
    """400 cells, grown where a > 0.4, b < 0.7 and k is not z; one in twenty told wrongly."""
    rng = np.random.default_rng(7)
    cells = pd.DataFrame(
        {
            "a": rng.random(400),
            "b": rng.random(400),
            "c": rng.random(400),
            "k": rng.choice(list("xyz"), 400),
        }
    )
    grown = (cells["a"] > 0.4) & (cells["b"] < 0.7) & (cells["k"] != "z")
    wrong = rng.random(400) < 0.05
    return cells, np.where(wrong, ~grown, grown).astype(float)


# Cells, grown cells and restricted factors of each box of ema_workbench 2.5.3:
# prim.Prim(cells, grown, threshold=0.5, peel_alpha=0.05).find_box().peeling_trajectory
WORKBENCH = [
    *((400, 124, 0), (267, 119, 1), (253, 119, 2), (240, 118, 2), (228, 117, 3), (216, 115, 3)),
    *((205, 114, 3), (194, 113, 3), (184, 113, 3), (174, 113, 3), (165, 111, 3), (156, 110, 3)),
    *((148, 110, 3), (140, 110, 3), (133, 109, 3), (126, 109, 3), (119, 109, 3), (113, 108, 3)),
    *((107, 103, 3), (101, 98, 3), (95, 93, 4), (37, 37, 4)),
]


def test_the_boxes_are_those_of_the_ema_workbench() -> None:
    cells, grown = planted()
    found = peel(cells, grown)
    told = [(int(b.inside.sum()), int(grown[b.inside].sum()), len(b.box)) for b in found]
    assert told == WORKBENCH
    a, b, c, k = found[-1].box
    # box_lims[-1] of the same: a 0.41521 to 0.970734, b 0.034804 to 0.700416, c to 0.943909, k {x}.
    assert (a.low, a.high) == pytest.approx((0.41521, 0.970734), abs=1e-6)
    assert (b.low, b.high) == pytest.approx((0.034804, 0.700416), abs=1e-6)
    assert (c.low, c.high) == pytest.approx((-np.inf, 0.943909), abs=1e-6)
    assert (k.levels, k.others) == (frozenset("x"), frozenset("yz"))


def test_a_clean_box_is_found_with_nothing_else() -> None:
    rng = np.random.default_rng(3)
    cells = pd.DataFrame(rng.random((600, 5)), columns=list("abcde"))
    grown = np.asarray((cells["a"] > 0.5) & (cells["b"] < 0.6), dtype=float)
    found = next(one for one in peel(cells, grown) if grown[one.inside].mean() == 1)
    assert {condition.factor for condition in found.box} == {"a", "b"}
    assert found.inside.sum() > 0.9 * grown.sum()


def test_cells_count_by_their_runs() -> None:
    cells = pd.DataFrame({"k": ["x", "y", "x", "y"], "a": [0.1, 0.2, 0.3, 0.4]})
    share = np.array([1.0, 0.5, 0.0, 0.5])
    by_x, by_y = (np.array([9, 1, 1, 9]), np.array([1, 1, 9, 1]))
    assert str(peel(cells[["k"]], share, by_x)[-1].box[0]) == "k x"
    assert str(peel(cells[["k"]], share, by_y)[-1].box[0]) == "k y"


@given(seed=st.integers(0, 10_000), n=st.integers(20, 60))
def test_each_box_holds_the_cells_it_says_and_the_mean_never_falls(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    cells = pd.DataFrame(
        {"a": rng.random(n), "w": rng.integers(0, 4, n), "k": rng.choice(list("xyz"), n)}
    )
    share = rng.random(n)
    boxes = peel(cells, share)
    means = [share[one.inside].mean() for one in boxes]
    assert all(later > earlier for earlier, later in pairwise(means))
    for one in boxes:
        assert (within(cells, one.box) == one.inside).all()
        assert one.inside.sum() >= 0.05 * n


def test_conditions_in_words() -> None:
    assert str(Condition("latency", high=2.5, whole=True)) == "latency at most 2"
    assert str(Condition("latency", low=1.5, high=2.5, whole=True)) == "latency 2"
    assert str(Condition("share", low=0.12345)) == "share at least 0.123"
    assert str(Condition("share", low=0.1, high=0.25)) == "share from 0.1 to 0.25"
    three = frozenset({"fixed", "shuffled", "newest"})
    assert str(Condition("order", levels=frozenset({"fixed"}), others=three - {"fixed"})) == (
        "order fixed"
    )
    assert str(Condition("order", levels=three - {"fixed"}, others=frozenset({"fixed"}))) == (
        "order not fixed"
    )


def test_the_published_example() -> None:
    """Bryant & Lempert (2010): of 89 costly futures 67 in a box of 87, by four conditions."""
    data = pd.read_csv(Path(__file__).parent / "data" / "bryant-lempert-2010.csv")
    grown = data.pop("high_cost").to_numpy(dtype=np.float64)
    chosen = peel(data, grown, slice=0.1)[21]
    assert grown.sum() == 89
    assert grown[chosen.inside].sum() / 89 == pytest.approx(0.752809, abs=1e-6)  # coverage
    assert grown[chosen.inside].mean() == pytest.approx(0.770115, abs=1e-6)  # density
    limits = {one.factor: (one.low, one.high) for one in chosen.box}
    assert limits.keys() == {
        "Total biomass",
        "Demand elasticity",
        "Biomass backstop price",
        "Cellulosic cost",
    }
    assert limits["Total biomass"][1] == pytest.approx(755.8, abs=0.01)
    assert limits["Demand elasticity"][0] == pytest.approx(-0.422, abs=1e-4)
    assert limits["Biomass backstop price"][0] == pytest.approx(150.05, abs=0.01)
    assert limits["Cellulosic cost"][0] == pytest.approx(72.65, abs=0.01)
