"""A world in which everything that a world may have can be switched on: for the laws, not for a study."""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloudchamber import randomness
from cloudchamber.microspec.value import Flag, Whole
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Past, Prompt, State, World
from cloudchamber.questions import Ints, Reals, Scale
from cloudchamber.trace.tables import Kind

__all__ = ["Pairs", "Toy"]

Pairs = Literal["", "both", "one"]


class Toy(World):
    """Tokens that may be taken, or taken an amount of."""

    kind: Literal["toy"] = "toy"
    tokens: Annotated[Whole, Field(ge=2, le=20)] = 3
    secret: Flag = False
    """Each agent is told a number about each token alone."""
    latest: Flag = False
    """Only the latest act of each counts, and some stand by a token from the start."""
    tired: Flag = False
    """Nobody may take the token again that it took most often; who took all as often has finished."""
    pairs: Pairs = ""
    amounts: Flag = False
    remembered: Flag = False
    """Acts lead to something, and agents remember something from before the start."""
    shared: Flag = False
    """Who takes a token gains once more for everyone who took it in the same step, when that is over."""

    @property
    def items(self) -> int:
        """The tokens."""
        return self.tokens

    @property
    def fields(self) -> tuple[str, ...]:
        """How often each was taken."""
        return ("taken",)

    @property
    def private(self) -> tuple[str, ...]:
        """A number for each."""
        return ("secret",) if self.secret else ()

    @property
    def results(self) -> tuple[str, ...]:
        """What was scored, and how many there were to be had."""
        return ("gain", "luck") if self.remembered else ()

    @property
    def settles(self) -> bool:
        """Whether a step's end adds to what was gained in it."""
        return self.shared

    @property
    def facts(self) -> tuple[str, ...]:
        """What an agent has gained on average."""
        return ("gained",)

    @property
    def acts(self) -> tuple[str, ...]:
        """What can be done."""
        return ("take",)

    @property
    def counting(self) -> Literal["acts", "latest"]:
        """All acts, or the latest of each."""
        return "latest" if self.latest else "acts"

    @property
    def closes(self) -> bool:
        """Whether tokens are closed to who is tired of them."""
        return self.tired

    @property
    def meets(self) -> Pairs:
        """Whether agents meet."""
        return self.pairs

    @property
    def scale(self) -> Scale | None:
        """Quarters from 0 to 2, at most 3 in all."""
        return Scale(0.0, 2.0, 0.25, 3.0) if self.amounts else None

    @property
    def scores(self) -> bool:
        """Each act scores."""
        return True

    def words(self) -> tuple[str, ...]:
        """What each is called."""
        return tuple(f"token <{number}>" for number in range(self.tokens))

    def start(self, opening: Opening) -> State:
        """The first standings, secrets and memories are drawn for each run and agent."""
        state = super().start(opening)
        keys = opening.agent_keys("toy")
        drawn = randomness.uniforms(keys, self.tokens + 3)
        state.more["often"] = np.zeros((*opening.shape, self.tokens))
        state.more["gained"] = np.zeros(opening.runs)
        if self.secret:
            state.given = {"secret": np.round(drawn[..., : self.tokens] * 9)}
        if self.latest:
            state.held = (drawn[..., -1] * (self.tokens + 1)).astype(np.int64) - 1
            if not self.amounts:
                held = state.held[..., None] == np.arange(self.tokens)
                state.tally = held.sum(axis=1).astype(np.float64)
            else:
                state.held = np.full(opening.shape, -1)
        if self.remembered:
            state.past = self._past(drawn)
        return state

    def _past(self, drawn: Reals) -> Past:
        """Up to two acts, of which some agents remember none."""
        item = (drawn[..., 1:3] * self.tokens).astype(np.int64)
        item = np.where(drawn[..., :1] < 0.3, -1, item)
        met = np.where(item < 0, -1, (item + 1) % self.tokens) if self.pairs == "both" else None
        known = np.where(item < 0, np.nan, 5.0)
        return Past(item, met, {"gain": known, "luck": known + 1})

    def open(self, state: State, run: Ints, agent: Ints) -> NDArray[np.bool_]:
        """Whatever was not taken three times."""
        return np.asarray(state.more["often"][run, agent] < 3)

    def apply(self, state: State, acts: Acts) -> Mapping[str, Reals] | None:
        """A token counts 1 or its amount, and scores as much; a coincidence in a meeting doubles that."""
        np.add.at(state.more["often"], (acts.run, acts.agent, acts.item), 1)
        gain = self._gain(acts)
        self._score(state, acts, gain)
        if self.latest and not self.amounts:
            self.stand(state, acts)
        else:
            np.add.at(state.tally, (acts.run, acts.item), acts.amount)
        return None if self.shared else self._led(state, acts, gain)

    def settle(self, state: State, acts: Acts) -> Mapping[str, Reals]:
        """Each gains 1 for each act on the same token in the step, its own among them."""
        where = acts.run.astype(np.int64) * self.tokens + acts.item
        share = np.bincount(where).astype(np.float64)[where]
        self._score(state, acts, share)
        return self._led(state, acts, self._gain(acts) + share) or {}

    def _score(self, state: State, acts: Acts, gain: Reals) -> None:
        np.add.at(state.score, (acts.run, acts.agent), gain)
        state.more["gained"] = state.score.mean(axis=1)

    def _gain(self, acts: Acts) -> Reals:
        gain = acts.amount.copy()
        if acts.met is not None:
            gain *= np.where(acts.met == acts.item, 2.0, 1.0)
        return gain

    def _led(self, state: State, acts: Acts, gain: Reals) -> Mapping[str, Reals] | None:
        if not self.remembered:
            return None
        return {"gain": gain, "luck": state.tally[acts.run, acts.item]}

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """All that is shown, line by line."""
        if glimpse.kind is Kind.next:
            lines = [f"{one.label}: agent {one.item}" for one in glimpse.options]
            return Prompt("", "\n".join(lines), tuple(one.label for one in glimpse.options))
        words = self.words()
        lines = [
            f"{one.label}: {words[one.item]}"
            + "".join(f", {name} {value:g}" for name, value in sorted(one.signals.items()))
            for one in glimpse.options
        ]
        for one in glimpse.heard:
            what = words[one.item] if one.item >= 0 else "score"
            told = "".join(f", {name} {value:g}" for name, value in sorted(one.results.items()))
            many = "" if np.isnan(one.value) else f" {one.value:g}"
            lines.append(f"{one.channel}: {what}{many}, {one.latency} ago{told}")
        if glimpse.kind is Kind.amount:
            asked = f"How much of {glimpse.options[glimpse.about].label}?"
            body = "\n".join([*lines, asked])
            return Prompt(self._role(glimpse), body, glimpse.allowed, asks=asked)
        answers = tuple(one.label for one in glimpse.options if one.open)
        if glimpse.kind is Kind.judge:
            answers = ("yes", "no")
        elif glimpse.may_decline:
            answers += ("none",)
        return Prompt(self._role(glimpse), "\n".join([*lines, "Which?"]), answers, asks="Which?")

    def _role(self, glimpse: Glimpse) -> str:
        return f"{glimpse.persona} {glimpse.instruction}".strip()

    def aloud(self) -> str:
        """The world as a sentence."""
        return f"{self.tokens} tokens that may be taken"
