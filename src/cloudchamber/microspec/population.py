"""Population: groups of agents, how many of each, and what decides for them."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from cloudchamber.microspec.affordances import Affordances
from cloudchamber.microspec.value import Family, Value, Whole, counted
from cloudchamber.questions import Ints

__all__ = ["Decider", "Group", "People", "Population"]


class Decider(Family):
    """What decides for an agent: a rule, a language model, a fitted mechanism, a record."""

    @property
    def reads_text(self) -> bool:
        """Whether it is shown words, so that options need labels."""
        return False

    @property
    def writes(self) -> bool:
        """Whether it can be asked for a text: it reads, or has a method `write(questions)`."""
        return self.reads_text or callable(getattr(self, "write", None))

    def refuses(self, affordances: Affordances) -> str:
        """Why it cannot answer what these affordances ask; empty if it can."""
        return ""


class Group(Value):
    """Agents that are alike."""

    name: Annotated[str, Field(min_length=1)] = "agents"
    count: Annotated[Whole, Field(ge=0)] = 1
    """How many; a group may be empty, so that its share can be varied from 0."""
    decides: Decider
    """What decides for them."""
    personas: tuple[str, ...] = ()
    """Dealt out in turn to the group's agents; none if empty."""


class Population(Value):
    """Groups of agents."""

    groups: Annotated[tuple[Group, ...], Field(min_length=1)]
    placement: Literal["shuffled", "in order"] = "shuffled"
    """Where the groups stand in the network: at random for each run, or group after group."""

    @field_validator("groups")
    @classmethod
    def _names(cls, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        names = [group.name for group in groups]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each group needs a name of its own; given twice: {twice}")
        if not any(group.count for group in groups):
            raise ValueError("every group is empty; at least one agent is needed")
        return groups

    @property
    def count(self) -> int:
        """The number of agents."""
        return sum(group.count for group in self.groups)

    def people(self) -> "People":
        """The agents as columns."""
        counts = [group.count for group in self.groups]
        group = np.repeat(np.arange(len(counts), dtype=np.int16), counts)
        return People(
            group, np.arange(len(group)) - np.repeat(np.cumsum([0, *counts[:-1]]), counts)
        )

    def aloud(self) -> str:
        """The population as a sentence."""
        told = [
            f"{group.count} {group.name} ({group.decides.aloud()})"
            + (f" with {counted(len(group.personas), 'persona')}" if group.personas else "")
            for group in self.groups
        ]
        return " and ".join(told)


@dataclass(frozen=True, slots=True)
class People:
    """Agents 0..n-1, group after group."""

    group: NDArray[np.int16]
    member: Ints
    """The agent's number within its group."""
