"""Exact readouts of the embedded model beside llama.cpp and torch: same prompts and labels, one thread.

llama.cpp (xllamacpp) reads the file as it is shipped, in 4 bits with activations in 8, and as float32; torch
has the same float32 weights, fused as the small engine's are. All read a prompt once and score labels of
several tokens from what is computed. The engine's shared beginnings are forgotten between questions, but for
the line "in a study", where the role that all prompts begin with is computed once.

Ratios are of processor time, question by question, so that a busy machine matters less.

Run: python -m benchmarks.embedded_rivals [ROUNDS] (needs xllamacpp, torch and the model's file in the cache)
"""

import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.embedded_model import a_list, a_single
from benchmarks.timing import median, table
from cloudchamber.models.embedded.fetch import FILE, cache_folder
from cloudchamber.models.embedded.gguf import Gguf, _Reader, read_gguf
from cloudchamber.models.embedded.readout import Reader
from cloudchamber.models.embedded.weights import LAYOUT, Weights, map_weights
from cloudchamber.models.embedded.workers import worker_environment
from cloudchamber.models.labels import LabelTree
from cloudchamber.models.llamacpp import _Engine, _score, installed
from cloudchamber.models.model import Request

Scores = np.ndarray
Rival = Callable[[Request], Scores]
"""Answers a question: log-probability of each label, not normalised."""


def single(number: int) -> Request:
    return a_single(7 * number)


def short_list(number: int) -> Request:
    """The first twelve lines of a list of 48."""
    whole = a_list(number, likes=False)
    lines = whole.messages[1][1].split("\n")
    text = "\n".join([*lines[:12], *lines[-2:]])
    return Request((whole.messages[0], ("user", text)), whole.options[:12], prefix=whole.prefix)


def ours(reader: Reader, keeps: bool) -> Rival:
    def answer(request: Request) -> Scores:
        if not keeps:
            reader._kept.clear()
            reader._kept_tokens = 0
        reply = reader.answer(request)
        assert reply.logprobs is not None
        return reply.logprobs + np.log(reply.mass)

    return answer


def llama_cpp(path: Path) -> Rival:
    gguf, engine = read_gguf(path), _Engine(path, 2048, 1)
    end = int(gguf.metadata["tokenizer.ggml.eos_token_id"])

    def answer(request: Request) -> Scores:
        from cloudchamber.models.labels import label_tree

        labels = [engine.tokens(request.prefix + label) for label in request.options]
        tree = label_tree(engine.tokens(request.prefix), labels, end)
        found, _ = _score(tree, engine.lists(engine.prompt(request), tree))
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(found))

    return answer


def as_float32(gguf: Gguf, path: Path) -> None:
    """Write a GGUF file anew with every tensor in float32."""
    reader = _Reader(gguf.data)
    reader.at = 24  # magic, version, counts
    for _ in gguf.metadata:
        reader.string()
        reader.value(reader.number("I"))
    infos, sizes = b"", 0
    for name, where in gguf.tensors.items():
        infos += struct.pack("<Q", len(name)) + name.encode()
        infos += struct.pack("<I", len(where.shape))
        infos += struct.pack(f"<{len(where.shape)}Q", *reversed(where.shape))
        infos += struct.pack("<IQ", 0, sizes)
        sizes += -(-int(np.prod(where.shape)) * 4 // 32) * 32
    with path.open("wb") as file:
        file.write(gguf.data[: reader.at] + infos)
        file.write(b"\0" * (-file.tell() % 32))
        for name in gguf.tensors:
            file.write(np.ascontiguousarray(gguf.tensor(name)).tobytes())
            file.write(b"\0" * (-file.tell() % 32))


class Torch:
    """The forward pass in torch, from the engine's fused weights."""

    def __init__(self, weights: Weights, reader: Reader) -> None:
        import torch

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        self.torch, self.reader, self.arch = torch, reader, weights.architecture
        names = ("embedding", "unembedding", "output_norm", "qkv", "out", "gate_up", "down")
        self.w = {name: torch.tensor(np.array(getattr(weights, name))) for name in names}
        self.frequencies = torch.tensor(np.array(weights.frequencies), dtype=torch.float64)

    def __call__(self, request: Request) -> Scores:
        tree: LabelTree = self.reader._tree(request)
        parts = self.reader._tokenizer.prompt(request)
        prompt = [token for part in parts for token in part] + list(tree.shared)
        past: list[object] = []
        states = [self._pass(self.torch.tensor([prompt]), 0, past)[:, -1]]
        assert not (tree.nodes[1] >= 0).any(), "labels of at most two tokens after what they share"
        if tree.nodes.shape[1]:
            nodes = self.torch.tensor(tree.nodes[0][:, None])
            states.append(self._pass(nodes, len(prompt), past)[:, -1])
        logits = self.torch.cat(states) @ self.w["unembedding"].T
        logprobs = self.torch.log_softmax(logits.double(), -1).numpy()
        return tree.score(logprobs)

    def _pass(self, tokens, start, past):  # type: ignore[no-untyped-def]  # tensors: torch is not installed here
        torch, arch = self.torch, self.arch
        rows, length = tokens.shape
        x = self.w["embedding"][tokens]
        angles = torch.arange(start, start + length)[:, None] * self.frequencies
        cos, sin = angles.cos().float(), angles.sin().float()
        for layer in range(arch.layers):
            qkv = (self._norm(x) @ self.w["qkv"][layer]).view(rows, length, -1, arch.head)
            q, k, v = qkv.transpose(1, 2).split([arch.heads, arch.kv_heads, arch.kv_heads], 1)
            q, k = self._rotate(q, cos, sin), self._rotate(k, cos, sin)
            if start:
                k, v = (
                    torch.cat([old.expand(rows, -1, -1, -1), new], 2)
                    for old, new in zip(past[layer], (k, v), strict=True)
                )
            else:
                past.append((k, v))
            mixed = torch.nn.functional.scaled_dot_product_attention(
                q, k, v, is_causal=not start, scale=1.0, enable_gqa=True
            )
            x = x + mixed.transpose(1, 2).reshape(rows, length, -1) @ self.w["out"][layer]
            gate, up = (self._norm(x) @ self.w["gate_up"][layer]).chunk(2, -1)
            x = x + (torch.nn.functional.silu(gate) * up) @ self.w["down"][layer]
        return self._norm(x) * self.w["output_norm"]

    def _norm(self, x):  # type: ignore[no-untyped-def]  # tensors: torch is not installed here
        return x * self.torch.rsqrt((x * x).mean(-1, keepdim=True) + self.arch.epsilon)

    def _rotate(self, x, cos, sin):  # type: ignore[no-untyped-def]  # tensors: torch is not installed here
        left, right = x.chunk(2, -1)
        return self.torch.cat([left * cos - right * sin, right * cos + left * sin], -1)


def measured(rounds: int, folder: Path) -> None:
    path = cache_folder() / FILE
    gguf = read_gguf(path)
    weights = map_weights(gguf, next(cache_folder().glob(f"*.float32-{LAYOUT}")))
    reader = Reader(gguf, weights)
    full = folder / "float32.gguf"
    as_float32(gguf, full)
    rivals: dict[str, Rival] = {
        "embedded model, float32": ours(reader, keeps=False),
        "the same in a study": ours(Reader(gguf, weights), keeps=True),
        "torch, float32": Torch(weights, reader),
        "llama.cpp, float32": llama_cpp(full),
        "llama.cpp, 4 bits as shipped": llama_cpp(path),
    }
    for name, make in (("one item, Yes or No", single), ("a list of 12, two digits", short_list)):
        seconds: dict[str, list[float]] = {rival: [] for rival in rivals}
        wall: dict[str, list[float]] = {rival: [] for rival in rivals}
        apart = dict.fromkeys(rivals, 0.0)
        for rival in rivals.values():
            rival(make(1000))
        for number in range(rounds):
            request, first = make(number), None
            for rival, answer in rivals.items():
                started, used = time.perf_counter(), time.process_time()
                scores = answer(request)
                seconds[rival].append(time.process_time() - used)
                wall[rival].append(time.perf_counter() - started)
                first = scores if first is None else first
                apart[rival] = max(apart[rival], float(np.abs(scores - first).max()))
        mine = seconds["embedded model, float32"]
        tokens = reader.answer(make(0)).tokens_in
        table(
            f"{name}: about {tokens} tokens; median of {rounds} questions, one thread",
            ("", "clock, s", "processor, s", "times the embedded model's", "max |d log p|"),
            [
                (
                    rival,
                    f"{median(wall[rival]):.3f}",
                    f"{median(took):.3f}",
                    f"{median([a / b for a, b in zip(took, mine, strict=True)]):.2f}",
                    f"{apart[rival]:.1g}" if took is not mine else "",
                )
                for rival, took in seconds.items()
            ],
        )


def main(rounds: int = 11) -> None:
    """Print seconds a question, and how far the log-probabilities are apart."""
    if not (cache_folder() / FILE).exists() or not installed():
        raise SystemExit("needs the embedded model's file in the cache, xllamacpp and torch")
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":  # NumPy reads it as it is imported
        command = [sys.executable, "-m", "benchmarks.embedded_rivals", str(rounds)]
        raise SystemExit(subprocess.call(command, env=worker_environment(os.environ)))
    with tempfile.TemporaryDirectory(prefix="embedded_rivals") as folder:
        measured(rounds, Path(folder))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
