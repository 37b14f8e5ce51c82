"""Questions row by row: which are the same, and some put in the place of others.

Whoever is shown the same, under the same noise, gives the same answer.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cloudchamber.counterfactual.channels import by_item, placed
from cloudchamber.errors import AnswerError
from cloudchamber.questions import Answers, Heard, Ints, Questions
from cloudchamber.trace.tables import Status

__all__ = ["answered", "picked_items", "put_questions", "same_answers", "same_questions", "wide"]

_SHOWN = ("channel", "item", "source", "latency", "value")
"""Of what is heard; which decision it comes from nobody is told."""


def same_questions(one: Questions, other: Questions) -> NDArray[np.bool_]:
    """(n,): of as many questions each, row by row, whether all that is shown is the same.

    That the rows are of the same moment, and so under the same noise, is for the caller to know.
    """
    if one.items.shape != other.items.shape or (one.kind, one.writing) != (
        other.kind,
        other.writing,
    ):
        return np.zeros(len(one), bool)
    same = np.asarray((one.items == other.items).all(axis=1))
    for name in {*one.signals, *other.signals}:
        unseen = np.full(one.items.shape, np.nan)
        same &= _equal(one.signals.get(name, unseen), other.signals.get(name, unseen)).all(axis=1)
    if one.labels is not None and other.labels is not None:
        same &= (one.labels == other.labels).all(axis=1)
    if one.taken is not None and other.taken is not None:
        same &= (one.taken.options == other.taken.options).all(axis=1)
        same &= (one.taken.noise == other.taken.noise).all(axis=1)
        same &= one.taken.decline == other.taken.decline
    return same & _same_heard(one.heard, other.heard)


def _equal(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((one == other) | (np.isnan(one) & np.isnan(other)))


def _same_heard(one: Heard, other: Heard) -> NDArray[np.bool_]:
    length = np.diff(one.offsets)
    same = np.asarray(length == np.diff(other.offsets))
    rows = np.flatnonzero(same & (length > 0))
    if not len(rows):
        return same
    mine, theirs = one.take(rows), other.take(rows)
    entry = np.ones(len(mine.item), bool)
    for name in _SHOWN:
        a, b = (np.asarray(getattr(part, name), np.float64) for part in (mine, theirs))
        entry &= _equal(a, b)
    for name in {*mine.results, *theirs.results}:
        unseen = np.full(len(entry), np.nan)
        entry &= _equal(mine.results.get(name, unseen), theirs.results.get(name, unseen))
    if mine.text is not None or theirs.text is not None:
        entry &= mine.words("text") == theirs.words("text")
        entry &= mine.words("name") == theirs.words("name")
    differ = np.bincount(mine.row()[~entry], minlength=len(rows)) > 0
    same[rows[differ]] = False
    return same


def put_questions(questions: Questions, rows: Ints, others: Questions) -> Questions:
    """Questions in which some rows are shown what others are; `rows` rises."""
    items = questions.items.copy()
    items[rows] = others.items
    signals = {}
    for name in dict.fromkeys([*questions.signals, *others.signals]):
        unseen = np.full(items.shape, np.nan)
        told = np.array(questions.signals.get(name, unseen))
        told[rows] = others.signals.get(name, unseen[rows])
        if not np.isnan(told).all():
            signals[name] = told
    labels = questions.labels
    if labels is not None and others.labels is not None:
        labels = labels.copy()
        labels[rows] = others.labels
    stay = ~np.isin(questions.heard.row(), rows)
    heard = [questions.heard.select(stay), placed(others.heard, rows, len(questions))]
    return replace(
        questions,
        items=items,
        signals=signals,
        labels=labels,
        heard=Heard.joined(heard, len(questions)),
        gaps=questions.gaps or others.gaps,
    )


def answered(answers: Answers) -> Answers:
    """The answers, if all were given; one that failed is no answer, and not the one to pick nothing.

    Raises:
        AnswerError: one has the status failed.
    """
    failed = np.flatnonzero(answers.statuses() == Status.failed)
    if len(failed):
        reasons = dict(answers.reasons)
        why = reasons.get(int(failed[0]), "no reason given")
        raise AnswerError(
            f"{len(failed)} of {len(answers.picks)} questions failed: {why} Ask again: what was answered is "
            "kept where there is a store."
        )
    return answers


def picked_items(questions: Questions, answers: Answers) -> Ints:
    """(n, m): the items picked, -1 from where it stopped."""
    picks = answers.picks
    items = np.take_along_axis(questions.items, np.maximum(picks, 0), axis=1)
    return np.where(picks >= 0, items, -1)


def same_answers(
    questions: Questions, answers: Answers, others: Questions, given: Answers
) -> NDArray[np.bool_]:
    """(n,): whether the same is done in answer to as many other questions, row by row."""
    one, other = picked_items(questions, answers), picked_items(others, given)
    width = max(one.shape[1], other.shape[1])
    same = np.asarray((wide(one, width) == wide(other, width)).all(axis=1))
    if answers.amounts is not None and given.amounts is not None:
        amounts = by_item(others.items, given.amounts, questions.items)
        same &= _equal(answers.amounts, amounts).all(axis=1)
    if answers.texts is not None and given.texts is not None:
        same &= np.array(answers.texts, object) == np.array(given.texts, object)
    return same


def wide(picks: Ints, width: int) -> Ints:
    """Picks filled up with -1."""
    return np.pad(picks, ((0, 0), (0, width - picks.shape[1])), constant_values=-1)
