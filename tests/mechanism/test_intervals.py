"""Intervals by the profile of the likelihood and by runs drawn again."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import stdtrit

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism import (
    FallOff,
    Gate,
    Logit,
    PlaceEffects,
    Signal,
    bootstrap,
    fit,
    profile,
)
from cloudchamber.mechanism.likelihood import evaluate
from cloudchamber.mechanism.reading import choices_of
from tests.mechanism.made import feed_trace, numbers

TRUE = Logit(terms=(FallOff(rate=0.3), Signal(strength=1.5)))


def test_the_profile_of_a_share_by_hand() -> None:
    """One yes or no with log-odds v: the log-likelihood is yes * v - n log(1 + e^v)."""
    data = numbers(60, 1, asked="any")
    assert data.taken is not None
    yes, n = int(data.taken.sum()), len(data)
    found = fit(Logit(), data)

    def height(v: float) -> float:
        return float(yes * v - n * np.log1p(np.exp(v)))

    share = yes / n
    top = np.log(share / (1 - share))
    stretched = found.covariance[0, 0] * n * share * (1 - share)
    fall = stdtrit(found.freedom("appeal"), 0.975) ** 2 * stretched / 2
    ends = [
        brentq(lambda v: height(top) - height(v) - fall, *sorted((top, top + way * 5)))
        for way in (-1, 1)
    ]
    told = profile(found, data, "appeal")
    np.testing.assert_allclose([told.low, told.high], ends, rtol=1e-3)
    assert told.value - told.low > told.high - told.value  # few said yes: the long side is below


def test_where_the_likelihood_is_a_parabola_all_agree() -> None:
    data = choices_of(feed_trace(TRUE, range(40), agents=10))
    found = fit(TRUE, data, to="choices")
    drawn = bootstrap(found, data, 100)
    for name in found.names:
        one, two, three = found.estimate(name), profile(found, data, name), drawn[name]
        half = (one.high - one.low) / 2
        for other in (two, three):
            assert other.low == pytest.approx(one.low, abs=0.35 * half)
            assert other.high == pytest.approx(one.high, abs=0.35 * half)


def test_an_effect_that_only_grows_has_an_end_below() -> None:
    """Of place 2 none was picked: how far its effect lies below 0 cannot be told, how near it can."""
    data = numbers(400, 3)
    data = replace(data, choice=np.where(data.choice == 1, 0, data.choice).astype(np.int16))
    found = fit(Logit(terms=(PlaceEffects(),)), data)
    told = profile(found, data, "place 2")
    assert np.isnan(told.value) and told.low == -np.inf and -8 < told.high < -3


def test_the_others_are_fitted_along_the_way() -> None:
    data = numbers(300, 4)
    found = fit(Logit(terms=(FallOff(), Signal())), data)
    told = profile(found, data, "fall-off")
    alone = [
        evaluate(found.mechanism.with_values(np.array([end, found.values[1]]), "one"), data)
        for end in (told.low, told.high)
    ]
    held = [fit(Logit(terms=(FallOff(rate=end), Signal())), data) for end in (told.low, told.high)]
    assert all(one.log_likelihood < found.log_likelihood for one in alone)
    assert all(one.log_likelihood == pytest.approx(found.log_likelihood) for one in held)


def test_the_same_seed_draws_the_same_runs() -> None:
    data = numbers(200, 4)
    found = fit(Logit(terms=(Signal(),)), data)
    assert bootstrap(found, data, 20) == bootstrap(found, data, 20)
    assert bootstrap(found, data, 20) != bootstrap(found, data, 20, seed=1)


def test_what_has_no_interval() -> None:
    one = numbers(100, 4, runs=1)
    found = fit(Logit(terms=(Signal(),)), one)
    with pytest.raises(SpecificationError, match="1 runs"):
        profile(found, one, "likes, any")
    with pytest.raises(SpecificationError, match="two or more"):
        bootstrap(found, one)
    data = numbers(100, 4)
    with pytest.raises(SpecificationError, match="allowed: fall-off"):
        profile(fit(Logit(terms=(FallOff(),)), data), data, "likes")
    gate = fit(Logit(terms=(Gate(width=2), Signal())), data)
    with pytest.raises(SpecificationError, match="impossible"):
        profile(gate, data, "likes, any")
    unknown = Logit(terms=(Signal(field="votes"), Signal()))
    told = bootstrap(fit(unknown, data), data, 20)
    assert not told["votes, any"].known and told["likes, any"].known


@pytest.mark.slow
def test_they_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 fits to 8 runs of 40 choices; twice the standard deviation of 1.5 % to either side of 95 %."""
    inside = np.zeros((200, 2, 2))
    for number in range(200):
        data = choices_of(feed_trace(TRUE, range(number * 8, number * 8 + 8)))
        found = fit(TRUE, data, to="choices")
        drawn = bootstrap(found, data, 200, seed=number)
        for at, (name, value) in enumerate(zip(found.names, TRUE.values("one"), strict=True)):
            told = profile(found, data, name), drawn[name]
            inside[number, at] = [one.low <= value <= one.high for one in told]
    share = inside.mean(axis=0)
    assert (share >= 0.915).all() and (share <= 0.985).all(), share
