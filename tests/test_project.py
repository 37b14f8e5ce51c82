"""What must hold of the tree itself: names, sizes, words, and what an import costs."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import cloudchamber

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "studies", "benchmarks", "docs")
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and not {"__pycache__", "out"} & set(path.parts)
)
CODE = [path for path in FILES if path.suffix == ".py"]
PROSE = [path for path in [*FILES, *ROOT.glob("*.md")] if path.suffix in {".py", ".md"}]

# DESIGN's words; on the left what is often said instead.
WORDS = {
    r"time[ -]?steps?": "step",
    r"episodes?": "run",
    r"simulation models?": "microspecification (a model is a language model)",
    r"agent-based models? (?:is|are|runs?)": "microspecification",
    r"hyper-?parameters?": "factor, or field of the specification",
    r"ticks? of the (?:run|clock)": "step",
    r"event logs?": "trace",
    r"scenarios?": "microspecification, or cell",
    r"treatment (?:arm|group)s?": "cell",
}

# A name added or taken away here is a change that users notice, and a line in CHANGELOG.md.
PUBLIC = [
    "Cell",
    "Factor",
    "Feed",
    "Group",
    "Intervention",
    "LanguageModel",
    "Level",
    "Measure",
    "Microspec",
    "Phenomenon",
    "Population",
    "PositionOnly",
    "Quality",
    "Random",
    "Results",
    "Setting",
    "SocialProof",
    "Study",
    "TraceFolder",
    "TwoStage",
    "__version__",
    "diff",
]


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_no_file_is_named_for_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core"}
    assert [name for name in names(FILES) if vague & set(re.split(r"[/._]", name))] == []


@pytest.mark.parametrize("path", CODE, ids=names(CODE))
def test_no_module_past_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, "it is two modules"


@pytest.mark.parametrize("path", PROSE, ids=names(PROSE))
def test_words(path: Path) -> None:
    if path == Path(__file__):
        pytest.skip("this file names the words it forbids")
    text = path.read_text(encoding="utf-8")
    found = {
        match.group(): say
        for pattern, say in WORDS.items()
        for match in re.finditer(rf"\b{pattern}\b", text, re.IGNORECASE)
    }
    assert not found, f"say instead: {found}"


def test_nothing_names_the_machine_it_was_written_on() -> None:
    private = re.compile(r"(?:/home/|/Users/|/work/|/root/|/tmp/)\w")
    texts = [path for path in FILES if path.suffix in {".py", ".md", ".csv", ".html", ".toml"}]
    here = [path for path in [*texts, *ROOT.glob("*.md")] if path != Path(__file__)]
    assert [p for p in here if private.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("pins", sorted(ROOT.glob("requirements/*.txt")), ids=lambda p: p.name)
def test_pins_have_hashes_and_no_addresses(pins: Path) -> None:
    text = pins.read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    packages = re.findall(r"^[a-z0-9][^\n]*(?:\n +--hash=[^\n]*)*", text, re.MULTILINE)
    assert packages and all("==" in one and "--hash=sha256:" in one for one in packages)


def test_public_names() -> None:
    assert sorted(cloudchamber.__all__) == sorted(PUBLIC)
    assert [name for name in PUBLIC if not hasattr(cloudchamber, name)] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    zipfile.ZipFile(built).extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_wheel_carries_the_studies_and_whatever_the_program_reads(wheel: Path) -> None:
    inside = {path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()}
    package = [name.removeprefix("src/") for name in names(FILES) if name.startswith("src/")]
    studies = [f"cloudchamber/_{name}" for name in names(FILES) if name.startswith("studies/")]
    assert set(package + studies) - inside == set()
    assert {path.name for path in wheel.iterdir() if "dist-info" not in path.name} == {
        "cloudchamber"
    }


def test_a_study_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    code = "import cloudchamber, cloudchamber.cli as c; print(cloudchamber.__file__); c.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "show", "herding", "--quick", "--agents", "two-stage"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(wheel), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(wheel)) and "a feed of 48 items" in done.stdout


def loaded(statement: str) -> set[str]:
    """Names of the modules a fresh Python has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["cloudchamber", "cloudchamber.cli"])
def test_import_is_light(module: str) -> None:
    heavy = {"pydantic", "duckdb", "scipy", "pandas", "aiohttp", "tokenizers", "jinja2", "numba"}
    assert heavy & loaded(f"import {module}") == set()
