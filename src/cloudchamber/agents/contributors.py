"""Contributors to a public good: rules that give by what they are told of the others' contributions."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cloudchamber import randomness
from cloudchamber.agents.rules import Rule
from cloudchamber.games import PublicGood
from cloudchamber.microspec.value import Real
from cloudchamber.questions import Ints, Questions, Reals
from cloudchamber.trace.tables import Channel

__all__ = ["BackwardInduction", "ConditionalCooperator", "Contributor", "FreeRider"]

Share = Annotated[Real, Field(ge=0, le=1)]
NotNegative = Annotated[Real, Field(ge=0)]


class _Contributor(Rule):
    """What contributors share: they mean to give an amount, and may miss it."""

    noise: NotNegative = 0.0
    """Standard deviation of what is given about what is meant, as a share of the most; normal, then cut
    off where the scale ends."""

    def means(self, questions: Questions) -> Reals:
        """(rows, options): what each means to give, as a share of the most."""
        raise NotImplementedError

    def amounts(self, questions: Questions) -> Reals:
        """What is meant, give or take."""
        scale = questions.scale
        assert scale is not None
        meant = self.means(questions)
        if self.noise:
            keys = questions.address.keys("contribution")
            meant = meant + self.noise * randomness.normals(keys, questions.items)
        return np.asarray(np.clip(meant * scale.most, scale.least, scale.most))

    def _misses(self) -> str:
        return f", give or take {self.noise:g} of the most" if self.noise else ""


class Contributor(_Contributor):
    """Gives the same share whatever others do."""

    kind: Literal["contributor"] = "contributor"
    share: Share = 1.0
    """Of the most that may be given."""

    def means(self, questions: Questions) -> Reals:
        """The share."""
        return np.full(questions.items.shape, self.share)

    def aloud(self) -> str:
        """The rule in words."""
        return f"a contributor of {self.share:.0%}{self._misses()}"


class FreeRider(_Contributor):
    """Gives nothing."""

    kind: Literal["free-rider"] = "free-rider"

    def means(self, questions: Questions) -> Reals:
        """Nothing."""
        return np.zeros(questions.items.shape)

    def aloud(self) -> str:
        """The rule in words."""
        return f"a free rider{self._misses()}"


class ConditionalCooperator(_Contributor):
    """Gives by what the others gave on average: intercept + slope times that, as shares of the most.

    What they gave it has from what it hears of single contributions; else from the total it is shown, less
    its own part if it remembers that: shared by the others then, by those before it where it is told its
    place, by all players else. A total of 0 that it remembers no part in tells it nothing.

    Source: Fischbacher, Gaechter & Fehr 2001; a slope below 1 is the imperfect conditional cooperation
    that lets contributions decay.
    """

    kind: Literal["conditional-cooperator"] = "conditional-cooperator"
    first: Share = 1.0
    """What it gives where it knows nothing of the others."""
    slope: NotNegative = 1.0
    intercept: Real = 0.0

    def means(self, questions: Questions) -> Reals:
        """By the average, where there is one."""
        assert questions.scale is not None
        seen = _average(questions) / questions.scale.most
        given = np.clip(self.intercept + self.slope * seen, 0.0, 1.0)
        return np.where(np.isnan(given), self.first, given)[:, None]

    def aloud(self) -> str:
        """The rule in words."""
        plus = f" plus {self.intercept:.0%}" if self.intercept else ""
        return (
            f"a conditional cooperator that gives {self.slope:g} times what others gave on average{plus}, "
            f"{self.first:.0%} where it knows nothing{self._misses()}"
        )


class BackwardInduction(_Contributor):
    """Plays its part of subgame-perfect play, as `games.PublicGood.solve` has it, by the rules of the game.

    It goes by its place in the queue and by what was given before it in the round: the total, or single
    contributions; of those before it whom it cannot see it takes it that they played so too. Where it is
    not told its place nothing comes after it that it could count on: it gives all if a unit given returns
    more than itself, and else nothing.
    """

    kind: Literal["backward-induction"] = "backward-induction"

    def means(self, questions: Questions) -> Reals:
        """The best reply, on the scale's steps."""
        scale = questions.scale
        assert scale is not None
        game, place = _game(questions), _shown(questions, "place")
        solved = game.solve(len(scale.grid()))
        player = np.where(np.isnan(place), 0, place - 1).astype(np.int64)
        reply = solved.reply(player, _before(questions, player, solved.path()))
        blind = scale.most if game.returned > 1 else 0.0
        return np.asarray(np.where(np.isnan(place), blind, reply)[:, None] / scale.most)

    def aloud(self) -> str:
        """The rule in words."""
        return f"a player of subgame-perfect play{self._misses()}"


def _game(questions: Questions) -> PublicGood:
    """The game that is played, by the rules that all know."""
    assert questions.scale is not None
    told = {name: float(values[0]) for name, values in questions.content.items()}
    players = int(told.pop("players"))
    return PublicGood(players, questions.scale.most, **told)


def _shown(questions: Questions, signal: str) -> Reals:
    """(rows,): a signal of the pool; NaN where it is not shown."""
    known = questions.signals.get(signal)
    return np.full(len(questions), np.nan) if known is None else known[:, 0]


def _heard(
    questions: Questions, channel: Channel, latest: int | None = None
) -> tuple[Reals, Reals]:
    """(rows,): how many single contributions are heard by a channel, and what they come to.

    Args:
        questions: a batch.
        channel: others' or one's own.
        latest: no older than so many rounds; all, if not given.
    """
    heard, rows = questions.heard, len(questions)
    there = (heard.channel == channel) & ~np.isnan(heard.value)
    if latest is not None:
        there &= heard.latency <= latest
    row = heard.row()[there]
    many = np.bincount(row, minlength=rows).astype(np.float64)
    total = np.bincount(row, heard.value[there], minlength=rows)
    return many, np.asarray(total, np.float64)


def _own(questions: Questions) -> Reals:
    """(rows,): the own latest contribution; NaN where it is not remembered."""
    heard = questions.heard
    own = np.full(len(questions), np.nan)
    there = heard.channel == Channel.own
    own[heard.row()[there]] = heard.value[there]  # the latest comes last
    return own


def _average(questions: Questions) -> Reals:
    """(rows,): what others gave on average, as far as each is told; NaN where it is told nothing."""
    many, heard = _heard(questions, Channel.others)
    total, place, own = (
        _shown(questions, "contributed"),
        _shown(questions, "place"),
        _own(questions),
    )
    players = questions.content["players"][0]
    givers = np.where(np.isnan(own), np.where(np.isnan(place), players, place - 1), players - 1)
    total = np.where(np.isnan(own) & (total == 0), np.nan, total - np.nan_to_num(own))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(many > 0, heard / many, np.where(givers > 0, total / givers, np.nan))


def _before(questions: Questions, player: Ints, path: Reals) -> Reals:
    """(rows,): what was given before in the round, as far as each is told; else what was to be expected."""
    many, heard = _heard(questions, Channel.others, latest=0)
    unseen = np.concatenate([[0.0], np.cumsum(path)])[np.maximum(player - many.astype(int), 0)]
    total = _shown(questions, "contributed")
    return np.where(np.isnan(total), unseen + heard, total)
