"""Games: what is known exactly of public goods and repeated dilemmas.

Mathematics alone: it knows no world, no agent and no trace.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Induction",
    "PublicGood",
    "against_random",
    "drawn_partners",
    "grim_against_random",
    "kept_pairs",
    "least_multiplier",
    "replicator",
]

Reals = NDArray[np.float64]
SLACK = 1e-9
"""Sums and payoffs that differ by less are the same: they are sums of floating-point numbers."""


@dataclass(frozen=True, slots=True)
class PublicGood:
    """A public good that players contribute to, at once or one after the other.

    A player that gives c of its endowment e, of T that all give and S that those before it gave, gets
    e - c + (multiplier / players) T + bonus c S, less the penalty if T is below the threshold.

    Source: the linear game of Isaac & Walker 1988; bonus and penalty as in the sequential mechanism
    of MAC-SPGG (Liang et al. 2025).
    """

    players: int
    endowment: float
    multiplier: float
    bonus: float = 0.0
    threshold: float = 0.0
    penalty: float = 0.0

    @property
    def returned(self) -> float:
        """What each unit given returns to every player, the giver among them (MPCR)."""
        return self.multiplier / self.players

    def short(self, total: ArrayLike) -> NDArray[np.bool_]:
        """Whether a total falls short of the threshold."""
        return np.asarray(np.asarray(total) < self.threshold - SLACK)

    def payoffs(self, given: ArrayLike) -> Reals:
        """What each player gets: given, of shape [..., players], in the order of moves, -> the same shape."""
        c = np.asarray(given, np.float64)
        total = c.sum(axis=-1, keepdims=True)
        before = np.cumsum(c, axis=-1) - c
        own = self.endowment - c + self.returned * total + self.bonus * c * before
        return np.asarray(own - self.penalty * self.short(total))

    def solve(self, levels: int) -> "Induction":
        """Subgame-perfect play where all see the sum given before them, by backward induction.

        What is to come depends on the past through the sum given alone, so there is a best reply for each
        player and each sum. Of replies that pay the same the least is taken.

        Args:
            levels: amounts that may be given: so many, evenly from 0 to the endowment; 2 or more.
        """
        step = self.endowment / (levels - 1)
        sums = step * np.arange(self.players * (levels - 1) + 1)
        replies = np.zeros((self.players, len(sums)), np.int64)
        final = np.arange(len(sums))  # what the sum will be in the end, from each sum on
        for player in reversed(range(self.players)):
            most = player * (levels - 1) + 1  # sums that may have been given before
            here = np.arange(most)[:, None]
            given = np.arange(levels)
            total = sums[final[here + given]]
            worth = step * given * (self.bonus * sums[:most, None] - 1)
            worth = worth + self.returned * total - self.penalty * self.short(total)
            good = worth >= worth.max(axis=1, keepdims=True) - SLACK
            replies[player, :most] = good.argmax(axis=1)
            final[:most] = final[here[:, 0] + replies[player, :most]]
        return Induction(self, step, replies)


@dataclass(frozen=True, slots=True)
class Induction:
    """What each player gives in subgame-perfect play, whatever was given before it."""

    game: PublicGood
    step: float
    """Between the amounts that may be given."""
    replies: NDArray[np.int64]
    """(players, sums): the best reply of each player to each sum given before it, both in steps."""

    def reply(self, player: ArrayLike, before: ArrayLike) -> Reals:
        """What a player gives (counted from 0) when those before it gave a sum, rounded to whole steps."""
        most = self.replies.shape[1] - 1
        told = np.clip(np.rint(np.asarray(before, np.float64) / self.step), 0, most)
        return np.asarray(self.step * self.replies[np.asarray(player), told.astype(np.int64)])

    def path(self) -> Reals:
        """(players,): what is given when all play so from the start."""
        given: list[float] = []
        for player in range(self.game.players):
            given.append(float(self.reply(player, sum(given))))
        return np.array(given)


def least_multiplier(players: int, seen: int = 1) -> float:
    """From which multiplier on all give where places in the queue are unknown, and defection is copied.

    Each sees what the `seen` players before it gave, gives if all of them did (or nobody is before it), and
    knows nothing of its own place. Who gives then gets r - 1 more than who keeps all; who keeps all still
    gets r / n for each of those before it, (n + seen - 1) / 2 on average where `seen` are to be seen.

    Source: Gallice & Monzon 2019, who prove it an equilibrium: r >= 2 n / (n - seen + 1).
    """
    return 2 * players / (players - seen + 1)


def against_random(
    first: float, after: Sequence[float], alpha: float, rounds: int
) -> NDArray[np.float64]:
    """The chance that a player of memory one cooperates in each round, (rounds,), against a random one.

    Args:
        first: its chance in the first round.
        after: its chance after both cooperated, it alone, the other alone, nobody.
        alpha: the other's chance of cooperating, in each round anew.
        rounds: how many.

    The chain on the own last act. Tit for tat comes to (1 + (N - 1) alpha) / N on average over N rounds;
    win-stay-lose-shift to 1/2 in the long run.
    """
    both, alone, other, nobody = after
    kept = alpha * both + (1 - alpha) * alone
    turned = alpha * other + (1 - alpha) * nobody
    chance = np.empty(rounds)
    now = first
    for at in range(rounds):
        chance[at] = now
        now = now * kept + (1 - now) * turned
    return chance


def grim_against_random(alpha: float, rounds: int, window: int | None = None) -> Reals:
    """The chance that a grim player still cooperates in each round, (rounds,), against a random one.

    It cooperates while it remembers no defection, which of the last `window` rounds has the chance
    alpha^window; with all remembered the mean over N rounds is (1 - alpha^N) / (N (1 - alpha)).
    """
    known = np.arange(rounds)
    return np.asarray(float(alpha) ** (known if window is None else np.minimum(known, window)))


def kept_pairs(first: float, after: Sequence[float], rounds: int) -> Reals:
    """The chance that players of memory one cooperate in each round, (rounds,), with one of their kind.

    Args:
        first: their chance in the first round.
        after: their chance after both cooperated, oneself alone, the other alone, nobody.
        rounds: how many.

    The chain on what both did (Nowak & Sigmund 1993). With slips of chance s win-stay-lose-shift keeps
    close to 1, and tit for tat goes to 1/2.
    """
    one = np.asarray(after, np.float64)
    two = one[[0, 2, 1, 3]]  # as the other sees it
    to = np.stack([one * two, one * (1 - two), (1 - one) * two, (1 - one) * (1 - two)], axis=1)
    now = np.array([first * first, first * (1 - first), first * (1 - first), (1 - first) ** 2])
    chance = np.empty(rounds)
    for at in range(rounds):
        chance[at] = now[0] + now[1]
        now = now @ to
    return chance


def drawn_partners(first: float, after: Sequence[float], rounds: int) -> Reals:
    """The same where partners are drawn anew for each round from a population without end.

    There those who meet know nothing of each other, and each answers whom it met last: tit for tat does
    as in kept pairs, win-stay-lose-shift goes to 1/2.
    """
    both, alone, other, nobody = after
    chance = np.empty(rounds)
    now = first
    for at in range(rounds):
        chance[at] = now
        turned = 1 - now
        now = now**2 * both + now * turned * (alone + other) + turned**2 * nobody
    return chance


def replicator(table: ArrayLike, share: ArrayLike, generations: int) -> Reals:
    """Shares of strategies that grow in proportion to what they earn: (generations + 1, strategies).

    x_i' = x_i f_i / sum_j x_j f_j with f = table @ x: matched at random in a large population, and
    payoffs that are not negative (Maynard Smith 1982; Hofbauer & Sigmund 1998).

    Args:
        table: (strategies, strategies): what a strategy earns against another.
        share: (strategies,): shares at the start.
        generations: how many.
    """
    pay, now = np.asarray(table, np.float64), np.asarray(share, np.float64)
    course = [now]
    for _ in range(generations):
        grown = now * (pay @ now)
        now = grown / grown.sum()
        course.append(now)
    return np.array(course)
