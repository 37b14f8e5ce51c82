"""Interrupted by the keyboard: once, what is under way is kept and nothing more is sent; twice, at once."""

import json
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from cloudchamber.trace import TraceFolder
from tests.cli.tiny import settle as settle_tiny
from tests.cli.tiny import start

LATE = '''
import asyncio
import cloudchamber.models.fake as fakes


class Late(fakes.FakeModel):
    """Answers after a while, and keeps a log of what it was sent and what it answered."""

    at_once = 4

    async def ask(self, request, draw=0):
        log = Path("late.log")
        with log.open("a") as file:
            file.write(f"sent {request.key()}\\n")
        await asyncio.sleep(WAIT)
        with log.open("a") as file:
            file.write(f"answered {request.key()}\\n")
        return await super().ask(request, draw)


fakes.FAKES["late"] = fakes.FAKES["hash"]
_fake = fakes.fake
fakes.fake = lambda kind: Late(fakes.FAKES[kind][0], f"fake:{kind}") if kind == "late" else _fake(kind)
'''


def settle(folder: Path, wait: float) -> None:
    """The tiny study, with a model that answers late."""
    settle_tiny(folder)
    file = folder / "studies" / "tiny" / "study.py"
    text = file.read_text().replace("Sequential(steps=4)", "Simultaneous(steps=4)")
    text = text.replace("import Sequential", "import Simultaneous")
    file.write_text(text + LATE.replace("WAIT", str(wait)))


def log(folder: Path, what: str) -> "Counter[str]":
    path = folder / "late.log"
    lines = path.read_text().splitlines() if path.exists() else []
    return Counter(line.split()[1] for line in lines if line.startswith(what))


def until(process: "subprocess.Popen[str]", folder: Path, sent: int) -> None:
    while process.poll() is None and log(folder, "sent").total() < sent:
        time.sleep(0.002)


RUN = ["run", "tiny", "--model", "fake:late", "--out", "out"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an uninterrupted run has grown everything."""
    folder = tmp_path_factory.mktemp("whole")
    settle(folder, 0.0)
    process = start(folder, *RUN, "--quiet")
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    return folder


def digest(folder: Path) -> str:
    return TraceFolder(folder / "out" / "trace").digest()


def test_once_what_is_under_way_is_kept_and_nothing_more_is_sent(
    tmp_path: Path, whole: Path
) -> None:
    settle(tmp_path, 0.3)
    process = start(tmp_path, *RUN)
    until(process, tmp_path, 9)
    sent = log(tmp_path, "sent").total()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    lines = said.strip().splitlines()
    assert lines[0].startswith("growing: stopping (interrupted); waiting for ")
    assert (
        lines[-1] == "cloudchamber: stopped. What was answered is kept; the same command goes on."
    )
    assert log(tmp_path, "sent") == log(tmp_path, "answered"), "it waited for what was under way"
    assert log(tmp_path, "sent").total() <= sent + 4, "and sent nothing more, but for our slowness"
    assert json.loads((tmp_path / "out" / "study.json").read_text())["stopped"] == "interrupted"
    assert not list(tmp_path.rglob("*.tmp"))
    settle_again(tmp_path)
    assert digest(tmp_path) == digest(whole)
    assert set(log(tmp_path, "sent").values()) == {1}, "nothing was asked twice"
    assert log(tmp_path, "sent") == log(whole, "sent")
    assert json.loads((tmp_path / "out" / "study.json").read_text())["stopped"] == ""


def settle_again(folder: Path) -> None:
    """Go on to the end, with a model that is quick now."""
    file = folder / "studies" / "tiny" / "study.py"
    file.write_text(
        file.read_text().replace("sleep(0.3)", "sleep(0)").replace("sleep(60)", "sleep(0)")
    )
    process = start(folder, *RUN, "--quiet")
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0


def test_twice_it_ends_at_once_and_what_was_under_way_is_asked_again(
    tmp_path: Path, whole: Path
) -> None:
    settle(tmp_path, 60)
    process = start(tmp_path, *RUN)
    until(process, tmp_path, 4)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "waiting for 4 answers under way" in process.stderr.readline()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert time.monotonic() - began < 10, "each answer would have taken a minute"
    assert process.returncode == 130 and said.strip().startswith("cloudchamber: stopped.")
    assert not log(tmp_path, "answered")
    settle_again(tmp_path)
    assert digest(tmp_path) == digest(whole)
