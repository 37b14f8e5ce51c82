"""The forward pass against a slow one written from the equations, loop by loop, in float64."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cloudchamber.errors import ModelError
from cloudchamber.models.embedded import transformer
from cloudchamber.models.embedded.gguf import read_gguf
from cloudchamber.models.embedded.transformer import Memory, Transformer
from cloudchamber.models.embedded.weights import Weights, dequantise, map_weights
from tests.models.embedded.gguf_writer import (
    HEAD,
    HEADS,
    KV_HEADS,
    LAYERS,
    tiny_tensors,
    write_tiny,
)

Floats = NDArray[np.float64]


def norm(x: Floats, weight: Floats) -> Floats:
    return np.asarray(x / np.sqrt((x * x).mean() + 1e-5) * weight)


def rotate(x: Floats, position: int) -> Floats:
    """ggml's rotary embedding for llama files: neighbours (2i, 2i + 1) turn together."""
    out = x.copy()
    for head in range(len(x) // HEAD):
        for i in range(HEAD // 2):
            a, b = head * HEAD + 2 * i, head * HEAD + 2 * i + 1
            angle = position * 10000.0 ** (-2 * i / HEAD)
            out[a] = x[a] * np.cos(angle) - x[b] * np.sin(angle)
            out[b] = x[a] * np.sin(angle) + x[b] * np.cos(angle)
    return out


def slow_logits(tokens: list[int]) -> Floats:
    """Logits after the last token."""
    w = {name: t.astype(np.float64) for name, t in tiny_tensors().items()}
    xs = [w["token_embd.weight"][t] for t in tokens]
    for layer in range(LAYERS):

        def get(name: str, layer: int = layer) -> Floats:
            return w[f"blk.{layer}.{name}.weight"]

        hs = [norm(x, get("attn_norm")) for x in xs]
        keys = [rotate(get("attn_k") @ h, p) for p, h in enumerate(hs)]
        values = [get("attn_v") @ h for h in hs]
        for p, h in enumerate(hs):
            query = rotate(get("attn_q") @ h, p)
            mixed = np.zeros(HEADS * HEAD)
            for head in range(HEADS):
                own = slice(head * HEAD, head * HEAD + HEAD)
                group = head // (HEADS // KV_HEADS)
                shared = slice(group * HEAD, group * HEAD + HEAD)
                scores = np.array([query[own] @ keys[q][shared] for q in range(p + 1)]) / HEAD**0.5
                weights = np.exp(scores) / np.exp(scores).sum()
                mixed[own] = sum(weights[q] * values[q][shared] for q in range(p + 1))
            xs[p] = xs[p] + get("attn_output") @ mixed
        for p, x in enumerate(xs):
            h = norm(x, get("ffn_norm"))
            gate = get("ffn_gate") @ h
            xs[p] = x + get("ffn_down") @ (gate / (1 + np.exp(-gate)) * (get("ffn_up") @ h))
    return np.asarray(w["token_embd.weight"] @ norm(xs[-1], w["output_norm.weight"]))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return dequantise(read_gguf(write_tiny(tmp_path_factory.mktemp("tiny") / "m.gguf")))


def tokens_of(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(count).integers(3, 250, count)


def logits(weights: Weights, *pieces: NDArray[np.int64]) -> NDArray[np.float32]:
    engine, memory = Transformer(weights), Memory(weights, 700)
    for piece in pieces:
        states = engine.extend(memory, piece)
    return np.asarray(engine.logits(states)[0])


@pytest.mark.parametrize("count", [1, 2, 7, 70])
def test_logits_equal_the_slow_pass(weights: Weights, count: int) -> None:
    tokens = tokens_of(count)
    np.testing.assert_allclose(
        logits(weights, tokens), slow_logits(tokens.tolist()), rtol=2e-4, atol=2e-4
    )


def test_pieces_and_chunks_give_the_same_up_to_rounding(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = tokens_of(150)
    whole = logits(weights, tokens)
    np.testing.assert_allclose(logits(weights, tokens[:67], tokens[67:]), whole, atol=1e-4)
    monkeypatch.setattr(transformer, "ROWS", 40)
    np.testing.assert_allclose(logits(weights, tokens), whole, atol=1e-4)


def test_a_tree_of_continuations_equals_each_continuation_alone(weights: Weights) -> None:
    prompt = tokens_of(75)
    # 0: a, 1: b, 2: c after a, 3: d after c, 4: e after b
    nodes = np.array([[11, 12, 13, 14, 15], [-1, -1, 0, 2, 1]])
    paths = [[], [11], [12], [11, 13], [11, 13, 14], [12, 15]]
    engine, memory = Transformer(weights), Memory(weights, 100)
    states = engine.extend(memory, prompt, nodes)
    assert memory.length == 75
    for row, path in zip(engine.logits(states), paths, strict=True):
        alone = logits(weights, np.array([*prompt, *path]))
        np.testing.assert_allclose(row, alone, atol=1e-4)


def test_a_tree_leaves_no_mark_on_what_follows(weights: Weights) -> None:
    prompt, more = tokens_of(20), tokens_of(5)
    engine, memory = Transformer(weights), Memory(weights, 100)
    engine.extend(memory, prompt, np.array([[11, 12], [-1, 0]]))
    assert memory.length == 20
    after = engine.logits(engine.extend(memory, more))[0]
    # Rounding apart: with the tree's rows the first product had another shape.
    np.testing.assert_allclose(after, logits(weights, prompt, more), atol=1e-4)


@pytest.mark.parametrize("nodes", [0, 1, 2, 3])
def test_rows_that_fill_up_a_product_are_in_nobody_s_view(weights: Weights, nodes: int) -> None:
    """Each count of rows beyond a whole tile, as prompt and as tree, against the slow pass."""
    prompt, first = tokens_of(21), np.arange(11, 11 + nodes)
    tree = np.stack([first, np.full(nodes, -1)]) if nodes else None
    engine, memory = Transformer(weights), Memory(weights, 24)  # no room for more than there is
    rows = engine.logits(engine.extend(memory, prompt, tree))
    for row, path in zip(rows, [[], *([node] for node in first)], strict=True):
        alone = logits(weights, np.array([*prompt, *path]))
        np.testing.assert_allclose(row, alone, atol=1e-4)


def test_what_was_cut_and_pasted_is_the_same_bits(weights: Weights) -> None:
    prompt, more = tokens_of(30), tokens_of(5)
    engine, memory, other = Transformer(weights), Memory(weights, 100), Memory(weights, 60)
    engine.extend(memory, prompt)
    other.paste(memory.cut(0))
    np.testing.assert_array_equal(
        engine.logits(engine.extend(other, more)), engine.logits(engine.extend(memory, more))
    )


def test_mapped_weights_are_the_dequantised_ones_and_survive_damage(
    weights: Weights, tmp_path: Path
) -> None:
    gguf, target = read_gguf(write_tiny(tmp_path / "m.gguf")), tmp_path / "folder" / "weights"
    for damage in ("none there", "there", "cut"):
        if damage == "cut":
            target.write_bytes(target.read_bytes()[:-1])
        mapped = map_weights(gguf, target)
        np.testing.assert_array_equal(mapped.qkv, weights.qkv)
        np.testing.assert_array_equal(mapped.unembedding, weights.unembedding)
        assert not mapped.down.flags.writeable
    assert [path.name for path in target.parent.iterdir()] == ["weights"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"general__architecture": "qwen2"}, "architecture 'qwen2'; allowed: 'llama'"),
        ({"llama__rope__scaling__type": "yarn"}, "rope scaling 'yarn'"),
        ({"llama__rope__dimension_count": 4}, "rotary embedding of a part"),
        ({"llama__embedding_length": 64}, "rotary|do not fit"),
        ({"llama__block_count": 4}, r"no tensor 'blk\.3"),
    ],
)
def test_a_file_that_is_no_llama_is_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    gguf = read_gguf(write_tiny(tmp_path / "m.gguf", **changed))
    with pytest.raises(ModelError, match=message):
        dequantise(gguf)
