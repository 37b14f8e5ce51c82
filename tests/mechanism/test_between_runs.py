"""Runs that follow rules of their own are told from runs that follow one, and by how far they lie apart."""

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism import (
    ChoiceData,
    FallOff,
    Logit,
    Signal,
    between_runs,
    fit,
    run_by_run,
)
from tests.mechanism.made import numbers

RULE = Logit(terms=(FallOff(), Signal()))


def made(apart: float, *, runs: int = 60, rows: int = 80, seed: int = 0) -> ChoiceData:
    """Choices among six, an effect of any like of 1 on average that differs between runs."""
    rng, data = np.random.default_rng(seed), numbers(runs * rows, 6, runs, seed=seed)
    own = rng.normal(1.0, apart, runs)[data.run - 1]
    u = own[:, None] * (data.signals["likes"] > 0) - 0.3 * np.arange(6)
    choice = (u + rng.gumbel(size=u.shape)).argmax(axis=1).astype(np.int16)
    return ChoiceData(**{**_parts(data), "choice": choice})


def _parts(data: ChoiceData) -> dict[str, object]:
    return {name: getattr(data, name) for name in ChoiceData.__dataclass_fields__}


def test_what_differs_is_named_and_by_how_much() -> None:
    data = made(0.8)
    found = fit(RULE, data)
    assert list(found.differing()) == ["likes, any"]
    assert "runs differ by more than chance in likes, any" in str(found)
    # The standard deviation of 60 draws is known to within a tenth or so, beside what sampling adds.
    assert between_runs(found, data)["likes, any"] == pytest.approx(0.8, abs=0.25)
    assert found.unlike[1] > 2.5 and 0.5 < found.unlike[0] < 1.8


def test_of_few_runs_the_variance_is_that_between_them() -> None:
    """Of five: what forgets that the fit lies among them would be a fifth too small."""
    told, drawn = [], []
    for seed in range(40):
        data = made(0.5, runs=5, rows=300, seed=seed)
        told.append(between_runs(fit(RULE, data), data, ["likes, any"])["likes, any"] ** 2)
        drawn.append(np.random.default_rng(seed).normal(1.0, 0.5, 5).var(ddof=1))
    assert np.mean(told) / np.mean(drawn) == pytest.approx(1.0, abs=0.1)


def test_runs_that_are_alike_are_not_told_to_differ() -> None:
    """Of 40 fits at 99 % together, three false alarms would be very rare."""
    alarms = 0
    for seed in range(40):
        alarms += bool(fit(RULE, made(0.0, runs=12, rows=40, seed=seed)).differing())
    assert alarms <= 2


def test_one_rule_for_each_run() -> None:
    found = fit(RULE, made(0.8, runs=12))
    drawn = run_by_run(found, {"likes, any": 0.8}, 400)
    values = np.array([one.values("one") for one in drawn])
    assert (values[:, 0] == found.values[0]).all()
    assert values[:, 1].mean() == pytest.approx(found.values[1], abs=0.15)
    assert values[:, 1].std() == pytest.approx(0.8, rel=0.12)
    assert drawn[:3] == run_by_run(found, {"likes, any": 0.8}, 3)


def test_what_cannot_be_asked() -> None:
    data = made(0.0, runs=2)
    found = fit(RULE, data)
    with pytest.raises(SpecificationError, match="no parameter 'likes'"):
        between_runs(found, data, ["likes"])
    with pytest.raises(SpecificationError, match="no parameter 'likes'"):
        run_by_run(found, {"likes": 1.0}, 2)
    with pytest.raises(SpecificationError, match="1 run given"):
        between_runs(found, data.among(data.runs[:1]), ["likes, any"])
    assert np.isnan(fit(RULE, data.among(data.runs[:1])).unlike).all()
