"""Information cascades: agents copy those before them against their own evidence, and are wrong together."""

from typing import Final

from cloudchamber.measures import MEASURES
from cloudchamber.phenomenon.phenomenon import Criterion, Phenomenon

__all__ = ["CASCADE_FACETS", "INFORMATION_CASCADE"]

_SOURCE: Final = "Bikhchandani, Hirshleifer & Welch 1992"

INFORMATION_CASCADE = Phenomenon(
    "information cascade",
    "meso",
    "Do more sequences of choices end with most of them wrong than if every agent chose by itself?",
    MEASURES["share of wrong majorities"],
    # A convention, to be argued with: one sequence in twenty.
    Criterion(0.05),
    _SOURCE,
)

CASCADE_FACETS: tuple[Phenomenon, ...] = (
    INFORMATION_CASCADE,
    Phenomenon(
        "information cascade",
        "meso",
        "Do more sequences end all alike and wrong than if every agent chose by itself?",
        MEASURES["share of wrong cascades"],
        Criterion(0.05),
        _SOURCE,
    ),
    Phenomenon(
        "information cascade",
        "meso",
        "Do more sequences end all alike, right or wrong, than if every agent chose by itself?",
        MEASURES["share of cascades"],
        Criterion(0.1),
        _SOURCE,
    ),
    Phenomenon(
        "information cascade",
        "micro",
        "Do agents choose against their own sign more often than if they saw nobody's choice?",
        MEASURES["against own sign"],
        Criterion(0.05),
        _SOURCE,
    ),
)
"""Information cascades by each of their measures; the first is the one that decides."""
