"""A surrogate for sensitivity: a polynomial in the factors, fitted to any sampled design.

Polynomials that are orthonormal over the factors' ranges make a chaos expansion (Sudret 2008): the variance
of the mean outcome is the sum of its squared coefficients, and an index is a part of that sum. It needs no
rows made for the purpose, so the runs of a Latin hypercube or a Sobol sequence serve twice. What it fails
to predict is told beside the indices (`missed`); of a response with jumps that is much, and where it is more
than a fifth, the indices come without intervals: they cannot be told from these points.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, takewhile
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.analysis.sensitivity.crossed import of_kind, product_of_two, whole_rows
from cloudchamber.analysis.sensitivity.variance import ROUNDING, Indices, indices_of, noise_odds
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.factors import Axis, Range
from cloudchamber.experiment.sampling import Sample

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["surrogate_indices"]

Reals = NDArray[np.float64]
HIGHEST = 12
"""Degree of a polynomial at most."""
POINTS_A_TERM = 2
"""Points that there must be for each term."""
MOST_MISSED = 0.2
"""Share of what conditions do that a surrogate may miss; else its indices have no interval."""
MOST_LEVELS = 50
"""Whole numbers of a range that are taken as levels."""


def surrogate_indices(
    design: Sample, table: "pd.DataFrame", *, degree: int | None = None, level: float = 0.95
) -> Indices:
    """Sobol indices from a sampled design, through a polynomial fitted to the mean outcomes.

    Args:
        design: as `sobol_sequence` or `latin_hypercube` made it.
        table: a measure's values, a row a replicate and a column a cell (`Results.measure`). Cells that
            lack a run drop out.
        degree: of the polynomial; the one that predicts left-out points best, if not given. A step from
            one unordered level to another counts as degree 1.
        level: confidence of each interval; it holds the run-to-run noise and the choice of points, not
            what the polynomial misses.

    Raises:
        SpecificationError: a cell is not in the table; too few points for the degree, or replicates.
    """
    outcomes = of_kind(design, Sample).outcomes(table)
    values = whole_rows(outcomes[:, :, None])[:, :, 0]
    there = ~np.isnan(outcomes[~np.isnan(outcomes).all(axis=1)]).any(axis=0)
    points = design.points[there]
    bases = [_Basis(axis, points[:, at]) for at, axis in enumerate(design.factors)]
    degrees = range(1, HIGHEST + 1) if degree is None else (degree,)
    fits = list(
        takewhile(lambda fit: fit is not None, (_fitted(bases, values, d) for d in degrees))
    )
    if not fits:
        raise SpecificationError(_too_few(degrees[0], len(points)))
    fit = min((fit for fit in fits if fit is not None), key=lambda one: one.error)
    return _indices([axis.name for axis in design.factors], fit, values, level)


class _Fit:
    """Least squares of each replicate on the same terms."""

    def __init__(self, terms: NDArray[np.int64], columns: Reals, values: Reals) -> None:
        self.terms = terms
        """Which factors are in each term, [terms, factors]."""
        inverse = np.linalg.pinv(columns)
        self.coefficients = values @ inverse.T  # [replicates, terms]
        leverage = np.clip((columns * inverse.T).sum(axis=1), 0.0, 1 - 1e-9)
        residuals = (values - self.coefficients @ columns.T) / (1 - leverage)
        # Without point i coefficients are less by its part: exact for least squares.
        self.without = self.coefficients[:, None, :] - residuals[:, :, None] * inverse.T[None]
        self.error = float(np.square(residuals.mean(axis=0)).mean())
        """Mean square with which the mean outcome of a point is missed, if it is left out."""


def _indices(names: Sequence[str], fit: _Fit, values: Reals, level: float) -> Indices:
    replicates, n = values.shape
    spread, made = _moments(values)
    noise = noise_odds(spread.mean(keepdims=True), made.mean(keepdims=True))
    left_noise = noise_odds((spread.sum() - spread) / (n - 1), (made.sum() - made) / (n - 1))
    whole = _ratios(fit.terms, product_of_two(fit.coefficients, fit.coefficients))
    left = _ratios(fit.terms, product_of_two(fit.without, fit.without))
    fewer = []
    for r in range(replicates):
        kept = np.delete(fit.coefficients, r, axis=0)
        odds = noise_odds(*(one.mean(keepdims=True) for one in _moments(np.delete(values, r, 0))))
        fewer.append(np.concatenate([_ratios(fit.terms, product_of_two(kept, kept)), odds]))
    found = indices_of(
        names,
        np.concatenate([whole, noise]),
        np.vstack([left, left_noise]),
        np.stack(fewer, axis=1),
        values.size,
        level,
    )
    lack = fit.error - float(spread.mean()) / replicates
    missed = float(np.clip(lack / made.mean(), 0.0, 1.0)) if made.mean() > 0 else 1.0
    if missed > MOST_MISSED:
        first, total = (
            {name: replace(one, low=nan, high=nan) for name, one in order.items()}
            for order in (found.first, found.total)
        )
        found = replace(found, first=first, total=total)
    return replace(found, missed=missed)


def _moments(values: Reals) -> tuple[Reals, Reals]:
    """At each point: the noise's variance, and the square by which the mean outcome is off the middle."""
    centred = values - values.mean(axis=1, keepdims=True)
    return values.var(axis=0, ddof=1), product_of_two(centred, centred)


def _ratios(terms: NDArray[np.int64], squares: Reals) -> Reals:
    """Indices from squared coefficients [..., terms]: [2 factors, ...]."""
    made = squares[..., 1:].sum(axis=-1)
    alone = terms.sum(axis=1) == 1
    there = terms.T.astype(bool)
    parts = [(squares * (alone & one)).sum(axis=-1) for one in there]
    parts += [(squares * one).sum(axis=-1) for one in there]
    stacked = np.array(parts)
    # What is smaller beside the mean comes from rounding: nothing varies.
    varies = made > ROUNDING * np.abs(squares[..., 0])
    index: Reals = np.divide(stacked, made, out=np.full_like(stacked, nan), where=varies)
    return index


class _Basis:
    """Functions of one factor that are orthonormal over its range, and what degree each counts as."""

    def __init__(self, axis: Axis, points: Reals) -> None:
        levels = _levels(axis)
        if levels is None:
            self.degrees = list(range(1, HIGHEST + 1))
            self.columns = np.polynomial.legendre.legvander(2 * points - 1, HIGHEST)[:, 1:]
            self.columns *= np.sqrt(2 * np.array(self.degrees) + 1)
            return
        at = np.minimum((points * levels).astype(np.int64), levels - 1)
        highest = min(levels - 1, HIGHEST) if isinstance(axis, Range) else levels - 1
        powers = np.vander(np.linspace(-1, 1, levels), highest + 1, increasing=True)
        # Householder's signs do not matter: only squares of coefficients are used.
        self.columns = (np.linalg.qr(powers)[0] * np.sqrt(levels))[at, 1:]
        ordered = isinstance(axis, Range)
        self.degrees = list(range(1, highest + 1)) if ordered else [1] * highest


def _levels(axis: Axis) -> int | None:
    """How many equally likely levels a factor has; None if it is to be taken for continuous."""
    if not isinstance(axis, Range):
        return len(axis.settings)
    count = round(axis.high - axis.low) + 1
    return count if axis.whole and not axis.log and count <= MOST_LEVELS else None


def _fitted(bases: Sequence[_Basis], values: Reals, degree: int) -> _Fit | None:
    """The fit of a degree; None where there are too few points for it."""
    n = values.shape[1]
    chosen = list(islice(_terms(bases, degree), n // POINTS_A_TERM + 1))
    if len(chosen) > n // POINTS_A_TERM:
        return None
    columns = np.ones((n, len(chosen)))
    for term, orders in enumerate(chosen):
        for basis, order in zip(bases, orders, strict=True):
            if order:
                columns[:, term] *= basis.columns[:, order - 1]
    return _Fit((np.array(chosen) > 0).astype(np.int64), columns, values)


def _terms(bases: Sequence[_Basis], degree: int) -> Iterator[tuple[int, ...]]:
    """For each term which function of each factor is in it, 0 for none; the constant first."""
    if not bases:
        yield ()
        return
    for order, cost in enumerate([0, *bases[0].degrees]):
        if cost <= degree:
            for rest in _terms(bases[1:], degree - cost):
                yield (order, *rest)


def _too_few(degree: int, n: int) -> str:
    return (
        f"points: {n} whole ones are there, too few for a polynomial of degree {degree}; each of its terms "
        f"needs {POINTS_A_TERM}. Grow more points; only what is missing is computed."
    )
