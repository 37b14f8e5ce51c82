"""Recorded meetings as a trace: what was remembered is worked out as the engine would have shown it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cloudchamber.errors import FieldDataError
from cloudchamber.mechanism import ChoiceData, Logit, Reinforcement, choices_of
from cloudchamber.microspec import Group, Meetings, Microspec, Population, Window
from cloudchamber.testing import grown
from cloudchamber.trace import Trace
from cloudchamber.validation.meetings import meetings_as_trace
from cloudchamber.worlds import NamingGame

PAID = {"payoff": lambda own, met: 100.0 if own == met else -50.0}


def test_what_was_grown_and_recorded_is_what_was_grown() -> None:
    """A grown game, told as a record of who met whom, gives the choices back with all that was remembered."""
    spec = Microspec(
        world=NamingGame(names=("Q", "M", "X")),
        population=Population(
            groups=(Group(count=6, decides=Logit(terms=(Reinforcement(strength=0.01),))),)
        ),
        turns=Meetings(steps=9),
        memory=Window(k=3),
    )
    trace = grown(spec, replicates=range(3))
    told = trace.frame("decisions").sort_values(["run", "decision"])
    pairs = told.groupby(["run", told["decision"] // 2])
    record = pd.DataFrame(
        {
            "run": pairs["run"].first(),
            "t": pairs["decision"].first() // 2,
            "p1": pairs["agent"].first(),
            "p2": pairs["agent"].last(),
            "a1": pairs["choice"].first().map(dict(enumerate("QMX"))),
            "a2": pairs["choice"].last().map(dict(enumerate("QMX"))),
        }
    ).sample(frac=1, random_state=1, ignore_index=True)
    again = meetings_as_trace(record, ("Q", "M", "X"), 3, PAID, agents=6)
    one, other = choices_of(trace), choices_of(again)
    for name in ("run", "decision", "step", "agent"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    row = np.arange(len(one))
    np.testing.assert_array_equal(one.item[row, one.choice], other.item[row, other.choice])
    for channel in ("own", "met"):
        np.testing.assert_array_equal(one.recalled[channel].item, other.recalled[channel].item)

    def told_of(data: ChoiceData) -> tuple[Any, Any]:
        return data.recalled["own"].results["payoff"], np.sort(data.heard["own"].age)

    for part, same in zip(told_of(one), told_of(other), strict=True):
        np.testing.assert_array_equal(part, same)
    assert isinstance(again, Trace)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"a1": ["Z"]}, "chosen was 'Z'; allowed"), ({"p1": None}, "lack the column p1")],
)
def test_what_cannot_be_read(change: dict[str, Any], message: str) -> None:
    record = {"run": [1], "t": [0], "p1": [0], "p2": [1], "a1": ["Q"], "a2": ["M"]} | change
    table = pd.DataFrame({name: part for name, part in record.items() if part is not None})
    with pytest.raises(FieldDataError, match=message):
        meetings_as_trace(table, ("Q", "M"), 5, agents=2)
