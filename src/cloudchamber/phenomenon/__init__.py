"""Stage 1: the collective risk that is to be grown, and when it counts as grown."""

from cloudchamber.phenomenon.cascades import CASCADE_FACETS, INFORMATION_CASCADE
from cloudchamber.phenomenon.conventions import (
    COMMITTED_MINORITY,
    CONVENTION,
    CONVENTION_FACETS,
    overturned,
)
from cloudchamber.phenomenon.dilemmas import (
    COLLAPSE_OF_COOPERATION,
    COOPERATION_HOLDS,
    DILEMMA_FACETS,
)
from cloudchamber.phenomenon.herding import HERDING, HERDING_FACETS
from cloudchamber.phenomenon.markets import COLLUSION, MARKET_DIVISION, MARKET_FACETS
from cloudchamber.phenomenon.null import independent, pooled_shares
from cloudchamber.phenomenon.opinions import MAJORITY_FORCE
from cloudchamber.phenomenon.phenomenon import Criterion, Finding, Phenomenon
from cloudchamber.phenomenon.spreading import ADOPTION_CASCADE, ADOPTION_FACETS
from cloudchamber.phenomenon.taxonomy import RISKS, Risk

__all__ = [
    "ADOPTION_CASCADE",
    "ADOPTION_FACETS",
    "CASCADE_FACETS",
    "COLLAPSE_OF_COOPERATION",
    "COLLUSION",
    "COMMITTED_MINORITY",
    "CONVENTION",
    "CONVENTION_FACETS",
    "COOPERATION_HOLDS",
    "DILEMMA_FACETS",
    "HERDING",
    "HERDING_FACETS",
    "INFORMATION_CASCADE",
    "MAJORITY_FORCE",
    "MARKET_DIVISION",
    "MARKET_FACETS",
    "RISKS",
    "Criterion",
    "Finding",
    "Phenomenon",
    "Risk",
    "independent",
    "overturned",
    "pooled_shares",
]
