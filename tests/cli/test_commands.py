"""The commands do what their help says: every option, what is printed, what is written."""

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from cloudchamber.cli import main
from cloudchamber.cli.options import build, options_of
from cloudchamber.experiment import Manifest
from cloudchamber.microspec import Microspec
from cloudchamber.trace import TraceFolder
from tests.cli.tiny import call, contents, told

RUN = ["run", "tiny", "--quiet"]


def text(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_run_writes_everything_into_one_folder_and_names_the_report(here: Path) -> None:
    result = call(*RUN)
    assert result.exit_code == 0
    assert result.stdout.strip().endswith("Report: out/tiny/report.html")
    assert {p.name for p in (here / "out" / "tiny").iterdir()} == {
        "report.html",
        "results",
        "study.json",
        "trace",
    }
    results = here / "out" / "tiny" / "results"
    tables = {p.stem for p in results.iterdir()}
    assert {one for one in tables if not one.startswith("figure-")} == {
        "attack",
        "cells",
        "comparisons",
        "courses",
        "factors",
        "interventions",
        "runs",
        "values",
    }
    assert {"figure-cells", "figure-interventions"} <= tables


def test_run_again_grows_nothing_and_more_replicates_only_these(out: Path) -> None:
    before = contents(out / "trace")
    assert call(*RUN, "--out", "out").exit_code == 0
    assert contents(out / "trace") == before
    again = call("run", "tiny", "--out", "out")
    assert "runs were there already; nothing was grown" in again.stderr
    assert call(*RUN, "--out", "out", "--replicates", 5).exit_code == 0
    after = contents(out / "trace")
    assert before.items() <= after.items(), "what was there is there, byte for byte"
    runs = TraceFolder(out / "trace").runs()
    assert sorted(set(runs["replicate"])) == [0, 1, 2, 3, 4] and len(runs) == 4 * 5


def test_the_seed_decides_the_trace(here: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert call(*RUN, "--out", name, "--seed", seed).exit_code == 0
    a, b, c = (TraceFolder(here / name / "trace").digest() for name in "abc")
    assert a == b != c


def test_the_level_decides_how_much_is_kept(here: Path) -> None:
    kept = {}
    for level in ("full", "sampled", "summary"):
        result = call(*RUN, "--out", level, "--level", level)
        assert result.exit_code == 0, result.output
        trace = TraceFolder(here / level / "trace")
        kept[level] = (len(trace.exposures()), len(trace.outcomes()))
    assert kept["full"][0] == 4 * 2 * 12 * 6
    assert kept["summary"][0] == 0
    assert kept["full"][1] == kept["sampled"][1] == kept["summary"][1] > 0


@pytest.mark.parametrize("concurrency", [1, 64])
def test_concurrency_changes_nothing(here: Path, concurrency: int) -> None:
    for name, more in (("a", ["--concurrency", concurrency]), ("b", [])):
        assert call(*RUN, "--out", name, "--model", "fake:hash", *more).exit_code == 0
    assert TraceFolder("a/trace").digest() == TraceFolder("b/trace").digest()


def test_set_changes_the_baseline_and_every_cell(here: Path) -> None:
    changes = ["--set", "visibility.latency=2", "--set", "visibility.order=popularity"]
    assert call(*RUN, *changes, "--set", "visibility.top=4").exit_code == 0
    (folder,) = (here / "out").iterdir()
    for cell in Manifest.read(folder).cells:
        seen = cell["spec"]["visibility"]
        assert (seen["latency"], seen["top"]) == (2, 4)
        order = seen["order"].get("rest", seen["order"])
        # Nobody heeds popularity where nobody can heed anybody.
        assert order["kind"] == ("shuffled" if "isolated" in cell["name"] else "popularity")
    exposures = TraceFolder(folder / "trace").exposures()
    assert exposures["position"].max() == 4


@pytest.mark.parametrize(
    "rule", ["random", "position-only", "social-proof", "quality", "two-stage"]
)
def test_any_rule_may_decide_and_its_report_is_made(here: Path, rule: str) -> None:
    result = call(*RUN, "--agents", rule)
    assert result.exit_code == 0, result.output
    assert (here / "out" / f"tiny-{rule}" / "report.html").exists()


def test_a_model_may_decide_and_its_answers_are_kept(here: Path) -> None:
    assert call(*RUN, "--model", "fake:hash").exit_code == 0
    folder = here / "out" / "tiny-fake-hash"
    assert (folder / "answers.sqlite").exists()
    assert set(TraceFolder(folder / "trace").runs()["model"]) == {"fake:hash"}


def test_items_of_ones_own_are_what_is_shown(here: Path) -> None:
    (here / "mine.csv").write_text("headline,quality\nApples fall,1\nPears float,0\n")
    assert call(*RUN, "--items", "mine.csv", "--model", "fake:first").exit_code == 0
    (folder,) = (here / "out").glob("tiny-fake-first-mine-*")
    trace = TraceFolder(folder / "trace")
    assert set(trace.outcomes()["item"]) == {0, 1}
    assert all("Apples fall" in t for t in trace.texts()["content"] if "Pears" in t)


def test_report_makes_the_same_report_again(out: Path) -> None:
    before = contents(out)
    (out / "report.html").unlink()
    result = call("report", "out")
    assert result.exit_code == 0
    assert contents(out) == before


def test_report_of_an_unfinished_folder_says_what_is_missing(out: Path) -> None:
    unit = sorted((out / "trace" / "runs").iterdir())[0]
    unit.unlink()
    before = contents(out / "trace")
    result = call("report", "out")
    assert result.exit_code == 0 and "2 of 8 runs are missing or failed" in " ".join(
        result.stdout.split()
    )
    assert contents(out / "trace") == before, "a report only reads"
    assert call(*RUN, "--out", "out").exit_code == 0
    assert "missing or failed" not in text(out)


def test_the_command_in_the_report_makes_it_again(here: Path) -> None:
    """With every option that is not the usual one, and quoted for a shell."""
    (here / "my items.txt").write_text("a\nb\nc\n")
    folder = "a folder's name"
    options = ["--seed", "5", "--replicates", "3", "--level", "sampled", "--agents", "random"]
    options += ["--items", "my items.txt", "--set", 'affordances={"choose":"any"}']
    assert call(*RUN, *options, "--out", folder).exit_code == 0
    (line,) = [
        shlex.split(line)
        for line in _unescaped(text(here / folder)).splitlines()
        if "cloudchamber run tiny" in line and "--seed" in line
    ][:1]
    start = line.index("run")
    before = TraceFolder(here / folder / "trace").digest()
    again = line[start : line.index("--out") + 2]
    assert call(*again, "--quiet").exit_code == 0, again
    assert TraceFolder(here / folder / "trace").digest() == before
    assert len(TraceFolder(here / folder / "trace")) == 4 * 3


def _unescaped(page: str) -> str:
    from html import unescape

    return unescape(page).replace("<", "\n<").replace(">", ">\n")


def test_a_study_given_by_path_is_found_again_from_anywhere(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("run", "studies/tiny/study.py", "--quiet", "--out", "out").exit_code == 0
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert call("report", here / "out").exit_code == 0
    assert str(here / "studies" / "tiny" / "study.py") in text(here / "out")


def test_hostile_items_are_shown_as_text(here: Path) -> None:
    hostile = [
        "<script>alert(1)</script>",
        "</script><img src=x onerror=alert(1)>",
        "\x1b[31mred\x1b[0m \x1b]0;title\x07",
        "{{ 7 * 7 }} {% raw %} ${7*7}",
        "\u202e reversed",
        "[bold red]markup[/bold red]",
        "x" * 2000,
        "',); DROP TABLE runs; --",
    ]
    (here / "mine.txt").write_text("\n".join(hostile), encoding="utf-8")
    for decides in (["--agents", "two-stage"], ["--model", "fake:hash"]):
        result = call(
            *["run", "herding", "--quick", "--quiet", "--items", "mine.txt", "--out"],
            *[f"out{decides[0]}", *decides, "--replicates", 1],
        )
        assert result.exit_code == 0, result.output
        page = text(here / f"out{decides[0]}")
        assert "<script>alert" not in page and "onerror=alert(1)>" not in page
        assert "\x1b" not in page and "\x1b[31m" not in result.output


def test_a_hostile_name_that_is_read_aloud_is_escaped(here: Path) -> None:
    name = "</script><script>alert(1)</script>\x1b[31m{{7*7}}"
    assert call(*RUN, "--set", f"population.groups.0.name={name}", "--out", "out").exit_code == 0
    page = text(here / "out")
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page and "{{7*7}}" in page


def test_list_names_studies_rules_and_models(here: Path) -> None:
    printed = call("list").output
    for word in ("herding", "tiny", "Tiny: a study for tests.", "two-stage", "openai:NAME@URL"):
        assert word in printed


def test_list_names_the_rules_that_fit_each_study_a_line_each(here: Path) -> None:
    printed = call("list").output
    assert max(map(len, printed.splitlines())) <= 100
    below = printed[printed.index("Rules that fit each study") :]
    fit = below[: below.index("\n\n")].splitlines()[1:]
    assert all(line[2] != " " for line in fit), "a line each"
    told = {line.split()[0]: line.split(None, 1)[1].split(", ") for line in fit}
    assert told["herding"][0] == "two-stage" and "tiny" not in told
    shipped = {
        file.parent.name for file in (Path(__file__).parents[2] / "studies").glob("*/study.py")
    }
    assert set(told) == shipped
    for name, names in told.items():
        for rule in names:  # refused here, if it could not answer there
            build(options_of(name, True, rule, None, None, None, ()))


def test_show_reads_aloud_and_counts_cells(here: Path) -> None:
    printed = call("show", "tiny").output
    assert "Does it work?" in printed and "World: a feed of 6 items" in printed
    design = build(options_of("tiny", False, None, None, None, None, ())).design()
    for cell in design.conditions():
        assert printed.count(cell.id) == 1, "each specification's hash once"
    assert "  with hide likes            that of hidden\n" in printed
    assert (
        "5 cells, of which 1 share another's specification and its runs: 4 specifications x 2 "
        "replicates = 8 runs, 96 decisions."
    ) in printed
    assert printed.index("The baseline") < printed.index("World: ")
    assert "The cell 'attacked':" in call("show", "tiny", "--cell", "attacked").output


HOSTILE = "\x1b[31mred\x1b]0;title\x07 \u202e<b>[bold]{{7}}\x9b2J\r\u2066"


def test_what_is_hostile_cannot_steer_a_terminal(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """click takes colours out where there is no terminal, so the texts are looked at where it does not."""
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    name = ["--set", f"population.groups.0.name={HOSTILE}"]
    for command in (["show", "tiny", *name], ["run", "tiny", "--out", "out", *name]):
        with pytest.raises(SystemExit):
            main([*command])
    with pytest.raises(SystemExit):
        main(["run", "tiny", "--out", "out", "--set", f"visibility.{HOSTILE}=1"])
    said = "".join(capfd.readouterr())
    assert "<b>[bold]{{7}}" in said
    assert not set(said) & set("\x1b\x07\x9b\r\u202e\u2066")


def test_show_json_is_the_specification_and_diff_takes_it(here: Path) -> None:
    printed = call("show", "tiny", "--cell", "attacked", "--json").output
    spec = Microspec.from_json(printed)
    (here / "a.json").write_text(printed)
    assert spec.hash in call("show", "tiny", "--cell", "attacked").output
    assert call("diff", "a.json", "tiny:attacked").output.strip() == "the same specification"
    assert (
        'visibility.order.kind: "engineered" -> "shuffled"' in call("diff", "a.json", "tiny").output
    )
    assert "$defs" in json.loads(call("show", "tiny", "--schema").output)


def test_new_writes_a_study_that_runs_as_it_stands_and_is_short(here: Path) -> None:
    assert call("new", "my-study").exit_code == 0
    source = (here / "studies" / "my-study" / "study.py").read_text()
    assert len(source.splitlines()) < 60
    assert all(f"# {stage}:" in source for stage in range(1, 6))
    assert "my-study" in call("list").output
    result = call("run", "my-study", "--quick", "--quiet")
    assert result.exit_code == 0, result.output
    # Its agents heed likes, so that what it asks has an answer.
    assert "Herding grows in the cell at risk" in " ".join(result.output.split())
    readme = (here / "studies" / "my-study" / "README.md").read_text()
    commands = re.findall(r"`cloudchamber (.*?)`", readme)
    assert len(commands) == 5
    for command in commands:
        result = call(*command.split(), *(["--quiet"] if command.startswith("run") else []))
        assert result.exit_code == 0, result.output
    assert "exists already" in told(call("new", "my-study"))


def test_tables_beside_the_report_hold_its_numbers(out: Path) -> None:
    cells = pd.DataFrame(
        TraceFolder(out / "trace").sql(f"SELECT * FROM '{out}/results/cells.parquet'").df()
    )
    assert set(cells["label"]) == {
        "hidden",
        "exact",
        "with hide likes",
        "attacked",
        "attacked, with hide likes",
    }
    assert (cells["low"] <= cells["value"])[cells["low"].notna()].all()
    page = text(out)
    shown = cells[(cells["measure"] == "gini") & (cells["label"] == "exact")]["text"].iloc[0]
    assert shown.rpartition(", ")[0] in page


@pytest.mark.usefixtures("own_kinds")
def test_a_rule_of_the_studys_own_may_decide(here: Path) -> None:
    file = here / "studies" / "tiny" / "study.py"
    rule = """
from typing import Literal

from cloudchamber.agents import Rule


class Contrarian(Rule):
    \'\'\'The least liked.\'\'\'

    kind: Literal["contrarian"] = "contrarian"

    def weights(self, questions):
        return 1.0 / (1.0 + questions.shown("likes"))

    def aloud(self):
        return "a rule that goes against the others"
""".replace("\\'", "'")
    file.write_text(file.read_text() + rule)
    assert call(*RUN, "--agents", "contrarian").exit_code == 0
    assert "goes against the others" in call("show", "tiny", "--agents", "contrarian").stdout
    assert "no such rule" in told(call(*RUN, "--agents", "contrary"))
