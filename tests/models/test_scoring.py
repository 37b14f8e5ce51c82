"""When lists of likely tokens settle a choice, held against models whose answers are known."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.models.scoring import (
    MOST,
    UNCOVERED,
    Settled,
    apart,
    at_once,
    distribution,
    settle,
    spelled,
)
from cloudchamber.testing.speaker import Speaker

Lists = Callable[[str], dict[str, float]]


def settled(
    options: Sequence[str], lists: Lists, top: int = 20, continues: bool = True
) -> tuple[Settled, list[str]]:
    search = settle(options, top, continues)
    asked: list[str] = []
    try:
        wave = next(search)
        while True:
            asked += wave
            wave = search.send([lists(text) for text in wave])
    except StopIteration as end:
        return end.value, asked


def given_lists(**lists: dict[str, float]) -> Lists:
    return lambda text: lists[text or "root"]


def test_one_list_settles_labels_of_one_token() -> None:
    lists = given_lists(root={"A": 0.5, " A": 0.1, "B": 0.2, "The": 0.15})
    found, asked = settled(("A", "B"), lists)
    np.testing.assert_allclose(found.found, [0.6, 0.2])
    assert (found.why, asked) == ("", [""])
    assert found.mass == pytest.approx(0.8)


def test_labels_of_several_tokens_are_followed_to_their_ends() -> None:
    lists = given_lists(
        root={"1": 0.6, "2": 0.3, "The": 0.1},
        **{"1": {"2": 0.75, "4": 0.25}, "2": {"1": 0.9, " ": 0.1}},
    )
    found, asked = settled(("12", "14", "21"), lists)
    np.testing.assert_allclose(found.found, [0.45, 0.15, 0.27])
    assert asked == ["", "1", "2"]


def test_a_label_that_begins_another_is_meant_unless_the_other_goes_on() -> None:
    lists = given_lists(root={"1": 0.8, "The": 0.2}, **{"1": {"2": 0.25, ".": 0.7, " ": 0.05}})
    found, _ = settled(("1", "12"), lists)
    np.testing.assert_allclose(found.found, [0.6, 0.2])


@pytest.mark.parametrize(
    ("root", "options", "top", "why"),
    [
        ({"A": 0.5, "The": 0.3}, ("A", "B"), 2, "may lie beyond the 2 listed"),
        ({"1": 0.6, "2": 0.4}, ("12", "21"), 2, "does not continue"),
        ({"1": 0.6, "12": 0.4}, ("1", "12"), 2, "does not continue"),
        ({"The": 1.0}, ("A", "B"), 1, "100.0%"),
        ({"A": 0.1, "The": 0.1}, ("A", "B"), 2, "80.0%"),
        ({"A": 1.0}, ("A", " A"), 1, "differ by spaces"),
    ],
)
def test_what_one_list_does_not_settle(
    root: dict[str, float], options: tuple[str, ...], top: int, why: str
) -> None:
    found, _ = settled(options, given_lists(root=root), top, continues=False)
    assert why in found.why


def test_what_is_not_listed_is_at_most_as_likely_as_the_last_that_is() -> None:
    """Four ways to spell B and a space in front, each below 1e-6, though a tenth is not listed."""
    root = {"A": 0.9 - 2e-6, "The": 1e-6, "This": 1e-6}
    found, _ = settled(("A", "B"), given_lists(root=root), top=3)
    assert found.why == ""
    assert 0 < found.open <= 4e-6
    root = {"A": 0.85, "The": 0.05}
    found, _ = settled(("A", "B"), given_lists(root=root), top=2)
    assert found.why != ""


def test_the_last_of_a_list_may_be_there_only_because_it_was_drawn() -> None:
    """vLLM puts the drawn token first and cuts the list: what it pushed out is not known."""
    likeliest = {"A": 0.6, "The": 0.2, "This": 0.1}
    found, _ = settled(("A", "B"), given_lists(root=likeliest), top=3)
    assert found.why != ""
    found, _ = settled(("A", "B"), given_lists(root={"drawn": 1e-9, **likeliest}), top=4)
    assert found.why != ""
    found, _ = settled(("A", "B"), given_lists(root={"A": 0.9}), top=1)
    assert found.why != ""


def test_a_list_longer_than_asked_for_ends_where_it_should() -> None:
    """Some servers add the token that was drawn, however unlikely; it bounds nothing."""
    root = {"A": 0.6, "The": 0.2, "drawn": 1e-9}
    found, _ = settled(("A", "B"), given_lists(root=root), top=2)
    assert found.why != ""


def test_unlikely_beginnings_are_not_asked_about() -> None:
    lists = given_lists(root={"A": 0.9, "1": 1e-5, "The": 0.09999})
    found, asked = settled(("A", "12"), lists)
    assert (found.why, asked) == ("", [""])
    assert found.open == pytest.approx(1e-5)


def test_spaces_before_an_answer_are_one_token_and_a_loop_of_them_ends() -> None:
    """After each space come more, for ever: what goes on with a second one is no answer, and is said."""
    more = {" ": 0.4, "A": 0.3, "B": 0.1, "The": 0.2}
    found, asked = settled(
        ("A", "B"), lambda text: more if text else {"\n": 0.3, " ": 0.5, "The": 0.2}
    )
    assert asked == ["", " ", "\n"]
    np.testing.assert_allclose(found.found, [0.24, 0.08])
    assert found.why == ""
    assert found.spaces == pytest.approx(0.8 * 0.4)


def test_a_server_that_takes_spaces_off_a_begun_answer_is_noticed() -> None:
    """Its list after "I say " is its list after "I say": that would count an answer twice."""
    root = {" A": 0.5, " B": 0.2, " ": 0.1, "The": 0.2}
    near = {token: chance * (1 + 1e-5) for token, chance in root.items()}
    found, asked = settled(("A", "B"), lambda text: near if text else root)
    assert asked == ["", " "]
    np.testing.assert_allclose(found.found, [0.5, 0.2])
    assert (found.why, found.spaces) == ("", 0.1)


@pytest.mark.parametrize("broken", ["\ufffd", "bytes:\\xe2\\x98"])
def test_a_part_of_a_letter_may_be_a_label_s(broken: str) -> None:
    root = {"né": 0.6, "da": 0.2, broken: 0.2}
    found, _ = settled(("né", "da"), given_lists(root=root))
    assert found.why != ""
    assert found.open == pytest.approx(0.2)
    found, _ = settled(("ne", "da"), given_lists(root={"ne": 0.6, "da": 0.2, broken: 0.2}))
    assert found.why == ""


def test_no_more_is_asked_than_may_be() -> None:
    speaker = Speaker(1)
    options = [str(code) for code in range(100, 140)]
    asked = [("user", "\n".join(f"{label}: x" for label in options))]
    search = settle(options, 20, True, most=3)
    wave, requests = next(search), 0
    try:
        while True:
            requests += len(wave)
            wave = search.send([speaker.following(asked, text) for text in wave])
    except StopIteration as end:
        assert "more than 3 requests" in end.value.why
    assert requests <= 3


labels = st.lists(st.text("012AB", min_size=1, max_size=4), min_size=2, max_size=40, unique=True)


@given(
    labels,
    st.integers(0, 3),
    st.sampled_from([1, 5, 20, 100]),
    st.booleans(),
    st.sampled_from([0.02, 0.3, 1.0]),
    st.integers(0, 6),
)
def test_what_is_called_exact_is_within_its_bound(
    options: list[str], piece: int, top: int, continues: bool, mass: float, spread: int
) -> None:
    speaker = Speaker(piece, mass, spread)
    asked = [("user", "\n".join(f"{label}: x" for label in options))]
    truth = speaker.answers(asked)
    true = np.array([truth[label] for label in options])

    def lists(text: str) -> dict[str, float]:
        return dict(list(speaker.following(asked, text).items())[:top])

    found, requests = settled(options, lists, top, continues)
    assert len(requests) <= MOST
    got = np.array(found.found)
    assert (got <= true + 1e-9).all()
    assert true.sum() - found.mass <= found.open + 1e-9
    if not found.why:
        apart = np.abs(got / got.sum() - true / true.sum()).sum() / 2
        assert apart <= UNCOVERED * 1.001
    if top == 100 and continues and piece < 2 and len(options) < 12:
        assert found.why == ""


@given(
    st.lists(st.text("AB \n", min_size=1, max_size=2), min_size=1, max_size=3, unique=True),
    st.dictionaries(st.text("AB \n", max_size=3), st.sampled_from([0.0, 0.01, 0.1]), max_size=10),
)
def test_what_the_first_list_says_alone_is_what_the_labels_by_their_beginnings_say(
    options: list[str], listed: dict[str, float]
) -> None:
    found, asked = settled(options, given_lists(root=listed), 5, continues=False)
    places = apart(options)
    assert bool(places) == bool(asked)
    plainly = at_once(places, listed) if places else None
    if plainly is not None:
        np.testing.assert_allclose(plainly, found.found, rtol=1e-14)
        assert (found.why, found.open, found.spaces) == ("", 0.0, 0.0)


def test_a_plain_list_is_told_at_once_and_no_other() -> None:
    labels = apart(("A", "B "))
    assert labels == {"A": 0, "B": 1}
    assert at_once(labels, {"A": 0.5, " A": 0.25, "B": 0.125, "The": 0.125}) == [0.75, 0.125]
    assert at_once(labels, {"A": 0.5, "The": 0.25}) is None
    assert at_once(labels, {"A": 0.5, " ": 0.25, "B": 0.125}) is None
    assert at_once(apart(("1", "12")), {"1": 0.5, "12": 0.25}) is None
    assert apart(("A", " A")) == {}


def test_temperature_sharpens() -> None:
    found = [0.6, 0.3, 0.0]
    np.testing.assert_allclose(np.exp(distribution(found, 0.5)), [0.8, 0.2, 0.0])
    np.testing.assert_allclose(np.exp(distribution(found, 0.0)), [1.0, 0.0, 0.0])


def test_a_label_is_spelled_by_the_last_tokens() -> None:
    tokens = [("I say", -9.0), (" 4", -1.0), ("7", -0.5)]
    assert spelled(tokens, "47") == -1.5
    assert spelled(tokens, " 47") == -1.5
    assert spelled(tokens, "57") is None
    assert spelled(tokens, "I say 47 and more") is None


def test_a_label_is_spelled_by_tokens_without_their_spaces() -> None:
    """SentencePiece's tokens, decoded one by one, have lost them."""
    tokens = [("say", -9.0), ("blue", -1.0), ("car", -0.5)]
    assert spelled(tokens, "blue car") == -1.5
    assert spelled(tokens, "red car") is None
