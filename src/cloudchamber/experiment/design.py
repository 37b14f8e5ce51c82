"""Designs: which conditions are grown. A factor is a field of the specification, named by its path."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import product
from types import MappingProxyType

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.microspec import Microspec

__all__ = ["Cell", "Design", "Factor", "Setting", "factorial", "run_id"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One level of a factor: its name, and what it sets where (path -> value)."""

    name: str
    changes: Mapping[str, object]

    def apply(self, spec: Microspec) -> Microspec:
        """The specification at this level."""
        return spec.replace_all(self.changes)


@dataclass(frozen=True, slots=True)
class Factor:
    """What is varied, and over which levels."""

    name: str
    settings: tuple[Setting, ...]

    @classmethod
    def at(cls, path: str, levels: Sequence[object], name: str = "") -> "Factor":
        """A factor that sets one path to each of some values.

        Example:
            ``Factor.at("visibility.latency", [0, 1, 5])``
        """
        return cls(name or path, tuple(Setting(str(level), {path: level}) for level in levels))


@dataclass(frozen=True, slots=True)
class Cell:
    """One condition: a specification, and where it stands on each factor."""

    name: str
    spec: Microspec
    levels: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The first twelve hex digits of the specification's hash."""
        return self.spec.hash[:12]


@dataclass(frozen=True)
class Design:
    """Cells by name. Cells of the same specification are one condition and are grown once."""

    cells: tuple[Cell, ...]

    def __post_init__(self) -> None:
        names = [cell.name for cell in self.cells]
        twice = sorted({name for name in names if names.count(name) > 1})
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

    def __getitem__(self, name: str) -> Cell:
        for cell in self.cells:
            if cell.name == name:
                return cell
        there = nearest(name, (cell.name for cell in self.cells))
        raise SpecificationError(f"the design has no cell {name!r}; {there}")

    def where(self, **levels: str) -> tuple[Cell, ...]:
        """The cells at some levels."""
        return tuple(
            cell
            for cell in self.cells
            if all(cell.levels.get(factor) == level for factor, level in levels.items())
        )


def factorial(base: Microspec, factors: Sequence[Factor], *, name: str = "") -> Design:
    """Every combination of the factors' levels on a baseline.

    Raises:
        SpecificationError: a path that does not exist, or a level that makes no sense; names the cell.
    """
    cells = []
    for settings in product(*(factor.settings for factor in factors)):
        levels = {f.name: s.name for f, s in zip(factors, settings, strict=True)}
        title = " / ".join([*([name] if name else []), *levels.values()]) or "baseline"
        spec = base
        try:
            for setting in settings:
                spec = setting.apply(spec)
        except SpecificationError as error:
            raise SpecificationError(f"cell {title!r}: {error}") from None
        cells.append(Cell(title, spec, MappingProxyType(levels)))
    return Design(tuple(cells))


def run_id(spec: Microspec, seed: int, replicate: int) -> int:
    """The number of a run in every table: 53 bits of the hash of what determines it."""
    address = f"{spec.hash}/{seed}/{replicate}".encode()
    return (int.from_bytes(blake2b(address, digest_size=8).digest(), "little") >> 11) or 1
