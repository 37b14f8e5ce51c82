"""Exact results of games: backward induction against the whole tree, chains against enumeration."""

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.games import (
    SLACK,
    PublicGood,
    against_random,
    drawn_partners,
    grim_against_random,
    kept_pairs,
    least_multiplier,
    replicator,
)


def by_the_whole_tree(game: PublicGood, levels: int) -> dict[tuple[float, ...], float]:
    """Every player's best reply after every history, by following each to its end."""
    amounts = [game.endowment * k / (levels - 1) for k in range(levels)]
    replies: dict[tuple[float, ...], float] = {}

    @cache
    def end(history: tuple[float, ...]) -> tuple[float, ...]:
        """The contributions that play comes to from here."""
        if len(history) == game.players:
            return history
        ends = [end((*history, c)) for c in amounts]
        worth = [float(game.payoffs(one)[len(history)]) for one in ends]
        best = next(at for at, w in enumerate(worth) if w >= max(worth) - SLACK)
        replies[history] = amounts[best]
        return ends[best]

    end(())
    return replies


games = st.builds(
    PublicGood,
    players=st.integers(1, 4),
    endowment=st.sampled_from([1.0, 2.0, 20.0]),
    multiplier=st.sampled_from([0.5, 1.0, 1.6, 2.5, 5.0]),
    bonus=st.sampled_from([0.0, 0.01, 0.05, 0.3, 1.0]),
    threshold=st.sampled_from([0.0, 1.0, 2.5, 20.0, 55.0]),
    penalty=st.sampled_from([0.0, 0.4, 1.0, 7.0, 30.0]),
)


@settings(max_examples=60, deadline=None)
@given(game=games, levels=st.integers(2, 4))
def test_backward_induction_on_sums_is_that_of_the_whole_tree(
    game: PublicGood, levels: int
) -> None:
    solved = game.solve(levels)
    for history, reply in by_the_whole_tree(game, levels).items():
        assert solved.reply(len(history), sum(history)) == pytest.approx(reply), history


@settings(max_examples=40, deadline=None)
@given(game=games, levels=st.integers(2, 5))
def test_nobody_gains_by_giving_another_amount_once(game: PublicGood, levels: int) -> None:
    """The one-shot deviation principle: those after it reply to what was given."""
    solved = game.solve(levels)
    path = solved.path()
    paid = game.payoffs(path)
    for player, other in product(range(game.players), np.linspace(0, game.endowment, levels)):
        given_: list[float] = [*path[:player], float(other)]
        while len(given_) < game.players:
            given_.append(float(solved.reply(len(given_), sum(given_))))
        assert game.payoffs(given_)[player] <= paid[player] + 1e-7


@pytest.mark.parametrize("players", [2, 3, 5, 10])
@pytest.mark.parametrize("levels", [2, 3, 21])
def test_the_linear_game_is_all_or_nothing(players: int, levels: int) -> None:
    less, more = (PublicGood(players, 20.0, players * m).solve(levels) for m in (0.9, 1.1))
    assert not less.replies.any() and not less.path().any()
    assert np.array_equal(more.path(), np.full(players, 20.0))


def test_the_last_gives_when_bonus_and_return_pay_for_it() -> None:
    """The last mover: r / n - 1 + gamma S > 0."""
    game = PublicGood(3, 20.0, 1.2, bonus=0.02)
    solved = game.solve(21)
    before = np.arange(41.0)
    expected = np.where(0.4 - 1 + 0.02 * before > 1e-9, 20.0, 0.0)
    assert np.array_equal(solved.reply(2, before), expected)


def test_a_bonus_alone_can_bring_all_to_give() -> None:
    """Whoever moves first pays to set the others off; without the bonus nobody gives."""
    assert not PublicGood(3, 20.0, 1.6).solve(21).path().any()
    path = PublicGood(3, 20.0, 1.6, bonus=0.1).solve(21).path()
    assert path[0] > 0 and np.array_equal(path[1:], [20.0, 20.0])


@pytest.mark.parametrize(("threshold", "given"), [(20, 20), (33, 33), (44, 44), (45, 0), (60, 0)])
def test_under_a_penalty_the_last_pay_what_is_lacking(threshold: float, given: float) -> None:
    """Each gives what those after it would not, up to what that is worth to it.

    The last would lose the penalty, those before it their part of what is given after them as well; what
    they would pay for together is given, and anything beyond is not tried.
    """
    game = PublicGood(3, 20.0, 1.2, threshold=float(threshold), penalty=6.0)
    most: list[
        float
    ] = []  # of the last, the one before, ...; what just pays for itself is not given
    for _ in range(3):
        worth = (game.penalty + game.returned * sum(most)) / (1 - game.returned)
        most.append(float(min(20.0, np.ceil(worth - 1e-9) - 1)))
    assert sum(most) == 44
    path = game.solve(21).path()
    assert path.sum() == given
    late = [min(most[0], given), min(most[1], max(given - most[0], 0))]
    assert path.tolist() == [given - sum(late), late[1], late[0]]


def test_the_published_mechanism_makes_all_give_where_neither_part_alone_does() -> None:
    parts: dict[str, dict[str, Any]] = {
        "neither": {},
        "penalty": {"threshold": 60.0, "penalty": 8.0},
        "bonus": {"bonus": 0.02},
        "both": {"threshold": 60.0, "penalty": 8.0, "bonus": 0.02},
    }
    path = {name: PublicGood(3, 20.0, 1.5, **some).solve(21).path() for name, some in parts.items()}
    assert path["both"].tolist() == [20, 20, 20]
    assert path["bonus"].tolist() == [6, 20, 20]
    assert not path["penalty"].any() and not path["neither"].any()


def test_payoffs_by_hand() -> None:
    game = PublicGood(3, 10.0, 1.5, bonus=0.1, threshold=20.0, penalty=4.0)
    assert np.allclose(game.payoffs([10, 0, 5]), [7.5 - 4, 17.5 - 4, 12.5 + 5 - 4])
    assert np.allclose(game.payoffs([[10, 5, 5]]), [[10, 15 + 5, 15 + 7.5]])


@pytest.mark.parametrize(("players", "seen"), [(2, 1), (5, 1), (5, 2), (10, 3)])
def test_whoever_keeps_all_loses_from_the_least_multiplier_on(players: int, seen: int) -> None:
    """The mean over places of what keeping all is worth, when all who see it copy it."""
    least = least_multiplier(players, seen)
    for multiplier, gains in ((least - 0.01, True), (least + 0.01, False)):
        game = PublicGood(players, 1.0, multiplier)
        keeps = [
            float(game.payoffs([1.0] * place + [0.0] * (players - place))[place])
            for place in range(seen, players)
        ]
        all_give = float(game.payoffs([1.0] * players)[0])
        assert (np.mean(keeps) > all_give) == gains


AFTER = {
    "always": (1.0, (1.0, 1.0, 1.0, 1.0)),
    "never": (0.0, (0.0, 0.0, 0.0, 0.0)),
    "tit for tat": (1.0, (1.0, 0.0, 1.0, 0.0)),
    "suspicious": (0.0, (1.0, 0.0, 1.0, 0.0)),
    "grim": (1.0, (1.0, 0.0, 0.0, 0.0)),
    "win-stay-lose-shift": (1.0, (1.0, 0.0, 0.0, 1.0)),
    "any": (0.3, (0.9, 0.2, 0.4, 0.7)),
}


def enumerated(first: float, after: tuple[float, ...], alpha: float, rounds: int) -> Any:
    """The chance of cooperating in each round, over every course that a match can take."""
    total = np.zeros(rounds)
    for own in product((0, 1), repeat=rounds):
        for other in product((0, 1), repeat=rounds):
            p = float(np.prod([alpha if act == 0 else 1 - alpha for act in other]))
            chance = first
            for at in range(rounds):
                p *= chance if own[at] == 0 else 1 - chance
                chance = after[2 * own[at] + other[at]]
            total += p * (np.array(own) == 0)
    return total


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("name", AFTER)
def test_chains_against_a_random_player_by_enumeration(name: str, alpha: float) -> None:
    first, after = AFTER[name]
    found = against_random(first, after, alpha, 5)
    assert np.allclose(found, enumerated(first, after, alpha, 5))


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.7, 0.95])
def test_the_published_means(alpha: float) -> None:
    n = 100
    assert against_random(*AFTER["always"], alpha, n).mean() == 1
    assert against_random(*AFTER["never"], alpha, n).mean() == 0
    tit = against_random(*AFTER["tit for tat"], alpha, n).mean()
    assert tit == pytest.approx((1 + (n - 1) * alpha) / n)
    grim = (1 - alpha**n) / (n * (1 - alpha))
    assert against_random(*AFTER["grim"], alpha, n).mean() == pytest.approx(grim)
    assert grim_against_random(alpha, n).mean() == pytest.approx(grim)
    pavlov = against_random(*AFTER["win-stay-lose-shift"], alpha, n)
    # The own act forgets its past by a factor 2 alpha - 1 a round.
    assert np.allclose(pavlov - 0.5, 0.5 * (2 * alpha - 1) ** np.arange(n))


def test_what_grim_forgets_it_forgives() -> None:
    assert grim_against_random(0.5, 5, window=2).tolist() == [1, 0.5, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("name", AFTER)
def test_pairs_of_a_kind_by_enumeration(name: str) -> None:
    first, after = AFTER[name]
    total, rounds = np.zeros(4), 4
    for one in product((0, 1), repeat=rounds):
        for two in product((0, 1), repeat=rounds):
            p, a, b = 1.0, first, first
            for x, y in zip(one, two, strict=True):
                p *= (a if x == 0 else 1 - a) * (b if y == 0 else 1 - b)
                a, b = after[2 * x + y], after[2 * y + x]
            total += p * (np.array(one) == 0)
    assert np.allclose(kept_pairs(first, after, rounds), total)


def test_with_slips_kept_partners_forgive_and_drawn_ones_do_not() -> None:
    slip = 0.02

    def slipping(after: tuple[float, ...]) -> list[float]:
        return [slip + (1 - 2 * slip) * p for p in after]

    tit = slipping(AFTER["tit for tat"][1])
    expected = 0.5 + 0.5 * (1 - 2 * slip) ** np.arange(1, 41)
    for found in (kept_pairs(1 - slip, tit, 40), drawn_partners(1 - slip, tit, 40)):
        assert np.allclose(found, expected)
    pavlov = slipping(AFTER["win-stay-lose-shift"][1])
    assert kept_pairs(1 - slip, pavlov, 400)[-1] > 1 - 4 * slip
    assert drawn_partners(1 - slip, pavlov, 400)[-1] == pytest.approx(0.5)


def test_the_replicator_goes_where_it_must() -> None:
    dilemma, snowdrift, hunt = [[3, 0], [5, 1]], [[3, 2], [4, 0]], [[4, 0], [3, 2]]
    assert replicator(dilemma, [0.99, 0.01], 200)[-1, 0] < 1e-6
    assert replicator(snowdrift, [0.1, 0.9], 200)[-1, 0] == pytest.approx(
        2 / 3
    )  # 1 - c / (2 b - c)
    assert replicator(hunt, [0.7, 0.3], 200)[-1, 0] > 1 - 1e-6
    assert replicator(hunt, [0.6, 0.4], 200)[-1, 0] < 1e-6  # at rest between them: 2 / 3
    assert replicator(dilemma, [0.5, 0.5], 1)[1].tolist() == [1 / 3, 2 / 3]
