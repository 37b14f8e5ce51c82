"""What is remembered of own acts: side by side and flat are the same, whichever was there first."""

from operator import attrgetter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloudchamber.questions import Heard, Own

FLAT = ("offsets", "channel", "item", "source", "origin", "latency", "value")


@st.composite
def kept(draw: st.DrawFn) -> Own:
    """Rows that remember different numbers of acts, some of which nobody met."""
    width, rows = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    many = rng.integers(0, width + 1, rows)
    there = np.arange(width)[:, None] >= width - many

    def column(blank: float = -1, low: int = 0) -> NDArray[np.int64]:
        return np.where(there, rng.integers(low, 9, there.shape), blank).astype(np.int64)

    own: dict[str, Any] = {"item": column(), "decision": column(), "latency": column(0)}
    if draw(st.booleans()):
        own["amount"] = np.where(there, rng.random(there.shape), np.nan)
    if draw(st.booleans()):
        met = column(low=-1)
        own |= {"met": met}
        own |= {name: np.where(met < 0, -1, column()) for name in ("partner", "others")}
    results = {"payoff": np.where(there, rng.random(there.shape), np.nan)}
    return Own(np.arange(rows) + 10, **own, results=results)


def same(one: Own, other: Own) -> None:
    """Side by side from the right; places that nobody filled are left out of sight."""
    width = min(one.item.shape[0], other.item.shape[0])
    for mine in (one, other):
        assert (mine.item[: len(mine.item) - width] < 0).all()
    there = one.item[-width:] >= 0
    for name in ("item", "decision", "latency", "amount", "met", "partner", "others"):
        first, second = getattr(one, name), getattr(other, name)
        if first is None or second is None:
            known = first if second is None else second
            # Of amounts and meetings nothing is left where there was none.
            assert known is None or (np.isnan(known) | (known < 0)).all()
            continue
        np.testing.assert_array_equal(first[-width:][there], second[-width:][there])
    for name, led in one.results.items():
        np.testing.assert_array_equal(led[-width:][there], other.results[name][-width:][there])


@given(kept())
def test_side_by_side_again_from_flat(own: Own) -> None:
    heard = Heard.recalled(own)
    columns: dict[str, Any] = {name: getattr(heard, name) for name in (*FLAT, "results")}
    flat = Heard(**columns)
    same(flat.own, own)
    assert (flat.own.agent[(own.item >= 0).any(axis=0)] >= 10).all()


@given(kept(), st.data())
def test_some_rows_are_the_same_rows_before_and_after_they_are_laid_out(
    own: Own, data: st.DataObject
) -> None:
    rows = np.array(data.draw(st.lists(st.integers(0, len(own) - 1), max_size=6)), np.int64)
    early, late = Heard.recalled(own).take(rows), Heard.recalled(own)
    assert late.offsets[-1] >= 0  # a column was read: it is laid out
    for name in FLAT:
        np.testing.assert_array_equal(getattr(early, name), getattr(late.take(rows), name))


def test_nothing_is_laid_out_before_it_is_read() -> None:
    zero = np.zeros((2, 1), np.int64)
    own = Own(zero[0], item=zero, decision=zero, latency=zero)
    heard = Heard.recalled(own)
    assert heard.own is own and "item" not in vars(heard)
    assert heard.item.tolist() == [0, 0] and "item" in vars(heard)
    with pytest.raises(AttributeError, match="no attribute 'likes'"):
        attrgetter("likes")(heard)
