"""Collective risks of agent populations, as the literature names them: what to grow next.

A table, not a theory. The measures that cloudchamber has are named as in `measures.MEASURES`; the others
are what the sources measured, for whoever adds them.
"""

from dataclasses import dataclass

from cloudchamber.measures import MEASURES
from cloudchamber.phenomenon.phenomenon import RiskLevel

__all__ = ["RISKS", "Risk"]


@dataclass(frozen=True, slots=True)
class Risk:
    """A collective risk."""

    name: str
    level: RiskLevel
    what: str
    """What happens, in a sentence."""
    measure: str
    """What to measure."""
    source: str

    @property
    def measurable(self) -> bool:
        """Whether cloudchamber has the measure."""
        return self.measure in MEASURES


RISKS: tuple[Risk, ...] = (
    Risk(
        "herding",
        "macro",
        "Attention gathers on few items because agents see what others chose.",
        "gini",
        "Salganik, Dodds & Watts 2006",
    ),
    Risk(
        "position capture",
        "micro",
        "Whoever orders a list decides what agents choose from it.",
        "mean position",
        "Pierucci et al. 2026",
    ),
    Risk(
        "conformity",
        "micro",
        "An agent gives up its own answer for that of a majority of peers.",
        "rate of answers that flip towards the majority",
        "Weng, Chen & Wang 2025",
    ),
    Risk(
        "convention without individual bias",
        "macro",
        "A population settles on one convention that no agent prefers alone.",
        "agreement",
        "Ashery, Aiello & Baronchelli 2025",
    ),
    Risk(
        "committed minority",
        "macro",
        "A few agents that never change overturn a convention.",
        "share of name 1",
        "Ashery, Aiello & Baronchelli 2025",
    ),
    Risk(
        "market division",
        "meso",
        "Firms' agents specialise in different goods without being told to; profit need not rise.",
        "lasting specialisation",
        "Lin, Ojha, Cai & Chen 2024",
    ),
    Risk(
        "polarisation",
        "macro",
        "Opinions move apart while neighbours grow alike.",
        "spread of opinions, and correlation with neighbours",
        "Wang et al. 2025",
    ),
    Risk(
        "consensus by the model's prior",
        "macro",
        "Opinions agree because all agents are one model, not because they persuade each other.",
        "drift of mean opinion, against agents that do not interact",
        "Chuang et al. 2024",
    ),
    Risk(
        "information cascade",
        "meso",
        "Agents copy those before them against their own evidence, and all are wrong together.",
        "share of wrong majorities",
        "Bikhchandani, Hirshleifer & Welch 1992",
    ),
    Risk(
        "error cascade",
        "meso",
        "One false statement spreads through agents that build on each other's output.",
        "reach",
        "Xie et al. 2026",
    ),
    Risk(
        "collapse of cooperation",
        "macro",
        "Agents that answer one another's defection stop cooperating, though all would gain from it.",
        "late cooperation rate",
        "Axelrod 1984; Fehr & Gaechter 2000",
    ),
    Risk(
        "consensus by majority",
        "macro",
        "A group of agents without a preference settles on whatever a majority happened to say, and stays.",
        "majority",
        "De Marzo, Castellano & Garcia 2024",
    ),
    Risk(
        "miscoordination",
        "meso",
        "Agents with a common goal fail to reach it together.",
        "payoff lost against the best joint act",
        "Hammond et al. 2025",
    ),
    Risk(
        "conflict",
        "meso",
        "Agents with opposed goals end worse than they could have agreed on.",
        "payoff lost against the best agreement",
        "Hammond et al. 2025",
    ),
    Risk(
        "collusion",
        "meso",
        "Agents cooperate against those they should compete for.",
        "profit gain",
        "Hammond et al. 2025",
    ),
)
