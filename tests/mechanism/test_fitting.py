"""Fits against closed forms and an independent implementation; what cannot be told is said to be so."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import stdtrit

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism import (
    By,
    ChoiceData,
    ConsiderThenChoose,
    ContentEffect,
    FallOff,
    Gate,
    HeardEffect,
    ItemEffects,
    Logit,
    Mechanism,
    MemoryTable,
    PlaceEffects,
    Signal,
    fit,
    nested,
)
from cloudchamber.mechanism.likelihood import evaluate
from cloudchamber.mechanism.shown import Recalled
from tests.mechanism.made import feed_data, numbers


def test_place_effects_are_the_logs_of_how_often_each_is_picked() -> None:
    """Closed form: with a parameter for each place the fitted shares are the shares."""
    data = numbers(500, 4)
    counts = np.bincount(data.choice, minlength=4)
    found = fit(Logit(terms=(PlaceEffects(),)), data)
    np.testing.assert_allclose(found.values, np.log(counts[1:] / counts[0]), atol=1e-9)
    expected = (counts * np.log(counts / counts.sum())).sum()
    assert found.log_likelihood == pytest.approx(expected, abs=1e-8)


def test_one_yes_or_no_is_the_log_odds() -> None:
    data = numbers(400, 1, asked="any")
    assert data.taken is not None
    liked = (data.signals["likes"] > 0)[:, 0]
    yes = data.taken[:, 0]
    rates = [yes[liked == flag].mean() for flag in (False, True)]
    below, above = (np.log(rate / (1 - rate)) for rate in rates)
    found = fit(Logit(terms=(Signal(),)), data)
    np.testing.assert_allclose(found.values, [above - below, below], atol=1e-7)


def test_errors_by_hand() -> None:
    """The sandwich of one parameter: the squared scores of runs over the squared information."""
    data = numbers(300, 3, runs=10)
    found = fit(Logit(terms=(Signal(),)), data)
    at = evaluate(found.mechanism, data)
    each = [evaluate(found.mechanism, data.among(run)).information[0, 0] for run in data.runs]
    informing = np.sum(each) ** 2 / np.sum(np.square(each))
    assert found.informing[0] == pytest.approx(informing) and 9.5 < informing < 10
    variance = (at.by_run**2).sum() / at.information[0, 0] ** 2 * informing / (informing - 1)
    assert found.errors[0] == pytest.approx(np.sqrt(variance), rel=1e-6)
    estimate = found.estimate("likes, any")
    t = stdtrit(informing - 1, 0.975)
    assert estimate.high - estimate.value == pytest.approx(t * found.errors[0], rel=1e-6)


def cells() -> ChoiceData:
    """Four runs in one cell, then six in another; two groups in each."""
    data = numbers(500, 5, runs=10)
    rng = np.random.default_rng(1)
    group = rng.integers(0, 2, 500).astype(np.int16)
    return replace(data, group=group).within(cell=np.where(data.run <= 4, "a", "b"))


def test_what_differs_by_cell_is_fitted_as_in_each_cell_alone() -> None:
    """Values, errors and degrees of freedom: runs of the other cell say nothing."""
    terms, data = (FallOff(), Signal(form="log")), cells()
    whole = fit(Logit(terms=tuple(By(term=term, by="cell") for term in terms)), data)
    assert whole.names[:2] == ("fall-off [cell a]", "fall-off [cell b]")
    for cell in ("a", "b"):
        alone = fit(Logit(terms=terms), data.where(data.context["cell"] == cell))
        for name in alone.names:
            one, other = whole.estimate(f"{name} [cell {cell}]"), alone.estimate(name)
            np.testing.assert_allclose(
                [one.value, one.low, one.high], [other.value, other.low, other.high], atol=1e-6
            )
        there = whole.mechanism.at(cell=cell)
        np.testing.assert_allclose(there.values("one"), alone.values, atol=1e-6)


def test_a_difference_between_groups_is_a_parameter() -> None:
    data = cells()
    both = fit(Logit(terms=(By(term=Signal()),)), data)
    apart = fit(Logit(terms=(Signal(), By(term=Signal(), besides=0))), data)
    assert apart.names == ("likes, any", "likes, any [group 1]")
    assert apart.values[1] == pytest.approx(both.values[1] - both.values[0], abs=1e-6)
    assert apart.log_likelihood == pytest.approx(both.log_likelihood, abs=1e-8)
    assert 0 < nested(apart, ["likes, any [group 1]"]).p < 1


def test_what_only_one_run_tells_has_no_interval() -> None:
    data = cells().within(cell=np.where(cells().run <= 1, "a", "b"))
    found = fit(Logit(terms=(By(term=Signal(), by="cell"),)), data)
    assert np.isfinite(found.values).all()
    assert not found.estimate("likes, any [cell a]").known
    assert found.estimate("likes, any [cell b]").known


@pytest.mark.parametrize("smoothing", [0.0, 3.0])
def test_a_table_alone_is_shares_with_what_smoothing_adds(smoothing: float) -> None:
    """Closed form: (picks of the option + half the smoothing) / (choices + smoothing) after each key."""
    rng, n = np.random.default_rng(2), 600
    past = rng.integers(0, 2, (n, 3))
    past[rng.random((n, 3)) < 0.2] = -1
    past = np.sort(past, axis=1)[:, ::-1]
    told = Recalled(past, (past >= 0).astype(np.float32))
    data = replace(numbers(n, 2), recalled={"own": told})
    table = MemoryTable(reads=("length", "own"), of=1, smoothing=smoothing)
    found = fit(Logit(terms=(table,)), data)
    fitted: Any = found.mechanism.terms[0]
    picked = data.item[np.arange(n), data.choice] == 1
    length, own = (past >= 0).sum(axis=1), (past == 1).sum(axis=1)
    assert len(fitted.keys) == 10
    for key, odds in zip(fitted.keys, fitted.effects, strict=True):
        rows = (length == key[0]) & (own == key[1])
        share = (picked[rows].sum() + smoothing / 2) / (rows.sum() + smoothing)
        assert 1 / (1 + np.exp(-odds)) == pytest.approx(share, abs=1e-5)


ELSEWHERE = "not among what the check installs; what it found is held by test_as_others_found"


def three(data: ChoiceData) -> ChoiceData:
    """With something that belongs to item 3 alone."""
    return replace(data, content={"three": np.arange(5) == 3})


@pytest.mark.parametrize(
    ("mechanism", "data", "values", "log_likelihood"),
    [
        pytest.param(
            Logit(terms=(FallOff(), Signal(), ItemEffects())),
            numbers(400, 6, seed=3),
            (-0.03579684, -0.06516063, -0.23289987, -0.28052847, -0.21583431, -0.26354366, -0.00239757),
            -712.92380561,
            id="one, statsmodels 0.15.0",
        ),
        pytest.param(
            Logit(terms=(FallOff(), Signal(form="log"), ContentEffect(field="three"))),
            three(numbers(600, 5, runs=600, seed=8)),
            (-0.03842162, -0.12091173, -0.00836916),
            -963.6859316,
            id="one, xlogit 0.2.7",
        ),
        pytest.param(
            Logit(terms=(FallOff(), Signal(form="log"))),
            numbers(300, 5, seed=6, asked="any"),
            (-0.02027048, 0.08526352, -0.86177059),
            -944.27803511,
            id="any number, statsmodels 0.15.0",
        ),
    ],
)  # fmt: skip
def test_as_others_found(
    mechanism: Mechanism, data: ChoiceData, values: tuple[float, ...], log_likelihood: float
) -> None:
    """What independent implementations found of these very data, to 1e-6."""
    found = fit(mechanism, data)
    np.testing.assert_allclose(found.values, values, atol=1e-6)
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=1e-6)


def test_against_statsmodels() -> None:
    """An independent implementation of the conditional logit, to 1e-6."""
    models = pytest.importorskip("statsmodels.discrete.conditional_models", reason=ELSEWHERE)
    data = numbers(400, 6, seed=3)
    item, likes = data.item, data.signals["likes"].astype(np.float64)
    place = np.broadcast_to(np.arange(6), item.shape)
    design = np.stack([-place, likes > 0, *(item == one for one in range(1, 6))], axis=-1)
    picked = (np.arange(6) == data.choice[:, None]).astype(np.float64)
    groups = np.repeat(np.arange(400), 6)
    other = models.ConditionalLogit(
        picked.ravel(), design.reshape(-1, 7).astype(np.float64), groups=groups
    ).fit(method="newton", tol=1e-12, disp=False)
    found = fit(Logit(terms=(FallOff(), Signal(), ItemEffects())), data)
    np.testing.assert_allclose(found.values, other.params, atol=1e-6)
    assert found.log_likelihood == pytest.approx(other.llf, abs=1e-6)
    at = evaluate(found.mechanism, data)
    np.testing.assert_allclose(np.linalg.inv(at.information), other.cov_params(), atol=1e-6)


def test_against_xlogit() -> None:
    """Another one, with robust errors of its own kind: those of rows alone, for each is a run of its own."""
    xlogit = pytest.importorskip("xlogit", reason=ELSEWHERE)
    data = numbers(600, 5, runs=600, seed=8)
    place = np.broadcast_to(-np.arange(5), data.item.shape)
    columns = [place, np.log1p(data.signals["likes"]), data.item == 3]
    design = np.stack([column.reshape(-1) for column in columns], axis=1).astype(float)
    model = xlogit.MultinomialLogit()
    model.fit(
        design, (np.arange(5) == data.choice[:, None]).reshape(-1), ["a", "b", "c"],
        np.tile(np.arange(5), 600), np.repeat(np.arange(600), 5), robust=True, num_hess=True,
        verbose=0, tol_opts={"ftol": 1e-14, "gtol": 1e-9},
    )  # fmt: skip
    terms = (FallOff(), Signal(form="log"), ContentEffect(field="three"))
    found = fit(Logit(terms=terms), three(data))
    np.testing.assert_allclose(found.values, model.coeff_, atol=1e-6)
    assert found.log_likelihood == pytest.approx(model.loglikelihood, abs=1e-6)
    np.testing.assert_allclose(found.errors, model.stderr, rtol=2e-3)


def test_any_number_against_statsmodels() -> None:
    """Where each option is taken on its own, a logit of yes and no."""
    models = pytest.importorskip("statsmodels.discrete.discrete_model", reason=ELSEWHERE)
    data = numbers(300, 5, seed=6, asked="any")
    assert data.taken is not None
    likes = data.signals["likes"].astype(np.float64).ravel()
    place = np.broadcast_to(np.arange(5), data.item.shape).ravel()
    design = np.stack([-place, np.log1p(likes), np.ones(1500)], axis=1)
    other = models.Logit(data.taken.ravel().astype(float), design).fit(tol=1e-12, disp=False)
    found = fit(Logit(terms=(FallOff(), Signal(form="log"))), data)
    np.testing.assert_allclose(found.values, other.params, atol=1e-6)
    assert found.log_likelihood == pytest.approx(other.llf, abs=1e-6)


def test_exact_distributions_of_the_mechanism_give_it_back() -> None:
    """The cross-entropy is least at the truth, which is found to what 4-byte probabilities allow."""
    true = Logit(terms=(FallOff(rate=0.3), Signal(strength=1.5)), decline=0.5)
    data = feed_data(true, affordances={"may_decline": True})
    found = fit(Logit(terms=(FallOff(), Signal()), decline=0.0), data)
    np.testing.assert_allclose(found.values, [0.3, 1.5, 0.5], atol=1e-5)
    assert (found.errors < 1e-5).all()


def test_two_stages_and_picks_one_by_one() -> None:
    true = ConsiderThenChoose(
        considered=FallOff(rate=0.2), terms=(Signal(form="log", strength=1.0),), appeal=-2.0
    )
    for affordances in (
        {"choose": "up to", "most": 2, "picks": "one by one"},
        {"choose": "any"},
        {"choose": "one"},
    ):
        data = feed_data(
            true, "any" if affordances["choose"] == "any" else None, affordances=affordances
        )
        start = true.altered(
            considered=FallOff(rate=0.0), terms=(Signal(form="log", strength=0.0),)
        )
        found = fit(start, data)
        np.testing.assert_allclose(found.values, [0.2, 1.0, -2.0], atol=2e-4)


def test_a_part_first_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    mechanism = Logit(terms=(FallOff(), ItemEffects(), Signal(form="linear")))
    data = numbers(600, 5)
    whole = fit(mechanism, data)
    monkeypatch.setattr("cloudchamber.mechanism.fitting.MANY", 100)
    np.testing.assert_allclose(fit(mechanism, data).values, whole.values, atol=1e-9)


def test_terms_that_move_together_are_named_and_have_no_number() -> None:
    data = numbers(300, 4)
    likes = data.signals["likes"]
    data = replace(data, signals={"likes": likes, "votes": 3 * likes})
    terms = (FallOff(), Signal(form="linear"), Signal(field="votes", form="linear"))
    found = fit(Logit(terms=terms), data)
    assert len(found.flat) == 1
    assert "cannot tell apart likes, linear, votes, linear" in found.flat[0]
    assert np.isnan(found.values).tolist() == [False, True, True]
    assert str(found.estimate("votes, linear")) == "cannot tell (8 runs)"
    alone = fit(Logit(terms=terms[:2]), data)
    assert found.values[0] == pytest.approx(alone.values[0], abs=1e-8)
    assert found.errors[0] == pytest.approx(alone.errors[0], rel=1e-6)


@pytest.mark.parametrize(
    ("mechanism", "unknown"),
    [
        (Logit(terms=(FallOff(), Signal(field="votes"))), "votes, any"),  # never shown
        (Logit(terms=(FallOff(), HeardEffect())), "own, count"),  # nothing was remembered
        (ConsiderThenChoose(considered=FallOff()), "appeal"),  # a factor that all options share
    ],
)
def test_what_the_data_do_not_hold_cannot_be_told(mechanism: Mechanism, unknown: str) -> None:
    found = fit(mechanism, numbers(200, 4))
    assert np.isnan(found.values[found.names.index(unknown)])
    assert not np.isnan(found.values[0]) and unknown in found.flat[0]


def test_an_effect_without_end_has_no_number() -> None:
    """Place 3 is never picked: the likelihood rises for ever as its effect falls."""
    data = numbers(400, 4)
    data = data.where(data.choice != 2)
    found = fit(Logit(terms=(PlaceEffects(),)), data)
    counts = np.bincount(data.choice, minlength=4)
    assert np.isnan(found.values).tolist() == [False, True, False]
    assert found.values[2] == pytest.approx(np.log(counts[3] / counts[0]), abs=1e-4)
    assert "place 3" in found.flat[0] and found.converged


def test_a_gate_that_forbids_what_happened_is_impossible() -> None:
    data = numbers(100, 4)
    found = fit(Logit(terms=(Gate(width=2), Signal())), data)
    assert found.log_likelihood == -np.inf and found.impossible == (data.choice >= 2).sum()
    assert f"{found.impossible} of 100 decisions are impossible" in str(found)


def test_one_run_gives_numbers_without_intervals() -> None:
    found = fit(Logit(terms=(Signal(),)), numbers(100, 4, runs=1))
    assert not np.isnan(found.values[0]) and not found.estimate("likes, any").known
    with pytest.raises(SpecificationError, match="allowed: likes, any"):
        found.estimate("likes")
    with pytest.raises(SpecificationError, match="no choices"):
        fit(Logit(), numbers(100, 4).where(np.zeros(100, bool)))


def test_the_table_and_the_words() -> None:
    found = fit(Logit(terms=(FallOff(), Signal())), numbers(100, 4))
    table = found.table()
    assert list(table.index) == ["fall-off", "likes, any"]
    assert (table["low"] < table["value"]).all() and (table["value"] < table["high"]).all()
    assert str(found).startswith("P(i) ∝ exp(") and "100 decisions" in str(found)
