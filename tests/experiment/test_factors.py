"""Factors and ranges: what is set at each number from 0 to 1."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Factor, Range, factorial
from tests.experiment.small import spec


def test_levels_have_equal_parts() -> None:
    order = Factor.at("visibility.order", ["shuffled", "popularity", "newest"])
    drawn = [order.setting(u).name for u in np.linspace(0, 1, 301)]
    assert [drawn.count(name) for name in ("shuffled", "popularity", "newest")] == [100, 100, 101]


def test_a_range_is_uniform_and_holds_both_ends() -> None:
    latency = Factor.over("x", 2, 10)
    assert [latency.setting(u).value for u in (0, 0.25, 1)] == [2.0, 4.0, 10.0]
    log_range = Factor.over("x", 0.01, 100, log=True)
    values = [log_range.setting(u).value for u in (0, 0.25, 0.5, 1)]
    assert values == pytest.approx([0.01, 0.1, 1, 100], rel=1e-5)


@pytest.mark.parametrize(("low", "high"), [(0, 3), (-2, 1)])
def test_whole_numbers_are_equally_likely(low: int, high: int) -> None:
    middles = (np.arange(4000) + 0.5) / 4000
    drawn = [Factor.over("x", low, high, whole=True).setting(u).value for u in middles]
    assert all(isinstance(value, int) for value in drawn)
    assert [drawn.count(value) for value in range(low, high + 1)] == [1000] * 4


def test_whole_numbers_on_a_log_scale_have_their_share_of_it() -> None:
    middles = (np.arange(10_000) + 0.5) / 10_000
    drawn = [Factor.over("x", 1, 9, whole=True, log=True).setting(u).value for u in middles]
    for value in range(1, 10):
        assert drawn.count(value) / 10_000 == pytest.approx(
            log((value + 1) / value) / log(10), abs=2e-4
        )


@given(
    low=st.floats(-1e6, 1e6),
    width=st.floats(1e-3, 1e6),
    u=st.floats(0, 1),
    whole=st.booleans(),
)
def test_what_is_set_lies_within_and_near_what_was_drawn(
    low: float, width: float, u: float, whole: bool
) -> None:
    high = low + width
    if whole:
        low, high = np.floor(low), np.ceil(high) + 1
    value = Range("x", "x", low, high, whole=whole).setting(u).value
    assert isinstance(value, int | float)
    assert low <= value <= high
    assert abs(value - (low + u * (high - low))) <= (1 if whole else 1e-5 * (high - low)) + 1e-9


def test_numbers_are_short_enough_to_be_read() -> None:
    share = Factor.over("x", 0, 0.5)
    assert share.setting(1 / 3).name == "0.166667"
    assert float(share.setting(1 / 3).name) == share.setting(1 / 3).value


def test_levels_of_a_range() -> None:
    assert [s.value for s in Factor.over("x", 0, 1).levels(5).settings] == [0, 0.25, 0.5, 0.75, 1]
    assert [s.value for s in Factor.over("x", 1, 100, log=True).levels(3).settings] == [1, 10, 100]
    assert [s.value for s in Factor.over("x", 0, 3, whole=True).levels(4).settings] == [0, 1, 2, 3]
    with pytest.raises(SpecificationError, match="give fewer levels"):
        Factor.over("x", 0, 3, whole=True).levels(5)


@pytest.mark.parametrize(
    ("low", "high", "how", "said"),
    [
        (1, 1, {}, "the lower one first"),
        (0, float("inf"), {}, "the lower one first"),
        (0, 1, {"log": True}, "both ends must be above 0"),
        (0.5, 2, {"whole": True}, "both ends must be whole"),
    ],
)
def test_what_is_no_range_is_refused(
    low: float, high: float, how: dict[str, bool], said: str
) -> None:
    with pytest.raises(SpecificationError, match=said):
        Factor.over("x", low, high, **how)  # type: ignore[arg-type]


def test_a_range_in_a_factorial_is_answered_with_what_to_do() -> None:
    latency = Factor.over("visibility.latency", 0, 2, whole=True)
    with pytest.raises(SpecificationError, match=r"levels\(n\), or a sampled design"):
        factorial(spec(), [latency])
    assert len(factorial(spec(), [latency.levels(3)])) == 3


def test_factors_that_clash_are_refused() -> None:
    latency = Factor.at("visibility.latency", [0, 1])
    other = Factor.at("visibility.latency", [0, 2], "late")
    with pytest.raises(SpecificationError, match="needs a name of its own"):
        factorial(spec(), [latency, latency])
    with pytest.raises(SpecificationError, match="needs a path of its own"):
        factorial(spec(), [latency, other])


@pytest.mark.parametrize("levels", [[], ["shuffled", "shuffled"]])
def test_no_level_and_one_twice_are_refused(levels: list[str]) -> None:
    with pytest.raises(SpecificationError, match="order: the levels .* allowed: one or more, each"):
        Factor.at("visibility.order", levels, "order")


def test_a_factor_that_another_would_undo_is_refused() -> None:
    """Else it would do nothing, in every run: an effect of exactly 0 that is nobody's finding."""
    whole = Factor.at("memory", ["window", "none"], "memory")
    part = Factor.at("memory.k", [1, 2], "k")
    with pytest.raises(SpecificationError, match="memory comes after memory.k"):
        factorial(spec(), [part, whole])
    again = Factor.at("population.groups.0.count", [3, 4], "size")
    same = Factor.at("population.groups[0].count", [5, 6], "how many")
    with pytest.raises(SpecificationError, match="each needs a path of its own"):
        factorial(spec(), [again, same])


@pytest.mark.parametrize("name", ["model", "status", "value", "cell"])
def test_a_name_that_tables_have_for_something_else_is_refused(name: str) -> None:
    """Else the column of the factor would take its place, and the runs could not be read."""
    with pytest.raises(SpecificationError, match=f"factor '{name}': .* e.g. 'which {name}'"):
        Factor.at("visibility.latency", [0, 1], name)
    with pytest.raises(SpecificationError, match="have a column of that name already"):
        Factor.over("visibility.latency", 0, 1, name=name)
