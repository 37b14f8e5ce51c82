"""Measures of facts: the last one of each run, the course, and nothing where none was recorded."""

import numpy as np

from cloudchamber.measures import of_fact
from cloudchamber.trace import Trace


def trace() -> Trace:
    kept = Trace()
    for run, values in ((1, (0.0, 0.25, 0.5)), (2, (0.0, 1.0, np.nan)), (3, ())):
        for step in range(3):
            kept.append("outcomes", {"run": run, "step": [step], "item": 0, "value": 0.0})
        for step, value in enumerate(values):
            kept.append("series", {"run": run, "step": [step], "measure": "heat's", "value": value})
    return kept


def test_the_last_of_each_run() -> None:
    numbers = of_fact("heat's", "degrees")(trace())
    assert numbers.name == "heat's" and list(numbers.index) == [1, 2, 3]
    assert np.array_equal(numbers, [0.5, np.nan, np.nan], equal_nan=True)


def test_the_course_has_a_row_a_checkpoint() -> None:
    measure = of_fact("heat's", "degrees", 0, 1, name="heat")
    assert measure.name == "heat" and measure.over_time is not None
    course = measure.over_time(trace())
    assert list(course["step"]) == [0, 1, 2] * 3
    assert list(course["value"][:3]) == [0.0, 0.25, 0.5] and course["value"][6:].isna().all()


def test_other_facts_are_no_numbers() -> None:
    assert of_fact("cold", "degrees")(trace()).isna().all()
