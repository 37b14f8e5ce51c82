import pytest

from cloudchamber.models import Request
from cloudchamber.models.parsing import declines, parse_choice, read_text

CODES = ("12", "34", "1", "None")
ASKED = Request((("user", "which?"),), CODES)
FREE = Request((("user", "write"),), max_tokens=8)


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
    assert read_text(text, ASKED)["status"] == "refused"


def test_an_answer_that_begins_like_a_refusal_but_names_a_label_is_an_answer() -> None:
    assert read_text("I'm sorry for the delay: 12", ASKED)["choice"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "I cannot sell more than 40, and I am sorry for it.",
        "Sorry, last round was a mistake.",
        "I can't help but notice that prices fall.",
        "As an AI I see that they sell less.",
        "12 or 34",
    ],
)
def test_free_text_is_whatever_is_written(text: str) -> None:
    read = read_text(text, Request(FREE.messages, max_tokens=60))
    assert (read["text"], read["status"], read["choice"], read["reason"]) == (text, "ok", -1, "")


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m sorry, I cannot help with that.",
        "I am unable to comply.",
        "As an AI language model, I cannot assist with this.",
        "Sorry, I can't help with coordinating prices.",
    ],
)
def test_free_text_that_declines_to_help_is_a_refusal(text: str) -> None:
    assert read_text(text, Request(FREE.messages, max_tokens=60))["status"] == "refused"


def test_free_text_is_kept_on_one_line_and_no_longer_than_was_asked_for() -> None:
    read = read_text(" one\ntwo\x1b[0m " + "three " * 99, FREE)
    assert read["text"] == "one two�[0m" + " three" * 6
    assert read["status"] == "ok"


@pytest.mark.parametrize("text", ["", " \n "])
def test_nothing_written_is_no_answer(text: str) -> None:
    read = read_text(text, FREE)
    assert (read["text"], read["status"], read["reason"]) == (
        "",
        "unparseable",
        "nothing was written.",
    )
