"""Consensus by the force of the majority: agents that prefer neither answer agree on one."""

from typing import Final

from cloudchamber.measures import MEASURES
from cloudchamber.phenomenon.phenomenon import Criterion, Phenomenon

__all__ = ["MAJORITY_FORCE"]

_SOURCE: Final = "De Marzo, Castellano & Garcia 2024"

MAJORITY_FORCE = Phenomenon(
    "consensus by majority",
    "macro",
    "Does the group agree more than if nobody saw what others answer?",
    MEASURES["majority"],
    # A convention, to be argued with: a quarter of the way from an even split to all alike.
    Criterion(0.25),
    _SOURCE,
)
"""A group that sees itself settles on one answer; which one is a matter of chance."""
