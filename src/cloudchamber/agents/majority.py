"""The force of a majority: answering as the group does, the more surely the more agree."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cloudchamber.agents.comparing import Comparing
from cloudchamber.microspec.value import Real, Whole
from cloudchamber.questions import Ints, Questions, Reals

__all__ = ["MajorityForce", "majorities"]


class MajorityForce(Comparing):
    """P(answer | mean opinion m) = (tanh(strength m + lean) + 1) / 2 (De Marzo, Castellano & Garcia 2024).

    Of two options; m is what is shown of one less what is shown of the other, over both, and lean is for
    the item `toward`. Of more options the log weight of each is strength m of it, against all the rest.
    """

    kind: Literal["majority-force"] = "majority-force"
    strength: Real = 1.5
    lean: Real = 0.0
    """Towards one item; below 0 away from it."""
    toward: Annotated[Whole, Field(ge=0)] = 1
    """The item, counted from 0."""
    people: Annotated[str, Field(min_length=1)] = "people"
    """The field that counts who stands by what."""

    def weights(self, questions: Questions) -> Reals:
        """The probability of each."""
        force = self.strength * majorities(questions.shown(self.people), questions.items)
        force += np.where(questions.items == self.toward, self.lean, -self.lean)
        force -= force.max(axis=1, keepdims=True)
        weights = np.where(questions.items >= 0, np.exp(force), 0.0)
        return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300))

    def aloud(self) -> str:
        """The rule in words."""
        lean = f", leaning by {self.lean:g} towards item {self.toward}" if self.lean else ""
        return f"a rule that follows the majority it sees (strength {self.strength:g}{lean})"


def majorities(counts: Reals, items: Ints) -> Reals:
    """(rows, options): what is counted of each option less what is counted of the rest, over all.

    0 where nothing is counted; options that are not there (items of -1) count nothing.
    """
    there = np.where(items >= 0, counts, 0.0)
    whole = there.sum(axis=1, keepdims=True)
    return np.where(whole > 0, 2 * there / np.where(whole > 0, whole, 1.0) - 1, 0.0)
