"""Two options, one of which is right: everyone holds a private sign and may see what others chose.

The world of information cascades (Bikhchandani, Hirshleifer & Welch 1992; Anderson & Holt 1997). Who sees
whose choices, and when anyone decides, is not the world's business.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cloudchamber import randomness
from cloudchamber.microspec.value import Real
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Prompt, State, World
from cloudchamber.questions import Reals
from cloudchamber.worlds.cascade_words import Wording, cascade_prompt

__all__ = ["Cascade"]


class Cascade(World):
    """Two options; which is right is drawn for each run, and nobody is told.

    Each agent's sign points to the right option with probability `precision`, independently. It is a
    private field, "sign": 1 on the option it points to, 0 on the other. How often each option was chosen
    is the field "choices". A choice scores 1 if it is right.
    """

    kind: Literal["cascade"] = "cascade"
    precision: Annotated[Real, Field(ge=0.5, le=1)] = 2 / 3
    """The probability that a sign points to the right option; everyone knows it."""
    wording: Wording = "signs"
    """How a language model is told: see `cascade_words`; rules do not read."""

    @property
    def items(self) -> int:
        """Two."""
        return 2

    @property
    def fields(self) -> tuple[str, ...]:
        """How often each was chosen."""
        return ("choices",)

    @property
    def private(self) -> tuple[str, ...]:
        """Each agent's own sign."""
        return ("sign",)

    @property
    def facts(self) -> tuple[str, ...]:
        """Which option is right."""
        return ("right",)

    @property
    def who(self) -> str:
        """What an agent is called."""
        return "person"

    @property
    def acts(self) -> tuple[str, ...]:
        """What an agent can do."""
        return ("choose",)

    @property
    def scores(self) -> bool:
        """A right choice scores."""
        return True

    def content(self) -> Mapping[str, Reals]:
        """How precise signs are, which everyone knows."""
        return {"precision": np.full(2, self.precision)}

    def start(self, opening: Opening) -> State:
        """Draw which option is right, and everyone's sign."""
        right = (randomness.uniforms(opening.run_keys("right"), 1)[:, 0] < 0.5).astype(np.int64)
        true = randomness.uniforms(opening.agent_keys("sign"), 1)[..., 0] < self.precision
        points_to = np.where(true, right[:, None], 1 - right[:, None])
        state = super().start(opening)
        state.given = {"sign": (points_to[..., None] == np.arange(2)).astype(np.float64)}
        state.more["right"] = right.astype(np.float64)
        return state

    def apply(self, state: State, acts: Acts) -> None:
        """Each choice counts, and scores if it is right."""
        np.add.at(state.tally, (acts.run, acts.item), 1.0)
        np.add.at(state.score, (acts.run, acts.agent), acts.item == state.more["right"][acts.run])

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told."""
        return cascade_prompt(self.precision, glimpse, self.wording)

    def aloud(self) -> str:
        """The world as a sentence."""
        return (
            "two options, one of which is right; everyone's private sign points to it with probability "
            f"{self.precision:.3g}, and a right choice scores 1"
        )
