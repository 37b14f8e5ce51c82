"""Answers out of parts, and parts of answers."""

import numpy as np

from cloudchamber.questions import Answers, joined_answers, some_answers
from cloudchamber.trace.tables import Readout, Status

ASKED = Answers(
    np.array([[1], [-1]], np.int32),
    np.array([[0.2, 0.8], [np.nan, np.nan]]),
    np.array([0.0, 0.5]),
    np.array([Status.ok, Status.refused], np.int8),
    np.array([Readout.exact, Readout.sampled], np.uint8),
    np.array([0.3, np.nan]),
    ("what?", "who?"),
    ("B", "no"),
    np.array([7, 8]),
    ("", "again"),
    ((1, "it would not"),),
)
RULE = Answers(np.array([[0, 1]], np.int32), np.array([[0.5, 0.5]]))


def same(one: Answers, other: Answers) -> bool:
    for name in ("picks", "weights", "decline", "mass", "tokens"):
        a, b = getattr(one, name), getattr(other, name)
        if (a is None) != (b is None) or (
            a is not None and not np.array_equal(a, b, equal_nan=True)
        ):
            return False
    return (
        one.statuses().tolist() == other.statuses().tolist()
        and np.array_equal(
            np.broadcast_to(one.readout, len(one.picks)), np.broadcast_to(other.readout, len(one.picks))
        )
        and (one.prompts, one.completions, one.notes) == (other.prompts, other.completions, other.notes)
        and one.reasons == other.reasons
    )  # fmt: skip


def test_what_is_taken_apart_is_put_together_again() -> None:
    parts = [(np.array([1]), some_answers(ASKED, np.array([1])))]
    parts.append((np.array([0]), some_answers(ASKED, np.array([0]))))
    assert same(joined_answers(2, parts), ASKED)
    turned = some_answers(ASKED, np.array([1, 0]))
    assert turned.reasons == ((0, "it would not"),) and turned.prompts == ("who?", "what?")
    assert same(some_answers(turned, np.array([1, 0])), ASKED)


def test_one_part_that_answers_all_is_the_answer() -> None:
    assert joined_answers(1, [(np.array([0]), RULE)]) is RULE


def test_what_a_part_lacks_is_unknown_in_its_rows() -> None:
    whole = joined_answers(3, [(np.array([2, 0]), ASKED), (np.array([1]), RULE)])
    assert whole.picks.tolist() == [[-1, -1], [0, 1], [1, -1]]
    assert whole.mass is not None and np.isnan(whole.mass[1]) and whole.mass[2] == 0.3
    assert whole.statuses().tolist() == [Status.refused, Status.ok, Status.ok]
    assert isinstance(whole.readout, np.ndarray)
    assert whole.readout.tolist() == [Readout.sampled, Readout.rule, Readout.exact]
    assert whole.prompts == ("who?", "", "what?")
    assert whole.reasons == ((0, "it would not"),)
    assert whole.amounts is None and whole.decline is not None and whole.decline[1] == 0
