"""The weights of a llama model as the forward pass wants them: float32, fused, one file mapped by all.

Dequantised once, they are written beside the user's cache and mapped read-only, so that worker processes
start at once and share one copy in memory.

- Query, key and value rows are one matrix, and so are gate and up: fewer, larger products.
- The RMS norms before them and the 1/sqrt(head) of attention are folded in.
- Rows of query and key are put back from ggml's interleaved rotary pairs into halves, which are slices.
"""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import ModelError
from cloudchamber.models.embedded.gguf import Gguf

__all__ = ["LAYOUT", "Architecture", "Weights", "architecture", "dequantise", "map_weights"]

Floats = NDArray[np.float32]

LAYOUT = 1
"""Version of the arrays below; part of the mapped file's name."""
_ALIGN = 4096


@dataclass(frozen=True, slots=True)
class Architecture:
    """The sizes of a llama model."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    head: int
    hidden: int
    vocabulary: int
    context: int
    epsilon: float
    rope_base: float


@dataclass(frozen=True, slots=True)
class Weights:
    """Every array the forward pass reads."""

    architecture: Architecture
    embedding: Floats
    """(vocabulary, width)."""
    unembedding: Floats
    """(vocabulary, width); the same array where the model ties them."""
    output_norm: Floats
    """(width,)."""
    frequencies: Floats
    """(head / 2,): radians a token of the rotary embedding."""
    qkv: Floats
    """(layers, width, (heads + 2 kv_heads) * head)."""
    out: Floats
    """(layers, heads * head, width)."""
    gate_up: Floats
    """(layers, width, 2 * hidden)."""
    down: Floats
    """(layers, hidden, width)."""


def architecture(gguf: Gguf) -> Architecture:
    """The sizes that a file's metadata give.

    Raises:
        ModelError: not a llama model, or one of a kind that is not known here.
    """
    meta = gguf.metadata
    kind = meta.get("general.architecture")
    if kind != "llama":
        raise ModelError(
            f"{gguf.path}: architecture {kind!r}; allowed: 'llama'. "
            "Serve other models with an OpenAI-compatible server and use openai:NAME@URL."
        )
    scaling = meta.get("llama.rope.scaling.type", "none")
    if scaling != "none" or "llama.expert_count" in meta:
        raise ModelError(
            f"{gguf.path}: rope scaling {scaling!r} or experts are not known here; "
            "serve the model with an OpenAI-compatible server and use openai:NAME@URL."
        )
    try:
        heads, width = meta["llama.attention.head_count"], meta["llama.embedding_length"]
        head = meta.get("llama.attention.key_length", width // heads)
        if meta.get("llama.rope.dimension_count", head) != head or head % 2:
            raise ModelError(
                f"{gguf.path}: rotary embedding of a part of a head is not known here."
            )
        return Architecture(
            layers=meta["llama.block_count"],
            width=width,
            heads=heads,
            kv_heads=meta.get("llama.attention.head_count_kv", heads),
            head=head,
            hidden=meta["llama.feed_forward_length"],
            vocabulary=gguf.tensors["token_embd.weight"].shape[0],
            context=meta["llama.context_length"],
            epsilon=float(meta["llama.attention.layer_norm_rms_epsilon"]),
            rope_base=float(meta.get("llama.rope.freq_base", 10000.0)),
        )
    except KeyError as error:
        raise ModelError(f"{gguf.path}: the metadata lacks {error}; fetch it again.") from error


def _halves(rows: Floats, heads: int) -> Floats:
    """Rows (heads, pairs, 2) as ggml writes them -> (heads, 2, pairs)."""
    pairs = rows.reshape(heads, -1, 2, rows.shape[1])
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(rows.shape)


def _layer(gguf: Gguf, arch: Architecture, layer: int) -> tuple[Floats, Floats, Floats, Floats]:
    def get(name: str) -> Floats:
        return gguf.tensor(f"blk.{layer}.{name}.weight")

    query = _halves(get("attn_q"), arch.heads) * np.float32(arch.head**-0.5)
    key = _halves(get("attn_k"), arch.kv_heads)
    qkv = np.concatenate((query, key, get("attn_v"))) * get("attn_norm")
    gate_up = np.concatenate((get("ffn_gate"), get("ffn_up"))) * get("ffn_norm")
    return qkv.T, get("attn_output").T, gate_up.T, get("ffn_down").T


def _frequencies(gguf: Gguf, arch: Architecture) -> Floats:
    pairs = np.arange(arch.head // 2, dtype=np.float64)
    frequencies = arch.rope_base ** (-2.0 * pairs / arch.head)
    if "rope_freqs.weight" in gguf.tensors:  # Llama 3 stretches the slow ones
        frequencies /= gguf.tensor("rope_freqs.weight")
    return frequencies.astype(np.float32)


def _shapes(arch: Architecture, tied: bool) -> dict[str, tuple[int, ...]]:
    table = (arch.vocabulary, arch.width)
    shapes = {
        "embedding": table,
        "unembedding": table,
        "output_norm": (arch.width,),
        "frequencies": (arch.head // 2,),
        "qkv": (arch.layers, arch.width, (arch.heads + 2 * arch.kv_heads) * arch.head),
        "out": (arch.layers, arch.heads * arch.head, arch.width),
        "gate_up": (arch.layers, arch.width, 2 * arch.hidden),
        "down": (arch.layers, arch.hidden, arch.width),
    }
    if tied:
        del shapes["unembedding"]
    return shapes


def _fill(gguf: Gguf, arch: Architecture, arrays: dict[str, Any]) -> None:
    arrays["embedding"][...] = gguf.tensor("token_embd.weight")
    if "unembedding" in arrays:
        arrays["unembedding"][...] = gguf.tensor("output.weight")
    arrays["output_norm"][...] = gguf.tensor("output_norm.weight")
    arrays["frequencies"][...] = _frequencies(gguf, arch)
    for layer in range(arch.layers):
        parts = _layer(gguf, arch, layer)
        for name, part in zip(("qkv", "out", "gate_up", "down"), parts, strict=True):
            arrays[name][layer] = part


def _weights(arch: Architecture, arrays: dict[str, Any]) -> Weights:
    return Weights(arch, **{"unembedding": arrays["embedding"], **arrays})


def dequantise(gguf: Gguf) -> Weights:
    """The weights in this process's own memory.

    Raises:
        ModelError: another architecture, a missing tensor, a shape that does not fit.
    """
    arch = architecture(gguf)
    shapes = _shapes(arch, "output.weight" not in gguf.tensors)
    arrays = {name: np.empty(shape, np.float32) for name, shape in shapes.items()}
    try:
        _fill(gguf, arch, arrays)
    except ValueError as error:
        raise ModelError(f"{gguf.path}: tensors do not fit the metadata ({error}).") from error
    return _weights(arch, arrays)


def map_weights(gguf: Gguf, target: Path) -> Weights:
    """The weights mapped read-only from `target`, which is written first if it is not there.

    The file is a line of JSON (architecture), then the arrays, each aligned to 4096 bytes. It is written
    under another name and renamed, so several processes may do so at once.

    Raises:
        ModelError: as `dequantise`.
        OSError: the target cannot be written (full or read-only disk).
    """
    arch = architecture(gguf)
    shapes = _shapes(arch, "output.weight" not in gguf.tensors)
    header = json.dumps({"layout": LAYOUT, **asdict(arch)}, sort_keys=True).encode() + b"\n"
    offsets, end = {}, len(header)
    for name, shape in shapes.items():
        offsets[name] = -(-end // _ALIGN) * _ALIGN
        end = offsets[name] + 4 * int(np.prod(shape, dtype=np.int64))
    target.parent.mkdir(parents=True, exist_ok=True)
    if not _holds(target, header, end):
        weights = dequantise(gguf)
        _write(target, header, end, {offsets[n]: getattr(weights, n) for n in shapes})
    arrays = {
        name: np.memmap(target, np.float32, "r", offsets[name], shape).view(np.ndarray)
        for name, shape in shapes.items()
    }
    return _weights(arch, arrays)


def _holds(target: Path, header: bytes, size: int) -> bool:
    try:
        with target.open("rb") as file:
            return file.read(len(header)) == header and target.stat().st_size == size
    except FileNotFoundError:
        return False


def _write(target: Path, header: bytes, size: int, arrays: dict[int, Floats]) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(header)
            for offset, array in arrays.items():
                file.seek(offset)
                file.write(array.data)
            file.truncate(size)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
