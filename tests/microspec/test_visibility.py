"""Displays and orders, one by one, against what their words say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chisquare, norm

from cloudchamber import randomness
from cloudchamber.microspec import (
    Binary,
    Bucketed,
    Chronological,
    Engineered,
    Exact,
    Fixed,
    Hidden,
    Noisy,
    Popularity,
    Seeded,
    Shuffled,
    Visibility,
)
from cloudchamber.microspec.visibility import shuffle
from cloudchamber.questions import Address, Reals
from cloudchamber.testing.strategies import orders

N = 5


def readers(rows: int, step: int = 0, seed: int = 1) -> Address:
    zero = np.zeros(rows, np.int64)
    return Address(seed, zero, step, np.arange(rows), zero)


likes = arrays(np.float64, (3, N), elements=st.integers(0, 3000).map(float))


@given(likes)
def test_plain_displays(values: Reals) -> None:
    items = np.tile(np.arange(N), (3, 1))
    where = readers(3)
    assert np.array_equal(Exact().show(values, items, where, "likes"), values)
    assert np.isnan(Hidden().show(values, items, where, "likes")).all()
    binary = Binary(threshold=10.0).show(values, items, where, "likes")
    assert binary.tolist() == [[float(v >= 10) for v in row] for row in values.tolist()]
    edges = (1.0, 10.0, 100.0)
    bucketed = Bucketed(edges=edges).show(values, items, where, "likes")
    below = [[max([0.0, *(e for e in edges if e <= v)]) for v in row] for row in values.tolist()]
    assert bucketed.tolist() == below


def test_noise_is_log_normal_anew_for_each_reader_and_the_same_twice() -> None:
    rows = 4000
    values, items = np.full((rows, 2), 1e6), np.tile([0, 3], (rows, 1))
    shown = Noisy(sd=0.5).show(values, items, readers(rows), "likes")
    z: Reals = np.asarray(np.log(shown / 1e6) / 0.5)
    assert abs(z.mean()) < 4 / np.sqrt(2 * rows) and abs(z.std() - 1) < 0.05
    r = np.asarray(np.corrcoef(z.T))[0, 1]
    assert abs(r) < 4 / np.sqrt(rows)
    assert norm.ppf(0.9) == pytest.approx(np.quantile(z, 0.9), abs=0.08)
    assert np.array_equal(shown, Noisy(sd=0.5).show(values, items, readers(rows), "likes"))
    later = Noisy(sd=0.5).show(values, items, readers(rows, step=1), "likes")
    assert not np.array_equal(shown, later)
    assert np.array_equal(Noisy(sd=0.0).show(values, items, readers(rows), "likes"), values)


def test_noise_and_seeded_levels_go_with_the_item_not_the_place() -> None:
    items = np.array([[0, 1, 2, 3, 4]])
    for display in (Noisy(sd=1.0), Seeded(), Seeded(each="run")):
        one = display.show(np.full((1, N), 100.0), items, readers(1), "likes")
        turned = display.show(np.full((1, N), 100.0), items[:, ::-1], readers(1), "likes")
        assert np.array_equal(one, turned[:, ::-1])


@pytest.mark.parametrize("each", ["reader", "run"])
def test_seeded_levels_are_equally_likely_and_tell_nothing(each: str) -> None:
    levels = (0.0, 1.0, 10.0)
    rows = 3000
    where = readers(rows)
    if each == "run":  # as many runs as rows
        where = Address(1, np.arange(rows), 0, where.agent, where.occasion)
    seeded = Seeded(levels=levels, each=each)  # type: ignore[arg-type]
    items = np.tile(np.arange(N), (rows, 1))
    shown = seeded.show(np.zeros((rows, N)), items, where, "likes")
    again = seeded.show(np.full((rows, N), 77.0), items, where, "likes")
    assert np.array_equal(shown, again), "what agents did has no say"
    assert chisquare([int((shown == level).sum()) for level in levels]).pvalue > 1e-3
    assert not seeded.reveals


def test_seeded_for_the_run_is_one_deal_for_all_readers_and_steps() -> None:
    items = np.tile(np.arange(N), (4, 1))
    seeded = Seeded(each="run")
    shown = seeded.show(np.zeros((4, N)), items, readers(4), "likes")
    later = seeded.show(np.zeros((4, N)), items, readers(4, step=9), "likes")
    assert (shown == shown[0]).all() and np.array_equal(shown, later)


@given(likes, orders(N))
def test_every_order_is_an_order_and_says_truly_what_it_depends_on(
    popularity: Reals, order: Shuffled
) -> None:
    created = np.arange(N, dtype=np.float64)
    ranked = order.rank(popularity, created, readers(3))
    assert np.array_equal(np.sort(ranked, axis=1), np.tile(np.arange(N), (3, 1)))
    if not order.reveals:
        assert np.array_equal(ranked, order.rank(popularity[:, ::-1] + 1, created, readers(3)))
    if not order.personal:
        same = np.tile(popularity[0], (3, 1))
        assert (order.rank(same, created, readers(3)) == ranked[0]).all()


def test_shuffled_is_uniform_and_personal_as_it_says() -> None:
    rows = 6000
    blank, created = np.zeros((rows, 3)), np.arange(3.0)
    ranked = Shuffled().rank(blank, created, readers(rows))
    code = (ranked * [9, 3, 1]).sum(axis=1)
    assert chisquare(np.unique(code, return_counts=True)[1]).pvalue > 1e-3
    assert len(np.unique(code)) == 6
    shared = Shuffled(each="run").rank(blank, created, readers(rows))
    assert (shared == shared[0]).all()
    assert np.array_equal(shared, Shuffled(each="run").rank(blank, created, readers(rows, step=5)))


@given(st.integers(1, 300), st.integers(0, 99))
def test_shuffle_is_a_permutation_whatever_the_size(n: int, seed: int) -> None:
    keys = randomness.keys(seed, np.arange(3), "x")
    assert np.array_equal(np.sort(shuffle(keys, n), axis=1), np.tile(np.arange(n), (3, 1)))


def test_popularity_falls_and_ties_are_settled_once_for_the_run() -> None:
    popularity = np.array([[0.0, 5, 0, 9, 0]])
    ranked = Popularity().rank(popularity, np.arange(float(N)), readers(1))[0]
    assert ranked[:2].tolist() == [3, 1]
    later = Popularity().rank(popularity, np.arange(float(N)), readers(1, step=4))[0]
    assert np.array_equal(ranked, later)
    orders_of_ties = {
        tuple(Popularity().rank(popularity, np.arange(float(N)), readers(1, seed=s))[0][2:])
        for s in range(40)
    }
    assert len(orders_of_ties) == 6


def test_chronological_fixed_and_engineered() -> None:
    blank = np.zeros((2, N))
    created = np.array([3.0, 1, 7, 7, 0])
    assert Chronological().rank(blank, created, readers(2))[1].tolist() == [3, 2, 0, 1, 4]
    assert Fixed().rank(blank, created, readers(2))[0].tolist() == [0, 1, 2, 3, 4]
    given_ = Fixed(items=(4, 2, 0, 1, 3))
    assert given_.rank(blank, created, readers(2))[1].tolist() == [4, 2, 0, 1, 3]
    pinned = Engineered(pinned=(3, 1), rest=given_)
    assert pinned.rank(blank, created, readers(2))[0].tolist() == [3, 1, 4, 2, 0]
    assert not pinned.personal and Engineered(pinned=(0,)).personal
    assert Engineered(pinned=(0,), rest=Popularity()).reveals


def test_a_field_that_is_not_named_is_shown_exactly() -> None:
    assert Visibility().display("likes") == Exact()
    assert Visibility(fields={"likes": Hidden()}).display("likes") == Hidden()


def test_it_reads_aloud() -> None:
    seen = Visibility(
        fields={"likes": Bucketed(edges=(1.0, 10.0))},
        order=Engineered(pinned=(2,)),
        top=3,
        latency=2,
    )
    assert seen.aloud() == (
        "agents see the first 3 items, item 2 pinned to the top, the rest shuffled for each reader; "
        "likes rounded down to 1, 10; what is shown is of everyone's acts, 2 steps late"
    )
