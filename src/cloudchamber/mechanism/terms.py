"""The terms a mechanism may hold: a small, closed language."""

from typing import Annotated

from pydantic import Field

from cloudchamber.mechanism.content_terms import ContentEffect, ItemEffects, LabelEffects
from cloudchamber.mechanism.place_terms import FallOff, Gate, PlaceEffects
from cloudchamber.mechanism.social_terms import HeardEffect, Signal

__all__ = ["Place", "Term"]

Place = Annotated[PlaceEffects | FallOff | Gate, Field(discriminator="kind")]
"""The terms that go by the place alone."""
Term = Annotated[
    ItemEffects
    | ContentEffect
    | PlaceEffects
    | FallOff
    | Gate
    | Signal
    | LabelEffects
    | HeardEffect,
    Field(discriminator="kind"),
]
"""Any term."""
