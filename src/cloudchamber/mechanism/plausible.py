"""Mechanisms as plausible as a fit: its parameters drawn from their sampling distribution."""

from typing import Any

import numpy as np

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism.fitting import Fit
from cloudchamber.mechanism.mechanisms import Mechanism
from cloudchamber.questions import Reals
from cloudchamber.randomness import generator

__all__ = ["Fitted", "plausible", "told_by"]

Fitted = Fit | Mechanism
"""What a fit found; or a mechanism whose parameters are taken as known."""


def plausible(found: Fitted, draws: int, *, seed: int = 0) -> tuple[Mechanism, ...]:
    """The fitted mechanism, and `draws` more with parameters that the choices allow as well.

    Drawn from Student's t around the fit, with its covariance clustered by run and one degree of freedom
    less than runs: what the intervals of the fit are made of. Along what the data do not tell (see
    `Fit.flat`) nothing moves: parameters known only together are drawn together. A mechanism that is no fit
    is taken as known: all draws are alike.

    Args:
        found: a fit, or a mechanism.
        draws: how many beside the first.
        seed: of the draws.

    Raises:
        SpecificationError: draws are asked of a fit to one run, whose uncertainty is not known, or of one
            under which some choices cannot be.
    """
    if draws < 0:
        raise SpecificationError(f"draws: {draws}; allowed: 0 or more")
    if isinstance(found, Mechanism):
        return (found,) * (draws + 1)
    if found.impossible:
        raise SpecificationError(
            f"{found.impossible} of {found.decisions} choices cannot be under {found.mechanism.equation()}, "
            "so nothing was fitted; give a mechanism that allows them, e.g. a gate with `beyond`"
        )
    if draws and found.runs < 2:
        raise SpecificationError(
            "the fit rests on one run, so its uncertainty is not known; fit more runs, or ask for draws=0"
        )
    asked: Any = found.asked
    values = found.mechanism.values(asked)
    moved = (values + step for step in _steps(found, draws, seed))
    return (found.mechanism, *(found.mechanism.with_values(each, asked) for each in moved))


def _steps(found: Fit, draws: int, seed: int) -> Reals:
    """(draws, P): how far each draw lies from the fit."""
    size, direction = np.linalg.eigh(found.spread)
    root = direction * np.sqrt(np.maximum(size, 0.0))
    freedom = max(found.runs - 1, 1)
    steps = np.zeros((draws, len(size)))
    for draw in range(draws):  # a generator each: one draw is the same however many there are
        rng = generator(seed, draw, "plausible")
        scale = np.sqrt(freedom / rng.chisquare(freedom))
        steps[draw] = scale * root @ rng.standard_normal(len(size))
    return steps


def told_by(found: Fitted) -> Mechanism:
    """The mechanism itself."""
    return found if isinstance(found, Mechanism) else found.mechanism
