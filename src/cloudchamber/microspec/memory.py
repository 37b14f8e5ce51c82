"""Memory: what of its own past an agent is given when it decides."""

from typing import Annotated, Literal

from pydantic import Field

from cloudchamber.microspec.value import Family, Real, Whole, counted

__all__ = ["Memory", "NoMemory", "Retrieval", "Summary", "Window"]

Positive = Annotated[Whole, Field(ge=1)]


class Memory(Family):
    """What of its own past acts an agent is reminded of."""

    @property
    def depth(self) -> int:
        """How many of an agent's latest acts must be kept for it."""
        return 0


class NoMemory(Memory):
    """Nothing: every decision is the agent's first."""

    kind: Literal["none"] = "none"

    def aloud(self) -> str:
        """The regime as a sentence."""
        return "agents remember nothing"


class Window(Memory):
    """Its latest k acts."""

    kind: Literal["window"] = "window"
    k: Positive = 5

    @property
    def depth(self) -> int:
        """How many acts are kept."""
        return self.k

    def aloud(self) -> str:
        """The regime as a sentence."""
        return f"agents remember their {'latest act' if self.k == 1 else f'{self.k} latest acts'}"


class Summary(Memory):
    """How often it acted on each item, from the beginning."""

    kind: Literal["summary"] = "summary"

    def aloud(self) -> str:
        """The regime as a sentence."""
        return "agents remember how often they chose what"


class Retrieval(Memory):
    """The k past acts that score highest: recency_weight * decay^age + relevance_weight * relevance.

    Relevance is the greatest similarity, as the world tells it, between the item acted on and an item now
    shown. After Park et al. 2023 (generative agents), without the importance that a model would rate.
    """

    kind: Literal["retrieval"] = "retrieval"
    k: Positive = 3
    horizon: Positive = 100
    """How many of the latest acts are searched."""
    decay: Annotated[Real, Field(gt=0, le=1)] = 0.995
    """Recency of an act one step old."""
    recency_weight: Annotated[Real, Field(ge=0)] = 1.0
    relevance_weight: Annotated[Real, Field(ge=0)] = 1.0

    @property
    def depth(self) -> int:
        """How many acts are kept."""
        return self.horizon

    def aloud(self) -> str:
        """The regime as a sentence."""
        return f"agents are reminded of the {counted(self.k, 'past act')} most recent and most relevant"
