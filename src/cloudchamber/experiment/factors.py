"""Factors: what is varied, over levels that are named, or over a range that is sampled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, floor, isfinite, log, log10
from typing import Any

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import Microspec
from cloudchamber.microspec.paths import plain
from cloudchamber.trace.tables import TABLES

__all__ = ["Axis", "Factor", "Range", "Setting", "at_levels", "distinct"]

DIGITS = 6
"""Of the width of a range, or of a number on a log scale, that sampled numbers are rounded to."""
_TAKEN = {
    *(column.name for column in TABLES["runs"].columns),
    *("label", "step", "value", "low", "high", "n"),
}
"""Columns that stand beside factors in tables of results."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One level of a factor: its name, and what it sets where (path -> value)."""

    name: str
    changes: Mapping[str, object]

    def apply(self, spec: Microspec) -> Microspec:
        """The specification at this level."""
        return spec.replace_all(self.changes)

    @property
    def value(self) -> object:
        """The number it sets, if that is all it does; else its name."""
        given = next(iter(self.changes.values())) if len(self.changes) == 1 else None
        return given if isinstance(given, int | float) and str(given) == self.name else self.name


def _check_name(name: str) -> None:
    if name in _TAKEN:
        raise SpecificationError(
            f"factor {name!r}: tables of results have a column of that name already; call it otherwise, e.g. "
            f"{f'which {name}'!r}."
        )


@dataclass(frozen=True, slots=True)
class Factor:
    """What is varied, and over which levels."""

    name: str
    settings: tuple[Setting, ...]

    def __post_init__(self) -> None:
        """Refuse what has no levels, or one twice, and a name that tables have for something else."""
        _check_name(self.name)
        names = [one.name for one in self.settings]
        if not names or len(set(names)) < len(names):
            raise SpecificationError(
                f"{self.name}: the levels {names} were given; allowed: one or more, each once."
            )

    @classmethod
    def at(cls, path: str, levels: Sequence[object], name: str = "") -> "Factor":
        """A factor that sets one path to each of some values.

        Example:
            ``Factor.at("visibility.latency", [0, 1, 5])``
        """
        return cls(name or path, tuple(Setting(str(level), {path: level}) for level in levels))

    @classmethod
    def over(
        cls,
        path: str,
        low: float,
        high: float,
        *,
        whole: bool = False,
        log: bool = False,
        name: str = "",
    ) -> "Range":
        """A factor that sets one path to numbers from a range; see `Range`.

        Example:
            ``Factor.over("population.groups[0].share", 0, 0.5, name="committed")``
        """
        return Range(name or path, path, low, high, whole=whole, log=log)

    @property
    def paths(self) -> tuple[str, ...]:
        """What its levels set."""
        return tuple(dict.fromkeys(path for one in self.settings for path in one.changes))

    def aloud(self) -> str:
        """Its levels."""
        return ", ".join(one.name for one in self.settings)

    def setting(self, u: float) -> Setting:
        """The level at a number from 0 to 1: each level has an equal part of it."""
        return self.settings[min(floor(u * len(self.settings)), len(self.settings) - 1)]


@dataclass(frozen=True, slots=True)
class Range:
    """What is varied over all numbers from one to another, both included.

    Sampled numbers are uniform between the ends, or uniform in their logarithm, rounded to a millionth
    of the range (on a log scale to six digits), so that they can be read, and written again.

    Raises:
        SpecificationError: ends that are no range, or a log scale from 0.
    """

    name: str
    path: str
    low: float
    high: float
    whole: bool = False
    """Whole numbers alone; each is as likely as any other, or by its share of the log scale."""
    log: bool = False
    """Uniform in the logarithm; both ends must be above 0."""

    def __post_init__(self) -> None:
        """Refuse what is no range, and a name that tables have for something else."""
        _check_name(self.name)
        told = f"{self.name}: the range {self.low!r} to {self.high!r} was given;"
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high):
            raise SpecificationError(f"{told} allowed: two numbers, the lower one first.")
        if self.log and self.low <= 0:
            raise SpecificationError(f"{told} on a log scale both ends must be above 0.")
        if self.whole and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise SpecificationError(f"{told} of whole numbers both ends must be whole.")

    @property
    def paths(self) -> tuple[str, ...]:
        """What it sets."""
        return (self.path,)

    def aloud(self) -> str:
        """From where to where."""
        kind = "whole numbers from" if self.whole else "from"
        scale = ", on a log scale" if self.log else ""
        return f"{kind} {self.low:g} to {self.high:g}{scale}"

    def setting(self, u: float) -> Setting:
        """The number at a number from 0 to 1: at 0 the lower end, at 1 the upper."""
        value = self._number(u)
        return Setting(str(value), {self.path: value})

    def levels(self, n: int) -> Factor:
        """The same as a factor of `n` levels, evenly spaced, both ends among them.

        Raises:
            SpecificationError: fewer than two, or more than there are whole numbers.
        """
        if n < 2:
            raise SpecificationError(f"{self.name}: {n} levels were given; allowed: 2 or more.")
        spread = [self._between(k / (n - 1), self.low, self.high) for k in range(n)]
        values = [round(value) if self.whole else self._rounded(value) for value in spread]
        if len(set(values)) < n:
            raise SpecificationError(
                f"{self.name}: {n} levels were given, but {self.low:g} to {self.high:g} has fewer; "
                "give fewer levels."
            )
        return Factor(self.name, tuple(Setting(str(v), {self.path: v}) for v in values))

    def _number(self, u: float) -> float:
        if self.whole:
            # Half a step beyond both ends, or for a log scale none below: each whole number has its part.
            low, high = (self.low, self.high + 1) if self.log else (self.low - 0.5, self.high + 0.5)
            drawn = self._between(u, low, high)
            number = floor(drawn) if self.log else floor(drawn + 0.5)
            return int(min(max(number, self.low), self.high))
        return self._rounded(self._between(u, self.low, self.high))

    def _between(self, u: float, low: float, high: float) -> float:
        if u in (0, 1):
            return float(high if u else low)
        if self.log:
            return exp(log(low) + u * (log(high) - log(low)))
        return low + u * (high - low)

    def _rounded(self, value: float) -> float:
        scale = value if self.log else self.high - self.low
        inside = round(value, DIGITS - 1 - floor(log10(scale)))
        return float(min(max(inside, self.low), self.high))


Axis = Factor | Range
"""What a design varies."""


def at_levels(factors: Sequence[Axis], design: str) -> tuple[Factor, ...]:
    """The factors, if all of them have levels and names of their own.

    Raises:
        SpecificationError: one is a range, or two have one name.
    """
    for factor in distinct(factors):
        if isinstance(factor, Range):
            raise SpecificationError(
                f"{factor.name}: a range was given, but {design} needs levels; give "
                f"Factor.over(...).levels(n), or a sampled design such as sobol_sequence."
            )
    return tuple(factor for factor in factors if isinstance(factor, Factor))


def distinct(factors: Sequence[Any]) -> Sequence[Axis]:
    """The factors, if each has a name and paths of its own, and levels.

    Raises:
        SpecificationError: names those that clash.
    """
    names = [factor.name for factor in factors]
    paths = [plain(path) for factor in factors for path in factor.paths]
    for what, given in (("name", names), ("path", paths)):
        twice = sorted({one for one in given if given.count(one) > 1})
        if twice:
            raise SpecificationError(
                f"factors: each needs a {what} of its own; given twice: {twice}."
            )
    for at, path in enumerate(paths):
        lost = [one for one in paths[:at] if one.startswith(f"{path}.")]
        if lost:
            raise SpecificationError(
                f"factors: {path} comes after {lost[0]}, which lies in it and would be set anew; put the "
                "factor of the whole first."
            )
    return factors
