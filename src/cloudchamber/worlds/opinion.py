"""A group with one question: everyone stands by one of two answers, and may see how many stand by each.

The world of the majority force (De Marzo, Castellano & Garcia 2024) and of stubborn agents, who are a group
that always gives one answer.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from cloudchamber import randomness
from cloudchamber.microspec.value import Real
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Prompt, State, World
from cloudchamber.questions import Reals
from cloudchamber.worlds.opinion_words import Wording, opinion_prompt

__all__ = ["Opinion"]

Share = Annotated[Real, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class Opinion(World):
    """Two answers, the items 0 and 1; "people" counts who stands by each now.

    Everyone stands by one from the start, drawn for each run. The mean opinion is the share that stands by
    answer 1 less the share that stands by answer 0, from -1 to 1.
    """

    kind: Literal["opinion"] = "opinion"
    up: Share = 0.5
    """The probability that an agent stands by answer 1 at the start."""
    question: Text = "Which of two names should the group use?"
    """What a language model is asked about."""
    answers: tuple[Text, Text] = ("Zel", "Vom")
    """The answers as a language model is told."""
    wording: Wording = "people"
    """How a language model is told: see `opinion_words`; rules do not read."""

    @model_validator(mode="after")
    def _different(self) -> "Opinion":
        if self.answers[0].strip() == self.answers[1].strip():
            raise ValueError(f"answers: {self.answers[0]!r} given twice; give two different ones")
        return self

    @property
    def items(self) -> int:
        """The two answers."""
        return 2

    @property
    def fields(self) -> tuple[str, ...]:
        """How many stand by each."""
        return ("people",)

    @property
    def facts(self) -> tuple[str, ...]:
        """The mean opinion."""
        return ("opinion",)

    @property
    def counting(self) -> Literal["acts", "latest"]:
        """Who stands by what now."""
        return "latest"

    @property
    def who(self) -> str:
        """What an agent is called."""
        return "person"

    @property
    def acts(self) -> tuple[str, ...]:
        """What an agent can do."""
        return ("answer",)

    def words(self) -> tuple[str, ...]:
        """The answers."""
        return self.answers

    def start(self, opening: Opening) -> State:
        """Everyone stands by an answer."""
        state = super().start(opening)
        drawn = randomness.uniforms(opening.agent_keys("opinions"), 1)[..., 0]
        state.held = (drawn < self.up).astype(np.int64)
        runs = np.repeat(np.arange(opening.runs), opening.agents)
        cell = runs * 2 + state.held.reshape(-1)
        state.tally += np.bincount(cell, minlength=opening.runs * 2).reshape(-1, 2)
        self._note(state)
        return state

    def apply(self, state: State, acts: Acts) -> None:
        """Who answered stands by it from now on."""
        self.stand(state, acts)
        self._note(state)

    def _note(self, state: State) -> None:
        people = np.maximum(state.tally.sum(axis=1), 1)
        state.more["opinion"] = (state.tally[:, 1] - state.tally[:, 0]) / people

    def similarity(self) -> Reals | None:
        """Each answer is like itself alone."""
        return np.eye(2)

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told."""
        return opinion_prompt(self.question, self.answers, glimpse, self.wording)

    def aloud(self) -> str:
        """The world as a sentence."""
        return (
            "a question with two answers; everyone stands by one or the other, at the start by the second "
            f"with probability {self.up:g}"
        )
