"""Tallies within a step, counted from decisions."""

import numpy as np

from cloudchamber.agents import SocialProof
from cloudchamber.measures import by_batch, final_tallies
from cloudchamber.microspec import Group, Microspec, Population, Sequential
from cloudchamber.testing.growing import grown, run_of
from cloudchamber.worlds import Feed


def test_batch_by_batch_the_tally_grows_to_what_the_run_ends_with() -> None:
    readers = Group(name="readers", count=9, decides=SocialProof())
    for presentation in ("list", "one at a time"):
        spec = Microspec(
            world=Feed.of(5), population=Population(groups=(readers,)), turns=Sequential(steps=1)
        ).replace("affordances.presentation", presentation)
        trace = grown(spec, replicates=(0, 1))
        runs = [run_of(0), run_of(1)]
        course = by_batch(trace, runs)
        assert course.groupby("run")["step"].agg(["min", "max"]).to_numpy().tolist() == [[0, 9]] * 2
        (end,) = final_tallies(trace)
        last = course[course["step"] == 9].pivot(index="run", columns="item", values="value")
        assert np.array_equal(last.to_numpy(), end.value[:, -1])
        rises = course.sort_values("step").groupby(["run", "item"])["value"].diff().dropna()
        assert set(rises) <= {0.0, 1.0}
    assert by_batch(trace, []).empty
