"""An archive: a study, what it was given and what language models answered it, in one zip file.

It is written by whoever grew the study and read by strangers, and the other way round: what is unpacked
are plain files below one folder, no larger than they say. It knows nothing of what a study does.
"""

import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import IO, Any

import msgspec

from cloudchamber.errors import ArchiveError
from cloudchamber.experiment.manifest import Manifest

__all__ = ["ANSWERS", "CELLS", "Archive", "look_into", "pack", "secrets_in", "unpack"]

FORMAT = "cloudchamber archive 1"
ABOUT = "archive.json"
ANSWERS = "answers.sqlite"
"""The store, within an archive."""
CELLS = "cells.json"
"""The cells' specifications, in an archive without a program."""
MOST_FILES = 2_000
LARGEST = 16 * 2**30
"""Bytes that an archive comes to at most, unpacked."""
MOST_ABOUT = 2**20
DENSEST = 200
"""Times an archive may grow in unpacking; text and JSON grow five- to twentyfold."""
_SLACK = 2**24
_PLACES = ("studies", "given")
_NAMES = {ABOUT, ANSWERS, CELLS, "README.md"}
_PART = re.compile(
    r"[^\x00-\x1f\x7f\\/:*?\"<>|. ]([^\x00-\x1f\x7f\\/:*?\"<>|]*[^\x00-\x1f\x7f\\/:*?\"<>|. ])?"
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW", re.I)
_SHORTEST_SECRET = 8


@dataclass(frozen=True)
class Archive:
    """What an archive is an archive of."""

    study: str
    options: Mapping[str, Any]
    """How the study is built; its paths are below the archive's top."""
    seed: int
    level: str
    replicates: int
    digest: str
    """Of the trace that a replay must come to."""
    answers: int
    """Replies in the store."""
    version: str = ""
    format: str = field(default=FORMAT)

    @classmethod
    def of(
        cls, there: Manifest, options: Mapping[str, Any], digest: str, answers: int
    ) -> "Archive":
        """Of what a folder's manifest says."""
        return cls(
            there.study,
            options,
            there.seed,
            there.level,
            there.replicates,
            digest,
            answers,
            there.version,
        )

    def write(self, folder: Path) -> None:
        """Write it into a folder that is to be packed."""
        body = msgspec.json.format(msgspec.json.encode(asdict(self), order="sorted"), indent=2)
        (folder / ABOUT).write_bytes(body)


def pack(folder: Path, file: Path) -> None:
    """Pack a folder; the same contents give the same bytes.

    Raises:
        ArchiveError: the file is there already, or cannot be written.
    """
    if file.exists():
        raise ArchiveError(f"{file} exists already; give another name, or remove it.")
    fresh = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.file_size = path.stat().st_size
                with path.open("rb") as source, packed.open(entry, "w") as target:
                    shutil.copyfileobj(source, target)
        os.replace(fresh, file)
    except OSError as error:
        raise ArchiveError(f"cannot write {file}: {error.strerror}; give another name.") from None
    finally:
        with suppress(OSError):
            fresh.unlink()


def look_into(file: Path) -> tuple[Archive, tuple[str, ...]]:
    """What an archive says of itself, and the names of its files; nothing is unpacked.

    Raises:
        ArchiveError: it is none, is damaged, or holds what no archive may hold.
    """
    with _opened(file) as packed:
        return _about(file, packed), tuple(entry.filename for entry in _entries(file, packed))


def unpack(file: Path, folder: Path) -> Archive:
    """Unpack an archive into a folder that is not there yet, or empty; all of it or nothing.

    Raises:
        ArchiveError: as `look_into`; or the folder is in use or cannot be written.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ArchiveError(f"{folder} is in use; give another folder with --out.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ArchiveError(f"cannot write {folder}: {error.strerror}.") from None
    try:
        with _opened(file) as packed:
            about = _about(file, packed)
            for entry in _entries(file, packed):
                path = fresh / entry.filename
                path.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as source, path.open("xb") as target:
                    _copy(source, target, entry.file_size, file)
        fresh.chmod(0o755)
        os.replace(fresh, folder)
    except OSError as error:
        raise ArchiveError(f"cannot write {folder}: {error.strerror}.") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return about


def secrets_in(
    parts: Mapping[str, bytes], environment: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Which parts hold the value of an environment variable that is named like a key.

    Args:
        parts: bytes by the name of what they belong to.
        environment: variables; short values tell nothing, and one that ends in _FILE names a file.
    """
    for variable, value in environment.items():
        if not _SECRET.search(variable):
            continue
        secret = _contents(value) if variable.endswith("_FILE") else value
        if len(secret) >= _SHORTEST_SECRET:
            forms = {secret.encode(errors="surrogateescape"), msgspec.json.encode(secret)[1:-1]}
            for name, content in parts.items():
                if any(form in content for form in forms):
                    yield name, variable


def _contents(path: str) -> str:
    with suppress(OSError, ValueError):
        return Path(path).expanduser().read_text(errors="replace").strip()
    return ""


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """An archive opened for reading, whose damage is an error of ours."""
    try:
        packed = zipfile.ZipFile(file)
    except OSError as error:
        raise ArchiveError(f"cannot read {file}: {error.strerror}.") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ArchiveError(_damaged(file, str(error))) from None
    with packed:
        try:
            yield packed
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise ArchiveError(_damaged(file, str(error))) from None


def _about(file: Path, packed: zipfile.ZipFile) -> Archive:
    try:
        with packed.open(ABOUT) as source:
            given = msgspec.json.decode(source.read(MOST_ABOUT))
        if given["format"] != FORMAT:
            raise ArchiveError(f"{file} has the format {given['format']!r}; allowed: {FORMAT!r}.")
        return msgspec.convert(given, Archive)
    except (KeyError, TypeError, msgspec.MsgspecError):
        raise ArchiveError(
            f"{file} is no archive of a study; give a file that 'cloudchamber export' wrote."
        ) from None


def _entries(file: Path, packed: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of an archive, if every one is harmless."""
    entries = [entry for entry in packed.infolist() if not entry.is_dir()]
    names = [entry.filename.casefold() for entry in entries]
    total = sum(entry.file_size for entry in entries)
    room = min(LARGEST, DENSEST * file.stat().st_size + _SLACK)
    if len(entries) > MOST_FILES:
        raise ArchiveError(f"{file} holds {len(entries):,} files; allowed: {MOST_FILES:,}.")
    if total > room:
        raise ArchiveError(f"{file} says that it unpacks to {total:,} bytes; allowed: {room:,}.")
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        plain = kind in (0, stat.S_IFREG) and not entry.flag_bits & 1
        if not plain or not _harmless(entry.filename) or names.count(entry.filename.casefold()) > 1:
            raise ArchiveError(
                f"{file} holds {entry.filename[:80]!r}, which no archive of a study may hold; nothing "
                "was unpacked."
            )
    return entries


def _harmless(name: str) -> bool:
    """Whether a name stays below the archive's top, on any system, and is one of those there may be."""
    if name in _NAMES:
        return True
    parts = name.split("/")
    return (
        len(name) <= 240
        and len(parts) > 1
        and parts[0] in _PLACES
        and PurePosixPath(name).as_posix() == name
        and all(_PART.fullmatch(part) and not _RESERVED.fullmatch(part) for part in parts)
    )


def _copy(source: IO[bytes], target: IO[bytes], size: int, file: Path) -> None:
    left = size
    while piece := source.read(min(left, 2**20) + 1):
        left -= len(piece)
        if left < 0:
            raise ArchiveError(_damaged(file, "a file is larger than it says"))
        target.write(piece)


def _damaged(file: Path, reason: str) -> str:
    return f"{file} is no archive, or damaged ({reason}); have it exported again."
