"""Sobol indices: closed forms within intervals, SALib's numbers without noise, and noise told apart."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cloudchamber.analysis.sensitivity.crossed import crossed, product_of_two
from cloudchamber.analysis.sensitivity.variance import Indices, sobol_indices
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Axis, Driver, Factor, Results
from cloudchamber.experiment.probing import Rows, saltelli_rows
from tests.analysis.functions import (
    G_PARTS,
    ISHIGAMI,
    Known,
    axes,
    base,
    g_function,
    g_known,
    ishigami,
    looked_up,
)
from tests.experiment.small import spec


def rows(k: int, n: int, seed: int = 0) -> Rows:
    return saltelli_rows(base(), axes(k), n, seed=seed)


def holds(found: Indices, known: Known) -> list[bool]:
    told = [*found.first.values(), *found.total.values()]
    # A unit in the fourth decimal for functions whose index is sampled without any error at all.
    return [
        one.low - 1e-4 <= true <= one.high + 1e-4
        for one, true in zip(told, [*known.first, *known.total], strict=True)
    ]


def test_without_noise_the_numbers_are_salibs() -> None:
    from SALib.analyze import sobol

    design = rows(3, 64)
    table = looked_up(design, ishigami)
    theirs = sobol.analyze(
        {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3},
        table.to_numpy()[0],
        calc_second_order=False,
        seed=1,
    )
    found = sobol_indices(design, table)
    assert [one.value for one in found.first.values()] == pytest.approx(theirs["S1"], abs=1e-12)
    assert [one.value for one in found.total.values()] == pytest.approx(theirs["ST"], abs=1e-12)
    assert (found.noise.value, found.noise.high) == (0, 0)


@pytest.mark.parametrize(
    ("function", "known", "k"),
    [(ishigami, ISHIGAMI, 3), (lambda u: g_function(u, G_PARTS.parameters), g_known(), 4)],
    ids=["ishigami", "g"],
)
def test_closed_forms_with_noise_lie_within_the_intervals(
    function: object, known: Known, k: int
) -> None:
    assert callable(function)
    design = rows(k, 512)
    noise = np.random.default_rng(3).normal(0, np.sqrt(known.variance / 3), (4, len(design)))
    found = sobol_indices(design, looked_up(design, function, noise, 4))
    assert all(holds(found, known))
    assert [one.value for one in found.total.values()] == pytest.approx(known.total, abs=0.1)
    assert found.noise.low <= 0.25 <= found.noise.high
    assert found.noise.value == pytest.approx(0.25, abs=0.02)
    assert max(one.high - one.low for one in found.first.values()) < 0.4


def test_of_no_influence_the_interval_holds_0_and_without_it_nothing_else_is_taken_for_it() -> None:
    design = rows(4, 256)
    noise = np.random.default_rng(5).normal(0, 0.5, (5, len(design)))
    found = sobol_indices(design, looked_up(design, lambda u: u[..., 0] + u[..., 1], noise, 5))
    for name in ("x2", "x3"):
        for one in (found.first[name], found.total[name]):
            assert one.low <= 0 <= one.high
            assert one.high < 0.35
    assert min(found.total["x0"].low, found.total["x1"].low) > 0.2


def test_a_seeds_common_luck_is_noise_and_no_factors_part() -> None:
    design = rows(3, 128)
    luck = np.array([-9.0, 4.0, 2.0, 3.0])[:, None] + np.zeros(len(design))
    quiet = sobol_indices(design, looked_up(design, ishigami, 0.0, 4))
    found = sobol_indices(design, looked_up(design, ishigami, luck, 4))
    assert found.total["x0"].value == pytest.approx(quiet.total["x0"].value)
    assert found.noise.value > 0.6
    assert found.noise.low < found.noise.value < found.noise.high


def test_noise_that_replicates_share_across_conditions_widens_the_intervals() -> None:
    """The replicate is a unit too: 64 rows of three replicates are no 64 x 3 independent values."""
    design = rows(3, 256)
    rng = np.random.default_rng(2)
    slope = rng.normal(0, 4, (4, 1)) * (design.points[:, 0] - 0.5)
    alone = np.sqrt(slope.var()) * rng.normal(size=slope.shape)
    shared = sobol_indices(design, looked_up(design, ishigami, slope, 4)).first["x0"]
    own = sobol_indices(design, looked_up(design, ishigami, alone, 4)).first["x0"]
    assert shared.high - shared.low > 1.3 * (own.high - own.low)


def test_products_of_two_replicates_hold_no_square_of_noise() -> None:
    rng = np.random.default_rng(0)
    values = 2.0 + rng.normal(0, 3, (3, 20_000))
    assert product_of_two(values, values).mean() == pytest.approx(4, abs=0.15)
    assert np.square(values).mean() > 12
    by_hand = np.mean([values[r, 0] * values[s, 0] for r in range(3) for s in range(3) if r != s])
    assert product_of_two(values, values)[0] == pytest.approx(by_hand)


def test_the_crossed_interval_of_a_mean_of_rows_alone_is_students() -> None:
    values = np.random.default_rng(1).normal(size=12)
    left = (values.sum() - values) / 11
    found = crossed(float(values.mean()), left, np.full(3, values.mean()), 36, 0.95)
    from scipy.stats import t

    half = t.ppf(0.975, 11) * values.std(ddof=1) / np.sqrt(12)
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half))


def test_rows_that_lack_a_run_drop_out() -> None:
    design = rows(3, 32)
    table = looked_up(design, ishigami, np.random.default_rng(0).normal(size=(4, len(design))), 4)
    holed = table.copy()
    holed.loc[2, "row 7, twin"] = np.nan
    whole = table.drop(columns=[name for name in table.columns if name.startswith("row 7")])
    found = sobol_indices(design, holed)
    assert found.total["x0"].n == whole.size
    more = pd.concat([holed, pd.DataFrame(np.nan, index=[4], columns=table.columns)])
    assert sobol_indices(design, more).total["x0"] == found.total["x0"]


def test_two_replicates_are_too_few_to_tell_noise_apart() -> None:
    design = rows(3, 8)
    with pytest.raises(SpecificationError, match="2 replicates of 8 whole rows are there"):
        sobol_indices(design, looked_up(design, ishigami, replicates=2))


def test_an_outcome_that_never_varies_has_no_indices() -> None:
    design = rows(3, 8)
    found = sobol_indices(design, looked_up(design, lambda u: np.zeros(u.shape[:-1])))
    assert not any(one.known for one in found.total.values())
    assert "cannot tell" in str(found)


def test_through_runs_that_are_grown(tmp_path: Path) -> None:
    """Of strength, order and labels, which rules cannot read: labels do nothing, exactly."""
    factors: list[Axis] = [
        Factor.over("population.groups[0].decides.strength", 0, 3, name="strength"),
        Factor.at("visibility.order", ["shuffled", "popularity"], "order"),
        Factor.at("affordances.labels", ["codes", "letters"], "labels"),
    ]
    design = saltelli_rows(spec(readers=6, steps=5), factors, 16)
    Driver(tmp_path / "trace").grow(design, 4)
    table = Results(design, 4, 0, tmp_path / "trace").measure("gini")
    found = sobol_indices(design, table)
    assert (found.total["labels"].value, found.total["labels"].high) == (0, 0)
    assert found.total["strength"].low > 0
    assert 0 < found.noise.low < found.noise.high < 1
    told = found.table()
    assert told["factor"].tolist()[:2] == ["strength", "strength"]
    assert str(found).startswith("strength: first order ")


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_intervals_cover_what_they_say(shared: float) -> None:
    """200 studies each; half of the variance is noise, of which a part is the seed's common luck."""
    covered = np.zeros(7)
    n, replicates, studies = 64, 5, 200
    truth = [*ISHIGAMI.first, *ISHIGAMI.total, 0.5]
    for study in range(studies):
        design = rows(3, n, seed=study)
        rng = np.random.default_rng(1000 + study)
        luck = rng.normal(0, np.sqrt(shared), (replicates, 1))
        own = rng.normal(0, np.sqrt(1 - shared), (replicates, len(design)))
        noise = np.sqrt(ISHIGAMI.variance) * (luck + own)
        found = sobol_indices(design, looked_up(design, ishigami, noise, replicates))
        told = [*found.first.values(), *found.total.values(), found.noise]
        covered += [one.low <= true <= one.high for one, true in zip(told, truth, strict=True)]
    assert (covered[:6] / studies >= 0.93).all()
    assert covered[6] / studies >= (0.93 if shared == 0 else 0.86)
