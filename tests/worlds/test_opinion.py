"""A question with two answers: who stands by what at the start, what an answer does, what a prompt holds."""

import math

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds import Opinion


@pytest.mark.parametrize("up", [0.0, 0.3, 1.0])
def test_opinions_are_drawn(up: float) -> None:
    state = Opinion(up=up).start(Opening.of(20, 200, seed=1))
    assert state.held is not None
    share = state.held.mean()
    assert abs(share - up) <= 4 * math.sqrt(up * (1 - up) / 4000)
    assert np.allclose(state.more["opinion"], 2 * state.held.mean(axis=1) - 1)
    assert (state.tally.sum(axis=1) == 200).all()


def test_who_answers_stands_by_it() -> None:
    world = Opinion(up=0)
    state = world.start(Opening.of(1, 4))
    some = np.array([0, 2])
    world.apply(state, Acts(np.zeros(2, np.int64), some, np.ones(2, np.int64), some, 0))
    assert state.tally.tolist() == [[2, 2]] and state.more["opinion"] == 0


def test_answers_differ() -> None:
    with pytest.raises(SpecificationError, match="'Zel' given twice"):
        Opinion(answers=("Zel", "Zel "))


def test_in_words() -> None:
    options = (Shown(1, "41", {"people": 7.0}), Shown(0, "17", {"people": 3.0}))
    heard = (
        Remembered("others", 1, 5, 1, math.nan),
        Remembered("own", 0, 0, 1, math.nan),
        Remembered("own", 0, 0, 1, 2.0, total=True),
    )
    world = Opinion(question="Tea or coffee?", answers=("Tea", "Coffee"))
    assert world.prompt(Glimpse(Kind.choose, options, heard, 1, False)).user == (
        "Tea or coffee?\n\n"
        "Person 5 answered Coffee (1 round ago).\nYou answered Tea (1 round ago).\n"
        "You answered Tea 2 times.\n"
        "41: Coffee; now given by 7 of those you see\n17: Tea; now given by 3 of those you see\n\n"
        "Which answer do you give? Answer with its code."
    )
    ((name, other),) = world.paraphrases().items()
    assert name == "members" and list(other.paraphrases()) == ["people"]
    bare = tuple(Shown(one.item, one.label, {}) for one in options)
    assert "41: Coffee\n17: Tea" in other.prompt(Glimpse(Kind.choose, bare, (), 1, False)).user


def test_answers_called_by_their_own_words() -> None:
    options = (Shown(1, "Vom", {"people": 7.0}), Shown(0, "Zel", {"people": 3.0}))
    prompt = Opinion().prompt(Glimpse(Kind.choose, options, (), 1, False))
    assert "Vom: now given by 7" in prompt.user and prompt.answers == ("Vom", "Zel")
