"""Two options and private signs: what is drawn, what a choice does, what a prompt holds."""

import math

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds import Cascade


def test_signs_point_to_what_is_right_as_often_as_said() -> None:
    state = Cascade(precision=0.7).start(Opening.of(400, 50, seed=3))
    sign, right = state.given["sign"], state.more["right"].astype(int)
    assert sign.shape == (400, 50, 2) and (sign.sum(axis=2) == 1).all()
    true = sign[np.arange(400), :, right]
    assert true.mean() == pytest.approx(0.7, abs=4 * math.sqrt(0.21 / 20_000))
    assert right.mean() == pytest.approx(0.5, abs=4 * 0.5 / 20)
    # No more alike within a run than independent draws are.
    assert true.mean(axis=1).var() == pytest.approx(0.21 / 50, rel=0.3)


def test_signs_are_of_the_replicate_and_the_agent() -> None:
    world, group = Cascade(), np.zeros(5, np.int64)
    both = world.start(Opening(1, np.array([3, 8]), group))
    alone = world.start(Opening(1, np.array([8]), group))
    assert np.array_equal(both.given["sign"][1], alone.given["sign"][0])
    assert both.more["right"][1] == alone.more["right"][0]
    some = world.start(Opening(1, np.arange(40), group))
    certain = world.altered(precision=1.0).start(Opening(1, np.arange(40), group))
    assert np.array_equal(some.more["right"], certain.more["right"]), "precision moves no draw"
    points = certain.given["sign"].argmax(axis=2)
    assert (points == certain.more["right"][:, None]).all()


def test_a_right_choice_scores() -> None:
    world = Cascade()
    state = world.start(Opening.of(2, 2))
    right = state.more["right"].astype(int)
    item = np.array([right[0], 1 - right[0], right[1]])
    world.apply(state, Acts(np.array([0, 0, 1]), np.array([0, 1, 1]), item, np.array([0, 1, 0]), 0))
    assert state.score.tolist() == [[1, 0], [0, 1]]
    assert state.tally[0].tolist() == [1, 1] and state.tally[1, right[1]] == 1


def test_precision_is_that_of_a_sign_that_says_something() -> None:
    with pytest.raises(SpecificationError, match=r"precision.*0\.5"):
        Cascade(precision=0.4)


def glimpse(**parts: object) -> Glimpse:
    options = (
        Shown(1, "41", {"sign": 1.0, "choices": 3.0}),
        Shown(0, "17", {"sign": 0.0, "choices": 1.0}),
    )
    known: dict[str, object] = {
        "kind": Kind.choose,
        "options": options,
        "heard": (),
        "most": 1,
        "may_decline": False,
    }
    return Glimpse(**(known | parts))  # type: ignore[arg-type]


def test_in_words() -> None:
    prompt = Cascade(precision=0.7).prompt(glimpse())
    assert prompt.user == (
        "One of the two options is right. A fair coin decided which, and nobody knows. Everyone was given "
        "a private sign. It points to the right option with a probability of 70 %. Whoever chooses the "
        "right option earns one point.\n\n"
        "41: your sign points to it; chosen by 3 so far\n"
        "17: your sign does not point to it; chosen by 1 so far\n\n"
        "Which option do you choose? Answer with its code."
    )
    assert prompt.answers == ("41", "17")


def test_others_and_own_choices_in_words() -> None:
    heard = (
        Remembered("others", 1, 5, 0, math.nan),
        Remembered("others", 0, 2, 1, math.nan),
        Remembered("own", 1, 0, 2, math.nan),
        Remembered("own", 0, 0, 0, 3.0, total=True),
        Remembered("score", -1, -1, 0, 2.0),
    )
    told = Cascade().prompt(glimpse(heard=heard)).user
    assert (
        "Person 5 chose 41.\nPerson 2 chose 17 1 round ago.\nYou chose 41 2 rounds ago.\n"
        "You have chosen 17 3 times.\nYou have 2 points so far.\n41: "
    ) in told


def test_nothing_is_told_of_what_is_hidden() -> None:
    bare = tuple(Shown(item, label, {}) for item, label in ((1, "41"), (0, "17")))
    told = Cascade().prompt(glimpse(options=bare)).user
    assert "sign" not in told and "so far" not in told and "41\n17\n" in told


def test_the_other_wording_means_the_same() -> None:
    (name, other), *rest = Cascade().paraphrases().items()
    assert name == "urns" and not rest
    told = other.prompt(glimpse()).user
    assert "41: your ball bears its mark; chosen by 3 so far" in told and "66.7 %" in told
    assert list(other.paraphrases()) == ["signs"]
