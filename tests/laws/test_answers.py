"""Answers that break the contract are refused, with what is wrong in words."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from cloudchamber.errors import AnswerError
from cloudchamber.questions import Answers, Choose
from tests.questions.test_drawing import questions

BAD: Mapping[str, tuple[Choose, Callable[[], Answers]]] = {
    "picked an option outside 0..2": (Choose(), lambda: Answers(np.array([[0], [3]], np.int32))),
    "answered \\(1, 1\\) picks to 2": (Choose(), lambda: Answers(np.array([[0]], np.int32))),
    "more than the 1 option": (Choose(), lambda: Answers(np.array([[0, 1], [1, -1]], np.int32))),
    "the same option twice": (
        Choose("up to", 2),
        lambda: Answers(np.array([[0, 1], [1, 1]], np.int32)),
    ),
    "after it stopped": (
        Choose("up to", 2),
        lambda: Answers(np.array([[0, 1], [-1, 1]], np.int32)),
    ),
    "must be finite, not negative": (
        Choose(),
        lambda: Answers(np.array([[0], [1]], np.int32), np.array([[1, -1, 0], [0, 1, 0.0]])),
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_answers_that_break_the_contract(message: str) -> None:
    choose, made = BAD[message]
    with pytest.raises(AnswerError, match=message):
        made().check(questions(2, 3, choose))
