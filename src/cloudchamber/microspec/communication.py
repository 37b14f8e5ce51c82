"""Communication: who can address whom, and in what form what one does reaches another."""

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from cloudchamber.microspec import topology
from cloudchamber.microspec.topology import Neighbours
from cloudchamber.microspec.value import Family, Flag, Real, Whole, counted
from cloudchamber.questions import Writing
from cloudchamber.trace.tables import Channel

__all__ = [
    "BarabasiAlbert",
    "Communication",
    "Complete",
    "Edges",
    "ErdosRenyi",
    "RandomPairs",
    "Ring",
    "Star",
    "WattsStrogatz",
]

Share = Annotated[Real, Field(ge=0, le=1)]
Positive = Annotated[Whole, Field(ge=1)]


class Communication(Family):
    """Who can address whom. The network is drawn anew for each replicate, under the seed."""

    representation: Literal["counts", "acts"] = "counts"
    """What is sent: tallies on the items acted on, or each act as a thing of its own."""
    last: Positive = 5
    """How many of the latest acts reach a reader, where acts are sent."""
    messages: Annotated[Whole, Field(ge=0, le=1000)] = 0
    """Words of a message, at most, that each who can write writes to those who hear it before it decides; all
    who decide together write before any of them decides. 0 for no messages."""

    @property
    def each_step(self) -> bool:
        """Whether the network is drawn anew at each step."""
        return False

    @property
    def everyone(self) -> bool:
        """Whether each reaches all."""
        return False

    @property
    def writes(self) -> tuple[Writing, ...]:
        """What an agent is asked to write to others before it decides."""
        if not self.messages:
            return ()
        return (Writing(Channel.message, "message", self.messages),)

    def network(self, agents: int, generator: np.random.Generator) -> Neighbours:
        """Row i holds the agents whose acts can reach agent i."""
        raise NotImplementedError

    def problems(self, agents: int) -> Iterator[str]:
        """Why it makes no sense among so many agents: the field, what was given, what is allowed."""
        yield from ()

    def who(self) -> str:
        """The topology in words."""
        raise NotImplementedError

    def aloud(self) -> str:
        """The regime as a sentence."""
        form = (
            "as tallies on the items"
            if self.representation == "counts"
            else f"as single acts, the latest {self.last}"
        )
        words = counted(self.messages, "word")
        also = f"; before they decide they write messages of up to {words}" if self.messages else ""
        return f"{self.who()}; what they do is passed on {form}{also}"


class Complete(Communication):
    """Everyone can address everyone."""

    kind: Literal["complete"] = "complete"

    @property
    def everyone(self) -> bool:
        """Whether each reaches all."""
        return True

    def network(self, agents: int, generator: np.random.Generator) -> Neighbours:
        """All others."""
        return topology.complete(agents)

    def who(self) -> str:
        """The topology in words."""
        return "everyone can address everyone"


class Ring(Communication):
    """Agents stand in a circle and hear the `k` nearest on each side."""

    kind: Literal["ring"] = "ring"
    k: Positive = 1
    directed: Flag = False
    """Hear only those behind."""

    def network(self, agents: int, generator: np.random.Generator) -> Neighbours:
        """The ring."""
        return topology.ring(agents, self.k, directed=self.directed)

    def problems(self, agents: int) -> Iterator[str]:
        """Nobody is met twice on the way round."""
        most = agents - 1 if self.directed else (agents - 1) // 2
        if self.k > most:
            side = "behind" if self.directed else "on each side"
            yield _too_many("k", f"{self.k} {side}", agents, most)

    def who(self) -> str:
        """The topology in words."""
        return f"agents on a ring hear the {self.k} nearest {'behind' if self.directed else 'on each side'}"


class WattsStrogatz(Communication):
    """A small world: a ring of `k` neighbours, each tie rewired with probability `p`."""

    kind: Literal["watts-strogatz"] = "watts-strogatz"
    k: Annotated[Whole, Field(ge=2)] = 4
    """Neighbours of each agent on the ring, half on each side; even."""
    p: Share = 0.1

    @model_validator(mode="after")
    def _even(self) -> "WattsStrogatz":
        if self.k % 2:
            raise ValueError(f"k: {self.k} given; allowed: even numbers, half on each side")
        return self

    def network(self, agents: int, generator: np.random.Generator) -> Neighbours:
        """The small world (Watts & Strogatz 1998)."""
        return topology.watts_strogatz(agents, self.k // 2, self.p, generator)

    def problems(self, agents: int) -> Iterator[str]:
        """Nobody is met twice on the way round."""
        most = (agents - 1) // 2 * 2
        if self.k > most:
            yield _too_many("k", str(self.k), agents, most)

    def who(self) -> str:
        """The topology in words."""
        return f"agents in a small world hear about {self.k} others (rewired with probability {self.p:g})"


class BarabasiAlbert(Communication):
    """A scale-free network: each newcomer ties to `m` agents in proportion to their ties."""

    kind: Literal["barabasi-albert"] = "barabasi-albert"
    m: Positive = 2
    directed: Flag = False
    """Newcomers hear those they tie to, not the reverse."""

    def network(self, agents: int, generator: np.random.Generator) -> Neighbours:
        """The scale-free network (Barabasi & Albert 1999)."""
        return topology.barabasi_albert(agents, self.m, generator, directed=self.directed)

    def problems(self, agents: int) -> Iterator[str]:
        """A newcomer ties to others than itself."""
        if self.m >= agents:
            yield _too_many("m", str(self.m), agents, agents - 1)

    def who(self) -> str:
        """The topology in words."""
        return f"agents on a scale-free network (each newcomer ties to {self.m})"


class ErdosRenyi(Communication):
    """A random graph: each possible tie is there with probability `p`."""

    kind: Literal["erdos-renyi"] = "erdos-renyi"
    p: Share = 0.1
    directed: Flag = False

    def network(self, agents: int, generator: np.random.Generator) -> Neighbours:
        """The random graph (Erdos & Renyi 1959)."""
        return topology.erdos_renyi(agents, self.p, generator, directed=self.directed)

    def who(self) -> str:
        """The topology in words."""
        return f"agents on a random network (each tie there with probability {self.p:g})"


class Star(Communication):
    """One hub hears all and is heard by all; the others hear the hub alone."""

    kind: Literal["star"] = "star"
    hub: Annotated[Whole, Field(ge=0)] = 0

    def network(self, agents: int, generator: np.random.Generator) -> Neighbours:
        """The star."""
        return topology.star(agents, self.hub)

    def problems(self, agents: int) -> Iterator[str]:
        """The hub is one of the agents."""
        if self.hub >= agents:
            yield (
                f"communication.hub: {self.hub} given, but there are {agents} agents (0 to {agents - 1})"
            )

    def who(self) -> str:
        """The topology in words."""
        return f"agent {self.hub} hears everyone and everyone hears it, and nobody else"


class Edges(Communication):
    """The user's own ties."""

    kind: Literal["edges"] = "edges"
    pairs: tuple[tuple[Whole, Whole], ...] = ()
    """(from, to): `to` hears `from`."""
    directed: Flag = False

    def network(self, agents: int, generator: np.random.Generator) -> Neighbours:
        """The given network."""
        pairs = np.array(self.pairs, np.int64).reshape(-1, 2)
        return topology.edges(agents, pairs, directed=self.directed)

    def problems(self, agents: int) -> Iterator[str]:
        """Ties are between two agents that exist."""
        bad = [pair for pair in self.pairs if not all(0 <= a < agents for a in pair)]
        if bad:
            yield f"communication.pairs: {bad[:3]} given, but agents are 0 to {agents - 1}"
        alone = [pair for pair in self.pairs if pair[0] == pair[1]]
        if alone:
            yield f"communication.pairs: {alone[:3]} given, but a tie is between two agents; leave it out"

    def who(self) -> str:
        """The topology in words."""
        return f"agents hear those they are tied to ({len(self.pairs)} given ties)"


class RandomPairs(Communication):
    """At each step agents meet in pairs, drawn at random; nobody hears anyone else."""

    kind: Literal["random-pairs"] = "random-pairs"

    @property
    def each_step(self) -> bool:
        """Whether the network is drawn anew at each step."""
        return True

    def network(self, agents: int, generator: np.random.Generator) -> Neighbours:
        """A random matching; with an odd number of agents one meets nobody."""
        partner = topology.random_pairs(agents, generator)
        paired = np.flatnonzero(partner >= 0)
        pairs = np.column_stack([partner[paired], paired])
        return topology.edges(agents, pairs, directed=True)

    def who(self) -> str:
        """The topology in words."""
        return "agents meet in random pairs, anew at each step"


def _too_many(field: str, given: str, agents: int, most: int) -> str:
    allowed = f"at most {most}" if most > 0 else "there are too few"
    return f"communication.{field}: {given} given, but there are {agents} agents; {allowed}"
