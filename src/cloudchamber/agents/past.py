"""What agents remember of those they met, as arrays."""

from dataclasses import dataclass

import numpy as np

from cloudchamber.questions import Ints, Questions
from cloudchamber.trace.tables import Channel

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
    heard, rows = questions.heard, len(questions)
    # What is remembered as a tally has a value and is no single meeting.
    own = np.flatnonzero((heard.channel == Channel.own) & np.isnan(heard.value))
    row = heard.row()[own]
    after = np.append(heard.channel == Channel.met, False)[own + 1]
    met = np.where(after, np.append(heard.item, -1)[own + 1], -1)
    many = np.bincount(row, minlength=rows)
    width = max(int(many.max(initial=0)), 1)
    first = np.cumsum(many) - many
    column = width - many[row] + np.arange(len(own)) - first[row]
    whole = Met(np.full((rows, width), -1), np.full((rows, width), -1))
    whole.own[row, column], whole.other[row, column] = heard.item[own], met
    return whole
