from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cloudchamber.errors import ModelError
from cloudchamber.models.embedded.gguf import read_gguf
from tests.models.embedded.gguf_writer import write_gguf, write_tiny

Floats = NDArray[np.float64]


def half(raw: bytes) -> float:
    return float(np.frombuffer(raw, np.float16)[0])


def q4_0(block: bytes) -> list[float]:
    scale, nibbles = half(block[:2]), block[2:]
    return [((b & 15) - 8) * scale for b in nibbles] + [((b >> 4) - 8) * scale for b in nibbles]


def q4_1(block: bytes) -> list[float]:
    scale, least, nibbles = half(block[:2]), half(block[2:4]), block[4:]
    return [(b & 15) * scale + least for b in nibbles] + [(b >> 4) * scale + least for b in nibbles]


def q8_0(block: bytes) -> list[float]:
    return [float(q) * half(block[:2]) for q in np.frombuffer(block[2:], np.int8)]


def q6_k(block: bytes) -> list[float]:
    """ggml's dequantize_row_q6_K, loop by loop."""
    low, high = block[:128], block[128:192]
    scales, scale = np.frombuffer(block[192:208], np.int8), half(block[208:])
    out = [0.0] * 256
    for part in range(2):
        for i in range(32):
            ql, qh = low[64 * part :], high[32 * part + i]
            quarters = (
                (ql[i] & 15) | ((qh & 3) << 4),
                (ql[i + 32] & 15) | (((qh >> 2) & 3) << 4),
                (ql[i] >> 4) | (((qh >> 4) & 3) << 4),
                (ql[i + 32] >> 4) | (((qh >> 6) & 3) << 4),
            )
            for j, q in enumerate(quarters):
                place = 128 * part + 32 * j + i
                out[place] = scale * float(scales[8 * part + i // 16 + 2 * j]) * (q - 32)
    return out


def f16(block: bytes) -> list[float]:
    return [half(block)]


def bf16(block: bytes) -> list[float]:
    return [float(np.frombuffer(b"\0\0" + block, np.float32)[0])]


@pytest.mark.parametrize(
    ("kind", "block", "size", "reference", "at"),
    [
        (1, 1, 2, f16, 0),
        (2, 32, 18, q4_0, 0),
        (3, 32, 20, q4_1, 0),
        (8, 32, 34, q8_0, 0),
        (14, 256, 210, q6_k, 208),
        (30, 1, 2, bf16, 0),
    ],
)
def test_formats_equal_their_definition_block_by_block(
    tmp_path: Path,
    kind: int,
    block: int,
    size: int,
    reference: Callable[[bytes], list[float]],
    at: int,
) -> None:
    rng = np.random.default_rng(kind)
    raw = rng.integers(0, 256, (6, size), dtype=np.uint8)
    if size > 2:  # scales are sane half-precision numbers
        raw[:, at : at + 2] = rng.normal(size=(6, 1)).astype(np.float16).view(np.uint8)
        if kind == 3:
            raw[:, 2:4] = rng.normal(size=(6, 1)).astype(np.float16).view(np.uint8)
    else:
        raw = rng.normal(size=(6, 1)).astype(np.float16).view(np.uint8)
    write_gguf(tmp_path / "m", {"a": 1}, {"t": ((2, 3 * block), kind, raw.tobytes())})
    expected = [x for row in raw for x in reference(row.tobytes())]
    got = read_gguf(tmp_path / "m").tensor("t")
    assert got.shape == (2, 3 * block)
    np.testing.assert_allclose(got.ravel(), expected, rtol=1e-6, atol=1e-6)


def test_metadata_of_each_type_come_back(tmp_path: Path) -> None:
    metadata = {
        "a": 7,
        "b": 0.5,
        "c": "Größe",
        "d": True,
        "e": ["x", "yz"],
        "f": [1, -2],
        "g": [0.25],
    }
    write_gguf(tmp_path / "m", metadata, {})
    assert dict(read_gguf(tmp_path / "m").metadata) == metadata


def test_what_is_not_gguf_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(ModelError, match="not a GGUF file.*b'hell'"):
        read_gguf(tmp_path / "text")
    with pytest.raises(ModelError, match="cannot be read"):
        read_gguf(tmp_path / "empty")
    with pytest.raises(ModelError, match="cannot be read"):
        read_gguf(tmp_path / "missing")


def test_every_cut_of_a_file_is_an_error_and_never_a_crash(tmp_path: Path) -> None:
    whole = write_tiny(tmp_path / "m").read_bytes()
    for length in (5, 9, 30, 200, 3000, len(whole) - 40):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(ModelError, match="damaged|cut short"):
            cut = read_gguf(tmp_path / "cut")
            for name in cut.tensors:
                cut.tensor(name)


def test_unknown_format_names_what_is_known(tmp_path: Path) -> None:
    write_gguf(tmp_path / "m", {}, {"t": ((4,), 99, b"\0" * 64)})
    with pytest.raises(ModelError, match="format 99; allowed: F32, F16, Q4_0"):
        read_gguf(tmp_path / "m").tensor("t")
    with pytest.raises(ModelError, match="no tensor 'u'"):
        read_gguf(tmp_path / "m").tensor("u")
