"""Shapes that a response may have along a factor, as curves on the unit interval, on a grid.

A response is *floor + (ceiling - floor) x shape*; the shape says where and how it changes. Six families:

- flat: it does not depend on the factor
- step: it changes within a small part of the range (its 10 to 90 % of the way at most `sharp`)
- sigmoid: it changes gradually between two plateaus that are both seen
- line: it changes all along the range, straight or somewhat bent
- hump: it goes up and down again, or down and up (inverted U, U; the two sides may end at different heights)
- rough: none of these; a level of its own in each eighth of the range. It keeps the others honest

Each family is a grid of curves with prior weights; `cloudchamber.analysis.evidence` weighs them by what runs
said. It knows nothing of runs, levels in units of the factor, or where to look next.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["FAMILIES", "PRIOR", "Shape", "Shapes", "shapes"]

Reals = NDArray[np.float64]
Shape = Literal["flat", "step", "sigmoid", "line", "hump", "rough", "loop"]
FAMILIES: Final[tuple[Shape, ...]] = ("flat", "step", "sigmoid", "line", "hump", "rough")
PRIOR: Final = np.array([0.5, 0.13, 0.13, 0.115, 0.12, 0.005])
"""Prior probability of each family. Half on flat: it takes a Bayes factor of 19 to leave it at 95 %."""

_STEEP: Final = 2 * log(9)
"""Width in which a logistic curve of scale 1 goes from 10 to 90 % of its way."""
_COARSE: Final = 32
_PLACES: Final = 14
_BACK: Final = 0.3
"""A hump goes at least this part of its way back, at either side."""
_MOSTLY: Final = 0.8
"""A sigmoid whose plateaus are both seen makes at least this part of its way within the range."""


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """A grid of curves; each column of numbers has an entry a curve."""

    family: NDArray[np.int64]
    """Index into `FAMILIES`."""
    prior: Reals
    """Prior weight; together they sum to 1 less the prior of "rough", which is no curve."""
    place: Reals
    """Where half the way is made (of a hump: upwards); NaN for flat and line."""
    width: Reals
    """10 to 90 % of the way; of a line the exponent it is bent by."""
    second: Reals
    """Of a hump where half the way back is made; else NaN."""
    depth: Reals
    """Of a hump which part of the way it goes back; negative if it is mirrored; else NaN."""
    peak: Reals
    """Of a hump its height before it is scaled to 1; else NaN."""
    edges: Reals
    """Edges of the cells in which a step may lie, from 0 to 1."""

    def curves(self, at: Reals) -> Reals:
        """The shape of each curve at some places between 0 and 1: [curves, places]."""
        out = np.zeros((len(self.family), len(at)))
        for index, curve in ((1, self._rise), (2, self._rise), (3, self._line), (4, self._hump)):
            rows = self.family == index
            out[rows] = curve(at, rows)
        return out

    def _rise(self, at: Reals, rows: NDArray[np.bool_]) -> Reals:
        return _rise(at, self.place[rows], self.width[rows])

    def _line(self, at: Reals, rows: NDArray[np.bool_]) -> Reals:
        exponent = self.width[rows, None]
        bent = np.where(exponent > 0, at, 1 - at) ** np.abs(exponent)
        return np.where(exponent > 0, bent, 1 - bent)

    def _hump(self, at: Reals, rows: NDArray[np.bool_]) -> Reals:
        columns = (self.place, self.second, self.width, self.depth)
        part = _hump(at, *(column[rows] for column in columns)) / self.peak[rows, None]
        return np.asarray(np.minimum(part, 1.0))

    def some(self, chosen: NDArray[np.int64]) -> "Shapes":
        """Some of the curves, in the order of the families; priors as they are."""
        columns = (self.prior, self.place, self.width, self.second, self.depth, self.peak)
        return Shapes(
            self.family[chosen], *(column[chosen] for column in columns), edges=self.edges
        )

    def by_step(self, weight: Reals) -> Reals:
        """The weight of each cell in which a step may lie: [cells]."""
        cells = len(self.edges) - 1
        return np.asarray(weight[self.family == 1].reshape(cells, -1).sum(axis=1))


def _rise(at: Reals, place: Reals, width: Reals) -> Reals:
    """Logistic curves; where the width is 0, a jump."""
    away = at - place[:, None]
    scaled = np.divide(
        _STEEP * away, width[:, None], out=np.sign(away) * 40, where=width[:, None] > 0
    )
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * np.clip(scaled, -40, 40)))


def _hump(at: Reals, place: Reals, second: Reals, width: Reals, depth: Reals) -> Reals:
    flipped = (depth < 0)[:, None]
    up, down = _rise(at, place, width), _rise(at, second, width)
    back, forth = _rise(1 - at, place, width), _rise(1 - at, second, width)
    part = np.abs(depth)[:, None]
    return np.where(flipped, back * (1 - part * forth), up * (1 - part * down))


def shapes(sharp: float, tested: Reals, zoom: tuple[float, float]) -> Shapes:
    """The grid of curves, finer where a step is likely.

    Args:
        sharp: the widest step, as a part of the range: 10 to 90 % of the way.
        tested: places between 0 and 1 where runs were grown. A jump's likelihood is constant between
            them, so with them as edges of the cells the weight of a jump is exact.
        zoom: the part of the range in which cells are fine.
    """
    spread = np.concatenate(
        [np.linspace(0, 1, _COARSE + 1), tested, np.linspace(*zoom, _COARSE + 1)]
    )
    edges = np.unique(np.round(np.clip(spread, 0, 1), 12))
    blocks = [_flat(), _steps(edges, sharp), _sigmoids(sharp), _lines(), _humps()]
    families = [np.full(len(block), index) for index, block in enumerate(blocks)]
    rows = np.concatenate(blocks)
    return Shapes(np.concatenate(families), *rows.T, edges=edges)


def _block(index: int, weight: Reals, *columns: Reals) -> Reals:
    """Rows of prior, place, width, second, depth, peak."""
    missing = [np.full(len(weight), np.nan)] * (5 - len(columns))
    return np.stack([PRIOR[index] * weight / weight.sum(), *columns, *missing], axis=1)


def _flat() -> Reals:
    return _block(0, np.ones(1))


def _steps(edges: Reals, sharp: float) -> Reals:
    parts = np.array([0.0, 0.03, 0.1, 0.3, 0.6, 0.95])
    weights = np.array([0.4, 0.12, 0.12, 0.12, 0.12, 0.12])
    place, width = np.meshgrid((edges[1:] + edges[:-1]) / 2, parts * sharp, indexing="ij")
    weight = np.diff(edges)[:, None] * weights
    return _block(1, weight.ravel(), place.ravel(), width.ravel())


def _sigmoids(sharp: float) -> Reals:
    widths = np.geomspace(sharp * 1.05, max(0.75, sharp * 1.5), 9)
    place, width = (
        x.ravel() for x in np.meshgrid(np.linspace(0.0125, 0.9875, 40), widths, indexing="ij")
    )
    ends = _rise(np.array([0.0, 1.0]), place, width)
    seen = ends[:, 1] - ends[:, 0] >= _MOSTLY
    return _block(2, np.ones(int(seen.sum())), place[seen], width[seen])


def _lines() -> Reals:
    exponents = np.array([1.0, 1.5, -1.5, 2.0, -2.0])
    weights = np.array([0.6, 0.1, 0.1, 0.1, 0.1])
    return _block(3, weights, np.full(len(exponents), np.nan), exponents)


@lru_cache(maxsize=1)
def _humps() -> Reals:
    places = (np.arange(_PLACES) + 0.5) / _PLACES
    widths, depths = np.array([0.02, 0.1, 0.2, 0.35, 0.5]), np.array([1.0, 0.5, -0.5])
    place, second, width, depth = (
        x.ravel() for x in np.meshgrid(places, places, widths, depths, indexing="ij")
    )
    apart = second - place > 1.5 / _PLACES
    place, second, width, depth = (x[apart] for x in (place, second, width, depth))
    curve = _hump(np.linspace(0, 1, 129), place, second, width, depth)
    peak = curve.max(axis=1)
    # It counts as a hump where it is seen to go back.
    back = 1 - curve[:, [0, -1]].max(axis=1) / peak
    kept = back >= _BACK
    weight = np.where(depth[kept] == 1.0, 2.0, 1.0)
    columns = (place, width, second, depth, peak)
    return _block(4, weight, *(column[kept] for column in columns))
