"""What a call grows with reaches whoever needs it."""

from pathlib import Path
from typing import Any

import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.calling import Means
from cloudchamber.models.fake import fake
from cloudchamber.models.model import Model
from cloudchamber.trace import TraceFolder
from tests.experiment.small import asked, design


def test_the_patience_with_a_server_reaches_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[dict[str, Any]] = []

    def opening(name: str, **given: Any) -> Model:
        opened.append(given)
        return fake("hash")

    monkeypatch.setattr("cloudchamber.experiment.calling.open_model", opening)
    Means(timeout=7.5, processes=3).grow("s", tmp_path, [(asked(), 1)])
    assert [(given["timeout"], given["processes"]) for given in opened] == [(7.5, 3)]


@pytest.mark.parametrize("given", [0.0, -1.0, float("inf"), float("nan")])
def test_no_patience_and_endless_patience_are_refused(given: float) -> None:
    with pytest.raises(SpecificationError, match="timeout: .* allowed: seconds, above 0"):
        Means(timeout=given)


def test_rounds_grow_each_cell_in_its_own_replicates(tmp_path: Path) -> None:
    whole = design()
    first, *_ = whole.conditions()
    Means().grow("s", tmp_path, [(whole, {first.id: [4]}), (whole, {first.id: [4, 2]})])
    runs = TraceFolder(tmp_path / "trace").runs()
    assert sorted(runs["replicate"]) == [2, 4]
    assert set(runs["cell"]) == {first.id}
