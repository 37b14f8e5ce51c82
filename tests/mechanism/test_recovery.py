"""Agents that are the mechanism, on the herding feed: intervals hold its parameters as often as they say."""

import numpy as np
import pytest

from cloudchamber.mechanism import ConsiderThenChoose, FallOff, Gate, Logit, Mechanism, Signal, fit
from cloudchamber.mechanism.reading import choices_of
from tests.mechanism.made import feed_trace

TRUE: dict[str, Mechanism] = {
    "logit": Logit(terms=(FallOff(rate=0.3), Signal(strength=1.5))),
    "gate": Logit(terms=(Gate(width=4, beyond=-2.0), Signal(form="log", strength=0.7))),
    "two stages": ConsiderThenChoose(
        considered=FallOff(rate=0.2), terms=(Signal(form="log", strength=1.5),), appeal=-2.0
    ),
}
RUNS = 24


def covered(name: str, fits: int) -> tuple[float, dict[str, float]]:
    """The share of intervals that hold the truth, over all parameters and for each.

    Replicate r of one fit is replicate r of no other, so the fits are independent.
    """
    true = TRUE[name]
    names, wanted = true.names("one"), true.values("one")
    inside = np.zeros((fits, len(names)))
    for number in range(fits):
        trace = feed_trace(true, range(number * RUNS, (number + 1) * RUNS))
        found = fit(true, choices_of(trace), to="choices").estimates().values()
        inside[number] = [
            one.low <= value <= one.high for one, value in zip(found, wanted, strict=True)
        ]
    return float(inside.mean()), dict(zip(names, inside.mean(axis=0), strict=True))


@pytest.mark.parametrize("name", TRUE)
def test_parameters_are_recovered(name: str) -> None:
    """Of twelve intervals at 95 % two that miss would be rare, four a fault."""
    share, each = covered(name, 12)
    assert share >= 0.8 and min(each.values()) > 8 / 12


@pytest.mark.slow
@pytest.mark.parametrize("name", TRUE)
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    share, each = covered(name, 200)
    assert 0.92 <= share <= 0.98
    # One parameter alone: 95 % of 200, with twice the standard deviation of 1.5 % to either side.
    assert all(0.915 <= one <= 0.985 for one in each.values()), each
