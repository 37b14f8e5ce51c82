"""A Bertrand market with logit demand: firms ask prices, and buyers choose among their varieties or none.

The defaults are those of Calvano, Calzolari, Denicolo & Pastorello (AER 2020), with 100 buyers: at Nash
firms ask 1.473, at the joint optimum 1.925. A firm has a variety of its own of each good.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from cloudchamber.microspec.value import Real, counted
from cloudchamber.microspec.world import Glimpse, Prompt
from cloudchamber.oligopoly import Prices
from cloudchamber.questions import Scale
from cloudchamber.worlds.market import Costs, Trade
from cloudchamber.worlds.market_words import bertrand_prompt

__all__ = ["Bertrand"]

Positive = Annotated[Real, Field(gt=0)]


class Bertrand(Trade):
    """Firms ask prices for their varieties of goods; demand is logit."""

    kind: Literal["bertrand"] = "bertrand"
    costs: Costs = ((1.0,),)
    """What a unit costs: a row a firm, a column a good. More firms have the rows again, in turn."""
    quality: Costs = ((2.0,),)
    """What a unit is worth to the average buyer, in the same shape as the costs or as one row."""
    outside: Real = 0.0
    """What it is worth to buy none."""
    spread: Positive = 0.25
    """How far buyers' tastes differ: the smaller, the more a lower price wins."""
    buyers: Positive = 100.0
    """Of each good."""
    most: Positive = 3.0
    """The highest price that may be asked."""
    grid: Positive = 0.1
    """Between the prices that a language model may answer; a rule may answer any."""

    @model_validator(mode="after")
    def _as_many(self) -> "Bertrand":
        goods = {len(row) for row in self.quality}
        if goods != {self.items} or len(self.quality) not in (1, len(self.costs)):
            raise ValueError(
                f"quality: {len(self.quality)} rows of {sorted(goods)} given for {len(self.costs)} rows of "
                f"{self.items} costs; give as many, or one row"
            )
        if self.grid > self.most:
            raise ValueError(f"grid: {self.grid:g} given; allowed: at most {self.most:g}, the most")
        return self

    @property
    def idle(self) -> float:
        """Who has not asked a price yet asks an infinite one."""
        return np.inf

    @property
    def scale(self) -> Scale:
        """Prices from 0 to the highest."""
        return Scale(0.0, self.most, self.grid)

    @property
    def fields(self) -> tuple[str, ...]:
        """The sum of the prices that firms ask for a good now."""
        return ("prices",)

    @property
    def results(self) -> tuple[str, ...]:
        """What a firm is told that its acts led to."""
        return ("sold", "profit")

    @property
    def acts(self) -> tuple[str, ...]:
        """What a firm can do."""
        return ("ask",)

    def market(self, firms: int) -> Prices:
        """The market of so many firms; it knows its equilibrium and its joint optimum."""
        rows = np.arange(firms) % len(self.quality)
        quality = np.asarray(self.quality, np.float64)[rows]
        return Prices(self.costs_of(firms), quality, self.outside, self.spread, self.buyers)

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told."""
        return bertrand_prompt(glimpse, self.wording)

    def aloud(self) -> str:
        """The world as a sentence."""
        return (
            f"a market of {counted(self.items, 'good')} for which firms ask prices up to {self.most:g}; "
            f"{self.buyers:g} buyers of each choose among them or none (logit with spread {self.spread:g})"
        )
