"""What firms' agents may do to a market: divide it, and profit at buyers' expense. The two are not one."""

from typing import Final

from cloudchamber.measures import MEASURES
from cloudchamber.phenomenon.phenomenon import Criterion, Phenomenon

__all__ = ["COLLUSION", "MARKET_DIVISION", "MARKET_FACETS"]

_SOURCE: Final = "Lin, Ojha, Cai & Chen 2024"

MARKET_DIVISION = Phenomenon(
    "market division",
    "meso",
    "Does each firm keep to fewer goods than firms would that best answer each other?",
    # Not the published measure, which counts as specialisation that amounts vary from round to round.
    MEASURES["lasting specialisation"],
    # A convention, to be argued with: a tenth of the way from even sales to one good of two.
    Criterion(0.1),
    _SOURCE,
)

COLLUSION = Phenomenon(
    "collusion",
    "meso",
    "Do firms earn more than firms would that best answer each other?",
    MEASURES["profit gain"],
    # A tenth of the way from Nash to the joint optimum.
    Criterion(0.1),
    "Calvano, Calzolari, Denicolo & Pastorello 2020",
)

MARKET_FACETS: tuple[Phenomenon, ...] = (
    MARKET_DIVISION,
    Phenomenon(
        "market division",
        "meso",
        "Is each good made by fewer firms than at Nash?",
        MEASURES["lasting concentration"],
        Criterion(0.05),
        _SOURCE,
    ),
    Phenomenon(
        "market division",
        "meso",
        "In a round, does each firm make less evenly of the goods than at Nash, for whatever reason?",
        MEASURES["specialisation"],
        Criterion(0.1),
        _SOURCE,
    ),
    COLLUSION,
    Phenomenon(
        "collusion",
        "meso",
        "Are prices above those of firms that best answer each other?",
        MEASURES["price gain"],
        Criterion(0.1),
        "Calvano, Calzolari, Denicolo & Pastorello 2020",
    ),
)
"""Both, by each of their measures; told against the same market at Nash."""
