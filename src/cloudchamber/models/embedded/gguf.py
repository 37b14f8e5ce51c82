"""GGUF files: the metadata and the tensors of a language model, dequantised to float32.

Knows the container and its number formats (ggml's block layouts), nothing of what the tensors mean.
Source: the GGUF specification, version 3 (and 2, equal for what is read here), and ggml's block structs.
"""

import mmap
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import ModelError

__all__ = ["Gguf", "Tensor", "read_gguf"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9


def _halves(raw: Bytes) -> Floats:
    """The float16 number in the first two bytes of each row, as a column."""
    return np.ascontiguousarray(raw[:, :2]).view(np.float16).astype(np.float32)


def _nibbles(raw: Bytes) -> Floats:
    """Low nibbles of a row, then its high ones."""
    return np.concatenate((raw & 15, raw >> 4), axis=1).astype(np.float32)


def _f32(raw: Bytes) -> Floats:
    return np.ascontiguousarray(raw).view(np.float32)


def _f16(raw: Bytes) -> Floats:
    return np.ascontiguousarray(raw).view(np.float16).astype(np.float32)


def _bf16(raw: Bytes) -> Floats:
    wide = np.ascontiguousarray(raw).view(np.uint16).astype(np.uint32) << np.uint32(16)
    return wide.view(np.float32)


def _q4_0(raw: Bytes) -> Floats:
    return (_nibbles(raw[:, 2:]) - 8.0) * _halves(raw)


def _q4_1(raw: Bytes) -> Floats:
    return _nibbles(raw[:, 4:]) * _halves(raw) + _halves(raw[:, 2:])


def _q8_0(raw: Bytes) -> Floats:
    return raw[:, 2:].view(np.int8).astype(np.float32) * _halves(raw)


def _q6_k(raw: Bytes) -> Floats:
    low, high = raw[:, :128].reshape(-1, 2, 64), raw[:, 128:192].reshape(-1, 2, 32)
    quants = np.empty((len(raw), 2, 4, 32), np.int8)
    for quarter in range(4):
        nibble = low[:, :, 32 * (quarter % 2) : 32 * (quarter % 2) + 32] >> (4 * (quarter // 2))
        quants[:, :, quarter] = (nibble & 15) | (((high >> (2 * quarter)) & 3) << 4)
    scales = raw[:, 192:208].view(np.int8).astype(np.float32) * _halves(raw[:, 208:])
    values = (quants.astype(np.float32) - 32.0).reshape(-1, 16, 16) * scales[:, :, None]
    return values.reshape(-1, 256)


@dataclass(frozen=True, slots=True)
class _Format:
    name: str
    block: int  # numbers in a block
    size: int  # bytes of a block
    decode: Callable[[Bytes], Floats]


_FORMATS = {
    0: _Format("F32", 1, 4, _f32),
    1: _Format("F16", 1, 2, _f16),
    2: _Format("Q4_0", 32, 18, _q4_0),
    3: _Format("Q4_1", 32, 20, _q4_1),
    8: _Format("Q8_0", 32, 34, _q8_0),
    14: _Format("Q6_K", 256, 210, _q6_k),
    30: _Format("BF16", 1, 2, _bf16),
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies in its file, and how it is written."""

    shape: tuple[int, ...]
    """Rows first, as NumPy counts (GGUF writes the reverse)."""
    kind: int
    offset: int
    """Bytes from the start of the file."""


@dataclass(frozen=True, slots=True)
class Gguf:
    """An opened GGUF file."""

    path: Path
    metadata: Mapping[str, Any]
    """Keys as written, e.g. "llama.block_count"; arrays are lists."""
    tensors: Mapping[str, Tensor]
    data: mmap.mmap

    def tensor(self, name: str) -> Floats:
        """A tensor as float32, in its own memory.

        Raises:
            ModelError: no such tensor, a number format not known here, a file cut short.
        """
        if name not in self.tensors:
            raise ModelError(f"{self.path}: no tensor {name!r}; the file is not a llama model.")
        self.check_format(name)
        where = self.tensors[name]
        form = _FORMATS[where.kind]
        count = int(np.prod(where.shape, dtype=np.int64)) // form.block
        end = where.offset + count * form.size
        if end > len(self.data):
            raise ModelError(
                f"{self.path}: cut short ({len(self.data)} bytes, {end} needed); fetch it again."
            )
        raw = np.frombuffer(self.data, np.uint8, count * form.size, where.offset)
        return form.decode(raw.reshape(count, form.size)).reshape(where.shape)

    def check_format(self, name: str) -> None:
        """Refuse a tensor whose number format is not known here.

        Raises:
            ModelError: names the tensor, its format and the formats that are known.
        """
        kind = self.tensors[name].kind
        if kind not in _FORMATS:
            known = ", ".join(f.name for f in _FORMATS.values())
            raise ModelError(
                f"{self.path}: tensor {name!r} is in ggml format {kind}; allowed: {known}. "
                "Requantise the file to one of these."
            )


class _Reader:
    """A place in the header of a GGUF file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def number(self, code: str) -> Any:
        size = struct.calcsize("<" + code)
        (value,) = struct.unpack_from("<" + code, self.data, self.at)
        self.at += size
        return value

    def string(self) -> str:
        length = self.number("Q")
        raw = self.data[self.at : self.at + length]
        if len(raw) < length:
            raise struct.error("a string ends after the file")
        self.at += length
        return raw.decode("utf-8", errors="replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.number(_SCALARS[kind])
        inner, count = self.number("I"), self.number("Q")
        if inner in (_STRING, _ARRAY):
            return [self.value(inner) for _ in range(count)]
        code = f"<{count}{_SCALARS[inner]}"
        values = list(struct.unpack_from(code, self.data, self.at))
        self.at += struct.calcsize(code)
        return values


def read_gguf(path: Path) -> Gguf:
    """Read the header of a GGUF file; tensors are read when asked for.

    Raises:
        ModelError: no such file, or one that is not GGUF version 2 or 3, or is damaged.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise ModelError(f"{path}: cannot be read as a GGUF file ({error}).") from error
    if data[:4] != b"GGUF":
        raise ModelError(f"{path}: not a GGUF file (it begins with {data[:4]!r}, not b'GGUF').")
    try:
        return _header(path, data)
    except (struct.error, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise ModelError(f"{path}: a damaged GGUF file ({error}); fetch it again.") from error


def _header(path: Path, data: mmap.mmap) -> Gguf:
    reader = _Reader(data)
    reader.at = 4
    version = reader.number("I")
    if version not in (2, 3):
        raise ModelError(f"{path}: GGUF version {version}; allowed: 2, 3.")
    tensor_count, key_count = reader.number("Q"), reader.number("Q")
    metadata = {}
    for _ in range(key_count):
        key = reader.string()
        metadata[key] = reader.value(reader.number("I"))
    found = {}
    for _ in range(tensor_count):
        name = reader.string()
        shape = tuple(reader.number("Q") for _ in range(reader.number("I")))[::-1]
        found[name] = (shape, reader.number("I"), reader.number("Q"))
    step = metadata.get("general.alignment", 32)
    start = -(-reader.at // step) * step
    tensors = {name: Tensor(shape, kind, start + at) for name, (shape, kind, at) in found.items()}
    return Gguf(path, metadata, tensors, data)
