"""The few lines for a terminal, and as Markdown."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cloudchamber.report import cards
from cloudchamber.report.document import Check, Document, Section, Verdict
from tests.report.example import example


def printed(document: Document, path: str | None = None) -> str:
    out = StringIO()
    Console(file=out, width=100, force_terminal=False).print(cards.summary(document, path))
    return out.getvalue()


def document(text: str) -> Document:
    blocks = (Verdict(text, "met", (text,)), Check(text, text, "bad"))
    return Document(text, text, (text,), ((text, text),), (Section("s", 5, "", blocks),), text)


def test_summary_tells_answer_verdicts_warnings_and_where() -> None:
    text = printed(example(), "out/herding/report.html")
    for part in (
        "Herding in an agents’ news feed",
        "Unfinished. One of 288 runs",
        "reached 0.71 (0.68",  # the marks are gone
        "undecided    Shown likes attract by themselves",
        "problem      Did it see the likes?",
        "Report: out/herding/report.html",
    ):
        assert part in text
    assert "follow instructions" not in text  # what is fine is not told


@pytest.mark.parametrize("text", ["[bold red]x[/]", "\x1b]0;title\x07", "[/nothing]", "a\x1b[2Jb"])
def test_terminal_codes_and_markup_stay_text(text: str) -> None:
    shown = printed(document(text))
    assert "\x1b" not in shown and "\x07" not in shown
    assert text.replace("\x1b", "�").replace("\x07", "�") in shown


@given(st.text())
def test_any_text_can_be_printed(text: str) -> None:
    printed(document(text))


def test_markdown_holds_no_html_and_no_links_of_agents() -> None:
    text = cards.markdown(document("<img src=x> [a](http://e.org) `c` # h"))
    assert r"\<img src=x\> \[a\](http://e.org) c \# h" in text
    assert "- **met**:" in cards.markdown(example())
    assert "    cloudchamber run herding --seed 1" in cards.markdown(example())
