"""A small study in a folder of its own, and ways to run the command line on it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from cloudchamber.cli import main

TINY = '''"""Tiny: a study for tests."""

import time
from pathlib import Path

from cloudchamber import Factor, Feed, Group, LanguageModel, Microspec, Population, SocialProof, Study
from cloudchamber.intervention import hide, isolate, pin
from cloudchamber.microspec import Sequential
from cloudchamber.models.fake import FAKES
from cloudchamber.phenomenon import HERDING

LOG = Path("asked.log")


def slow(request):
    with LOG.open("a") as log:
        log.write(request.key() + "\\n")
    time.sleep(0.002)
    return FAKES["hash"][0](request)


FAKES["slow"] = (slow, "as hash, slowly, and it keeps a log")


def study(*, quick=False, decides=None, items=None, field=None):
    agents = Group(name="readers", count=3, decides=decides or SocialProof())
    return Study(
        name="tiny",
        question="Does it work?",
        phenomenon=HERDING,
        microspec=Microspec(
            world=Feed.from_file(items) if items else Feed.of(6),
            population=Population(groups=(agents,)),
            turns=Sequential(steps=4),
        ),
        factors=(Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes"),),
        replicates=2,
        null=isolate(),
        risk="exact",
        interventions=(hide("likes"),),
        attack=pin(1),
    )
'''


def settle(folder: Path) -> None:
    """Write the study into a folder."""
    (folder / "studies" / "tiny").mkdir(parents=True)
    (folder / "studies" / "tiny" / "study.py").write_text(TINY)


def call(*arguments: object) -> Result:
    """The command line in this process."""
    return CliRunner().invoke(main, [str(one) for one in arguments])


def told(result: Result) -> str:
    """What is on stderr after a refusal: one sentence, exit code 2."""
    assert result.exit_code == 2, (result.exit_code, result.output)
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("cloudchamber: ") and "Traceback" not in lines[0]
    return lines[0].removeprefix("cloudchamber: ")


def start(folder: Path, *arguments: object, **more: object) -> "subprocess.Popen[str]":
    """The command line in a process of its own."""
    source = Path(__file__).parents[2] / "src"
    process: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, "-c", "from cloudchamber.cli import main; main()", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(source), "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,  # type: ignore[call-overload]
    )
    return process


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder, by a hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
