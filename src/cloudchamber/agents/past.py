"""What agents remember of those they met, as arrays."""

from dataclasses import dataclass

import numpy as np

from cloudchamber.questions import Ints, Questions

__all__ = ["Met", "meetings"]


@dataclass(frozen=True, slots=True)
class Met:
    """The meetings that each row remembers, the latest last; what was never is -1."""

    own: Ints
    """(rows, meetings): the item that the agent chose."""
    other: Ints
    """(rows, meetings): the item that the other chose; -1 too where that is not known."""


def meetings(questions: Questions) -> Met:
    """The remembered meetings of a batch, as far as they are shown; at least one column of them."""
    own = questions.heard.own
    none = np.full((1, len(questions)), -1)
    if own.often is not None:  # what is remembered as a tally is no single meeting
        return Met(none.T, none.T)
    return Met(own.item.T, none.T if own.met is None else own.met.T)
