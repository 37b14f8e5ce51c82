"""A study's cells along factors: what a level sets, and each cell's twin without influence."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Axis, Cell, Design, Range
from cloudchamber.experiment.factors import Setting
from cloudchamber.microspec import Microspec
from cloudchamber.study.study import Study

__all__ = ["Along", "Levels", "Line", "line_of"]

Levels = tuple[float, ...]
_FEWEST = 3
"""Levels of a factor that can be searched."""


@dataclass(frozen=True, slots=True)
class Line:
    """A factor as a search takes it."""

    low: float
    high: float
    logarithmic: bool
    levels: tuple[float, ...] | None


def line_of(factor: Axis) -> Line:
    """A factor's range, or its numbers.

    Raises:
        SpecificationError: its levels are no numbers, or too few.
    """
    if isinstance(factor, Range):
        whole = tuple(range(int(factor.low), int(factor.high) + 1)) if factor.whole else None
        return Line(factor.low, factor.high, factor.log, whole)
    numbers = [one.value for one in factor.settings]
    levels = sorted(float(one) for one in numbers if isinstance(one, int | float))
    if len(levels) < len(numbers) or len(levels) < _FEWEST:
        raise SpecificationError(
            f"{factor.name}: the levels {numbers} were given; allowed: three numbers or more, or a range "
            "such as Factor.over(path, low, high)."
        )
    return Line(levels[0], levels[-1], False, tuple(levels))


@dataclass(frozen=True, eq=False)
class Along:
    """Cells of a study at levels of some factors; those that were asked for are remembered."""

    study: Study
    base: Microspec
    """What they depart from."""
    factors: tuple[Axis, ...]
    _cells: dict[Levels, tuple[Cell, Cell | None]] = field(default_factory=dict)

    def pair(self, levels: Levels) -> tuple[Cell, Cell | None]:
        """The cell at some levels, and its twin without influence.

        Raises:
            SpecificationError: a level makes no sense there.
        """
        if levels not in self._cells:
            settings = {
                factor.name: _setting(factor, level)
                for factor, level in zip(self.factors, levels, strict=True)
            }
            name = " / ".join(f"{factor} = {one.name}" for factor, one in settings.items())
            try:
                cell, twin = Cell.at(name, self.base, settings), None
            except SpecificationError as error:
                if "valid integer" not in str(error):
                    raise
                raise SpecificationError(
                    f"{error} Search whole numbers alone: --whole, or whole=True."
                ) from None
            if self.study.null is not None:
                twin = Cell(f"{name}, {self.study.null.name}", self.study.null(cell.spec))
            self._cells[levels] = (cell, twin)
        return self._cells[levels]

    def design(self) -> Design:
        """All cells so far."""
        pairs: Sequence[tuple[Cell, Cell | None]] = tuple(self._cells.values())
        return Design(tuple(one for pair in pairs for one in pair if one is not None))

    @property
    def sign(self) -> float:
        """1 where more of the measure is more of the phenomenon, else -1."""
        return 1.0 if self.study.phenomenon.criterion.direction == "above" else -1.0


def _setting(factor: Axis, level: float) -> Setting:
    """A factor at a level."""
    if isinstance(factor, Range):
        value = round(level) if factor.whole else level
        return Setting(str(value), {factor.path: value})
    return next(
        one
        for one in factor.settings
        if isinstance(one.value, int | float) and float(one.value) == level
    )
