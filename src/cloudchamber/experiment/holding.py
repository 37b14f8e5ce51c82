"""Holding a folder: one process grows it at a time, or two would clear away each other's unfinished parts."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudchamber.errors import TraceError

__all__ = ["held", "lock_of"]


def lock_of(folder: Path) -> Path:
    """The file by which a folder is held."""
    return folder.with_name(f".{folder.name}.lock")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a trace folder for growing, by a lock beside it that ends with the process, however it ends.

    Where the file system knows no locks, nothing is held.

    Raises:
        TraceError: another process grows it, or nothing can be written there.
    """
    path = lock_of(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(path)
    except BlockingIOError:
        raise TraceError(
            f"another process is growing {folder}; wait for it to end, or give another folder with --out."
        ) from None
    except OSError as error:
        raise TraceError(
            f"cannot write {path}: {error.strerror}; give another folder with --out."
        ) from None
    try:
        yield
    finally:
        # First removed, then let go: who waits for it sees that its file is no longer the one there.
        with suppress(OSError):
            path.unlink()
        os.close(file)


def _locked(path: Path) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(file)
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        return
    import fcntl  # POSIX alone has it

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return
