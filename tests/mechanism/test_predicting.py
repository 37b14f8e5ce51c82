"""Choices drawn anew: the true mechanism predicts what was not fitted, a false one does not."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import SocialProof, TwoStage
from cloudchamber.errors import SpecificationError
from cloudchamber.measures.attention import mean_position
from cloudchamber.mechanism import FallOff, Logit, Signal, choices_of, fit, predict
from cloudchamber.mechanism.redrawing import Record, probabilities
from cloudchamber.microspec import Decider
from cloudchamber.trace import Trace
from tests.mechanism.made import feed_trace, numbers

TRUE = Logit(terms=(FallOff(rate=0.3), Signal(strength=1.5)))
BLIND = Logit(terms=(FallOff(rate=0.3),))


@pytest.fixture(scope="module")
def trace() -> Trace:
    return feed_trace(TRUE, range(20))


def test_the_true_mechanism_predicts_what_was_not_fitted(trace: Trace) -> None:
    found = fit(TRUE, choices_of(trace), to="choices")
    told = predict(found, trace, draws=399)
    assert set(told.observed) == {
        "mean position", "first place share", "share on liked, places 1-5",
        "share on liked, places 6 on", "leader's pick rate",
    }  # fmt: skip
    assert told.missed == ()
    for name in told.observed:
        one = told.overall(name)
        assert one.low < one.observed < one.high and one.p > 0.05, one
        assert np.mean([run.low <= run.observed <= run.high for run in told.by_run(name)]) > 0.75
    table = told.table()
    assert len(table) == 5 * 21 and table["run"].isna().sum() == 5


def test_one_that_heeds_no_likes_is_found_out(trace: Trace) -> None:
    told = predict(fit(BLIND, choices_of(trace), to="choices"), trace)
    assert {"share on liked, places 1-5", "leader's pick rate"} <= set(told.missed)
    assert "mean position" not in told.missed  # it was fitted to that
    one = told.overall("share on liked, places 1-5")
    assert one.observed > one.high and one.p == pytest.approx(2 / 400)
    assert "share on liked, places 1-5: observed" in str(told)


def test_exact_distributions_show_every_flaw(trace: Trace) -> None:
    """Between probabilities there is no noise: only what the fit leaves open."""
    near = Logit(terms=(FallOff(rate=0.3), Signal(form="log")))
    found = fit(near, choices_of(trace))
    names = ["mean position", "leader's pick rate"]
    told = predict(found, trace, names, draws=99, to="distributions")
    rough = predict(found, trace, names, draws=99)
    for name in told.observed:
        one, other = told.overall(name), rough.overall(name)
        assert one.high - one.low < other.high - other.low
    assert "leader's pick rate" in told.missed
    same = predict(TRUE, trace, ["mean position"], draws=19, to="distributions")
    assert same.predicted["mean position"] == pytest.approx(
        np.tile(same.observed["mean position"], (19, 1)), abs=1e-5
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"affordances": {"presentation": "one at a time"}},
        {"affordances": {"choose": "any"}},
        {"affordances": {"may_decline": True}},
        {"affordances": {"choose": "up to", "most": 2}},
        {"affordances": {"choose": "up to", "most": 2, "picks": "one by one"}},
    ],
    ids=str,
)
def test_in_every_form_of_asking(parts: dict[str, dict[str, object]]) -> None:
    able = TRUE.altered(appeal=-2.0, decline=0.5 if "may_decline" in str(parts) else None)
    trace = feed_trace(able, range(12), **parts)
    asked: Any = "several" if "most" in str(parts) else "any" if "'any'" in str(parts) else None
    data = choices_of(trace, asked=asked)
    names = ["mean position", "first place share", "share on liked", "gini"]
    alone = "one at a time" in str(parts)
    told = predict(able, trace, names, asked=asked, draws=199)
    assert data.options == (1 if alone else 12)
    for name in told.observed:
        one = told.overall(name)
        assert one.p > 0.01, (name, one)
    assert {"gini"} <= set(told.left_out) <= {"gini", "mean position"}


def test_redraws_are_traces_of_the_same_exposures(trace: Trace) -> None:
    record = Record.of(trace, choices_of(trace))
    redrawn, runs = record.drawn([TRUE] * 3, exactly=False, seed=1)
    assert runs.shape == (3, 20) and len(redrawn) == 60
    shown, before = redrawn.frame("exposures"), trace.frame("exposures")
    decisions = redrawn.frame("decisions")
    assert (shown.groupby(["run", "decision"])["chosen"].sum() == 1).all()
    for run in (1, 21, 41):
        mine, was = (frame[frame["run"] == n] for frame, n in ((shown, run), (before, 1)))
        kept = ["decision", "position", "item", "signal_likes"]
        np.testing.assert_array_equal(mine[kept].to_numpy(), was[kept].to_numpy())
        picked = mine[mine["chosen"] == 1].sort_values("decision")["item"]
        told = decisions[decisions["run"] == run].sort_values("decision")["choice"]
        np.testing.assert_array_equal(picked, told)
    first, other = (decisions[decisions["run"] == run]["choice"].to_numpy() for run in (1, 21))
    assert (first != other).any()
    later, _ = record.drawn([TRUE], exactly=False, seed=1, first=1)
    again = later.frame("decisions").query("run == 1")["choice"]
    np.testing.assert_array_equal(again, other)


def test_what_is_expected_is_what_the_engine_recorded(trace: Trace) -> None:
    told = Record.of(trace, choices_of(trace)).expected(TRUE)
    np.testing.assert_allclose(mean_position(told), mean_position(trace), atol=1e-5)


def test_what_accumulates_is_left_to_regrowth() -> None:
    """Drawn anew beside likes that others earned, the true mechanism would be found wrong."""
    trace = feed_trace(TwoStage(), range(4))
    told = predict(Logit(terms=(Signal(),)), trace, ["gini", "share on liked"], draws=19)
    assert list(told.observed) == ["share on liked"]
    with pytest.raises(SpecificationError, match="'gini' cannot be told: it accumulates"):
        told.overall("gini")
    hidden = feed_trace(SocialProof(), range(4), visibility={"fields": {"likes": "hidden"}})
    told = predict(Logit(), hidden, ["share on liked", "mean position"], draws=19)
    assert list(told.observed) == ["mean position"]
    assert "no exposure shows the signal" in told.left_out["share on liked"]


def test_what_makes_no_sense_is_refused(trace: Trace) -> None:
    with pytest.raises(SpecificationError, match="at least 19"):
        predict(TRUE, trace, draws=5)
    with pytest.raises(SpecificationError, match=r"measure: 'ginni'.*gini"):
        predict(TRUE, trace, ["ginni"])
    with pytest.raises(SpecificationError, match="no statistic 'entropy' was looked at"):
        predict(TRUE, trace, ["mean position"], draws=19).overall("entropy")


@pytest.mark.parametrize("asked", ["one", "any"])
def test_probabilities_are_those_of_the_engine(asked: str) -> None:
    mechanism: Decider = TRUE.altered(appeal=-1.0)
    can = {"choose": "any"} if asked == "any" else {}
    trace = feed_trace(mechanism, range(3), affordances=can)
    data = choices_of(trace, asked=asked)  # type: ignore[arg-type]
    assert data.probability is not None
    np.testing.assert_allclose(probabilities(mechanism, data), data.probability, atol=1e-6)  # type: ignore[arg-type]
    made = probabilities(TRUE, numbers(50, 4))
    np.testing.assert_allclose(made.sum(axis=1), 1.0)
