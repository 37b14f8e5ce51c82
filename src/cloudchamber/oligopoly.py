"""Oligopoly: what firms sell and earn, what answers best to rivals, equilibrium and joint optimum.

Mathematics alone: it knows no world, no agent and no trace. Arrays end in (firms, goods): a quantity of each
good by each firm, or its price. The acts of a `Quantities` market are quantities (Cournot), those of a
`Prices` market are prices (Bertrand with logit demand).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Market",
    "Prices",
    "Quantities",
    "best_price",
    "best_quantity",
    "concentration",
    "shares",
    "specialisation",
    "summed",
]

Reals = NDArray[np.float64]
SWEEPS = 100_000
"""Rounds of best responses in turn, at most."""
FEW = 8
"""Firms or goods that are summed one by one."""
SETTLED = 1e-12
"""The change in a round, as a share of the largest act, below which responses have settled."""


class Market(Protocol):
    """What both kinds of market can tell of acts, arrays that end in (firms, goods)."""

    @property
    def firms(self) -> int:
        """How many firms."""
        ...

    def quantities(self, acts: Reals) -> Reals:
        """What each firm sells of each good."""
        ...

    def prices(self, acts: Reals) -> Reals:
        """What each firm gets for each good."""
        ...

    def profits(self, acts: Reals) -> Reals:
        """What each firm earns with each good."""
        ...

    def nash(self) -> Reals:
        """(firms, goods): the acts of which none can be bettered by its firm alone."""
        ...

    def joint(self) -> Reals:
        """(firms, goods): the acts that earn all firms together most."""
        ...


def summed(values: Reals, axis: int) -> Reals:
    """The sum along an axis, one after the other where it is short: NumPy's own takes long over few."""
    if not 0 < values.shape[axis] <= FEW:
        # In memory one after the other: quicker, and of smaller error, than from row to row.
        return np.asarray(np.ascontiguousarray(np.moveaxis(values, axis, -1)).sum(axis=-1))
    first, *rest = np.moveaxis(values, axis, 0)
    total = np.array(first)
    for part in rest:
        total += part
    return total


def specialisation(quantities: Reals) -> Reals:
    """(..., firms): standard deviation over mean of each firm's quantities over goods.

    0 where it makes as much of each good, sqrt(goods - 1) where it makes one alone; NaN where it makes none.
    """
    goods = quantities.shape[-1]
    mean = summed(quantities, -1) / goods
    spread = np.sqrt(summed(np.square(quantities - mean[..., None]), -1) / goods)
    unknown: Reals = np.full(mean.shape, np.nan)
    np.divide(spread, mean, out=unknown, where=mean > 0)
    return unknown


def shares(quantities: Reals) -> Reals:
    """(..., firms, goods): each firm's share of a good; NaN of a good that nobody makes."""
    total = np.broadcast_to(summed(quantities, -2)[..., None, :], quantities.shape)
    unknown: Reals = np.full(total.shape, np.nan)
    np.divide(quantities, total, out=unknown, where=total > 0)
    return unknown


def concentration(quantities: Reals) -> Reals:
    """(..., goods): the Herfindahl index, from 1 / firms to 1 for one firm; NaN where none is made."""
    return np.asarray(summed(np.square(shares(quantities)), -2))


@dataclass(frozen=True, slots=True, eq=False)
class Quantities:
    """Firms set quantities; the price of good j is p_j = intercept_j - Q_j / slope_j, and never below 0."""

    costs: Reals
    """(firms, goods): the cost of a unit."""
    intercept: Reals
    """(goods,): the price at which nothing is bought."""
    slope: Reals
    """(goods,): units that a price lower by 1 sells more."""
    capacity: float = np.inf
    """The most units that a firm can make of all goods together."""

    @property
    def firms(self) -> int:
        """How many firms."""
        return len(self.costs)

    def clearing(self, total: Reals) -> Reals:
        """(..., goods): the prices at which so much of each good is bought."""
        return np.maximum(self.intercept - total / self.slope, 0.0)

    def quantities(self, acts: Reals) -> Reals:
        """The acts themselves."""
        return acts

    def prices(self, acts: Reals) -> Reals:
        """One price of a good, the same for all firms."""
        price = self.clearing(summed(acts, -2))[..., None, :]
        return np.broadcast_to(price, acts.shape)

    def profits(self, acts: Reals) -> Reals:
        """Units times price less cost."""
        return np.asarray((self.prices(acts) - self.costs) * acts)

    def nash(self) -> Reals:
        """(firms, goods): the only equilibrium.

        Without capacity, good by good: of firms in the order of their costs the first k are active, at
        the price (intercept + sum of their costs) / (k + 1). With it, best responses in turn, each of which
        raises the game's potential, which is strictly concave (Monderer & Shapley 1996), so that they
        lead to the equilibrium from anywhere.
        """
        free = np.maximum(self._uncapped() - self.costs, 0.0) * self.slope
        return self._in_turn(free, 1.0)

    def joint(self) -> Reals:
        """(firms, goods): the cheapest firms make what a monopolist would; alike firms alike.

        With capacity, in turn, each firm what raises the sum of profits most: a concave problem, of which
        every rest is an optimum (there may be several).
        """
        cheapest = self.costs == self.costs.min(axis=0)
        whole = np.maximum(self.intercept - self.costs.min(axis=0), 0.0) * self.slope / 2
        return self._in_turn(cheapest / cheapest.sum(axis=0) * whole, 2.0)

    def _uncapped(self) -> Reals:
        """(goods,): the equilibrium's prices without capacity."""
        ranked = np.sort(self.costs, axis=0)
        active = np.arange(1, self.firms + 1)[:, None]
        price = (self.intercept + ranked.cumsum(axis=0)) / (active + 1)
        # Whoever joins lowers the price, so the lowest is that of all who gain by being there.
        return np.asarray(np.minimum(price.min(axis=0), self.intercept))

    def _in_turn(self, start: Reals, heeded: float) -> Reals:
        """Best responses in turn to `heeded` times what the others make, until they rest.

        Firms of the same costs move together, each taking the others of them to do as it does: the optimum
        that they are led to is theirs together, and no firm is alone among 100,000.
        """
        if (start.sum(axis=1) <= self.capacity).all():
            return start
        costs, firm, each = np.unique(self.costs, axis=0, return_index=True, return_inverse=True)
        many = np.bincount(each)
        acts = start[firm]
        for _ in range(SWEEPS):
            before = acts.copy()
            for one, count in enumerate(many):
                rest = heeded * (many @ acts - count * acts[one])
                margin = self.intercept - rest / self.slope - costs[one]
                steep = self.slope / (heeded * count + 2.0 - heeded)
                acts[one] = _within(margin, steep, self.capacity)
            if np.abs(acts - before).max() <= SETTLED * acts.max(initial=1.0):
                break
        return np.asarray(acts[each])


def best_quantity(
    rest: Reals, costs: Reals, intercept: Reals, slope: Reals, capacity: float
) -> Reals:
    """(..., goods): the quantities that earn a firm most where the others make `rest`, (..., goods).

    q_j = slope_j / 2 * max(0, margin_j - shadow), margin_j = intercept_j - rest_j / slope_j - cost_j, where
    the shadow price of capacity is the least, 0 or more, that keeps the sum within it.
    """
    return _within(intercept - rest / slope - costs, slope / 2, capacity)


def _within(margin: Reals, steep: Reals, capacity: float) -> Reals:
    """(..., goods): steep * max(0, margin - shadow), with the least shadow that keeps the sum in capacity."""
    steep = np.broadcast_to(steep, margin.shape)
    free = np.asarray(steep * np.maximum(margin, 0.0))
    over = summed(free, -1) > capacity
    if over.any():
        free[over] = _scarce(margin[over], steep[over], capacity)
    return free


def _scarce(margin: Reals, steep: Reals, capacity: float) -> Reals:
    """(..., goods): the same where capacity binds."""
    # The goods worth making at the shadow price that all of them would have, then those of them worth making
    # at theirs: it rises to the one at which all that are left are (Michelot 1986).
    made = np.ones(margin.shape, bool)
    while True:
        slope = np.where(made, steep, 0.0)
        shadow = (summed(slope * margin, -1) - capacity) / summed(slope, -1)
        still = made & (margin >= shadow[..., None])
        if (still == made).all():
            return np.asarray(slope * (margin - shadow[..., None]))
        made = still


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Firms set prices; of `size` buyers of good j firm i sells to the share of a logit.

    s_ij = exp(v_ij) / (exp(outside / spread) + sum_k exp(v_kj)), v_ij = (quality_ij - p_ij) / spread
    (Anderson, de Palma & Thisse 1992; in Calvano, Calzolari, Denicolo & Pastorello, AER 2020).
    """

    costs: Reals
    """(firms, goods): the cost of a unit."""
    quality: Reals
    """(firms, goods): what each firm's variety is worth."""
    outside: float = 0.0
    """What it is worth to buy none."""
    spread: float = 0.25
    """How far buyers' tastes differ."""
    size: float = 1.0
    """Buyers of each good."""

    @property
    def firms(self) -> int:
        """How many firms."""
        return len(self.costs)

    def quantities(self, acts: Reals) -> Reals:
        """Buyers times shares."""
        worth = (self.quality - acts - self.outside) / self.spread
        # Shifted, so that no exponential overflows.
        top = np.maximum(worth.max(axis=-2, keepdims=True), 0.0)
        told = np.exp(worth - top)
        return np.asarray(self.size * told / (np.exp(-top) + told.sum(axis=-2, keepdims=True)))

    def prices(self, acts: Reals) -> Reals:
        """The acts themselves."""
        return acts

    def profits(self, acts: Reals) -> Reals:
        """Units times price less cost; 0 for who asks an infinite price, which is to offer none."""
        margin = np.where(np.isfinite(acts), acts - self.costs, 0.0)
        return np.asarray(margin * self.quantities(acts))

    def nash(self) -> Reals:
        """(firms, goods): the only equilibrium, p = cost + spread / (1 - share), by best responses at once.

        They are increasing in one another (the game is log-supermodular; Milgrom & Roberts 1990), so from
        the costs they rise to it, and firms that are alike with one another.
        """
        alike = np.hstack([self.costs, self.quality])
        kinds, each, many = np.unique(alike, axis=0, return_inverse=True, return_counts=True)
        costs, quality = np.hsplit(kinds, 2)
        acts = costs
        for _ in range(SWEEPS):
            rest = self._rest((quality - acts) / self.spread, many)
            before, acts = acts, best_price(rest, costs, quality, self.spread)
            if np.abs(acts - before).max() <= SETTLED * np.abs(acts).max(initial=1.0):
                break
        return np.asarray(acts[each.reshape(-1)])

    def joint(self) -> Reals:
        """(firms, goods): every price above its cost by spread * (1 + W(A / e)).

        W is Lambert's function, A = sum_i exp((quality_i - cost_i - outside) / spread).
        """
        worth = (self.quality - self.costs - self.outside) / self.spread
        top = worth.max(axis=0)
        whole = top + np.log(np.exp(worth - top).sum(axis=0))
        return self.costs + self.spread * (1.0 + _omega(whole - 1.0))

    def _rest(self, worth: Reals, many: NDArray[np.intp]) -> Reals:
        """(kinds, goods): log of what the buyers of a firm of each kind could have besides.

        Args:
            worth: (kinds, goods), of a firm's variety, over spread.
            many: how many firms are of each kind.
        """
        logs = np.full(worth.shape, self.outside / self.spread)
        for kind in range(len(many)):
            others = many - (np.arange(len(many)) == kind)
            there = others > 0
            told = worth[there] + np.log(others[there])[:, None]
            logs[kind] = np.logaddexp.reduce(np.vstack([logs[kind][None], told]), axis=0)
        return logs


def best_price(rest: Reals, costs: Reals, quality: Reals, spread: float) -> Reals:
    """The price that earns a firm most where log(sum of exp of worth / spread) of all else is `rest`.

    p = cost + spread * (1 + W(exp((quality - cost) / spread - 1 - rest))), elementwise.
    """
    worth = (quality - costs) / spread
    return costs + spread * (1.0 + _omega(worth - 1.0 - rest))


def _omega(z: Reals) -> Reals:
    """W(e^z), without overflow."""
    from scipy.special import wrightomega  # SciPy costs 100 ms that most runs need not pay

    return np.asarray(wrightomega(z), np.float64)
