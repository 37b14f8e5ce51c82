"""A study: the five stages in order, as a user writes them; and what can be asked of any study."""

from cloudchamber.study.battery import StudyBattery, battery
from cloudchamber.study.conditions import grown, sensitivity, sufficiency
from cloudchamber.study.explaining import Explanation, explain
from cloudchamber.study.passages import Passages
from cloudchamber.study.passing import Passing, channels, passing
from cloudchamber.study.searching import boundary, threshold
from cloudchamber.study.study import Study
from cloudchamber.study.supposing import what_if
from cloudchamber.study.sweeping import carried

__all__ = [
    "Explanation",
    "Passages",
    "Passing",
    "Study",
    "StudyBattery",
    "battery",
    "boundary",
    "carried",
    "channels",
    "explain",
    "grown",
    "passing",
    "sensitivity",
    "sufficiency",
    "threshold",
    "what_if",
]
