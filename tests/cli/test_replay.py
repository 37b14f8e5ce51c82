"""A study with its answers as one archive, replayed where there is no model; and what refuses to be."""

import json
import os
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudchamber.experiment import archive
from cloudchamber.models.fake import FAKES
from cloudchamber.trace import TraceFolder
from tests.cli.tiny import TINY, call, contents, told

RUN = ["run", "tiny", "--quiet", "--out", "out"]
ASKED = [*RUN, "--model", "fake:hash"]


def digest(folder: Path) -> str:
    return TraceFolder(folder / "trace").digest()


def files(zipped: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(zipped) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def replies(store: Path) -> int:
    with sqlite3.connect(store) as database:
        (count,) = database.execute("SELECT count(*) FROM replies").fetchone()
    database.close()
    return int(count)


@pytest.fixture
def elsewhere(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Another working folder, where the study is not, on a machine without the models."""
    other = here / "elsewhere"
    other.mkdir()

    def away() -> None:
        monkeypatch.chdir(other)
        monkeypatch.setattr("cloudchamber.models.opening._open", pytest.fail)

    return away


@pytest.mark.parametrize("model", ["fake:hash", "fake:sampled", "fake:garbage", "fake:timeout"])
def test_exported_and_replayed_elsewhere_the_trace_is_the_same_and_no_model_is_asked(
    here: Path, elsewhere: Callable[[], None], model: str
) -> None:
    assert call(*RUN, "--model", model).exit_code == 0
    made = call("export", "out", "a.zip")
    assert made.exit_code == 0, made.output
    assert "it replays to the same trace" in made.stdout
    assert "In it: README.md, answers.sqlite, archive.json, studies/tiny/study.py." in made.stdout
    elsewhere()
    done = call("replay", "../a.zip", "--trust", "--quiet")
    assert done.exit_code == 0, done.output
    assert "The same trace as when it was exported" in done.stdout
    assert digest(Path("out/a/out")) == digest(here / "out")
    assert Path("out/a/out/report.html").exists()
    # And by hand, as its README says.
    os.chdir("out/a")
    readme = Path("README.md").read_text()
    command = next(line for line in readme.splitlines() if "cloudchamber run" in line).split()
    assert call(*command[1:-1], "again", "--quiet").exit_code == 0
    assert (
        digest(Path("again"))
        == digest(here / "out")
        == json.loads(Path("archive.json").read_text())["digest"]
    )
    assert digest(here / "out") in readme


def test_a_run_that_failed_is_replayed_as_it_failed(here: Path) -> None:
    assert call(*RUN, "--model", "fake:fail").exit_code in (0, 2)
    failed = TraceFolder(here / "out" / "trace").runs()
    assert set(failed["status"]) == {"failed"}
    assert call("export", "out", "a.zip").exit_code == 0
    call("replay", "a.zip", "--trust", "--out", "again")
    assert digest(here / "again" / "out") == digest(here / "out")


def test_all_that_was_given_goes_along_and_only_what_was_used(here: Path) -> None:
    (here / "my items.csv").write_text("headline\nRain\nBread\nTrains\nSnow\n")
    (here / "studies" / "tiny" / "words.txt").write_text("read when it is built")
    (here / "studies" / "tiny" / "study.py").write_text(
        TINY.replace(
            "def study(", "assert Path(__file__).with_name('words.txt').exists()\n\n\ndef study("
        )
    )
    for hidden in (".env", "__pycache__/x.py", "out/study.json", "weights.bin"):
        path = here / "studies" / "tiny" / hidden
        path.parent.mkdir(exist_ok=True)
        path.write_text("not the study's")
    (here / "studies" / "tiny" / "link.txt").symlink_to(here / "my items.csv")
    options = ["--items", "my items.csv", "--set", "turns.steps=2", "--model", "fake:sampled"]
    for seed in (1, 2):
        assert (
            call(*RUN[:-1], f"out{seed}", "--store", "s", "--seed", seed, *options).exit_code == 0
        )
    assert call("export", "out2", "a.zip", "--store", "s").exit_code == 0
    assert sorted(files(here / "a.zip")) == [
        "README.md",
        "answers.sqlite",
        "archive.json",
        "given/items/my-items.csv",
        "studies/tiny/study.py",
        "studies/tiny/words.txt",
    ]
    (here / "my items.csv").unlink()
    assert call("replay", "a.zip", "--trust", "--out", "again", "--quiet").exit_code == 0
    assert digest(here / "again" / "out") == digest(here / "out2")
    assert 0 < replies(here / "again" / "answers.sqlite") < replies(here / "s")
    assert str(here).encode() not in b"".join(files(here / "a.zip").values())


def test_rules_alone_need_no_answers(here: Path) -> None:
    assert call(*RUN).exit_code == 0
    assert call("export", "out", "a.zip").exit_code == 0
    assert "answers.sqlite" not in files(here / "a.zip")
    assert call("replay", "a.zip", "--trust", "--out", "again").exit_code == 0
    assert digest(here / "again" / "out") == digest(here / "out")


def test_no_program_of_an_archive_is_run_without_trust(here: Path) -> None:
    assert call(*RUN).exit_code == 0
    assert call("export", "out", "a.zip").exit_code == 0
    before = contents(here)
    said = told(call("replay", "a.zip"))
    assert "holds a program (studies/tiny/study.py)" in said and "give --trust" in said
    assert contents(here) == before


def test_an_archive_whose_paths_lead_out_of_it_runs_nothing(here: Path) -> None:
    evil = here / "evil.py"
    evil.write_text("raise SystemExit('it ran')")
    (here / "made").mkdir()
    for path in (str(evil), "../evil.py"):
        archive.Archive("x", {"study": path}, 0, "full", 1, "", 0).write(here / "made")
        archive.pack(here / "made", here / "a.zip")
        said = told(call("replay", "a.zip", "--trust", "--out", "there"))
        assert "which is not in the archive" in said
        (here / "a.zip").unlink()
        for left in ("there/archive.json", "there"):
            (here / left).unlink() if left.endswith("json") else (here / left).rmdir()


KEY = "sk-do-not-tell-0123456789"


def test_a_key_of_the_environment_is_nowhere_in_an_archive(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert call(*ASKED).exit_code == 0
    assert call("export", "out", "a.zip").exit_code == 0
    assert KEY.encode() not in (here / "a.zip").read_bytes()
    assert all(KEY.encode() not in body for body in files(here / "a.zip").values())


@pytest.mark.parametrize("where", ["studies/tiny/notes.md", "items", "answers.sqlite"])
def test_where_a_key_got_into_what_is_exported_nothing_is_written(
    here: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("MY_SECRET", KEY)
    monkeypatch.setitem(
        FAKES, "leaky", FAKES["hash"]
    )  # the study's own takes its place until the end
    (here / "i.csv").write_text(f"headline\n{KEY if where == 'items' else 'Snow'}\nRain\n")
    (here / "studies" / "tiny" / "notes.md").write_text(f"# {KEY}" if "notes" in where else "")
    if where == "answers.sqlite":
        code = (here / "studies" / "tiny" / "study.py").read_text()
        leak = "\n\nimport dataclasses, os\nHASH = FAKES['hash'][0]\n\n\ndef leaky(request):\n"
        leak += "    return dataclasses.replace(HASH(request), text='x' * 3000 + os.environ['MY_SECRET'])\n"
        (here / "studies" / "tiny" / "study.py").write_text(
            f"{code}{leak}\nFAKES['leaky'] = (leaky, '')\n"
        )
    model = "fake:leaky" if where == "answers.sqlite" else "fake:hash"
    assert call(*RUN, "--model", model, "--items", "i.csv").exit_code == 0
    said = told(call("export", "out", "a.zip"))
    assert "holds the value of MY_SECRET" in said and KEY not in said
    assert not (here / "a.zip").exists()


def test_what_cannot_be_exported_says_why(here: Path) -> None:
    assert "no such folder" in told(call("export", "none", "a.zip"))
    assert call(*ASKED).exit_code == 0
    (here / "a.zip").write_text("mine")
    assert "exists already" in told(call("export", "out", "a.zip"))
    assert "cannot write" in told(call("export", "out", "a.zip/b.zip"))
    assert "there is no store of answers" in told(call("export", "out", "b.zip", "--store", "none"))
    (here / "s").write_text("no database, but long enough" * 99)
    assert "cannot be used" in told(call("export", "out", "b.zip", "--store", "s"))
    unfinished = next((here / "out" / "trace" / "runs").glob("*.parquet"))
    unfinished.unlink()
    assert "is not finished: 1 of 8 runs" in told(call("export", "out", "b.zip"))
    assert not (here / "b.zip").exists()


def test_a_study_that_has_changed_since_is_not_exported(here: Path) -> None:
    assert call(*ASKED).exit_code == 0
    study = here / "studies" / "tiny" / "study.py"
    study.write_text(study.read_text().replace("attack=pin(1)", "attack=None"))
    assert "runs that the study does not ask for" in told(call("export", "out", "a.zip"))
    study.write_text(study.read_text().replace("attack=None", "attack=pin(2)"))
    assert "is not finished" in told(call("export", "out", "a.zip"))
    study.write_text(study.read_text().replace("attack=pin(2)", "attack=pin(1)"))
    with sqlite3.connect(here / "out" / "answers.sqlite") as database:
        rows = database.execute("SELECT key, reply FROM replies ORDER BY key").fetchall()
        for (key, _), (_, reply) in zip(rows, rows[1:] + rows[:1], strict=True):
            database.execute("UPDATE replies SET reply = ? WHERE key = ?", (reply, key))
    database.close()
    said = told(call("export", "out", "a.zip"))
    assert "comes to another trace" in said or "holds no answer" in said
    assert not (here / "a.zip").exists()


def test_an_archive_that_leads_to_another_trace_says_so(here: Path) -> None:
    assert call(*RUN).exit_code == 0
    assert call("export", "out", "a.zip").exit_code == 0
    about, _ = archive.look_into(here / "a.zip")
    archive.unpack(here / "a.zip", here / "other")
    archive.Archive("tiny", about.options, 9, "full", 2, about.digest, 0, "0.0.9").write(
        here / "other"
    )
    archive.pack(here / "other", here / "b.zip")
    said = told(call("replay", "b.zip", "--trust", "--out", "there"))
    assert "leads to another trace here" in said and "written by cloudchamber 0.0.9" in said
