"""The terms a mechanism may hold: a small, closed language."""

from typing import Annotated

from pydantic import Field

from cloudchamber.mechanism.by_context import By
from cloudchamber.mechanism.place_terms import FallOff, Gate, PlaceEffects
from cloudchamber.mechanism.single_terms import Single

__all__ = ["Place", "Term"]

Place = Annotated[PlaceEffects | FallOff | Gate | By, Field(discriminator="kind")]
"""The terms that go by the place alone, or differ in that by context."""
Term = Annotated[Single | By, Field(discriminator="kind")]
"""Any term."""
