"""A Cournot market: firms decide how much of each good to make, and what all make decides its price.

After Lin, Ojha, Cai & Chen 2024 (arXiv 2410.00031): two firms, two goods, each firm the cheaper in one of
them; p_j = 100 - Q_j / 2; at most 100 units a firm. What reaches a firm of its rivals is visibility's
business: of the published design hide the field `quantity`.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from cloudchamber.microspec.value import Real, counted
from cloudchamber.microspec.world import Glimpse, Prompt
from cloudchamber.oligopoly import Quantities
from cloudchamber.questions import Scale
from cloudchamber.worlds.market import Trade
from cloudchamber.worlds.market_words import cournot_prompt

__all__ = ["Cournot"]

Positive = Annotated[Real, Field(gt=0)]


class Cournot(Trade):
    """Firms make amounts of goods; inverse demand of each is linear."""

    kind: Literal["cournot"] = "cournot"
    intercept: Positive = 100.0
    """The price at which nothing of a good is bought."""
    slope: Positive = 2.0
    """Units of a good that a price lower by 1 sells more: p = intercept - total / slope, never below 0."""
    capacity: Positive | None = 100.0
    """The most units that a firm can make of all goods together; None for no limit."""
    grid: Positive = 5.0
    """Between the amounts that a language model may answer; a rule may answer any."""

    @model_validator(mode="after")
    def _worth_making(self) -> "Cournot":
        if self.grid > self._most:
            raise ValueError(
                f"grid: {self.grid:g} given; allowed: at most {self._most:g}, the most"
            )
        return self

    @property
    def _most(self) -> float:
        """The most that a firm can make of a good: beyond intercept * slope its price is 0."""
        whole = self.intercept * self.slope
        return whole if self.capacity is None else min(self.capacity, whole)

    @property
    def scale(self) -> Scale:
        """Amounts from 0 to the most of a good, and within capacity together."""
        together = np.inf if self.capacity is None else self.capacity
        return Scale(0.0, self._most, self.grid, together)

    @property
    def fields(self) -> tuple[str, ...]:
        """What all firms together make of a good now."""
        return ("quantity",)

    @property
    def results(self) -> tuple[str, ...]:
        """What a firm is told that its acts led to."""
        return ("price", "share", "profit")

    @property
    def acts(self) -> tuple[str, ...]:
        """What a firm can do."""
        return ("make",)

    def market(self, firms: int) -> Quantities:
        """The market of so many firms; it knows its equilibrium and its joint optimum."""
        goods = np.ones(self.items)
        capacity = np.inf if self.capacity is None else self.capacity
        return Quantities(
            self.costs_of(firms), self.intercept * goods, self.slope * goods, capacity
        )

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told."""
        return cournot_prompt(glimpse, self.capacity, self.wording)

    def aloud(self) -> str:
        """The world as a sentence."""
        rows = "; ".join(", ".join(f"{cost:g}" for cost in row) for row in self.costs)
        limit = "" if self.capacity is None else f", at most {self.capacity:g} units a firm"
        return (
            f"a market of {counted(self.items, 'good')} of which firms make amounts{limit}; the price of a "
            f"good is {self.intercept:g} less total / {self.slope:g}; a unit costs {rows} (firm by firm)"
        )
