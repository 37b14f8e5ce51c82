"""The naming game: two meet, each says a name at the same time, and both gain where it is the same.

After Ashery, Aiello & Baronchelli 2025 (Science Advances 11, eadu9368). Who meets whom is the turns' and
communication's business, how many meetings are remembered is memory's; who is committed to a name is a
group whose rule always says it.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from cloudchamber.microspec.value import Real, Whole, counted
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Past, Prompt, State, World
from cloudchamber.questions import Ints, Reals
from cloudchamber.worlds.naming_words import naming_prompt
from cloudchamber.worlds.telling import PlainOrReworded

__all__ = ["NAMES_2", "NAMES_10", "NAMES_26", "NamingGame"]

NAMES_2 = ("Q", "M")
NAMES_10 = ("Q", "M", "X", "Y", "F", "J", "P", "R", "C", "D")
NAMES_26 = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""The pools of names of the published experiments."""


LAST = 3
"""Meetings for each agent that must all succeed for a population to have agreed, as in the published game."""


class NamingGame(World):
    """Names to agree on; agents act in meetings of two, and are paid by whether they said the same."""

    kind: Literal["naming-game"] = "naming-game"
    names: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(min_length=2)
    ] = NAMES_2
    """The names that can be said, each once."""
    same: Real = 100.0
    """What each of two gets who say the same name."""
    different: Real = -50.0
    """What each gets where they do not, or where one says nothing."""
    convention: Annotated[Whole, Field(ge=0)] | None = None
    """The name, counted from 0, that all said in every meeting they remember from before the first step;
    None: they remember nothing."""
    remembered: Annotated[Whole, Field(ge=1)] = 5
    """Where there is a convention: how many such meetings; of these, memory shows what it shows of any."""
    wording: PlainOrReworded = "plain"
    """How a language model is told: see `naming_words`; rules do not read."""

    @model_validator(mode="after")
    def _consistent(self) -> "NamingGame":
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(f"names: each once; given twice: {twice}")
        if self.convention is not None and self.convention >= len(self.names):
            raise ValueError(
                f"convention: {self.convention} given for {len(self.names)} names; allowed: "
                f"0 to {len(self.names) - 1}, or none"
            )
        return self

    @property
    def items(self) -> int:
        """How many names there are."""
        return len(self.names)

    @property
    def fields(self) -> tuple[str, ...]:
        """How often all agents have said a name; in the published game nobody sees it."""
        return ("uses",)

    @property
    def results(self) -> tuple[str, ...]:
        """What a meeting brought."""
        return ("payoff",)

    @property
    def facts(self) -> tuple[str, ...]:
        """Meetings so far; the share of the last ones in which both said the same; when that was first 1.

        The last ones are as many as three for each agent. NaN is not yet.
        """
        return ("meetings", "agreement", "meetings to agreement")

    @property
    def meets(self) -> Literal["", "both", "one"]:
        """Both say a name."""
        return "both"

    @property
    def who(self) -> str:
        """What an agent is called."""
        return "player"

    @property
    def acts(self) -> tuple[str, ...]:
        """What an agent can do."""
        return ("say",)

    @property
    def scores(self) -> bool:
        """A meeting pays."""
        return True

    def words(self) -> tuple[str, ...]:
        """The names."""
        return self.names

    def start(self, opening: Opening) -> State:
        """Nothing said yet; where there is a convention, all remember, and were paid for, meetings by it."""
        state = super().start(opening)
        state.more["meetings"] = np.zeros(opening.runs)
        state.more["agreement"] = np.full(opening.runs, np.nan)
        state.more["meetings to agreement"] = np.full(opening.runs, np.nan)
        state.more["latest"] = np.zeros((opening.runs, LAST * opening.agents))
        if self.convention is not None:
            said = np.full((*opening.shape, self.remembered), self.convention)
            state.past = Past(said, said.copy(), {"payoff": np.full(said.shape, self.same)})
            state.score += self.remembered * self.same
        return state

    def apply(self, state: State, acts: Acts) -> Mapping[str, Reals]:
        """Names are counted; who said what the other said gets the reward."""
        met = np.full(len(acts), -1) if acts.met is None else acts.met
        payoff = np.where(met == acts.item, self.same, self.different)
        runs, agents = state.score.shape
        who = acts.run.astype(np.int64) * agents + acts.agent
        state.score += np.bincount(who, payoff, minlength=runs * agents).reshape(runs, agents)
        said = acts.run.astype(np.int64) * self.items + acts.item
        state.tally += np.bincount(said, minlength=runs * self.items).reshape(runs, self.items)
        self._observe(state, acts, met)
        return {"payoff": payoff}

    def _observe(self, state: State, acts: Acts, met: Ints) -> None:
        """Enter each meeting once into the latest ones, then the facts."""
        if acts.partner is None:
            return
        more, window = state.more, state.more["latest"].shape[1]
        once = (acts.agent < acts.partner) | (
            met < 0
        )  # who met one that did nothing is there alone
        run = acts.run[once]
        count = np.bincount(run, minlength=len(state.tally))
        order = np.argsort(run, kind="stable")
        nth = np.arange(len(run)) - (np.cumsum(count) - count)[run[order]]
        place = (more["meetings"].astype(np.int64)[run[order]] + nth) % window
        more["latest"][run[order], place] = (met == acts.item)[once][order]
        more["meetings"] += count
        agreed = more["latest"].sum(axis=1)
        known = np.minimum(more["meetings"], window)
        np.divide(agreed, known, out=more["agreement"], where=known > 0)
        now = (agreed == window) & np.isnan(more["meetings to agreement"])
        more["meetings to agreement"][now] = more["meetings"][now]

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told."""
        return naming_prompt(self.names, self.same, self.different, glimpse, self.wording)

    def aloud(self) -> str:
        """The world as a sentence."""
        before = ""
        if self.convention is not None:
            often = counted(self.remembered, "meeting")
            before = (
                f"; at first all remember {often} in which both said {self.names[self.convention]}"
            )
        few = " and ".join(f"{name} (item {at})" for at, name in enumerate(self.names))
        names = f"the names {few}" if self.items == 2 else f"{self.items} names"
        return (
            f"a naming game with {names}: who meets scores {self.same:g} for the same name, "
            f"{self.different:g} for different ones{before}"
        )
