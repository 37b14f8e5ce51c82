"""Conventions: a population settles on one name that no agent prefers alone; a few committed overturn it."""

from dataclasses import replace
from typing import Final

from cloudchamber.measures import MEASURES
from cloudchamber.measures.agreement import name_share
from cloudchamber.phenomenon.phenomenon import Criterion, Phenomenon

__all__ = ["COMMITTED_MINORITY", "CONVENTION", "CONVENTION_FACETS", "overturned"]

_SOURCE: Final = "Ashery, Aiello & Baronchelli 2025"

CONVENTION = Phenomenon(
    "convention",
    "macro",
    "Do agents that meet in pairs agree on a name more often than if none heard what the other said?",
    MEASURES["agreement"],
    # A convention itself, to be argued with: half of what two names leave to be gained over chance.
    Criterion(0.25),
    _SOURCE,
)

CONVENTION_FACETS: tuple[Phenomenon, ...] = (
    CONVENTION,
    Phenomenon(
        "convention",
        "macro",
        "Do more populations agree in every one of three meetings an agent?",
        MEASURES["agreed"],
        Criterion(0.5),
        _SOURCE,
    ),
)
"""Conventions by each of their measures; the first is the one that decides."""


def overturned(item: int, group: int = 0) -> Phenomenon:
    """A committed minority overturns a convention: most others say its name in the end.

    Told against runs in which the same agents are not committed.

    Args:
        item: the name that the committed say.
        group: the agents that are not committed.
    """
    return Phenomenon(
        "committed minority",
        "macro",
        "Do the others say the minority's name more often in the end than if nobody were committed to it?",
        replace(
            name_share(item, group),
            name="minority's share",
            unit="share of the others' last choices that say the minority's name",
        ),
        Criterion(0.5),
        _SOURCE,
    )


COMMITTED_MINORITY = overturned(1)
"""The convention is a world's first name, and the minority says its second."""
