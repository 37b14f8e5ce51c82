"""Dilemmas: knowing what others did makes agents cooperate less, or more, than each would by itself."""

from typing import Final

from cloudchamber.measures import MEASURES
from cloudchamber.phenomenon.phenomenon import Criterion, Phenomenon

__all__ = ["COLLAPSE_OF_COOPERATION", "COOPERATION_HOLDS", "DILEMMA_FACETS"]

_SOURCE: Final = "Axelrod 1984; Fehr & Gaechter 2000"

COLLAPSE_OF_COOPERATION = Phenomenon(
    "collapse of cooperation",
    "macro",
    "Do agents that know what others did end up cooperating less than agents that do not?",
    MEASURES["late cooperation rate"],
    # A convention, to be argued with: one act in ten.
    Criterion(0.1, "below"),
    _SOURCE,
)

COOPERATION_HOLDS = Phenomenon(
    "cooperation by reciprocity",
    "macro",
    "Do agents that know what others did end up cooperating more than agents that do not?",
    MEASURES["late cooperation rate"],
    Criterion(0.1),
    _SOURCE,
)

DILEMMA_FACETS: tuple[Phenomenon, ...] = (COLLAPSE_OF_COOPERATION, COOPERATION_HOLDS)
"""Both ways; told against the same agents that remember and see nothing of the others' acts."""
