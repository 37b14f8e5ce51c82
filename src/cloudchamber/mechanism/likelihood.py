"""The log-likelihood of choices under a mechanism, with its score and information, a block at a time.

Of a row whose distribution q is known, the cross-entropy sum_i q_i log p_i takes the place of log p at the
pick: the same expectation, without the noise of the draw. With u the log weights and p the probabilities,
the score is sum (q - p) du; the information is that of the data at hand (minus the second derivative), not
its expectation, so that errors hold for mechanisms that are only nearly true.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.features import Features, at, collected, constant, moment, squares
from cloudchamber.mechanism.mechanisms import Mechanism, log_sigmoid
from cloudchamber.mechanism.shown import Shown
from cloudchamber.questions import Reals

__all__ = ["Moments", "Targets", "evaluate", "known_by_run", "row_log_likelihoods"]

Targets = Literal["distributions", "choices"]
"""What a mechanism is held against: exact distributions where they are known, or the picks alone."""


@dataclass(slots=True)
class Moments:
    """Sums over rows, with P parameters and R runs."""

    log_likelihood: float
    score: Reals
    """(P,)."""
    information: Reals
    """(P, P): minus the second derivative."""
    by_run: Reals
    """(R, P): the score of each run."""
    scale: Reals
    """(P,): sums of squared features, against which information is large or small."""
    smoothing: float
    """What smoothing adds to the log-likelihood; its derivatives are in score and information."""
    impossible: int
    """Rows of which the mechanism says that they cannot be; they are in none of the sums."""


@dataclass(slots=True)
class _Block:
    """Some rows under a mechanism: log weights u, probabilities p, targets q, and du by what is inside."""

    u: Reals
    p: Reals
    q: Reals
    none: Reals
    """(n,): the probability of choosing nothing."""
    q_none: Reals
    log_likelihood: Reals
    """(n,)."""
    residual: Reals
    """(n, k): the derivative by u."""
    picked: tuple[NDArray[np.int64], NDArray[np.int64]] | None
    """Rows and columns of the picks, where q is 1 at one option and 0 elsewhere."""
    inside: Reals | None
    """(n, k): du by what the terms add up to; None: 1."""
    weight: Reals
    """(n, k): what weighs squared features in the information: p, or of judgements their curvature."""


def evaluate(mechanism: Mechanism, data: ChoiceData, to: Targets = "distributions") -> Moments:
    """The log-likelihood of all rows with its derivatives.

    Raises:
        SpecificationError: some rows picked nothing, and the mechanism never declines.
    """
    size, (_, run) = len(mechanism.names(data.asked)), np.unique(data.run, return_inverse=True)
    whole = _nothing(size, int(run.max(initial=-1)) + 1)
    for rows in _slices(data, 0, len(data)):
        shown = data.shown(rows)
        block = _block(mechanism, data, rows, shown, to)
        _add(whole, mechanism, data, block, shown, run[rows])
    whole.smoothing, slope, curvature = mechanism.smoothing(data.asked)
    whole.score = whole.by_run.sum(axis=0) + slope
    whole.information += np.diag(curvature)
    return whole


def _nothing(size: int, runs: int) -> Moments:
    vector, square = np.zeros(size), np.zeros((size, size))
    return Moments(0.0, vector, square, np.zeros((runs, size)), vector.copy(), 0.0, 0)


def known_by_run(mechanism: Mechanism, data: ChoiceData, to: Targets, weights: Reals) -> Reals:
    """(R, m): how much the choices of each run tell of some directions, (P, m); minus what bends up there."""
    bounds = [*np.flatnonzero(np.diff(data.run, prepend=-1)), len(data)]
    found = np.zeros((len(bounds) - 1, weights.shape[1]))
    for number, (start, stop) in enumerate(pairwise(bounds)):
        one = _nothing(len(weights), 1)
        for rows in _slices(data, start, stop):
            shown = data.shown(rows)
            block = _block(mechanism, data, rows, shown, to)
            _add(one, mechanism, data, block, shown, np.zeros(len(block.u), np.int64))
        found[number] = ((one.information @ weights) * weights).sum(axis=0)
    return found


def row_log_likelihoods(
    mechanism: Mechanism, data: ChoiceData, to: Targets = "distributions"
) -> Reals:
    """(n,): the log-likelihood of each row; minus infinity where the mechanism says that it cannot be."""
    parts = [
        _block(mechanism, data, rows, data.shown(rows), to).log_likelihood
        for rows in _slices(data, 0, len(data))
    ]
    return np.concatenate([np.zeros(0), *parts])


def _slices(data: ChoiceData, first: int, last: int) -> list[slice]:
    step = data.block_rows()
    return [slice(start, min(start + step, last)) for start in range(first, last, step)]


def _block(
    mechanism: Mechanism, data: ChoiceData, rows: slice, shown: Shown, to: Targets
) -> _Block:
    one = data.asked == "one"
    inside, inclined = None, mechanism.inclination(shown)
    if mechanism.squashed:
        # 1 - sigmoid: how far the log of a sigmoid still moves.
        inside = 1.0 / (1.0 + np.exp(np.minimum(mechanism.appeal + inclined, 700)))
    if not one:
        return _judged(mechanism, data, rows, shown, to, inside)
    u = mechanism.log_weights(shown, inclined)
    n = len(u)
    declines = mechanism.decline
    most = u.max(axis=1)
    if declines is not None:
        most = np.maximum(most, declines)
    most = np.where(np.isfinite(most), most, 0.0)
    p = np.exp(u - most[:, None])
    none = np.zeros(n) if declines is None else np.exp(declines - most)
    total = p.sum(axis=1) + none
    total = np.where(total > 0, total, 1.0)
    p /= total[:, None]
    none /= total
    logs = most + np.log(total)
    choice = data.choice[rows].astype(np.int64)
    exact = data.exact[rows] if to == "distributions" else np.zeros(n, bool)
    if not exact.any():
        return _picked(mechanism, u, p, none, logs, choice, inside)
    q = np.zeros(u.shape)
    assert data.probability is not None
    q[exact] = data.probability[rows][exact]
    row = np.flatnonzero(~exact & (choice >= 0))
    q[row, choice[row]] = 1.0
    total = q.sum(axis=1)
    if declines is None:
        _all_picked(total < 0.999)
        q /= total[:, None]
        total = np.ones(n)
    q_none = np.clip(1.0 - total, 0.0, 1.0)
    with np.errstate(invalid="ignore"):
        gained = np.where(q > 0, q * u, 0.0).sum(axis=1)
    gained += q_none * (declines or 0.0)
    return _Block(u, p, q, none, q_none, gained - logs, q - p, None, inside, p)


def _picked(
    mechanism: Mechanism,
    u: Reals,
    p: Reals,
    none: Reals,
    logs: Reals,
    choice: NDArray[np.int64],
    inside: Reals | None,
) -> _Block:
    """Rows of which only the pick counts."""
    row = np.flatnonzero(choice >= 0)
    column = choice[row]
    gained = np.full(len(u), mechanism.decline or 0.0)
    gained[row] = u[row, column]
    if mechanism.decline is None:
        _all_picked(choice < 0)
    q_none = (choice < 0).astype(np.float64)
    residual = -p
    residual[row, column] += 1.0
    return _Block(u, p, p, none, q_none, gained - logs, residual, (row, column), inside, p)


def _all_picked(lacking: NDArray[np.bool_]) -> None:
    if lacking.any():
        raise SpecificationError(
            f"{int(lacking.sum())} decisions or more picked nothing, or might have; give the mechanism a "
            "number as `decline`, or fit only decisions that had to pick"
        )


def _judged(
    mechanism: Mechanism,
    data: ChoiceData,
    rows: slice,
    shown: Shown,
    to: Targets,
    inside: Reals | None,
) -> _Block:
    """Rows in which each option had a yes or no of its own."""
    assert data.taken is not None
    open_ = np.ones(shown.item.shape, bool) if shown.open is None else shown.open
    q = data.taken[rows].astype(np.float64)
    if to == "distributions" and data.probability is not None:
        q = np.where(data.exact[rows][:, None], data.probability[rows], q)
    p = mechanism.inclusion(shown)
    if inside is None:
        v = mechanism.appeal + mechanism.inclination(shown)
        yes, no = log_sigmoid(v), log_sigmoid(-v)
        residual, weight = q - p, p * (1.0 - p)
    else:
        p = np.minimum(p, 1.0 - 1e-12)
        with np.errstate(divide="ignore"):
            yes, no = np.log(p), np.log1p(-p)
        residual, weight = (q - p) / (1.0 - p), p * (1.0 - q) / np.square(1.0 - p)
    with np.errstate(invalid="ignore"):
        each = np.where(q > 0, q * yes, 0.0) + np.where(q < 1, (1.0 - q) * no, 0.0)
    each, residual, weight = (np.where(open_, part, 0.0) for part in (each, residual, weight))
    nothing = np.zeros(len(q))
    return _Block(p, p, q, nothing, nothing, each.sum(axis=1), residual, None, inside, weight)


def _add(
    whole: Moments,
    mechanism: Mechanism,
    data: ChoiceData,
    block: _Block,
    shown: Shown,
    run: NDArray[np.int64],
) -> None:
    """Add a block's sums."""
    if not np.isfinite(block.log_likelihood).all():
        whole.impossible += int((~np.isfinite(block.log_likelihood)).sum())
        return
    whole.log_likelihood += float(block.log_likelihood.sum())
    parts = [(term.features(shown), term) for term in mechanism.parts]
    gate = mechanism.gate
    columns = [(features, term is not gate) for features, term in parts if features.count]
    if mechanism.squashed or data.asked == "any":
        columns.append((constant(shown.item.shape[1]), True))
    declines = data.asked == "one" and mechanism.decline is not None
    scores, means = _by_row(block, columns, data.asked == "one")
    if declines:
        scores.append((block.q_none - block.none)[:, None])
        means.append(block.none[:, None])
    if not scores:
        return
    _by_run(whole, np.concatenate(scores, axis=1), run)
    information = _information(block, columns, len(whole.score))
    if declines:
        information[-1, -1] += block.none.sum()
    if means:
        mean = np.concatenate(means, axis=1)
        information -= mean.T @ mean
    whole.information += information
    size = squares([features for features, _ in columns], shown.item.shape)
    whole.scale += np.append(size, float(len(run))) if declines else size


def _by_row(
    block: _Block, columns: list[tuple[Features, bool]], one: bool
) -> tuple[list[Reals], list[Reals]]:
    """(n, parameters) each: the score of every row, and of choices the mean feature under p."""
    scores, means = [], []
    for features, within in columns:
        inside = block.inside if within else None
        if block.picked is None:
            scores.append(collected(features, _times(block.residual, inside)))
        if one:
            means.append(collected(features, _times(block.p, inside)))
        if block.picked is not None:
            row, column = block.picked
            score = -means[-1]
            found = at(features, row, column)
            score[row] += found if inside is None else found * inside[row, column][:, None]
            scores.append(score)
    return scores, means


def _by_run(whole: Moments, scores: Reals, run: NDArray[np.int64]) -> None:
    first = np.flatnonzero(np.diff(run, prepend=-1))
    whole.by_run[run[first]] += np.add.reduceat(scores, first, axis=0)


def _information(block: _Block, columns: list[tuple[Features, bool]], size: int) -> Reals:
    """Minus the second derivative, but for what the means under p take away."""
    inside = block.inside
    products = {(False, False): block.weight, (False, True): _times(block.weight, inside)}
    products[True, True] = _times(products[False, True], inside)
    if inside is not None:
        # The log of a sigmoid is bent itself: its second derivative is -s (1 - s).
        products[True, True] = products[True, True] + block.residual * inside * (1.0 - inside)
    information = np.zeros((size, size))
    starts = np.cumsum([0, *(features.count for features, _ in columns)])
    for i, (one_features, within) in enumerate(columns):
        here = slice(starts[i], starts[i + 1])
        for j in range(i, len(columns)):
            other, also = columns[j]
            low, high = sorted((within, also))
            there = slice(starts[j], starts[j + 1])
            found = moment(one_features, other, products[low, high])
            information[here, there] = found
            information[there, here] = found.T
        bent: Any = getattr(one_features, "curvature", ())
        for a, b, second in bent:
            pull = float((_times(block.residual, inside if within else None) * second).sum())
            information[starts[i] + a, starts[i] + b] -= pull
            if a != b:
                information[starts[i] + b, starts[i] + a] -= pull
    return information


def _times(weights: Reals, inside: Reals | None) -> Reals:
    return weights if inside is None else weights * inside
