"""What is kept of a text that somebody else wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.trace.texts import LETTERS, visible, written

anything = st.text(st.characters(codec=None), max_size=300)


@given(anything, st.integers(1, 40))
def test_what_is_written_is_one_short_line_that_steers_nothing(text: str, words: int) -> None:
    kept = written(text, words)
    assert len(kept.split()) <= words
    assert len(kept) <= words * LETTERS
    assert kept.isprintable() or all(letter == " " or not letter.isspace() for letter in kept)
    assert "\n" not in kept and kept == kept.strip()
    assert visible(kept) == kept
    kept.encode()  # no halves of pairs
    assert written(kept, words) == kept


@given(st.lists(st.from_regex(r"[a-z]{1,8}[.,]?", fullmatch=True), min_size=1, max_size=40))
def test_ordinary_words_are_kept_as_they_are(words: list[str]) -> None:
    assert written("  ".join(words), 40) == " ".join(words)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  First\n\n- second\tthird  ", "First - second third"),
        ("a\x1b[31mred\x00", "a�[31mred�"),
        ("left\u202eright\ud800", "left�right�"),
        ("one\u2028two\r\nthree", "one two three"),
        ("", ""),
        ("\n \t", ""),
    ],
)
def test_what_is_cleaned(text: str, kept: str) -> None:
    assert written(text, 9) == kept


def test_a_text_without_end_is_cut() -> None:
    assert written("x" * 10_000_000, 3) == "x" * (3 * LETTERS)
    assert written("word " * 10_000_000, 3) == "word word word"
