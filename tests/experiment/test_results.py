"""Results: measures by name, and how they show themselves."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Driver, Results
from cloudchamber.measures import MEASURES
from cloudchamber.measures.concentration import unpredictability
from tests.experiment.small import design


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Four cells of three runs, of which one more is asked for."""
    folder = tmp_path_factory.mktemp("results")
    Driver(folder, seed=0).grow(design(), 3)
    return Results(design(), 4, 0, folder)


def test_a_measure_by_its_name_is_the_measure(results: Results) -> None:
    for name in ("gini", "mean position"):
        pd.testing.assert_frame_equal(results.measure(name), results.measure(MEASURES[name]))
    assert results.measure("gini").shape == (3, 4)


def test_a_measure_that_is_none_is_answered_with_those_that_are(results: Results) -> None:
    with pytest.raises(SpecificationError, match=r"'ginny'; allowed: gini, .*mean 'gini'"):
        results.measure("ginny")


def test_unpredictability_is_asked_for_a_cell_at_a_time(results: Results) -> None:
    found = results.measure("unpredictability")
    assert list(found.columns) == [cell.name for cell in design()]
    assert found.index.tolist() == [0, 1, 2]
    outcomes = results.trace.outcomes()
    last = outcomes[outcomes["step"] == outcomes["step"].max()]
    wide = last.pivot(index="run", columns="item", values="value")
    for cell in design():
        tally = wide.loc[results.ids(cell)].to_numpy()
        assert found[cell.name].mean() == pytest.approx(unpredictability(tally))
        first = np.abs(tally[0] - tally[1:]).mean() / tally[0].sum()
        assert found[cell.name][0] == pytest.approx(first)


def test_results_print_short(results: Results, tmp_path: Path) -> None:
    assert repr(results) == f"Results(4 cells, 12 of 16 runs done, in '{results.folder}')"
    nothing = Results(design(), 4, 0, tmp_path)
    assert repr(nothing) == f"Results(4 cells, no trace that can be read, in '{tmp_path}')"


def test_a_notebook_shows_a_row_a_cell(results: Results, tmp_path: Path) -> None:
    page = results._repr_html_()
    assert "12 of 16 runs done" in page
    assert re.findall(r"<td>(\d)</td>", page) == ["3", "1"] * 4
    assert page.index("hidden / shuffled") < page.index("exact / popularity")
    broken = Results(design(), 4, 0, tmp_path / "<b>")._repr_html_()
    assert "holds no trace" in broken and "<b>" not in broken
