"""A mechanism is a value, can be read, and takes the place of the agents."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import PositionOnly, Quality, Rule, SocialProof, TwoStage
from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism import (
    ConsiderThenChoose,
    ContentEffect,
    FallOff,
    Gate,
    HeardEffect,
    ItemEffects,
    LabelEffects,
    Logit,
    Mechanism,
    PlaceEffects,
    Signal,
)
from cloudchamber.mechanism.likelihood import row_log_likelihoods
from cloudchamber.microspec import Microspec
from cloudchamber.testing import laws
from cloudchamber.testing.checks import check_value
from cloudchamber.worlds import Feed
from tests.mechanism.made import feed_data, feed_spec

GOOD = Feed.of(6, quality=(0.0, 1.0, 2.0, -1.0, 0.5, 0.2))
SAME: list[tuple[Rule, Mechanism]] = [
    (PositionOnly(width=4.0), Logit(terms=(FallOff(rate=0.25),))),
    (PositionOnly(gate="hard", width=3.0), Logit(terms=(Gate(width=3),))),
    (SocialProof(proof="any", strength=1.5), Logit(terms=(Signal(strength=1.5),))),
    (
        SocialProof(proof="threshold", strength=1.5, threshold=2.0),
        Logit(terms=(Signal(form="threshold", strength=1.5, threshold=2.0),)),
    ),
    # A weight of 1 + likes: Polya's urn.
    (SocialProof(proof="linear", strength=1.0), Logit(terms=(Signal(form="log", strength=1.0),))),
    (Quality(strength=0.7), Logit(terms=(ContentEffect(strength=0.7),))),
    (
        TwoStage(proof="log", strength=0.5, taste=0.8),
        ConsiderThenChoose(
            terms=(Signal(form="log", strength=0.5), ContentEffect(strength=0.8)), appeal=-1.0
        ),
    ),
    (
        TwoStage(gate="exponential", width=4.0, taste=0.0),
        ConsiderThenChoose(
            considered=FallOff(rate=0.25), terms=(Signal(strength=1.5),), appeal=-1.0
        ),
    ),
]


@pytest.mark.parametrize(("rule", "mechanism"), SAME, ids=lambda one: str(one.kind))
def test_a_mechanism_that_is_the_rule_picks_what_the_rule_picks(
    rule: Rule, mechanism: Mechanism
) -> None:
    spec = feed_spec(rule, world=GOOD, agents=8)
    laws.swappable(spec, spec.replace("population.groups.0.decides", mechanism))


@pytest.mark.parametrize("form", [{"choose": "any"}, {"presentation": "one at a time"}])
def test_also_where_each_is_judged_alone(form: Any) -> None:
    rule, mechanism = SAME[-2]
    spec = feed_spec(rule, world=GOOD, agents=8, affordances=form)
    laws.swappable(spec, spec.replace("population.groups.0.decides", mechanism))


EVERYTHING = Logit(
    terms=(
        ItemEffects(effects=(0.0, 0.5, -1.0), reference=0),
        ContentEffect(),
        PlaceEffects(effects=(-0.5, -1.0)),
        Signal(form="saturating"),
        HeardEffect(),
        HeardEffect(channel="others", form="recent"),
        LabelEffects(labels=(10, 12), effects=(0.0, 0.3)),
    ),
    decline=-1.0,
)


@pytest.mark.parametrize(
    "mechanism", [EVERYTHING, ConsiderThenChoose(considered=FallOff()), *(m for _, m in SAME)]
)
def test_it_is_a_value_with_named_parameters(mechanism: Mechanism) -> None:
    check_value(mechanism)
    for asked in ("one", "any"):
        names, values = mechanism.names(asked), mechanism.values(asked)
        assert len(names) == len(values) == len(set(names))
        assert mechanism.with_values(values, asked) == mechanism
        other = mechanism.with_values(values + 0.25, asked)
        np.testing.assert_allclose(other.values(asked), values + 0.25)
    assert mechanism.equation() in mechanism.aloud()


def test_a_specification_that_holds_one_survives_json() -> None:
    spec = feed_spec(EVERYTHING)
    assert Microspec.from_json(spec.to_json()) == spec
    assert "0.5·" not in spec.aloud() and "conditional logit" in spec.aloud()


def test_it_is_printed_as_an_equation() -> None:
    assert Logit(terms=(FallOff(rate=0.3), Signal(strength=1.5))).equation() == (
        "P(i) ∝ exp(-0.3·(place(i) - 1) + 1.5·1[likes(i) > 0])"
    )
    two = ConsiderThenChoose(terms=(Signal(form="log", strength=-0.5),), appeal=-1.0, decline=2.0)
    assert two.equation() == (
        "P(i) ∝ exp(-∞·1[place(i) > 5])·sigmoid(-1 - 0.5·log(1 + likes(i))), P(none) ∝ exp(2)"
    )


def test_the_same_parameter_twice_is_refused() -> None:
    with pytest.raises(SpecificationError, match="same parameter likes, any"):
        Logit(terms=(Signal(), Signal(strength=2.0)))
    Logit(terms=(Signal(), Signal(form="log")))


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"memory": "summary"},
        {"communication": {"kind": "complete", "representation": "acts", "last": 4}},
        {"affordances": {"may_decline": True}},
        {"affordances": {"choose": "up to", "most": 2, "picks": "one by one"}},
    ],
    ids=str,
)
def test_what_it_did_in_the_engine_is_what_its_likelihood_says(parts: Any) -> None:
    """The probabilities on the trace are those that the data, read back, give under the mechanism."""
    mechanism = Logit(
        terms=(
            FallOff(rate=0.2),
            Signal(form="rank"),
            HeardEffect(form="recent"),
            HeardEffect(channel="others", form="count"),
            ItemEffects(effects=(0.0, 1.0, -1.0)),
        ),
        decline=-0.5 if "may_decline" in str(parts) else None,
    )
    data = feed_data(mechanism, agents=6, replicates=range(2), **parts)
    said = row_log_likelihoods(mechanism, data, "choices")
    assert data.probability is not None
    row = np.arange(len(data))
    none = 1 - data.probability.astype(float).sum(axis=1)
    did = np.where(data.choice < 0, none, data.probability[row, data.choice])
    np.testing.assert_allclose(np.exp(said), did, rtol=2e-5, atol=1e-6)


def test_labels_are_dealt_to_a_mechanism_that_reads_them() -> None:
    mechanism = Logit(terms=(LabelEffects(labels=(10, 11, 12), effects=(0.0, 5.0, 5.0)),))
    data = feed_data(mechanism, agents=6)
    assert data.labels is not None
    liked = np.isin(data.labels, (11, 12))
    assert liked[np.arange(len(data)), data.choice].mean() > 3 * liked.mean()
