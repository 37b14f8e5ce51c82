"""A process that answers requests with the small engine: `python -m` this module, `GGUF WEIGHTS`.

Frames on standard input and output: four bytes of length, then JSON. The first frame out says that the
weights are there, or why not. The worker ends when its input ends, so it never outlives its parent.
"""

import os
import signal
import struct
import sys
from pathlib import Path
from typing import IO

import msgspec

from cloudchamber.errors import CloudchamberError
from cloudchamber.models.embedded.gguf import read_gguf
from cloudchamber.models.embedded.readout import Reader
from cloudchamber.models.embedded.weights import dequantise, map_weights
from cloudchamber.models.model import Request, pack

__all__ = ["Asked", "Ready", "receive", "send"]

_LENGTH = struct.Struct("<I")


class Asked(msgspec.Struct):
    """A request with the address of its draw, as it goes down the pipe."""

    request: Request
    draw: int


class Ready(msgspec.Struct):
    """A worker's first word: an empty error, or what went wrong."""

    error: str = ""


def send(pipe: IO[bytes], payload: bytes) -> None:
    """Write a frame."""
    pipe.write(_LENGTH.pack(len(payload)) + payload)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Read a frame; None where the other side is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    payload = pipe.read(length)
    return payload if len(payload) == length else None


def _reader(path: Path, mapped: Path) -> Reader:
    gguf = read_gguf(path)
    try:
        return Reader(gguf, map_weights(gguf, mapped))
    except OSError:  # a full or read-only disk: slower to start, and no shared memory
        return Reader(gguf, dequantise(gguf))


def _serve(source: IO[bytes], sink: IO[bytes], path: Path, mapped: Path) -> None:
    try:
        reader = _reader(path, mapped)
    except CloudchamberError as error:
        send(sink, msgspec.json.encode(Ready(str(error))))
        return
    send(sink, msgspec.json.encode(Ready()))
    while (payload := receive(source)) is not None:
        asked = msgspec.json.decode(payload, type=Asked)
        send(sink, pack(reader.answer(asked.request, asked.draw)))


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints does not end up among the frames
    try:
        _serve(source, sink, Path(sys.argv[1]), Path(sys.argv[2]))
    except BrokenPipeError:
        os._exit(0)  # the parent is gone


if __name__ == "__main__":
    _main()
