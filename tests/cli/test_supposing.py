"""`cloudchamber what-if`: a decision and its options, many decisions, a model's, and refusals."""

from pathlib import Path

from tests.cli.tiny import call, told


def test_one_decision_is_told_with_its_options(out: Path) -> None:
    found = call("what-if", out, "--without", "likes", "--decision", 11, "--replicate", 1)
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    assert lines[0].startswith("exact, replicate 1, decision 11: agent ")
    assert lines[2].split() == ["place", "item", "likes", "before", "after", "words"]
    assert len(lines) == 3 + 6 + 2
    # Without likes every option is as likely.
    assert all(line.split()[4] == "0.167" for line in lines[3:9])
    assert sum("picked" in line for line in lines[3:9]) in (1, 2)
    assert " was picked (probability " in lines[-1]


def test_many_decisions_are_told_by_run_and_those_that_move_most(out: Path) -> None:
    found = call("what-if", out, "--lower", "likes=1")
    assert found.exit_code == 0, found.output
    assert "exact: 24 decisions in 2 runs, of which 22 are shown something else." in found.output
    assert "Distance of the two distributions: 0." in found.output and "2 runs" in found.output
    assert "The 10 that move most:" in found.output
    none = call("what-if", out, "--shown", "likes=7@2", "--cell", "hidden", "--decision", 3)
    assert none.exit_code == 0, none.output
    assert "2 decisions in 2 runs, of which 2" in none.output


def test_changes_are_made_together(out: Path) -> None:
    whole = ("--decision", 11, "--replicate", 0)
    moved = call("what-if", out, "--moved", "5=1", "--higher", "likes=100@5", *whole)
    assert moved.exit_code == 0, moved.output
    row = next(line.split() for line in moved.output.splitlines() if line.split()[1:2] == ["5"])
    assert float(row[4]) > 0.8
    alone = call("what-if", out, "--moved", "5=1", *whole)
    assert "as before; distance 0." in alone.output


def test_a_language_model_is_asked_under_a_cap(here: Path) -> None:
    model = ("--model", "fake:hash", "--out", "lm", "--replicates", 2, "--quiet")
    assert call("run", "tiny", *model).exit_code == 0
    asked = ("what-if", "lm", "--higher", "likes=3", "--quiet")
    capped = call(*asked, "--max-questions", 0)
    assert capped.exit_code == 3 and "the cap of 0 questions" in capped.stderr
    found = call(*asked)
    assert found.exit_code == 0 and "24 decisions in 2 runs" in found.output
    assert call(*asked, "--max-questions", 0).output == found.output


def test_what_cannot_be_is_refused_in_words(out: Path) -> None:
    assert "nothing is changed" in told(call("what-if", out))
    assert "--without: 'lykes'; " in told(call("what-if", out, "--without", "lykes"))
    assert "--lower: 'stars'" in told(call("what-if", out, "--lower", "stars=1"))
    assert "give SIGNAL=N" in told(call("what-if", out, "--lower", "likes"))
    assert "item 6 was given; allowed: 0 to 5" in told(call("what-if", out, "--absent", 6))
    assert "agent 3 was given; allowed: 0 to 2" in told(call("what-if", out, "--unheard", 3))
    assert "give ITEM=PLACE" in told(call("what-if", out, "--moved", "3"))
    assert "place: 9 given" in told(call("what-if", out, "--moved", "3=9"))
    no = told(call("what-if", out, "--without", "likes", "--decision", 99))
    assert "decision: 99 given" in no
    assert "no cell 'exakt'" in told(call("what-if", out, "--absent", 1, "--cell", "exakt"))
