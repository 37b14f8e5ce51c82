"""How much of a trace is kept: everything, a keyed sample of the agents, or the tallies alone.

Outcomes, series, texts and runs are kept at every level; a level speaks of decisions and exposures.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber import randomness
from cloudchamber.errors import SpecificationError, nearest

__all__ = ["Level", "LevelName"]

LevelName = Literal["full", "sampled", "summary"]


@dataclass(frozen=True, slots=True)
class Level:
    """Which agents' decisions and exposures are written.

    ``full`` keeps all; ``sampled`` those of a random fraction of the (replicate, agent) pairs, the
    same in every cell of an experiment, so that a baseline and its intervention stay paired;
    ``summary`` none.
    """

    name: LevelName = "full"
    fraction: float = 0.01
    """The share of agents that ``sampled`` keeps, in (0, 1]."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.name not in get_args(LevelName):
            raise SpecificationError(
                f"level of the trace: {self.name!r}; {nearest(self.name, get_args(LevelName))}"
            )
        if not 0 < self.fraction <= 1:
            raise SpecificationError(
                f"fraction of the sampled trace: {self.fraction}; allowed: above 0, up to 1"
            )

    def keep(self, replicate: ArrayLike, agent: ArrayLike) -> NDArray[np.bool_]:
        """Whether an agent's rows are kept; replicate and agent broadcast against each other.

        The answer never changes within a run: ask once for [runs, agents] and index it.
        """
        if self.name == "sampled":
            drawn = randomness.keys(self.seed, replicate, "trace", agent=agent)
            return np.asarray(randomness.uniforms(drawn, 1)[..., 0] < self.fraction)
        shape = np.broadcast(np.asarray(replicate), np.asarray(agent)).shape
        return np.full(shape, self.name == "full")
