"""Agents that are the mechanism: intervals hold its parameters as often as they say.

On the herding feed, where pairs meet (the naming game), and where counts of two options are shown.
"""

import numpy as np
import pytest

from cloudchamber.mechanism import fit
from tests.mechanism.known import KNOWN
from tests.mechanism.made import moved


def covered(name: str, fits: int) -> tuple[float, dict[str, float]]:
    """The share of intervals that hold the truth, over all parameters and for each.

    Replicate r of one fit is replicate r of no other, so the fits are independent.
    """
    known = KNOWN[name]
    data = known.data(fits)
    runs = data.runs.reshape(fits, known.runs)
    bounds = np.searchsorted(data.run, [*runs[:, 0], runs[-1, -1] + 1])
    names, wanted = known.mechanism.names(known.form), known.mechanism.values(known.form)
    inside = np.zeros((fits, len(names)))
    for number in range(fits):
        some = data.where(np.arange(bounds[number], bounds[number + 1]))
        found = fit(known.mechanism, some, to="choices")
        assert found.names == names and found.converged
        told = found.estimates().values()
        inside[number] = [one.low <= v <= one.high for one, v in zip(told, wanted, strict=True)]
    return float(inside.mean()), dict(zip(names, inside.mean(axis=0), strict=True))


@pytest.mark.parametrize("name", KNOWN)
def test_parameters_are_recovered(name: str) -> None:
    """Of twelve intervals at 95 % two that miss would be rare, four a fault."""
    share, each = covered(name, 12)
    assert share >= 0.8 and min(each.values()) > 7 / 12, each


@pytest.mark.parametrize("name", [name for name in KNOWN if KNOWN[name].asked != "several"])
def test_exact_distributions_give_the_parameters_back(name: str) -> None:
    """From elsewhere the fit finds them, to what 4-byte probabilities allow."""
    known = KNOWN[name]
    data, wanted = known.data(1), known.mechanism.values(known.form)
    found = fit(moved(known.mechanism, known.form, 0.2), data)
    at = np.isfinite(found.values)  # after some keys of the table nobody had to choose
    assert at.mean() > 0.8 and found.converged
    np.testing.assert_allclose(found.values[at], wanted[at], rtol=2e-3, atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    share, each = covered(name, 200)
    assert 0.92 <= share <= 0.98, share
    # One parameter alone: 95 % of 200, with three times the standard deviation of 1.5 % to either side.
    assert all(0.90 <= one <= 0.995 for one in each.values()), each
