"""--store and --store-mode: what is asked, what is said, and by whom a store may be shared."""

import shlex
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from cloudchamber.agents import LanguageModel
from cloudchamber.cli.options import again, build, options_of
from cloudchamber.errors import NotStored, SpecificationError
from cloudchamber.experiment import Manifest
from cloudchamber.models import Mode
from cloudchamber.models.fake import fake
from cloudchamber.study import Study
from cloudchamber.trace import TraceFolder
from tests.cli.tiny import call, start, told

RUN = ["run", "tiny", "--quiet", "--model", "fake:slow"]


def asked(folder: Path) -> int:
    log = folder / "asked.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def digest(folder: Path) -> str:
    return TraceFolder(folder / "trace").digest()


def run(*arguments: object) -> None:
    result = call(*RUN, *arguments)
    assert result.exit_code == 0, result.output


def test_a_store_of_ones_own_serves_other_folders(here: Path) -> None:
    run("--out", "one", "--store", "kept/answers.sqlite")
    assert not (here / "one" / "answers.sqlite").exists()
    first = asked(here)
    run("--out", "two", "--store", "kept/answers.sqlite")
    assert asked(here) == first and digest(here / "one") == digest(here / "two")
    run("--out", "more", "--store", "kept/answers.sqlite", "--replicates", 3)
    assert first < asked(here) < 2 * first, "the third replicate alone was asked"


def test_refresh_asks_again_and_off_keeps_nothing(here: Path) -> None:
    run("--out", "one", "--store", "s")
    first = asked(here)
    run("--out", "two", "--store", "s", "--store-mode", "refresh")
    assert asked(here) == 2 * first and digest(here / "one") == digest(here / "two")
    run("--out", "off", "--store", "s", "--store-mode", "off")
    assert asked(here) >= 3 * first and digest(here / "one") == digest(here / "off")
    run("--out", "none", "--store-mode", "off")
    assert not (here / "none" / "answers.sqlite").exists()


def test_a_refresh_that_was_stopped_goes_on_and_can_be_replayed(here: Path) -> None:
    run("--out", "one", "--store", "s")
    first = asked(here)
    refreshing = ["--out", "two", "--store", "s", "--store-mode", "refresh"]
    stopped = call(*RUN, *refreshing, "--max-questions", str(first // 2))
    assert stopped.exit_code == 3 and first < asked(here) < 2 * first
    run(*refreshing)
    assert asked(here) == 2 * first, "each question once, over both calls"
    run("--out", "three", "--store", "s", "--store-mode", "replay")
    assert digest(here / "three") == digest(here / "two")
    run("--out", "four", "--store", "s", "--store-mode", "refresh")
    assert asked(here) == 3 * first, "another folder's refresh is another"


def test_the_folder_says_where_its_answers_are(here: Path) -> None:
    run("--out", "one", "--store", "s")
    command = again_of(here / "one")
    assert command[command.index("--store") + 1] == str(here / "s")
    assert "--store-mode" not in command
    assert call("export", "one", "a.zip").exit_code == 0, "and an archive is made of them"
    run("--out", "two", "--store", "s", "--store-mode", "replay")
    assert "--store-mode replay" in " ".join(again_of(here / "two"))
    assert call("run", "tiny", "--out", "two", *RUN[2:]).exit_code == 0, (
        "nothing is left to be asked"
    )
    assert "--store-mode replay" in " ".join(again_of(here / "two")), "which changes nothing"
    run("--out", "own")
    assert "--store" not in again_of(here / "own")


def test_what_was_sent_is_summed_over_calls(here: Path) -> None:
    prices = ["--price-in", "2", "--price-out", "2"]
    assert call(*RUN, *prices, "--out", "one", "--max-questions", "5").exit_code == 3
    assert Manifest.read(here / "one").billed().questions == 5
    run(*prices, "--out", "one")
    billed = Manifest.read(here / "one").billed()
    assert billed.questions == asked(here)
    assert billed.tokens > 0 and billed.cost == pytest.approx(billed.tokens * 2e-6)
    page = (here / "one" / "report.html").read_text()
    assert f"{billed.questions:,} questions, {billed.tokens:,} tokens billed, cost " in page
    run("--out", "one")
    assert Manifest.read(here / "one").billed() == billed


def again_of(folder: Path) -> list[str]:
    """The command that a folder's report gives."""
    options = dict(Manifest.read(folder).options)
    return shlex.split(again(options, build(options).results(folder), 2))


def test_a_replay_that_misses_an_answer_is_no_failed_run(here: Path) -> None:
    run("--out", "one", "--store", "s")
    first = asked(here)
    again = ["--store", "s", "--store-mode", "replay"]
    said = told(call(*RUN, "--out", "two", *again, "--replicates", 3))
    for part in (
        "s holds no answer to the question of the cell '",
        "replicate 2, step 0, agent ",
        "that begins '",
        "a replay asks no model",
    ):
        assert part in said
    assert asked(here) == first
    runs = TraceFolder(here / "two" / "trace").runs()
    assert set(runs["status"]) <= {"done"} and set(runs["replicate"]) <= {0, 1}
    run("--out", "two", *again, "--replicates", 2)
    assert digest(here / "two") == digest(here / "one")


def test_a_replay_without_a_store_or_of_another_model_says_so(here: Path) -> None:
    said = told(call(*RUN, "--out", "o", "--store-mode", "replay"))
    assert said == "o/answers.sqlite: there is no store of answers; give one with --store."
    run("--out", "o")
    again = ["--store", "o/answers.sqlite", "--store-mode", "replay", "--out", "p"]
    said = told(call("run", "tiny", "--model", "fake:first", *again))
    assert said == "o/answers.sqlite holds no answers of 'fake:first', but of 'fake:slow'."


def test_a_store_that_fails_in_the_middle_ends_all_and_not_one_run_after_the_other(
    here: Path,
) -> None:
    run("--out", "one", "--store", "s")
    with sqlite3.connect(here / "s") as database:  # one answer is damaged
        (key,) = database.execute("SELECT key FROM replies LIMIT 1").fetchone()
        database.execute("UPDATE replies SET reply = x'80' WHERE key = ?", (key,))
    database.close()
    for mode in ("read-write", "replay"):
        said = told(call(*RUN, "--out", mode, "--store", "s", "--store-mode", mode))
        assert said.startswith("s: the store of answers cannot be used (not a stored reply")
        trace = here / mode / "trace"
        there = (trace / "trace.json").exists()
        assert not there or "failed" not in set(TraceFolder(trace).runs()["status"])


def test_two_processes_that_grow_with_one_store_come_to_the_same_trace(here: Path) -> None:
    started = [start(here, *RUN, "--out", name, "--store", "shared.sqlite") for name in "ab"]
    for process in started:
        assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    assert digest(here / "a") == digest(here / "b")
    log = Counter((here / "asked.log").read_text().splitlines())
    assert max(log.values()) == 1, "nobody pays twice"
    shutil.rmtree(here / "a")
    before = asked(here)
    run("--out", "a", "--store", "shared.sqlite", "--store-mode", "replay")
    assert asked(here) == before and digest(here / "a") == digest(here / "b")


def study(readout: str) -> Study:
    built = build(options_of("tiny", False, None, None, None, None, ()))
    return built.decided_by(LanguageModel(model="fake:hash", readout=readout))  # type: ignore[arg-type]  # a parameter of the test, a plain str


@pytest.mark.parametrize("readout", ["exact", "sample"])
def test_from_python(here: Path, readout: str) -> None:
    one = study(readout)
    one.run("one", store="s")
    again = one.run("two", store="s", store_mode="replay")
    assert again.complete and digest(here / "one") == digest(here / "two")
    with pytest.raises(NotStored, match="replicate 2"):
        one.run("three", store="s", store_mode="replay", replicates=3)
    with pytest.raises(SpecificationError, match="a replay asks no model"):
        one.run("four", store="s", store_mode="replay", models={"fake:hash": fake("hash")})
    mode: Mode = "readonly"  # type: ignore[assignment]  # what is to be refused
    with pytest.raises(SpecificationError, match="allowed: read-write, replay, refresh, off"):
        one.run("five", store_mode=mode)
    assert not (here / "five").exists()
