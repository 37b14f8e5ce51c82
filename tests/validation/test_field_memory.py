"""What was remembered in recorded meetings is worked out as the engine would have shown it."""

from pathlib import Path

import numpy as np
import pandas as pd

from cloudchamber.mechanism import Logit, Reinforcement, choices_of
from cloudchamber.microspec import Group, Meetings, Microspec, Population, Window
from cloudchamber.testing import grown
from cloudchamber.validation.field_meetings import read_meetings
from cloudchamber.validation.field_memory import shown_in_meetings
from cloudchamber.worlds import NamingGame

NAMES = "QMX"


def test_what_was_grown_and_recorded_is_what_was_grown(tmp_path: Path) -> None:
    """A grown game, told as a record of who met whom, gives back all that was shown."""
    spec = Microspec(
        world=NamingGame(names=tuple(NAMES)),
        population=Population(
            groups=(Group(count=6, decides=Logit(terms=(Reinforcement(strength=0.01),))),)
        ),
        turns=Meetings(steps=9),
        memory=Window(k=3),
    )
    trace = grown(spec, replicates=range(3))
    told = trace.frame("decisions").sort_values(["run", "decision"])
    first, second = told[told["decision"] % 2 == 0], told[told["decision"] % 2 == 1]
    record = pd.DataFrame({"run_id": first["run"], "t": first["decision"] // 2})
    for number, side in (("1", first), ("2", second)):
        record["p" + number] = side["agent"].to_numpy()
        record["a" + number] = [NAMES[item] for item in side["choice"]]
    record.sample(frac=1, random_state=1).to_csv(tmp_path / "record.csv", index=False)
    found = read_meetings(tmp_path / "record.csv", NAMES, runs=["1", "2", "3"])
    paid = {"payoff": lambda own, met: np.where(own == met, 100.0, -50.0)}
    one, other = choices_of(trace), choices_of(shown_in_meetings(found, 3, paid))
    for name in ("run", "decision", "step"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    row = np.arange(len(one))
    np.testing.assert_array_equal(one.item[row, one.choice], other.item[row, other.choice])
    for channel in ("own", "met"):
        np.testing.assert_array_equal(one.recalled[channel].item, other.recalled[channel].item)
        ages = np.sort(one.heard[channel].age), np.sort(other.heard[channel].age)
        np.testing.assert_array_equal(ages[0], ages[1])
    results = one.recalled["own"].results["payoff"], other.recalled["own"].results["payoff"]
    np.testing.assert_array_equal(results[0], results[1])
