"""Affordances: what an agent can do with what it is shown, and whether it is told how it scores.

What an act does is the world's business (`World`); here stands what of it is open to the agents, and in
what form they are asked.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from cloudchamber import randomness
from cloudchamber.microspec.value import Flag, Value, Whole
from cloudchamber.microspec.visibility import shuffle
from cloudchamber.questions import Address, Choose, Ints

__all__ = ["Affordances", "labels"]

Called = Literal["codes", "letters", "numbers", "words"]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Affordances(Value):
    """What agents can do."""

    acts: tuple[str, ...] = ()
    """Acts open to the agents, of those the world knows; empty for all of them."""
    choose: Literal["one", "up to", "any", "amount"] = "one"
    """How many options a decision may take; or an amount of each, where acts are amounts."""
    most: Annotated[Whole, Field(ge=1)] = 1
    """The most options, where `choose` is "up to"."""
    picks: Literal["at once", "one by one"] = "at once"
    """Where `choose` is "up to", of a list: all from one answer, drawn without replacement, or one by one,
    asked again with the earlier picks shown. Options, places, labels and signals stay as they were."""
    may_decline: Flag = False
    """Whether choosing nothing is allowed."""
    presentation: Literal["list", "one at a time"] = "list"
    """The options as one list, or each on its own with a yes or no."""
    labels: Called = "codes"
    """What options are called: random codes that say nothing of the place, letters, the place, or by their
    own words (in a naming game, the names)."""
    scoring: Literal["hidden", "shown"] = "hidden"
    """Whether agents are shown their score."""

    @model_validator(mode="after")
    def _consistent(self) -> "Affordances":
        if self.choose == "one" and self.most != 1:
            raise ValueError(f'most: {self.most} given, but choose is "one"; set choose to "up to"')
        if self.picks == "one by one" and self.choose != "up to":
            raise ValueError(
                f'picks: "one by one" given, but choose is "{self.choose}"; set choose to "up to"'
            )
        if self.choose == "amount" and (self.may_decline or self.presentation != "list"):
            raise ValueError(
                'choose: "amount" given; then presentation is "list" and may_decline is false: '
                "who gives nothing gives the least amount"
            )
        return self

    @property
    def one_by_one(self) -> bool:
        """Whether agents are asked again after each pick."""
        return self.picks == "one by one" and self.presentation == "list"

    @property
    def rule(self) -> Choose:
        """How many options may be chosen by one answer, as the questions carry it."""
        if self.one_by_one:
            return Choose("one", 1, self.may_decline)
        return Choose(self.choose, self.most, self.may_decline)

    def aloud(self) -> str:
        """The regime as a sentence."""
        many = {"one": "one", "up to": f"up to {self.most}", "any": "any number"}.get(
            self.choose, ""
        )
        none = ", or none," if self.may_decline else ""
        score = "" if self.scoring == "hidden" else "; they are shown their score"
        if self.choose == "amount":
            return f"agents say how much of each option{score}"
        if self.presentation == "one at a time":
            taken = "take all" if self.choose == "any" else f"take {many}, by lot,"
            return f"agents judge each option alone, and {taken} of those they say yes to{score}"
        called = {"codes": "random codes", "words": "their own words"}.get(self.labels, self.labels)
        many += ", asked again after each pick," if self.one_by_one and not none else ""
        none += " asked again after each pick," if self.one_by_one and none else ""
        return f"agents choose {many}{none} from a list, options called by {called}{score}"


def labels(how: Called, address: Address, options: int) -> Ints:
    """Numbers that name the options of each row, (rows, options); letters are numbered from 0, words are -1.

    Codes have as many digits as it takes that none ever equals the place of its option: an option
    that would is given one of the codes left over.
    """
    rows = len(address.agent)
    if how == "words":
        return np.broadcast_to(-1, (rows, options))
    if how != "codes":
        first = 1 if how == "numbers" else 0
        return np.broadcast_to(np.arange(first, options + first), (rows, options))
    low, pool = _codes(options)
    keys = randomness.keys(
        address.seed, address.replicate, "labels", address.step, address.agent, address.occasion
    )
    dealt = shuffle(keys, pool) + low
    given, spare = dealt[:, :options].copy(), dealt[:, options:]
    clash = given == np.arange(1, options + 1)
    row, column = np.nonzero(clash)
    given[row, column] = spare[row, (np.cumsum(clash, axis=1) - 1)[row, column]]
    return given


def _codes(options: int) -> tuple[int, int]:
    """The lowest code and the number of codes: the fewest digits, from two, that leave enough spare."""
    low = 10
    while True:
        pool, clashes = 9 * low, max(options - low + 1, 0)
        if pool >= options + clashes:
            return low, pool
        low *= 10


def spelled(how: Called, number: int, word: str = "") -> str:
    """A label as it is written; an option that is called by its own word is told that."""
    if how == "words":
        return word
    return LETTERS[number] if how == "letters" else str(number)
