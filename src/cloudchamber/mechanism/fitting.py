"""Fitting a mechanism to choices by maximum likelihood, with errors clustered by run.

Newton's method with the observed information; where that is not positive, the sizes of its eigenvalues
take their place, so that every step climbs. A first round on some of many rows saves passes over all.
The errors are the sandwich of White (1982) with scores summed by run, times G / (G - 1), and Student's t
with G - 1 degrees of freedom: decisions within a run need not be independent. G is how many runs inform a
parameter: all R where they do so alike, fewer where some do not (those of other cells, say), counted as
1 / sum of squares of each run's share in the information (after Carter, Schnepel & Steigerwald 2017,
https://doi.org/10.1162/REST_a_00639).
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.fitted import Fit
from cloudchamber.mechanism.likelihood import Moments, Targets, evaluate, known_by_run
from cloudchamber.mechanism.mechanisms import Mechanism
from cloudchamber.questions import Reals

__all__ = ["Fit", "climbed", "fit", "refitted"]

FLAT = 1e-8
"""Information of a direction, against the squares of its features, below which the data do not know it."""
MANY = 40_000
"""Rows from which on a part is fitted first."""
CLOSE = 1e-6
"""Log-likelihood left to gain (nats, of all rows) from where one more step of Newton's is exact."""
CLOSE_OF_MANY = 1e-3
"""The same of many rows: a step of a twentieth of a standard error, and after it the square of that."""
STEPS = 60
ONE = 1.01
"""Of what hardly more runs than this inform there is no interval."""


def fit(mechanism: Mechanism, data: ChoiceData, *, to: Targets = "distributions") -> Fit:
    """The parameters under which the choices are most likely.

    Climbed from the given ones on; of parameters by which there may be several tops (what is kept, where a
    signal saturates) some other values are tried first.

    Args:
        mechanism: what is fitted; item, place and label effects that are empty are filled in.
        data: choices; the run is the unit.
        to: "distributions" holds it against the exact distribution wherever that is known, "choices"
            against the picks alone.

    What the data do not determine (two terms that always move together, an effect that only grows) is
    named in `flat` and has no number.

    Raises:
        SpecificationError: no rows, or some picked nothing and the mechanism never declines.
    """
    return _told(*_top(mechanism, data, to, search=True), data, to, counted=True)


def refitted(mechanism: Mechanism, data: ChoiceData, to: Targets) -> Fit:
    """As `fit`, quicker: for what was fitted to much the same choices already, and so begins near the top.

    All runs are taken to inform alike, which only errors and intervals feel.
    """
    return _told(*_top(mechanism, data, to, search=False), data, to, counted=False)


def _top(
    mechanism: Mechanism, data: ChoiceData, to: Targets, search: bool
) -> tuple[Mechanism, Moments, bool]:
    if not len(data):
        raise SpecificationError("there are no choices to fit; give data with rows")
    mechanism, some = mechanism.fitting(data), data
    if len(data) >= MANY:
        some = data.where(np.arange(0, len(data), len(data) // (MANY // 2)))
    if search:
        mechanism = _begun(mechanism, some, to)
    if some is not data:
        mechanism, _, _ = _climb(mechanism, some, to, 8)
    return _climb(mechanism, data, to, STEPS)


def _begun(mechanism: Mechanism, data: ChoiceData, to: Targets) -> Mechanism:
    """Where to begin: of the starts of each parameter that may have several tops the one that leads highest.

    With these held the rest has one top, or nearly so.
    """
    values = mechanism.values(data.asked)
    held = {at: float(values[at]) for at in mechanism.starts}
    for at, starts in mechanism.starts.items():
        tops = [climbed(mechanism, data, to, held | {at: one}, 8) for one in (held[at], *starts)]
        mechanism, _ = max(tops, key=lambda top: top[1])
        held[at] = float(mechanism.values(data.asked)[at])
    return mechanism


def climbed(
    mechanism: Mechanism,
    data: ChoiceData,
    to: Targets,
    fixed: Mapping[int, float],
    steps: int = STEPS,
) -> tuple[Mechanism, float]:
    """The best mechanism with some parameters held, by their places, and its log-likelihood with smoothing.

    Raises:
        SpecificationError: as `fit`.
    """
    values = mechanism.values(data.asked)
    values[list(fixed)] = list(fixed.values())
    held = np.zeros(len(values), bool)
    held[list(fixed)] = True
    start = mechanism.with_values(values, data.asked)
    best, moments, _ = _climb(start, data, to, steps, held)
    return best, moments.log_likelihood + moments.smoothing


def _climb(
    mechanism: Mechanism,
    data: ChoiceData,
    to: Targets,
    steps: int,
    held: NDArray[np.bool_] | None = None,
) -> tuple[Mechanism, Moments, bool]:
    """Climb to the top; the sums are those of the last point but one, less than `_close` below."""
    asked = data.asked
    values = mechanism.values(asked)
    here = evaluate(mechanism, data, to)
    if here.impossible or not len(values):
        return mechanism, here, True
    for _ in range(steps):
        step, gain = _step(here) if held is None else _step_beside(here, held)
        if gain < _close(data):
            here.log_likelihood += gain
            return mechanism.with_values(values + step, asked), here, True
        slack = 1e-11 * abs(here.log_likelihood)
        for _halving in range(40):
            higher = mechanism.with_values(values + step, asked)
            there = evaluate(higher, data, to)
            gained = there.log_likelihood + there.smoothing - here.log_likelihood - here.smoothing
            if not there.impossible and gained >= -slack:
                break
            step = step / 2
        else:
            return mechanism.with_values(values, asked), here, False
        values, here = values + step, there
        mechanism = higher
    return mechanism, here, False


def _close(data: ChoiceData) -> float:
    return CLOSE if len(data) < MANY else CLOSE_OF_MANY


def _scaled(moments: Moments) -> tuple[Reals, Reals, Reals]:
    """Eigenvalues and -vectors of the information in units of the features' squares, and those units."""
    unit = np.sqrt(np.where(moments.scale > 0, moments.scale, 1.0))
    information = moments.information / unit[:, None] / unit
    found = np.linalg.eigh((information + information.T) / 2)
    return found.eigenvalues, found.eigenvectors, unit


def _step(moments: Moments) -> tuple[Reals, float]:
    """Newton's step, and what it promises to gain; nothing along flat directions."""
    size, direction, unit = _scaled(moments)
    along = direction.T @ (moments.score / unit)
    known = np.abs(size) > FLAT * 1e-2
    move = np.where(known, along / np.where(known, np.abs(size), 1.0), 0.0)
    gain = float((along * move).sum()) / 2
    step = (direction @ move) / unit
    # No farther at a time than moves a typical log weight by 3.
    typical = unit / np.sqrt(max(float(moments.scale.max(initial=1.0)), 1.0))
    farthest = float(np.abs(step * np.maximum(typical, 1e-3)).max(initial=0.0))
    return step * min(1.0, 3.0 / farthest if farthest > 0 else 1.0), gain


def _step_beside(moments: Moments, held: NDArray[np.bool_]) -> tuple[Reals, float]:
    """The same, with some parameters held."""
    free = np.flatnonzero(~held)
    whole = np.zeros(len(held))
    if not len(free):
        return whole, 0.0
    some = replace(
        moments,
        score=moments.score[free],
        information=moments.information[np.ix_(free, free)],
        scale=moments.scale[free],
    )
    whole[free], gain = _step(some)
    return whole, gain


def _told(
    mechanism: Mechanism,
    moments: Moments,
    converged: bool,
    data: ChoiceData,
    to: Targets,
    counted: bool,
) -> Fit:
    names, values = mechanism.names(data.asked), mechanism.values(data.asked)
    runs, unknown = len(moments.by_run), np.full((len(names), len(names)), np.nan)
    if moments.impossible:
        return Fit(
            mechanism, names, values * np.nan, unknown, runs, len(data), -np.inf,
            moments.impossible, (), to, converged, data.asked, values * np.nan, values * np.nan,
        )  # fmt: skip
    covariance, loose = unknown, np.zeros(len(names), bool)
    informing, spread = np.full(len(names), float(runs)), np.zeros((len(names), len(names)))
    flat: tuple[str, ...] = ()
    unlike = np.full(len(names), np.nan)
    if names:
        size, direction, unit = _scaled(moments)
        # An effect that only grows is left where there is nothing more to gain, and counts as unknown.
        known = size > max(FLAT, 1e3 * _close(data) / len(data))
        flat, loose = _flat(names, direction[:, ~known])
        if runs > 1:
            bread = direction[:, known] / unit[:, None] / np.sqrt(size[known])
            scores = moments.by_run @ bread
            if counted:
                informing = _informing(mechanism, data, to, bread @ bread.T)
            few = np.sqrt(informing / np.maximum(informing - 1, 1e-9))
            covariance = bread @ (scores.T @ scores) @ bread.T * np.outer(few, few)
            if to == "choices" or not data.exact.any():
                alone = np.square(bread).sum(axis=1)
                unlike = np.diag(covariance) / np.where(loose, np.nan, alone)
            lone = informing < ONE
            spread = np.where(lone | lone[:, None], 0.0, covariance)
            unknown = loose | lone
            covariance[unknown], covariance[:, unknown] = np.nan, np.nan
    return Fit(
        mechanism, names, np.where(loose, np.nan, values), covariance, runs, len(data),
        moments.log_likelihood, 0, flat, to, converged, data.asked, informing, unlike, spread,
    )  # fmt: skip


def _informing(mechanism: Mechanism, data: ChoiceData, to: Targets, inverse: Reals) -> Reals:
    """(P,): how many runs inform each parameter."""
    told = np.maximum(known_by_run(mechanism, data, to, inverse), 0.0)
    total = told.sum(axis=0)
    share = told / np.where(total > 0, total, 1.0)
    return np.asarray(1 / np.maximum(np.square(share).sum(axis=0), 1 / len(told)))


def _flat(names: tuple[str, ...], directions: Reals) -> tuple[tuple[str, ...], np.ndarray]:
    """What cannot be told, as sentences, and which parameters take part in it."""
    # The eigenvectors of one eigenvalue are any turn of one another; only their span has a meaning.
    span = directions @ directions.T
    loose = np.diag(span) > 1e-4
    left, told = set(np.flatnonzero(loose).tolist()), []
    while left:
        group = {min(left)}
        while True:
            wider = group | {j for i in group for j in left if abs(span[i, j]) > 1e-4}
            if wider == group:
                break
            group = wider
        left -= group
        named = [names[i] for i in sorted(group)]
        if len(named) == 1:
            told.append(
                f"cannot tell {named[0]}: the likelihood does not depend on it, or only levels off"
            )
            continue
        listed = ", ".join(named[:6]) + (f" and {len(named) - 6} more" if len(named) > 6 else "")
        told.append(
            f"cannot tell apart {listed}: moved together they leave the likelihood as it is"
        )
    return tuple(told), loose
