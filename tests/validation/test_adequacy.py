"""The three verdicts: each rule at its boundaries, with the words that it gives."""

from dataclasses import replace
from math import nan

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.measures.estimate import Estimate
from cloudchamber.validation.adequacy import (
    Contrast,
    Criterion,
    Regrown,
    Rival,
    descriptive,
    explanatory,
    observational,
)
from cloudchamber.validation.comparison import Comparison, side_by_side
from cloudchamber.validation.permutation import Distance
from cloudchamber.validation.published import MUSICLAB


def estimate(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 12)


UNKNOWN = Estimate(0.5, nan, nan, 1)


@pytest.mark.parametrize(
    ("interval", "above", "answer"),
    [
        (estimate(0.31, 0.4), True, "met"),
        (estimate(0.3, 0.4), True, "undecided"),
        (estimate(0.2, 0.4), True, "undecided"),
        (estimate(0.1, 0.29), True, "not met"),
        (estimate(0.1, 0.29), False, "met"),
        (estimate(0.31, 0.4), False, "not met"),
        (UNKNOWN, True, "undecided"),
    ],
)
def test_a_phenomenon_is_grown_if_its_interval_is_beyond_the_bound(
    interval: Estimate, above: bool, answer: str
) -> None:
    verdict = descriptive([Criterion("The Gini coefficient", interval, 0.3, above)])
    assert verdict.answer == answer
    assert "0.3" in verdict.because[0]
    assert verdict.sentence().startswith(f"Descriptive adequacy: {answer}. The Gini coefficient is")


def test_every_criterion_is_needed() -> None:
    good, open_, bad = (Criterion("x", estimate(*ends), 0) for ends in ((1, 2), (-1, 1), (-2, -1)))
    assert descriptive([good, good]).answer == "met"
    assert descriptive([good, open_]).answer == "undecided"
    assert descriptive([good, open_, bad]).answer == "not met"
    assert descriptive([]).answer == "no evidence"


def test_a_doubt_leaves_the_question_open_either_way() -> None:
    doubt = "The agents did not see the likes."
    for ends in ((1, 2), (-2, -1)):
        verdict = descriptive([Criterion("x", estimate(*ends), 0)], [doubt])
        assert verdict.answer == "undecided"
        assert doubt in verdict.because
    contrast = Contrast("likes: hidden instead of shown", estimate(0.1, 0.2))
    rival = Rival("position only", estimate(0.1, 0.2))
    assert explanatory([contrast], [rival], [doubt]).answer == "undecided"


RIVAL = Rival("position only", estimate(0.01, 0.03))
AGAIN = Regrown("sufficient", "It grows again.")


@pytest.mark.parametrize(
    ("difference", "rivals", "answer"),
    [
        (estimate(0.1, 0.2), [RIVAL], "met"),
        (estimate(0.1, 0.2), None, "undecided"),
        (estimate(0.1, 0.2), [], "undecided"),
        (estimate(0.1, 0.2), [RIVAL, Rival("r", estimate(-0.1, 0.1))], "undecided"),
        (estimate(0.1, 0.2), [RIVAL, Rival("r", estimate(-0.2, -0.1))], "not met"),
        (estimate(-0.1, 0.2), [RIVAL], "undecided"),
        (estimate(-0.2, -0.1), [RIVAL], "not met"),
        (UNKNOWN, [RIVAL], "undecided"),
    ],
)
def test_an_explanation_needs_its_parts_and_beats_its_rivals(
    difference: Estimate, rivals: list[Rival] | None, answer: str
) -> None:
    verdict = explanatory(
        [Contrast("likes: hidden instead of shown", difference)], rivals, regrown=AGAIN
    )
    assert verdict.answer == answer
    way = "rises by" if difference.value < 0 and difference.known else "falls by"
    assert verdict.because[0].startswith(f"With likes: hidden instead of shown, the excess {way}")
    assert "by -" not in verdict.because[0]
    assert ("Rival mechanisms were not compared." in verdict.because) is not bool(rivals)


def test_a_part_whose_removal_changes_less_than_matters_is_not_needed() -> None:
    tiny = estimate(0.001, 0.004)
    assert explanatory([Contrast("x", tiny)], [RIVAL], regrown=AGAIN).answer == "met"
    assert (
        explanatory([Contrast("x", tiny, least=0.05)], [RIVAL], regrown=AGAIN).answer == "not met"
    )
    assert explanatory([Contrast("x", estimate(0.01, 0.2), least=0.05)], [RIVAL]).answer == (
        "undecided"
    )


def test_without_contrasts_there_is_no_explanation_to_judge() -> None:
    assert explanatory([]).answer == "no evidence"
    assert explanatory([], [RIVAL], regrown=AGAIN).answer == "undecided"


@pytest.mark.parametrize(
    ("regrown", "answer"),
    [
        (AGAIN, "met"),
        (Regrown("not sufficient", "It grows something else."), "not met"),
        (Regrown("cannot tell", "Who knows."), "undecided"),
        (None, "undecided"),
    ],
)
def test_what_fits_and_does_not_regrow_does_not_explain(
    regrown: Regrown | None, answer: str
) -> None:
    verdict = explanatory([Contrast("x", estimate(0.1, 0.2))], [RIVAL], regrown=regrown)
    assert verdict.answer == answer
    said = regrown.because if regrown else "No fitted mechanism was put in the agents' place"
    assert said in " ".join(verdict.because)


def test_a_rival_that_holds_the_hypothesis_has_to_do_better() -> None:
    part = [Contrast("x", estimate(0.1, 0.2))]
    for ends, answer in (((-0.1, 0.1), "met"), ((-0.2, -0.1), "not met"), ((0.1, 0.2), "met")):
        wider = Rival("wider", estimate(*ends), holds=True)
        assert explanatory(part, [wider], regrown=AGAIN).answer == answer


def test_what_the_choices_do_not_tell_is_said() -> None:
    part = [Contrast("x", estimate(0.1, 0.2))]
    told = explanatory(part, [RIVAL], regrown=AGAIN, unknown=["cannot tell a"])
    assert told.answer == "met"
    assert "the choices do not tell all: cannot tell a." in told.because[-1]


def distance(p: float, smallest: float = 0.001) -> Distance:
    return Distance("Distribution of shares", "share", 0.2, 0.1, 0.1, 0.1, p, smallest, 10, 8)


def comparison(
    field_shift: float = 0.0, shape: float = 0.4, course: Distance | None = None
) -> Comparison:
    simulated = [0.30, 0.31, 0.32, 0.33]
    beside = side_by_side("Gini of final shares", simulated, [x + field_shift for x in simulated])
    empty = pd.DataFrame()
    return Comparison((beside,), distance(shape), course, empty, empty, ("World v: a note.",))


def test_observation_needs_agreement_within_a_tolerance_stated_beforehand() -> None:
    verdict = observational(comparison(), tolerance=0.12)
    assert verdict.answer == "met"
    assert "World v: a note." in verdict.because
    assert observational(comparison(), tolerance=0.1).answer == "undecided"
    without = observational(comparison())
    assert without.answer == "undecided"
    assert any("No tolerance was stated" in sentence for sentence in without.because)


def test_observation_fails_on_any_difference_found() -> None:
    assert observational(comparison(field_shift=0.5), tolerance=9).answer == "not met"
    assert observational(comparison(shape=0.01), tolerance=9).answer == "not met"
    assert observational(comparison(course=distance(0.01)), tolerance=9).answer == "not met"


def test_the_level_is_shared_between_the_tests() -> None:
    assert observational(comparison(shape=0.04), tolerance=9).answer == "not met"
    assert observational(comparison(shape=0.04, course=distance(0.5)), 9).answer == "met"


def test_a_test_that_could_not_fail_decides_nothing() -> None:
    found = replace(comparison(), shape=distance(0.2, smallest=0.1))
    assert observational(found, tolerance=9).answer == "undecided"


def test_without_field_data_published_numbers_decide_nothing() -> None:
    verdict = observational(None, published=[MUSICLAB.sentence()])
    assert verdict.answer == "no evidence"
    assert verdict.because[0] == "No field data have been given yet."
    assert verdict.because[1].startswith("For comparison, not as evidence: among 14,341")
    assert "read in its abstract" in verdict.because[1]
    assert verdict.overturn


@given(
    ends=st.lists(
        st.tuples(st.floats(-1, 1), st.floats(0, 1)).map(lambda t: (t[0], t[0] + t[1])), min_size=1
    )
)
def test_a_wider_interval_never_decides_more(ends: list[tuple[float, float]]) -> None:
    def answer(widen: float) -> str:
        return descriptive(
            [Criterion("x", estimate(low - widen, high + widen), 0) for low, high in ends]
        ).answer

    narrow, wide = answer(0), answer(3)
    assert wide == "undecided"
    if narrow == "undecided":
        assert answer(0.5) == "undecided"
