"""Answers row by row: some rows of a batch's answers, and a batch's answers out of those of its parts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.questions.answered import Answers
from cloudchamber.questions.asked import Ints
from cloudchamber.trace.tables import Readout, Status

__all__ = ["joined_answers", "some_answers"]

_FILLS: dict[str, float] = {
    "weights": np.nan,
    "decline": 0.0,
    "mass": np.nan,
    "tokens": 0,
    "amounts": np.nan,
    "chances": np.nan,
}
"""What stands in the rows of those who gave none of it."""
_TEXTS = ("prompts", "completions", "notes", "texts")


def some_answers(answers: Answers, rows: Ints) -> Answers:
    """The answers of some rows, in the order of `rows`."""
    some = Answers(answers.picks[rows], readout=answers.readout)
    for name in (*_FILLS, "status"):
        given = getattr(answers, name)
        setattr(some, name, None if given is None else given[rows])
    if isinstance(answers.readout, np.ndarray):
        some.readout = answers.readout[rows]
    for name in _TEXTS:
        told = getattr(answers, name)
        setattr(some, name, None if told is None else tuple(told[row] for row in rows.tolist()))
    reasons = dict(answers.reasons)
    some.reasons = tuple(
        (at, reasons[row]) for at, row in enumerate(rows.tolist()) if row in reasons
    )
    return some


def joined_answers(rows: int, parts: Sequence[tuple[Ints, Answers]]) -> Answers:
    """The answers of a batch; each part answers some of its rows, and what it lacks is unknown there."""
    if len(parts) == 1 and np.array_equal(parts[0][0], np.arange(rows)):
        return parts[0][1]
    width = max(answers.picks.shape[1] for _, answers in parts)
    whole = Answers(np.full((rows, width), -1, np.int32))
    for at, answers in parts:
        whole.picks[at, : answers.picks.shape[1]] = answers.picks
    for name, fill in _FILLS.items():
        if any(getattr(answers, name) is not None for _, answers in parts):
            setattr(whole, name, _matrix(rows, parts, name, fill))
    if any(answers.status is not None for _, answers in parts):
        whole.status = np.full(rows, Status.ok, np.int8)
        for at, answers in parts:
            whole.status[at] = answers.statuses()
    whole.readout = np.full(rows, Readout.rule, np.uint8)
    for at, answers in parts:
        whole.readout[at] = answers.readout
    for name in _TEXTS:
        if any(getattr(answers, name) is not None for _, answers in parts):
            setattr(whole, name, _texts(rows, parts, name))
    whole.reasons = tuple(
        (int(at[row]), reason) for at, answers in parts for row, reason in answers.reasons
    )
    return whole


def _matrix(
    rows: int, parts: Sequence[tuple[Ints, Answers]], name: str, fill: float
) -> NDArray[Any]:
    first = next(getattr(one, name) for _, one in parts if getattr(one, name) is not None)
    matrix = np.full((rows, *first.shape[1:]), fill, first.dtype)
    for at, answers in parts:
        given = getattr(answers, name)
        if given is not None:
            matrix[at] = given
    return matrix


def _texts(rows: int, parts: Sequence[tuple[Ints, Answers]], name: str) -> tuple[str, ...]:
    told = [""] * rows
    for at, answers in parts:
        for place, text in zip(at.tolist(), getattr(answers, name) or (), strict=False):
            told[place] = text
    return tuple(told)
