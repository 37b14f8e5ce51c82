from dataclasses import replace
from math import nan

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.measures import MEASURES
from cloudchamber.measures.estimate import Estimate, about
from cloudchamber.phenomenon import (
    HERDING,
    HERDING_FACETS,
    RISKS,
    Criterion,
    Phenomenon,
    independent,
    pooled_shares,
)
from cloudchamber.trace import Trace

ITEMS = 20
QUICK = tuple(replace(p, criterion=replace(p.criterion, draws=100)) for p in HERDING_FACETS)


def traced(final: np.ndarray, first: int = 1, trace: Trace | None = None) -> Trace:
    """A trace of runs first, first + 1, ... with the given final tallies, replicates 0, 1, ..."""
    trace = trace or Trace()
    for replicate, tally in enumerate(final):
        for step, value in ((0, 0.0), (9, tally)):
            trace.append(
                "outcomes",
                {
                    "run": first + replicate,
                    "step": step,
                    "item": np.arange(len(tally)),
                    "value": value,
                },
            )
        trace.append("runs", {"run": first + replicate, "replicate": replicate})
    return trace


def polya(rng: np.random.Generator, runs: int, picks: int, weight: float = 1.0) -> np.ndarray:
    """Choices proportional to 1 + weight * likes."""
    likes = np.zeros((runs, ITEMS))
    for _ in range(picks):
        shares = (1 + weight * likes) / (1 + weight * likes).sum(axis=1, keepdims=True)
        chosen = (shares.cumsum(axis=1) < rng.random((runs, 1))).sum(axis=1)
        likes[np.arange(runs), np.minimum(chosen, ITEMS - 1)] += 1
    return likes


def test_the_null_has_the_moments_of_a_multinomial() -> None:
    share = np.arange(1.0, 5.0)
    drawn = independent([100, 300], share, draws=4000)
    assert drawn.shape == (4000, 2, 4)
    assert (drawn.sum(axis=-1) == [100, 300]).all()
    p = share / 10
    expected = np.array([[100], [300]]) * p
    error = np.sqrt(expected * (1 - p) / 4000)
    assert (np.abs(drawn.mean(axis=0) - expected) < 4.5 * error).all()
    assert (
        independent([100, 300], share, draws=3) == independent([100, 300], share, draws=3)
    ).all()
    with pytest.raises(SpecificationError, match="count choices"):
        independent([1.5], share, 3)
    with pytest.raises(SpecificationError, match="shares must be"):
        independent([1], [0, 0], 3)


@pytest.mark.parametrize("facet", QUICK, ids=lambda facet: facet.measure.name)
def test_a_urn_herds_by_every_measure(facet: Phenomenon) -> None:
    trace = traced(polya(np.random.default_rng(1), runs=12, picks=300))
    found = facet.against_independent(trace)
    assert found.answer == "grown"
    assert found.excess.p is not None
    assert found.excess.p < 0.02
    assert found.excess.low > facet.criterion.margin
    assert f"Herding, by the {facet.measure.aloud()}: grown." in found.sentence()


@pytest.mark.parametrize("facet", QUICK, ids=lambda facet: facet.measure.name)
def test_independent_choice_does_not_herd(facet: Phenomenon) -> None:
    # 200 studies of 12 runs: claims of herding where there is none, at the margin 0.
    null = replace(facet, criterion=replace(facet.criterion, margin=0.0))
    rng = np.random.default_rng(2)
    answers, p = [], []
    for study in range(200):
        found = null.told_of(rng.multinomial(100, np.ones(ITEMS) / ITEMS, 12), seed=study)
        answers.append(found.answer)
        p.append(found.excess.p)
    # 2.5 % in expectation; three standard errors of 200 studies are 3.3 points.
    assert answers.count("grown") / 200 <= 0.025 + 0.033
    assert np.mean(np.array(p, float) <= 0.05) <= 0.05 + 0.046
    many = facet.told_of(rng.multinomial(2000, np.ones(ITEMS) / ITEMS, 30))
    assert many.answer == "not grown"


def test_good_items_are_no_herding_once_the_null_knows_them() -> None:
    rng = np.random.default_rng(3)
    share = rng.dirichlet(np.ones(ITEMS))
    hidden = traced(rng.multinomial(300, share, 20))
    shown = traced(rng.multinomial(300, share, 12))
    quick = QUICK[0]
    assert quick.against_independent(shown).answer == "grown"
    told = quick.against_independent(shown, shares=pooled_shares(hidden))
    assert told.answer == "not grown"
    assert "from the given shares" in told.sentence()


@pytest.mark.parametrize("facet", QUICK, ids=lambda facet: facet.measure.name)
def test_against_a_baseline_by_replicate(facet: Phenomenon) -> None:
    rng = np.random.default_rng(4)
    trace = traced(polya(rng, 12, 300), first=1)
    traced(rng.multinomial(300, np.ones(ITEMS) / ITEMS, 12), first=101, trace=trace)
    traced(rng.multinomial(300, np.ones(ITEMS) / ITEMS, 12), first=201, trace=trace)
    urn, plain, again = (range(first, first + 12) for first in (1, 101, 201))
    found = facet.against_baseline(trace, urn, plain)
    assert found.answer == "grown"
    assert found.excess.n == 12
    apart = facet.against_baseline(trace, again, plain)
    assert apart.answer != "grown"
    assert apart.excess.low < 0 < apart.excess.high


def test_pairs_are_matched_by_replicate_not_by_place() -> None:
    rng = np.random.default_rng(5)
    final = rng.multinomial(300, rng.dirichlet(np.ones(ITEMS)), 8)
    trace = traced(final, first=1)
    traced(final, first=101, trace=trace)
    for facet in QUICK:
        found = facet.against_baseline(trace, [3, 1, 2, 7], range(101, 109))
        assert found.excess.value == pytest.approx(0, abs=1e-12)
        assert found.excess.n == 4


def test_one_run_cannot_tell_but_has_a_p() -> None:
    found = QUICK[0].against_independent(traced(polya(np.random.default_rng(6), 1, 300)))
    assert found.answer == "undecided"
    assert "cannot tell (1 run)" in found.sentence()
    assert found.excess.p is not None
    assert found.excess.p < 0.05


def test_an_undecided_finding_says_how_many_runs_would_decide() -> None:
    rng = np.random.default_rng(7)
    final = [rng.multinomial(300, rng.dirichlet(np.full(ITEMS, a))) for a in (4, 60, 25, 400)]
    found = QUICK[0].against_independent(traced(np.array(final)))
    assert found.answer == "undecided"
    assert found.needed > 4
    assert f"{about(found.needed, 'runs').capitalize()} would decide." in found.sentence()


def test_the_criterion() -> None:
    above = Criterion(0.05)
    assert above.judge(Estimate(0.2, 0.06, 0.3, 9)) == "grown"
    assert above.judge(Estimate(0.2, 0.04, 0.3, 9)) == "undecided"
    assert above.judge(Estimate(0.02, 0.01, 0.04, 9)) == "not grown"
    assert above.judge(Estimate(0.2, nan, nan, 1)) == "undecided"
    with pytest.raises(SpecificationError, match="margin -1"):
        Criterion(-1)


def test_what_makes_no_sense_is_refused() -> None:
    trace = traced(np.ones((3, ITEMS)))
    place = replace(HERDING, measure=MEASURES["mean position"])
    with pytest.raises(SpecificationError, match="compare with a baseline"):
        place.against_independent(trace)
    with pytest.raises(SpecificationError, match="shares of 3 items for a world of 20"):
        HERDING.against_independent(trace, shares=[1, 1, 1])
    with pytest.raises(TraceError, match="left no tallies"):
        HERDING.against_independent(trace, [99])


def test_runs_without_a_choice_do_not_count() -> None:
    final = polya(np.random.default_rng(8), 8, 300)
    final[2] = 0
    found = QUICK[0].against_independent(traced(final))
    assert found.observed.n == found.excess.n == 7
    assert np.isfinite(found.expected.value)


def test_the_taxonomy_is_a_table_of_different_risks() -> None:
    names = [risk.name for risk in RISKS]
    assert len(set(names)) == len(names)
    assert {risk.level for risk in RISKS} == {"micro", "meso", "macro"}
    measurable = {risk.name for risk in RISKS if risk.measurable}
    assert measurable >= {"herding", "position capture", "information cascade"}
