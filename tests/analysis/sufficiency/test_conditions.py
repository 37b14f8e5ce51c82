"""Sufficient sets: found where they were planted, told in words, and not claimed where there are none."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cloudchamber.analysis.sufficiency import Sufficiency, sufficient_conditions
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import (
    Design,
    Driver,
    Factor,
    Results,
    Sample,
    factorial,
    sobol_sequence,
)
from tests.analysis.functions import axes, base
from tests.experiment.small import spec

ORDER = Factor.at("visibility.order", ["shuffled", "popularity", "fixed"], "order")
LIKES = Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes")


@cache
def sampled(n: int = 200) -> Sample:
    return sobol_sequence(base(), [*axes(3), ORDER], n, seed=1)


def drawn(design: Design, chance: np.ndarray, replicates: int, seed: int = 0) -> pd.DataFrame:
    """Whether it grew, independently in each run, as results would tell it."""
    rng = np.random.default_rng(seed)
    grown = rng.random((replicates, len(design))) < chance
    return pd.DataFrame(grown.astype(float), columns=[cell.name for cell in design])


def chance(design: Design, where: Callable[[pd.DataFrame], "pd.Series[bool]"]) -> np.ndarray:
    return np.where(where(design.table()), 0.99, 0.2)


def test_two_conditions_that_only_suffice_together() -> None:
    design = sampled()
    grown = drawn(
        design, chance(design, lambda t: (t["x0"] > 0.4) & (t["order"] == "popularity")), 8
    )
    found = sufficient_conditions(design, grown)
    (one,) = found.sets
    assert [condition.factor for condition in one.conditions] == ["x0", "order"]
    assert 0.38 < one.conditions[0].low < 0.5
    assert one.share.low >= 0.9
    assert max(rest.high for rest in one.without) < 0.9
    assert str(found).startswith("x0 at least 0.")
    assert " AND order popularity suffice (grown in " in str(found)
    assert str(found).endswith("; neither alone does")


def test_either_of_two_conditions() -> None:
    design = sampled()
    grown = drawn(
        design, chance(design, lambda t: (t["x0"] > 0.6) | (t["order"] == "popularity")), 8
    )
    found = sufficient_conditions(design, grown)
    assert {tuple(c.factor for c in one.conditions) for one in found.sets} == {("x0",), ("order",)}
    assert str(found).count(" suffices (grown in ") == 2
    assert found.table()["claimed"].tolist() == [True, True]


def test_what_is_certain_everywhere_needs_no_condition() -> None:
    design = sampled()
    found = sufficient_conditions(design, drawn(design, np.full(200, 0.98), 12))
    assert (found.sets, found.everywhere) == ((), True)
    assert str(found).startswith("no condition is needed: grown in ")


def test_what_never_grows_has_no_sufficient_set() -> None:
    design = sampled()
    found = sufficient_conditions(design, drawn(design, np.zeros(200), 6))
    assert str(found) == (
        "nothing found: no set of conditions makes it certain (grown in 0 % [0, 3] of 536 runs overall)"
    )


def test_what_looks_sufficient_is_not_claimed_on_the_runs_that_found_it() -> None:
    design = sampled(64)
    found = sufficient_conditions(design, drawn(design, np.full(64, 0.85), 6, seed=1), seed=1)
    assert found.sets == ()
    assert found.refuted is not None
    assert "looked sufficient, but the runs held back do not show it" in str(found)
    assert str(found).endswith("it would take 36 runs that all grow, or more")
    assert found.table()["claimed"].tolist() == [False]


def test_no_run_that_finds_is_a_run_that_judges() -> None:
    """Runs that find are made certain in a region, all others as they come: nothing may be claimed."""
    design = sampled()
    where = (design.table()["x1"] > 0.5).to_numpy()
    halves = np.random.default_rng(0).permutation(200)[:66]
    for seed in range(5):
        grown = drawn(design, np.full(200, 0.5), 12, seed=seed)
        values = grown.to_numpy(copy=True)
        inside = np.zeros(200, dtype=bool)
        inside[halves] = True
        values[:4, where & inside] = (
            1.0  # the first half of replicates, in the half of cells that finds
        )
        found = sufficient_conditions(design, pd.DataFrame(values, columns=grown.columns), seed=0)
        assert found.sets == ()
        assert found.refuted is not None and str(found.refuted).startswith("x1 at least 0.")


def test_of_a_factorial_the_replicates_are_split() -> None:
    design = factorial(spec(), [LIKES, ORDER])
    both = chance(design, lambda t: (t["likes"] == "exact") & (t["order"] == "popularity"))
    found = sufficient_conditions(design, drawn(design, both, 100, seed=2))
    assert str(found).startswith("likes exact AND order popularity suffice (grown in ")
    assert str(found).endswith("neither alone does")
    (one,) = found.sets
    assert (one.share.n, one.share.unit) == (67, "replicate")


def test_through_runs_that_are_grown(tmp_path: Path) -> None:
    """Who follows likes strongly concentrates, if likes are shown."""
    strength = Factor.at("population.groups[0].decides.strength", [0.0, 8.0], "strength")
    design = factorial(spec(readers=6, steps=20), [LIKES, strength])
    Driver(tmp_path / "trace").grow(design, 80)
    table = Results(design, 80, 0, tmp_path / "trace").measure("gini")
    found = sufficient_conditions(design, (table > 0.4).astype(float))
    assert str(found).startswith("likes exact AND strength 8 suffice (grown in 100 % ")
    assert str(found).endswith("neither alone does")


@pytest.mark.parametrize(
    ("design", "grown", "said"),
    [
        (sampled, lambda d: drawn(d, np.full(200, 0.5), 2), "2 replicates are there"),
        (lambda: sampled(8), lambda d: drawn(d, np.full(8, 0.5), 4), "8 cells that stand on 4"),
        (sampled, lambda d: drawn(d, np.full(200, 0.5), 4) * 0.4, "other than 0 and 1"),
        (
            lambda: factorial(spec(), [ORDER]),
            lambda d: drawn(d, np.full(3, 0.5), 11),
            "11 replicates are there; allowed: 12",
        ),
    ],
)
def test_what_cannot_be_told_is_refused(
    design: Callable[[], Design], grown: Callable[[Design], pd.DataFrame], said: str
) -> None:
    made = design()
    with pytest.raises(SpecificationError, match=said):
        sufficient_conditions(made, grown(made))


def outcome(found: Sufficiency) -> str:
    return "claimed" if found.sets else "everywhere" if found.everywhere else "nothing"


def nulls(studies: int, replicates: int, share: float, luck: float) -> Counter[str]:
    """Studies in which growing does not depend on conditions, but on the luck of a replicate."""
    from scipy.stats import norm

    design = sampled(100)
    told = Counter[str]()
    for study in range(studies):
        rng = np.random.default_rng(study)
        common, own = rng.normal(size=(replicates, 1)), rng.normal(size=(replicates, 100))
        grown = np.sqrt(luck) * common + np.sqrt(1 - luck) * own < norm.ppf(share)
        table = pd.DataFrame(grown.astype(float), columns=[cell.name for cell in design])
        told[outcome(sufficient_conditions(design, table, seed=study))] += 1
    return told


def test_where_nothing_depends_on_conditions_nothing_is_claimed() -> None:
    assert nulls(20, 6, 0.7, 0.0)["nothing"] == 20
    assert nulls(20, 6, 0.9, 0.0)["claimed"] <= 2


@pytest.mark.slow
@pytest.mark.parametrize("luck", [0.0, 0.3])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.9])
def test_false_claims_are_rare(share: float, luck: float) -> None:
    told = nulls(200, 8, share, luck)
    assert told["claimed"] <= 10
    assert share >= 0.9 or told["everywhere"] <= 10


def test_nothing_is_said_of_combinations_that_have_no_run() -> None:
    design = factorial(spec(), [ORDER, LIKES])
    grown = drawn(design, np.ones(len(design)), 36)
    grown[design.cells[1].name] = np.nan
    with pytest.raises(SpecificationError, match=f"no run is there of {design.cells[1].name}"):
        sufficient_conditions(design, grown)
