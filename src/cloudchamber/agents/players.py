"""Players of repeated dilemmas: strategies that go by what is remembered of earlier meetings alone.

Item 0 is to cooperate, item 1 to defect. A strategy knows what memory gives it: where nothing is remembered,
every meeting is its first; where partners are drawn anew it answers the one it met last.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cloudchamber.agents.past import meetings
from cloudchamber.agents.rules import Rule
from cloudchamber.microspec.value import Real, Whole
from cloudchamber.questions import Questions, Reals

__all__ = [
    "Grim",
    "MemoryOne",
    "RandomPlayer",
    "SuspiciousTitForTat",
    "TitForTat",
    "WinStayLoseShift",
]

Share = Annotated[Real, Field(ge=0, le=1)]


class _Player(Rule):
    """What strategies share: a chance of cooperating, and the slips."""

    slip: Share = 0.0
    """The chance that the act is the other one."""

    def chance(self, questions: Questions) -> Reals:
        """(rows,): the chance of cooperating, before slips."""
        raise NotImplementedError

    def weights(self, questions: Questions) -> Reals:
        """The chance of each of the two acts; 0 for whatever else is offered."""
        meant = self.chance(questions)
        does = (meant + self.slip * (1 - 2 * meant))[:, None]
        items = questions.items
        return np.asarray(np.where(items == 0, does, np.where(items == 1, 1 - does, 0.0)))

    def _slips(self) -> str:
        return f", slipping with chance {self.slip:g}" if self.slip else ""


class _MemoryOne(_Player):
    """Goes by what both did in the last meeting."""

    first: Share = 1.0
    """The chance of cooperating where no meeting is remembered."""
    both: Share = 1.0
    """The same after both cooperated,"""
    alone: Share = 0.0
    """after it cooperated alone,"""
    other: Share = 1.0
    """after the other cooperated alone,"""
    nobody: Share = 0.0
    """and after nobody did."""

    def chance(self, questions: Questions) -> Reals:
        """By what the latest remembered meeting was; one of which the other's act is unknown is none."""
        met = meetings(questions)
        after = np.array([[self.both, self.alone], [self.other, self.nobody]])
        own, other = met.own[:, -1], met.other[:, -1]
        known = (own >= 0) & (other >= 0)
        # Whatever else may be chosen than to cooperate is to defect.
        return np.where(known, after[np.clip(own, 0, 1), np.clip(other, 0, 1)], self.first)

    def aloud(self) -> str:
        """The rule in words."""
        told = ", ".join(f"{p:g}" for p in (self.both, self.alone, self.other, self.nobody))
        return (
            f"a {self.kind} player that cooperates first with chance {self.first:g}, then with {told} after "
            f"both, it alone, the other alone, nobody did{self._slips()}"
        )


class MemoryOne(_MemoryOne):
    """Any strategy that goes by what both did in the last meeting (Nowak & Sigmund 1993)."""

    kind: Literal["memory-one"] = "memory-one"


class TitForTat(_MemoryOne):
    """Cooperates first, then does what the other did."""

    kind: Literal["tit-for-tat"] = "tit-for-tat"


class SuspiciousTitForTat(_MemoryOne):
    """Defects first, then does what the other did."""

    kind: Literal["suspicious-tit-for-tat"] = "suspicious-tit-for-tat"
    first: Share = 0.0


class WinStayLoseShift(_MemoryOne):
    """Cooperates first, then stays with what it did if the other cooperated, and changes if not (Pavlov)."""

    kind: Literal["win-stay-lose-shift"] = "win-stay-lose-shift"
    other: Share = 0.0
    nobody: Share = 1.0


class RandomPlayer(_Player):
    """Cooperates with a chance of its own, whatever happened: "unfair random"."""

    kind: Literal["random-player"] = "random-player"
    alpha: Share = 0.5
    """The chance of cooperating."""

    def chance(self, questions: Questions) -> Reals:
        """The same for all."""
        return np.full(len(questions), self.alpha)

    def aloud(self) -> str:
        """The rule in words."""
        return f"a player that cooperates with chance {self.alpha:g}{self._slips()}"


class Grim(_Player):
    """Defects as long as it remembers that another defected; with all remembered, for good."""

    kind: Literal["grim"] = "grim"
    after: Annotated[Whole, Field(ge=1)] = 1
    """How many remembered defections of others it takes."""

    def chance(self, questions: Questions) -> Reals:
        """1 or 0."""
        defected = (meetings(questions).other > 0).sum(axis=1)
        return np.asarray(defected < self.after, np.float64)

    def aloud(self) -> str:
        """The rule in words."""
        many = "a defection" if self.after == 1 else f"{self.after} defections"
        return f"a grim player that defects while it remembers {many} of others{self._slips()}"
