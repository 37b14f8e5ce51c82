"""The page: text stays text, nothing is loaded, the same document gives the same bytes."""

import base64
import errno
import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.report import figures, page
from cloudchamber.report.document import (
    Check,
    Code,
    Document,
    Figure,
    Prose,
    Reading,
    Section,
    Table,
    Verdict,
)
from cloudchamber.report.frames import visible
from tests.report.example import example
from tests.report.reading import read

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "<!--<script>",
    "\"' onmouseover=alert(1) x='",
    "{{ 7 * 7 }}{% include 'x' %}",
    "a\u2028b\u2029c\x00\x1b[31m\u202ebad",
    "W" * 20_000,
    "&lt;&#60;&amp;",
    "javascript:alert(1)",
    "http://example.org/x.js",
    "\ud800 half a pair",
    "a \\ back\\",
    "'\"} + datum.x //",
)


def document(text: str) -> Document:
    """A document with the text in every place that takes one."""
    frame = pd.DataFrame({"step": [0, 1, 2], "value": [0.1, 0.2, 0.3], "who": [text, text, "b"]})
    curve = figures.curve(
        frame,
        id="curve",
        title=text,
        caption=text,
        x=figures.Axis("step", text, text),
        y=figures.Axis("value", text),
        series="who",
        reference=(0.2, text),
        alt=text,
    )
    about: dict[str, Any] = {"title": text, "caption": text}
    more = (
        figures.intervals(
            pd.DataFrame({text: [text, "b"], "value": [1.0, 2.0], "low": 0.5, "high": 2.5}),
            **about,
            id="intervals",
            label=text,
            reference=(1.0, text),
        ),
        figures.grid_of_curves(
            frame, **about, id="grid", x="step", y="value", panel="who", series="who"
        ),
        figures.heat(frame, **about, id="heat", x="who", y="step", value="value"),
        figures.distributions(frame, **about, id="dots", series="who"),
        figures.distributions(frame, **about, id="ecdf", series="who", kind="ecdf"),
        figures.profile(
            frame, **about, id="profile", position="step", probability="value", series="who"
        ),
        figures.bars_by_position(frame, **about, id="bars", position="step", reference=(0.1, text)),
    )
    raw = Figure("raw", text, text, {"mark": "bar", "title": text}, pd.DataFrame({text: [1]}), text)
    table = Table(text, pd.DataFrame({text or "x": [text, 1.5, None]}), text)
    blocks = (
        Prose(text),
        Reading(text, text),
        Code(text, text),
        curve,
        *more,
        raw,
        table,
        Verdict(text, "undecided", (text, text), text),
        Check(text, text, "bad"),
    )
    return Document(
        title=text,
        question=text,
        answer=(text, text),
        facts=((text, text),),
        sections=(Section(text, 3, text, blocks),),
        rerun=text,
        notes=(text,),
        provenance=((text, text),),
        unfinished=text,
        date=text,
    )


PLAIN = read(page.render(document("plain words")))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_tag_and_no_attribute(text: str) -> None:
    html = page.render(document(text))
    assert read(html).skeleton == PLAIN.skeleton
    html.encode("utf-8")  # can be written


# Marks and blank lines have a meaning; everything else must leave the skeleton as it is.
@given(st.text(st.characters(exclude_characters="*`\n\r\x85\u2028\u2029"), min_size=1))
def test_no_text_changes_the_skeleton(text: str) -> None:
    if not text.strip() or not visible(text).strip():
        return
    assert read(page.render(document(text))).skeleton == PLAIN.skeleton


def test_hostile_text_is_shown_as_it_stands() -> None:
    text = "</script><b onclick='x'>&amp; {{ 1 }}"
    assert read(page.render(document(text))).text.count(text) >= 15


def test_controls_and_direction_marks_are_shown_as_replaced() -> None:
    html = page.render(document("a\x00b\x1bc\u202ed\ud800e"))
    assert not re.search("[\x00\x1b\u202e\ud800]", html)
    assert "a\ufffdb\ufffdc\ufffdd\ufffde" in html


def test_marks_are_bold_and_code_and_nothing_else() -> None:
    marked = page.marked("**a <b>** and `x<y` but _not_ [this](http://e.org) * * or ** b **")
    assert marked == (
        "<b>a &lt;b&gt;</b> and <code>x&lt;y</code> but _not_ [this](http://e.org) * * or ** b **"
    )


def test_paragraphs_part_at_blank_lines() -> None:
    assert page.paragraphs("one\nstill one\n\n \ntwo") == "<p>one\nstill one</p>\n<p>two</p>"


def test_many_open_marks_take_no_long_time() -> None:
    start = time.process_time()
    page.marked("**a " * 25_000)
    assert time.process_time() - start < 2


def test_data_survive_the_way_into_the_page() -> None:
    text = "</script><!-- & \" ' \\u2028 "
    read_back = read(page.render(document(text))).data["sources"]
    assert read_back["table-1"] == {"fields": [text], "rows": [[text], [1.5], [None]]}
    assert read_back["fig-raw"]["spec"]["title"] == text


def test_nothing_is_loaded_from_anywhere() -> None:
    seen = read(page.render(example()))
    allowed = re.compile(r"#[\w-]+|data:,")
    for tag, attributes in seen.tags:
        assert tag not in {"iframe", "object", "embed", "img", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"src", "srcset", "action", "style", "poster"}
            if name == "href":
                assert allowed.fullmatch(value), value
    assert "@import" not in seen.style
    assert set(re.findall(r"url\((\w+:[\w/]+)", seen.style)) == {"data:font/woff2"}


def test_policy_lets_only_the_pages_own_scripts_and_style_run() -> None:
    seen = read(page.render(document("x")))
    running = [body for given, body in seen.scripts if "type" not in given]

    def fingerprint(body: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() + "'"

    rules = {rule.split()[0]: rule.split()[1:] for rule in seen.policy.split("; ")}
    assert rules["default-src"] == ["'none'"]
    assert rules["connect-src"] == ["'none'"]
    assert rules["script-src"] == [fingerprint(body) for body in running]
    assert rules["style-src"] == [fingerprint(seen.style)]
    assert "unsafe" not in seen.policy


def test_the_same_document_gives_the_same_bytes_in_any_process() -> None:
    code = (
        "import hashlib; from tests.report.example import example;"
        "from cloudchamber.report import page;"
        "print(hashlib.sha256(page.render(example()).encode()).hexdigest())"
    )
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), str(root / "src")])
    other = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "5", "PYTHONPATH": paths},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    here = hashlib.sha256(page.render(example()).encode()).hexdigest()
    assert (
        other.stdout.strip() == here == hashlib.sha256(page.render(example()).encode()).hexdigest()
    )


def test_every_block_of_the_example_is_on_the_page() -> None:
    seen = read(page.render(example()))
    anchors = [given["id"] for _, given in seen.tags if "id" in given]
    assert len(anchors) == len(set(anchors))
    links = {given["href"][1:] for tag, given in seen.tags if tag == "a"}
    assert links <= set(anchors)
    for figure in example().figures:
        assert f"fig-{figure.id}" in anchors
    drawn = {given["data-figure"] for _, given in seen.tags if "data-figure" in given}
    assert drawn == {name for name in seen.data["sources"] if name.startswith("fig-")}
    for word in ("Unfinished.", "no evidence", "What a sceptic would ask first", "Fig. 10"):
        assert word in seen.text


def test_stages_without_a_section_are_no_links() -> None:
    seen = read(page.render(document("x")))
    stages = [given["href"] for tag, given in seen.tags if tag == "a" and "part-" in given["href"]]
    assert stages == ["#part-1"]


def test_a_finished_study_without_a_date_shows_neither() -> None:
    bare = Document("t", "q", ("a",), (), (), "run")
    seen = read(page.render(bare))
    assert "Unfinished" not in seen.text
    assert "·" not in seen.text


def test_too_little_to_draw_is_said_in_its_place() -> None:
    bare = pd.DataFrame({"step": [1], "value": [0.5]})
    curve = figures.curve(bare, id="c", title="t", caption="c", x="step", y="value")
    none = Figure("n", "t", "c", {"mark": "bar"}, bare.head(0))
    few = Figure("f", "t", "c", {"mark": "bar"}, bare, least=2)
    section = Section("s", None, "", (curve, none, few, Table("t", bare.head(0))))
    seen = read(page.render(Document("t", "q", ("a",), (), (section,), "run")))
    assert seen.text.count("Not enough runs to draw this.") == 3
    assert "No rows." in seen.text
    assert list(seen.data["sources"]) == ["table-1"]


def test_long_tables_are_cut_on_the_page_but_not_in_the_data() -> None:
    section = Section("s", None, "", (Table("t", pd.DataFrame({"n": range(250)})),))
    seen = read(page.render(Document("t", "q", ("a",), (), (section,), "run")))
    assert "The first 100 of 250 rows" in seen.text
    assert len(seen.data["sources"]["table-1"]["rows"]) == 250


def test_columns_of_one_name_are_refused() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    section = Section("s", None, "", (Table("t", frame),))
    with pytest.raises(SpecificationError, match="each name once"):
        page.render(Document("t", "q", ("a",), (), (section,), "run"))


def test_save_makes_folders_and_writes_what_render_gives(tmp_path: Path) -> None:
    target = page.save(document("é"), tmp_path / "a" / "b" / "report.html")
    assert target.read_bytes() == page.render(document("é")).encode()
    assert [each.name for each in target.parent.iterdir()] == ["report.html"]


def test_a_save_that_fails_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(TraceError, match=r"report\.html: No space left on device\. Give a folder"):
        page.save(document("x"), target)
    assert target.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_save_below_a_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TraceError, match="cannot be written"):
        page.save(document("x"), tmp_path / "file" / "report.html")
