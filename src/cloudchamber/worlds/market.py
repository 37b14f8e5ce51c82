"""What markets have in common: firms with costs of their own, what they sell, and what they earn.

An act is an amount of a good: what a firm makes of it, or what it asks for it. The latest decision of each
firm stands until its next, so whoever does not decide is in the market all the same; it is paid for what it
decides alone.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from cloudchamber.microspec.value import Real
from cloudchamber.microspec.world import Acts, Opening, State, World
from cloudchamber.oligopoly import Market, shares, specialisation, summed
from cloudchamber.questions import Ints, Reals
from cloudchamber.worlds.market_words import Wording, named

__all__ = ["FACTS", "Costs", "Trade"]

Positive = Annotated[Real, Field(gt=0)]
Costs = Annotated[
    tuple[Annotated[tuple[Annotated[Real, Field(ge=0)], ...], Field(min_length=1)], ...],
    Field(min_length=1),
]

FACTS = ("specialisation", "concentration", "price", "profit")
"""What is recorded of each run: as it is now, and as it is at Nash and at the joint optimum.

Specialisation: standard deviation over mean of a firm's sales over goods, averaged over firms that sell.
Concentration: the Herfindahl index of a good, averaged over goods. Price: averaged over goods and firms.
Profit: of a firm in a round, averaged over firms.
"""
_AT = {"": "", "nash": " at Nash", "joint": " at the joint optimum"}


class Trade(World):
    """A market of some goods; firms are agents."""

    costs: Costs = ((40.0, 50.0), (50.0, 40.0))
    """What a unit costs: a row a firm, a column a good. More firms have the rows again, in turn."""

    wording: Wording = "begun"
    """How a language model is told: see `market_words`; rules do not read."""

    @field_validator("costs")
    @classmethod
    def _even(cls, costs: Costs) -> Costs:
        if len({len(row) for row in costs}) > 1:
            raise ValueError(f"each firm has a cost for each good; given {[len(r) for r in costs]}")
        return costs

    def market(self, firms: int) -> Market:
        """The market of so many firms."""
        raise NotImplementedError

    @property
    def idle(self) -> float:
        """The act of a firm that has not acted yet, by which it sells nothing."""
        return 0.0

    @property
    def items(self) -> int:
        """How many goods."""
        return len(self.costs[0])

    @property
    def who(self) -> str:
        """What an agent is called."""
        return "firm"

    @property
    def private(self) -> tuple[str, ...]:
        """What each firm alone is told of a good."""
        return ("cost",)

    @property
    def facts(self) -> tuple[str, ...]:
        """What is recorded of each run: `FACTS`, and the same at Nash and at the joint optimum."""
        return tuple(f"{name}{at}" for at in _AT.values() for name in FACTS)

    @property
    def counting(self) -> Literal["acts", "latest"]:
        """A firm's latest decision stands until its next."""
        return "latest"

    @property
    def scores(self) -> bool:
        """A firm scores its profit."""
        return True

    def words(self) -> tuple[str, ...]:
        """What the goods are called."""
        return tuple(named(good) for good in range(self.items))

    def costs_of(self, firms: int) -> Reals:
        """(firms, goods): what a unit costs each firm."""
        rows = np.asarray(self.costs, np.float64)
        return np.tile(rows, (-(-firms // len(rows)), 1))[:firms]

    def start(self, opening: Opening) -> State:
        """Nobody offers anything yet; each firm knows its costs."""
        shape = (*opening.shape, self.items)
        market = self.market(opening.agents)
        told = {
            f"{name}{_AT[at]}": np.full(opening.runs, value[0])
            for at, acts in (("nash", market.nash()), ("joint", market.joint()))
            for name, value in _facts(_sale(market, acts[None])).items()
        }
        nothing = {name: np.full(opening.runs, np.nan) for name in FACTS}
        return State(
            np.zeros((opening.runs, self.items)),
            np.zeros(opening.shape),
            given={"cost": np.broadcast_to(self.costs_of(opening.agents), shape)},
            more={"acts": np.full(shape, self.idle), **nothing, **told},
        )

    def apply(self, state: State, acts: Acts) -> Mapping[str, Reals]:
        """Decisions take the place of earlier ones; all is sold, and the firms that decided are paid.

        Returns:
            What each act led to, as far as it is one of `results`: the price the firm got, its share of the
            good (0 where nobody sells any), the units it sold, and its profit with the good.
        """
        if not len(acts):
            return {name: np.zeros(0) for name in self.results}
        standing = state.more["acts"]
        runs: Ints | slice = slice(None)
        everyone = acts.everyone(*standing.shape)
        if everyone:
            standing[:] = acts.amount.reshape(standing.shape)
        else:
            standing[acts.run, acts.agent] = self.idle
            standing[acts.run, acts.agent, acts.item] = acts.amount
            acted = np.zeros(len(standing), bool)
            acted[acts.run] = True
            runs, row = np.flatnonzero(acted), acted.cumsum() - 1
        sale = _sale(self.market(standing.shape[1]), standing[runs])
        state.tally[runs] = summed(sale["sold"], 1)
        for name, value in _facts(sale).items():
            state.more[name][runs] = value
        if everyone:
            led = {name: np.nan_to_num(sale[name]).reshape(-1) for name in self.results}
            for good in range(self.items):
                state.score += sale["profit"][..., good]
        else:
            at = (row[acts.run], acts.agent, acts.item)
            led = {name: np.nan_to_num(sale[name][at]) for name in self.results}
            np.add.at(state.score, (acts.run, acts.agent), led["profit"])
        return led


def _sale(market: Market, acts: Reals) -> dict[str, Reals]:
    """What acts of shape (runs, firms, goods) lead to, in that shape."""
    sold = market.quantities(acts)
    return {
        "sold": sold,
        "share": shares(sold),
        "price": market.prices(acts),
        "profit": market.profits(acts),
    }


def _facts(sale: Mapping[str, Reals]) -> dict[str, Reals]:
    """(runs,) of each fact."""
    price = np.where(np.isfinite(sale["price"]), sale["price"], np.nan)
    return {
        "specialisation": _mean(specialisation(sale["sold"])),
        "concentration": _mean(summed(np.square(sale["share"]), 1)),
        "price": _mean(price.reshape(len(price), -1)),
        "profit": _mean(summed(sale["profit"], 2)),
    }


def _mean(values: Reals) -> Reals:
    """(runs,): the mean of each row's numbers; NaN where it has none."""
    known = ~np.isnan(values)
    count = summed(known.astype(np.float64), 1)
    total = summed(np.where(known, values, 0.0), 1)
    unknown: Reals = np.full(len(values), np.nan)
    np.divide(total, count, out=unknown, where=count > 0)
    return unknown
