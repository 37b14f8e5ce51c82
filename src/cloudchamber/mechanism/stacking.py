"""Many draws of one mechanism that answer a batch together, each row by the draw that it belongs to.

What differs between draws are numbers: most terms take them row by row, at no cost; others are worked out
for each draw.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.mechanism.mechanisms import ConsiderThenChoose, Mechanism
from cloudchamber.mechanism.memory_terms import MemoryTable, Reinforcement
from cloudchamber.mechanism.place_terms import FallOff, Gate
from cloudchamber.mechanism.shown import Shown
from cloudchamber.mechanism.social_terms import Signal
from cloudchamber.mechanism.term import Strength, TermOf
from cloudchamber.microspec import Decider
from cloudchamber.questions import Answers, Ints, Questions, Reals

__all__ = ["Stacked", "stacked"]


def stacked(deciders: Sequence[Decider]) -> "Stacked | None":
    """Draws of one mechanism as one; None where they are not that, or may choose nothing."""
    mechanisms = [one for one in deciders if isinstance(one, Mechanism) and one.decline is None]
    if len(mechanisms) < len(deciders) or len({type(one) for one in mechanisms}) > 1:
        return None
    shapes = {tuple(type(part) for part in one.parts) for one in mechanisms}
    return Stacked(mechanisms) if len(shapes) == 1 else None


class Stacked:
    """Draws of one mechanism."""

    def __init__(self, mechanisms: Sequence[Mechanism]) -> None:
        self.first = mechanisms[0]
        self.terms = [
            _Drawn([one.terms[at] for one in mechanisms]) for at in range(len(self.first.terms))
        ]
        self.appeal = np.array([one.appeal for one in mechanisms])
        self.considered = None
        if isinstance(self.first, ConsiderThenChoose):
            gates = [one.considered for one in mechanisms if isinstance(one, ConsiderThenChoose)]
            self.considered = _Drawn(gates)

    def answer(self, questions: Questions, draw: Ints) -> Answers:
        """Answer a batch.

        Args:
            questions: n rows.
            draw: (n,), the draw that decides each row.
        """
        changed: dict[str, Any] = {"terms": tuple(one.at(draw) for one in self.terms)}
        changed["appeal"] = self.appeal[draw][:, None]
        if self.considered is not None:
            changed["considered"] = self.considered.at(draw)
        # Unchecked: numbers by row are no value of a specification.
        return self.first.model_copy(update=changed).answer(questions)


class _Drawn:
    """A term under each draw."""

    def __init__(self, terms: Sequence[Any]) -> None:
        self.terms = terms
        self.alike = all(one == terms[0] for one in terms)
        self.fields: dict[str, Reals] = {}
        for name in _numbers(terms[0]):
            given = {getattr(one, name) for one in terms}
            if len(given) > 1 and len({np.size(one) for one in given}) == 1:
                told = np.array([getattr(one, name) for one in terms])
                self.fields[name] = told.reshape(len(terms), -1)
        known = all(self._same(one) for one in terms)
        self.by_row = bool(self.fields) and known

    def _same(self, term: TermOf) -> bool:
        """Whether a term differs from the first in its numbers alone."""
        return bool(
            term.model_copy(update={name: getattr(self.terms[0], name) for name in self.fields})
            == self.terms[0]
        )

    def at(self, draw: Ints) -> Any:
        """What adds to the log weights of rows."""
        if self.alike:
            return self.terms[0]
        if self.by_row:
            rows = {name: values[draw] for name, values in self.fields.items()}
            return self.terms[0].model_copy(update=rows)
        return _Each(self.terms, draw)


def _numbers(term: TermOf) -> tuple[str, ...]:
    """The fields of a term that may as well be an array, a number (of a table: numbers) a row."""
    if isinstance(term, Reinforcement):
        return ("strength", "start", "keep")
    if isinstance(term, MemoryTable):
        return ("effects",)
    if isinstance(term, Signal):
        return ("strength", "half")
    if isinstance(term, Strength):
        return ("strength",)
    if isinstance(term, FallOff):
        return ("rate",)
    return ("beyond",) if isinstance(term, Gate) else ()


class _Each:
    """A term that is worked out for each draw."""

    def __init__(self, terms: Sequence[TermOf], draw: Ints) -> None:
        self.terms, self.draw = terms, draw

    def log_weight(self, shown: Shown) -> NDArray[np.float64]:
        """(n, k): what it adds, row by row."""
        whole = np.zeros(shown.item.shape)
        for at in np.unique(self.draw):
            rows = np.flatnonzero(self.draw == at)
            whole[rows] = self.terms[at].log_weight(shown.where(rows))
        return whole
