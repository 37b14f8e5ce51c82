"""The minimal naming game: one speaks, the other listens, and each keeps an inventory of words.

The speaker says a word that it knows, inventing its own if it knows none. If the listener knows it too, both
keep that word alone; if not, the listener learns it (Baronchelli, Felici, Loreto, Caglioti & Steels 2006).
With two words known at the start it is the binary naming game, with groups that never learn the committed
minority of Xie et al. 2011.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cloudchamber.microspec.value import Flag, Whole
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Prompt, State, World
from cloudchamber.questions import Ints, Reals
from cloudchamber.worlds.naming_words import spoken, telling_prompt

__all__ = ["MinimalNamingGame"]

KNOWS = "knows"
"""In the state: (runs, agents, words), 1 where the agent knows the word."""
FACTS = (
    "meetings",
    "words known",
    "different words",
    "most words known",
    "meetings to most",
    "meetings to agreement",
)


class MinimalNamingGame(World):
    """Words to agree on, invented as they are needed; what an agent may say is what it knows."""

    kind: Literal["minimal-naming-game"] = "minimal-naming-game"
    different: Annotated[Whole, Field(ge=2)] = 100
    """How many different words can be invented, agent n the n-th (and from the first again). With as many
    as agents, no two ever invent the same."""
    knows: tuple[Annotated[Whole, Field(ge=-1)], ...] = ()
    """The word that the agents of each group know at the start, -1 for none; empty: none knows any."""
    keeps: tuple[Flag, ...] = ()
    """Whether the agents of each group never learn: they are committed to what they know; empty: none."""

    @model_validator(mode="after")
    def _consistent(self) -> "MinimalNamingGame":
        beyond = [word for word in self.knows if word >= self.different]
        if beyond:
            raise ValueError(
                f"knows: {beyond} given; allowed: words 0 to {self.different - 1}, -1 for none"
            )
        committed = [group for group, keeps in enumerate(self.keeps) if keeps]
        if any(group >= len(self.knows) or self.knows[group] < 0 for group in committed):
            raise ValueError(
                f"keeps: given for {committed}, but who never learns needs a word at the start; give "
                "it in knows"
            )
        return self

    @property
    def items(self) -> int:
        """How many words there may be."""
        return self.different

    @property
    def fields(self) -> tuple[str, ...]:
        """How often a word has been said; in the published game nobody sees it."""
        return ("uses",)

    @property
    def results(self) -> tuple[str, ...]:
        """Whether the listener knew the word: 1 or 0."""
        return ("understood",)

    @property
    def meets(self) -> Literal["", "both", "one"]:
        """One speaks."""
        return "one"

    @property
    def closes(self) -> bool:
        """One can only say what one knows."""
        return True

    @property
    def who(self) -> str:
        """What an agent is called."""
        return "player"

    @property
    def acts(self) -> tuple[str, ...]:
        """What a speaker can do."""
        return ("say",)

    def words(self) -> tuple[str, ...]:
        """How each word sounds."""
        return tuple(spoken(number) for number in range(self.different))

    @property
    def facts(self) -> tuple[str, ...]:
        """What is known in all, and when it came to that; meetings are counted from 1, NaN is not yet."""
        return FACTS

    def start(self, opening: Opening) -> State:
        """Each group knows its word, or nothing."""
        word = _by_group(self.knows, opening.group, -1)
        known = (word[:, None] == np.arange(self.items)).astype(np.float64)
        state = super().start(opening)
        state.more[KNOWS] = np.tile(known, (opening.runs, 1, 1))
        state.more["keeps"] = _by_group(self.keeps, opening.group, 0).astype(np.float64)
        state.more["knowers"] = np.tile(known.sum(axis=0), (opening.runs, 1))
        for name in FACTS:
            state.more[name] = np.zeros(opening.runs)
        state.more["meetings to agreement"][:] = np.nan
        self._observe(state)
        return state

    def open(self, state: State, run: Ints, agent: Ints) -> NDArray[np.bool_]:
        """The words that the speaker knows, or its own, if it knows none."""
        may = state.more[KNOWS][run, agent] > 0
        mute = np.flatnonzero(~may.any(axis=1))
        may[mute, agent[mute] % self.items] = True
        return may

    def apply(self, state: State, acts: Acts) -> Mapping[str, Reals]:
        """Who understands each other keeps the word alone; who does not understand learns it."""
        np.add.at(state.tally, (acts.run, acts.item), 1.0)
        if acts.partner is None:
            return {"understood": np.zeros(len(acts))}
        knows, row = state.more[KNOWS], np.arange(len(acts))
        understood = knows[acts.run, acts.partner, acts.item] > 0
        word = np.zeros((len(acts), self.items))
        word[row, acts.item] = 1.0
        # A speaker that was not understood still knows what it has just invented.
        for agent in (acts.partner, acts.agent):
            learns = state.more["keeps"][agent] == 0
            before = knows[acts.run, agent]
            after = np.where(understood[:, None], word, np.maximum(before, word))
            np.add.at(state.more["knowers"], acts.run, (after - before) * learns[:, None])
            knows[acts.run[learns], agent[learns]] = after[learns]
        state.more["meetings"] += np.bincount(acts.run, minlength=len(state.tally))
        self._observe(state)
        return {"understood": understood.astype(np.float64)}

    def _observe(self, state: State) -> None:
        """Enter the facts."""
        more, agents = state.more, state.score.shape[1]
        known, different = more["knowers"].sum(axis=1), (more["knowers"] > 0).sum(axis=1)
        more["words known"], more["different words"] = known, different.astype(np.float64)
        record = known > more["most words known"]
        more["most words known"] = np.where(record, known, more["most words known"])
        more["meetings to most"] = np.where(record, more["meetings"], more["meetings to most"])
        agreed = (known == agents) & (different == 1) & np.isnan(more["meetings to agreement"])
        more["meetings to agreement"][agreed] = more["meetings"][agreed]

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model that speaks is told."""
        return telling_prompt(self.words(), glimpse)

    def aloud(self) -> str:
        """The world as a sentence."""
        told = ""
        if self.knows:
            known = ("nothing" if word < 0 else f"word {word}" for word in self.knows)
            told = f"; at the start the groups know {', '.join(known)}"
        if any(self.keeps):
            told += f"; groups {[at for at, keeps in enumerate(self.keeps) if keeps]} never learn"
        return (
            f"a minimal naming game of up to {self.different} words: who is understood keeps the word alone, "
            f"who does not understand learns it{told}"
        )


def _by_group(told: tuple[int, ...], group: Ints, default: int) -> Ints:
    """(agents,): what is told of each agent's group; the default for groups of which nothing is told."""
    most = max(int(group.max(initial=0)) + 1, len(told))
    whole = np.full(most, default)
    whole[: len(told)] = told
    return np.asarray(whole[group])
