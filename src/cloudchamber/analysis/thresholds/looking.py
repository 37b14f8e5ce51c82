"""Where the next runs tell most, given what is known of a response along a factor.

A run at some level is worth what it is expected to tell of *which* curve the response follows. Floors and
ceilings are not asked for themselves. With p(x | curve) the expected response, that worth is the variance of
p over curves, set against a run's own noise; several runs are chosen one after the other, each as if the
ones before had been grown (a Gaussian look-ahead, as in batch Bayesian optimisation). What tells families
apart counts more than what tells curves of one family apart, until the family is known.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cloudchamber.analysis.thresholds.evidence import Posterior
from cloudchamber.analysis.thresholds.products import product
from cloudchamber.analysis.thresholds.shapes import Zoom

__all__ = ["credible", "next_places", "zoomed"]

Reals = NDArray[np.float64]
_LIKELY: Final = 0.3
_FAMILY: Final = 8.0
"""How much more a difference between families counts than one within a family."""


def credible(edges: Reals, weight: Reals, chances: Reals) -> Reals:
    """Places below which the weight of cells adds up to some chances; even within a cell."""
    sums = np.concatenate([[0.0], weight.cumsum()])
    return np.asarray(np.interp(chances * sums[-1], sums, edges))


def zoomed(known: Posterior, outside: float = 0.01) -> Zoom:
    """Where each family's changes must lie, if it is that, but for some chance at each side.

    Of sigmoids and humps only where they are likely: finer grids take time.
    """
    chances = np.array([outside, 1 - outside])
    parts = [
        credible(edges, weight, chances).tolist()
        for edges, weight in zip(known.grid.edges, known.grid.by_cell(known.weight), strict=True)
    ]
    likely = known.families[[1, 2, 4, 4]] > np.array([0.0, _LIKELY, _LIKELY, _LIKELY])
    step, sigmoid, up, down = (
        (part[0], part[1]) if it_is else (0.0, 1.0)
        for part, it_is in zip(parts, likely, strict=True)
    )
    return Zoom(step, sigmoid, up, down)


def next_places(known: Posterior, candidates: Reals, count: int) -> NDArray[np.int64]:
    """Indices of the candidates where the next runs should be grown; one may come several times.

    Args:
        known: what is known by now.
        candidates: places between 0 and 1.
        count: how many runs.
    """
    expected, family, weight = known.expected(candidates), known.grid.family, known.weight
    keep = weight > 1e-7 * weight.max()
    expected, family, weight = expected[keep], family[keep], weight[keep] / weight[keep].sum()
    mean = product(expected.T, weight)
    noise = known.response.noise(candidates, mean)
    spread = _covariance(expected, family, weight, mean)
    chosen = np.empty(count, dtype=np.int64)
    for number in range(count):
        worth = np.diag(spread) / noise
        chosen[number] = at = int(worth.argmax())
        column = spread[:, at]
        spread = spread - np.outer(column, column) / (column[at] + noise[at])
    return chosen


def _covariance(expected: Reals, family: NDArray[np.int64], weight: Reals, mean: Reals) -> Reals:
    """Of the expected response over curves, what lies between families counting more."""
    away = np.sqrt(weight)[:, None] * (expected - mean)
    whole = product(away.T, away)
    between = np.zeros_like(whole)
    for index in np.unique(family):
        of = family == index
        share = weight[of].sum()
        gap = product(expected[of].T, weight[of]) / share - mean
        between += share * np.outer(gap, gap)
    return np.asarray(whole + (_FAMILY - 1) * between)
