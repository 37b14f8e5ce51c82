"""Any GGUF file, answered by llama.cpp inside this process; needs the extra `gguf` (xllamacpp).

For files that the small engine cannot read. Labels are scored token by token as there, but llama.cpp gives
lists of the likeliest tokens only: a readout is exact where the lists settle it, else the text is sampled.

Each question is computed alone and from its beginning: one slot, no flash attention, no prompt cache but
for what the question itself has just computed. With any of them the same question has other numbers after
another history (measured: log-probabilities moved by up to 0.66 where a prompt was taken from the cache).
"""

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from math import exp
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.error import HTTPError
from urllib.request import OpenerDirector, ProxyHandler, build_opener
from urllib.request import Request as Call

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import ModelError
from cloudchamber.models.embedded.gguf import Gguf
from cloudchamber.models.labels import LabelTree, label_tree
from cloudchamber.models.model import Reply, Request
from cloudchamber.models.parsing import CUT, read_text
from cloudchamber.models.scoring import UNCOVERED, distribution

__all__ = ["INSTALL", "LlamaCppModel", "installed"]

INSTALL = "pip install 'cloudchamber[gguf]'"
LISTED = 1000
"""Likeliest tokens that are asked for; the whole vocabulary would double the time of a short question."""
CONTEXT = 8192  # tokens at most, whatever the model could read


def installed() -> str:
    """The version of xllamacpp; empty if it is not there."""
    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        return ""


class LlamaCppModel:
    """A GGUF file of any architecture that llama.cpp knows, loaded when first asked.

    Args:
        name: what the user called it.
        gguf: the file, opened.
        digest: its SHA-256.
        threads: of llama.cpp; the machine's cores if None.

    Raises:
        ModelError: xllamacpp is not installed; from `ask`, llama.cpp cannot load the file.
    """

    exact = False

    def __init__(self, name: str, gguf: Gguf, digest: str, threads: int | None = None) -> None:
        engine = installed()
        if not engine:
            raise ModelError(f"{name} needs llama.cpp, which is not installed; run: {INSTALL}.")
        self.name = name
        self.fingerprint = f"{gguf.path.stem}:{digest[:16]}:xllamacpp-{engine}"
        self._path = gguf.path
        kind = gguf.metadata.get("general.architecture")
        self._context = min(CONTEXT, int(gguf.metadata.get(f"{kind}.context_length", CONTEXT)))
        self._end = int(gguf.metadata.get("tokenizer.ggml.eos_token_id", -1))
        self._cores = threads or max(1, os.cpu_count() or 1)
        self._engine: _Engine | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="llamacpp")
        self._closed = False

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """Answer a request; see `Model.ask`. Requests are answered one after the other."""
        if self._closed:
            raise ModelError(f"the model {self.name!r} is closed; open it again.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._answer, request, draw)

    def _answer(self, request: Request, draw: int) -> Reply:
        start = perf_counter()
        if self._engine is None:
            self._engine = _Engine(self._path, self._context, self._cores)
        try:
            reply = self._read(self._engine, request, draw)
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            reply = {"status": "failed", "reason": f"llama.cpp: {error}"[:300]}
        return Reply(**reply, seconds=perf_counter() - start)

    def _read(self, engine: "_Engine", request: Request, draw: int) -> dict[str, Any]:
        prompt = engine.prompt(request)
        note = ""
        if request.options and not request.sampled:
            tree = self._tree(engine, request)
            found, left = _score(tree, engine.lists(prompt, tree))
            if found.any() and left <= UNCOVERED * found.sum():
                logprobs, mass = distribution(found, request.temperature), min(found.sum(), 1.0)
                tokens_in = len(prompt) + len(tree.shared)
                return {"logprobs": logprobs, "mass": float(mass), "tokens_in": tokens_in}
            note = f"a sample: {left:.2g} of probability may lie beyond the {LISTED} tokens listed"
        prompt += engine.tokens(request.prefix)
        text, tokens = engine.text(prompt, request, draw)
        if not request.options and tokens >= request.max_tokens:
            note = CUT
        counted = {"tokens_in": len(prompt), "tokens_out": tokens, "note": note}
        return {**read_text(text, request), **counted}

    def _tree(self, engine: "_Engine", request: Request) -> LabelTree:
        labels = [engine.tokens(request.prefix + label) for label in request.options]
        return label_tree(engine.tokens(request.prefix), labels, self._end)

    async def close(self) -> None:
        """Let go of the weights, once what is being answered is answered."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)
        self._engine = None


class _Engine:
    """llama.cpp with one file, asked one thing at a time."""

    def __init__(self, path: Path, context: int, threads: int) -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel, params.kv_unified = context, 1, False
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.cache_ram_mib, params.verbosity = 0, -1
        try:
            self._server = xllamacpp.Server(params)
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"{path}: llama.cpp cannot load the file ({error}); a newer xllamacpp may know it."
            ) from error
        self._opener: OpenerDirector = build_opener(ProxyHandler({}))

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What has no function of its own is asked of its address on this machine."""
        call = Call(self._server.listening_address + path, json.dumps(body).encode())
        call.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(call, timeout=60) as answer:
                told: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            raise ValueError(error.read(300).decode(errors="replace")) from error
        return told

    def tokens(self, text: str, whole: bool = False) -> list[int]:
        """Tokens of a text as it stands, or of a whole prompt with its marks of turns."""
        body = {"content": text, "add_special": whole, "parse_special": whole}
        return [int(token) for token in self._call("/tokenize", body)["tokens"]] if text else []

    def prompt(self, request: Request) -> list[int]:
        """Tokens of a request in the file's own form of chats, up to where the answer begins."""
        turns = [{"role": role, "content": "".join(texts)} for role, texts in request.turns()]
        told = self._call("/apply-template", {"messages": turns})
        return self.tokens(told["prompt"], whole=True)

    def lists(self, prompt: list[int], tree: LabelTree) -> list[dict[int, float]]:
        """For each row of a tree, the likeliest next tokens and their log-probabilities."""
        start = [*prompt, *tree.shared]
        paths: list[list[int]] = [[]]
        for token, parent in tree.nodes.T:
            paths.append([*paths[parent + 1], int(token)])
        found = []
        for path in paths:
            body = {"n_predict": 1, "n_probs": LISTED, "cache_prompt": bool(path)}
            choice = self._completion({"prompt": start + path, **body})
            listed = choice["logprobs"]["content"][0]["top_logprobs"]
            found.append({int(one["id"]): float(one["logprob"]) for one in listed})
        return found

    def text(self, prompt: list[int], request: Request, draw: int) -> tuple[str, int]:
        """A sampled text, and its tokens."""
        body = {
            "prompt": prompt,
            "n_predict": request.max_tokens,
            "temperature": request.temperature,
            "seed": draw & 0x7FFFFFFF,
            "cache_prompt": False,
        }
        choice = self._completion(body)
        return choice["text"], choice["tokens"]

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        told = self._server.handle_completions(body)
        if not isinstance(told, dict) or not told.get("choices"):
            raise ValueError(f"no completion: {told!r}")
        choice: dict[str, Any] = told["choices"][0]
        return {**choice, "tokens": told.get("usage", {}).get("completion_tokens", 0)}


def _score(tree: LabelTree, lists: list[dict[int, float]]) -> tuple[NDArray[np.float64], float]:
    """Probability of each label, and a bound of what unlisted tokens may add to all of them.

    An unlisted token is at most as likely as the last one listed, and as what is left to one.
    """
    found, left = np.zeros(len(tree.rows)), 0.0
    for place, (rows, tokens) in enumerate(zip(tree.rows, tree.tokens, strict=True)):
        chance = 1.0
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            listed = lists[row]
            if token not in listed:
                remainder = max(0.0, 1.0 - sum(map(exp, listed.values())))
                left += chance * min(remainder, exp(min(listed.values(), default=0.0)))
                break
            chance *= exp(listed[token])
        else:
            found[place] = chance
    return found, left
