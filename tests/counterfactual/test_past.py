"""Past runs out of a study's folder."""

from pathlib import Path

import pytest

from cloudchamber.counterfactual import PastRuns, Without, cone, what_if
from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.experiment import Cell, Design, Driver, Results
from cloudchamber.trace import Level
from tests.counterfactual.specs import MODEL, SPECS, models_for

CELLS = ("polya", "one by one", "model")


def grown(folder: Path, level: Level | None = None, replicates: int = 2) -> Results:
    fakes = models_for(SPECS["model"])
    design = Design(tuple(Cell(name, SPECS[name], {}, {}) for name in CELLS))
    Driver(folder, seed=3, models=fakes, level=level).grow(design, replicates)
    return Results(design, replicates, 3, folder)


def test_runs_of_a_folder_are_asked_about(tmp_path: Path) -> None:
    results = grown(tmp_path / "trace")
    for name in CELLS:
        fakes = models_for(SPECS[name])
        told = PastRuns.of(results, name, models=fakes)
        assert told.recorded == (name != "one by one")
        assert told.runs.ids.tolist() == results.ids(name)
        anew = PastRuns(SPECS[name], range(2), seed=3, models=models_for(SPECS[name]))
        found = what_if(told, Without("likes"))
        assert found.repeats == 1.0
        assert found.table().equals(what_if(anew, Without("likes")).table())
        choices = [
            cone(runs, force={0: 1}).trace.columns("decisions")["choice"].tolist()
            for runs in (told, anew)
        ]
        assert choices[0] == choices[1]


def test_of_a_recorded_run_a_model_is_asked_what_would_have_been_alone(tmp_path: Path) -> None:
    results, fakes = grown(tmp_path / "trace"), models_for(SPECS["model"])
    assert fakes is not None
    told = PastRuns.of(results, "model", [1], models=fakes)
    assert len(told.past.tape.blocks) == 8 and not fakes[MODEL].asked
    assert what_if(told, Without("likes"), decisions=4).asked == 2 == len(fakes[MODEL].asked)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    results = grown(tmp_path / "trace", Level("summary"))
    with pytest.raises(TraceError, match="keeps no decisions of run"):
        PastRuns.of(results, "polya")
    with pytest.raises(SpecificationError, match="no cell 'polia'"):
        PastRuns.of(results, "polia")
    lacking = Results(
        results.design + Design((Cell("blind", SPECS["blind"], {}, {}),)), 2, 3, results.folder
    )
    with pytest.raises(SpecificationError, match="no complete run"):
        PastRuns.of(lacking, "blind")
