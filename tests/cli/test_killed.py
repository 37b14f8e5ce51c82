"""Killed at any moment and gone on with: the same trace as if nothing had happened."""

import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from cloudchamber.trace import TraceFolder
from tests.cli.tiny import call, settle, start

SLOW = ["run", "tiny", "--model", "fake:slow", "--out", "out", "--replicates", "3", "--quiet"]


def asked(folder: Path) -> list[str]:
    log = folder / "asked.log"
    return log.read_text().splitlines() if log.exists() else []


def until(process: "subprocess.Popen[str]", reached: Callable[[], bool]) -> None:
    """Wait for a moment of the process's own progress."""
    while process.poll() is None and not reached():
        time.sleep(0.001)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an uninterrupted run has grown everything."""
    folder = tmp_path_factory.mktemp("whole")
    settle(folder)
    gone_on(folder)
    return folder


def digest(folder: Path) -> str:
    return TraceFolder(folder / "out" / "trace").digest()


def gone_on(folder: Path) -> str:
    """Run to the end; the digest of what is there then."""
    process = start(folder, *SLOW)
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    assert not list(folder.rglob("*.tmp"))
    return digest(folder)


def test_interrupted_by_the_keyboard_it_says_so_and_goes_on(tmp_path: Path, whole: Path) -> None:
    settle(tmp_path)
    for moment in (5, 40):
        process = start(tmp_path, *SLOW)
        until(process, lambda at=moment: len(asked(tmp_path)) >= at)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
        assert process.returncode == 130
        assert said.strip() == (
            "cloudchamber: stopped. What was answered is kept; the same command goes on."
        )
    assert gone_on(tmp_path) == digest(whole)
    assert len(asked(tmp_path)) == len(asked(whole))


RULES = ["run", "tiny", "--out", "out", "--replicates", "40", "--set", "turns.steps=40", "--quiet"]


@pytest.mark.parametrize(
    "moment", ["study.json", "trace/trace.json", "trace/*/*.tmp", "trace/runs/*.parquet", "results"]
)
def test_rules_killed_where_files_appear_and_gone_on_with(tmp_path: Path, moment: str) -> None:
    for name in ("killed", "whole"):
        settle(tmp_path / name)
    process = start(tmp_path / "killed", *RULES)
    until(process, lambda: any((tmp_path / "killed" / "out").glob(moment)))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it was to be killed before its end"
    for name in ("killed", "whole"):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path / name)
            assert call(*RULES).exit_code == 0
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")
    left = {path.name for path in (tmp_path / "killed" / "out").iterdir()}
    assert left == {"study.json", "trace", "results", "report.html"}, "nothing half-made is left"


def test_rules_can_be_interrupted_in_the_middle_of_a_run(tmp_path: Path) -> None:
    settle(tmp_path)
    process = start(
        tmp_path, "run", "tiny", "--set", "turns.steps=10000000", "--quiet", "--out", "out"
    )
    until(process, (tmp_path / "out" / "trace" / "trace.json").exists)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130 and "the same command goes on" in said


def test_two_at_once_in_one_folder_harm_nothing(tmp_path: Path, whole: Path) -> None:
    settle(tmp_path)
    first = start(tmp_path, *SLOW)
    until(first, lambda: len(asked(tmp_path)) >= 3)
    first.send_signal(signal.SIGSTOP)  # so that it is at work for as long as the second tries
    second = start(tmp_path, *SLOW)
    said = second.communicate(timeout=60)[1]
    first.send_signal(signal.SIGCONT)
    assert first.communicate(timeout=60)[1] == ""
    assert second.returncode == 2 and "another process is growing" in said
    assert digest(tmp_path) == digest(whole)


LATE = """

import asyncio
from dataclasses import replace

from cloudchamber.models import fake as fakes


class Late(fakes.FakeModel):
    async def ask(self, request, draw=0):
        with LOG.open("a") as log:
            log.write(f"{request.key()} {draw}\\n")
        drawn = int(request.key(), 16)
        await asyncio.sleep(drawn % 17 / 1000)
        return await super().ask(replace(request, sampled=drawn % 3 == 0), draw)


usual = fakes.fake
fakes.fake = lambda kind: (
    Late(FAKES["hash"][0], "fake:late") if kind == "late" else usual(kind)
)
"""
RUNS_AT_ONCE = 4
SWEEP = ["run", "tiny", "--model", "fake:late", "--out", "out", "--replicates", "4", "--quiet"]
SWEEP += ["--concurrency", str(RUNS_AT_ONCE)]


def settle_late(folder: Path) -> None:
    """The study, with a model whose answers arrive late and in any order, some of them sampled."""
    settle(folder)
    study = folder / "studies" / "tiny" / "study.py"
    study.write_text(study.read_text() + LATE)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an uninterrupted sweep has grown everything."""
    folder = tmp_path_factory.mktemp("swept")
    settle_late(folder)
    finish(folder)
    readouts = Counter(TraceFolder(folder / "out" / "trace").decisions()["readout"])
    assert min(readouts["exact"], readouts["sampled"]) > 20, "both kinds were to be asked"
    return folder


def finish(folder: Path, *more: str) -> None:
    process = start(folder, *SWEEP, *more)
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0


def held(folder: Path) -> set[bytes]:
    """The keys in the store, read from a copy: what is open or broken is for the next run to mend."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for path in (folder / "out").glob("answers.sqlite*"):
        shutil.copy(path, copy)
    if not (copy / "answers.sqlite").exists():
        return set()
    with sqlite3.connect(copy / "answers.sqlite") as database:
        there = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'replies'").fetchall()
        rows = database.execute("SELECT key FROM replies").fetchall() if there else []
    database.close()
    return {key for (key,) in rows}


def answered(line: str, keys: set[bytes]) -> bool:
    """Whether a store's keys hold the answer to a question of the log."""
    of_draw, of_all = (
        f"fake:late\0{part}" for part in (line.replace(" ", "\0"), line.partition(" ")[0])
    )
    return any(sha256(key.encode()).digest() in keys for key in (of_draw, of_all))


def killed_and_gone_on_with(folder: Path, swept: Path, seed: int, moments: int) -> int:
    """Kill a sweep at random moments, all told, and go on; how many of them it met."""
    settle_late(folder)
    drawn = random.Random(seed)
    keys: set[bytes] = set()
    seen = met = 0
    for moment in sorted(drawn.choices(range(len(asked(swept)) + 1), k=moments)):
        process = start(folder, *SWEEP)
        until(process, lambda at=moment: len(asked(folder)) >= at)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        time.sleep(drawn.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        met += process.returncode == -signal.SIGKILL
        log = asked(folder)
        assert not [line for line in log[seen:] if answered(line, keys)], "it was asked again"
        before, keys = keys, held(folder)
        assert before <= keys, "no answer is lost"
        under_way = [line for line in log[seen:] if not answered(line, keys)]
        assert len(under_way) <= RUNS_AT_ONCE, "a kill loses what was under way, and no more"
        seen = len(log)
    finish(folder)
    assert not [line for line in asked(folder)[seen:] if answered(line, keys)]
    assert digest(folder) == digest(swept)
    assert set(asked(folder)) == set(asked(swept))
    return met


def test_killed_at_random_moments_no_answered_question_is_sent_again(
    tmp_path: Path, swept: Path
) -> None:
    assert killed_and_gone_on_with(tmp_path, swept, seed=0, moments=6) >= 5
    shutil.move(tmp_path / "out" / "answers.sqlite", tmp_path / "answers.sqlite")
    shutil.rmtree(tmp_path / "out")
    finish(tmp_path, "--store", "answers.sqlite", "--store-mode", "replay")
    assert digest(tmp_path) == digest(swept), "and what was put together from pieces replays"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_killed_at_a_hundred_random_moments(tmp_path: Path, swept: Path, seed: int) -> None:
    assert killed_and_gone_on_with(tmp_path, swept, seed, moments=11) >= 10
