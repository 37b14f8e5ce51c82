"""A folder with the tiny study, and what it grew."""

import shutil
from pathlib import Path

import pytest

from tests.cli.tiny import call, settle


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that holds the tiny study."""
    settle(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def _grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grown")
    settle(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = call("run", "tiny", "--out", "out", "--quiet")
    assert result.exit_code == 0, result.output
    return folder / "out"


@pytest.fixture
def out(here: Path, _grown: Path) -> Path:
    """What the tiny study grew, in the working folder, for the test to spoil."""
    shutil.copytree(_grown, here / "out")
    return here / "out"
