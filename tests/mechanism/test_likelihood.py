"""Scores and informations are the derivatives of the log-likelihood, whatever the mechanism holds."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism import (
    By,
    ConsiderThenChoose,
    ContentEffect,
    FallOff,
    Gate,
    HeardEffect,
    ItemEffects,
    LabelEffects,
    Logit,
    Majority,
    Mechanism,
    MemoryTable,
    PlaceEffects,
    Readiness,
    Reinforcement,
    Signal,
    choices_of,
)
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.likelihood import evaluate, row_log_likelihoods
from cloudchamber.mechanism.shown import Heard, Recalled
from cloudchamber.trace import Trace
from tests.mechanism.made import moved, numbers

ALL = (
    PlaceEffects(),
    ItemEffects(reference=2),
    ContentEffect(),
    LabelEffects(),
    HeardEffect(form="recent"),
    HeardEffect(channel="others", form="count"),
    Signal(form="saturating", half=2.0),
)
MECHANISMS = {
    "any": Logit(terms=(FallOff(), Signal())),
    "threshold": Logit(terms=(Gate(width=2, beyond=-1.0), Signal(form="threshold", threshold=2.0))),
    "linear": Logit(terms=(Signal(form="linear", strength=0.2), ItemEffects())),
    "rank": Logit(terms=(Signal(form="rank"), LabelEffects())),
    "all": Logit(terms=ALL),
    "majority": Logit(terms=(Majority(toward=2, h=0.3), Majority(field="own"))),
    "reinforced": Logit(
        terms=(
            Reinforcement(strength=0.4, keep=0.7),
            Reinforcement(channel="met", result="", keep=0.6, forgets="when tried"),
        )
    ),
    "propensities": Logit(terms=(Reinforcement(form="proportional", start=0.8, keep=0.7),)),
    "nothing forgotten": Logit(
        terms=(
            Reinforcement(keep=1.0, strength=-0.2),
            Reinforcement(form="proportional", result="", channel="met", keep=1.0),
        )
    ),
    "table": Logit(
        terms=(
            MemoryTable(smoothing=1.5),
            MemoryTable(reads=("last own", "last met"), of=3),
            Reinforcement(result="", keep=1.0),
        )
    ),
    "by group": Logit(
        terms=(
            FallOff(),
            By(term=FallOff(), by="cell", besides="a"),
            By(term=ItemEffects()),
            By(term=PlaceEffects()),
            By(term=Reinforcement(), by="agent"),
            By(term=Signal(form="saturating"), levels=(0,), terms=(Signal(form="saturating"),)),
        )
    ),
    "two stages by group": ConsiderThenChoose(
        considered=By(term=Gate(width=2, beyond=-1.0)),
        terms=(By(term=Readiness(), besides=0, by="agent"), By(term=MemoryTable(smoothing=0.5))),
    ),
    "two stages": ConsiderThenChoose(considered=FallOff(), terms=(Signal(form="log"),)),
    "two stages, all": ConsiderThenChoose(
        considered=Gate(width=3, beyond=-1.0), terms=ALL[1:], appeal=-0.5
    ),
}


def rich(asked: Any, exact: bool) -> ChoiceData:
    """Data with everything that a term can read; some options closed, some distributions known."""
    data, rng = numbers(90, 5, asked=asked), np.random.default_rng(5)
    shape = data.item.shape
    open_ = rng.random(shape) < 0.9
    rows = np.arange(len(data))
    if asked == "one":
        open_[rows, data.choice] = True
    probability = rng.random(shape) * open_
    if asked == "one":
        probability /= probability.sum(axis=1, keepdims=True)
    probability[::3] = np.nan
    past = rng.integers(-1, 6, (len(data), 3))  # item 5 is not among the options
    paid = np.where(past < 0, np.nan, rng.normal(1, 2, past.shape))
    recalled = Recalled(past, (past >= 0).astype(np.float32), {"payoff": paid})
    count = rng.integers(0, 3, shape).astype(np.float32)
    heard = Heard(count, np.where(count > 0, 2.0, np.inf).astype(np.float32))
    return replace(
        data,
        open=open_,
        taken=None if data.taken is None else data.taken & open_,
        probability=probability.astype(np.float32) if exact else None,
        labels=rng.integers(10, 14, shape),
        heard={"own": heard, "others": Heard(count[::-1], heard.age[::-1])},
        recalled={"own": recalled, "met": Recalled(past[::-1], recalled.weight[::-1])},
        group=rng.integers(0, 3, len(data)).astype(np.int16),
        agent=rng.integers(0, 2, len(data)).astype(np.int32),
        context={"cell": rng.choice(["a", "b", "c"], len(data))},
        content={"quality": np.array([0.0, 1.0, -1.0, 2.0, 0.5])},
    )


@pytest.mark.parametrize("exact", [False, True], ids=["choices", "distributions"])
@pytest.mark.parametrize("asked", ["one", "any"])
@pytest.mark.parametrize("name", MECHANISMS)
def test_derivatives_are_finite_differences(name: str, asked: Any, exact: bool) -> None:
    data = rich(asked, exact)
    mechanism = moved(MECHANISMS[name].fitting(data), asked, 0.1)
    found, at = evaluate(mechanism, data), mechanism.values(asked)
    score, bent = np.zeros(len(at)), np.zeros((len(at), len(at)))
    for number in range(len(at)):
        step = np.zeros(len(at))
        step[number] = 1e-5
        up, down = (
            evaluate(mechanism.with_values(at + way * step, asked), data) for way in (1, -1)
        )
        score[number] = (up.log_likelihood - down.log_likelihood) / 2e-5
        score[number] += (up.smoothing - down.smoothing) / 2e-5
        bent[number] = -(up.score - down.score) / 2e-5
    np.testing.assert_allclose(found.score, score, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.information, bent, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("asked", ["one"])
@pytest.mark.parametrize("name", ["any", "two stages"])
def test_declining_is_an_option_of_its_own(name: str, asked: Any) -> None:
    data = rich(asked, exact=False)
    choice = data.choice.copy()
    choice[::4] = -1
    data = replace(data, choice=choice)
    with pytest.raises(SpecificationError, match="picked nothing"):
        evaluate(MECHANISMS[name], data)
    mechanism: Mechanism = MECHANISMS[name].altered(decline=0.3)
    at, found = mechanism.values(asked), evaluate(mechanism, data)
    assert mechanism.names(asked)[-1] == "decline"
    step = np.zeros(len(at))
    step[-1] = 1e-5
    up, down = (evaluate(mechanism.with_values(at + way * step, asked), data) for way in (1, -1))
    assert found.score[-1] == pytest.approx(
        (up.log_likelihood - down.log_likelihood) / 2e-5, rel=1e-6
    )
    np.testing.assert_allclose(
        found.information[-1], -(up.score - down.score) / 2e-5, rtol=1e-6, atol=1e-5
    )


@pytest.mark.parametrize("asked", ["one", "any"])
def test_a_block_at_a_time_is_all_at_once(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = rich(asked, exact=True)
    mechanism = MECHANISMS["two stages, all"].fitting(data)
    whole = evaluate(mechanism, data)
    monkeypatch.setattr(ChoiceData, "block_rows", lambda self: 7)
    parts = evaluate(mechanism, data)
    assert parts.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(parts.by_run, whole.by_run, atol=1e-10)
    np.testing.assert_allclose(parts.information, whole.information, atol=1e-9)
    rows = row_log_likelihoods(mechanism, data)
    assert rows.sum() == pytest.approx(whole.log_likelihood, rel=1e-12)


def test_what_cannot_be_is_counted() -> None:
    data = numbers(50, 4)
    found = evaluate(Logit(terms=(Gate(width=2),)), data)
    assert found.impossible == (data.choice >= 2).sum() > 0


def ordered_picks(likes: list[float], orders: list[tuple[int, ...]]) -> ChoiceData:
    """A decision for each order of picks among the same options, read from a trace."""
    trace, items, n = Trace(), len(likes), len(orders)
    rank = np.array(
        [[1 + order.index(i) if i in order else 0 for i in range(items)] for order in orders]
    )
    decision = np.arange(n)
    first = [order[0] if order else -1 for order in orders]
    trace.append("runs", {"run": np.ones(1, np.int64)})
    trace.append("decisions", {"run": np.ones(n, np.int64), "decision": decision, "choice": first})
    trace.append(
        "exposures",
        {
            "run": np.ones(n * items, np.int64),
            "decision": np.repeat(decision, items),
            "position": np.tile(np.arange(items) + 1, n),
            "item": np.tile(np.arange(items), n),
            "chosen": rank.ravel(),
            "signal_likes": np.tile(likes, n),
        },
    )
    return choices_of(trace, asked="several")


@pytest.mark.parametrize(
    "mechanism",
    [
        Logit(terms=(FallOff(rate=0.3), Signal(form="log", strength=0.8)), decline=0.4),
        ConsiderThenChoose(
            considered=Gate(width=2, beyond=-1.0),
            terms=(Signal(strength=1.5),),
            appeal=-0.5,
            decline=-1.0,
        ),
    ],
    ids=lambda one: str(one.kind),
)
def test_ordered_picks_are_plackett_and_luce(mechanism: Mechanism) -> None:
    """Up to three of five, in order: each order's probability by its product, all of them together 1."""
    likes = [0.0, 3.0, 0.0, 1.0, 7.0]
    orders = [order for most in range(4) for order in permutations(range(5), most)]
    data = ordered_picks(likes, orders)
    rows = row_log_likelihoods(mechanism, data)
    told = np.exp(np.bincount(data.decision, rows))
    assert len(told) == len(orders) == 86
    # By hand: the weights are those of the five options before any pick; what was picked drops out.
    weight = [
        np.exp(-0.3 * place + 0.8 * np.log1p(like))
        if isinstance(mechanism, Logit)
        else (1.0 if place < 2 else np.exp(-1.0)) / (1 + np.exp(0.5 - 1.5 * (like > 0)))
        for place, like in enumerate(likes)
    ]
    stop = float(np.exp(mechanism.decline or 0.0))
    for order, p in zip(orders, told.tolist(), strict=True):
        left, by_hand = sum(weight) + stop, 1.0
        for item in order:
            by_hand *= weight[item] / left
            left -= weight[item]
        if len(order) < 3:
            by_hand *= stop / left
        assert p == pytest.approx(by_hand, rel=1e-12), order
    assert told.sum() == pytest.approx(1.0, abs=1e-12)
