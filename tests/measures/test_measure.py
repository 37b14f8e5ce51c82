from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.measures import (
    MEASURES,
    UNPREDICTABILITY,
    concentration,
    final_tallies,
    measure_named,
    tallies,
)
from cloudchamber.trace import Trace


def grown(runs: dict[int, np.ndarray]) -> Trace:
    """A trace of tallies: run -> [steps, items]."""
    trace = Trace()
    for run, values in runs.items():
        steps, items = values.shape
        trace.append(
            "outcomes",
            {
                "run": run,
                "step": np.repeat(np.arange(steps) * 10, items),
                "item": np.tile(np.arange(items), steps),
                "value": values.ravel(),
            },
        )
    return trace


def test_what_was_there_at_the_start_is_no_choice() -> None:
    seeded = np.array([[1000.0, 0, 0], [1001, 1, 0], [1002, 2, 2]])
    trace = grown({5: seeded, 3: seeded - seeded[0]})
    gini = measure_named("gini")(trace)
    assert gini.index.tolist() == [3, 5]
    assert gini[3] == gini[5] == pytest.approx(concentration.gini([2, 2, 2]))
    course = MEASURES["gini"].over_time
    assert course is not None
    found = course(trace).set_index(["run", "step"])["value"]
    assert np.isnan(found[(5, 0)])
    assert found[(5, 10)] == pytest.approx(concentration.gini([1, 1, 0]))
    assert found[(5, 20)] == pytest.approx(0)


def test_runs_of_different_items_or_lengths_are_measured_apart() -> None:
    rng = np.random.default_rng(0)
    values = {run: rng.integers(0, 9, shape).cumsum(axis=0).astype(float)
              for run, shape in ((1, (3, 4)), (2, (3, 4)), (3, (5, 4)), (4, (3, 9)))}  # fmt: skip
    trace = grown(values)
    gini = MEASURES["gini"](trace)
    for run, value in values.items():
        assert gini[run] == pytest.approx(float(concentration.gini(value[-1] - value[0])))
    assert sorted(len(t.run) for t in tallies(trace)) == [1, 1, 2]
    assert sorted(len(t.run) for t in final_tallies(trace)) == [1, 3]


def test_a_hole_in_the_tallies_is_named() -> None:
    trace = grown({1: np.ones((2, 3)), 7: np.ones((2, 3))})
    trace.append("outcomes", {"run": 7, "step": 20, "item": 0, "value": 1.0})
    with pytest.raises(TraceError, match="outcomes of run 7 are not the same items"):
        tallies(trace)


def test_every_measure_stays_within_its_bounds_and_copes_with_nothing() -> None:
    rng = np.random.default_rng(1)
    trace = grown(
        {run: rng.integers(0, 3, (4, 6)).cumsum(axis=0).astype(float) for run in range(9)}
    )
    for name, one in MEASURES.items():
        assert one.name == name
        if one.over_time:
            value = one(trace)
            assert value.name == name
            assert value.dropna().between(one.low, one.high).all()
            assert len(one(Trace())) == 0
            assert len(one.over_time(Trace())) == 0
    with pytest.raises(SpecificationError, match=r"measure: 'ginni'.*'gini'"):
        measure_named("ginni")


def test_the_reference_names_every_measure() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/analysis.md").read_text(encoding="utf-8")
    assert [name for name in (*MEASURES, "unpredictability") if f"`{name}`" not in page] == []
    assert measure_named("unpredictability") is UNPREDICTABILITY
