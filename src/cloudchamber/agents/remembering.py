"""Rules for agents that meet: what they do follows from what they remember of their meetings.

Each goes by what memory shows: the own act of each meeting, and what the other did in it. Where the other's
acts are hidden nothing is known of any meeting.
"""

from functools import lru_cache, reduce
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloudchamber.agents.look_up_tables import LLAMA_3, Table
from cloudchamber.agents.rules import Rule
from cloudchamber.microspec.value import Real, Whole
from cloudchamber.questions import Ints, Own, Questions, Reals

__all__ = ["LookUp", "MajorityOfMemory", "remembered"]

_Row = tuple[
    Annotated[Whole, Field(ge=0)],
    Annotated[Whole, Field(ge=0)],
    Annotated[Whole, Field(ge=0)],
    Annotated[Real, Field(ge=0, le=1)],
]


class LookUp(Rule):
    """Looks up the probability of one item by the meetings remembered, and by who chose it in how many.

    What the table lacks is (P + O) / 2L, the item's share of all choices remembered, and 1 over the number of
    options with nothing in memory; the rest goes to the other options alike. The default is how
    Llama-3-70B named things in the published runs of Ashery, Aiello & Baronchelli 2025.
    """

    kind: Literal["look-up"] = "look-up"
    table: tuple[_Row, ...] = LLAMA_3
    """Rows of: meetings in memory L; of these, with the item by the partner P, and by oneself O; the
    probability of the item."""
    item: Annotated[Whole, Field(ge=0)] = 1
    """The item the table is about, counted from 0."""

    def weights(self, questions: Questions) -> Reals:
        """The probability of each option."""
        here = questions.items == self.item
        offered = reduce(np.logical_or, here.T)  # rows are short
        others = questions.options() - offered
        met, own, length = remembered(questions, self.item)
        p = self._chance(length, met, own, 1 / np.maximum(others + 1, 1))
        rest = np.where(offered, 1 - p, 1.0) / np.maximum(others, 1)
        weights = np.where(here, p[:, None], rest[:, None])
        return np.where(questions.items >= 0, weights, 0.0) if questions.gaps else weights

    def inclusion(self, questions: Questions) -> Reals:
        """The same, where each is judged on its own."""
        return self.weights(questions)

    def _chance(self, length: Ints, met: Ints, own: Ints, at_first: Reals) -> Reals:
        """(rows,): the probability of the item; `at_first` where nothing is known and remembered."""
        known = _cube(self.table)
        most = len(known)
        within = np.minimum(length, most - 1)
        told = known[within, np.minimum(met, within), np.minimum(own, within)]
        told[length >= most] = np.nan
        lacking = np.flatnonzero(np.isnan(told))
        some = [part[lacking] for part in (met, own, length)]
        known_of = some[2] > 0
        share = np.divide(some[0] + some[1], 2 * some[2], out=at_first[lacking], where=known_of)
        told[lacking] = share
        return np.asarray(told)

    def aloud(self) -> str:
        """The rule in words."""
        how = "the published table of Llama-3-70B" if self.table == LLAMA_3 else "a table"
        return f"a rule that looks up its choice in {how}, by what it remembers of item {self.item}"


class MajorityOfMemory(Rule):
    """Chooses what the others chose most often in the meetings it remembers: the best answer to their past.

    Of items that were chosen equally often each is as likely, as is each option when nothing is remembered.
    """

    kind: Literal["majority-of-memory"] = "majority-of-memory"
    noise: Annotated[Real, Field(ge=0, le=1)] = 0.0
    """The probability of choosing at random instead."""

    def weights(self, questions: Questions) -> Reals:
        """The probability of each option."""
        there = questions.items >= 0
        own, rows = questions.heard.own, len(questions)
        met = np.full((1, rows), -1) if own.met is None else own.met
        items = max(int(questions.items.max(initial=0)), int(met.max(initial=0))) + 1
        known = met >= 0
        cell = (np.arange(rows) * items + met)[known]
        often = None if own.often is None else own.often[known]
        counts = np.bincount(cell, often, minlength=rows * items).reshape(-1, items)
        shown = np.take_along_axis(counts, np.maximum(questions.items, 0), axis=1)
        best = there & (shown == np.where(there, shown, -1).max(axis=1, keepdims=True))
        even = there / np.maximum(there.sum(axis=1, keepdims=True), 1)
        most = best / np.maximum(best.sum(axis=1, keepdims=True), 1)
        return np.asarray((1 - self.noise) * most + self.noise * even)

    def inclusion(self, questions: Questions) -> Reals:
        """The same, where each is judged on its own."""
        return self.weights(questions)

    def aloud(self) -> str:
        """The rule in words."""
        noise = f", but at random with probability {self.noise:g}" if self.noise else ""
        return f"a rule that chooses what those it remembers meeting chose most often{noise}"


def remembered(questions: Questions, item: int) -> tuple[Ints, Ints, Ints]:
    """By row, of the meetings in memory: those in which the other, and oneself, chose an item; and all."""
    own = questions.heard.own
    if own.met is None:
        none = np.zeros(len(questions), np.int64)
        return none, none, none
    length = _counted(own.met >= 0, own)
    mine = _counted(own.item == item, own)
    return _counted(own.met == item, own), np.where(length > 0, mine, 0), length


@lru_cache(maxsize=32)
def _cube(table: Table) -> Reals:
    """The table by L, P and O; NaN for what it lacks."""
    most = max((row[0] for row in table), default=0) + 1
    known = np.full((most, most, most), np.nan)
    for rounds, partner, oneself, p in table:
        if max(partner, oneself) <= rounds:
            known[rounds, partner, oneself] = p
    return known


def _counted(which: NDArray[np.bool_], own: Own) -> Ints:
    """How many of each row's acts."""
    if own.often is None:
        # Added up as narrow as they fit, which processors do many at a time.
        narrow = np.int8 if len(which) < 128 else np.int32
        return np.asarray(which.view(np.int8).sum(axis=0, dtype=narrow).astype(np.int32))
    return np.asarray(np.where(which, own.often, 0.0).sum(axis=0).astype(np.int32))
