"""Measures that break their contract are caught."""

from typing import TYPE_CHECKING

import pytest

from cloudchamber.testing import check_measure
from cloudchamber.trace import Trace

if TYPE_CHECKING:
    import pandas as pd


def test_measures_that_mix_runs_or_change_the_trace() -> None:
    def pooled(trace: Trace) -> "pd.Series[float]":
        frame = trace.frame("outcomes")
        return frame.groupby("run")["value"].sum() / frame["value"].sum()

    with pytest.raises(AssertionError, match="depends on other runs are in the trace|depends on"):
        check_measure(pooled)

    def partial(trace: Trace) -> "pd.Series[float]":
        return trace.frame("outcomes").query("run > 1").groupby("run")["value"].sum()

    with pytest.raises(AssertionError, match="one number for each of the runs"):
        check_measure(partial)
