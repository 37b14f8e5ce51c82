"""Do claims err as seldom as they say? Simulated studies of a rule world, and of drawn numbers.

Readers who heed likes, and their isolated twins, are grown in many replicates, which are cut into studies.
Each bound is what is promised plus two and a half standard errors of that many studies.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import sqrt

import numpy as np
import pandas as pd
import pytest

from cloudchamber.agents import SocialProof
from cloudchamber.analysis.effects.equivalence import p_value, tost
from cloudchamber.analysis.effects.estimates import difference, effects, ratio
from cloudchamber.analysis.effects.parting import parting
from cloudchamber.analysis.effects.power import power, runs_for
from cloudchamber.analysis.effects.resampling import Interval
from cloudchamber.experiment import Cell, Design, Driver, Results
from cloudchamber.intervention import isolate
from cloudchamber.microspec import Group, Microspec, Population, Simultaneous
from cloudchamber.phenomenon import HERDING, Criterion, Phenomenon
from cloudchamber.trace import Trace
from cloudchamber.worlds import Feed

RUNS = 12
MOST = 400
STUDIES = [60, pytest.param(MOST, marks=pytest.mark.slow)]


Grow = Callable[[int], pd.DataFrame]


def more(share: float, studies: int) -> float:
    """The share with what chance may add to it in so many studies."""
    return share + 2.5 * sqrt(share * (1 - share) / studies)


@pytest.fixture(scope="module")
def grow(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], pd.DataFrame]:
    """The Gini coefficient of twenty readers who heed likes a little, and of their isolated twins."""

    @cache
    def grown(studies: int) -> pd.DataFrame:
        heeding = Group(name="readers", count=20, decides=SocialProof(strength=0.1))
        spec = Microspec(
            world=Feed.of(8),
            population=Population(groups=(heeding,)),
            turns=Simultaneous(steps=4),
        )
        design = Design((Cell("seen", spec), Cell("alone", isolate()(spec))))
        folder, replicates = tmp_path_factory.mktemp("grown"), studies * RUNS
        Driver(folder, seed=4).grow(design, replicates)
        return Results(design, replicates, 4, folder).measure("gini")

    return grown


def cut(frame: pd.DataFrame, paired: bool = True) -> list[pd.DataFrame]:
    """Studies of so many replicates each; unpaired, the cells' runs are of other replicates."""
    whole = frame if paired else frame.assign(alone=np.roll(frame["alone"], 5 * RUNS))
    return [whole.iloc[at : at + RUNS].reset_index(drop=True) for at in range(0, len(whole), RUNS)]


def alike(frame: pd.DataFrame, study: int, cells: int = 5) -> pd.DataFrame:
    """Cells of one law: isolated runs of other replicates."""
    values = frame["alone"].to_numpy()
    places = (study * RUNS + np.arange(RUNS)[:, None] + 997 * np.arange(cells)) % len(values)
    return pd.DataFrame(values[places], columns=[f"cell {at}" for at in range(cells)])


@pytest.mark.parametrize("studies", STUDIES)
@pytest.mark.parametrize("paired", [True, False])
def test_under_a_true_null_few_studies_claim_any_effect(
    grow: Grow, paired: bool, studies: int
) -> None:
    grown, claimed, least = grow(studies), 0, 0
    for study in range(studies):
        table = alike(grown, study)
        found = effects(table, against="cell 0", paired=paired, seed=study)
        claimed += bool((found["verdict"] == "effect").any())
        least += bool((found["p"] <= 0.05).any())
    assert claimed / studies <= more(0.05, studies)
    # Without adjusting for the four comparisons it would be another matter.
    assert least / studies > 0.08


@pytest.mark.parametrize("studies", STUDIES)
@pytest.mark.parametrize("paired", [True, False])
def test_intervals_cover_the_effect_that_is_there(grow: Grow, paired: bool, studies: int) -> None:
    grown = grow(studies)
    true = float(grown["seen"].mean() - grown["alone"].mean())
    times = float(grown["seen"].mean() / grown["alone"].mean())
    kinds: list[Interval] = ["t", "percentile-t"]
    hits = dict.fromkeys((*kinds, "ratio"), 0)
    for study, table in enumerate(cut(grown, paired)):
        a, b = table["seen"], table["alone"]
        for kind in kinds:
            gap = difference(a, b, paired=paired, interval=kind, seed=study)
            hits[kind] += gap.low <= true <= gap.high
        share = ratio(a, b, paired=paired)
        hits["ratio"] += share.low <= times <= share.high
    for hit in hits.values():
        assert abs(hit / studies - 0.95) <= 0.02 + (more(0.05, studies) - 0.05) * (studies < MOST)


@pytest.mark.parametrize("studies", STUDIES)
@pytest.mark.parametrize(("paired", "in_sd"), [(True, False), (False, False), (True, True)])
def test_equivalence_errs_seldom_at_the_margin(
    grow: Grow, paired: bool, in_sd: bool, studies: int
) -> None:
    grown = grow(studies)
    margin = float(grown["seen"].mean() - grown["alone"].mean())
    if in_sd:
        margin /= float(grown["alone"].std())
    wrong = 0
    for study, table in enumerate(cut(grown, paired)):
        a, b = table["seen"], table["alone"]
        found = tost(a, b, margin, paired=paired, in_sd=in_sd, seed=study)
        wrong += found.verdict == "no effect"
    assert wrong / studies <= more(0.05, studies)


@pytest.mark.parametrize("studies", STUDIES)
@pytest.mark.parametrize("paired", [True, False])
def test_drawn_numbers_at_the_margin_and_without_effect(paired: bool, studies: int) -> None:
    rng = np.random.default_rng(5)
    wrong = shown = claimed = 0
    for study in range(studies):
        b = rng.normal(0, 1, RUNS)
        a = (0.6 * b if paired else 0.0) + rng.normal(0, 0.8, RUNS)
        claimed += p_value(a, b, paired=paired, seed=study) <= 0.05
        wrong += tost(a + 1, b, 1.0, paired=paired, seed=study).verdict == "no effect"
        shown += tost(a, b, 1.0, paired=paired, seed=study).verdict == "no effect"
    assert claimed / studies <= more(0.05, studies)
    assert wrong / studies <= more(0.05, studies)
    spread = sqrt(0.4**2 + 0.8**2) if paired else sqrt((0.8**2 + 1) / 2)
    expected = float(power(RUNS, 0.0, spread, paired=paired, margin=1.0))
    assert shown / studies == pytest.approx(expected, abs=more(0.5, studies) - 0.5)


@pytest.mark.parametrize("studies", STUDIES)
@pytest.mark.parametrize("paired", [True, False])
def test_a_planted_effect_is_found_with_the_predicted_power(
    grow: Grow, paired: bool, studies: int
) -> None:
    grown, less = grow(studies), 0.02 if paired else 0.0
    a, b = grown["seen"] - less, grown["alone"]  # so that pairs too take more than a few
    plan = runs_for(float((a - b).mean()), a, b, paired=paired, power=0.8)
    runs = int(plan.n)
    assert 12 < runs < 24
    rng = np.random.default_rng(6)
    found = 0
    for study in range(studies):
        # Studies are drawn from all that was grown, so that two may share a few replicates.
        one = a.sample(runs, random_state=rng)
        other = b[one.index] if paired else b.sample(runs, random_state=rng)
        found += p_value(one, other, paired=paired, seed=study) <= 0.05
    expected = float(power(runs, plan.effect, plan.sd, paired=paired))
    # The noncentral t is that of normal values; these are skewed by 0.7.
    assert found / studies == pytest.approx(expected, abs=2.5 * sqrt(0.16 / studies) + 0.02)


@pytest.mark.parametrize("studies", STUDIES)
@pytest.mark.parametrize("paired", [True, False])
def test_the_power_of_normal_numbers_is_as_predicted(paired: bool, studies: int) -> None:
    rng, found = np.random.default_rng(7), 0
    runs = int(runs_for(0.9, 1.0, paired=paired).n)
    for study in range(studies):
        b = np.zeros(runs) if paired else rng.normal(0, 1, runs)
        found += p_value(rng.normal(0.9, 1, runs), b, paired=paired, seed=study) <= 0.05
    expected = float(power(runs, 0.9, 1.0, paired=paired))
    assert found / studies == pytest.approx(expected, abs=2.5 * sqrt(0.09 / studies))


@pytest.mark.parametrize("studies", STUDIES)
def test_a_phenomenon_is_judged_wrongly_as_seldom_as_it_says(grow: Grow, studies: int) -> None:
    grown = grow(studies)
    true = float(grown["seen"].mean() - grown["alone"].mean())
    trace = Trace()
    for run in range(2 * RUNS):
        trace.append("runs", {"run": 1 + run, "replicate": run % RUNS})
    answers: dict[str, list[str]] = {"null": [], "margin": [], "planted": []}
    for study, table in enumerate(cut(grown)):
        same = alike(grown, study, 2).set_axis(["seen", "alone"], axis=1)
        answers["null"].append(told(trace, same, Criterion(0.0)))
        answers["margin"].append(told(trace, table, Criterion(true)))
        answers["planted"].append(told(trace, table, Criterion(0.02)))
    shares = {key: pd.Series(one).value_counts(normalize=True) for key, one in answers.items()}
    # Either answer at its margin in 2.5 % of studies.
    assert shares["null"].get("grown", 0) <= more(0.025, studies)
    assert shares["null"].get("not grown", 0) <= more(0.025, studies)
    assert shares["margin"].get("grown", 0) <= more(0.025, studies)
    assert shares["margin"].drop("undecided").sum() <= more(0.07, studies)
    expected = float(power(RUNS, true - 0.02, float((grown["seen"] - grown["alone"]).std())))
    slack = 2.5 * sqrt(expected * (1 - expected) / studies) + 0.03
    assert shares["planted"]["grown"] == pytest.approx(expected, abs=slack)


def told(trace: Trace, table: pd.DataFrame, criterion: Criterion) -> str:
    """The answer of a study whose runs have these numbers."""
    n = len(table)
    values = pd.Series([*table["seen"], *table["alone"]], index=range(1, 2 * n + 1))
    measure = replace(HERDING.measure, compute=lambda _: values)
    facet: Phenomenon = replace(HERDING, measure=measure, criterion=criterion)
    return facet.against_baseline(trace, range(1, n + 1), range(n + 1, 2 * n + 1)).answer


@pytest.mark.slow
@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("persistence", [0.0, 0.9])
def test_partings_are_claimed_and_dated_as_seldom_wrongly_as_is_said(
    paired: bool, persistence: float
) -> None:
    rng = np.random.default_rng(8)
    true = np.maximum(0, np.arange(25) - 8) * 0.3  # passes 1 at step 12

    def series() -> np.ndarray:
        drawn = rng.normal(size=(RUNS, 25))
        for step in range(1, 25):
            fresh = sqrt(1 - persistence**2) * drawn[:, step]
            drawn[:, step] = persistence * drawn[:, step - 1] + fresh
        return drawn

    claimed = covered = dated = early = 0
    for study in range(MOST):
        a, b = series(), series()
        claimed += parting(a, b, paired=paired, draws=499, seed=study).p <= 0.05
        found = parting(a + true, b, paired=paired, draws=499, margin=1.0, seed=study)
        inside = (found.table["low"] <= true) & (true <= found.table["high"])
        covered += bool(inside.all())
        dated += found.answer == "part" and not found.low <= 12 <= found.high
        early += parting(a + true, b, paired=paired, draws=499, seed=study).high <= 8
    assert claimed / MOST <= more(0.05, MOST)
    assert covered / MOST >= 1 - more(0.05, MOST)
    assert dated / MOST <= 0.05
    assert early / MOST <= 0.05
