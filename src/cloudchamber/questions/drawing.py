"""From distributions to picks: one noise for all, keyed by where in the experiment a row stands."""

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.questions.answered import Answers
from cloudchamber.questions.asked import Ints, Questions, Reals, Taken
from cloudchamber.trace.tables import Kind

__all__ = ["draw", "taken_after"]


def draw(questions: Questions, weights: Reals, decline: Reals | None = None) -> Answers:
    """Draw every row's picks from its distribution, under the noise of its address.

    Args:
        questions: n rows of k options.
        weights: (n, k), for one or up to m picks proportional to the probability of each option; for any
            number of picks, and for judgements, the probability of each.
        decline: (n,), the weight of choosing nothing (more), where the question allows it.

    One noise serves all: an exponential E of mean 1 for each (address, item). The option with the least
    E / weight is a draw from the weights, the next least the next pick without replacement (Plackett-Luce;
    Gumbel-max by another name), and an option is included on its own when E < -log(1 - p). So the same
    agent under two specifications differs only where its distribution does.
    """
    if questions.taken is not None:
        weights = np.where(questions.taken.options, 0.0, weights)
    if questions.gaps:
        weights = np.where(questions.items >= 0, weights, 0.0)
    places = _places(weights)
    offered, items = weights, questions.items
    if len(places) < weights.shape[1]:
        offered, items = weights[:, places], items[:, places]
    noise = _noise(questions, items, places)
    if questions.choose.how == "any" or questions.kind == Kind.judge:
        with np.errstate(divide="ignore"):
            included = noise < -np.log1p(-np.minimum(offered, 1.0))
        picks = _ranked(included)
        return Answers(np.where(picks < 0, -1, places[picks]).astype(np.int32), weights)
    with np.errstate(divide="ignore", over="ignore"):
        arrival = np.divide(noise, offered, out=noise)
    picks = _first(arrival) if questions.choose.how == "one" else _several(questions, arrival)
    arrived = np.take_along_axis(arrival, picks, axis=1)
    stopped = ~np.isfinite(arrived)
    if decline is not None and questions.choose.may_decline:
        own = randomness.exponentials(questions.address.keys("decline"), 1)[:, 0]
        if questions.taken is not None:
            own = np.maximum(own - questions.taken.decline, np.finfo(np.float64).tiny)
        with np.errstate(divide="ignore"):
            stopped |= arrived > (own / decline)[:, None]
    else:
        decline = None
    return Answers(np.where(stopped, -1, places[picks]).astype(np.int32), weights, decline)


def taken_after(questions: Questions, answers: Answers) -> Taken:
    """What is taken after the first pick of each row's answer; rows without one are of no use.

    A pick that was sampled elsewhere used up no noise of ours.
    """
    before = questions.taken or Taken.nothing(*questions.items.shape)
    row, pick = np.arange(len(questions)), answers.picks[:, 0]
    options = before.options.copy()
    options[row, pick] = True
    if answers.weights is None:
        return Taken(options, before.noise, before.decline)
    weights = np.nan_to_num(answers.weights, nan=0.0)
    left = _noise(questions, questions.items)[row, pick]
    with np.errstate(divide="ignore", invalid="ignore"):
        when = np.nan_to_num(left / weights[row, pick], nan=0.0, posinf=0.0)[:, None]
    none = 0.0 if answers.decline is None else np.nan_to_num(answers.decline)
    return Taken(options, before.noise + weights * when, before.decline + none * when[:, 0])


def _noise(questions: Questions, items: Ints, places: Ints | slice = slice(None)) -> Reals:
    """The exponential of each option, less what earlier picks of the same options used up."""
    noise = randomness.exponentials(questions.address.keys("choice"), items)
    if questions.taken is None:
        return noise
    # Above 0, so that what has no weight is never first.
    left = noise - questions.taken.noise[:, places]
    return np.maximum(left, np.finfo(np.float64).tiny)


def _places(weights: Reals) -> Ints:
    """The places where any row would take an option; at the others nobody needs noise."""
    if (
        len(weights) and weights[0].all()
    ):  # as where everything may be taken: no need to look further
        return np.arange(weights.shape[1])
    taken = np.flatnonzero(weights.any(axis=0))
    return taken if len(taken) else np.zeros(1, np.int64)


def _first(arrival: Reals) -> NDArray[np.int32]:
    if arrival.shape[1] == 2:  # quicker than a search along many short rows
        return np.asarray(arrival[:, 1:] < arrival[:, :1], np.int32)
    return np.asarray(arrival.argmin(axis=1)[:, None], np.int32)


def _several(questions: Questions, arrival: Reals) -> NDArray[np.int32]:
    most = min(questions.choose.most, arrival.shape[1])
    return np.argsort(arrival, axis=1, kind="stable")[:, :most].astype(np.int32)


def _ranked(included: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A mask as picks: the included places in the order shown, then -1."""
    width = max(int(included.sum(axis=1).max(initial=0)), 1)
    order = np.argsort(~included, axis=1, kind="stable")[:, :width]
    kept = np.take_along_axis(included, order, axis=1)
    return np.where(kept, order, -1).astype(np.int32)
