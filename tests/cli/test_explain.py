"""`cloudchamber explain`: rivals out of a file, and what is refused."""

import json
from pathlib import Path

from tests.cli.tiny import call, told

RIVALS = {
    "power of the likes": {"kind": "logit", "terms": [{"kind": "signal", "form": "log"}]},
    "blind": {"kind": "logit", "terms": []},
}


def test_a_folder_is_explained_and_its_report_says_so(here: Path) -> None:
    assert call("run", "tiny", "--out", "out", "--quiet").exit_code == 0
    assert "names none; give it some" in told(call("explain", "out"))
    Path("rivals.json").write_text(json.dumps(RIVALS))
    found = call("explain", "out", "--mechanisms", "rivals.json", "--draws", 2, "--scale", 20)
    assert found.exit_code == 0, found.output
    assert "regrowing with 'blind'" in found.output and "Which rule" in found.output
    page = (here / "out" / "report.html").read_text()
    assert "Which rule grows it" in page and "At scale" in page
    assert call("report", "out").exit_code == 0
    assert "Which rule grows it" in (here / "out" / "report.html").read_text()


def test_a_search_is_done_again_and_the_report_says_so(here: Path) -> None:
    assert call("run", "tiny", "--out", "out", "--quiet").exit_code == 0
    Path("rivals.json").write_text(json.dumps(RIVALS))
    over = ("--over", "visibility.latency", "--from", 0, "--to", 4, "--whole", "--runs", 9)
    assert call("threshold", "tiny", *over, "--out", "late", "--quiet").exit_code == 0
    asked = ("--mechanisms", "rivals.json", "--draws", 2, "--quiet")
    found = call("explain", "out", *asked, "--threshold", "late")
    assert found.exit_code == 0, found.output
    assert "Does it begin there, too?" in found.output
    assert "Where it begins, grown and regrown" in (here / "out" / "report.html").read_text()
    assert "explain what 'run' wrote of the same study" in told(call("explain", "late", *asked))
    nothing = told(call("explain", "out", *asked, "--threshold", "out"))
    assert "holds no search for a threshold" in nothing


def test_the_folder_of_a_battery_is_explained_with_its_perturbations(here: Path) -> None:
    asked = ("battery", "tiny", "--only", "visibility", "--replicates", 3, "--out", "bat")
    assert call(*asked, "--quiet").exit_code == 0
    Path("rivals.json").write_text(json.dumps(RIVALS))
    found = call("explain", "bat", "--mechanisms", "rivals.json", "--draws", 2, "--quiet")
    assert found.exit_code == 0, found.output
    for again in (("report", "bat"), ()):
        page = (here / "bat" / "report.html").read_text()
        assert "Which regimes matter" in page and "Which rule grows it" in page
        assert "with hide likes *" in page  # regrown where no choice was fitted
        if again:
            assert call(*again).exit_code == 0


def test_rivals_that_are_none_are_refused(here: Path) -> None:
    assert call("run", "tiny", "--out", "out", "--quiet").exit_code == 0
    for given, said in (
        ("[]", "give mechanisms by name"),
        ("{", "is not JSON"),
        ('{"a": {"kind": "random"}}', "'random' is no mechanism"),
        ('{"a": {"kind": "logjt"}}', "no kind 'logjt'"),
    ):
        Path("rivals.json").write_text(given)
        result = call("explain", "out", "--mechanisms", "rivals.json")
        assert result.exit_code == 2 and said in told(result), result.output
    result = call("explain", "out", "--mechanisms", "none.json")
    assert result.exit_code == 2 and "cannot read none.json" in told(result)
