"""Designs: which conditions are grown. A factor is a field of the specification, named by its path.

All cells of a design share the experiment's seed and the numbers of their replicates, so that any two are
paired. Cells of one specification are grown once, in whatever design they stand.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.experiment.factors import Axis, Factor, Range, Setting, at_levels
from cloudchamber.microspec import Microspec

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Axis",
    "Cell",
    "Design",
    "Factor",
    "Range",
    "Replicates",
    "Setting",
    "factorial",
    "run_id",
]


Replicates = int | Mapping[str, Collection[int]]
"""Of every cell so many, or for each cell's id which; of a cell that is not named none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One condition: a specification, and where it stands on each factor."""

    name: str
    spec: Microspec
    levels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
    """As levels, but a number where the factor sets a number."""

    @classmethod
    def at(cls, name: str, base: Microspec, settings: Mapping[str, Setting]) -> "Cell":
        """A baseline with some factors at a setting; all are set together, and only then checked.

        Raises:
            SpecificationError: a path that does not exist, or a level that makes no sense; names the cell.
        """
        changes = {p: v for setting in settings.values() for p, v in setting.changes.items()}
        try:
            spec = base.replace_all(changes) if changes else base
        except SpecificationError as error:
            raise SpecificationError(f"cell {name!r}: {error}") from None
        return cls(
            name,
            spec,
            MappingProxyType({factor: one.name for factor, one in settings.items()}),
            MappingProxyType({factor: one.value for factor, one in settings.items()}),
        )

    @property
    def id(self) -> str:
        """The first twelve hex digits of the specification's hash."""
        return self.spec.hash[:12]


@dataclass(frozen=True)
class Design:
    """Cells by name. Cells of the same specification are one condition and are grown once."""

    cells: tuple[Cell, ...]

    def __post_init__(self) -> None:
        counts = Counter(cell.name for cell in self.cells)
        twice = sorted(name for name, count in counts.items() if count > 1)
        if twice:
            raise SpecificationError(f"each cell needs a name of its own; given twice: {twice}.")

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    def __add__(self, other: "Design") -> "Design":
        return Design((*self.cells, *other.cells))

    def conditions(self) -> tuple[Cell, ...]:
        """One cell for each different specification: what has to be grown."""
        return tuple({cell.id: cell for cell in reversed(self.cells)}.values())[::-1]

    def asked(self, replicates: Replicates) -> Iterator[tuple[Cell, Collection[int]]]:
        """Each condition, and which of its replicates."""
        for cell in self.conditions():
            some = range(replicates) if isinstance(replicates, int) else replicates.get(cell.id, ())
            if some:
                yield cell, some

    def __getitem__(self, name: str) -> Cell:
        for cell in self.cells:
            if cell.name == name:
                return cell
        there = nearest(name, (cell.name for cell in self.cells), as_given=True)
        raise SpecificationError(f"the design has no cell {name!r}; {there}")

    def where(self, **levels: str) -> tuple[Cell, ...]:
        """The cells at some levels."""
        return tuple(
            cell
            for cell in self.cells
            if all(cell.levels.get(factor) == level for factor, level in levels.items())
        )

    def table(self) -> "pd.DataFrame":
        """A row a cell: name, specification (its id), same_as, and a column for each factor's value.

        `same_as` names the cell whose specification, and so whose runs, a cell shares; else it is empty.
        Where a cell does not stand on a factor, the value is None.
        """
        import pandas as pd

        factors = list(dict.fromkeys(name for cell in self.cells for name in cell.levels))
        first = dict[str, str]()
        rows: list[list[object]] = []
        for cell in self.cells:
            twin = first.setdefault(cell.id, cell.name)
            own = [cell.values.get(name, cell.levels.get(name)) for name in factors]
            rows.append([cell.name, cell.id, "" if twin == cell.name else twin, *own])
        return pd.DataFrame(rows, columns=["name", "specification", "same_as", *factors])


def factorial(base: Microspec, factors: Sequence[Axis], *, name: str = "") -> Design:
    """Every combination of the factors' levels on a baseline.

    Raises:
        SpecificationError: a path that does not exist, or a level that makes no sense; names the cell. Or
            a range, which has no levels of its own.
    """
    cells = []
    axes = at_levels(factors, "a full factorial")
    for settings in product(*(factor.settings for factor in axes)):
        title = [*([name] if name else []), *(one.name for one in settings)]
        chosen = {f.name: s for f, s in zip(axes, settings, strict=True)}
        cells.append(Cell.at(" / ".join(title) or "baseline", base, chosen))
    return Design(tuple(cells))


def run_id(spec: Microspec, seed: int, replicate: int) -> int:
    """The number of a run in every table: 53 bits of the hash of what determines it."""
    address = f"{spec.hash}/{seed}/{replicate}".encode()
    return (int.from_bytes(blake2b(address, digest_size=8).digest(), "little") >> 11) or 1
