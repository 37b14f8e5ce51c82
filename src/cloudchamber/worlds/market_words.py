"""Markets in words: what a language model is told, made of its glimpse and of nothing else.

Rules and incentives are stated neutrally: that price falls with supply, or sales with price, that other firms
are there, and that profit is what counts. Nothing is said of who they are, how many, or of what is studied.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds.telling import ago, role, who_is_next

__all__ = ["Wording", "bertrand_prompt", "cournot_prompt", "named"]

Wording = Literal["begun", "plain", "reworded"]
"""begun: the answer is begun for the model; plain: it is only asked; reworded: as begun, in other words."""


@dataclass(frozen=True, slots=True)
class _Words:
    """One market in one wording."""

    role: str
    rules: str
    """Holds {goods}, and {most} where there is a capacity."""
    limit: str
    cost: str
    """Of one good: holds {good} and {cost}."""
    act: str
    """An own act: holds {amount} and {good}."""
    theirs: str
    """Another's: holds {firm}, {amount} and {good}."""
    tally: str
    """Of all own acts so far: holds {amount} and {good}."""
    field: str
    """Of all firms now: holds {amount} and {good}."""
    decided: str
    ask: str
    begin: str


_COURNOT = _Words(
    role="You run a firm.",
    rules=(
        "Your firm can make {goods}. Other firms can make the same. In each round every firm decides how "
        "many units of each product it makes, and all of them are sold. The more units of a product all "
        "firms make together, the lower its price in that round. Your profit on a product is its price "
        "less your cost of a unit, times your units. Your aim is to earn as much profit as you can over "
        "all rounds."
    ),
    limit=" You can make at most {most:g} units of all products together in a round.",
    cost="One unit of {good} costs you {cost:g}.",
    act="{amount:g} units of {good}",
    theirs="Firm {firm} made {amount:g} units of {good}",
    tally="So far you made {amount:g} units of {good} in all.",
    field="All firms together made {amount:g} units of {good} when they last decided.",
    decided="In this round you make {amount:g} units of {good}.",
    ask="How many units of {good} do you make in this round?",
    begin="The number of units of {good} I make is ",
)
_BERTRAND = replace(
    _COURNOT,
    rules=(
        "Your firm sells {goods}. Other firms sell similar ones. In each round every firm decides the price "
        "it asks for each product, and buyers choose where to buy, or buy nothing. The lower your price and "
        "the higher those of other firms, the more units you sell. Your profit on a product is your price "
        "less your cost of a unit, times the units you sell. Your aim is to earn as much profit as you can "
        "over all rounds."
    ),
    act="a price of {amount:g} for {good}",
    theirs="Firm {firm} asked {amount:g} for {good}",
    tally="So far the prices you asked for {good} add up to {amount:g}.",
    field="The prices that firms last asked for {good} add up to {amount:g}.",
    decided="In this round you ask {amount:g} for {good}.",
    ask="What price do you ask for {good} in this round?",
    begin="The price I ask for {good} is ",
)
_REWORDED = {
    "role": "You decide for a company.",
    "cost": "Your cost of {good}: {cost:g} a unit.",
}


def _words(plain: _Words, wording: Wording) -> _Words:
    if wording == "plain":
        return replace(plain, begin="")
    return replace(plain, **_REWORDED) if wording == "reworded" else plain


def cournot_prompt(glimpse: Glimpse, capacity: float | None, wording: Wording) -> Prompt:
    """The question for an amount of one good."""
    words = _words(_COURNOT, wording)
    limit = "" if capacity is None else words.limit.format(most=capacity)
    return _prompt(glimpse, words, limit)


def bertrand_prompt(glimpse: Glimpse, wording: Wording) -> Prompt:
    """The question for the price of one good."""
    return _prompt(glimpse, _words(_BERTRAND, wording), "")


def named(good: int) -> str:
    """What a good is called: product A, product B, ..."""
    letters = ""
    while good >= 0:
        letters, good = chr(ord("A") + good % 26) + letters, good // 26 - 1
    return f"product {letters}"


def _prompt(glimpse: Glimpse, words: _Words, limit: str) -> Prompt:
    system = role(words.role, glimpse)
    past = [*_past(glimpse, words)]
    if glimpse.kind is Kind.next:
        return who_is_next(system, past, glimpse, "firm", "Which firm should decide next?")
    goods = _listed([_called(one) for one in glimpse.options])
    told = [words.rules.format(goods=goods) + limit]
    told += [_told(words, one) for one in glimpse.options if one.signals]
    good = named(glimpse.options[glimpse.about].item)
    decided = [
        words.decided.format(good=named(one.item), amount=one.value)
        for one in glimpse.heard
        if one.channel == "picked"
    ]
    # Each is named: of a range in words a model would rather give the ends.
    how = f"Answer with one of these numbers: {', '.join(glimpse.allowed)}."
    asked = " ".join([*decided, words.ask.format(good=good), how])
    before = "".join("\n".join(part) + "\n\n" for part in (told, past) if part)
    # The question for the next good begins alike.
    return Prompt(
        system,
        before + asked,
        glimpse.allowed,
        words.begin.format(good=good),
        recurs=len(before),
        asks=asked,
    )


def _called(one: Shown) -> str:
    """A good's name, with its label where that is something else."""
    name = named(one.item)
    return name if one.label == name else f"{name} ({one.label})"


def _told(words: _Words, one: Shown) -> str:
    """What a firm is told of one good now: its cost, and what all firms together do."""
    good = named(one.item)
    told = [
        words.cost.format(good=good, cost=value)
        if name == "cost"
        else words.field.format(good=good, amount=value)
        for name, value in one.signals.items()
    ]
    return " ".join(told)


def _past(glimpse: Glimpse, words: _Words) -> Iterator[str]:
    """A line for each round remembered, oldest first; then what others did, and the score."""
    own = [one for one in glimpse.heard if one.channel == "own" and not one.total]
    for latency, acts in groupby(own, key=lambda one: one.latency):
        when = ago(latency)
        yield f"{when[:1].upper()}{when[1:]}: {'; '.join(_own(words, one) for one in acts)}."
    for one in glimpse.heard:
        good = named(one.item)
        if one.total:
            yield words.tally.format(good=good, amount=one.value)
        elif one.channel == "others":
            act = words.theirs.format(firm=one.source, good=good, amount=one.value)
            yield f"{act} ({ago(one.latency)})."
        elif one.channel == "score":
            yield f"Your total profit so far: {one.value:g}."


def _own(words: _Words, one: Remembered) -> str:
    """An own act and what it led to."""
    told = words.act.format(good=named(one.item), amount=one.value)
    led = ", ".join(f"{name} {value:g}" for name, value in one.results.items())
    return f"{told} ({led})" if led else told


def _listed(names: Sequence[str]) -> str:
    """Names as a list in words: A, B and C."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
