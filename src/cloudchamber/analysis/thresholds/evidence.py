"""What runs along a factor say of each shape: marginal likelihoods, floors and ceilings integrated out.

Two kinds of response: *shares* (each run grew the phenomenon or not: Bernoulli) and *measures* (a number a
run: normal around its mean, with a spread that may change along the factor). It knows shapes on the unit
interval and runs, nothing of what to conclude or where to look next.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log, pi, sqrt
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from cloudchamber.analysis.thresholds.products import product
from cloudchamber.analysis.thresholds.shapes import FAMILIES, PRIOR, Shapes

__all__ = ["Measures", "Posterior", "Response", "Shares", "Weighed", "posterior", "responses"]

Reals = NDArray[np.float64]
_BINS: Final = 8
_STEPS: Final = 32
_MISFIT: Final = 0.02
"""Shapes are idealisations: a level's mean may lie this part of the response's range off its curve."""
_FACTORS: Final = np.geomspace(0.7, 11, 9)
"""By how much variances may differ from what replicates tell of them: rarely are they less."""
_REACH: Final = 0.08
"""How far along the range the spread of a level tells that of others (standard deviation)."""


class Weighed(Protocol):
    """What is known of floor and ceiling, given each curve."""

    @property
    def log_evidence(self) -> Reals:
        """Log of each curve's marginal likelihood."""

    @property
    def floor(self) -> Reals:
        """Expected floor of each curve."""

    @property
    def gain(self) -> Reals:
        """Expected ceiling less floor of each curve."""

    def draw(self, curve: NDArray[np.int64], rng: np.random.Generator) -> tuple[Reals, Reals]:
        """A floor and a gain for each of some curves, from their posterior."""


class Response(Protocol):
    """All responses so far: as shares or as measures."""

    @property
    def certain(self) -> bool:
        """Whether a run's spread follows from its mean."""

    def weigh(self, curves: Reals) -> Weighed:
        """Evidence for each curve, given by its shape at the tested places: [curves, places]."""

    def rough(self) -> float:
        """Log-evidence of a level of its own in each eighth of the range."""

    def noise(self, at: Reals, expected: Reals) -> Reals:
        """Variance of one run at some places, where this mean is expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Runs that grew the phenomenon or not."""

    at: Reals
    n: Reals
    grown: Reals

    @property
    def certain(self) -> bool:
        """Of shares it does."""
        return True

    def weigh(self, curves: Reals) -> "_OnGrid":
        """Floor and ceiling lie on a grid that is even in arcsine: Jeffreys' prior, even weights."""
        count = max(12, min(40, ceil(1.6 * sqrt(self.n.sum()))))
        floor, ceiling, table = _table(count)
        steps = np.rint(np.arcsin(np.sqrt(curves)) * (2 * _STEPS / pi)).astype(np.int64)
        rows = np.arange(len(curves))[:, None] * (_STEPS + 1)
        cells, size = (rows + steps).ravel(), len(curves) * (_STEPS + 1)
        counted = [
            np.bincount(cells, np.tile(one, len(curves)), size).reshape(len(curves), -1)
            for one in (self.grown, self.n - self.grown)
        ]
        logs = product(np.concatenate(counted, axis=1, dtype=np.float32), table)
        top = logs.max(axis=1, keepdims=True)
        weight = np.exp(logs - top)
        total = weight.sum(axis=1)
        evidence = np.log(total) + top[:, 0] - log(len(floor))
        means = product(weight, np.stack([floor, ceiling - floor], axis=1)) / total[:, None]
        return _OnGrid(
            evidence.astype(np.float64), means[:, 0], means[:, 1], weight, floor, ceiling
        )

    def rough(self) -> float:
        """Jeffreys' prior in each eighth."""
        from scipy.special import betaln  # not needed to look at results

        n, grown = _binned(self.at, self.n), _binned(self.at, self.grown)
        return float((betaln(grown + 0.5, n - grown + 0.5) - betaln(0.5, 0.5)).sum())

    def noise(self, at: Reals, expected: Reals) -> Reals:
        """Bernoulli variance, not quite 0."""
        return np.asarray(np.maximum(expected * (1 - expected), 0.01))


@dataclass(frozen=True, slots=True, eq=False)
class _OnGrid:
    log_evidence: Reals
    floor: Reals
    gain: Reals
    weight: NDArray[np.float32]
    floors: NDArray[np.float32]
    ceilings: NDArray[np.float32]

    def draw(self, curve: NDArray[np.int64], rng: np.random.Generator) -> tuple[Reals, Reals]:
        sums = self.weight[curve].cumsum(axis=1)
        chosen = (sums < rng.random((len(curve), 1)) * sums[:, -1:]).sum(axis=1)
        chosen = np.minimum(chosen, len(self.floors) - 1)
        floor = self.floors[chosen].astype(np.float64)
        return floor, self.ceilings[chosen] - floor


Table = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@lru_cache(maxsize=8)
def _table(count: int) -> Table:
    """Floors and ceilings of a grid, and log p, log (1 - p) by the steps of a shape: [2 x steps, grid]."""
    nodes = np.sin(pi / 2 * (np.arange(count) + 0.5) / count) ** 2
    floor, ceiling = (x.ravel() for x in np.meshgrid(nodes, nodes))
    shape = np.sin(pi / 2 * np.arange(_STEPS + 1) / _STEPS) ** 2
    p = floor + (ceiling - floor) * shape[:, None]
    table = np.concatenate([np.log(p), np.log1p(-p)])
    return floor.astype(np.float32), ceiling.astype(np.float32), table.astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """A number a run. Levels' means are taken as normal, with variances told by replicates nearby."""

    at: Reals
    n: Reals
    mean: Reals
    within: Reals
    """Sum of squares around the mean at each place."""
    low: float
    scale: float
    """Range of the responses, and its lower end: the prior of floor and ceiling is in these units."""

    @property
    def certain(self) -> bool:
        """Of measures it does not."""
        return False

    def weigh(self, curves: Reals) -> "_Normal":
        """Normal floor and gain in closed form (Bayesian regression), for each scale of the spread."""
        found = [self._given(factor, curves) for factor in _FACTORS]
        return _Normal.over(np.array([self._within(factor) for factor in _FACTORS]), found)

    def _given(self, factor: float, curves: Reals) -> tuple[Reals, ...]:
        """Evidence, floor, gain, their variances and covariance, if variances are so many times theirs."""
        weight, y, first, second = self._weights(factor)
        a, b = first + weight.sum(), product(curves, weight)
        c = second + product(curves**2, weight)
        u, v = float(weight @ y), product(curves, weight * y)
        det = a * c - b * b
        floor, gain = (c * u - b * v) / det, (a * v - b * u) / det
        evidence = 0.5 * (np.log(first * second / det) + u * floor + v * gain)
        evidence += 0.5 * (np.log(weight) - weight * y**2).sum()
        return evidence, floor + self.low + self.scale / 2, gain, c / det, a / det, -b / det

    def _weights(self, factor: float) -> tuple[Reals, Reals, float, float]:
        """Precision and mean of each level; precisions of the priors of floor and gain around the middle."""
        variance = factor * self._variance(self.at) / self.n + (_MISFIT * self.scale) ** 2
        y = self.mean - (self.low + self.scale / 2)
        return 1 / variance, y, 4 / self.scale**2, 2 / self.scale**2

    def _within(self, factor: float) -> float:
        """Log-likelihood of the spread within levels."""
        freedom = float((self.n - 1).sum())
        squares = float((self.within / self._variance(self.at)).sum())
        return -0.5 * (freedom * log(factor) + squares / factor)

    def rough(self) -> float:
        """The prior of the floor in each eighth."""
        found = []
        for factor in _FACTORS:
            weight, y, first, _ = self._weights(factor)
            total, sums = first + _binned(self.at, weight), _binned(self.at, weight * y)
            evidence = (np.log(first / total) + sums**2 / total).sum()
            level = (np.log(weight) - weight * y**2).sum()
            found.append(0.5 * float(evidence + level) + self._within(factor))
        return float(np.logaddexp.reduce(found)) - log(len(_FACTORS))

    def noise(self, at: Reals, expected: Reals) -> Reals:
        """Variance told by replicates nearby."""
        return self._variance(at) + (_MISFIT * self.scale) ** 2

    def _variance(self, at: Reals) -> Reals:
        """Pooled within levels, those nearby counting most, drawn to that of all levels."""
        freedom = self.n - 1
        if freedom.sum() > 0:
            pooled = self.within.sum() / freedom.sum()
        else:
            pooled = np.square(np.diff(self.mean)).mean() / 2 if len(self.mean) > 1 else 0.0
        near = np.exp(-0.5 * ((at[:, None] - self.at) / _REACH) ** 2)
        drawn = 4.0
        found = (near @ self.within + drawn * pooled) / (near @ freedom + drawn)
        return np.asarray(np.maximum(found, (1e-3 * self.scale) ** 2))


@dataclass(frozen=True, slots=True, eq=False)
class _Normal:
    log_evidence: Reals
    floor: Reals
    gain: Reals
    chances: Reals
    """Of each scale of the spread, given each curve: [scales, curves], as all below."""
    floors: Reals
    gains: Reals
    of_floor: Reals
    of_gain: Reals
    of_both: Reals

    @classmethod
    def over(cls, within: Reals, found: list[tuple[Reals, ...]]) -> "_Normal":
        """Scales of the spread integrated out, even odds beforehand."""
        evidence, *rest = (np.stack(column) for column in zip(*found, strict=True))
        logs = evidence + within[:, None]
        total = np.logaddexp.reduce(logs, axis=0)
        chances = np.exp(logs - total)
        floor, gain = ((chances * column).sum(axis=0) for column in rest[:2])
        return cls(total - log(len(within)), floor, gain, chances, *rest)

    def draw(self, curve: NDArray[np.int64], rng: np.random.Generator) -> tuple[Reals, Reals]:
        sums = self.chances[:, curve].cumsum(axis=0)
        scale = (sums < rng.random(len(curve)) * sums[-1]).sum(axis=0)
        one, other = rng.standard_normal((2, len(curve)))
        at = (np.minimum(scale, len(sums) - 1), curve)
        wide = np.sqrt(self.of_floor[at])
        slope = self.of_both[at] / wide
        rest = np.sqrt(np.maximum(self.of_gain[at] - slope**2, 0))
        return self.floors[at] + wide * one, self.gains[at] + slope * one + rest * other


def _binned(at: Reals, values: Reals) -> Reals:
    bins = np.minimum((at * _BINS).astype(np.int64), _BINS - 1)
    return np.bincount(bins, values, _BINS).astype(np.float64)


def responses(at: Reals, values: Reals, shares: bool | None = None) -> Response:
    """All responses so far, one a run.

    Args:
        at: places between 0 and 1, one a run.
        values: one number a run, none of them NaN.
        shares: whether a run only grew it or not; if not said, whether all are 0 or 1.
    """
    places, index = np.unique(at, return_inverse=True)
    n = np.bincount(index).astype(np.float64)
    mean = np.bincount(index, values) / n
    if shares or (shares is None and np.isin(values, (0.0, 1.0)).all()):
        return Shares(places, n, mean * n)
    within = np.bincount(index, np.square(values - mean[index])).astype(np.float64)
    low, high = np.quantile(values, [0.01, 0.99]) if len(values) else (0.0, 1.0)
    scale = high - low if high > low else max(float(np.ptp(values)), 1e-12)
    return Measures(places, n, mean, within, float(low), float(scale))


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """What is known of a response along a factor."""

    grid: Shapes
    response: Response
    weighed: Weighed
    weight: Reals
    """Probability of each curve; together they sum to 1 less that of "rough"."""
    families: Reals
    """Probability of each of `FAMILIES`."""

    def expected(self, at: Reals) -> Reals:
        """The expected response by each curve: [curves, places]."""
        known = self.weighed
        return known.floor[:, None] + known.gain[:, None] * self.grid.curves(at)


def posterior(grid: Shapes, response: Response, at: Reals) -> Posterior:
    """Weigh a grid of shapes by responses at some (different, sorted) places."""
    weighed = response.weigh(grid.curves(at))
    rough = response.rough() + log(PRIOR[-1])
    logs = weighed.log_evidence + np.log(grid.prior)
    top = max(float(logs.max()), rough)
    weight = np.exp(logs - top)
    last = np.exp(rough - top)
    total = weight.sum() + last
    families = np.bincount(grid.family, weight, len(FAMILIES)) / total
    families[-1] = last / total
    return Posterior(grid, response, weighed, weight / total, families)
