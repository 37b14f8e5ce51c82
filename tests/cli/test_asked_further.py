"""What else can be asked of a study, at the command line: a battery, and a search along a field."""

import shlex
from html import unescape
from pathlib import Path

from tests.cli.tiny import call, told

BATTERY = ("battery", "tiny", "--only", "memory", "--only", "visibility", "--out", "out", "--quiet")
SEARCH = (
    *("threshold", "tiny", "--over", "population.groups[0].decides.strength"),
    *("--from", 0, "--to", 2, "--runs", 9, "--out", "out", "--quiet"),
)


def test_a_battery_is_reported_and_handed_on_like_any_study(here: Path) -> None:
    first = call(*BATTERY, "--margin", 0.1)
    assert first.exit_code == 0, first.output
    page = (here / "out" / "report.html").read_text()
    again = call("report", "out")
    assert again.exit_code == 0, again.output
    assert (here / "out" / "report.html").read_text() == page
    rerun = "cloudchamber battery tiny --only memory --only visibility --margin 0.1 --out out"
    assert rerun in page
    assert call("export", "out", "whole.zip").exit_code == 0
    assert call("replay", "whole.zip").exit_code == 0


def test_a_margin_that_makes_no_sense_is_refused_before_anything_is_grown(here: Path) -> None:
    result = call(*BATTERY, "--margin", 0)
    assert result.exit_code != 0 and "margin: 0 was given; allowed: above 0" in told(result)
    assert not (here / "out").exists()


def test_a_search_says_how_to_make_it_again_and_no_other_report_is_put_in_its_place(
    here: Path,
) -> None:
    assert call(*SEARCH).exit_code == 0
    page = (here / "out" / "report.html").read_text()
    assert shlex.join(["cloudchamber", *map(str, SEARCH[:-1])]) in unescape(page)
    for refused in (call("report", "out"), call("export", "out", "whole.zip")):
        assert refused.exit_code != 0 and "holds a search along" in told(refused)
    assert (here / "out" / "report.html").read_text() == page
