"""Something that spreads: those without it may take it up, and those who have it may give it up.

Thresholds (Granovetter 1978), contagion, and epidemics that end. Whom one sees is communication's and
visibility's business; what one makes of it the agents'.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloudchamber import randomness
from cloudchamber.microspec.value import Real, Value, Whole, counted
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Prompt, State, World
from cloudchamber.questions import Ints, Reals
from cloudchamber.worlds.diffusion_words import Wording, diffusion_prompt

__all__ = ["Diffusion", "Drawn"]

WITHOUT, WITH, FORMER = range(3)


class Drawn(Value):
    """Thresholds drawn for each agent of each run from a normal distribution."""

    mean: Real = 25.0
    sd: Annotated[Real, Field(ge=0)] = 10.0


class Diffusion(World):
    """People who go on without something, have taken it up, or have given it up again.

    These are the items 0, 1 and 2, and "people" counts who stands by each now. Open to those without it
    are 0 and 1; to those who have it 1 and 2, or nothing, where `affordances.acts` are "adopt" alone (then
    they are not asked again); to those who gave it up nothing.

    An agent's threshold, where there are any, is a private field of item 1: "threshold" in people, or
    "threshold_share" in shares of those seen.
    """

    kind: Literal["diffusion"] = "diffusion"
    seeds: Annotated[Whole, Field(ge=0)] = 1
    """How many have it from the start, drawn at random for each run."""
    thresholds: tuple[Real, ...] | Drawn | None = None
    """How many must have it before one takes it up: given for each agent, drawn, or nothing of the kind."""
    of: Literal["people", "share"] = "people"
    """What thresholds count."""
    what: Annotated[str, Field(min_length=1, max_length=200)] = "a new way of doing something"
    """What spreads, as a language model is told."""
    wording: Wording = "take up"
    """How a language model is told: see `diffusion_words`; rules do not read."""

    @property
    def items(self) -> int:
        """Without it, with it, no longer with it."""
        return 3

    @property
    def fields(self) -> tuple[str, ...]:
        """How many stand by each."""
        return ("people",)

    @property
    def private(self) -> tuple[str, ...]:
        """Each agent's own threshold, where there are any."""
        if self.thresholds is None:
            return ()
        return ("threshold",) if self.of == "people" else ("threshold_share",)

    @property
    def facts(self) -> tuple[str, ...]:
        """The share ever reached, and the largest share that had it at once."""
        return ("reached", "peak")

    @property
    def counting(self) -> Literal["acts", "latest"]:
        """Who stands by what now."""
        return "latest"

    @property
    def closes(self) -> bool:
        """Not everything is open to all."""
        return True

    @property
    def who(self) -> str:
        """What an agent is called."""
        return "person"

    @property
    def acts(self) -> tuple[str, ...]:
        """What an agent can do."""
        return ("adopt", "stop")

    def problems(self, agents: int) -> Iterator[str]:
        """Seeds and thresholds fit the population."""
        if self.seeds > agents:
            yield f"world.seeds: {self.seeds} given, but there are {agents} agents; at most {agents}"
        if isinstance(self.thresholds, tuple) and len(self.thresholds) != agents:
            yield (
                f"world.thresholds: {len(self.thresholds)} given, but there are {agents} agents; "
                "give one for each, or say how they are drawn"
            )

    def start(self, opening: Opening) -> State:
        """Draw who has it from the start, and the thresholds."""
        state = super().start(opening)
        state.held = self._seeded(opening)
        runs = np.repeat(np.arange(opening.runs), opening.agents)
        np.add.at(state.tally, (runs, state.held.reshape(-1)), 1)
        # An epidemic that ends needs an act to end it; by default all acts are open.
        state.more["stops"] = np.full(opening.runs, float(_among("stop", opening.acts)))
        if self.thresholds is not None:
            told = np.full((*opening.shape, 3), np.nan)
            told[..., WITH] = self._drawn(opening)
            state.given = {self.private[0]: told}
        self._note(state)
        return state

    def _seeded(self, opening: Opening) -> Ints:
        held = np.zeros(opening.shape, np.int64)
        if 0 < self.seeds <= opening.agents:
            drawn = randomness.uniforms(opening.agent_keys("seeds"), 1)[..., 0]
            first = np.argpartition(drawn, self.seeds - 1, axis=1)[:, : self.seeds]
            np.put_along_axis(held, first, WITH, axis=1)
        return held

    def _drawn(self, opening: Opening) -> Reals:
        if isinstance(self.thresholds, Drawn):
            normal = randomness.normals(opening.agent_keys("thresholds"), 1)[..., 0]
            return np.asarray(self.thresholds.mean + self.thresholds.sd * normal)
        return np.broadcast_to(np.asarray(self.thresholds, np.float64), opening.shape)

    def open(self, state: State, run: Ints, agent: Ints) -> NDArray[np.bool_]:
        """(rows, 3): to stay without it or take it up; to keep it or give it up."""
        assert state.held is not None
        held = state.held[run, agent]
        keeps = (held == WITH) & (state.more["stops"][run] > 0)
        return np.stack([held == WITHOUT, (held == WITHOUT) | keeps, keeps], axis=1)

    def apply(self, state: State, acts: Acts) -> None:
        """Who chose stands by it from now on."""
        self.stand(state, acts)
        self._note(state)

    def _note(self, state: State) -> None:
        agents = np.maximum(state.tally.sum(axis=1), 1)
        state.more["reached"] = (state.tally[:, WITH] + state.tally[:, FORMER]) / agents
        peak = state.more.get("peak", np.zeros(len(agents)))
        state.more["peak"] = np.maximum(peak, state.tally[:, WITH] / agents)

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told."""
        return diffusion_prompt(self.what, glimpse, self.wording)

    def aloud(self) -> str:
        """The world as a sentence."""
        unit = "" if self.of == "people" else " (shares)"
        told = ""
        if isinstance(self.thresholds, Drawn):
            own = self.thresholds
            told = f"; thresholds are normal with mean {own.mean:g} and sd {own.sd:g}{unit}"
        elif self.thresholds is not None:
            told = f"; everyone has a threshold{unit}"
        have = "has" if self.seeds == 1 else "have"
        people = counted(self.seeds, "agent") if self.seeds else "nobody"
        return (
            f"something that can be taken up and given up, which {people} {have} at the start{told}"
        )


def _among(act: str, acts: tuple[str, ...]) -> bool:
    return not acts or act in acts
