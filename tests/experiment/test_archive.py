"""Archives: the same contents give the same bytes; whatever a stranger sends, nothing leaves its folder."""

import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudchamber.errors import ArchiveError
from cloudchamber.experiment import archive
from cloudchamber.experiment.archive import Archive, look_into, pack, secrets_in, unpack

ABOUT = Archive("mine", {"study": "studies/mine/study.py"}, 0, "full", 2, "d" * 64, 7, "0.1.0")
STUDY = "studies/mine/study.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What is to be packed."""
    made = tmp_path / "made"
    (made / "studies" / "mine" / "data").mkdir(parents=True)
    (made / STUDY).write_text("print('hello')\n")
    (made / "studies" / "mine" / "data" / "héadlines 1.csv").write_text("headline\nRain\n")
    (made / "README.md").write_text("# mine\n")
    ABOUT.write(made)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_what_is_unpacked_is_what_was_packed(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "a.zip")
    about, names = look_into(tmp_path / "a.zip")
    assert about == ABOUT and set(names) == set(contents(folder))
    assert unpack(tmp_path / "a.zip", tmp_path / "there" / "out") == ABOUT
    assert contents(tmp_path / "there" / "out") == contents(folder)
    assert [p.name for p in (tmp_path / "there").iterdir()] == ["out"]


def test_the_same_contents_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "a.zip")
    (folder / STUDY).touch()
    pack(folder, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_nothing_that_is_there_is_written_over(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match="exists already"):
        pack(folder, tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match="is in use"):
        unpack(tmp_path / "a.zip", folder)
    with pytest.raises(ArchiveError, match="is in use"):
        unpack(tmp_path / "a.zip", tmp_path / "a.zip")
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match="cannot write"):
        pack(folder, tmp_path / "file" / "a.zip")
    with pytest.raises(ArchiveError, match="cannot write"):
        unpack(tmp_path / "a.zip", tmp_path / "file" / "out")


def made(file: Path, *entries: str | zipfile.ZipInfo, body: bytes = b"x") -> Path:
    """A zip file with the entries of an archive, and more."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(archive.ABOUT, msgspec.json.encode(ABOUT))
        packed.writestr(STUDY, "1")
        for entry in entries:
            packed.writestr(entry, body, zipfile.ZIP_DEFLATED)
    return file


HOSTILE = [
    "/etc/passwd",
    "../up.py",
    "studies/../../up.py",
    "studies/mine/..",
    "studies/./x.py",
    "studies//x.py",
    "studies\\..\\up.py",
    "C:/x.py",
    "studies/C:x.py",
    "studies/mine/.bashrc",
    "studies/mine/.git/hooks/post-checkout",
    "given/nul",
    "given/aux.csv",
    "given/x ",
    "given/x.",
    "given/a\nb",
    "given/a\x7fb",
    "given",
    "study.json",
    "trace/trace.json",
    "elsewhere/x.py",
    "STUDIES/MINE/x.py",
    "studies/Mine/Study.py",
    "readme.md",
    f"studies/{'a' * 250}",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_unpacked(
    tmp_path: Path, name: str
) -> None:
    file = made(tmp_path / "a.zip", name)
    for act in (look_into, lambda file: unpack(file, tmp_path / "out")):
        with pytest.raises(ArchiveError, match="which no archive of a study may hold"):
            act(file)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
@example("studies/x")
def test_a_harmless_name_stays_below_its_folder_on_any_system(name: str) -> None:
    for given_name in (name, f"studies/{name}", f"given/{name}/x"):
        if archive._harmless(given_name):
            parts = given_name.split("/")
            assert not {"", ".", ".."} & set(parts) and "\\" not in given_name
            top = Path("/top/of/it")
            assert (top / given_name).resolve().is_relative_to(top)


def special(kind: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("studies/mine/link.py")
    entry.external_attr = (kind | 0o777) << 16
    return entry


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    file = made(tmp_path / "a.zip", special(kind), body=b"/etc/passwd")
    with pytest.raises(ArchiveError, match=r"link\.py'.* which no archive"):
        unpack(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        file = made(tmp_path / "a.zip", STUDY)
    with pytest.raises(ArchiveError, match="which no archive"):
        look_into(file)


def test_what_would_fill_the_disk_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_SLACK", 1000)
    bomb = made(tmp_path / "bomb.zip", "given/zeros.csv", body=bytes(10**6))
    with pytest.raises(ArchiveError, match="says that it unpacks to 1,000,"):
        unpack(bomb, tmp_path / "out")
    monkeypatch.setattr(archive, "MOST_FILES", 9)
    many = made(tmp_path / "many.zip", *(f"given/{n}.csv" for n in range(9)))
    with pytest.raises(ArchiveError, match="holds 11 files; allowed: 9"):
        look_into(many)


def test_what_is_larger_than_it_says_is_cut_off(tmp_path: Path) -> None:
    file = made(tmp_path / "a.zip", "given/zeros.csv", body=bytes(10**6))
    whole = bytearray(file.read_bytes())
    for place in (whole.rfind(struct.pack("<L", 10**6)), whole.find(struct.pack("<L", 10**6))):
        whole[place : place + 4] = struct.pack("<L", 100)
    file.write_bytes(whole)
    with pytest.raises(ArchiveError, match="is no archive, or damaged"):
        unpack(file, tmp_path / "out")
    assert not (tmp_path / "out").exists() and len(list(tmp_path.iterdir())) == 1


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    place = data.index(b"studies/mine/study.py") + len(b"studies/mine/study.py") + 3
    return data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda _: b"no zip", lambda _: b""])
def test_a_damaged_archive_is_said_and_leaves_nothing(
    folder: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    pack(folder, tmp_path / "a.zip")
    (tmp_path / "a.zip").write_bytes(damage((tmp_path / "a.zip").read_bytes()))
    with pytest.raises(ArchiveError, match=r"a\.zip is no archive"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "made"]


@pytest.mark.parametrize(
    ("about", "message"),
    [
        (b"{", "is no archive of a study"),
        (b"[]", "is no archive of a study"),
        (b'{"format": "cloudchamber archive 9"}', "has the format 'cloudchamber archive 9'"),
        (b'{"format": "cloudchamber archive 1"}', "is no archive of a study"),
        (None, "is no archive of a study"),
    ],
)
def test_a_zip_that_is_no_archive(tmp_path: Path, about: bytes | None, message: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(STUDY, "1")
        if about is not None:
            packed.writestr(archive.ABOUT, about)
    with pytest.raises(ArchiveError, match=message):
        look_into(tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match="cannot read"):
        look_into(tmp_path / "none.zip")


def test_keys_of_the_environment_are_found_in_whatever_holds_them(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file-1234\n")
    environment = {
        "OPENAI_API_KEY": 'sk-"quoted"-987654',
        "CLOUDCHAMBER_API_KEY_FILE": str(tmp_path / "key"),
        "HF_TOKEN": "short",
        "HOME": "/somewhere/private",
    }
    parts = {
        "plain": b'x = sk-"quoted"-987654',
        "json": rb'{"reason": "no: sk-\"quoted\"-987654"}',
        "file": b"..from-a-file-1234..",
        "fine": b"short /somewhere/private " + str(tmp_path / "key").encode(),
    }
    assert sorted(secrets_in(parts, environment)) == [
        ("file", "CLOUDCHAMBER_API_KEY_FILE"),
        ("json", "OPENAI_API_KEY"),
        ("plain", "OPENAI_API_KEY"),
    ]
