"""Whatever is wrong ends in one sentence and exit code 2, and harms no trace."""

import json
from pathlib import Path

import pytest

from cloudchamber.trace import TraceFolder
from tests.cli.tiny import call, contents, told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "tinny"], "Did you mean 'tiny'?"),
        (["show", "tinny"], "no study 'tinny'"),
        (["diff", "tiny", "tinny"], "no study 'tinny'"),
        (["diff", "tiny", "tiny:nope"], "no cell 'nope'; allowed: hidden, exact"),
        (["diff", "tiny", "none.json"], "cannot read none.json: No such file"),
        (["show", "tiny", "--cell", "nope"], "no cell 'nope'; allowed: hidden, exact"),
        (["run", "tiny", "--agents", "two-stag"], "no such rule; allowed: "),
        (["run", "tiny", "--agents", "random", "--model", "fake:first"], "give one of them"),
        (["run", "tiny", "--model", "gpt"], "allowed: embedded, gguf:PATH, openai:NAME@URL"),
        (["run", "tiny", "--model", "fake:nope"], "allowed: fail, first"),
        (["run", "tiny", "--model", "gguf:/no/such/file"], "cannot be read as a GGUF file"),
        (["run", "tiny", "--model", "openai:x@http://a:secret@b/v1"], "without a user, a key"),
        (["run", "tiny", "--model", "openai:x@http://[::1"], "allowed: http://HOST[:PORT]/v1"),
        (["run", "tiny", "--model", "openai:x@http://a:99999999/v1"], "allowed: http://HOST"),
        (["run", "tiny", "--model", "openai:@http://a/v1"], "with the model ''"),
        (["run", "tiny", "--model", "gguf:~nobody-of-that-name/x"], "Give the file's whole path"),
        (["run", "tiny", "--model", ""], "at least 1 character"),
        (["run", "tiny", "--agents", ""], "no such rule; allowed: "),
        (["run", "x" * 300], "no study 'xxx"),
        (["run", ""], "no study ''; allowed: cascades, "),
        (["run", "."], "is neither a study's file (.py) nor a folder that holds a study.py"),
        (["run", "/dev/null"], "is neither a study's file"),
        (["diff", "tiny", "tiny:"], "no cell ''"),
        (["show", "tiny", "--cell", ""], "no cell ''"),
        (["report", "/dev/null"], "cannot read /dev/null/study.json"),
        (["run", "tiny", "--seed", "99999999999999999999"], "seed: 99999999999999999999 was given"),
        (["run", "tiny", "--seed", "-1"], "allowed: 0 to 9223372036854775807"),
        (["run", "tiny", "--replicates", "99999999999"], "allowed: 1 to 1000000"),
        (["report", "nothere"], "no such folder: nothere"),
        (["report", "studies"], "is not the output of a study"),
        (["new", "Foo Bar"], "allowed: small letters"),
        (["new", "../foo"], "allowed: small letters"),
        (["new", "tiny"], "studies/tiny exists already"),
    ],
)
def test_what_is_unknown_is_said_with_what_is_allowed(
    here: Path, arguments: list[str], said: str
) -> None:
    assert said in told(call(*arguments))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("visibility.latncy=3", "Did you mean 'latency'?"),
        ("nonsense.x=3", "has no field 'nonsense'"),
        ("visibility.latency=abc", "should be a valid integer (given: 'abc')"),
        ("visibility.latency=3.5", "should be a valid integer (given: 3.5)"),
        ("visibility.latency=NaN", "(given: nan)"),
        ("visibility.latency=-1", "greater than or equal to 0"),
        ("visibility.latency=99999999999999999999999", "nothing would ever be seen"),
        ("population.groups.0.count=1e999", "(given: inf)"),
        ("population.groups.0.count=true", "valid integer"),
        ("population.groups.0.decides.strength=NaN", "finite number"),
        ("population.groups.0.decides.strength=-Infinity", "finite number"),
        ("population.groups.7.count=3", "has no entry '7'; allowed: 0 to 0"),
        ("affordances.most=2", 'choose is "one"'),
        ('affordances={"choose":"up to","most":7}', "7 given, but 6 items are shown; at most 6"),
        ("visibility.top=7", "7 given, but there are 6 items; at most 6"),
        ("visibility.top=0", "greater than or equal to 1"),
        ("world.headlines=[]", "allowed: at least 2"),
        ('world.headlines=["alone"]', "allowed: at least 2"),
        ('world.headlines=["a",""]', "at least 1 character"),
        ("visibility.fields.likes=hidden", "the study's factor 'likes' varies"),
        ('visibility={"top":3}', "the study's factor 'likes' varies"),
        ("visibility.fields.clicks=hidden", "the world 'feed' has no such field"),
        ("visibility.order=sideways", "no kind 'sideways'"),
        ("population.groups.0.name=\ud800", "unicode"),
        ("visibility.latency", "give PATH=VALUE"),
        ("=3", "give PATH=VALUE"),
        ("..=3", "give PATH=VALUE"),
        ("world.headlines=" + "[" * 100_000, "nested too deeply"),
    ],
)
def test_a_change_that_makes_no_sense_names_the_field_and_grows_nothing(
    here: Path, change: str, said: str
) -> None:
    message = told(call("run", "tiny", "--set", change))
    assert said in message
    assert len(message) < 1000
    assert not (here / "out").exists()


def test_a_population_too_large_for_the_machine_is_said(here: Path) -> None:
    said = told(call("run", "tiny", "--set", "population.groups.0.count=10000000000000"))
    assert "no complete run" in said and "Unable to allocate" in said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"title,b\n1,2\n", "has no column 'headline'"),
        ("a.csv", b"", "is empty; give a column 'headline'"),
        ("a.csv", b"headline\n", "holds 0 items; a feed needs at least 2"),
        ("a.csv", b"headline\nonly\n", "holds 1 item; a feed needs at least 2"),
        (
            "a.csv",
            b"headline,quality\na,1\nb,high\n",
            "'quality' holds something that is no number",
        ),
        ("a.csv", b"headline,quality\na,1\nb,nan\n", "finite number"),
        ("a.txt", b"", "holds 0 items"),
        ("a.txt", b"only\n\n  \n", "holds 1 item;"),
        ("a.txt", b"\xff\xfeabc", "is not UTF-8"),
        (
            "a.csv",
            "headline\na\ncafé\n".encode("latin-1"),
            "byte 0xe9 in line 3); save it as UTF-8",
        ),
        ("a.csv", "headline\na\nb\n".encode("utf-16"), "is not UTF-8"),
        ("a.csv", b"\n\n \n", "is empty; give a column 'headline'"),
        ("a.csv", b"title;b\n1;2\n", "its columns are: title, b. Rename one"),
        ("a.csv", b"headline\nx,y\nb\n", "row 1 below the header has 2 fields, the header 1"),
        ("a.csv", b'headline\n"a\nb\n', "close every quotation mark"),
        ("a.csv", b"headline\n" + b"x" * 200_000 + b"\nb\n", "is not CSV (field larger"),
        ("a.csv", b"x" * 100_000, "its columns are: xxx"),
        ("a.txt", b"x" * 2001 + b"\nb\n", "at most 2000 characters"),
    ],
)
def test_items_that_are_none_are_said(here: Path, name: str, content: bytes, said: str) -> None:
    (here / name).write_bytes(content)
    assert said in told(call("run", "tiny", "--items", name))
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"w,item,count\n1,1,1\n", "has no column 'world'"),
        (b"world,item,count\n", "no row below"),
        (b"world,item,count\n1,1,-3\n", "0 or more"),
        (b"world,item,count\n1,1,NaN\n", "0 or more"),
        (b"world,item,count\n1,1,1\n1,1,2\n", "the same world, item and step"),
        (b'world,item,count\n"1,1,1\n', "not CSV"),
    ],
)
def test_field_data_that_are_none_are_said(here: Path, content: bytes, said: str) -> None:
    (here / "f.csv").write_bytes(content)
    arguments = ["run", "herding", "--quick", "--agents", "random", "--field"]
    assert said in told(call(*arguments, "f.csv"))
    assert "cannot be read" in told(call(*arguments, "none.csv"))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("openai:x@http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1: no answer"),
        ("gguf:/no/such/file", "cannot be read as a GGUF file"),
        ("fake:nope", "allowed: fail, first"),
    ],
)
def test_a_model_that_is_not_to_be_had_leaves_a_folder_that_blocks_nobody(
    here: Path, monkeypatch: pytest.MonkeyPatch, model: str, said: str
) -> None:
    monkeypatch.setattr("cloudchamber.models.remote.asking.RETRIES", 0)
    out = ["--out", "out", "--quiet"]
    assert said in told(call("run", "tiny", "--model", model, *out))
    assert call("run", "tiny", "--model", "fake:hash", "--seed", 3, *out).exit_code == 0
    assert set(TraceFolder("out/trace").runs()["model"]) == {"fake:hash"}


@pytest.mark.parametrize(
    "where", ["file/below", "/proc/nothing", "a" * 300, "b" * 300 + "/c", "bytes-\udcff"]
)
def test_a_place_that_cannot_be_written_is_said(here: Path, where: str) -> None:
    (here / "file").write_text("mine")
    assert "give another folder" in told(call("run", "tiny", "--out", where))
    assert (here / "file").read_text() == "mine"


def test_a_file_in_the_folders_place_is_said(here: Path) -> None:
    (here / "file").write_text("mine")
    assert "is a file" in told(call("run", "tiny", "--out", "file"))
    assert "cannot read" in told(call("report", "file"))


def test_a_foreign_folder_is_left_as_it_is(here: Path) -> None:
    (here / "thesis").mkdir()
    (here / "thesis" / "chapter.txt").write_text("mine")
    for command in (["run", "tiny", "--out", "thesis"], ["report", "thesis"]):
        assert "is not the output of a study" in told(call(*command))
    assert list(contents(here / "thesis")) == ["chapter.txt"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--seed", "1", "holds seed 0, and 1 was asked for"),
        ("--level", "summary", "holds level 'full', and 'summary' was asked for"),
    ],
)
def test_another_seed_or_level_is_kept_apart(out: Path, option: str, value: str, said: str) -> None:
    before = contents(out)
    assert said in told(call("run", "tiny", "--out", "out", option, value))
    assert contents(out) == before


def test_another_study_is_kept_apart(out: Path) -> None:
    before = contents(out)
    other = ["run", "herding", "--quick", "--agents", "random", "--out", "out"]
    assert "holds study 'tiny', and 'herding' was asked for" in told(call(*other))
    assert contents(out) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xff",
        b"[1]",
        b"3",
        b"null",
        b'{"format":"another"}',
        b'{"format":"cloudchamber study 1"}',
        b'{"format":"cloudchamber study 1","study":"tiny","options":{},"seed":0,"level":"full",'
        b'"replicates":1,"cells":3}',
    ],
)
def test_a_damaged_manifest_is_said_and_nothing_is_touched(out: Path, body: bytes) -> None:
    (out / "study.json").write_bytes(body)
    before = contents(out)
    assert "study.json" in told(call("run", "tiny", "--out", "out"))
    assert "study.json" in told(call("report", "out"))
    assert contents(out) == before


def test_a_manifest_with_options_that_are_none_is_said(out: Path) -> None:
    manifest = json.loads((out / "study.json").read_text())
    for options in ({}, {"study": 3}):
        (out / "study.json").write_text(json.dumps(manifest | {"options": options}))
        assert "was not written by 'cloudchamber run'" in told(call("report", "out"))


def test_a_manifest_with_options_left_out_is_taken_as_without_them(out: Path) -> None:
    manifest = json.loads((out / "study.json").read_text())
    manifest["options"] = {"study": "tiny"}
    (out / "study.json").write_text(json.dumps(manifest))
    assert call("report", "out").exit_code == 0


def test_a_trace_folder_that_is_none_is_said(out: Path) -> None:
    (out / "trace" / "trace.json").write_text("{}")
    before = contents(out)
    assert "trace.json" in told(call("run", "tiny", "--out", "out"))
    assert contents(out) == before


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("x = 1", "has no function study()"),
        ("def (", "line 1: invalid syntax"),
        ("def study(**given):\n    return 3", "study() gave a int; let it return a Study"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("x = 1\ny = 1 / 0", "line 2: ZeroDivisionError"),
        ("def study(**given):\n    return [][1]", "line 2: IndexError"),
        ("def study():\n    return 3", "has no option --quick; allowed: nothing"),
        ("def study(*, decides=None): return 3", "no option --quick; allowed: --agents or --model"),
        ("async def study(**given): return 3", "study() gave a coroutine"),
        ("study = dict", "study() gave a dict"),
        ("study = 3", "has no function study()"),
        ("import sys; sys.exit(7)", "ended Python itself (exit 7)"),
        ("def study(**given): raise SystemExit", "ended Python itself"),
        ("def study(**given): return study(**given)", "line 1: RecursionError"),
        ("def study(one, **given): return 3", "missing 1 required positional argument"),
        ("x = '\0'", "mine/study.py: source code string cannot contain null bytes"),
    ],
)
def test_a_study_that_is_none_is_said_with_its_line(here: Path, body: str, said: str) -> None:
    (here / "studies" / "mine").mkdir()
    (here / "studies" / "mine" / "study.py").write_text(body)
    assert said in told(call("run", "mine", "--quick"))
    assert "mine" in call("list").output


def test_a_specification_that_is_none_names_its_file(here: Path) -> None:
    (here / "a.json").write_text("{")
    assert told(call("diff", "a.json", "tiny")).startswith("a.json: not JSON")
    (here / "a.json").write_text("[" * 100_000)
    assert told(call("diff", "a.json", "tiny")) == "a.json: nested too deeply to be read."


@pytest.mark.parametrize(
    "model",
    ["openai:x@http://u:{key}@b/v1", "openai:x@http://b/v1?k={key}", "openai:{key}@http://b"],
)
def test_a_key_in_a_models_name_is_refused_before_anything_is_written(
    here: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    key = "sk-not-to-be-seen"
    monkeypatch.setenv("CLOUDCHAMBER_API_KEY", key)
    assert key not in told(call("run", "tiny", "--model", model.format(key=key), "--out", "out"))
    assert not (here / "out" / "study.json").exists()
    monkeypatch.setenv(
        "CLOUDCHAMBER_API_KEY", "x"
    )  # where a server wants none: any name may hold it
    assert call("run", "tiny", "--model", "fake:sampled", "--quiet", "--out", "x").exit_code == 0
