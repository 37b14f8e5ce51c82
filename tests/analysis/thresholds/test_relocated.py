"""Two searches compared: the same place, another, none on either side, and what a fit leaves open."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from cloudchamber.analysis.thresholds.located import Threshold
from cloudchamber.analysis.thresholds.relocated import Relocated, _joint
from cloudchamber.analysis.thresholds.seeking import answered, threshold
from cloudchamber.errors import SpecificationError


def step(at: float, low: float = 0.0, high: float = 0.4) -> Callable[[float, int], float]:
    """A measure that jumps at a place, with noise that a replicate number determines."""

    def response(level: float, replicate: int) -> float:
        noise = float(np.random.default_rng(replicate).normal(0, 0.02))
        return (high if level > at else low) + noise

    return response


@cache
def found(at: float, low: float = 0.0, high: float = 0.4, runs: int = 60) -> Threshold:
    return threshold(step(at, low, high), 0.0, 1.0, runs=runs, criterion=0.2)


NEVER, ALWAYS = (0.5, 0.0, 0.0), (0.5, 0.4, 0.4)


def test_the_same_place_is_sufficient_and_another_is_not() -> None:
    same = Relocated("x", found(0.5), found(0.5))
    assert same.answer == "sufficient" and same.gap.value == 0
    near = Relocated("x", found(0.5), found(0.54))
    assert near.answer == "sufficient" and near.gap.low < 0.04 < near.gap.high
    far = Relocated("x", found(0.5), found(0.8))
    assert far.answer == "not sufficient" and far.gap.value == pytest.approx(0.3, abs=0.02)
    assert "+30" in far.sentence() and "of the range apart" in far.sentence()
    assert Relocated("x", found(0.8), found(0.5)).answer == "not sufficient"


def test_in_between_it_cannot_be_told() -> None:
    between = Relocated("x", found(0.5), found(0.6))
    gap = between.gap
    assert between.answer == "cannot tell" and gap.low < between.margin < gap.high
    assert replace(between, margin=0.2).answer == "sufficient"
    assert replace(between, margin=0.05).answer == "not sufficient"


def test_where_there_is_no_place_that_is_compared() -> None:
    crossing, never, always = found(0.5), found(*NEVER), found(*ALWAYS)
    assert (never.kind, always.kind) == ("never", "always")
    one = Relocated("x", crossing, never)
    assert one.answer == "not sufficient" and not one.gap.known
    assert (
        "grown: a threshold, at" in one.sentence()
        and "regrown: it is never there" in one.sentence()
    )
    assert Relocated("x", always, crossing).answer == "not sufficient"
    assert Relocated("x", always, never).answer == "not sufficient"
    assert Relocated("x", never, never).answer == "sufficient"
    flat = replace(never, kind="flat")
    assert Relocated("x", flat, never).answer == "cannot tell"
    assert Relocated("x", flat, crossing).answer == "not sufficient"
    unsure = threshold(step(0.5), 0.0, 1.0, runs=9, criterion=0.2)
    assert unsure.kind == "cannot tell"
    assert Relocated("x", crossing, replace(unsure, at=never.at)).answer == "cannot tell"


def test_the_uncertainty_of_the_fit_widens_the_gap_and_may_leave_it_open() -> None:
    drawn = tuple(found(at) for at in (0.42, 0.46, 0.5, 0.54, 0.58))
    wide = Relocated("x", found(0.5), found(0.5), drawn)
    alone = Relocated("x", found(0.5), found(0.5))
    assert wide.fit_error == pytest.approx(0.063, abs=0.01)
    assert wide.gap.high - wide.gap.low > 0.3 > alone.gap.high - alone.gap.low
    assert wide.answer == "cannot tell"
    # Some draws never pass: then it is open whether the rule does.
    some = Relocated("x", found(0.5), found(0.5), (found(0.5),) * 8 + (found(*NEVER),) * 2)
    assert some.doubted == pytest.approx(0.2) and some.answer == "cannot tell"
    assert "20% of the draws" in some.sentence()
    few = Relocated("x", found(0.5), found(0.5), (found(0.5),) * 24 + (found(*NEVER),))
    assert few.answer == "sufficient"
    # Draws of which nothing can be told are on no other side, and say as little of how far off it is.
    unsure = replace(threshold(step(0.5), 0.0, 1.0, runs=9, criterion=0.2), at=found(*NEVER).at)
    assert unsure.kind == "cannot tell"
    vague = Relocated("x", found(0.5), found(0.5), (found(0.5),) * 5 + (unsure,) * 5)
    assert vague.doubted == 0 and vague.answer == "cannot tell"


def test_the_gap_of_two_numbers_that_lie_anywhere_alike_is_covered_as_often_as_said() -> None:
    rng = np.random.default_rng(3)
    for one, other in ((1.0, 1.0), (1.0, 0.3), (1.0, 0.01), (0.2, 1.0), (1.0, 0.0)):
        drawn = one * rng.uniform(-1, 1, 200_000) - other * rng.uniform(-1, 1, 200_000)
        reach = _joint(0.95 * one, 0.95 * other, 0.95)
        assert np.mean(np.abs(drawn) < reach) == pytest.approx(0.95, abs=0.003)
    assert _joint(np.inf, 1.0, 0.95) == np.inf


def test_on_a_log_axis_the_gap_is_a_part_of_its_logarithm() -> None:
    one, other = (
        threshold(step(at), 1.0, 10_000.0, runs=60, criterion=0.2, logarithmic=True)
        for at in (10.0, 1000.0)
    )
    assert Relocated("x", one, other).gap.value == pytest.approx(0.5, abs=0.02)
    with pytest.raises(SpecificationError, match="along the same axis"):
        Relocated("x", one, found(0.5))


def test_places_of_what_rises_and_falls_are_compared_one_by_one() -> None:
    def hump(low: float, high: float) -> Callable[[float, int], float]:
        return lambda level, r: step(0.5)(1.0 if low < level < high else 0.0, r)

    one, other = (
        threshold(hump(low, high), 0.0, 1.0, runs=120, criterion=0.2)
        for low, high in ((0.3, 0.6), (0.3, 0.9))
    )
    assert one.kind == other.kind == "non-monotone" and len(one.crossings) == 2
    both = Relocated("x", one, other)
    assert both.answer == "not sufficient"
    assert [gap.value for gap in both.gaps] == pytest.approx([0, 0.3], abs=0.03)
    assert Relocated("x", one, found(0.3)).answer == "not sufficient"


def test_a_search_is_kept_as_json_and_judged_anew_by_other_responses() -> None:
    one = found(0.5)
    again = Threshold.from_json(json.loads(json.dumps(one.as_json())))
    assert again.aloud() == one.aloud() and again.trials == one.trials and again.axis == one.axis
    assert again.curve == one.curve and again.more == one.more
    never = Threshold.from_json(json.loads(json.dumps(found(*NEVER).as_json())))
    assert not never.at.known and never.aloud() == found(*NEVER).aloud()
    same = answered(one, [trial.response for trial in one.trials])
    assert same.kind == one.kind and same.at.value == pytest.approx(one.at.value, abs=0.01)
    # The runs were placed for a step at 0.5; another one is found by them, less closely.
    other = answered(one, [step(0.7)(trial.level, trial.replicate) for trial in one.trials])
    assert other.kind == "threshold" and other.at.low < 0.7 < other.at.high
    with pytest.raises(SpecificationError, match="give one a run"):
        answered(one, [0.0])


def test_a_margin_is_a_part_of_the_range() -> None:
    with pytest.raises(SpecificationError, match="allowed: between 0 and 1"):
        Relocated("x", found(0.5), found(0.5), margin=2.0)
