"""Fractional factorials: many two-level factors in few cells, and what is then taken for what.

Of k factors some are basic and vary in full; each further one follows the product of basic factors, its
generator. Effects whose products coincide are aliases: no data tell them apart (Box & Hunter 1961). The
resolution is the length of the shortest product that never changes: III takes main effects for
interactions of two factors, IV those interactions for each other, V neither.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from types import MappingProxyType
from typing import TYPE_CHECKING

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.experiment.design import Cell, Design
from cloudchamber.experiment.factors import Axis, Factor, at_levels
from cloudchamber.microspec import Microspec

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Fraction", "fractional"]

EFFORT = 300_000
"""Products that are looked at for each number of cells; with more factors than some fifteen, a fraction
may then be larger than the smallest there is."""

Word = int
"""A product of factors: bit i is set if factor i is in it. The product of two is their exclusive or."""


@dataclass(frozen=True)
class Fraction(Design):
    """A two-level fraction, with what it takes for what."""

    factors: tuple[Factor, ...] = ()
    generators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The factors whose product each further factor follows."""

    def defining(self) -> tuple[tuple[str, ...], ...]:
        """The products that never change, the shortest first."""
        words = sorted(self._group() - {0}, key=lambda word: (word.bit_count(), word))
        return tuple(map(self._named, words))

    @property
    def resolution(self) -> int:
        """Length of the shortest product that never changes; without any, factors + 1."""
        return min((len(word) for word in self.defining()), default=len(self.factors) + 1)

    def aliases(self, order: int = 2) -> dict[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """For each effect of up to `order` factors, the others of up to that order it is mixed with."""
        several = range(1, min(order, len(self.factors)) + 1)
        words = [
            sum(1 << index for index in chosen)
            for size in several
            for chosen in combinations(range(len(self.factors)), size)
        ]
        group = self._group()
        return {
            self._named(word): tuple(
                self._named(other) for other in words if other != word and other ^ word in group
            )
            for word in words
        }

    def contrasts(self) -> "pd.DataFrame":
        """-1 at the first level and +1 at the second: a row a cell, a column a factor."""
        import pandas as pd

        rows = [
            [1 if cell.levels[f.name] == f.settings[1].name else -1 for f in self.factors]
            for cell in self.cells
        ]
        names = [factor.name for factor in self.factors]
        return pd.DataFrame(rows, index=[cell.name for cell in self.cells], columns=names)

    def _group(self) -> set[Word]:
        bit = {factor.name: 1 << index for index, factor in enumerate(self.factors)}
        group = {0}
        for name, parents in self.generators.items():
            word = bit[name] | sum(bit[parent] for parent in parents)
            group |= {one ^ word for one in group}
        return group

    def _named(self, word: Word) -> tuple[str, ...]:
        return tuple(f.name for index, f in enumerate(self.factors) if word >> index & 1)


def fractional(
    base: Microspec,
    factors: Sequence[Axis],
    *,
    resolution: int = 4,
    generators: Mapping[str, Sequence[str]] | None = None,
) -> Fraction:
    """A regular two-level fraction: the smallest of a resolution, or the one that generators make.

    Of the fractions of a size the one with the fewest short confounded products is taken (minimum
    aberration, Fries & Hunter 1980), as far as the search goes.

    Args:
        base: the baseline.
        factors: with two levels each.
        resolution: 3 or more; not looked at where generators are given.
        generators: for each factor that is not basic, the basic ones whose product it follows, e.g.
            ``{"memory": ("likes", "order", "latency")}``.

    Raises:
        SpecificationError: a factor has not two levels; a generator names none; a cell makes no sense.
    """
    axes = at_levels(factors, "a fractional factorial")
    for factor in axes:
        if len(factor.settings) != 2:
            raise SpecificationError(
                f"{factor.name}: {len(factor.settings)} levels were given; a fractional factorial needs "
                "two each."
            )
    if resolution < 3:
        raise SpecificationError(f"resolution: {resolution} was given; allowed: 3 or more.")
    names = [factor.name for factor in axes]
    if generators is None:
        generators = _smallest(names, resolution)
    made = {name: tuple(parents) for name, parents in generators.items()}
    _refuse(names, made)
    basic = [factor for factor in axes if factor.name not in made]
    cells = []
    for signs in product((0, 1), repeat=len(basic)):
        level = dict(zip((factor.name for factor in basic), signs, strict=True))
        for name, parents in made.items():
            minus = sum(1 - level[parent] for parent in parents)
            level[name] = 1 - minus % 2
        chosen = {factor.name: factor.settings[level[factor.name]] for factor in axes}
        title = " / ".join(one.name for one in chosen.values())
        cells.append(Cell.at(title or "baseline", base, chosen))
    return Fraction(tuple(cells), axes, MappingProxyType(made))


def _refuse(names: Sequence[str], generators: Mapping[str, tuple[str, ...]]) -> None:
    basic = [name for name in names if name not in generators]
    for name, parents in generators.items():
        if name not in names:
            raise SpecificationError(f"generators: no factor {name!r}; {nearest(name, names)}")
        for parent in parents:
            if parent not in basic:
                raise SpecificationError(
                    f"generators: {name!r} is to follow {parent!r}, which is no basic factor; "
                    f"{nearest(parent, basic)}"
                )
        if len(set(parents)) < max(len(parents), 1):
            raise SpecificationError(
                f"generators: {name!r} is to follow {parents!r}; allowed: one or more factors, each once."
            )


def _smallest(names: Sequence[str], resolution: int) -> dict[str, tuple[str, ...]]:
    """Generators of the smallest fraction of a resolution; none where it takes all combinations."""
    k = len(names)
    for basic in range(1, k):
        room = 2**basic
        needed = {3: k + 1, 4: 2 * k}.get(resolution, 1 + k + k * (k - 1) // 2)
        found = _search(k, basic, resolution) if room >= needed else None
        if found is not None:
            return {
                names[basic + n]: tuple(names[index] for index in range(basic) if word >> index & 1)
                for n, word in enumerate(found)
            }
    return {}


def _search(k: int, basic: int, resolution: int) -> list[Word] | None:
    """Generators of k - basic factors, with the fewest short products; None if none were found."""
    words = [word for word in range(1, 2**basic) if word.bit_count() >= resolution - 1]
    words.sort(key=lambda word: (-word.bit_count(), word))
    best: tuple[list[int], list[Word]] | None = None
    effort = 0
    for chosen, group, looked in _sets(words, basic, k - basic, resolution):
        effort += looked
        if chosen is not None:
            lengths = [word.bit_count() for word in group]
            pattern = [lengths.count(size) for size in range(resolution, k + 1)]
            if best is None or pattern < best[0]:
                best = (pattern, chosen)
        if effort > EFFORT:
            break
    return best[1] if best else None


def _sets(
    words: Sequence[Word], basic: int, wanted: int, resolution: int
) -> Iterator[tuple[list[Word] | None, list[Word], int]]:
    """Sets of generators depth first; None for those that are given up; how many products were looked at."""
    stack: list[tuple[int, list[Word], list[Word]]] = [(0, [], [0])]
    while stack:
        start, chosen, group = stack.pop()
        if len(chosen) == wanted:
            yield chosen, group, len(group)
            continue
        deeper = []
        for at in range(start, len(words) - (wanted - len(chosen)) + 1):
            new = words[at] | 1 << (basic + len(chosen))
            more = [one ^ new for one in group]
            if all(one.bit_count() >= resolution for one in more):
                deeper.append((at + 1, [*chosen, words[at]], group + more))
            yield None, [], len(more)
        stack += reversed(deeper)
