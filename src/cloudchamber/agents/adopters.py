"""Rules for something that spreads: whether to take it up, by how many have it, and whether to give it up.

They know what the options are by their numbers, as the world `Diffusion` has them: 0 to go on without it, 1
to have it, 2 to give it up.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cloudchamber.agents.comparing import Comparing
from cloudchamber.microspec.value import Real
from cloudchamber.questions import Questions, Reals

__all__ = ["Contagion", "Threshold"]

Share = Annotated[Real, Field(ge=0, le=1)]
NotNegative = Annotated[Real, Field(ge=0)]
_ALMOST = 1e-9
"""Shares are compared with thresholds up to rounding."""


class _Adopting(Comparing):
    """A rule that takes something up by how many are seen to have it, and gives it up at random."""

    stop: Share = 0.0
    """Probability of giving it up again, where that is open."""
    people: Annotated[str, Field(min_length=1)] = "people"
    """The field that counts who stands by what."""

    @abstractmethod
    def taking_up(self, questions: Questions, have: Reals, lack: Reals) -> Reals:
        """(rows,): the probability of taking it up, by how many are seen to have it and not to."""

    def weights(self, questions: Questions) -> Reals:
        """The probability of each option."""
        items, shown = questions.items, questions.shown(self.people)
        have, lack = (np.where(items == item, shown, 0.0).sum(axis=1) for item in (1, 0))
        adopts = self.taking_up(questions, have, lack)
        keeps = np.where((items == 0).any(axis=1), adopts, 1 - self.stop)
        return np.select(
            [items == 0, items == 1, items == 2],
            [1 - adopts[:, None], keeps[:, None], np.full((1, 1), self.stop)],
        )

    def _stops(self) -> str:
        return f", and gives it up with probability {self.stop:g}" if self.stop else ""


class Threshold(_Adopting):
    """Take it up once enough have it (Granovetter 1978; a share of neighbours: Watts 2002).

    The own threshold counts where one is shown ("threshold" in people, "threshold_share" in shares of those
    seen), and `at` where none is. Two or more people, or a share, make the contagion a complex one (Centola
    & Macy 2007).
    """

    kind: Literal["threshold"] = "threshold"
    at: NotNegative = 2.0
    of: Literal["people", "share"] = "people"
    """What `at` counts."""
    chance: Share = 1.0
    """Probability of taking it up at a step at which enough have it."""

    def taking_up(self, questions: Questions, have: Reals, lack: Reals) -> Reals:
        """The chance, where enough have it."""
        share = have / np.maximum(have + lack, 1.0)
        at, seen = np.full(len(have), self.at), share if self.of == "share" else have
        for name, unit in (("threshold", have), ("threshold_share", share)):
            if name in questions.signals:
                own = np.nanmax(questions.signals[name], axis=1, initial=-np.inf)
                at, seen = (
                    np.where(np.isfinite(own), own, at),
                    np.where(np.isfinite(own), unit, seen),
                )
        return np.asarray(self.chance * (seen >= at - _ALMOST), np.float64)

    def aloud(self) -> str:
        """The rule in words."""
        unit = "others" if self.of == "people" else "of those seen (a share)"
        chance = "" if self.chance == 1 else f" with probability {self.chance:g}"
        return (
            f"a rule that takes it up{chance} once as many have it as its threshold says ({self.at:g} {unit} "
            f"where it has none){self._stops()}"
        )


class Contagion(_Adopting):
    """Catch it from each who has it, independently: 1 - (1 - chance)^people (Reed & Frost)."""

    kind: Literal["contagion"] = "contagion"
    chance: Share = 0.1
    """Probability of taking it up from one person at a step."""

    def taking_up(self, questions: Questions, have: Reals, lack: Reals) -> Reals:
        """From any of those who have it."""
        return np.asarray(1 - (1 - self.chance) ** have)

    def aloud(self) -> str:
        """The rule in words."""
        return f"a rule that takes it up from each who has it with probability {self.chance:g}{self._stops()}"
