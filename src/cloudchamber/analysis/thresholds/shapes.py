"""Shapes that a response may have along a factor, as curves on the unit interval, on a grid.

A response is *floor + (ceiling - floor) x shape*; the shape says where and how it changes. Six families:

- flat: it does not depend on the factor
- step: it changes within a small part of the range (its 10 to 90 % of the way at most `sharp`)
- sigmoid: it changes gradually between two plateaus that are both seen
- line: it changes all along the range, straight or somewhat bent
- hump: it goes up and down again, or down and up (inverted U, U; the two sides may end at different heights)
- rough: none of these; a level of its own in each eighth of the range. It keeps the others honest

Each family is a grid of curves with prior weights; `thresholds.evidence` weighs them by what runs
said. It knows nothing of runs, levels in units of the factor, or where to look next.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FAMILIES", "PRIOR", "WHOLE", "Shape", "Shapes", "Zoom", "shapes"]

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


@dataclass(frozen=True, slots=True)
class Zoom:
    """Parts of the range where the grid is fine: where a change of each family lies, if it is that."""

    step: tuple[float, float] = (0.0, 1.0)
    sigmoid: tuple[float, float] = (0.0, 1.0)
    up: tuple[float, float] = (0.0, 1.0)
    """Of a hump, where it begins; the whole range: nowhere finer than elsewhere."""
    down: tuple[float, float] = (0.0, 1.0)


WHOLE: Final = Zoom()


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
    """Of a hump which part of the way it goes back; negative if so much less far it came up; else NaN."""
    peak: Reals
    """Of a hump its height before it is scaled to 1; else NaN."""
    cell: NDArray[np.int64]
    """Index of the cell that the place lies in; 0 where there is none."""
    back: NDArray[np.int64]
    """Of a hump the index of the cell that its second place lies in; else 0."""
    edges: tuple[Reals, Reals, Reals, Reals]
    """Edges of the cells, from 0 to 1: of steps, of sigmoids, of a hump's first and second place."""

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
        return Shapes(
            self.family[chosen],
            self.prior[chosen],
            self.place[chosen],
            self.width[chosen],
            self.second[chosen],
            self.depth[chosen],
            self.peak[chosen],
            self.cell[chosen],
            self.back[chosen],
            self.edges,
        )

    def by_cell(self, weight: Reals) -> tuple[Reals, Reals, Reals, Reals]:
        """The weight of each cell, in the order of `edges`."""
        which = ((1, self.cell), (2, self.cell), (4, self.cell), (4, self.back))
        rows = [self.family == index for index, _ in which]
        step, sigmoid, up, down = (
            np.bincount(cell[of], weight[of], len(edges) - 1).astype(np.float64)
            for (_, cell), of, edges in zip(which, rows, self.edges, strict=True)
        )
        return step, sigmoid, up, down


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
    part = np.abs(depth)[:, None]
    return np.where(flipped, (1 - part * (1 - up)) * (1 - down), up * (1 - part * down))


def shapes(sharp: float, tested: Reals, zoom: Zoom = WHOLE) -> Shapes:
    """The grid of curves, finer where changes are likely.

    Args:
        sharp: the widest step, as a part of the range: 10 to 90 % of the way.
        tested: places between 0 and 1 where runs were grown. A jump's likelihood is constant between
            them, so with them as edges of the cells the weight of a jump is exact.
        zoom: where cells are fine.
    """
    step = _edges(_COARSE, zoom.step, _COARSE, tested)
    sigmoid = _edges(_COARSE, zoom.sigmoid, 12)
    up, down = _edges(_PLACES, zoom.up, 8), _edges(_PLACES, zoom.down, 8)
    blocks = [_flat(), _steps(step, sharp), _sigmoids(sigmoid, sharp), _lines()]
    blocks.append(
        _humps() if (zoom.up, zoom.down) == (WHOLE.up, WHOLE.down) else _humps_at(up, down)
    )
    family = np.concatenate([np.full(len(block), index) for index, block in enumerate(blocks)])
    prior, place, width, second, depth, peak, cell, back = np.concatenate(blocks).T
    one, other = (np.nan_to_num(column).astype(np.int64) for column in (cell, back))
    edges = (step, sigmoid, up, down)
    return Shapes(family, prior, place, width, second, depth, peak, one, other, edges)


def _edges(coarse: int, zoom: tuple[float, float], fine: int, more: Reals | None = None) -> Reals:
    spread = [np.linspace(0, 1, coarse + 1)]
    if zoom != (0.0, 1.0):
        spread.append(np.linspace(*zoom, fine + 1))
    if more is not None:
        spread.append(more)
    return np.unique(np.round(np.clip(np.concatenate(spread), 0, 1), 12))


def _block(index: int, weight: Reals, **columns: Reals) -> Reals:
    """Rows of prior, place, width, second, depth, peak, cell, back."""
    missing = np.full(len(weight), np.nan)
    names = ("place", "width", "second", "depth", "peak", "cell", "back")
    rest = [columns.get(name, missing) for name in names]
    return np.stack([PRIOR[index] * weight / weight.sum(), *rest], axis=1)


def _flat() -> Reals:
    return _block(0, np.ones(1))


def _meshed(*columns: ArrayLike) -> list[Reals]:
    return [x.ravel().astype(np.float64) for x in np.meshgrid(*columns, indexing="ij")]


def _steps(edges: Reals, sharp: float) -> Reals:
    parts = np.array([0.0, 0.015, 0.04, 0.09, 0.18, 0.3, 0.43, 0.57, 0.71, 0.85, 0.98])
    chances = np.array([0.4, *([0.06] * 10)])
    cell, width = _meshed(np.arange(len(edges) - 1), parts * sharp)
    _, chance = _meshed(np.arange(len(edges) - 1), chances)
    place, size = _cells(edges, cell)
    return _block(1, size * chance, place=place, width=width, cell=cell)


def _cells(edges: Reals, cell: Reals) -> tuple[Reals, Reals]:
    """Middles and sizes of some cells."""
    index = cell.astype(np.int64)
    return ((edges[1:] + edges[:-1]) / 2)[index], np.diff(edges)[index]


def _sigmoids(edges: Reals, sharp: float) -> Reals:
    widths = np.geomspace(sharp * 1.05, max(0.75, sharp * 1.5), 9)
    cell, width = _meshed(np.arange(len(edges) - 1), widths)
    place, size = _cells(edges, cell)
    ends = _rise(np.array([0.0, 1.0]), place, width)
    seen = ends[:, 1] - ends[:, 0] >= _MOSTLY
    return _block(2, size[seen], place=place[seen], width=width[seen], cell=cell[seen])


def _lines() -> Reals:
    exponents = np.array([1.0, 1.5, -1.5, 2.0, -2.0])
    return _block(3, np.array([0.6, 0.1, 0.1, 0.1, 0.1]), width=exponents)


@lru_cache(maxsize=1)
def _humps() -> Reals:
    edges = _edges(_PLACES, WHOLE.up, 0)
    return _humps_at(edges, edges)


def _humps_at(up: Reals, down: Reals) -> Reals:
    widths, depths = np.array([0.02, 0.1, 0.2, 0.35, 0.5]), np.array([1.0, 0.5, -0.5])
    first, last = np.arange(len(up) - 1), np.arange(len(down) - 1)
    cell, back, width, depth = _meshed(first, last, widths, depths)
    (place, size), (second, other) = _cells(up, cell), _cells(down, back)
    apart = second - place > 1.5 / _PLACES
    weight = size * other * np.where(depth == 1.0, 2.0, 1.0)
    columns = np.stack([weight, place, second, width, depth, cell, back])[:, apart]
    curve = _hump(np.linspace(0, 1, 65), *columns[1:5])
    peak = curve.max(axis=1)
    # It counts as a hump where it is seen to go back.
    seen = 1 - curve[:, [0, -1]].max(axis=1) / peak >= _BACK
    weight, place, second, width, depth, cell, back = columns[:, seen]
    shape = {"place": place, "width": width, "second": second, "depth": depth}
    return _block(4, weight, **shape, peak=peak[seen], cell=cell, back=back)
