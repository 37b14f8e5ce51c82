"""`cloudchamber design`: the table of cells before anything is grown, and what of it is missing."""

import csv
from pathlib import Path

import pytest

from tests.cli.tiny import call, contents


def test_it_prints_factors_cells_and_what_is_missing_and_writes_nothing(here: Path) -> None:
    before = contents(here)
    result = call("design", "tiny")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["likes", "hidden,", "exact"] in lines
    assert ["cell", "likes", "specification", "missing"] in lines
    rows = {line[0]: line for line in lines if len(line) > 2}
    assert rows["hidden"][1] == "hidden" and rows["hidden"][3] == "2"
    assert "specifications x 2 replicates = 8 runs, of which 8 are missing" in result.stdout
    assert contents(here) == before


def test_what_a_folder_holds_is_not_missing(out: Path) -> None:
    whole = call("design", "tiny", "--out", out).stdout
    assert "of which 0 are missing" in whole
    more = call("design", "tiny", "--out", out, "--replicates", 5).stdout
    assert "20 runs, of which 12 are missing" in more
    assert "of which 8 are missing" in call("design", "tiny", "--out", out, "--seed", 3).stdout


def test_the_table_as_csv(here: Path) -> None:
    rows = list(csv.DictReader(call("design", "tiny", "--csv").stdout.splitlines()))
    assert [row["name"] for row in rows][:2] == ["hidden", "exact"]
    assert rows[0]["likes"] == "hidden"
    shared = [row for row in rows if row["same_as"]]
    assert shared and all(row["missing"] == "0" for row in shared)
    assert sum(int(row["missing"]) for row in rows) == 8


SAMPLED = """
from functools import partial

from cloudchamber import Factor, Feed, Group, Microspec, Population, SocialProof, Study
from cloudchamber.experiment import sobol_sequence
from cloudchamber.intervention import isolate
from cloudchamber.microspec import Sequential
from cloudchamber.phenomenon import HERDING


def study(*, quick=False, decides=None, items=None, field=None):
    people = Population(groups=(Group(count=3, decides=SocialProof()),))
    return Study(
        name="sampled",
        question="Does it work?",
        phenomenon=HERDING,
        microspec=Microspec(world=Feed.of(6), population=people, turns=Sequential(steps=4)),
        factors=(
            Factor.over("visibility.latency", 0, 3, whole=True, name="latency"),
            Factor.over("PATH", 0.1, 10, log=True, name="strength"),
        ),
        plan=partial(sobol_sequence, n=4),
        replicates=2,
    )
"""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("population.groups[0].decides.strength", ""),
        ("population.groups[0].strength", "Near paths: population.groups.0.decides.strength"),
    ],
)
def test_ranges_are_told_and_their_paths_are_checked(here: Path, path: str, said: str) -> None:
    (here / "studies" / "sampled").mkdir()
    program = SAMPLED.replace("PATH", path)
    (here / "studies" / "sampled" / "study.py").write_text(program, encoding="utf-8")
    result = call("design", "sampled")
    if said:
        assert result.exit_code == 2
        assert said in result.stderr
        return
    assert "latency   whole numbers from 0 to 3" in result.stdout
    assert "strength  from 0.1 to 10, on a log scale" in result.stdout
    assert [line.split()[:2] for line in result.stdout.splitlines() if "point" in line] == [
        ["point", str(number)] for number in range(1, 5)
    ]


def test_a_sampled_study_has_a_report(here: Path) -> None:
    (here / "studies" / "sampled").mkdir()
    program = SAMPLED.replace("PATH", "population.groups[0].decides.strength")
    (here / "studies" / "sampled" / "study.py").write_text(program, encoding="utf-8")
    assert call("run", "sampled", "--quiet").exit_code == 0
    report = (here / "out" / "sampled" / "report.html").read_text(encoding="utf-8")
    assert "Varied, in the cells below: " in report
    assert "from 0.1 to 10, on a log scale" in report
    assert "of which 0 are missing" in call("design", "sampled").stdout
