"""A llama model's forward pass in NumPy, float32, one sequence at a time.

Knows arrays and positions only: no text, no labels, no processes. Rows are computed against the keys and
values of what came before; after the prompt's last token may come the nodes of a tree of continuations
(`parents`), each attending to the prompt and to its own ancestors, so that many short continuations cost
one pass.

Source: Touvron et al. 2023 (RMS norm, rotary embedding of halves, SwiGLU), Ainslie et al. 2023 (grouped
queries). The numbers depend only on the sequence of calls `extend` makes for this very sequence: rounding
differs with the shape of a product, so whoever wants equal bits must cut a sequence the same way each time.
"""

import numpy as np
from numpy.typing import NDArray

from cloudchamber.models.embedded.weights import Weights

__all__ = ["ROWS", "Memory", "Transformer"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

ROWS = 1024
"""Rows computed at once, so that each weight is fetched once; more would only need more memory."""
_BLOCK = (
    32  # queries whose attention is computed at once: their scores stay in the processor's cache
)
_TILE = 4
"""Rows of a product are filled up to a multiple of this: the odd ones at the end cost more than four."""


class Memory:
    """Keys and values of a sequence: arrays (layers, kv_heads, capacity, head)."""

    def __init__(self, weights: Weights, capacity: int) -> None:
        arch = weights.architecture
        shape = (arch.layers, arch.kv_heads, capacity, arch.head)
        self.keys, self.values = np.empty(shape, np.float32), np.empty(shape, np.float32)
        self.length = 0

    def cut(self, start: int) -> tuple[Floats, Floats]:
        """A copy of what was added from token `start` on."""
        span = slice(start, self.length)
        return self.keys[:, :, span].copy(), self.values[:, :, span].copy()

    def paste(self, part: tuple[Floats, Floats]) -> None:
        """Append what `cut` gave."""
        end = self.length + part[0].shape[2]
        self.keys[:, :, self.length : end] = part[0]
        self.values[:, :, self.length : end] = part[1]
        self.length = end


class Transformer:
    """The forward pass over given weights."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._causal = np.triu(np.full((_BLOCK, _BLOCK), -np.inf, np.float32), 1)

    def extend(self, memory: Memory, tokens: Ints, parents: Ints | None = None) -> Floats:
        """Add tokens to a sequence; give the last one's final state, and those of a tree after it.

        Args:
            memory: keys and values so far; the tokens' are appended (not those of the tree).
            tokens: (n,) token ids, n at least 1.
            parents: None, or (2, m): token ids of tree nodes and, for each, the row of its parent in
                the tree (-1: the last of `tokens`); a parent comes before its children.

        Returns:
            (1 + m, width) normalised states, ready for `logits`.
        """
        for start in range(0, len(tokens), ROWS):
            chunk = tokens[start : start + ROWS]
            if start + ROWS < len(tokens):
                self._pass(memory, chunk, None, wanted=0)
            else:
                state = self._pass(memory, chunk, parents, wanted=1)
        return state

    def logits(self, states: Floats) -> Floats:
        """(rows, vocabulary) logits of final states."""
        logits: Floats = np.matmul(states, self.weights.unembedding.T)
        return logits

    def _pass(self, memory: Memory, tokens: Ints, tree: Ints | None, wanted: int) -> Floats:
        """One pass over the rows of a chunk and its tree; `wanted` 0 asks for keys and values only."""
        arch, start, count = self.weights.architecture, memory.length, len(tokens)
        nodes = 0 if tree is None else tree.shape[1]
        positions = np.arange(start, start + count + nodes)
        mask = None
        if tree is not None:
            tokens = np.concatenate((tokens, tree[0]))
            depths, mask = _tree(tree[1])
            positions[count:] = start + count + depths
        angles = positions[:, None] * self.weights.frequencies.astype(np.float64)
        rotation = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        real = len(tokens)
        x = np.zeros((-(-real // _TILE) * _TILE, arch.width), np.float32)
        x[:real] = self.weights.embedding[tokens]
        for layer in range(arch.layers):
            last = layer == arch.layers - 1
            query = self._attend_to(memory, layer, x, rotation)
            if last:
                if not wanted:
                    break
                x, query = x[count - 1 : real], query[:, count - 1 :]
            rows = query.shape[1] - nodes
            mixed = np.zeros((len(x), arch.heads * arch.head), np.float32)
            self._attention(memory, layer, query, start + count - rows, rows, mask, mixed)
            x = x + np.matmul(mixed, self.weights.out[layer])
            x += self._feed_forward(layer, x)
        memory.length = start + count
        state: Floats = self._norm(x) * self.weights.output_norm
        return state

    def _norm(self, x: Floats) -> Floats:
        square = np.einsum("ij,ij->i", x, x) / np.float32(x.shape[1])
        scale = 1.0 / np.sqrt(square + np.float32(self.weights.architecture.epsilon))
        scaled: Floats = x * scale[:, None]
        return scaled

    def _attend_to(
        self, memory: Memory, layer: int, x: Floats, rotation: tuple[Floats, Floats]
    ) -> Floats:
        """Write the rows' keys and values to memory; give their queries, (kv_heads, rows, group, head).

        Rows of `x` beyond those that have a rotation only fill it up.
        """
        arch, rows = self.weights.architecture, len(rotation[0])
        qkv = np.matmul(self._norm(x), self.weights.qkv[layer])[:rows]
        split = arch.heads + arch.kv_heads
        qkv = qkv.reshape(rows, split + arch.kv_heads, arch.head)
        rotated = _rotate(qkv[:, :split], rotation)
        span = slice(memory.length, memory.length + rows)
        memory.keys[layer, :, span] = rotated[:, arch.heads :].swapaxes(0, 1)
        memory.values[layer, :, span] = qkv[:, split:].swapaxes(0, 1)
        queries = rotated[:, : arch.heads].reshape(rows, arch.kv_heads, -1, arch.head)
        return np.ascontiguousarray(queries.swapaxes(0, 1))

    def _attention(
        self,
        memory: Memory,
        layer: int,
        query: Floats,
        first: int,
        rows: int,
        mask: Floats | None,
        mixed: Floats,
    ) -> None:
        """Write to `mixed` what `rows` queries attend to from `first` on, then the tree's behind them."""
        arch = self.weights.architecture
        group = arch.heads // arch.kv_heads
        total = query.shape[1]
        out = mixed[:total].reshape(total, arch.kv_heads, group, arch.head)
        blocks = [(i, min(i + _BLOCK, rows)) for i in range(0, rows, _BLOCK)]
        masks = [self._causal[: j - i, : j - i] for i, j in blocks]
        if mask is not None:
            blocks.append((rows, total))
            masks.append(mask)
        for kv in range(arch.kv_heads):
            for (i, j), hidden in zip(blocks, masks, strict=True):
                seen = first + j
                queries = query[kv, i:j].reshape((j - i) * group, arch.head)
                scores = np.matmul(queries, memory.keys[layer, kv, :seen].T)
                own = scores.reshape(j - i, group, seen)[:, :, seen - (j - i) :]
                own += hidden[:, None]
                scores -= scores.max(axis=1, keepdims=True)
                np.exp(scores, out=scores)
                heard = np.matmul(scores, memory.values[layer, kv, :seen])
                heard /= scores.sum(axis=1, keepdims=True)
                out[i:j, kv] = heard.reshape(j - i, group, arch.head)

    def _feed_forward(self, layer: int, x: Floats) -> Floats:
        gate_up = np.matmul(self._norm(x), self.weights.gate_up[layer])
        hidden = gate_up.shape[1] // 2
        gate, up = gate_up[:, :hidden], gate_up[:, hidden:]
        swish = np.negative(gate)
        with np.errstate(over="ignore"):  # exp(-gate) of a very negative gate: the product is 0
            np.exp(swish, out=swish)
        swish += 1.0
        np.divide(gate, swish, out=swish)
        swish *= up
        added: Floats = np.matmul(swish, self.weights.down[layer])
        return added


def _rotate(rows: Floats, rotation: tuple[Floats, Floats]) -> Floats:
    """Rotary embedding of (rows, heads, head), pairs being (i, i + head/2)."""
    cos, sin = rotation[0][:, None], rotation[1][:, None]
    half = rows.shape[2] // 2
    out = np.empty_like(rows)
    left, right = rows[:, :, :half], rows[:, :, half:]
    np.multiply(left, cos, out=out[:, :, :half])
    out[:, :, :half] -= right * sin
    np.multiply(right, cos, out=out[:, :, half:])
    out[:, :, half:] += left * sin
    return out


def _tree(parents: Ints) -> tuple[Ints, Floats]:
    """Depths (m,) of a tree's nodes, and what each may not attend to (m, m), as -inf."""
    nodes = len(parents)
    depths = np.zeros(nodes, np.int64)
    mask = np.full((nodes, nodes), -np.inf, np.float32)
    for node, parent in enumerate(parents):
        if parent >= 0:
            depths[node] = depths[parent] + 1
            mask[node] = mask[parent]
        mask[node, node] = 0.0
    return depths, mask
