"""Herding: attention gathers on few items because agents see what others chose."""

from typing import Final

from cloudchamber.measures import MEASURES, UNPREDICTABILITY
from cloudchamber.phenomenon.phenomenon import Criterion, Phenomenon

__all__ = ["HERDING", "HERDING_FACETS"]

_SOURCE: Final = "Salganik, Dodds & Watts 2006"

HERDING = Phenomenon(
    "herding",
    "macro",
    "Do choices gather on few items more than they would if every agent chose by itself?",
    MEASURES["gini"],
    # A convention, to be argued with: a twentieth of the way from equal shares to one item for all.
    Criterion(0.05),
    _SOURCE,
)

HERDING_FACETS: tuple[Phenomenon, ...] = (
    HERDING,
    Phenomenon(
        "herding",
        "macro",
        "Do the five most chosen items gather more of the choices than by independent choice?",
        MEASURES["top-5 share"],
        Criterion(0.05),
        _SOURCE,
    ),
    Phenomenon(
        "herding",
        "macro",
        "Are shares less even, by entropy, than by independent choice?",
        MEASURES["entropy"],
        Criterion(0.02, "below"),
        _SOURCE,
    ),
    Phenomenon(
        "herding",
        "macro",
        "Do runs of the same world end with different winners more than by independent choice?",
        UNPREDICTABILITY,
        # A tenth of an equal share among 48 items.
        Criterion(0.002),
        _SOURCE,
    ),
)
"""Herding by each of its measures; the first is the one that decides."""
