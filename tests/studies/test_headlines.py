"""The study's items are alike in everything but what they say."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

HEADLINES = Path(__file__).parents[2] / "studies" / "herding" / "headlines.csv"
with HEADLINES.open(newline="", encoding="utf-8") as lines:
    ROWS = list(csv.DictReader(lines))
TEXTS = [row["headline"] for row in ROWS]


def test_there_are_48_with_an_id_each() -> None:
    assert list(ROWS[0]) == ["id", "headline", "topic"]
    assert len({row["id"] for row in ROWS}) == len(set(TEXTS)) == len(ROWS) == 48


def test_twelve_topics_of_four_spread_over_the_file() -> None:
    topics = [row["topic"] for row in ROWS]
    assert set(Counter(topics).values()) == {4}
    # In file order no topic comes twice in twelve, so a fixed order does not put a topic first.
    assert all(len(set(topics[start : start + 12])) == 12 for start in range(0, 48, 12))


@pytest.mark.parametrize("text", TEXTS)
def test_form(text: str) -> None:
    assert 5 <= len(text.split()) <= 7
    assert 30 <= len(text) <= 45
    # Letters and spaces only: digits would pass for option codes or counts of likes.
    assert re.fullmatch(r"[A-Z][A-Za-z]*( [A-Za-z]+)+", text)
    # Sentence case: a capital inside a headline would be a name of someone or something.
    assert set(re.findall(r" ([A-Z]\w*)", text)) <= {"Roman"}


@pytest.mark.parametrize("text", TEXTS)
def test_no_number_words_and_nothing_sensational(text: str) -> None:
    numbers = "one two three four five six seven eight nine ten dozen hundred thousand first second"
    loud = "shocking amazing breaking secret kill dead death war crash attack scandal crisis likes"
    assert not set(text.lower().split()) & set(f"{numbers} {loud}".split())


def test_no_two_say_nearly_the_same() -> None:
    small = {"a", "the", "to", "for", "in", "on", "its", "of", "from", "may", "after", "by"}
    words = [set(text.lower().split()) - small for text in TEXTS]
    pairs = [(i, j) for i in range(48) for j in range(i)]
    assert max(len(words[i] & words[j]) for i, j in pairs) <= 1
