"""A public good: each may put part of what it has into a common pool, which is multiplied and shared by all.

The one item is the pool, the act an amount. Whether all give at once or one after the other, what they see of
one another and whether anything is remembered is a matter of the regimes; a step is a round.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cloudchamber.games import PublicGood
from cloudchamber.microspec.value import Flag, Real, Whole
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Prompt, State, World
from cloudchamber.questions import Reals, Scale
from cloudchamber.worlds.cooperating import COOPERATION, keep, so_far
from cloudchamber.worlds.pool_words import public_goods_prompt
from cloudchamber.worlds.telling import PlainOrReworded

__all__ = ["PublicGoods"]

NotNegative = Annotated[Real, Field(ge=0)]
Positive = Annotated[Real, Field(gt=0)]


class PublicGoods(World):
    """Contributions to a common pool; the payoffs are those of `games.PublicGood`."""

    kind: Literal["public-goods"] = "public-goods"
    players: Annotated[Whole, Field(ge=2)] = 4
    """How many share the pool: all the agents of a run."""
    endowment: Positive = 20.0
    """What each player has in each round."""
    multiplier: NotNegative = 1.6
    """What the pool is multiplied by before it is shared; below `players`, to give costs the giver."""
    bonus: NotNegative = 0.0
    """What a unit given brings its giver for each unit given before it in the same round."""
    threshold: NotNegative = 0.0
    """What all must give together in a round for nobody to be charged the penalty."""
    penalty: NotNegative = 0.0
    """What each is charged in a round in which less is given."""
    step: Positive = 1.0
    """Between the amounts that a language model may give."""
    places: Flag = False
    """Whether each is told its place in the queue, which is its number: of use in a fixed order alone."""
    wording: PlainOrReworded = "plain"
    """How a language model is told: see `pool_words`; rules do not read."""

    @property
    def game(self) -> PublicGood:
        """The game that is played in a round."""
        return PublicGood(
            self.players,
            self.endowment,
            self.multiplier,
            self.bonus,
            self.threshold,
            self.penalty,
        )

    @property
    def items(self) -> int:
        """The pool."""
        return 1

    @property
    def scale(self) -> Scale:
        """From nothing to all that a player has."""
        return Scale(0.0, self.endowment, self.step, self.endowment)

    @property
    def fields(self) -> tuple[str, ...]:
        """What the latest contributions of all come to."""
        return ("contributed",)

    @property
    def counting(self) -> Literal["latest"]:
        """A new contribution takes the place of the same player's earlier one."""
        return "latest"

    @property
    def private(self) -> tuple[str, ...]:
        """The place in the queue, where players are told it."""
        return ("place",) if self.places else ()

    @property
    def results(self) -> tuple[str, ...]:
        """What the round was worth to who contributed, told when it is over."""
        return ("payoff",)

    @property
    def settles(self) -> bool:
        """Gifts that come later in a round pay those who gave before."""
        return True

    @property
    def facts(self) -> tuple[str, ...]:
        """The share of endowments that is given, of all and of the latest round; the mean score so far."""
        return COOPERATION

    @property
    def who(self) -> str:
        """What an agent is called."""
        return "player"

    @property
    def acts(self) -> tuple[str, ...]:
        """What a player can do."""
        return ("contribute",)

    @property
    def scores(self) -> bool:
        """It does: payoffs add up over rounds."""
        return True

    def content(self) -> Mapping[str, Reals]:
        """The rules of the game, which every player knows."""
        known = {
            "players": float(self.players),
            "multiplier": self.multiplier,
            "bonus": self.bonus,
            "threshold": self.threshold,
            "penalty": self.penalty,
        }
        return {name: np.array([value]) for name, value in known.items()}

    def problems(self, agents: int) -> Iterator[str]:
        """All of a run share the pool."""
        if agents != self.players:
            yield (
                f"world.players: {self.players} given, but there are {agents} agents, who all share the "
                f"pool; set it to {agents}, or population.count to {self.players}"
            )

    def start(self, opening: Opening) -> State:
        """Nobody has contributed; no round has begun."""
        state = super().start(opening)
        state.held = np.full(opening.shape, -1)
        if self.places:
            place = np.arange(1.0, opening.agents + 1)[:, None]
            state.given = {"place": np.broadcast_to(place, (*opening.shape, 1))}
        state.more = {
            "total": np.zeros(opening.runs),
            "own": np.zeros(opening.shape),
            "latest": np.zeros(opening.shape),
        } | so_far(opening.runs)
        return state

    def apply(self, state: State, acts: Acts) -> None:
        """What is given is in the pool; its giver keeps the rest, and has earned what the bonus pays."""
        given = acts.amount
        new = keep(state, acts, given / self.endowment)
        state.more["total"][new] = 0.0
        state.more["own"][new] = 0.0
        before = state.more["total"].copy()
        own = self.endowment - given + self.bonus * given * before[acts.run]
        np.add.at(state.more["own"], (acts.run, acts.agent), own)
        state.more["total"] += np.bincount(acts.run, given, minlength=len(before))
        self._count(state, acts)

    def settle(self, state: State, acts: Acts) -> Mapping[str, Reals]:
        """The pool is shared by all, also by who gave no answer, and who keeps nothing then either."""
        total = state.more["total"]
        share = self.game.returned * total - self.penalty * self.game.short(total)
        paid = state.more["own"] + share[:, None]
        acted = np.bincount(acts.run, minlength=len(total)) > 0
        state.score += np.where(acted[:, None], paid, 0.0)
        state.more["mean score"] = state.score.mean(axis=1)
        return {"payoff": paid[acts.run, acts.agent]}

    def _count(self, state: State, acts: Acts) -> None:
        """What is counted is the sum of everyone's latest contribution."""
        assert state.held is not None
        state.held[acts.run, acts.agent] = 0
        state.more["latest"][acts.run, acts.agent] = acts.amount
        # Summed anew, so that what was taken off leaves no rounding behind.
        state.tally[:, 0] = state.more["latest"].sum(axis=1)

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told."""
        return public_goods_prompt(self.game, glimpse, self.wording)

    def aloud(self) -> str:
        """The world as a sentence."""
        more = ""
        if self.bonus:
            more += f"; each unit brings its giver {self.bonus:g} for each unit given before it"
        if self.penalty and self.threshold:
            more += (
                f"; if less than {self.threshold:g} is given in all, each loses {self.penalty:g}"
            )
        place = "; each knows its place in the queue" if self.places else ""
        return (
            f"a public good: {self.players} players put any part of {self.endowment:g} a round into a pool, "
            f"which is multiplied by {self.multiplier:g} and shared by all{more}{place}"
        )
