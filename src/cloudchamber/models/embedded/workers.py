"""The embedded language model: worker processes, one BLAS thread each, asked from asyncio.

Workers are plain subprocesses spoken to over pipes: their environment is set before NumPy loads, the
user's script is not imported again, and they end with the parent. They read one mapped copy of the weights.
"""

import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

import msgspec

from cloudchamber.errors import ModelError
from cloudchamber.models.embedded.worker import Asked, Ready, receive, send
from cloudchamber.models.model import Reply, Request, unpack

__all__ = ["ENGINE", "EmbeddedModel", "worker_environment"]

ENGINE = "numpy-fp32-2"
"""Part of the fingerprint; changes when the same weights may give other numbers."""

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
# Freed arrays of a pass are kept for the next instead of going back to the system each time (glibc).
_KEPT = {"MALLOC_MMAP_THRESHOLD_": "268435456", "MALLOC_TRIM_THRESHOLD_": "268435456"}
_AVX512 = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}


def worker_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker: one thread, and OpenBLAS's AVX-512 kernels where there is AVX-512.

    OpenBLAS takes a processor it does not know by name for a Haswell, at half the speed.
    """
    package = str(Path(__file__).resolve().parents[2])
    found = [package, given["PYTHONPATH"]] if given.get("PYTHONPATH") else [package]
    environment = {
        **_KEPT,
        **given,
        **dict.fromkeys(_THREADS, "1"),
        "PYTHONPATH": os.pathsep.join(found),
    }
    if "OPENBLAS_CORETYPE" not in given and _has_avx512():
        environment["OPENBLAS_CORETYPE"] = "SkylakeX"
    return environment


def _has_avx512() -> bool:
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return False
    return any(line.startswith("flags") and set(line.split()) >= _AVX512 for line in lines)


class _Worker:
    """One process, asked one thing at a time."""

    def __init__(self, path: Path, mapped: Path) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cloudchamber.models.embedded.worker", str(path), str(mapped)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=worker_environment(os.environ),
            start_new_session=True,  # Ctrl-C is the parent's
        )
        ready = msgspec.json.decode(self._receive(), type=Ready)
        if ready.error:
            self.stop()
            raise ModelError(ready.error)

    def ask(self, payload: bytes) -> Reply:
        assert self.process.stdin is not None
        try:
            send(self.process.stdin, payload)
        except (BrokenPipeError, ValueError) as error:
            raise self._died() from error
        return unpack(self._receive())

    def _receive(self) -> bytes:
        assert self.process.stdout is not None
        try:
            payload = receive(self.process.stdout)
        except ValueError:  # closed under our hands
            payload = None
        if payload is None:
            raise self._died()
        return payload

    def _died(self) -> ModelError:
        code = self._end()
        try:
            self._log.seek(0)
            said = self._log.read()[-2000:].decode(errors="replace").strip().splitlines()
        except ValueError:  # the model was closed while it was asked
            said = []
        self._release()
        cause = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        last = f": {said[-1]}" if said else ""
        return ModelError(
            f"a process of the embedded language model died ({cause}){last}. "
            "With little memory use fewer processes; each needs about 0.3 GB beside 0.6 GB shared."
        )

    def _end(self) -> int:
        """End the process; give its exit code."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()  # an idle worker ends by itself
        try:
            return self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _release(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._end()
        self._release()


class EmbeddedModel:
    """A llama-architecture GGUF file answered by the NumPy engine in worker processes.

    Args:
        name: what the user called it.
        path: the GGUF file.
        mapped: where the dequantised weights are, or will be written.
        digest: SHA-256 of the GGUF file.
        processes: workers, started when first needed.

    Raises:
        ModelError: from `ask`, when a worker died or the file cannot be used; the next `ask` starts anew.
    """

    exact = True

    def __init__(self, name: str, path: Path, mapped: Path, digest: str, processes: int) -> None:
        if processes < 1:
            raise ModelError(f"processes: {processes} was given; allowed: 1 or more.")
        self.name = name
        self.fingerprint = f"{path.stem}:{digest[:16]}:{ENGINE}"
        self.at_once = 2 * processes
        """Questions worth handing to it at a time; an interrupt waits for no more than these."""
        self._path, self._mapped = path, mapped
        self._first = Lock()
        self._all: list[_Worker] = []
        self._idle: SimpleQueue[_Worker | None] = SimpleQueue()
        for _ in range(processes):
            self._idle.put(None)
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="embedded-model")
        self._closed = False
        weakref.finalize(self, _stop_all, self._all)

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """Answer a request; see `Model.ask`."""
        if self._closed:
            raise ModelError(f"the model {self.name!r} is closed; open it again.")
        payload = msgspec.json.encode(Asked(request, draw))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._exchange, payload)

    def _exchange(self, payload: bytes) -> Reply:
        worker = self._idle.get()
        try:
            if worker is None:
                worker = self._start()
            return worker.ask(payload)
        except ModelError:
            worker = None
            raise
        finally:
            self._idle.put(worker)

    def _start(self) -> _Worker:
        if self._mapped.exists():
            worker = _Worker(self._path, self._mapped)
        else:
            with self._first:  # one writes the mapped weights, the others find them
                worker = _Worker(self._path, self._mapped)
        self._all.append(worker)
        if self._closed:
            worker.stop()
        return worker

    async def close(self) -> None:
        """Stop the workers, whatever they are doing."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.get_running_loop().run_in_executor(None, _stop_all, self._all)


def _stop_all(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.process.kill()
    for worker in workers:
        worker.stop()
