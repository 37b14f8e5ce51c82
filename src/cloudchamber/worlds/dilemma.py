"""A game of two by its table of payoffs: the prisoner's dilemma, stag hunt, snowdrift, and the like.

Agents meet in pairs and choose together: item 0 is to cooperate, item 1 to defect. What the other chose and
what it brought is known from memory, as far as that reaches; whether partners are kept or drawn anew is a
matter of turns.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import field_validator

from cloudchamber.microspec.value import Real
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Prompt, State, World
from cloudchamber.questions import Reals
from cloudchamber.worlds.cooperating import COOPERATION, keep, so_far
from cloudchamber.worlds.dilemma_words import dilemma_prompt
from cloudchamber.worlds.telling import PlainOrReworded

__all__ = ["COOPERATE", "DEFECT", "Dilemma"]

COOPERATE, DEFECT = 0, 1


class Dilemma(World):
    """Two players choose together; each is paid by what both chose."""

    kind: Literal["dilemma"] = "dilemma"
    temptation: Real = 5.0
    """T: what who defects gets from one who cooperates."""
    reward: Real = 3.0
    """R: what each gets when both cooperate."""
    punishment: Real = 1.0
    """P: what each gets when both defect."""
    sucker: Real = 0.0
    """S: what who cooperates gets from one who defects."""
    names: tuple[str, ...] = ()
    """What the two options are called beside their codes, cooperating first; nothing if not given."""
    wording: PlainOrReworded = "plain"
    """How a language model is told: see `dilemma_words`; rules do not read."""

    @field_validator("names")
    @classmethod
    def _two(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if names and (len(names) != 2 or len(set(names)) < 2 or not all(names)):
            raise ValueError("give a name for each of the two options, different ones, or none")
        return names

    @classmethod
    def stag_hunt(cls) -> "Dilemma":
        """Both want to cooperate, if the other does: R > T >= P > S (4, 3, 2, 0)."""
        return cls(temptation=3.0, reward=4.0, punishment=2.0, sucker=0.0)

    @classmethod
    def snowdrift(cls, benefit: float = 4.0, cost: float = 2.0) -> "Dilemma":
        """Each wants to do what the other does not: T = b, R = b - c / 2, S = b - c, P = 0.

        Source: Hauert & Doebeli 2004. Cooperators that are matched at random are
        1 - c / (2 b - c) of a population at rest.
        """
        return cls(
            temptation=benefit, reward=benefit - cost / 2, punishment=0.0, sucker=benefit - cost
        )

    @property
    def table(self) -> Reals:
        """(own act, other's act): what the own act is paid."""
        return np.array([[self.reward, self.sucker], [self.temptation, self.punishment]])

    @property
    def items(self) -> int:
        """To cooperate and to defect."""
        return 2

    @property
    def fields(self) -> tuple[str, ...]:
        """How often each was chosen so far, by everyone."""
        return ("chosen",)

    @property
    def results(self) -> tuple[str, ...]:
        """What a meeting paid."""
        return ("payoff",)

    @property
    def facts(self) -> tuple[str, ...]:
        """The share of choices that cooperate, of all and of the latest round; the mean score so far."""
        return COOPERATION

    @property
    def meets(self) -> Literal["both"]:
        """Both who meet choose."""
        return "both"

    @property
    def who(self) -> str:
        """What an agent is called."""
        return "player"

    @property
    def acts(self) -> tuple[str, ...]:
        """What a player can do."""
        return ("choose",)

    @property
    def scores(self) -> bool:
        """It does: payoffs add up."""
        return True

    def start(self, opening: Opening) -> State:
        """Nobody has met anyone."""
        state = super().start(opening)
        state.more = so_far(opening.runs)
        return state

    def words(self) -> tuple[str, ...]:
        """The names of the options, where they have any."""
        return self.names

    def apply(self, state: State, acts: Acts) -> Mapping[str, Reals]:
        """Pay each by what both chose; who met nobody that chose is paid nothing, and told nothing."""
        met = np.full(len(acts), -1) if acts.met is None else acts.met
        paid = np.where(met >= 0, self.table[acts.item, met], np.nan)
        np.add.at(state.score, (acts.run, acts.agent), np.nan_to_num(paid))
        np.add.at(state.tally, (acts.run, acts.item), 1)
        keep(state, acts, acts.item == COOPERATE)
        added = np.bincount(acts.run, np.nan_to_num(paid), minlength=len(state.score))
        state.more["mean score"] += added / state.score.shape[1]
        return {"payoff": paid}

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told."""
        return dilemma_prompt(self.table, self.names, glimpse, self.wording)

    def aloud(self) -> str:
        """The world as a sentence."""
        called = f", called {' and '.join(self.names)}" if self.names else ""
        return (
            f"a game of two that cooperate or defect{called}: both cooperate {self.reward:g}, both defect "
            f"{self.punishment:g}, who defects alone {self.temptation:g}, who cooperates alone "
            f"{self.sucker:g}"
        )
