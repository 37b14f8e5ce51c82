"""A study: the five stages in order, as a user writes them; and what can be asked of any study."""

from cloudchamber.study.battery import StudyBattery, battery
from cloudchamber.study.conditions import grown, sensitivity, sufficiency
from cloudchamber.study.searching import boundary, threshold
from cloudchamber.study.study import Study

__all__ = [
    "Study",
    "StudyBattery",
    "battery",
    "boundary",
    "grown",
    "sensitivity",
    "sufficiency",
    "threshold",
]
