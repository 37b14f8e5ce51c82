"""Draws that answer together answer as each does alone."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import TwoStage
from cloudchamber.mechanism import (
    ConsiderThenChoose,
    FallOff,
    Gate,
    HeardEffect,
    ItemEffects,
    Logit,
    Mechanism,
    PlaceEffects,
    Signal,
    decided_by,
    grown_by,
)
from cloudchamber.mechanism.stacking import stacked
from cloudchamber.microspec import Microspec
from tests.mechanism.known import KNOWN
from tests.mechanism.made import feed_spec, moved

FORMS: list[tuple[Mechanism, dict[str, Any]]] = [
    (Logit(terms=(FallOff(), Signal(form="saturating"), HeardEffect())), {"memory": "summary"}),
    (Logit(terms=(PlaceEffects(effects=(-0.5,) * 11), Signal(form="log"))), {}),
    (Logit(terms=(ItemEffects(effects=(0.0, 1.0, -1.0)), Signal())), {}),
    (ConsiderThenChoose(considered=Gate(width=3, beyond=-2.0), terms=(Signal(),), appeal=-1.0), {}),
    (
        ConsiderThenChoose(considered=FallOff(), terms=(Signal(),), appeal=-1.0),
        {"affordances": {"presentation": "one at a time"}},
    ),
    (Logit(terms=(Signal(),), appeal=-1.0), {"affordances": {"choose": "any"}}),
    (Logit(terms=(FallOff(),), decline=0.5), {"affordances": {"may_decline": True}}),
]
TOLD = (("decisions", "choice"), ("outcomes", "value"), ("exposures", "probability"))


@pytest.mark.parametrize(("mechanism", "parts"), FORMS, ids=lambda one: str(one)[:40])
def test_together_as_alone(mechanism: Mechanism, parts: dict[str, Any]) -> None:
    drawn = [
        moved(mechanism, "any" if "appeal" in str(mechanism) else "one", 0.5, seed)
        for seed in range(4)
    ]
    spec = feed_spec(mechanism, agents=6, **parts)
    _same_together(spec, drawn)


def _same_together(spec: Microspec, drawn: list[Mechanism]) -> None:
    together = [{spec.population.groups[0].name: one} for one in drawn]
    (pool,) = grown_by(spec, together, seed=5, replicates=range(3))
    for draw, one in enumerate(drawn):
        (alone,) = grown_by(spec, decided_by(spec, one), seed=5, replicates=range(3))
        for replicate in range(3):
            mine = pool.trace.select([pool.runs()[draw, replicate]])
            other = alone.trace.select([alone.runs()[0, replicate]])
            for table, column in TOLD:
                np.testing.assert_allclose(
                    mine.columns(table)[column], other.columns(table)[column], atol=1e-6
                )


@pytest.mark.parametrize("name", ["reinforcement", "propensities", "fictitious play", "table"])
def test_what_is_remembered_too(name: str) -> None:
    known = KNOWN[name]
    drawn = [moved(known.mechanism, "one", 0.05, seed) for seed in range(4)]
    _same_together(known.spec(), drawn)


def test_what_is_not_one_mechanism_is_left_apart() -> None:
    assert stacked([Logit(), TwoStage()]) is None
    assert stacked([Logit(), ConsiderThenChoose()]) is None
    assert stacked([Logit(terms=(Signal(),)), Logit(terms=(FallOff(),))]) is None
    assert stacked([Logit(), Logit(decline=1.0)]) is None
    assert stacked([Logit(), Logit()]) is not None
