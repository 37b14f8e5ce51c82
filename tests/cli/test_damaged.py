"""Damaged files, full disks and read-only ones: what is lost is said, with what makes it whole."""

import errno
import os
import resource
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.trace import TraceFolder
from tests.cli.tiny import call, contents, start, told


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def gone(path: Path) -> None:
    path.unlink()


def garbled(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[4:-8] = bytes(len(body) - 12)
    path.write_bytes(body)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    """A whole Parquet file of another table."""
    other = "outcomes" if path.parent.name != "outcomes" else "decisions"
    path.write_bytes(sorted((path.parents[1] / other).iterdir())[0].read_bytes())


def follow(remedy: str) -> None:
    """Do what the message says, to the letter."""
    rm = shlex.split(remedy.rpartition("rm ")[2])
    assert rm and all(Path(path).is_file() for path in rm)
    for path in rm:
        Path(path).unlink()


@pytest.mark.parametrize("harm", [cut, gone, garbled, zeroed, empty, foreign])
def test_a_damaged_trace_is_said_and_what_is_to_be_removed_makes_it_whole(
    out: Path, harm: Callable[[Path], None]
) -> None:
    trace = out.rename(out.with_name("the study's")) / "trace"
    whole = TraceFolder(trace).digest()
    # A unit without its file of runs never happened; it is grown again without a word.
    tables = ["exposures", "decisions", "outcomes", *(["runs"] if harm is not gone else [])]
    for table, unit in zip(tables, (0, 1, 0, 3), strict=False):
        harm(sorted((trace / table).iterdir())[unit])
    before = contents(trace)
    run, report = ["run", "tiny", "--out", "the study's"], ["report", "the study's"]
    said = told(call(*report))
    assert contents(trace) == before, "nothing more is lost"
    assert f"{len(tables)} files are damaged" in said
    assert all(f"{table}/" in said for table in tables)
    refused = call(*run)
    # Damage within the rows of a table shows where they are read, after growing; nothing was missing.
    assert refused.exit_code == 2 and contents(trace) == before
    follow(said)
    assert call(*run).exit_code == 0
    assert TraceFolder(trace).digest() == whole
    assert call(*report).exit_code == 0


def test_of_many_damaged_files_five_are_named_and_either_remedy_works(out: Path) -> None:
    run = ["run", "tiny", "--out", "out", "--quiet", "--replicates"]
    assert call(*run, 3).exit_code == 0
    trace = out / "trace"
    whole = TraceFolder(trace).digest()
    for path in (trace / "decisions").iterdir():
        cut(path)
    said = told(call("report", "out"))
    assert "8 files are damaged" in said and ", and 3 more;" in said
    assert said.count("(no Parquet file)") == 5 and "rm -r out/trace (" in said
    follow(said)
    said = told(call(*run, 3))
    assert "3 files are damaged" in said
    follow(said)
    assert call(*run, 3).exit_code == 0
    assert TraceFolder(trace).digest() == whole
    for path in (trace / "runs").iterdir():
        cut(path)
    shutil.rmtree("out/trace")
    assert call(*run, 3).exit_code == 0
    assert TraceFolder(trace).digest() == whole


def test_a_damaged_store_of_answers_is_said(here: Path) -> None:
    arguments = ["run", "tiny", "--model", "fake:hash", "--out", "out", "--quiet"]
    assert call(*arguments, "--replicates", 1).exit_code == 0
    before = TraceFolder("out/trace").digest()
    (here / "out" / "answers.sqlite").write_bytes(b"this is no database" * 100)
    assert "answers.sqlite" in told(call(*arguments, "--replicates", 2))
    assert TraceFolder("out/trace").digest() == before


@pytest.mark.parametrize(
    ("at", "number"),
    [
        ("study.json", errno.EROFS),
        ("exposures", errno.ENOSPC),
        ("runs", errno.ENOSPC),
        ("runs", errno.EDQUOT),
        ("report.html", errno.ENOSPC),
    ],
)
def test_a_disk_that_is_full_or_read_only_is_said_and_the_trace_stays_whole(
    out: Path, monkeypatch: pytest.MonkeyPatch, at: str, number: int
) -> None:
    before = TraceFolder(out / "trace").digest()
    replace = os.replace

    def refuse(source: Any, target: Any) -> None:
        if at in Path(target).parts:
            raise OSError(number, os.strerror(number), str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    said = told(call("run", "tiny", "--out", "out", "--replicates", 3, "--quiet"))
    assert os.strerror(number) in said
    monkeypatch.undo()
    monkeypatch.chdir(out.parent)
    if at != "report.html":
        assert TraceFolder(out / "trace").digest() == before
    assert not list(out.rglob("*.tmp")), "what could not be finished is cleared away"
    assert call("run", "tiny", "--out", "out", "--replicates", 3, "--quiet").exit_code == 0


def test_no_room_for_a_large_file_is_said_and_the_trace_stays_whole(out: Path) -> None:
    before = contents(out / "trace")
    limit = (30_000, 30_000)
    more = ["run", "tiny", "--out", "out", "--replicates", "300", "--quiet"]
    process = start(
        out.parent,
        *more,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    said = process.communicate(timeout=60)[1].strip()
    assert (process.returncode, said.count("\n")) == (2, 0), said
    assert "cannot be written" in said and "complete runs are kept" in said
    after = contents(out / "trace")
    assert before.items() <= after.items(), "what was there is there, byte for byte"
    assert not [name for name in after if name.endswith(".tmp")]
    assert len(TraceFolder(out / "trace")) < 4 * 300
    assert call(*more).exit_code == 0
    assert len(TraceFolder(out / "trace")) == 4 * 300
