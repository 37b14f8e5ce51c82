"""The terms with one set of parameters for all decisions."""

from typing import Annotated

from pydantic import Field

from cloudchamber.mechanism.content_terms import ContentEffect, ItemEffects, LabelEffects, Readiness
from cloudchamber.mechanism.memory_terms import MemoryTable, Reinforcement
from cloudchamber.mechanism.place_terms import FallOff, Gate, PlaceEffects
from cloudchamber.mechanism.social_terms import HeardEffect, Majority, Signal

__all__ = ["Single"]

Single = Annotated[
    ItemEffects
    | ContentEffect
    | PlaceEffects
    | FallOff
    | Gate
    | Signal
    | Majority
    | LabelEffects
    | HeardEffect
    | Reinforcement
    | MemoryTable
    | Readiness,
    Field(discriminator="kind"),
]
"""Any of them."""
