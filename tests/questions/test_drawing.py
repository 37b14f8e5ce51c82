"""Questions and answers: draws follow their distributions exactly, and share one noise."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from cloudchamber.questions import Address, Answers, Choose, Heard, Questions, Reals, draw
from cloudchamber.trace.tables import Channel, Kind

ROWS = 20_000


def questions(
    rows: int = ROWS, options: int = 4, choose: Choose | None = None, kind: Kind = Kind.choose
) -> Questions:
    number = np.arange(rows)
    zero = np.zeros(rows, np.int64)
    return Questions(
        kind,
        choose or Choose(),
        Address(1, zero, 0, number, zero),
        zero,
        zero.astype(np.int16),
        number,
        np.tile(np.arange(options), (rows, 1)),
        {"likes": np.full((rows, options), np.nan)},
        Heard.nothing(rows),
    )


def weights(*given: float) -> Reals:
    return np.tile(np.array(given), (ROWS, 1))


def test_one_pick_follows_its_weights_exactly() -> None:
    picks = draw(questions(), weights(4, 3, 2, 1)).picks[:, 0]
    assert chisquare(np.bincount(picks, minlength=4), np.array([8, 6, 4, 2]) * 1000).pvalue > 1e-3


def test_several_picks_follow_plackett_and_luce() -> None:
    given = np.array([4.0, 3.0, 2.0, 1.0])
    picks = draw(questions(choose=Choose("up to", 2)), weights(*given)).picks
    chance = {
        (a, b): given[a] / 10 * given[b] / (10 - given[a]) for a, b in permutations(range(4), 2)
    }
    found = [int(((picks[:, 0] == a) & (picks[:, 1] == b)).sum()) for a, b in chance]
    assert sum(found) == ROWS
    assert chisquare(found, np.array(list(chance.values())) * ROWS).pvalue > 1e-3


def test_declining_is_one_more_option_that_ends_the_picks() -> None:
    """With weight 5 on none beside 3, 1, 1: P(none) = 1/2; P(0 then none) = 3/10 * 5/7; ..."""
    asked = questions(options=3, choose=Choose("up to", 3, may_decline=True))
    picks = draw(asked, weights(3, 1, 1), np.full(ROWS, 5.0)).picks
    none = int((picks[:, 0] < 0).sum())
    only_first = int(((picks[:, 0] == 0) & (picks[:, 1] < 0)).sum())
    all_three = int((picks[:, 2] >= 0).sum())
    chance = 3 / 10 * 5 / 7
    # All three before none: sum over orders of the Plackett-Luce products.
    w = [3.0, 1.0, 1.0]
    full = sum(
        w[a] / 10 * w[b] / (10 - w[a]) * w[c] / (10 - w[a] - w[b])
        for a, b, c in permutations(range(3))
    )
    rest = ROWS - none - only_first - all_three
    wanted = np.array([0.5, chance, full, 0.5 - chance - full]) * ROWS
    assert chisquare([none, only_first, all_three, rest], wanted).pvalue > 1e-3


def test_any_number_takes_each_on_its_own() -> None:
    answers = draw(questions(choose=Choose("any")), weights(0.0, 0.25, 0.5, 1.0))
    taken = np.stack([(answers.picks == place).any(axis=1) for place in range(4)])
    assert taken[0].sum() == 0 and taken[3].all()
    for place, p in ((1, 0.25), (2, 0.5)):
        assert abs(taken[place].mean() - p) < 4 * np.sqrt(p * (1 - p) / ROWS)
    assert abs(np.corrcoef(taken[1], taken[2])[0, 1]) < 4 / np.sqrt(ROWS)
    answers.check(questions(choose=Choose("any")))


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(0, 2))
def test_more_weight_never_loses_a_pick(given: list[float], place: int) -> None:
    """Shared noise is a monotone coupling: raising one option's weight only moves picks to it."""
    asked = questions(200, 3)
    low = np.tile(np.array(given) + 0.01, (200, 1))
    high = low.copy()
    high[:, place] *= 1.5
    before, after = draw(asked, low).picks[:, 0], draw(asked, high).picks[:, 0]
    assert np.all((after == before) | (after == place))
    some = questions(200, 3, Choose("any"))
    taken = draw(some, np.minimum(low, 1)).picks, draw(some, np.minimum(high, 1)).picks
    for row in range(200):
        assert set(taken[0][row]) - {-1} <= set(taken[1][row])


def test_weights_need_no_scale() -> None:
    one, scaled = draw(questions(), weights(4, 3, 2, 1)), draw(questions(), weights(8, 6, 4, 2))
    assert np.array_equal(one.picks, scaled.picks)


def test_nothing_is_picked_where_nothing_has_weight() -> None:
    answers = draw(questions(choose=Choose("up to", 3)), weights(0, 0, 1, 0))
    assert (answers.picks[:, 0] == 2).all() and (answers.picks[:, 1:] == -1).all()
    assert (draw(questions(), weights(0, 0, 0, 0)).picks == -1).all()


def test_the_noise_belongs_to_the_item_not_to_its_place() -> None:
    asked = questions(500, 3)
    turned = Questions(
        **{
            name: getattr(asked, name)
            for name in asked.__dataclass_fields__
            if name not in ("items", "signals")
        },
        items=asked.items[:, ::-1],
        signals={},
    )
    one = asked.items[np.arange(500), draw(asked, np.ones((500, 3))).picks[:, 0]]
    two = turned.items[np.arange(500), draw(turned, np.ones((500, 3))).picks[:, 0]]
    assert np.array_equal(one, two)


def test_probabilities_are_normalised_and_unknown_where_sampled() -> None:
    asked = questions(3, 4)
    given = np.array([[4.0, 3, 2, 1], [np.nan] * 4, [0.0] * 4])
    known = Answers(np.zeros((3, 1), np.int32), given)
    told = known.probabilities(asked, np.arange(3))
    assert told[0].tolist() == [0.4, 0.3, 0.2, 0.1]
    assert np.isnan(told[1]).all()
    assert told[2].tolist() == [0, 0, 0, 0]
    declined = Answers(known.picks, known.weights, np.array([10.0, 0, 5]))
    assert declined.probabilities(asked, np.arange(1))[0].tolist() == [0.2, 0.15, 0.1, 0.05]
    sampled = Answers(np.zeros((3, 1), np.int32))
    assert np.isnan(sampled.probabilities(asked, np.arange(3))).all()


def _heard(*lengths: int) -> Heard:
    total = sum(lengths)
    number = np.arange(total)
    return Heard(
        np.concatenate([[0], np.cumsum(lengths)]),
        np.full(total, Channel.own, np.int8),
        number,
        number + 10,
        number + 20,
        number,
        np.full(total, np.nan),
    )


def test_what_is_heard_can_be_taken_and_joined() -> None:
    heard = _heard(2, 0, 3)
    assert heard.row().tolist() == [0, 0, 2, 2, 2]
    taken = heard.take(np.array([2, 0, 2]))
    assert taken.offsets.tolist() == [0, 3, 5, 8]
    assert taken.item.tolist() == [2, 3, 4, 0, 1, 2, 3, 4]
    joined = Heard.joined([heard, Heard.nothing(3), _heard(1, 1, 0)], 3)
    assert joined.offsets.tolist() == [0, 3, 4, 7]
    assert joined.item.tolist() == [0, 1, 0, 1, 2, 3, 4]
    assert Heard.joined([Heard.nothing(2)], 2).offsets.tolist() == [0, 0, 0]


def test_a_hidden_signal_counts_as_nothing_to_a_rule() -> None:
    asked = questions(2, 3)
    assert asked.shown("likes").tolist() == [[0.0] * 3] * 2
    assert asked.shown("no such signal").tolist() == [[0.0] * 3] * 2


def test_taking_rows_keeps_each_rows_noise() -> None:
    asked, rows = questions(50), np.array([7, 3, 40])
    whole, some = draw(asked, np.ones((50, 4))), draw(asked.take(rows), np.ones((3, 4)))
    assert np.array_equal(whole.picks[rows], some.picks)
    with pytest.raises(IndexError):
        asked.take(np.array([50]))
