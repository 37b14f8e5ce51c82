"""Measures: functions of traces, each a number for every run."""

from cloudchamber.measures.facts import of_fact
from cloudchamber.measures.measure import Measure, of_tally
from cloudchamber.measures.registry import MEASURES, UNPREDICTABILITY, measure_named
from cloudchamber.measures.tally import Tally, by_batch, final_tallies, tallies

__all__ = [
    "MEASURES",
    "UNPREDICTABILITY",
    "Measure",
    "Tally",
    "by_batch",
    "final_tallies",
    "measure_named",
    "of_fact",
    "of_tally",
    "tallies",
]
