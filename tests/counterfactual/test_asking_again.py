"""What if: probabilities before and after, and the pick under the same noise."""

from dataclasses import replace

import numpy as np
import pytest

from cloudchamber.agents import PositionOnly, SocialProof
from cloudchamber.counterfactual import (
    Absent,
    Moved,
    PastRuns,
    Raised,
    Shown,
    Unheard,
    Without,
    together,
    what_if,
)
from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.microspec import Affordances, Fixed, Simultaneous, Visibility
from cloudchamber.questions import Heard, Questions
from cloudchamber.testing import grown
from cloudchamber.worlds import Feed
from tests.counterfactual.specs import MODEL, SPECS, feed, models_for

LIKED = feed(
    SocialProof(),
    world=Feed.of(4, likes=(3.0, 1.0, 0.0, 0.0)),
    turns=Simultaneous(),
    visibility=Visibility(order=Fixed()),
)
"""Weights 4, 2, 1, 1: probabilities 1/2, 1/4, 1/8, 1/8."""


def test_without_likes_the_shift_is_the_closed_form() -> None:
    found = what_if(PastRuns(LIKED, range(400)), Without("likes"))
    assert len(found) == 400 * 6 and found.asked == 2400
    assert np.allclose(found.shift.before, [1 / 2, 1 / 4, 1 / 8, 1 / 8])
    assert np.allclose(found.shift.after, 1 / 4)
    assert np.allclose(found.shift.distance, 1 / 4)
    # Exponential clocks: an option that wins now loses then if its weight falls relative to another's.
    # P(same) = sum over i of 1 / sum over j of max(p_j / p_i, q_j / q_i).
    p, q = found.shift.before[0], found.shift.after[0]
    same = sum(1 / np.maximum(p / p[i], q / q[i]).sum() for i in range(4))
    moved = found.mean("moved")
    assert moved.low < 1 - same < moved.high
    assert found.shift.distance[0] < moved.value
    assert np.allclose(found.shift.pull[found.shift.picked[:, 0] == 0], 1 / 4)
    assert np.allclose(found.shift.pull[found.shift.picked[:, 0] == 3], -1 / 8)


def test_a_lower_count_of_one_item() -> None:
    found = what_if(PastRuns(LIKED), Raised("likes", -2.0, item=0), decisions=0)
    assert found.options().to_dict("list") == {
        "place": [1, 2, 3, 4],
        "item": [0, 1, 2, 3],
        "likes": [3, 1, 0, 0],
        "before": pytest.approx([1 / 2, 1 / 4, 1 / 8, 1 / 8]),
        "after": pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6]),
    }
    assert "was picked (probability 0." in str(found) and "distance 0.167" in str(found)
    never_below = what_if(PastRuns(LIKED), Raised("likes", -100.0), decisions=[0])
    assert np.allclose(never_below.shift.after, 1 / 4)


def test_an_absent_option_leaves_its_probability_to_the_others() -> None:
    found = what_if(PastRuns(LIKED, range(60)), Absent(0))
    assert np.allclose(found.shift.after, [0, 1 / 2, 1 / 4, 1 / 4])
    assert np.allclose(found.shift.distance, 1 / 2)
    picked, would = found.shift.picked[:, 0], found.shift.would[:, 0]
    # Under the same noise whoever picked another picks it again.
    assert (would[picked != 0] == picked[picked != 0]).all() and (would != 0).all()
    assert (found.shift.moved == (picked == 0)).all()


def test_what_a_rule_ignores_changes_nothing() -> None:
    spec = LIKED.replace("population.groups.0.decides", PositionOnly(width=2.0))
    found = what_if(PastRuns(spec, range(5)), Without("likes"))
    assert (found.shift.distance == 0).all() and not found.shift.moved.any()
    assert "30 decisions: 0 would have been others; mean distance 0" in str(found)


def test_an_option_moved_is_where_it_is_said_to_be() -> None:
    spec = LIKED.replace("population.groups.0.decides", PositionOnly(gate="hard", width=1.0))
    found = what_if(PastRuns(spec), together(Moved(2, 1), Shown("likes", 5.0)))
    assert (found.shift.picked[:, 0] == 0).all() and (found.shift.would[:, 0] == 2).all()
    with pytest.raises(SpecificationError, match="allowed: 1 to 4"):
        what_if(PastRuns(spec), Moved(2, 5))


@pytest.mark.parametrize(("item", "place"), [(0, 3), (3, 1), (2, 3), (1, 4), (9, 1)])
def test_the_others_move_over(item: int, place: int) -> None:
    questions = next(PastRuns(LIKED).asked(0)).questions
    rest = [other for other in range(4) if other != item]
    expected = [*rest[: place - 1], item, *rest[place - 1 :]] if item < 4 else rest
    moved = Moved(item, place)(questions)
    assert moved.items.tolist() == [expected]
    assert moved.signals["likes"].tolist() == [[[3.0, 1.0, 0.0, 0.0][one] for one in expected]]


def test_labels_that_are_names_stay_with_their_options() -> None:
    questions = next(PastRuns(LIKED).asked(0)).questions
    named = replace(questions, labels=np.array([[7, 3, 9, 1]]))
    assert Moved(0, 4)(named).labels.tolist() == [[3, 9, 1, 7]]  # type: ignore[union-attr]
    assert Absent(1)(named).labels.tolist() == [[7, 9, 1, 3]]  # type: ignore[union-attr]
    numbered = replace(questions, labels=np.array([[0, 1, 2, 3]]))
    assert Moved(0, 4)(numbered).labels.tolist() == [[0, 1, 2, 3]]  # type: ignore[union-attr]


def test_what_was_heard_can_be_unheard() -> None:
    heard = Heard(
        np.array([0, 3]),
        np.array([1, 1, 2], np.int8),
        np.array([4, 5, 5]),
        np.array([0, 2, 1]),
        np.array([10, 11, 12]),
        np.array([1, 1, 1]),
        np.full(3, np.nan),
    )
    questions = replace(next(PastRuns(LIKED).asked(0)).questions, heard=heard)

    def left(change: Unheard | Without) -> list[int]:
        return [int(one) for one in change(questions).heard.origin]

    assert left(Unheard()) == left(Without("others")) == [12]
    assert left(Unheard(item=5)) == [10, 12]
    assert left(Unheard(source=0)) == [11, 12]
    assert left(Unheard("own", origin=12)) == left(Without("own")) == [10, 11]
    with pytest.raises(
        SpecificationError, match="'likes' is not heard; allowed: others, own, score"
    ):
        left(Unheard("likes"))


def test_judged_alone_the_distance_is_that_of_the_probabilities() -> None:
    found = what_if(PastRuns(SPECS["judged"], range(3)), Shown("likes", 0.0))
    before, after = found.shift.before[:, 0], found.shift.after[:, 0]
    assert np.allclose(found.shift.distance, np.abs(before - after))
    assert (found.shift.distance > 0).any()
    with pytest.raises(SpecificationError, match="cannot be absent"):
        what_if(PastRuns(SPECS["judged"]), Absent(0))


def test_taken_or_left_one_by_one_any_difference_counts() -> None:
    spec = feed(
        SocialProof(base=0.1),
        world=Feed.of(3, likes=(4.0, 1.0, 0.0)),
        turns=Simultaneous(),
        affordances=Affordances(choose="any"),
    )
    found = what_if(PastRuns(spec, range(400)), Without("likes"))
    known = 1 - (1 - 0.4) * (1 - 0.1)
    assert np.allclose(found.shift.distance, known)
    moved = found.mean("moved")
    assert moved.low < known < moved.high


@pytest.mark.parametrize("name", ["polya", "model", "neighbours", "judged", "several"])
def test_from_a_trace_the_decider_repeats_what_is_on_record(name: str) -> None:
    spec = SPECS[name]
    trace = grown(spec, seed=4, replicates=(0, 1, 2), models=models_for(spec))
    plain = what_if(PastRuns(spec, (0, 2), seed=4, models=models_for(spec)), Without("likes"))
    told = what_if(
        PastRuns(spec, (0, 2), seed=4, models=models_for(spec), trace=trace), Without("likes")
    )
    assert told.repeats == 1.0
    assert told.asked == 2 * plain.asked
    assert told.table().equals(plain.table())


def test_another_decider_does_not_repeat_it() -> None:
    trace = grown(LIKED, replicates=range(20))
    other = LIKED.replace("population.groups.0.decides", SocialProof(strength=5.0))
    with pytest.raises(TraceError, match="no replicate 0 of this specification"):
        what_if(PastRuns(other, range(20), trace=trace), Without("likes"))
    with pytest.raises(TraceError, match="no replicate 20 "):
        what_if(PastRuns(LIKED, (1, 20), seed=20_261_123, trace=trace), Without("likes"))
    with pytest.raises(SpecificationError, match="one by one"):
        PastRuns(SPECS["one by one"], trace=trace)


def test_a_model_is_asked_once_for_each_decision_changed() -> None:
    fake = models_for(SPECS["model"])
    assert fake is not None
    runs = PastRuns(SPECS["model"], models=fake)
    found = what_if(runs, Without("likes"), decisions=[5, 7])
    assert found.asked == 2 and len(fake[MODEL].asked) == 8 + 2
    assert found.table()["decision"].tolist() == [5, 7]
    assert (found.shift.distance > 0).all()
    assert np.allclose(found.shift.before.sum(axis=1), 1)


def test_a_sampled_answer_has_no_distance_but_may_be_another() -> None:
    spec = SPECS["sampled"]
    found = what_if(PastRuns(spec, range(4), models=models_for(spec)), Without("likes"))
    assert np.isnan(found.shift.distance).all()
    assert found.shift.moved.any() and (found.shift.picked >= 0).all()


def test_no_such_decision_is_said() -> None:
    with pytest.raises(SpecificationError, match="decision: 77 given"):
        what_if(PastRuns(LIKED), Without("likes"), decisions=[0, 77])


def test_nominations_are_left_out() -> None:
    found = what_if(PastRuns(SPECS["named"]), Without("likes"))
    assert len(found) == 12

    def blind(questions: Questions) -> Questions:
        assert questions.kind.name != "next"
        return questions

    assert not what_if(PastRuns(SPECS["named"]), blind).shift.moved.any()
