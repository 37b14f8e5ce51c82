"""`cloudchamber estimate`, and caps from the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.tiny import call, told

MODEL = ["--model", "fake:hash", "--out", "out"]


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was fetched before is here."""
    monkeypatch.setenv("CLOUDCHAMBER_CACHE", str(tmp_path / "no cache"))


def test_it_says_what_a_run_comes_to_and_writes_nothing(here: Path) -> None:
    before = sorted(here.rglob("*"))
    said = call("estimate", "tiny", *MODEL, "--rate", "2", "--price-in", "5", "--price-out", "7")
    assert said.exit_code == 0, said.output
    assert sorted(here.rglob("*")) == before
    lines = said.stdout.splitlines()
    assert lines[0].endswith("runs, of which 8 are missing.")
    heads = lines[2].split("  ")
    assert [h.strip() for h in heads if h.strip()] == [
        *("cell", "runs", "questions", "sent", "tokens in", "tokens out")
    ]
    assert any(line.startswith("Cost: about 0.0") for line in lines)
    assert "at 2.0 questions a second, as given." in said.stdout
    assert "a token taken for 4 characters" in said.stdout


def test_after_the_run_nothing_is_left_and_half_of_it_leaves_half(here: Path) -> None:
    assert call("run", "tiny", *MODEL, "--replicates", "1", "--quiet").exit_code == 0
    half = call("estimate", "tiny", *MODEL).stdout
    assert "8 runs, of which 4 are missing." in half
    assert "as in the folder's earlier runs" in half
    assert call("run", "tiny", *MODEL, "--quiet").exit_code == 0
    assert (
        "Nothing is left to be grown: it costs nothing." in call("estimate", "tiny", *MODEL).stdout
    )


def test_what_a_store_answers_is_taken_off_and_it_is_said_how_far_that_is_known(here: Path) -> None:
    blind = call("estimate", "tiny", *MODEL).stdout
    assert "There is no store yet" in blind
    kept = ["--store", "kept.sqlite"]
    assert "There is no store yet" in call("estimate", "tiny", *MODEL, *kept).stdout
    assert call("run", "tiny", *MODEL, *kept, "--quiet").exit_code == 0
    elsewhere = ["--model", "fake:hash", "--out", "elsewhere", *kept]
    said = call("estimate", "tiny", *elsewhere)
    assert "kept.sqlite answers 96 questions: looked up in 8 runs" in said.stdout, said.output
    assert said.stdout.split("  all ")[1].split()[:3] == ["96", "0", "0"]
    third = call("estimate", "tiny", *elsewhere, "--replicates", "3").stdout
    assert third.split("  all ")[1].split()[0] == "144"
    assert 30 < int(third.split("  all ")[1].split()[1]) <= 48
    refresh = call("estimate", "tiny", *elsewhere, "--store-mode", "refresh").stdout
    assert refresh.split("  all ")[1].split()[1] != "0"
    replay = call("estimate", "tiny", *elsewhere, "--store-mode", "replay", "--replicates", "3")
    assert replay.stdout.split("  all ")[1].split()[1] == "0"


def test_what_is_unknown_is_said(here: Path) -> None:
    model = "openai:some@http://127.0.0.1:9/v1"
    said = call("estimate", "tiny", "--model", model)
    assert said.exit_code == 0, "no server is asked"
    assert f"Cost: unknown, for nobody said what {model} costs" in said.stdout
    assert "Time: unknown" in said.stdout
    rules = call("estimate", "tiny").stdout
    assert "Rules decide " in rules and "Cost" not in rules
    capped = told(call("run", "tiny", "--model", model, "--max-cost", "3"))
    assert f"the price of {model} is not known" in capped and "--price-in" in capped


def test_a_cap_that_will_be_reached_is_foretold(here: Path) -> None:
    said = call("estimate", "tiny", *MODEL, "--max-questions", "7", "--max-tokens", "10000000")
    assert "It will stop at the cap: questions 7 (about " in said.stdout
    assert "tokens 1" not in said.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--max-time", "soon"),
            "'soon' was given; allowed: seconds, or a number with s, m, h or d",
        ),
        (("--max-questions", "-1"), "-1 is not in the range x>=0"),
        (("--max-cost", "nan"), "limits.cost: nan was given; allowed: 0 or more"),
        (("--price-in", "1"), "--price-in and --price-out belong together"),
        (("--price-in", "inf", "--price-out", "1"), "price tokens_in: inf was given"),
    ],
)
def test_caps_that_make_no_sense(here: Path, arguments: tuple[str, ...], said: str) -> None:
    result = call("run", "tiny", *MODEL, *arguments)
    assert result.exit_code == 2 and said in result.stderr


def test_at_a_cap_it_ends_with_3_and_the_same_command_goes_on(here: Path) -> None:
    few = call("run", "tiny", *MODEL, "--max-questions", "5", "--quiet")
    assert few.exit_code == 3 and few.stdout == ""
    assert few.stderr == (
        "cloudchamber: unfinished: the cap of 5 questions is reached (5 sent). What was answered is "
        "kept; the same command with a higher cap goes on.\n"
    )
    capped = ["--max-questions", "80", "--concurrency", "2", "--quiet"]
    more = call("run", "tiny", *MODEL, *capped)
    assert more.exit_code == 3
    report = " ".join(more.stdout.split())
    assert "Unfinished." in report and "Cells that lack runs: " in report
    assert "The last call ended early: the cap of 80 questions is reached (80 sent)." in report
    again = " ".join(call("report", "out").stdout.split())
    assert "The last call ended early: the cap of 80 questions is reached" in again
    rest = call("run", "tiny", *MODEL, "--max-questions", "10000", "--quiet")
    assert rest.exit_code == 0 and "Unfinished" not in rest.stdout
    assert json.loads((here / "out" / "study.json").read_text())["stopped"] == ""
    free = call("run", "tiny", *MODEL, "--max-questions", "0", "--quiet")
    assert free.exit_code == 0, "nothing is asked any more"


def test_time_caps_stop_rules_too(here: Path) -> None:
    result = call("run", "tiny", "--out", "out", "--max-time", "0s", "--quiet")
    assert result.exit_code == 3 and "the cap of 0 seconds is reached" in result.stderr
    assert call("run", "tiny", "--out", "out", "--max-time", "1h", "--quiet").exit_code == 0
