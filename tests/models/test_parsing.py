import pytest

from cloudchamber.models.parsing import declines, parse_choice, read_text

CODES = ("12", "34", "1", "None")


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("12", 0),
        (" 34.\n", 1),
        ("**12**", 0),
        ("I choose item 34, because it is nice.", 1),
        ("'none'", 3),
        ("1", 2),
        ("12 or 34", -1),
        ("12, yes 12!", 0),
        ("123", -1),
        ("", -1),
        ("the first one", -1),
        ("x" * 600 + " 12", -1),
    ],
)
def test_what_a_text_names(text: str, choice: int) -> None:
    assert parse_choice(text, CODES) == choice


def test_capitals_count_only_where_they_tell_labels_apart() -> None:
    assert parse_choice("YES", ("Yes", "No")) == 0
    assert parse_choice("a", ("A", "a")) == 1


def test_a_label_inside_another_is_not_a_second_answer() -> None:
    assert parse_choice("I pick local news.", ("news", "local news")) == 1
    assert parse_choice("C++ of course", ("C", "C++")) in (-1, 1)


@pytest.mark.parametrize("text", ["I cannot do that", "I’m sorry, but", "As an AI model I"])
def test_refusals(text: str) -> None:
    assert declines(text)
    assert read_text(text, CODES)["status"] == "refused"


def test_an_answer_that_begins_like_a_refusal_but_names_a_label_is_an_answer() -> None:
    assert read_text("I'm sorry for the delay: 12", CODES)["choice"] == 0


def test_free_text_is_always_ok() -> None:
    assert read_text("I cannot", ())["status"] == "ok"
