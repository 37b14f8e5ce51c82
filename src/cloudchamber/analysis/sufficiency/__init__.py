"""Which conditions suffice, and which are needed."""

from cloudchamber.analysis.sufficiency.conditions import sufficient_conditions
from cloudchamber.analysis.sufficiency.knocking_out import KnockOut, knock_out, taken_away
from cloudchamber.analysis.sufficiency.sets import Sufficiency, SufficientSet

__all__ = [
    "KnockOut",
    "Sufficiency",
    "SufficientSet",
    "knock_out",
    "sufficient_conditions",
    "taken_away",
]
