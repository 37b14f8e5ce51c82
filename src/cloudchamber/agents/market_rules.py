"""Rules of firms: constant amounts, and the best answer to what is known of the rivals.

A rule knows what it is given and what it is shown, never the world: what a unit costs is a signal, what the
rivals do is seen or inferred. `of` takes a rule's parameters from a market (`world.market(firms)`).
"""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from cloudchamber import randomness
from cloudchamber.agents.rules import Rule
from cloudchamber.microspec.value import Real
from cloudchamber.oligopoly import Market, Prices, Quantities, best_price, best_quantity
from cloudchamber.questions import Ints, Questions, Reals
from cloudchamber.trace.tables import Channel

__all__ = ["BestPrice", "BestQuantity", "Constant"]

NotNegative = Annotated[Real, Field(ge=0)]
Positive = Annotated[Real, Field(gt=0)]
Share = Annotated[Real, Field(gt=0, le=1)]


class Constant(Rule):
    """The same amounts whatever is shown: at Nash, at the joint optimum, or any others."""

    kind: Literal["constant"] = "constant"
    given: Annotated[tuple[tuple[Real, ...], ...], Field(min_length=1)] = ((60.0, 0.0), (0.0, 60.0))
    """A row an agent, a column an item; more agents have the rows again, in turn."""
    called: str = ""
    """What these amounts are, e.g. "at Nash"."""

    @field_validator("given")
    @classmethod
    def _even(cls, given: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        if len({len(row) for row in given}) > 1 or not given[0]:
            raise ValueError(
                f"each row has an amount of each item; given {[len(r) for r in given]}"
            )
        return given

    @classmethod
    def nash(cls, market: Market) -> "Constant":
        """What no firm can better alone."""
        return cls(given=_rows(market.nash()), called="at Nash")

    @classmethod
    def joint(cls, market: Market) -> "Constant":
        """What earns all firms together most."""
        return cls(given=_rows(market.joint()), called="at the joint optimum")

    def amounts(self, questions: Questions) -> Reals:
        """The agent's row."""
        given = np.asarray(self.given, np.float64)
        agent = questions.agent % len(given)
        items = np.minimum(questions.items, given.shape[1] - 1)
        return np.asarray(given[agent[:, None], items])

    def aloud(self) -> str:
        """The rule in words."""
        rows = self.given if len(self.given) <= 4 else self.given[:4]
        told = "; ".join(", ".join(f"{amount:.6g}" for amount in row) for row in rows)
        more = f"; ... {len(self.given)} in all" if len(self.given) > len(rows) else ""
        return f"a rule that always gives {told}{more}{f' ({self.called})' if self.called else ''}"


class _Responding(Rule):
    """Moves from its last amounts towards the best answer, with noise."""

    pace: Share = 1.0
    """The share of the way to the best answer that it goes in a round."""
    noise: NotNegative = 0.0
    """Standard deviation of what is added, in units."""

    def best(self, questions: Questions, own: Reals) -> Reals:
        """(rows, options): the best answer; `own` (rows, options) are the last amounts, NaN for none."""
        raise NotImplementedError

    def amounts(self, questions: Questions) -> Reals:
        """The best answer, as far as pace and noise let it be one, within the scale."""
        scale = questions.scale
        assert scale is not None
        own = latest(questions)
        best = self.best(questions, own)
        moved = np.where(np.isnan(own), best, own + self.pace * (best - own))
        if self.noise:
            keys = questions.address.keys("noise/amount")
            moved = moved + self.noise * randomness.normals(keys, questions.items)
        return scale.within(moved)

    def aloud(self) -> str:
        """How it moves, in words."""
        how = "" if self.pace == 1 else f", {self.pace:g} of the way in a round"
        return how + (f", with noise of {self.noise:g}" if self.noise else "")


class BestQuantity(_Responding):
    """Makes what earns most where the others make what they last made (Cournot 1838).

    What they made it sees, if single acts are passed on. Else it is the total of each good, seen or inferred
    from the price that it remembers (total = slope * (intercept - price)), less what it made itself.
    """

    kind: Literal["best-quantity"] = "best-quantity"
    intercept: Positive = 100.0
    """The price at which nothing is bought, of each good."""
    slope: Positive = 2.0
    """Units that a price lower by 1 sells more."""
    cost: NotNegative = 0.0
    """Of a unit, where none is shown."""
    expected: NotNegative = 0.0
    """What the others are taken to make of each good before anything is known of them."""

    @classmethod
    def of(cls, market: Quantities, pace: float = 1.0, noise: float = 0.0) -> "BestQuantity":
        """With the demand of a market; that of its first good, if they differ."""
        intercept, slope = float(market.intercept[0]), float(market.slope[0])
        return cls(intercept=intercept, slope=slope, pace=pace, noise=noise)

    def best(self, questions: Questions, own: Reals) -> Reals:
        """To the others' last amounts."""
        assert questions.scale is not None
        return best_quantity(
            self._rest(questions, own),
            _cost(questions, self.cost),
            np.full(questions.items.shape[1], self.intercept),
            np.full(questions.items.shape[1], self.slope),
            questions.scale.together,
        )

    def _rest(self, questions: Questions, own: Reals) -> Reals:
        """(rows, options): what the others make, by the best that is known of it."""
        rest = others_latest(questions)
        price = latest(questions, "price")
        totals = [self.slope * (self.intercept - price)]
        if "quantity" in questions.signals:
            totals.insert(0, questions.signals["quantity"])
        for total in totals:
            rest = np.where(np.isnan(rest), np.maximum(total - own, 0.0), rest)
        return np.where(np.isnan(rest), self.expected, rest)

    def aloud(self) -> str:
        """The rule in words."""
        return f"a rule that makes what answers best to the others' last amounts{super().aloud()}"


class BestPrice(_Responding):
    """Asks the price that earns most where the others ask what they last asked, for logit demand.

    What they ask it infers from the units that it remembers to have sold at its own price: with the share s
    of the buyers, all else is worth (1 - s) / s as much to them.
    """

    kind: Literal["best-price"] = "best-price"
    quality: Real = 2.0
    """What its own variety is worth."""
    spread: Positive = 0.25
    """How far buyers' tastes differ."""
    buyers: Positive = 100.0
    """Of each good."""
    cost: NotNegative = 1.0
    """Of a unit, where none is shown."""
    outside: Real = 0.0
    """What it is worth to buy none: all that competes with it before anything is known of the others."""

    @classmethod
    def of(cls, market: Prices, pace: float = 1.0, noise: float = 0.0) -> "BestPrice":
        """With the demand of a market; the quality of its first firm and good, if they differ."""
        return cls(
            quality=float(market.quality[0, 0]),
            spread=market.spread,
            buyers=market.size,
            outside=market.outside,
            pace=pace,
            noise=noise,
        )

    def best(self, questions: Questions, own: Reals) -> Reals:
        """To all else that buyers had when it last sold."""
        share = latest(questions, "sold") / self.buyers
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = (self.quality - own) / self.spread + np.log1p(-share) - np.log(share)
        known = np.isfinite(rest)
        rest = np.where(known, rest, self.outside / self.spread)
        quality = np.full(rest.shape, self.quality)
        return best_price(rest, _cost(questions, self.cost), quality, self.spread)

    def aloud(self) -> str:
        """The rule in words."""
        return f"a rule that asks what answers best to the others' last prices{super().aloud()}"


def latest(questions: Questions, result: str = "") -> Reals:
    """(rows, options): the latest own amount of each option, or what it led to; NaN where there is none.

    Args:
        questions: the batch.
        result: a result of own acts, in place of the amount.
    """
    own = questions.heard.own
    told = own.results.get(result) if result else own.amount
    if told is None or not len(own):
        return np.full(questions.items.shape, np.nan)
    found = _unknown(questions, own.item)
    for item, amount in zip(own.item, told, strict=True):  # oldest first: the last stays
        if (item == item[0]).all():  # of all the same item: a column
            if item[0] >= 0:
                found[:, item[0]] = amount
        else:
            there = np.flatnonzero(item >= 0)
            found[there, item[there]] = amount[there]
    return _of_options(questions, found)


def others_latest(questions: Questions) -> Reals:
    """(rows, options): what others last gave of each option, together; NaN where nothing is heard of it."""
    heard = questions.heard
    unknown = np.full(questions.items.shape, np.nan)
    if heard.alone:
        return unknown
    others = np.flatnonzero(heard.channel == Channel.others)
    if not len(others):
        return unknown
    row, item = heard.row()[others], heard.item[others]
    entries, row, item = _last_of_each(heard.source[others], row, item, others)
    found = _unknown(questions, item)
    found[row, item] = 0.0
    np.add.at(found, (row, item), heard.value[entries])
    return _of_options(questions, found)


def _unknown(questions: Questions, item: Ints) -> Reals:
    """(rows, items): NaN, for as many items as are asked for or heard of."""
    items = int(max(questions.items.max(initial=0), item.max(initial=0))) + 1
    return np.full((len(questions), items), np.nan)


def _of_options(questions: Questions, found: Reals) -> Reals:
    """(rows, options): of each item what is wanted of the options, in the order shown."""
    items = questions.items
    if items.shape == found.shape and (items == np.arange(items.shape[1])).all():
        return found
    return np.take_along_axis(found, np.maximum(items, 0), axis=1)


def _last_of_each(
    source: Ints, row: Ints, item: Ints, entries: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Ints, Ints]:
    """The last entry of each (row, source, item)."""
    order = np.lexsort((np.arange(len(row)), item, source, row))
    key = np.stack([row[order], source[order], item[order]])
    last = np.append((key[:, 1:] != key[:, :-1]).any(axis=0), True)
    kept = order[last]
    return entries[kept], row[kept], item[kept]


def _cost(questions: Questions, otherwise: float) -> Reals:
    shown = questions.signals.get("cost", np.full(questions.items.shape, np.nan))
    return np.where(np.isnan(shown), otherwise, shown)


def _rows(acts: Reals) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in acts.tolist())
