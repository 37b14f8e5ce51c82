"""Parameters that differ by group or by context: one term, with values of its own at each level."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cloudchamber.mechanism.features import Features, Split
from cloudchamber.mechanism.shown import Shown
from cloudchamber.mechanism.single_terms import Single
from cloudchamber.mechanism.term import TermOf
from cloudchamber.microspec.value import Whole
from cloudchamber.questions import Reals

__all__ = ["By", "singles"]

Level = Whole | str


class By(TermOf):
    """A term whose parameters differ by group, by agent, or by another context of a decision.

    With `besides` set, decisions at that level have nothing of it: beside the same term for all, the
    parameters are then differences from that level, which `nested` can test.
    """

    kind: Literal["by"] = "by"
    term: Single
    """What differs; decisions at levels that are not listed follow it as it stands."""
    by: Annotated[str, Field(min_length=1)] = "group"
    """The context: "group", "agent", "step", or one that the choices were given by name."""
    levels: tuple[Level, ...] = ()
    """Its levels; filled in by `fit` where empty."""
    terms: tuple[Single, ...] = ()
    """The term at each level."""
    besides: Level | None = None
    """A level at which there is nothing of it; None: none such."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.levels) != len(self.terms):
            raise ValueError(
                f"terms: {len(self.terms)} given for {len(self.levels)} levels; give one for each"
            )
        if len(set(self.levels)) < len(self.levels) or self.besides in self.levels:
            raise ValueError("levels: one is given twice, or is that of `besides`; give each once")
        if len({type(level) for level in self.levels}) > 1:
            raise ValueError("levels: numbers and words are mixed; give either")
        if any(one.kind != self.term.kind for one in self.terms):
            raise ValueError(f"terms: all must be of the kind {self.term.kind!r}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the term, at each level."""
        return tuple(
            f"{name} [{self.by} {level}]"
            for level, term in zip(self.levels, self.terms, strict=True)
            for name in term.names
        )

    @property
    def values(self) -> tuple[float, ...]:
        """Those of the term at each level."""
        return tuple(value for term in self.terms for value in term.values)

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with other values."""
        terms, start = [], 0
        for term in self.terms:
            stop = start + len(term.names)
            terms.append(term.with_values(values[start:stop]))
            start = stop
        return self.altered(terms=tuple(terms))

    @property
    def starts(self) -> Mapping[int, tuple[float, ...]]:
        """Those of the term at each level."""
        found: dict[int, tuple[float, ...]] = {}
        start = 0
        for term in self.terms:
            found |= {start + at: values for at, values in term.starts.items()}
            start += len(term.names)
        return found

    @property
    def singly(self) -> bool:
        """Whether the term does."""
        return self.term.singly

    def log_weight(self, shown: Shown) -> Reals:
        """What the term adds at each decision's level, (n, k)."""
        whole = np.zeros(shown.item.shape)
        for rows, term in zip(*self._sets(shown), strict=True):
            if term is not None and len(rows):
                whole[rows] = term.log_weight(shown.where(rows))
        return whole

    def features(self, shown: Shown) -> Features:
        """The term's, each level's in its own columns."""
        sets = self._sets(shown)[0][: len(self.levels)]
        parts: list[Any] = [
            term.features(shown.where(rows)) for rows, term in zip(sets, self.terms, strict=True)
        ]
        return Split(tuple(sets), tuple(parts), shown.item.shape)

    def fitting(self, shown: Shown) -> Self:
        """With the levels that there are, and in each the parameters that it needs."""
        levels, terms = self.levels, self.terms
        if not levels:
            there = [_plain(level) for level in np.unique(shown.level(self.by))]
            levels = tuple(level for level in there if level != self.besides)
            terms = (self.term,) * len(levels)
        # Also what a level lacks, so that all have the same parameters.
        return self.altered(levels=levels, terms=tuple(term.fitting(shown) for term in terms))

    def prior(self) -> tuple[float, Reals, Reals] | None:
        """That of each level."""
        parts = [found for term in self.terms if (found := term.prior()) is not None]
        if not parts:
            return None
        total = sum(part[0] for part in parts)
        return (
            total,
            np.concatenate([part[1] for part in parts]),
            np.concatenate([part[2] for part in parts]),
        )

    def at(self, context: Mapping[str, Level]) -> "By | Single | None":
        """The term as it is at a level, where that is told; None where there is nothing of it."""
        if self.by not in context:
            return self
        level = context[self.by]
        if level == self.besides:
            return None
        known = dict(zip(self.levels, self.terms, strict=True))
        return known.get(level, self.term)

    def _sets(self, shown: Shown) -> tuple[list[NDArray[np.int64]], list[Any]]:
        """The rows of each level, of those at none, and of `besides`; and the term of each."""
        found = shown.level(self.by)
        number = np.full(len(found), len(self.levels))
        for at, level in enumerate(self.levels):
            number[found == level] = at
        if self.besides is not None:
            number[found == self.besides] = len(self.levels) + 1
        order = np.argsort(number, kind="stable")
        bounds = np.searchsorted(number[order], np.arange(1, len(self.levels) + 2))
        return np.split(order, bounds), [*self.terms, self.term, None]

    def equation(self) -> str:
        """What it adds at each level."""
        told = [
            f"{self.by} {level}: {term.equation()}"
            for level, term in zip(self.levels, self.terms, strict=True)
        ]
        if len(told) > 4:
            told = [*told[:3], f"{len(told) - 3} more"]
        return f"[{'; '.join(told) or f'{self.term.equation()} by {self.by}'}]"


def singles(term: TermOf) -> tuple[TermOf, ...]:
    """A term, or those that it is at its levels."""
    return (term.term, *term.terms) if isinstance(term, By) else (term,)


def _plain(level: Any) -> Level:
    plain: Level = level.item() if isinstance(level, np.generic) else level
    return plain
