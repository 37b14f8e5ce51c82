"""What a program of one's own grew goes into an archive without the program, and out of it again."""

import json
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from cloudchamber.agents import LanguageModel, Rule
from cloudchamber.cli.options import build, options_of
from cloudchamber.errors import ArchiveError, StoreError
from cloudchamber.experiment import Limits
from cloudchamber.microspec import Decider
from cloudchamber.models.fake import fake
from cloudchamber.questions import Questions, Reals
from cloudchamber.study import Study
from cloudchamber.trace import TraceFolder
from tests.cli.tiny import call, told


def study() -> Study:
    built = build(options_of("tiny", False, None, None, None, None, ()))
    return built.decided_by(LanguageModel(model="fake:sampled"))


def digest(folder: Path) -> str:
    return TraceFolder(folder / "trace").digest()


def test_what_a_program_grew_is_exported_and_replayed_without_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study().run("out", seed=3, store="kept.sqlite")
    assert study().export("out", "a.zip") == Path("a.zip")
    assert call("export", "out", "b.zip").exit_code == 0, "as by the command line"
    assert Path("a.zip").read_bytes() == Path("b.zip").read_bytes()
    with zipfile.ZipFile("a.zip") as packed:
        names = packed.namelist()
    assert names == ["README.md", "answers.sqlite", "archive.json", "cells.json"]
    Path("studies/tiny/study.py").unlink()
    Path("kept.sqlite").unlink()
    monkeypatch.setattr("cloudchamber.models.opening._open", pytest.fail)
    said = call("replay", "a.zip", "--out", "again", "--quiet")
    assert said.exit_code == 0, said.output
    assert "The same trace" in said.stdout and "no model was asked" in said.stdout
    assert digest(here / "again" / "out") == digest(here / "out")


def test_rules_alone_need_no_answers(here: Path) -> None:
    build(options_of("tiny", False, None, None, None, None, ())).run("out")
    study().export("out", "a.zip")
    assert call("replay", "a.zip", "--out", "again", "--quiet").exit_code == 0


def test_what_cannot_be_exported_says_why(here: Path) -> None:
    some = study().run("out", limits=Limits(questions=30))
    assert not some.complete
    with pytest.raises(
        ArchiveError, match="is not finished: . of 8 runs are missing; run the study"
    ):
        study().export("out", "a.zip")
    study().run("out")
    study().export("out", "a.zip")
    with pytest.raises(ArchiveError, match="exists already"):
        study().export("out", "a.zip")
    study().run("open", models={"fake:sampled": fake("sampled")})
    with pytest.raises(StoreError, match="there is no store of answers"):
        study().export("open", "b.zip")
    assert not Path("b.zip").exists()


def test_what_only_a_program_knows_does_not_go_without_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Decider, "kinds", dict(Decider.kinds))

    class Loyal(Rule):
        """It takes whatever it is offered first."""

        kind: Literal["loyal"] = "loyal"

        def weights(self, questions: Questions) -> Reals:
            """All of it on the first option."""
            weights = np.zeros(questions.items.shape)
            weights[:, 0] = 1
            return weights

    study().decided_by(Loyal()).run("loyal")
    with pytest.raises(ArchiveError, match=r"has a tests\..*Loyal. What only your program knows"):
        study().export("loyal", "b.zip")
    assert not Path("b.zip").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda cells: cells[0].pop("spec"), "is damaged"),
        (lambda cells: cells[0]["spec"].pop("world"), "the cell "),
        (lambda cells: cells[0]["spec"]["world"].update(kind="elsewhere"), "no kind 'elsewhere'"),
        (lambda cells: cells[0]["spec"]["turns"].update(steps=3), "leads to another trace"),
        (lambda cells: cells[0].update(levels=3), "is damaged"),
    ],
)
def test_a_damaged_archive_of_cells_is_said(here: Path, change: object, said: str) -> None:
    build(options_of("tiny", False, None, None, None, None, ())).run("out", replicates=1)
    study().export("out", "a.zip")
    with zipfile.ZipFile("a.zip") as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    cells = json.loads(files["cells.json"])
    change(cells)  # type: ignore[operator]  # a parameter of the test
    files["cells.json"] = json.dumps(cells).encode()
    with zipfile.ZipFile("b.zip", "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    assert said in told(call("replay", "b.zip", "--out", "again", "--quiet"))
