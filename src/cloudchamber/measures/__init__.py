"""Measures: functions of traces, each a number for every run."""

from cloudchamber.measures.measure import (
    MEASURES,
    UNPREDICTABILITY,
    Measure,
    measure_named,
    of_tally,
)
from cloudchamber.measures.tally import Tally, by_batch, final_tallies, tallies

__all__ = [
    "MEASURES",
    "UNPREDICTABILITY",
    "Measure",
    "Tally",
    "by_batch",
    "final_tallies",
    "measure_named",
    "of_tally",
    "tallies",
]
