"""The page in a real browser, where there is one: every figure is drawn, whatever the text."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cloudchamber.report import page
from cloudchamber.report.document import Document
from tests.report.example import example
from tests.report.reading import read
from tests.report.test_page import HOSTILE, document

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--virtual-time-budget=10000", "--enable-logging=stderr", "--dump-dom"),
)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
@pytest.mark.parametrize("text", [None, *HOSTILE])
def test_every_figure_is_drawn_and_nothing_else_runs(text: str | None, tmp_path: Path) -> None:
    shown: Document = example() if text is None else document(text)
    target = page.save(shown, tmp_path / "report.html")
    done = subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", target.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    seen = read(done.stdout)
    assert ("html", {"lang": "en", "data-drawn": "yes"}) in seen.tags
    drawn = [given for tag, given in seen.tags if tag == "svg"]
    assert len(drawn) == sum(1 for _, given in seen.tags if "data-figure" in given) > 0
    assert "could not be drawn" not in seen.text
    for word in ("CONSOLE", "Refused to", "Content Security Policy"):
        assert word not in done.stderr
