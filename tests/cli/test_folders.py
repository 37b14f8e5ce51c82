"""Which runs share a folder, which lie apart, and where."""

import re
from pathlib import Path

import pytest

from cloudchamber.cli.options import folder_of, options_of
from cloudchamber.trace import TraceFolder
from tests.cli.tiny import call, contents, told

RUN = ["run", "tiny", "--quiet"]


def test_what_is_grown_names_the_folder(here: Path) -> None:
    (here / "mine.txt").write_text("a\nb\n")
    (here / "other").mkdir()
    (here / "other" / "mine.txt").write_text("a\nb\nc\n")

    def folder(**given: object) -> str:
        plain = {"study": "tiny", "quick": False, "agents": None, "model": None}
        paths = {"items": None, "field": None, "changes": ()}
        return str(folder_of("tiny", options_of(**{**plain, **paths, **given})))  # type: ignore[arg-type]  # options of several kinds in one dict

    assert folder() == folder(field=Path("f.csv")) == "out/tiny"
    assert folder(quick=True, agents="two-stage") == "out/tiny-quick-two-stage"
    top = folder(changes=("visibility.top=4",))
    assert re.fullmatch("out/tiny-top-4-[0-9a-f]{6}", top)
    mine = folder(items=Path("mine.txt"))
    assert re.fullmatch("out/tiny-mine-[0-9a-f]{6}", mine)
    long = folder(changes=("world.headlines=" + "x" * 5000,))
    strange = folder(changes=("population.groups.0.name=../é\n\x1b/..",))
    assert len(long) < 80 and "/" not in strange.removeprefix("out/") and strange.isprintable()
    several = {
        folder(),
        top,
        mine,
        long,
        strange,
        folder(changes=("turns.top=4",)),
        folder(changes=("world.headlines=" + "x" * 5001,)),
        folder(items=Path("other/mine.txt")),
        folder(items=Path("mine.txt"), changes=("visibility.top=2",)),
    }
    assert len(several) == 9


def test_runs_of_other_specifications_lie_in_other_folders_and_each_is_gone_on_with(
    here: Path,
) -> None:
    (here / "mine.txt").write_text("a\nb\nc\n")
    for more in ([], ["--set", "visibility.top=4"], ["--items", "mine.txt"]):
        for _ in range(2):
            assert call(*RUN, "--replicates", 1, *more).exit_code == 0
    folders = list((here / "out").iterdir())
    assert len(folders) == 3
    assert {len(TraceFolder(folder / "trace")) for folder in folders} == {4}


def test_a_folder_grown_with_something_else_is_left_alone_and_the_cell_named(out: Path) -> None:
    (out.parent / "mine.txt").write_text("a\nb\nc\n")
    before = contents(out)
    for more in (
        ["--set", "visibility.latency=2"],
        ["--agents", "random"],
        ["--model", "fake:hash"],
        ["--items", "mine.txt"],
    ):
        assert "holds the cell 'hidden' with" in told(call(*RUN, "--out", "out", *more))
    assert contents(out) == before
    source = out.parent / "studies" / "tiny" / "study.py"
    source.write_text(source.read_text().replace("steps=4", "steps=5"))
    assert "turns.steps = 4, and 5 was asked for" in told(call(*RUN, "--out", "out"))
    assert contents(out) == before


def test_a_study_may_gain_cells_in_the_same_folder(out: Path) -> None:
    before = contents(out / "trace")
    source = out.parent / "studies" / "tiny" / "study.py"
    longer = source.read_text().replace('"exact"], "likes"', '"exact", "binary"], "likes"')
    source.write_text(longer)
    assert call(*RUN, "--out", "out").exit_code == 0
    after = contents(out / "trace")
    assert before.items() < after.items() and len(TraceFolder(out / "trace")) == 5 * 2


def test_the_home_is_known_by_its_sign(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here / "home"))
    (here / "home").mkdir()
    (here / "home" / "mine.txt").write_text("a\nb\nc\n")
    assert call(*RUN, "--out", "~/out", "--items", "~/mine.txt").exit_code == 0
    assert call("report", "~/out").exit_code == 0
    assert (here / "home" / "out" / "report.html").exists() and not (here / "~").exists()
    assert "whole path" in told(call(*RUN, "--out", "~nobody-of-that-name/x"))


def test_another_seed_or_level_has_a_folder_of_its_own(here: Path) -> None:
    for more, name in ((["--seed", 3], "tiny-seed-3"), (["--level", "summary"], "tiny-summary")):
        assert call("run", "tiny", "--quiet", *more).exit_code == 0
        assert (here / "out" / name / "report.html").exists()
