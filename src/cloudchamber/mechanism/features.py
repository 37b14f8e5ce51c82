"""How the log weight of an option moves with each parameter: columns in one of four lean forms.

A term of a mechanism says this once; the sums that a likelihood needs (scores, informations) are taken
here without ever building the whole design matrix.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cloudchamber.questions import Reals

__all__ = [
    "ByPlace",
    "Dense",
    "Features",
    "Levels",
    "Split",
    "at",
    "collected",
    "constant",
    "moment",
    "squares",
]


@dataclass(frozen=True, slots=True)
class ByPlace:
    """Parameters whose features depend on the place alone."""

    matrix: Reals
    """(k, parameters)."""

    @property
    def count(self) -> int:
        """How many parameters."""
        return int(self.matrix.shape[1])


@dataclass(frozen=True, slots=True)
class Levels:
    """A parameter for each level, 1 where an option has it."""

    index: NDArray[np.int64]
    """(n, k): the parameter of each option; `count` where it has none."""
    count: int


@dataclass(frozen=True, slots=True)
class Dense:
    """A number an option for each parameter."""

    parts: tuple[Reals, ...]
    """(n, k) each."""
    curvature: tuple[tuple[int, int, Reals], ...] = field(default=())
    """Second derivatives that are not 0: two parameters (both orders are meant), and (n, k)."""
    typical: tuple[tuple[int, float], ...] = ()
    """Parameters whose features depend on the parameters, and how large they can become."""

    @property
    def count(self) -> int:
        """How many parameters."""
        return len(self.parts)


@dataclass(frozen=True, slots=True)
class Split:
    """Parameters of their own for each of several sets of rows; a row is in one of them or in none."""

    rows: tuple[NDArray[np.int64], ...]
    """The rows of each set, ascending."""
    parts: tuple["ByPlace | Levels | Dense", ...]
    """The features of each set's rows, by that set's parameters."""
    shape: tuple[int, int]
    """(n, k)."""

    @property
    def count(self) -> int:
        """How many parameters, of all sets."""
        return sum(part.count for part in self.parts)

    @property
    def slices(self) -> list[slice]:
        """The parameters of each set."""
        starts = np.cumsum([0, *(part.count for part in self.parts)]).tolist()
        return [slice(low, high) for low, high in pairwise(starts)]

    @property
    def curvature(self) -> tuple[tuple[int, int, Reals], ...]:
        """Second derivatives, as of `Dense`."""
        found = []
        for rows, part, own in zip(self.rows, self.parts, self.slices, strict=True):
            for a, b, second in getattr(part, "curvature", ()):
                whole = np.zeros(self.shape)
                whole[rows] = second
                found.append((own.start + a, own.start + b, whole))
        return tuple(found)


Features = ByPlace | Levels | Dense | Split


def collected(features: Features, weights: Reals) -> Reals:
    """(n, parameters): for each row the sum over options of weight times feature."""
    if isinstance(features, ByPlace):
        return np.asarray(weights @ features.matrix)
    if isinstance(features, Dense):
        return np.stack([np.einsum("nk,nk->n", part, weights) for part in features.parts], axis=1)
    if isinstance(features, Split):
        whole = np.zeros((len(weights), features.count))
        for rows, part, own in zip(features.rows, features.parts, features.slices, strict=True):
            whole[rows, own] = collected(part, weights[rows])
        return whole
    n, width = len(weights), features.count + 1
    cell = features.index + (np.arange(n) * width)[:, None]
    return _summed(cell, weights, n * width).reshape(n, width)[:, :-1]


def at(features: Features, row: NDArray[np.int64], column: NDArray[np.int64]) -> Reals:
    """(entries, parameters): the features of single options."""
    if isinstance(features, ByPlace):
        return features.matrix[column]
    if isinstance(features, Dense):
        return np.stack([part[row, column] for part in features.parts], axis=1)
    if isinstance(features, Split):
        whole = np.zeros((len(row), features.count))
        for rows, part, own in zip(features.rows, features.parts, features.slices, strict=True):
            place = np.minimum(np.searchsorted(rows, row), max(len(rows) - 1, 0))
            entry = np.flatnonzero(rows[place] == row) if len(rows) else place[:0]
            whole[entry, own] = at(part, place[entry], column[entry])
        return whole
    found = np.zeros((len(row), features.count + 1))
    found[np.arange(len(row)), features.index[row, column]] = 1.0
    return found[:, :-1]


def moment(one: Features, other: Features, weights: Reals) -> Reals:
    """(parameters of one, of the other): the sum over all options of weight times both features."""
    if isinstance(one, Split) or isinstance(other, Split):
        return _split(one, other, weights)
    if isinstance(one, ByPlace):
        return _placed(one, other, weights)
    if isinstance(other, ByPlace):
        return _placed(other, one, weights).T
    if isinstance(one, Dense):
        return np.stack([_total(other, weights * part) for part in one.parts])
    if isinstance(other, Dense):
        return moment(other, one, weights).T
    assert isinstance(other, Levels)
    if one.index is other.index:
        return np.diag(_summed(one.index, weights, one.count + 1)[:-1])
    width = other.count + 1
    cell = one.index * width + other.index
    counts = _summed(cell, weights, (one.count + 1) * width)
    return counts.reshape(-1, width)[:-1, :-1]


def _split(one: Features, other: Features, weights: Reals) -> Reals:
    """As `moment`, where one of them is split: set by set."""
    if not isinstance(one, Split):
        return _split(other, one, weights).T
    found = np.zeros((one.count, other.count))
    for rows, part, own in zip(one.rows, one.parts, one.slices, strict=True):
        if other is one:
            found[own, own] = moment(part, part, weights[rows])
        else:
            found[own] = moment(part, _taken(other, rows), weights[rows])
    return found


def _taken(features: Features, rows: NDArray[np.int64]) -> Features:
    """The features of some rows, ascending."""
    if not isinstance(features, Split):
        return _taken_whole(features, rows)
    sets, parts = [], []
    for known, part in zip(features.rows, features.parts, strict=True):
        _, within, place = np.intersect1d(known, rows, True, return_indices=True)
        sets.append(place.astype(np.int64))
        parts.append(_taken_whole(part, within))
    return Split(tuple(sets), tuple(parts), (len(rows), features.shape[1]))


def _taken_whole(
    features: ByPlace | Levels | Dense, rows: NDArray[np.int64]
) -> ByPlace | Levels | Dense:
    if isinstance(features, ByPlace):
        return features
    if isinstance(features, Levels):
        return Levels(features.index[rows], features.count)
    return Dense(tuple(part[rows] for part in features.parts))


def _total(features: Dense | Levels, weights: Reals) -> Reals:
    """(parameters,): the sum over all options of weight times feature."""
    if isinstance(features, Levels):
        return _summed(features.index, weights, features.count + 1)[:-1]
    return np.array([np.einsum("nk,nk->", part, weights) for part in features.parts])


def _placed(one: ByPlace, other: Features, weights: Reals) -> Reals:
    """As `moment`, where the first goes by place: summed over rows first."""
    if isinstance(other, ByPlace):
        return np.asarray(one.matrix.T @ (weights.sum(axis=0)[:, None] * other.matrix))
    if isinstance(other, Dense):
        columns = [np.einsum("nk,nk->k", part, weights) for part in other.parts]
        return np.asarray(one.matrix.T @ np.stack(columns, axis=1))
    assert isinstance(other, Levels)
    k = weights.shape[1]
    cell = other.index * k + np.arange(k)
    counts = _summed(cell, weights, (other.count + 1) * k)
    return np.asarray(one.matrix.T @ counts.reshape(-1, k)[:-1].T)


def _summed(cell: NDArray[np.int64], weights: Reals, cells: int) -> Reals:
    """The weights, summed by cell."""
    return np.asarray(np.bincount(cell.ravel(), weights.ravel(), minlength=cells), np.float64)


def constant(options: int) -> ByPlace:
    """One parameter that all options share."""
    return ByPlace(np.ones((options, 1)))


def squares(parts: Iterable[Features], shape: tuple[int, int]) -> Reals:
    """(parameters,): the sum of each squared feature over options, a row's options weighing 1 in all."""
    found: list[Reals] = []
    for part in parts:
        if isinstance(part, Split):
            k = shape[1]
            found += [
                squares([one], (len(rows), k))
                for rows, one in zip(part.rows, part.parts, strict=True)
            ]
        elif isinstance(part, Dense):
            sizes = np.array([np.einsum("nk,nk->", one, one) / shape[1] for one in part.parts])
            for number, large in part.typical:
                sizes[number] = shape[0] * large**2
            found.append(sizes)
        elif isinstance(part, Levels):
            found.append(np.bincount(part.index.ravel(), minlength=part.count + 1)[:-1] / shape[1])
        else:
            found.append(np.square(part.matrix).sum(axis=0) * shape[0] / shape[1])
    return np.concatenate(found)
