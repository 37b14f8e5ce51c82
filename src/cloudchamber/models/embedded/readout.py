"""Requests answered by the small engine: exact distributions over labels, or sampled text.

What is computed, and in which pieces, is a function of the request alone, never of what was asked before:
a prompt is cut at its messages' seams; each piece is one series of passes given the pieces before it. The
pieces' keys and values are kept for requests that begin alike, and are the same bits as computed anew.
"""

from collections import OrderedDict
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import ModelError
from cloudchamber.models.embedded.gguf import Gguf
from cloudchamber.models.embedded.tokenizer import ChatTokenizer, Parts
from cloudchamber.models.embedded.transformer import Memory, Transformer
from cloudchamber.models.embedded.weights import Weights, architecture
from cloudchamber.models.labels import LabelTree, label_tree
from cloudchamber.models.model import Reply, Request
from cloudchamber.models.parsing import CUT, read_text
from cloudchamber.randomness import gumbels, keys

__all__ = ["DECIMALS", "Reader", "check_readable"]

Part = tuple[NDArray[np.float32], NDArray[np.float32]]

DECIMALS = 6
"""Log-probabilities are rounded to this many decimals. On one machine they are equal bits; between kinds of
processors they differ by up to 3e-5 (measured between OpenBLAS's kernels on list prompts, median 6e-6), so
a choice drawn under the same noise differs a few times in 100,000. Replay elsewhere is from the store."""
KEPT_TOKENS = 4096
"""Tokens of shared beginnings whose keys and values are kept; 46 KB each with the embedded model."""
_ROOM = 256  # tokens of memory that are added at a time


def check_readable(gguf: Gguf) -> None:
    """Refuse a file that this engine cannot read, by its header alone.

    Raises:
        ModelError: an architecture, a number format or a tokenizer that is not known here.
    """
    architecture(gguf)
    for name in gguf.tensors:
        gguf.check_format(name)
    ChatTokenizer(gguf.metadata, gguf.path)


class Reader:
    """Answers requests with one model's weights, one at a time."""

    def __init__(self, gguf: Gguf, weights: Weights) -> None:
        self._tokenizer = ChatTokenizer(gguf.metadata, Path(gguf.path))
        self._transformer = Transformer(weights)
        self._weights = weights
        self._memory = Memory(weights, 4 * _ROOM)
        self._kept: OrderedDict[bytes, Part] = OrderedDict()
        self._kept_tokens = 0

    def answer(self, request: Request, draw: int = 0) -> Reply:
        """Answer a request: by exact distribution if it has options, unless a sample is wanted."""
        start = perf_counter()
        parts = self._tokenizer.prompt(request)
        try:
            tree = self._tree(request) if request.options and not request.sampled else None
        except ModelError as error:
            return Reply(status="failed", reason=str(error))
        shared = tree.shared if tree else self._tokenizer.encode(request.prefix)
        parts[-1] = [*parts[-1], *shared]
        length = sum(map(len, parts))
        longest = length + (tree.nodes.shape[1] if tree else request.max_tokens)
        limit = self._weights.architecture.context
        if longest > limit:
            reason = (
                f"the prompt and its answers are {longest} tokens; the model reads {limit} at most."
            )
            return Reply(status="failed", reason=reason, tokens_in=length)
        self._reserve(longest)
        reply = self._exact(request, parts, tree) if tree else self._sampled(request, parts, draw)
        return Reply(
            **{**reply, "tokens_in": length, "seconds": perf_counter() - start},  # type: ignore[arg-type]
        )

    def _tree(self, request: Request) -> LabelTree:
        encode = self._tokenizer.encode
        labels = [encode(request.prefix + label) for label in request.options]
        return label_tree(encode(request.prefix), labels, self._tokenizer.end)

    def _reserve(self, longest: int) -> None:
        if self._memory.keys.shape[2] < longest:
            self._memory = Memory(self._weights, -(-longest // _ROOM) * _ROOM)

    def _read(self, parts: Parts, tree: LabelTree | None) -> NDArray[np.float32]:
        """Read a prompt; give the logits after its last token, and after each node of the tree."""
        self._memory.length = 0
        seen = b""
        for part in parts[:-1]:
            tokens = np.array(part, np.int64)
            seen += tokens.tobytes() + b"|"
            if seen in self._kept:
                self._kept.move_to_end(seen)
                self._memory.paste(self._kept[seen])
            else:
                start = self._memory.length
                self._transformer.extend(self._memory, tokens)
                self._keep(seen, self._memory.cut(start))
        nodes = tree.nodes if tree is not None and tree.nodes.shape[1] else None
        states = self._transformer.extend(self._memory, np.array(parts[-1], np.int64), nodes)
        return self._transformer.logits(states)

    def _keep(self, seen: bytes, part: Part) -> None:
        self._kept[seen] = part
        self._kept_tokens += part[0].shape[2]
        while self._kept_tokens > KEPT_TOKENS and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._kept_tokens -= old[0].shape[2]

    def _exact(self, request: Request, parts: Parts, tree: LabelTree) -> dict[str, object]:
        logits = self._read(parts, tree).astype(np.float64)
        scores = tree.score(_log_softmax(logits / (request.temperature or 1.0)))
        mass = float(np.exp(scores).sum())
        if request.temperature == 0.0:
            scores = np.where(np.arange(len(scores)) == scores.argmax(), 0.0, -np.inf)
        logprobs = np.round(_log_softmax(scores[None])[0], DECIMALS)
        return {"logprobs": logprobs, "mass": float(f"{min(mass, 1.0):.6g}")}

    def _sampled(self, request: Request, parts: Parts, draw: int) -> dict[str, object]:
        """A text drawn token by token, with Gumbel noise under the draw's key.

        Free text ends at whatever is no text; an answer to options only with the turn.
        """
        logits = self._read(parts, None)[0]
        ends = {self._tokenizer.end} | (set() if request.options else self._tokenizer.special)
        answer: list[int] = []
        while len(answer) < request.max_tokens:
            scores = logits.astype(np.float64)
            if request.temperature:
                key = keys(draw, 0, "token", step=len(answer))
                scores = scores / request.temperature + gumbels(key, len(scores))
            token = int(scores.argmax())
            if token in ends:
                break
            answer.append(token)
            if len(answer) < request.max_tokens:
                state = self._transformer.extend(self._memory, np.array([token], np.int64))
                logits = self._transformer.logits(state)[0]
        text = self._tokenizer.decode(answer)
        cut = not request.options and len(answer) == request.max_tokens
        note = {"note": CUT} if cut else {}
        return {**read_text(text, request), **note, "tokens_out": len(answer)}


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
