"""./cloudchamber sets itself up once, says so in a line, and then only starts the program.

The folder is a copy without an environment; `python3` is a stand-in that writes down how it is called and
makes a pretend environment, so nothing is installed.
"""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = """#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
*version_info*) exit ${OLD:-0} ;;
--version) echo "Python 3.8.2" ;;
*"-m venv"*)
    for venv; do :; done
    mkdir -p "$venv/bin" && cp "$0" "$venv/bin/python"
    printf '#!/bin/sh\\necho "program $*"\\n' >"$venv/bin/cloudchamber"
    chmod +x "$venv/bin/cloudchamber" ;;
*"pip install"*) exit ${BROKEN:-0} ;;
esac
"""


class Checkout:
    """A copy of the launcher with a pretend Python."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder.parent / "calls"
        (folder / "requirements").mkdir(parents=True)
        for name in ("cloudchamber", "pyproject.toml", "requirements/install.sh"):
            shutil.copy(ROOT / name, folder / name)
        (folder / "requirements" / "run.txt").write_text("pins\n")
        tools = folder.parent / "tools"
        tools.mkdir()
        (tools / "python3").write_text(PYTHON)
        (tools / "python3").chmod(0o755)
        for tool in ("sh", "dirname", "cksum", "mkdir", "cp", "chmod"):
            (tools / tool).symlink_to(str(shutil.which(tool)))
        self.environment = {"PATH": str(tools), "CALLS": str(self.calls)}

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        self.calls.write_text("")
        return subprocess.run(
            [self.folder / "cloudchamber", *arguments],
            capture_output=True,
            text=True,
            env=self.environment | more,
            cwd="/",
            check=False,
        )

    def installs(self) -> list[str]:
        return [line for line in self.calls.read_text().splitlines() if "pip install" in line]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a folder" / "cloudchamber")


def test_sets_up_once_and_passes_arguments_on(checkout: Checkout) -> None:
    first = checkout.run("run", "a b", "*")
    assert (first.returncode, first.stdout) == (0, "program run a b *\n")
    assert len(first.stderr.splitlines()) == 1 and "setting up .venv" in first.stderr
    pins, project = checkout.installs()
    assert "--require-hashes -r" in pins and pins.endswith("requirements/run.txt")
    assert "--no-deps" in project and "--editable" in project

    second = checkout.run("list")
    assert (second.stdout, second.stderr) == ("program list\n", "")
    assert checkout.calls.read_text() == "", "Python was started although nothing changed"


@pytest.mark.parametrize("name", ["requirements/run.txt", "pyproject.toml"])
def test_sets_up_again_when_the_pins_or_the_project_change(checkout: Checkout, name: str) -> None:
    checkout.run()
    with (checkout.folder / name).open("a") as file:
        file.write("# changed\n")
    assert "setting up" in checkout.run().stderr
    assert len(checkout.installs()) == 2


def test_sets_up_again_when_the_folder_has_moved(checkout: Checkout) -> None:
    checkout.run()
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("elsewhere"))
    assert "setting up" in checkout.run().stderr


def test_a_failed_set_up_is_not_taken_for_done(checkout: Checkout) -> None:
    failed = checkout.run(BROKEN="1")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "run the same again" in failed.stderr
    assert checkout.run("list").stdout == "program list\n"


def test_an_old_python_is_refused_in_one_line(checkout: Checkout) -> None:
    refused = checkout.run(OLD="1")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [refused.stderr.strip()]
    assert "needs Python 3.11 or newer and found Python 3.8.2" in refused.stderr


def test_without_any_python_it_says_so(checkout: Checkout) -> None:
    (Path(checkout.environment["PATH"]) / "python3").unlink()
    refused = checkout.run()
    assert refused.returncode == 2 and "found none" in refused.stderr


def test_ci_runs_the_check_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[1:] == ['cd "$(dirname "$0")/.." && exec ./check']
    for script in ("cloudchamber", "check", ".ci/run", "requirements/pin"):
        assert os.stat(ROOT / script).st_mode & stat.S_IXUSR, f"{script} cannot be executed"
