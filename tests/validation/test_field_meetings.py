"""Recorded meetings become runs of a naming game; what is wrong with a file is said."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import FieldDataError
from cloudchamber.measures import MEASURES
from cloudchamber.measures.agreement import agreement_times, last_choices, winners
from cloudchamber.validation.field_meetings import read_meetings
from tests.field_data import field_file

HEADER = "run_id,t,p1,p2,a1,a2"
ROWS = """a,0,4,1,F,J
b,1,x,y,J,J
a,2,1,9,J,J
b,0,y,x,J,F
a,1,9,4,F,F"""


def written(tmp_path: Path, rows: str = ROWS, header: str = HEADER) -> Path:
    path = tmp_path / "meetings.csv"
    path.write_text(f"{header}\n{rows}\n", encoding="utf-8")
    return path


def test_meetings_become_decisions_in_order(tmp_path: Path) -> None:
    found = read_meetings(written(tmp_path), "FJ", runs=["b", "a"], agents=4)
    assert found.histories == ("b", "a") and found.names == ("F", "J") and found.agents == 4
    decisions = found.trace.frame("decisions")
    assert decisions[decisions["run"] == 1]["choice"].tolist() == [1, 0, 1, 1]
    assert decisions[decisions["run"] == 2]["agent"].tolist() == [0, 1, 2, 0, 1, 2]
    assert decisions[decisions["run"] == 2]["choice"].tolist() == [0, 1, 0, 0, 1, 1]
    assert decisions[decisions["run"] == 2]["step"].tolist() == [0, 0, 0, 0, 1, 1]
    assert MEASURES["agreement"](found.trace).tolist() == [1 / 2, 2 / 3]
    assert MEASURES["top-1 share"](found.trace).tolist() == [3 / 4, 1 / 2]
    assert winners(found.trace)["item"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("rows", "parts", "told"),
    [
        (ROWS, {"runs": ["c"]}, "has no run_id 'c'; it has 2"),
        (ROWS, {}, "histories of 2, 3 agents; read those of one number at a time"),
        (ROWS, {"agents": 2}, "histories of 2, 3 agents"),
        ("a,0,1,1,F,F", {}, "row 1 below the header is a meeting of '1' with itself"),
        ("a,0,1,2,F,K", {}, "row 1 below the header has the name 'K'; allowed: F, J"),
        ("a,0,1,2,F,F\na,0,1,2,J,J", {}, "two meetings of one run_id have the t 0"),
        ("a,-1,1,2,F,F", {}, "t '-1'; allowed: a number that is 0 or more"),
    ],
)
def test_refused(tmp_path: Path, rows: str, parts: dict[str, object], told: str) -> None:
    with pytest.raises(FieldDataError, match=told):
        read_meetings(written(tmp_path, rows), "FJ", **parts)  # type: ignore[arg-type]


def test_a_lacking_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        FieldDataError, match="has no column 'a2'; needed: run_id, t, p1, p2, a1, a2"
    ):
        read_meetings(written(tmp_path, "a,0,1,2,F", "run_id,t,p1,p2,a1"), "FJ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "time", "most"), [("llama3", 281.4, 758), ("llama31", 318.375, 1197)]
)
def test_the_published_baseline_runs(model: str, time: float, most: int) -> None:
    """Ashery et al. 2025, names Q and M: all 40 runs of each model agree on M, and stop when they do."""
    import pandas as pd

    runs = pd.read_csv(field_file("ashery_naming_game", "runs.csv"), dtype={"run_id": str})
    mine = runs.query(
        f"model == '{model}' and kind == 'baseline' and options == 'Q|M' and memory == 5 and N == 24"
    )
    path = field_file("ashery_naming_game", "interactions.csv.gz")
    found = read_meetings(path, "QM", runs=mine["run_id"].tolist())
    times = agreement_times(found.trace)
    assert found.agents == 24 and times["agreed"].all()
    assert times["meetings"].tolist() == mine["n_interactions"].tolist()
    assert times["meetings"].mean() == time and times["meetings"].max() == most
    assert (winners(found.trace)["item"] == 1).all()
    assert np.allclose(last_choices(found.trace, last=1)[1], 1)
