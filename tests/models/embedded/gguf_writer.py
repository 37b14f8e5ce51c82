"""Writes GGUF files, as the specification says, and a tiny random llama model: the tests' other side."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

F32, F16 = 0, 1
_CODES: dict[type, tuple[int, str]] = {bool: (7, "<?"), int: (4, "<I"), float: (6, "<f")}


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    if isinstance(value, list):
        head = struct.pack("<I", 9)
        if value and isinstance(value[0], int):  # token types are int32
            return head + struct.pack(f"<IQ{len(value)}i", 5, len(value), *value)
        inner = [_value(v) for v in value]
        return head + inner[0][:4] + struct.pack("<Q", len(value)) + b"".join(v[4:] for v in inner)
    kind, code = _CODES[type(value)]
    return struct.pack("<I", kind) + struct.pack(code, value)


def write_gguf(
    path: Path,
    metadata: Mapping[str, Any],
    tensors: Mapping[str, tuple[Sequence[int], int, bytes]],
) -> None:
    """Tensors are (shape rows first, ggml type, bytes)."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    head += b"".join(_string(key) + _value(value) for key, value in metadata.items())
    body = b""
    for name, (shape, kind, data) in tensors.items():
        head += _string(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *reversed(shape)) + struct.pack(
            "<IQ", kind, len(body)
        )
        body += data + b"\0" * (-len(data) % 32)
    path.write_bytes(head + b"\0" * (-len(head) % 32) + body)


def as_f32(array: NDArray[np.float32]) -> tuple[Sequence[int], int, bytes]:
    return array.shape, F32, array.astype(np.float32).tobytes()


LAYERS, WIDTH, HEADS, KV_HEADS, HEAD, HIDDEN = 3, 32, 4, 2, 8, 48
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def byte_letters() -> list[str]:
    """GPT-2's letter for each byte."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(b) if b in kept else chr(next(spare)) for b in range(256)]


MERGES = ["Ġ t", "h e", "i n", "Ġt he", "e s", "y es", "n o", "r e", "a t", "Ġ a", "s y", "u s"]


def tiny_metadata() -> dict[str, Any]:
    tokens = [*SPECIAL, *byte_letters(), *(m.replace(" ", "") for m in MERGES)]
    return {
        "general.architecture": "llama",
        "llama.block_count": LAYERS,
        "llama.context_length": 700,
        "llama.embedding_length": WIDTH,
        "llama.feed_forward_length": HIDDEN,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": 10000.0,
        "llama.rope.dimension_count": HEAD,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3] * 3 + [1] * (len(tokens) - 3),
        "tokenizer.ggml.merges": MERGES,
        "tokenizer.ggml.add_bos_token": False,
    }


def tiny_tensors(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Random weights, large enough for attention to be far from even."""
    rng = np.random.default_rng(seed)
    vocabulary = len(tiny_metadata()["tokenizer.ggml.tokens"])

    def matrix(rows: int, columns: int) -> NDArray[np.float32]:
        return np.asarray(rng.normal(size=(rows, columns)) * 1.5 * columns**-0.5, np.float32)

    def norm() -> NDArray[np.float32]:
        weights: NDArray[np.float32] = rng.uniform(0.5, 1.5, WIDTH).astype(np.float32)
        return weights

    tensors = {"token_embd.weight": matrix(vocabulary, WIDTH), "output_norm.weight": norm()}
    for layer in range(LAYERS):
        shapes = {
            "attn_q": (HEADS * HEAD, WIDTH),
            "attn_k": (KV_HEADS * HEAD, WIDTH),
            "attn_v": (KV_HEADS * HEAD, WIDTH),
            "attn_output": (WIDTH, HEADS * HEAD),
            "ffn_gate": (HIDDEN, WIDTH),
            "ffn_up": (HIDDEN, WIDTH),
            "ffn_down": (WIDTH, HIDDEN),
        }
        for name, (rows, columns) in shapes.items():
            tensors[f"blk.{layer}.{name}.weight"] = matrix(rows, columns)
        tensors[f"blk.{layer}.attn_norm.weight"] = norm()
        tensors[f"blk.{layer}.ffn_norm.weight"] = norm()
    return tensors


def write_tiny(path: Path, seed: int = 0, **changed: Any) -> Path:
    """A tiny model; `changed` metadata replace the usual, with "." written "__"."""
    metadata = tiny_metadata() | {key.replace("__", "."): value for key, value in changed.items()}
    write_gguf(path, metadata, {n: as_f32(t) for n, t in tiny_tensors(seed).items()})
    return path
