"""A folder keeps one meaning of each cell: what may be added to it, and what is kept apart."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cloudchamber.agents import Quality, SocialProof
from cloudchamber.errors import TraceError
from cloudchamber.experiment import Cell, Design, Driver, Manifest
from cloudchamber.experiment.holding import held
from cloudchamber.experiment.manifest import placed
from cloudchamber.microspec import Microspec
from tests.experiment.small import spec


def manifest(**cells: Microspec) -> Manifest:
    told = tuple(
        {"name": name, "levels": {}, "spec": spec.model_dump(mode="json")}
        for name, spec in cells.items()
    )
    return Manifest("small", {}, 0, "full", 1, told)


def grow(folder: Path, replicates: int = 1, **cells: Microspec) -> None:
    manifest(**cells).claim(folder)
    design = Design(tuple(Cell(name, spec) for name, spec in cells.items()))
    Driver(folder / "trace").grow(design, replicates)


def test_more_cells_more_replicates_and_a_cell_left_out_go_on(tmp_path: Path) -> None:
    late, top = spec().replace("visibility.latency", 1), spec().replace("visibility.top", 3)
    grow(tmp_path, one=spec(), two=late)
    grow(tmp_path, replicates=2, one=spec(), two=late, three=top)
    grow(tmp_path, one=spec(), renamed=late)
    there = [cell["name"] for cell in Manifest.read(tmp_path).cells]
    assert there == ["one", "renamed", "two", "three"], "a name keeps its meaning"
    with pytest.raises(TraceError, match="the cell 'three'"):
        manifest(three=spec()).claim(tmp_path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (spec().replace("visibility.latency", 1), "visibility.latency = 0, and 1 was asked for"),
        (
            spec(Quality()),
            'population.groups.0.decides.kind = "social-proof", and "quality" was asked for',
        ),
        (spec(readers=4), "population.groups.0.count = 3, and 4"),
        (
            spec().replace("world.headlines", ["x" * 99, *"abcde"]),
            f'world.headlines.0 = "item 0", and "{"x" * 39}... was asked for',
        ),
        (spec().replace("world.headlines", list("abcdefg")), "world.headlines.0 = "),
        (spec().replace("visibility.fields.likes", "hidden"), "visibility.fields.likes.kind = "),
    ],
)
def test_a_cell_of_another_specification_is_refused_with_its_name_and_field(
    tmp_path: Path, changed: Microspec, said: str
) -> None:
    grow(tmp_path, kept=spec(), it=spec())
    before = (tmp_path / "study.json").read_bytes()
    with pytest.raises(TraceError) as refused:
        manifest(kept=spec(), it=changed).claim(tmp_path)
    assert "holds the cell 'it' with" in str(refused.value) and said in str(refused.value)
    assert "give another folder with --out, or remove this one" in str(refused.value)
    assert (tmp_path / "study.json").read_bytes() == before


def test_a_folder_in_which_nothing_is_grown_yet_is_anybodys(tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / ".study.json.99").write_text("{")  # whoever wrote it was killed
        manifest(it=spec()).claim(tmp_path)
    other = replace(manifest(it=spec(readers=5)), study="another", seed=4)
    other.claim(tmp_path)
    assert Manifest.read(tmp_path) == other
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]


def test_a_folder_that_another_process_grows_keeps_its_manifest(tmp_path: Path) -> None:
    manifest(it=spec()).claim(tmp_path)
    with held(tmp_path / "trace"), pytest.raises(TraceError, match="another process is growing"):
        manifest(it=spec(readers=5)).claim(tmp_path)
    assert Manifest.read(tmp_path) == manifest(it=spec())


def test_a_foreign_trace_is_left_with_its_manifest(tmp_path: Path) -> None:
    manifest(it=spec()).claim(tmp_path)
    (tmp_path / "trace").mkdir()
    (tmp_path / "trace" / "thesis.txt").write_text("mine")
    with pytest.raises(TraceError, match="not a trace"):
        manifest(it=spec(SocialProof(strength=2.0))).claim(tmp_path)
    assert Manifest.read(tmp_path) == manifest(it=spec())


def test_numbers_that_are_not_finite_are_no_change(tmp_path: Path) -> None:
    once = manifest(it=spec())
    cell = {**once.cells[0], "spec": {"x": float("nan"), "y": float("inf"), "z": 1.0, "e": []}}
    odd = replace(once, cells=(cell,))
    grow(tmp_path, other=spec())
    odd.claim(tmp_path)
    odd.claim(tmp_path)


def test_the_home_is_known_by_its_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert placed("~/out") == tmp_path / "out"
    assert placed("a~b") == Path("a~b")
    with pytest.raises(TraceError, match="Give the folder's whole path"):
        placed("~nobody-of-that-name/out")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(TraceError, match="cannot write"):
            manifest(it=spec()).claim(tmp_path / "out")
    finally:
        tmp_path.chmod(0o700)
