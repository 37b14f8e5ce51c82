"""Any like, or more likes? The same mean effect, told apart by choices, and by inequality over time.

After the published finding on herding in a feed (arXiv 2604.15236): a threshold has no rich-get-richer once
every item has a like, so inequality dies out; weights in proportion to likes are a Polya urn, which stays
unequal (Eggenberger & Polya 1923: shares end as a Dirichlet).
"""

from typing import Literal

import numpy as np
import pytest

from cloudchamber.measures import MEASURES, attention
from cloudchamber.measures.concentration import gini
from cloudchamber.mechanism import (
    Logit,
    Mechanism,
    Signal,
    choices_of,
    compare,
    decided_by,
    fit,
    grown_by,
)
from cloudchamber.mechanism.matching import matched_up
from cloudchamber.microspec import Seeded
from cloudchamber.questions import Reals
from cloudchamber.testing import grown
from cloudchamber.trace import Level, Trace
from tests.mechanism.made import feed_spec

ITEMS, STEPS, READERS, RUNS = 12, 25, 20, 30
# The strength at which any like moves a choice by as much as likes of 0, 1, 2, 5 and 10 do in the urn.
ANY = Logit(terms=(Signal(form="any", strength=1.693),))
URN = Logit(terms=(Signal(form="log", strength=1.0),))
DEALT = {"visibility": {"fields": {"likes": Seeded(levels=(0.0, 1.0, 2.0, 5.0, 10.0))}}}


def dealt(mechanism: Mechanism, first: int = 0) -> Trace:
    """Likes dealt at random, so that their effect is an effect of what is shown."""
    spec = feed_spec(mechanism, items=24, agents=20, **DEALT)
    return grown(spec, replicates=range(first, first + 20))


def course(mechanism: Mechanism) -> Reals:
    """(runs, steps): the Gini of likes that accumulate."""
    spec = feed_spec(mechanism, items=ITEMS, agents=READERS)
    spec = spec.replace("turns.steps", STEPS)
    (pool,) = grown_by(
        spec, decided_by(spec, mechanism), seed=1, replicates=range(RUNS), level=Level("summary")
    )
    over_time = MEASURES["gini"].over_time
    assert over_time is not None
    told = over_time(pool.trace).pivot(index="run", columns="step", values="value")
    return np.array(told, np.float64)


@pytest.fixture(scope="module")
def traces() -> dict[str, Trace]:
    return {"any": dealt(ANY), "more": dealt(URN)}


def test_the_mean_effect_is_the_same(traces: dict[str, Trace]) -> None:
    one, other = (np.array(attention.signal_effect(trace), np.float64) for trace in traces.values())
    gap = matched_up(one, other[None], "effect of likes", "dealt", margin=0.002)
    assert gap.answer() == "sufficient"  # within a twentieth of the effect
    assert gap.grown.value == pytest.approx(0.040, abs=0.002)


@pytest.mark.parametrize("truth", ["any", "more"])
def test_choices_tell_them_apart(traces: dict[str, Trace], truth: str) -> None:
    rivals = {"any": ANY, "more": URN}
    compared = compare(rivals, choices_of(traces[truth]), to="choices")
    assert compared.winner == truth


def test_and_so_does_inequality_over_time() -> None:
    threshold, urn = course(ANY), course(URN)
    choices = READERS * STEPS
    # The urn: every composition of the counts is as likely as any other (weights 1 + likes).
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(ITEMS), 4000)
    expected = gini(rng.multinomial(choices, shares)).mean()
    error = urn[:, -1].std(ddof=1) / np.sqrt(RUNS)
    assert abs(urn[:, -1].mean() - expected) < 3.5 * error
    assert expected > (ITEMS - 1) / (2 * ITEMS) - 0.01
    # The threshold: choices at random but for the first, whose inequality dies out as 1 / sqrt(choices).
    late, early = threshold[:, -1].mean(), threshold[:, 4].mean()
    at_random = np.sqrt(ITEMS / (np.pi * choices))
    assert at_random < late < 2.0 * at_random
    assert late < early / 2 and late < 0.35 * urn[:, -1].mean()


@pytest.mark.parametrize(("form", "answer"), [("linear", "not sufficient"), ("log", "sufficient")])
def test_of_what_predicts_the_mean_effect_some_grows_another_world(
    traces: dict[str, Trace], form: Literal["linear", "log"], answer: str
) -> None:
    """Fitted to a threshold where likes are dealt, and regrown where they grow.

    e to the likes locks in. A power of the likes is fitted with an exponent below 1, which equalises as a
    threshold does: by the Gini they cannot be told apart, by choices they can.
    """
    rival = Logit(terms=(Signal(form=form, strength=0.5),))
    data = choices_of(traces["any"])
    assert compare({"any": ANY, "rival": rival}, data).winner == "any"
    found = fit(rival, data)
    spec = feed_spec(ANY, items=ITEMS, agents=READERS).replace("turns.steps", STEPS)
    (pool,) = grown_by(
        spec, decided_by(spec, found, 5), seed=1, replicates=range(12), level=Level("summary")
    )
    values = np.array(MEASURES["gini"](pool.trace), np.float64).reshape(6, 12)
    assert matched_up(_ends(ANY), values, "gini", "organic", margin=0.1).answer() == answer


def _ends(mechanism: Mechanism) -> Reals:
    return course(mechanism)[:12, -1]
