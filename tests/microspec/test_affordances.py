"""Labels say nothing of places."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from cloudchamber.microspec import Affordances
from cloudchamber.microspec.affordances import labels, spelled
from cloudchamber.questions import Address


def readers(rows: int, seed: int = 0, step: int = 0) -> Address:
    zero = np.zeros(rows, np.int64)
    return Address(seed, zero, step, np.arange(rows), zero)


@given(st.integers(1, 200), st.integers(0, 1000))
def test_codes_never_equal_places_and_never_repeat(options: int, seed: int) -> None:
    given_ = labels("codes", readers(20, seed), options)
    assert given_.shape == (20, options)
    assert not (given_ == np.arange(1, options + 1)).any()
    assert all(len(set(row)) == options for row in given_.tolist())
    digits = {len(str(code)) for code in given_.ravel()}
    assert len(digits) == 1 and digits <= {2, 3}


def test_codes_of_up_to_80_options_have_two_digits() -> None:
    """Two digits are two tokens to the embedded model; a third would cost a branch for each."""
    for options in (2, 48, 49):
        assert labels("codes", readers(5), options).max() <= 99


def test_codes_are_dealt_anew_and_tell_nothing_of_the_place() -> None:
    given_ = labels("codes", readers(3000), 6)
    for place in range(6):
        counts = np.bincount(given_[:, place] // 10, minlength=10)[1:]
        assert chisquare(counts).pvalue > 1e-4
    assert abs(np.corrcoef(np.arange(6), given_.mean(axis=0))[0, 1]) < 0.95
    assert not np.array_equal(given_[0], given_[1])
    assert not np.array_equal(given_, labels("codes", readers(3000, step=1), 6))
    assert np.array_equal(given_, labels("codes", readers(3000), 6))


def test_letters_and_numbers_are_the_places() -> None:
    assert labels("letters", readers(2), 3).tolist() == [[0, 1, 2]] * 2
    assert labels("numbers", readers(2), 3).tolist() == [[1, 2, 3]] * 2
    assert [spelled("letters", n) for n in (0, 25)] == ["A", "Z"]


def test_options_called_by_their_own_words_have_no_other_label() -> None:
    assert labels("words", readers(2), 3).tolist() == [[-1] * 3] * 2
    assert spelled("words", -1, "Rain at noon") == "Rain at noon"
    assert "called by their own words" in Affordances(labels="words").aloud()
    assert spelled("codes", 41) == "41"


def test_it_reads_aloud() -> None:
    can = Affordances(choose="up to", most=3, may_decline=True, scoring="shown")
    assert can.aloud() == (
        "agents choose up to 3, or none, from a list, options called by random codes; they are shown "
        "their score"
    )
    alone = Affordances(presentation="one at a time")
    said = "agents judge each option alone, and take one, by lot, of those they say yes to"
    assert alone.aloud() == said
    assert "take all of those" in alone.altered(choose="any").aloud()
