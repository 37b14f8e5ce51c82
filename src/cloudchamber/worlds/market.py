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
from cloudchamber.oligopoly import Market, concentration, shares, specialisation
from cloudchamber.questions import Reals
from cloudchamber.worlds.market_words import PARAPHRASES, Wording, named

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

    def paraphrases(self) -> Mapping[str, World]:
        """The market in each of the other wordings that mean the same."""
        others = (one for one in PARAPHRASES if one != self.wording)
        return {one: self.altered(wording=one) for one in others}

    def costs_of(self, firms: int) -> Reals:
        """(firms, goods): what a unit costs each firm."""
        rows = np.arange(firms) % len(self.costs)
        return np.asarray(self.costs, np.float64)[rows]

    def start(self, opening: Opening) -> State:
        """Nobody offers anything yet; each firm knows its costs."""
        shape = (*opening.shape, self.items)
        market = self.market(opening.agents)
        told = {
            f"{name}{_AT[at]}": np.full(opening.runs, value[0])
            for at, acts in (("nash", market.nash()), ("joint", market.joint()))
            for name, value in _facts(market, acts[None]).items()
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
        runs = np.unique(acts.run)
        standing = state.more["acts"]
        standing[acts.run, acts.agent] = self.idle
        standing[acts.run, acts.agent, acts.item] = acts.amount
        now, market = standing[runs], self.market(standing.shape[1])
        sold, profit = market.quantities(now), market.profits(now)
        state.tally[runs] = sold.sum(axis=1)
        for name, value in _facts(market, now).items():
            state.more[name][runs] = value
        at = (np.searchsorted(runs, acts.run), acts.agent, acts.item)
        np.add.at(state.score, (acts.run, acts.agent), profit[at])
        led = {
            "price": market.prices(now)[at],
            "share": np.nan_to_num(shares(sold)[at]),
            "sold": sold[at],
            "profit": profit[at],
        }
        return {name: led[name] for name in self.results}


def _facts(market: Market, acts: Reals) -> dict[str, Reals]:
    """(runs,) of each fact, for acts of shape (runs, firms, goods)."""
    sold = market.quantities(acts)
    price = market.prices(acts)
    offered = np.isfinite(price)
    return {
        "specialisation": _mean(specialisation(sold)),
        "concentration": _mean(concentration(sold)),
        "price": _mean(np.where(offered, price, np.nan).reshape(len(acts), -1)),
        "profit": market.profits(acts).sum(axis=2).mean(axis=1),
    }


def _mean(values: Reals) -> Reals:
    """(runs,): the mean of each row's numbers; NaN where it has none."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    unknown: Reals = np.full(len(values), np.nan)
    np.divide(total, count, out=unknown, where=count > 0)
    return unknown
