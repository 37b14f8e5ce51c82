"""Sampled designs: one factor at a time, Latin hypercubes, Sobol sequences, and points of one's own.

A point is a number from 0 to 1 for each factor; the factor says what it sets there (`Factor.setting`,
`Range.setting`). Points are numbered, and so are their cells, so that a longer design of the same seed
begins with the cells of the shorter one and computes only the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.design import Cell, Design
from cloudchamber.experiment.factors import Axis, Setting, at_levels, distinct
from cloudchamber.microspec import Microspec

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sample", "latin_hypercube", "one_factor_at_a_time", "sample_at", "sobol_sequence"]

Points = NDArray[np.float64]
MOST_POINTS = 2**20
"""Of a sampled design; each is a condition to be grown."""


@dataclass(frozen=True)
class Sample(Design):
    """Cells at points of the unit cube."""

    factors: tuple[Axis, ...] = ()
    points: Points = field(default_factory=lambda: np.zeros((0, 0)))
    """A row a cell, a column a factor, from 0 to 1."""

    def __eq__(self, other: object) -> bool:  # an array's == is an array
        return (
            isinstance(other, Sample)
            and (self.cells, self.factors) == (other.cells, other.factors)
            and np.array_equal(self.points, other.points)
        )

    __hash__ = None  # type: ignore[assignment]

    def outcomes(self, table: "pd.DataFrame") -> NDArray[np.float64]:
        """A measure's values as an array [replicates, cells], in the order of the cells.

        Args:
            table: a row a replicate, a column a cell's name, as `Results.measure` gives it.

        Raises:
            SpecificationError: a cell is not in the table.
        """
        lacking = [cell.name for cell in self.cells if cell.name not in table.columns]
        if lacking:
            raise SpecificationError(
                f"the table has no column {lacking[0]!r} (and {len(lacking) - 1} others of the design); "
                "give what results.measure(...) says of a study with this design."
            )
        return table[[cell.name for cell in self.cells]].to_numpy(dtype=np.float64)


def sample_at(
    base: Microspec,
    factors: Sequence[Axis],
    points: ArrayLike,
    names: Sequence[str] | None = None,
) -> Sample:
    """A cell at each of some points.

    Args:
        base: the baseline.
        factors: a column of the points each.
        points: numbers from 0 to 1, shape [cells, factors].
        names: of the cells; "point 1" and so on if not given.

    Raises:
        SpecificationError: no factor; points of another shape; a cell makes no sense.
    """
    given = np.asarray(points, dtype=np.float64)
    axes = tuple(distinct(factors))
    if not axes:
        raise SpecificationError("factors: none was given; a sampled design needs one or more.")
    if given.ndim != 2 or given.shape[1] != len(axes) or not ((given >= 0) & (given <= 1)).all():
        raise SpecificationError(
            f"points: an array of shape {given.shape} was given; allowed: [cells, {len(axes)}], from 0 to 1."
        )
    titles = names or [f"point {number}" for number in range(1, len(given) + 1)]
    cells = tuple(
        Cell.at(title, base, _settings(axes, row))
        for title, row in zip(titles, given.tolist(), strict=True)
    )
    return Sample(cells, axes, given)


def sobol_sequence(
    base: Microspec, factors: Sequence[Axis], n: int, *, seed: int = 0, scramble: bool = True
) -> Sample:
    """The first n points of a Sobol sequence (Sobol 1967; scrambled as by Owen 1998).

    A longer one of the same seed begins with the same points. They are most even where n is a power of 2.

    Args:
        base: the baseline.
        factors: levels or ranges.
        n: points.
        seed: of the scrambling; not of the runs.
        scramble: whether to scramble; without it the first point is at all the lower ends.

    Raises:
        SpecificationError: n is no number of points; a cell makes no sense.
    """
    from scipy.stats import qmc  # SciPy's statistics take a second to import

    _refuse_number(n)
    engine = qmc.Sobol(max(len(factors), 1), scramble=scramble, rng=np.random.default_rng(seed))
    # Drawn as a whole power of 2, of which any beginning is the same; SciPy warns of other numbers.
    points = engine.random_base2((n - 1).bit_length())[:n]
    return sample_at(base, factors, points[:, : len(factors)])


def latin_hypercube(
    base: Microspec, factors: Sequence[Axis], n: int, *, doublings: int = 0, seed: int = 0
) -> Sample:
    """A Latin hypercube (McKay, Beckman & Conover 1979): each of n parts of each factor has one point.

    A hypercube of one more point has other points throughout, so that adding points one by one would
    compute everything anew. What can be had is twice as many: `doublings` keeps the points that are there
    and puts one into each half that they left empty (Sallaberry, Helton & Hora 2008), so that
    ``n=20, doublings=1`` is a hypercube of 40 points whose first 20 are those of ``n=20``. If you do not
    know how many you will need, take `sobol_sequence`.

    Args:
        base: the baseline.
        factors: levels or ranges.
        n: points before doubling.
        doublings: how often the number is doubled.
        seed: of the points; not of the runs.

    Raises:
        SpecificationError: n or doublings are no numbers of points; a cell makes no sense.
    """
    _refuse_number(n)
    if doublings < 0:
        raise SpecificationError(f"doublings: {doublings} was given; allowed: 0 or more.")
    _refuse_number(n * 2**doublings)
    rng = np.random.default_rng(seed)
    points = _one_in_each(rng, [np.arange(n)] * max(len(factors), 1), n)
    for _ in range(doublings):
        parts = 2 * len(points)
        taken = np.floor(points * parts).astype(np.int64)
        free = [np.setdiff1d(np.arange(parts), column) for column in taken.T]
        points = np.vstack([points, _one_in_each(rng, free, parts)])
    return sample_at(base, factors, points[:, : len(factors)])


def one_factor_at_a_time(base: Microspec, factors: Sequence[Axis]) -> Design:
    """The baseline, and each factor alone at each of its levels that differs from it.

    It finds what each factor does where all others are as in the baseline, and no interaction.

    Raises:
        SpecificationError: a range, which has no levels of its own; a cell makes no sense.
    """
    axes = at_levels(factors, "one factor at a time")
    there = {
        factor.name: setting
        for factor in axes
        for setting in factor.settings
        if setting.apply(base) == base
    }
    cells = [Cell.at("baseline", base, there)]
    for factor in axes:
        for setting in factor.settings:
            if there.get(factor.name) != setting:
                settings = there | {factor.name: setting}
                cells.append(Cell.at(f"{factor.name}: {setting.name}", base, settings))
    return Design(tuple(cells))


def _settings(axes: Sequence[Axis], point: Sequence[float]) -> dict[str, Setting]:
    return {axis.name: axis.setting(u) for axis, u in zip(axes, point, strict=True)}


def _one_in_each(rng: np.random.Generator, parts: Sequence[NDArray[np.int64]], of: int) -> Points:
    """Points that have one in each of some of a factor's equal parts, in an order of its own for each."""
    columns = [(rng.permutation(part) + rng.random(len(part))) / of for part in parts]
    return np.column_stack(columns)


def _refuse_number(n: int) -> None:
    if not 1 <= n <= MOST_POINTS:
        raise SpecificationError(f"points: {n} was given; allowed: 1 to {MOST_POINTS:,}.")
