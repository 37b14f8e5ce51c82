"""Killed at any moment and gone on with: the same trace as if nothing had happened."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
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


def test_killed_and_gone_on_with_equals_uninterrupted_and_next_to_nothing_is_asked_twice(
    tmp_path: Path, whole: Path
) -> None:
    settle(tmp_path)
    moments = sorted(random.Random(7).sample(range(1, len(asked(whole))), 2))
    for moment in moments:
        process = start(tmp_path, *SLOW)
        until(process, lambda at=moment: len(asked(tmp_path)) >= at)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it was to be killed before its end"
    assert gone_on(tmp_path) == digest(whole)
    # A kill loses at most the one answer that was on its way into the store.
    twice = {key: count for key, count in Counter(asked(tmp_path)).items() if count > 1}
    assert sum(twice.values()) - len(twice) <= len(moments)
    assert set(asked(tmp_path)) == set(asked(whole))


def test_interrupted_by_the_keyboard_it_says_so_and_goes_on(tmp_path: Path, whole: Path) -> None:
    settle(tmp_path)
    for moment in (5, 40):
        process = start(tmp_path, *SLOW)
        until(process, lambda at=moment: len(asked(tmp_path)) >= at)  # type: ignore[misc]
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


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_killed_at_moments_of_the_clock(tmp_path: Path, whole: Path, seed: int) -> None:
    settle(tmp_path)
    drawn = random.Random(seed)
    for _ in range(6):
        process = start(tmp_path, *SLOW)
        time.sleep(drawn.uniform(0.3, 2.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert gone_on(tmp_path) == digest(whole)
