"""Rivals are told apart by runs they were not fitted to, where the design lets them be told apart."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism import (
    FallOff,
    Gate,
    ItemEffects,
    Logit,
    Mechanism,
    PlaceEffects,
    Signal,
    compare,
    fit,
    nested,
)
from tests.mechanism.made import feed_data, numbers

THRESHOLD = Logit(terms=(FallOff(rate=0.3), Signal(form="any", strength=1.5)))
SIZE = Logit(terms=(FallOff(rate=0.3), Signal(form="log", strength=1.5)))
BLIND = Logit(terms=(FallOff(),))
RIVALS: dict[str, Mechanism] = {"threshold": THRESHOLD, "size": SIZE, "blind": BLIND}
SEEDED: Any = {"fields": {"likes": {"kind": "seeded"}}}


@pytest.mark.parametrize("to", ["choices", "distributions"])
def test_the_true_mechanism_comes_first(to: Any) -> None:
    found = compare(RIVALS, feed_data(THRESHOLD, visibility=SEEDED), to=to)
    assert found.ranking[0] == found.winner == "threshold"
    assert found.difference("threshold", "size").low > 0
    table = found.table()
    assert list(table.index) == ["exact knowledge", *found.ranking, "uniform"]
    middle = table["score"].to_numpy()[1:]
    assert (np.diff(middle) < 0).all() and table["score"].iloc[0] > middle[1]
    assert "threshold predicts best" in str(found)


@pytest.mark.slow
@pytest.mark.parametrize("true", ["threshold", "size", "blind"])
def test_the_true_mechanism_comes_first_almost_always(true: str) -> None:
    """On the feed of 48 items, likes growing: 12 runs of 40 choices, by the picks alone."""
    first = 0
    for number in range(60):
        runs = range(number * 12, (number + 1) * 12)
        data = feed_data(RIVALS[true], items=48, replicates=runs)
        found = compare(RIVALS, data, to="choices")
        # The blind one lies within the others, which predict as well when it is true.
        first += (found.simplest if true == "blind" else found.ranking[0]) == true
    assert first >= 57


def test_the_ends_of_the_scale() -> None:
    data = feed_data(THRESHOLD, visibility=SEEDED)
    found = compare({"truth": THRESHOLD}, data)
    np.testing.assert_allclose(found.uniform, -np.log(12))
    np.testing.assert_allclose(found.scores["truth"], found.best, atol=1e-6)
    assert found.share("truth") == pytest.approx(1.0, abs=1e-6)
    unknown = compare({"truth": THRESHOLD}, replace(data, probability=None))
    assert np.isnan(unknown.share("truth")) and np.isnan(unknown.best).all()


def test_rivals_that_are_equal_on_the_design_cannot_be_told_apart() -> None:
    """Where likes are shown as yes or no, any and size say the same."""
    data = feed_data(THRESHOLD, visibility={"fields": {"likes": {"kind": "binary"}}})
    found = compare({"threshold": THRESHOLD, "size": SIZE}, data)
    assert found.winner is found.simplest is None
    assert set(found.as_good) == {"threshold", "size"} and "cannot tell" in str(found)


def test_what_cannot_be_loses() -> None:
    found = compare({"gate": Logit(terms=(Gate(width=2),)), "blind": BLIND}, numbers(200, 5))
    assert found.winner == "blind" and found.scores["gate"].min() == -np.inf
    assert found.difference("gate", "blind").value == -np.inf
    assert "-inf" in str(found.table()["score"]["gate"])


def test_more_parameters_do_not_win_by_number() -> None:
    """In sample the larger mechanism cannot lose; out of sample it pays for what it made up."""
    data, terms = numbers(300, 12, seed=4), (PlaceEffects(), ItemEffects())
    found = compare({"small": Logit(), "large": Logit(terms=terms)}, data)
    assert found.ranking[0] == found.simplest == "small"
    assert fit(Logit(terms=terms), data).log_likelihood > fit(Logit(), data).log_likelihood


def test_between_nested_mechanisms_parameters_decide() -> None:
    data = feed_data(BLIND, visibility=SEEDED)
    found = compare(RIVALS, data, to="choices")
    assert found.simplest == "blind" and found.winner is None
    assert "blind is the simplest of these" in str(found)


def test_each_run_is_scored_by_a_fit_to_others() -> None:
    data = numbers(120, 4, runs=3)
    found = compare({"places": Logit(terms=(PlaceEffects(),))}, data, folds=3)
    for at, run in enumerate(found.runs):
        counts = np.bincount(data.where(data.run != run).choice, minlength=4)
        held = data.where(data.run == run).choice
        expected = np.log(counts / counts.sum())[held].mean()
        assert found.scores["places"][at] == pytest.approx(expected, abs=1e-6)


def test_a_nested_test_rejects_as_often_as_it_says() -> None:
    """Uniform choices: p values of a mechanism that adds three needless parameters are uniform."""
    mechanism = Logit(terms=(Signal(), Signal(form="log"), FallOff(rate=0.0)))
    p = np.array(
        [
            nested(fit(mechanism, numbers(300, 5, 12, seed=s)), mechanism.names("one")).p
            for s in range(200)
        ]
    )
    assert 0.02 <= (p < 0.05).mean() <= 0.09 and 0.4 < p.mean() < 0.6


def test_a_nested_test_finds_what_is_there() -> None:
    found = fit(
        SIZE.altered(terms=(*SIZE.terms, Signal())),
        feed_data(THRESHOLD, visibility=SEEDED),
        to="choices",
    )
    assert nested(found, ["likes, any"]).p < 1e-4 < nested(found, ["likes, log"]).p
    assert "likes, any" in str(nested(found, ["likes, any"]))


def test_what_cannot_be_tested() -> None:
    found = fit(Logit(terms=(PlaceEffects(),)), numbers(100, 5, runs=4))
    assert np.isnan(nested(found, found.names).p) and "cannot tell" in str(
        nested(found, found.names)
    )
    with pytest.raises(SpecificationError, match="no parameter"):
        nested(found, ["places"])
    with pytest.raises(SpecificationError, match="name the parameters"):
        nested(found, [])
    with pytest.raises(SpecificationError, match="2 runs"):
        compare({"blind": BLIND}, numbers(50, 4, runs=1))
    with pytest.raises(SpecificationError, match="was compared"):
        compare({"blind": BLIND}, numbers(50, 4)).score("blinded")
