"""Endings of sequences, by cases known by hand."""

import numpy as np
import pytest

from cloudchamber.measures import MEASURES
from cloudchamber.measures.cascades import right_by_place
from cloudchamber.trace import Trace


def trace_of(*sequences: str, right: int | None = 0, signs: tuple[str, ...] = ()) -> Trace:
    """A run for each sequence of choices, written as digits; the signs of who chose likewise."""
    trace = Trace()
    for number, sequence in enumerate(sequences):
        choice = np.array([int(one) for one in sequence], np.int64)
        run, decision = number + 1, np.arange(len(choice))
        trace.append("decisions", {"run": run, "decision": decision, "choice": choice})
        tally = np.bincount(choice, minlength=2).astype(float)
        for step, value in ((0, np.zeros(2)), (1, tally)):
            trace.append(
                "outcomes", {"run": run, "step": step, "item": np.arange(2), "value": value}
            )
            if right is not None:
                trace.append(
                    "series", {"run": [run], "step": step, "measure": "right", "value": right}
                )
        if signs:
            sign = np.array([int(one) for one in signs[number]], np.int64)
            item = np.tile([0, 1], len(choice))
            trace.append(
                "exposures",
                {
                    "run": run,
                    "decision": np.repeat(decision, 2),
                    "item": item,
                    "chosen": (item == np.repeat(choice, 2)).astype(np.int8),
                    "signal_sign": (item == np.repeat(sign, 2)).astype(float),
                },
            )
    return trace


def of(name: str, trace: Trace) -> list[float]:
    return MEASURES[name](trace).tolist()


def test_accuracy() -> None:
    assert of("accuracy", trace_of("0001", "1111")) == [0.75, 0]
    assert of("accuracy", trace_of("0001", "1111", right=1)) == [0.25, 1]
    assert np.isnan(of("accuracy", trace_of("0001", right=None))).all()


def test_a_cascade_is_a_second_half_of_one_kind() -> None:
    trace = trace_of("01100000", "01011111", "01010111", "0", "011", "001")
    assert of("share of cascades", trace) == [1, 1, 0, 1, 1, 0]
    # Nothing less than half: 5 of 8 counts, 3 of 8 does not; of 3 it takes 2.
    assert of("cascade start", trace)[0] == 4 and of("cascade start", trace)[4] == 2
    assert np.isnan(of("cascade start", trace)[2])


def test_wrong_ones() -> None:
    trace = trace_of("01100000", "00111111", "01010101")
    assert of("share of wrong cascades", trace) == [0, 1, 0]
    assert np.isnan(of("share of wrong cascades", trace_of("01100000", right=None))).all()


def test_wrong_majorities() -> None:
    trace = trace_of("01100000", "00111101", "11110101", "11111000", "110", "01", "1")
    # Of the second halves 0, 3, 2, 1 of four are wrong; 1 of 1 or 2; 1 of 1.
    assert of("share of wrong majorities", trace) == [0, 1, 0, 0, 0, 1, 1]
    assert np.isnan(of("share of wrong majorities", trace_of("0110", right=None))).all()


def test_against_ones_own_sign() -> None:
    trace = trace_of("0011", "0000", signs=("0101", "0000"))
    assert of("against own sign", trace) == [0.5, 0]
    assert np.isnan(of("against own sign", trace_of("0011"))).all()


def test_places() -> None:
    table = right_by_place(trace_of("0011", "0000"))
    assert table.to_numpy().tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert [int(place) for place in table.columns] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "name", ["share of wrong majorities", "share of wrong cascades", "accuracy"]
)
def test_calling_the_options_otherwise_changes_nothing(name: str) -> None:
    some = ("0110000", "1010101", "0011111")
    other = tuple(one.translate(str.maketrans("01", "10")) for one in some)
    assert of(name, trace_of(*some)) == of(name, trace_of(*other, right=1))
