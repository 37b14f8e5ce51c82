"""What is damaged is named once, for all files, with what to remove."""

import shutil
from pathlib import Path

import duckdb
import pytest

from cloudchamber.errors import TraceError
from cloudchamber.trace import TraceFolder, TraceWriter
from cloudchamber.trace.damage import damage


def written(folder: Path, *units: str) -> None:
    for run, unit in enumerate(units, start=1):
        with TraceWriter(folder, unit) as writer:
            writer.append("outcomes", {"run": run, "step": 0, "item": [0, 1], "value": 1.0})
            writer.commit({"run": run})


def test_a_sound_trace_has_none(tmp_path: Path) -> None:
    written(tmp_path, "a", "b")
    assert damage(tmp_path) is None


def test_a_copied_unit_would_count_its_rows_twice_and_is_named(tmp_path: Path) -> None:
    written(tmp_path, "a")
    shutil.copy(tmp_path / "runs" / "a.parquet", tmp_path / "runs" / "b.parquet")
    with pytest.raises(TraceError, match=r"a file is damaged: runs/b\.parquet \(a copy of a\)"):
        TraceFolder(tmp_path)


@pytest.mark.parametrize("meta", ["", "KV_METADATA {cloudchamber: '[]'},"])
def test_runs_without_a_list_of_parts_are_named(tmp_path: Path, meta: str) -> None:
    written(tmp_path, "a")
    runs = tmp_path / "runs" / "a.parquet"
    copy = f"COPY (SELECT * FROM '{runs}') TO '{tmp_path}/new' ({meta} FORMAT parquet)"
    duckdb.connect().execute(copy)
    (tmp_path / "new").replace(runs)
    with pytest.raises(TraceError, match=r"runs/a\.parquet \((not written by|its list of parts)"):
        TraceFolder(tmp_path)


def test_columns_of_other_kinds_are_named_where_they_are_read(tmp_path: Path) -> None:
    written(tmp_path, "a", "b")
    part = tmp_path / "outcomes" / "a-0000.parquet"
    columns = "run, step, item, 'a lot' AS value"
    copy = f"COPY (SELECT {columns} FROM '{part}') TO '{tmp_path}/new' (FORMAT parquet)"
    duckdb.connect().execute(copy)
    (tmp_path / "new").replace(part)
    with pytest.raises(TraceError, match=r"outcomes/a-0000\.parquet .*rm .*runs/a\.parquet$"):
        TraceFolder(tmp_path).outcomes()
