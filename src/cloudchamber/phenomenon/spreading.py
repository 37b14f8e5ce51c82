"""Cascades of adoption: something reaches far because each who takes it up moves others to."""

from typing import Final

from cloudchamber.measures import MEASURES
from cloudchamber.phenomenon.phenomenon import Criterion, Phenomenon

__all__ = ["ADOPTION_CASCADE", "ADOPTION_FACETS"]

_SOURCE: Final = "Granovetter 1978"

ADOPTION_CASCADE = Phenomenon(
    "cascade of adoption",
    "macro",
    "Does it reach more agents than would take it up if nobody saw what others do?",
    MEASURES["reach"],
    # A convention, to be argued with: a tenth of all.
    Criterion(0.1),
    _SOURCE,
)

ADOPTION_FACETS: tuple[Phenomenon, ...] = (
    ADOPTION_CASCADE,
    Phenomenon(
        "cascade of adoption",
        "macro",
        "Do more agents have it at once than if nobody saw what others do?",
        MEASURES["peak"],
        Criterion(0.1),
        _SOURCE,
    ),
)
"""Cascades of adoption by each of their measures; the first is the one that decides."""
