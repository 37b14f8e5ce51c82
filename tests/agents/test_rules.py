"""Rules at the ends of their ranges: distributions stay distributions, and say what they mean."""

import numpy as np
import pytest

from cloudchamber.agents import Always, PositionOnly, Quality, Random, Rule, SocialProof, TwoStage
from cloudchamber.microspec import Affordances, Group, Microspec, Population, Simultaneous
from cloudchamber.testing import grown
from cloudchamber.trace import Trace
from cloudchamber.worlds import Feed

FORMS = {
    "one": Affordances(),
    "one or none": Affordances(may_decline=True),
    "up to": Affordances(choose="up to", most=3, may_decline=True),
    "any": Affordances(choose="any"),
    "singly": Affordances(presentation="one at a time"),
}


def under(rule: Rule, form: str = "one", likes: tuple[float, ...] = ()) -> Trace:
    spec = Microspec(
        world=Feed.of(4, quality=(0.0, 1.0, 2.0, -1.0), likes=likes),
        population=Population(groups=(Group(count=3, decides=rule),)),
        turns=Simultaneous(steps=2),
        affordances=FORMS[form],
    )
    return grown(spec)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "rule",
    [
        SocialProof(base=0.0),
        SocialProof(base=1.0, proof="any", strength=1e4),
        TwoStage(appeal=-1000.0),
        TwoStage(appeal=1000.0),
        TwoStage(gate="exponential", width=1e-3),
        Quality(strength=-1000.0),
        Quality(strength=1000.0),
        PositionOnly(width=1e-3),
    ],
    ids=lambda rule: str(rule)[:60],
)
def test_extremes(rule: Rule, form: str) -> None:
    """Warnings are errors here, so no overflow and no division by zero either."""
    trace = under(rule, form, likes=(0.0, 5.0, 1e9, 1.0))
    chances, entropy = (
        trace.columns("exposures")["probability"],
        trace.columns("decisions")["entropy"],
    )
    assert ((chances >= 0) & (chances <= 1)).all() and (entropy >= 0).all()


def test_who_would_take_nothing_declines() -> None:
    decisions = under(SocialProof(base=0.0), "one or none").columns("decisions")
    assert (decisions["choice"] == -1).all() and (decisions["entropy"] == 0).all()
    assert (under(Random(base=0.0), "any").columns("decisions")["choice"] == -1).all()


def test_much_quality_is_always_chosen() -> None:
    assert (under(Quality(strength=1000.0)).columns("decisions")["choice"] == 2).all()
    assert (under(Quality(strength=-1000.0)).columns("decisions")["choice"] == 3).all()


@pytest.mark.parametrize(
    ("proof", "factors"),
    [
        ("none", [1, 1, 1, 1]),
        ("any", [1, np.e**2, np.e**2, np.e**2]),
        ("threshold", [1, 1, np.e**2, np.e**2]),
        ("linear", [1, 3, 7, 21]),
        ("log", [1, 1 + 2 * np.log(2), 1 + 2 * np.log(4), 1 + 2 * np.log(11)]),
    ],
)
def test_social_proof_by_hand(proof: str, factors: list[float]) -> None:
    rule = SocialProof(proof=proof, strength=2.0, threshold=2.0)  # type: ignore[arg-type]
    shown = under(rule, likes=(0.0, 1.0, 3.0, 10.0)).columns("exposures")
    first = shown["decision"] == 0
    found = shown["probability"][first][np.argsort(shown["item"][first])]
    assert np.allclose(found, np.array(factors) / sum(factors), atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_the_committed_choose_one_item_for_certain(form: str) -> None:
    decisions = under(Always(item=2), form, likes=(9.0, 0.0, 0.0, 0.0)).columns("decisions")
    if form == "singly":
        assert (decisions["choice"] >= 0).sum() == (decisions["choice"] == 2).sum() == 6
    else:
        assert (decisions["choice"] == 2).all() and (decisions["entropy"] < 1e-9).all()


def test_the_committed_do_nothing_where_their_item_is_not_offered() -> None:
    assert (under(Always(item=9)).columns("decisions")["choice"] == -1).all()
