"""What the engine asks and what it is answered, a batch at a time, as columns."""

from cloudchamber.questions.answered import Answers
from cloudchamber.questions.asked import (
    Address,
    Choose,
    Ints,
    Questions,
    Reals,
    Scale,
    Taken,
    Writing,
)
from cloudchamber.questions.drawing import draw, taken_after
from cloudchamber.questions.heard import Heard, Texts
from cloudchamber.questions.joining import joined_answers, some_answers
from cloudchamber.questions.own import Own

__all__ = [
    "Address",
    "Answers",
    "Choose",
    "Heard",
    "Ints",
    "Own",
    "Questions",
    "Reals",
    "Scale",
    "Taken",
    "Texts",
    "Writing",
    "draw",
    "joined_answers",
    "some_answers",
    "taken_after",
]
