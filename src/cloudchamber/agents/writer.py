"""A rule that writes: the smallest agent whose words move others, for checks and closed forms."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cloudchamber.agents.rules import Rule
from cloudchamber.microspec.value import Real
from cloudchamber.questions import Questions, Reals
from cloudchamber.randomness import exponentials

__all__ = ["Writer"]


class Writer(Rule):
    """Names in its texts an option that it is drawn to, and is drawn to those that texts it reads name.

    weight = e^(strength * texts that name the option), whoever wrote them. What it writes is "item-N", drawn
    from the same weights under noise of its own; where it is shown no option, "item-0".
    """

    kind: Literal["writer"] = "writer"
    strength: Annotated[Real, Field(ge=0, le=50)] = 1.0

    def weights(self, questions: Questions) -> Reals:
        """The exponential of how often each option is named."""
        heard = questions.heard
        named = np.zeros(questions.items.shape)
        if heard.text is not None:
            rows = heard.row()
            for row, text in zip(rows.tolist(), heard.text.tolist(), strict=True):
                named[row] += [text == _text(item) for item in questions.items[row].tolist()]
        return np.exp(np.minimum(self.strength * named, 600.0)) * (questions.items >= 0)

    def write(self, questions: Questions) -> tuple[str, ...]:
        """A text for each row."""
        about = questions.writing.kind if questions.writing is not None else ""
        noise = exponentials(questions.address.keys(f"write {about}"), questions.items)
        with np.errstate(divide="ignore"):
            pick = np.argmin(noise / self.weights(questions), axis=1)
        item = np.take_along_axis(questions.items, pick[:, None], axis=1)[:, 0]
        return tuple(map(_text, np.maximum(item, 0).tolist()))

    def aloud(self) -> str:
        """The rule in words."""
        return f"a rule that writes what it would choose and heeds what it reads (strength {self.strength:g})"


def _text(item: int) -> str:
    return f"item-{item}"
