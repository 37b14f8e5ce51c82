import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudchamber.errors import TraceError
from cloudchamber.trace import TABLES, RunStatus, Sink, Status, Trace, TraceFolder, TraceWriter
from cloudchamber.trace.files import clean
from cloudchamber.trace.tables import Column


def feed(sink: Sink, run: int, decisions: int = 5, seed: int = 0) -> None:
    """A small run of a feed of four items."""
    rng = np.random.default_rng([run, seed])
    prompt = sink.text("prompt", f"run {run}: pick one, it's “yours”")
    for decision in range(decisions):
        sink.append(
            "exposures",
            {
                "run": run,
                "decision": decision,
                "position": np.arange(1, 5),
                "item": rng.permutation(4),
                "probability": np.full(4, 0.25),
                "chosen": np.arange(4) == 0,
                "signal_likes": rng.integers(0, 9, 4) if decision % 2 else np.nan,
            },
        )
        sink.append(
            "decisions",
            {"run": run, "decision": decision, "agent": decision, "choice": 1, "prompt": prompt},
        )
    sink.append(
        "outcomes", {"run": run, "step": decisions, "item": np.arange(4), "value": rng.random(4)}
    )
    sink.append("series", {"run": run, "step": [0, 1], "measure": ["gini", "top"], "value": 0.5})


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert list(one) == list(other)
    for name, values in one.items():
        assert values.dtype == other[name].dtype
        np.testing.assert_array_equal(values, other[name])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    memory = Trace()
    for unit in range(3):
        with TraceWriter(tmp_path / "t", f"unit-{unit}", part_rows=7) as writer:
            for sink in (memory, writer):
                feed(sink, unit + 1)
                row = {"run": unit + 1, "name": "it's “one”", "seconds": 0.5}
                if isinstance(sink, Trace):
                    sink.append("runs", row)
                else:
                    writer.commit(row)
    folder = TraceFolder(tmp_path / "t")
    for table in TABLES:
        same(folder.columns(table), memory.columns(table))
    pd.testing.assert_frame_equal(folder.exposures(), memory.frame("exposures"))
    pd.testing.assert_frame_equal(folder.runs(), memory.frame("runs"))
    assert folder.digest() == memory.digest() == folder.to_trace().digest()
    assert len(folder) == 3


def values_of(column: Column, rows: int) -> st.SearchStrategy[Any]:
    if column.codes:
        one: st.SearchStrategy[Any] = st.sampled_from([int(code) for code in column.codes])
    elif column.dtype.kind == "O":
        one = st.text(max_size=8)
    elif column.dtype.kind == "f":
        one = st.floats(width=32) | st.floats(width=64 if column.dtype.itemsize == 8 else 32)
    else:
        bounds = np.iinfo(column.dtype)
        one = st.integers(int(bounds.min), int(bounds.max))
    many = st.lists(one, min_size=rows, max_size=rows).map(
        lambda values: values if column.dtype.kind == "O" else np.array(values, column.dtype)
    )
    return one | many


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), table=st.sampled_from(["decisions", "exposures", "outcomes", "series"]))
def test_any_values_come_back_as_they_were(
    data: st.DataObject, table: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    memory = Trace()
    with TraceWriter(tmp_path_factory.mktemp("t"), "unit", part_rows=5) as writer:
        for _ in range(data.draw(st.integers(1, 4))):
            rows = data.draw(st.integers(1, 6))
            required = [c for c in TABLES[table].columns if c.default is None]
            optional = [c for c in TABLES[table].columns if c.default is not None]
            chosen = data.draw(st.lists(st.sampled_from(optional), unique=True)) if optional else []
            given_columns = {c.name: data.draw(values_of(c, rows)) for c in [*required, *chosen]}
            given_columns["run"] = np.full(rows, 1)
            if table == "exposures" and data.draw(st.booleans()):
                likes = Column("signal_likes", np.dtype("f8"), np.nan)
                given_columns["signal_likes"] = data.draw(values_of(likes, rows))
            memory.append(table, given_columns)
            writer.append(table, given_columns)
        memory.append("runs", {"run": 1})
        writer.commit({"run": 1})
        folder = TraceFolder(writer.folder)
    got, expected = folder.columns(table), memory.columns(table)
    same(got, expected)
    assert folder.digest() == memory.digest()


def test_sql_sees_tables_with_names_and_nulls(tmp_path: Path) -> None:
    with TraceWriter(tmp_path, "u") as writer:
        feed(writer, 1)
        writer.commit({"run": 1})
    folder = TraceFolder(tmp_path)
    memory = Trace()
    feed(memory, 1)
    query = """SELECT avg(signal_likes) AS likes, count(*) AS n, count(signal_likes) AS shown
               FROM exposures WHERE channel = 'option'"""
    row = folder.sql(query).df().iloc[0]
    shown = folder.exposures(["signal_likes"], "decision % 2 = 1")["signal_likes"]
    assert row["n"] == 20
    assert row["shown"] == 8
    assert row["likes"] == shown.mean()
    everything = "SELECT * FROM exposures ORDER BY run, decision, position"
    pd.testing.assert_frame_equal(folder.sql(everything).df(), memory.sql(everything).df())
    memory.append("exposures", {"run": 1, "decision": 9})
    assert memory.sql("SELECT count(*) FROM exposures").fetchall() == [(21,)]
    with pytest.raises(TraceError, match=r"cannot be answered.*expos"):
        folder.sql("SELECT * FROM expos")
    with pytest.raises(TraceError, match=r"no column 'signal_like'.*'signal_likes'"):
        folder.exposures(["signal_like"])


def test_a_unit_without_its_runs_does_not_exist_and_is_cleaned(tmp_path: Path) -> None:
    with TraceWriter(tmp_path, "done") as writer:
        feed(writer, 1)
        writer.commit({"run": 1})
    before = TraceFolder(tmp_path).digest()
    halfway = TraceWriter(tmp_path, "halfway", part_rows=3)
    feed(halfway, 2)
    assert list(tmp_path.glob("exposures/halfway-*.parquet"))
    (tmp_path / "exposures" / "halfway-0099.parquet.tmp").write_bytes(b"PAR1 cut")
    assert TraceFolder(tmp_path).digest() == before
    assert TraceFolder(tmp_path).runs()["run"].tolist() == [1]
    removed = clean(tmp_path)
    assert {path.name.split("-")[0] for path in removed} == {"halfway"}
    assert not list(tmp_path.glob("*/halfway*"))
    assert TraceFolder(tmp_path).digest() == before
    assert clean(tmp_path) == []


def test_leaving_a_writer_without_commit_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), TraceWriter(tmp_path, "u", part_rows=3) as writer:
        feed(writer, 1)
        raise RuntimeError
    assert not list(tmp_path.glob("*/*"))
    assert len(TraceFolder(tmp_path)) == 0


def test_an_earlier_attempts_parts_are_not_mixed_in(tmp_path: Path) -> None:
    killed = TraceWriter(tmp_path, "u", part_rows=3)
    feed(killed, 1, decisions=9, seed=1)
    with TraceWriter(tmp_path, "u", part_rows=3) as writer:
        feed(writer, 1, decisions=1, seed=2)
        writer.commit({"run": 1})
    memory = Trace()
    feed(memory, 1, decisions=1, seed=2)
    memory.append("runs", {"run": 1})
    assert TraceFolder(tmp_path).digest() == memory.digest()
    assert clean(tmp_path) == []
    with pytest.raises(TraceError, match="unit 'u' .* is complete"):
        TraceWriter(tmp_path, "u")


def test_a_failed_run_is_a_row_and_a_later_complete_one_supersedes_it(tmp_path: Path) -> None:
    memory = Trace()
    failed: dict[str, Any] = {"run": [1, 2], "status": [1, 0], "stage": ["answer", ""]}
    with TraceWriter(tmp_path, "z-first", part_rows=3) as writer:
        for sink in (memory, writer):
            feed(sink, 1, decisions=2, seed=9)
            feed(sink, 2)
        memory.append("runs", failed)
        writer.commit(failed)
    folder = TraceFolder(tmp_path)
    assert folder.runs().set_index("run")["status"].to_dict() == {1: "failed", 2: "done"}
    for table in ("decisions", "exposures", "outcomes", "series"):
        assert set(folder.columns(table)["run"].tolist()) == {2}
    assert folder.digest() == memory.digest()
    with TraceWriter(tmp_path, "a-second") as writer:
        for sink in (memory, writer):
            feed(sink, 1)
        memory.append("runs", {"run": 1})
        writer.commit({"run": 1})
    folder = TraceFolder(tmp_path)
    assert folder.runs()["status"].tolist() == ["done", "done"]
    assert (folder.decisions()["run"] == 1).sum() == 5
    assert folder.digest() == memory.digest()


def test_a_run_complete_in_two_units_counts_once(tmp_path: Path) -> None:
    for unit in ("a", "b"):
        with TraceWriter(tmp_path, unit) as writer:
            feed(writer, 1)
            writer.commit({"run": 1})
    assert len(TraceFolder(tmp_path).exposures()) == 20


def test_foreign_folders_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    acts: list[Callable[[], Any]] = [
        lambda: TraceWriter(tmp_path, "u"),
        lambda: TraceFolder(tmp_path),
        lambda: clean(tmp_path),
    ]
    for act in acts:
        with pytest.raises(TraceError, match=r"not a trace \(it has no trace.json\)"):
            act()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(TraceError, match="is a file; give a folder"):
        TraceWriter(tmp_path / "thesis.txt", "u")
    with pytest.raises(TraceError, match="holds no trace"):
        TraceFolder(tmp_path / "nothing")
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "trace.json").write_text('{"format": "cloudchamber trace", "version": 99}')
    with pytest.raises(TraceError, match="version 99"):
        TraceFolder(newer)


@pytest.mark.parametrize("harm", ["cut", "scrambled", "missing", "foreign"])
def test_damage_is_named(tmp_path: Path, harm: str) -> None:
    with TraceWriter(tmp_path, "u") as writer:
        feed(writer, 1)
        writer.commit({"run": 1})
    path = tmp_path / "exposures" / "u-0000.parquet"
    content = path.read_bytes()
    if harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif harm == "scrambled":
        path.write_bytes(content[:8] + b"\xff" * (len(content) - 16) + content[-8:])
    elif harm == "missing":
        path.unlink()
    else:
        path.write_bytes((tmp_path / "decisions" / "u-0000.parquet").read_bytes())
    with pytest.raises(TraceError, match=r"exposures/u-0000\.parquet"):
        TraceFolder(tmp_path).exposures()


def test_a_foreign_parquet_file_among_the_runs_is_named(tmp_path: Path) -> None:
    with TraceWriter(tmp_path, "u") as writer:
        feed(writer, 1)
        writer.commit({"run": 1})
    source = tmp_path / "exposures" / "u-0000.parquet"
    (tmp_path / "runs" / "x.parquet").write_bytes(source.read_bytes())
    with pytest.raises(TraceError, match=r"x\.parquet \(it lacks the column 'study'\)"):
        TraceFolder(tmp_path)


def test_a_disk_that_refuses_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TraceWriter(tmp_path, "done") as writer:
        feed(writer, 1)
        writer.commit({"run": 1})
    before = TraceFolder(tmp_path).digest()

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with TraceWriter(tmp_path, "next") as writer:
        feed(writer, 2)
        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(TraceError, match="cannot be written to .*Read-only file system"):
            writer.commit({"run": 2})
    monkeypatch.undo()
    assert TraceFolder(tmp_path).digest() == before
    assert not list(tmp_path.glob("*/next*"))


FULL_DISK = """
import resource, signal, sys
import numpy as np
from cloudchamber.errors import TraceError
from cloudchamber.trace import TraceWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = TraceWriter(sys.argv[1], "big", part_rows=100_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
noise = np.random.default_rng(0)
try:
    for run in range(9):
        writer.append("outcomes", {"run": run, "step": 0, "item": np.arange(100_000),
                                   "value": noise.random(100_000)})
    writer.commit({"run": np.arange(9)})
except TraceError as error:
    print(error)
    raise SystemExit(2)
"""


def test_a_full_disk_damages_nothing(tmp_path: Path) -> None:
    with TraceWriter(tmp_path, "done") as writer:
        feed(writer, 1)
        writer.commit({"run": 1})
    before = TraceFolder(tmp_path).digest()
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ended.returncode == 2, ended.stderr
    assert "cannot be written" in ended.stdout
    assert len(ended.stdout.splitlines()) == 1
    assert not list(tmp_path.glob("*/*.tmp"))
    clean(tmp_path)
    assert TraceFolder(tmp_path).digest() == before


WRITE_ON = """
import itertools, sys
from tests.trace.test_files import feed
from cloudchamber.trace import TraceWriter
print("ready", flush=True)
for run in itertools.count(int(sys.argv[2])):
    with TraceWriter(sys.argv[1], f"unit-{run}", part_rows=3) as writer:
        feed(writer, run)
        writer.commit({"run": run})
"""


def test_a_kill_at_any_moment_leaves_whole_runs(tmp_path: Path) -> None:
    moments = random.Random(2)
    done: set[int] = set()
    for attempt in range(4):
        root = Path(__file__).parents[2]
        path = os.pathsep.join([str(root), *sys.path])
        with subprocess.Popen(
            [sys.executable, "-c", WRITE_ON, str(tmp_path / "t"), str(1000 * attempt + 1)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moments.uniform(0.1, 0.4))
            process.send_signal(signal.SIGKILL)
        folder = TraceFolder(tmp_path / "t")
        runs = set(folder.runs()["run"].tolist())
        assert done <= runs
        done = runs
        memory = Trace()
        for run in sorted(runs):
            feed(memory, run)
            memory.append("runs", {"run": run})
        assert folder.digest() == memory.digest()
        if attempt % 2:
            clean(tmp_path / "t")
            assert TraceFolder(tmp_path / "t").digest() == memory.digest()
            assert not list((tmp_path / "t").glob("*/*.tmp"))
    assert done


def test_memory_stays_bounded(tmp_path: Path) -> None:
    with TraceWriter(tmp_path, "u", part_rows=1000) as writer:
        for step in range(20):
            writer.append(
                "outcomes", {"run": 1, "step": step, "item": np.arange(333), "value": 0.0}
            )
        assert len(list(tmp_path.glob("outcomes/*.parquet"))) == 6
        writer.append("outcomes", {"run": 1, "step": 9, "item": np.arange(5000), "value": 1.0})
        writer.commit({"run": 1, "status": RunStatus.done})
    outcomes = TraceFolder(tmp_path).outcomes()
    assert len(outcomes) == 20 * 333 + 5000
    assert outcomes["value"].sum() == 5000


def test_texts_of_several_units_are_one(tmp_path: Path) -> None:
    for unit in ("a", "b"):
        with TraceWriter(tmp_path, unit) as writer:
            key = writer.text("prompt", "the same")
            assert writer.text("prompt", "the same") == key
            writer.text("prompt", "lone surrogate \ud83d and NUL \0")
            writer.commit({"run": ord(unit), "status": Status.ok})
    texts = TraceFolder(tmp_path).texts().set_index("text")["content"]
    assert len(texts) == 2
    assert texts[key] == "the same"
    assert "lone surrogate ? and NUL ?" in set(texts)
