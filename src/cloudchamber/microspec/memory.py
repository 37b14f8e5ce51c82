"""Memory: what of its own past an agent is given when it decides."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from cloudchamber.microspec.value import Family, Real, Whole, counted
from cloudchamber.questions import Writing
from cloudchamber.trace.tables import Channel

__all__ = ["Memory", "NoMemory", "Notes", "Retrieval", "Summary", "Window"]

Positive = Annotated[Whole, Field(ge=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z ]{0,30}$")]


class Memory(Family):
    """What of its own past acts an agent is reminded of."""

    @property
    def depth(self) -> int:
        """How many of an agent's latest acts must be kept for it."""
        return 0

    @property
    def writes(self) -> tuple[Writing, ...]:
        """What an agent is asked to write to itself at each decision."""
        return ()

    @property
    def plans(self) -> bool:
        """Whether it is asked for that before it decides; else once it has acted."""
        return False


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

    @property
    def latest(self) -> str:
        """The acts in words."""
        return "latest act" if self.k == 1 else f"{self.k} latest acts"

    def aloud(self) -> str:
        """The regime as a sentence."""
        return f"agents remember their {self.latest}"


class Notes(Memory):
    """What it wrote to itself, and its latest k acts.

    At each decision an agent that can write (a language model, or a rule with a method `write`) is asked for
    each of its notes anew, shown what it would be shown now. What it writes takes the place of what it wrote
    before; if it writes nothing, that stays.
    """

    kind: Literal["notes"] = "notes"
    names: Annotated[tuple[Name, ...], Field(min_length=1, max_length=5)] = ("notes",)
    """What the notes are called, e.g. plans and insights; each is asked for on its own, in this order."""
    words: Annotated[Whole, Field(ge=1, le=1000)] = 60
    """The most words of each."""
    k: Annotated[Whole, Field(ge=0)] = 5
    """How many of its latest acts it is reminded of besides."""
    when: Literal["before", "after"] = "after"
    """Before it decides, with what came of earlier decisions in mind (Lin, Ojha, Cai & Chen 2024); or after
    its batch has acted, with what that led to in mind, and is shown them when it decides again."""

    @field_validator("names")
    @classmethod
    def _different(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError(f"each note needs a name of its own; given: {list(names)}")
        return names

    @property
    def depth(self) -> int:
        """How many acts are kept."""
        return self.k

    @property
    def writes(self) -> tuple[Writing, ...]:
        """The notes."""
        return tuple(Writing(Channel.note, name, self.words) for name in self.names)

    @property
    def plans(self) -> bool:
        """Whether they are asked for before a decision."""
        return self.when == "before"

    def aloud(self) -> str:
        """The regime as a sentence."""
        acts = f", and remember their {Window(k=self.k).latest}" if self.k else ""
        many = counted(self.words, "word")
        when = " before they decide" if self.plans else ""
        what = f"({', '.join(self.names)}, up to {many})"
        return f"agents are shown what they wrote themselves{when} {what}{acts}"


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
