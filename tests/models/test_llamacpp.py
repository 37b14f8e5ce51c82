"""llama.cpp inside the process: with a stand-in, and with llama.cpp itself where it is installed."""

import asyncio
import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cloudchamber.errors import ModelError
from cloudchamber.models import Reply, Request, llamacpp, open_model
from cloudchamber.models.embedded.fetch import FILE, SIZE, cache_folder
from cloudchamber.models.embedded.gguf import read_gguf
from cloudchamber.models.llamacpp import LlamaCppModel
from cloudchamber.models.parsing import CUT
from tests.models.embedded.gguf_writer import tiny_metadata, write_gguf

REQUEST = Request((("system", "s"), ("user", "a"), ("user", "b")), ("A", "B"), prefix="I say ")
CACHED = cache_folder() / FILE
REAL = importlib.util.find_spec("xllamacpp") is not None
FETCHED = CACHED.is_file() and CACHED.stat().st_size == SIZE


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A GGUF file of an architecture that the small engine does not know."""
    path = tmp_path / "other.gguf"
    write_gguf(path, {**tiny_metadata(), "general.architecture": "gemma"}, {})
    return path


class Stub:
    """In the place of xllamacpp: a token is a letter, and what comes next is told by what came last."""

    def __init__(self, lists: dict[str, dict[str, float]], text: str = "") -> None:
        self.lists, self.text = lists, text
        self.params: list[Any] = []
        self.asked: list[dict[str, Any]] = []
        self.llama_flash_attn_type = SimpleNamespace(LLAMA_FLASH_ATTN_TYPE_DISABLED=0)
        self.CommonParams = lambda: SimpleNamespace(
            model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace()
        )

    def Server(self, params: Any) -> Any:
        self.params.append(params)
        return SimpleNamespace(handle_completions=self.completion, listening_address="")

    def call(self, path: str, body: dict[str, Any]) -> Any:
        if path == "/tokenize":
            return {"tokens": [ord(letter) for letter in body["content"]]}
        return {"prompt": "".join(f"[{m['role']}]{m['content']}" for m in body["messages"])}

    def completion(self, body: dict[str, Any]) -> Any:
        prompt = "".join(map(chr, body["prompt"]))
        self.asked.append({**body, "prompt": prompt})
        choice: dict[str, Any] = {"text": self.text}
        if "n_probs" in body:
            end = max((end for end in self.lists if prompt.endswith(end)), key=len)
            listed = [{"id": ord(t), "logprob": np.log(p)} for t, p in self.lists[end].items()]
            choice["logprobs"] = {"content": [{"top_logprobs": listed}]}
        return {"choices": [choice], "usage": {"completion_tokens": 3}}

    def replies(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, *requests: Request
    ) -> list[Reply]:
        monkeypatch.setitem(sys.modules, "xllamacpp", self)
        monkeypatch.setattr(llamacpp, "installed", lambda: "1.0")
        monkeypatch.setattr(llamacpp._Engine, "_call", lambda _, *given: self.call(*given))
        return asked(LlamaCppModel("gguf:x", read_gguf(path), "d" * 64, threads=1), *requests)


def asked(model: Any, *requests: Request) -> list[Reply]:
    async def main() -> list[Reply]:
        try:
            return [await model.ask(request, 2**40 + 5) for request in requests]
        finally:
            await model.close()

    return asyncio.run(main())


def test_what_is_asked_is_computed_alone_and_from_its_beginning(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = Stub({"I say ": {"A": 0.6, "B": 0.2, "T": 0.2}})
    (reply,) = stub.replies(other, monkeypatch, REQUEST)
    (params,), (body,) = stub.params, stub.asked
    assert (params.n_parallel, params.kv_unified, params.flash_attn_type) == (1, False, 0)
    assert (params.n_ctx, params.cache_ram_mib) == (8192, 0)
    assert (body["prompt"], body["cache_prompt"]) == ("[system]s[user]abI say ", False)
    assert reply.logprobs is not None
    np.testing.assert_allclose(np.exp(reply.logprobs), [0.75, 0.25])
    assert reply.mass == pytest.approx(0.8)
    assert reply.tokens_in == len(body["prompt"])


def test_labels_of_several_tokens_are_scored_whole(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P(12) = .8 * .25, P(34) = .2 * 1; a beginning is asked about once, from what is computed."""
    stub = Stub({"?": {"1": 0.8, "3": 0.2}, "1": {"2": 0.25, "5": 0.7}, "3": {"4": 1.0}})
    request = Request((("user", "which?"),), ("12", "15", "34"))
    (reply,) = stub.replies(other, monkeypatch, request)
    assert [body["cache_prompt"] for body in stub.asked] == [False, True, True]
    assert reply.logprobs is not None
    np.testing.assert_allclose(np.exp(reply.logprobs), np.array([0.2, 0.56, 0.2]) / 0.96)
    assert reply.mass == pytest.approx(0.96)


def test_what_a_list_leaves_open_is_sampled_and_says_why(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B may be as likely as the last of the list, 0.01: a tenth of what was found."""
    stub = Stub({"I say ": {"x": 0.5, "A": 0.1, "y": 0.01}}, " B, I think")
    (reply,) = stub.replies(other, monkeypatch, REQUEST)
    assert (reply.logprobs, reply.choice, reply.text) == (None, 1, " B, I think")
    assert "a sample: 0.01 of probability" in reply.note
    sampled = stub.asked[-1]
    assert (sampled["n_predict"], sampled["seed"], sampled["cache_prompt"]) == (16, 5, False)
    assert (sampled["prompt"], reply.tokens_out) == ("[system]s[user]abI say ", 3)


def test_free_text_is_written(other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = Request((("user", "Write a note."),), max_tokens=30, temperature=0.5)
    stub = Stub({}, " Sell\n40. ")
    replies = stub.replies(other, monkeypatch, free, replace(free, max_tokens=3))
    body = stub.asked[0]
    assert (body["n_predict"], body["temperature"], body["seed"]) == (30, 0.5, 5)
    assert "n_probs" not in body
    assert [reply.text for reply in replies] == ["Sell 40."] * 2
    assert [reply.note for reply in replies] == ["", CUT]
    assert (replies[0].status, replies[0].tokens_out) == ("ok", 3)


def test_what_next_to_nothing_is_left_for_is_exact(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (reply,) = Stub({"I say ": {"A": 0.9, "y": 0.0999}}).replies(other, monkeypatch, REQUEST)
    assert reply.logprobs is not None
    np.testing.assert_array_equal(np.exp(reply.logprobs), [1.0, 0.0])


def test_errors_of_llama_cpp_are_failed_replies(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(_: Any) -> Any:
        raise ValueError("the prompt is too long")

    for answer in (raises, lambda _: {"error": {"message": "too long"}}):
        stub = Stub({})
        monkeypatch.setattr(stub, "completion", answer)
        (reply,) = stub.replies(other, monkeypatch, REQUEST)
        assert reply.status == "failed"
        assert "too long" in reply.reason


def test_a_file_that_only_llama_cpp_reads_asks_for_the_extra(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llamacpp, "installed", lambda: "")
    for name in (f"gguf:{other}", f"llamacpp:{other}"):
        with pytest.raises(ModelError, match=r"pip install 'cloudchamber\[gguf]'"):
            open_model(name)
    monkeypatch.setattr(llamacpp, "installed", lambda: "1.0")
    assert isinstance(open_model(f"gguf:{other}"), LlamaCppModel)


def test_a_file_that_llama_cpp_cannot_load_says_so(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = Stub({})

    def refuses(_: Any) -> Any:
        raise RuntimeError("failed to load model")

    monkeypatch.setattr(stub, "Server", refuses)
    with pytest.raises(ModelError, match="other.gguf: llama.cpp cannot load the file"):
        stub.replies(other, monkeypatch, REQUEST)


@pytest.mark.skipif(not (REAL and FETCHED), reason="needs xllamacpp and the embedded model's file")
def test_llama_cpp_itself_agrees_with_the_small_engine() -> None:
    """On quantised weights: llama.cpp multiplies in 8 bits, so the answers agree but roughly."""
    text = "Deep sea sponges may live for centuries\n\nDo you like this item? Answer Yes or No."
    role = ("system", "You are a reader browsing a news feed.")
    single = Request((role, ("user", text)), ("Yes", "No"), prefix="My answer: ")
    listed = Request(
        (role, ("user", "17: Trains\n42: Boats\n\nWhich do you like? Answer with its code.")),
        ("17", "42"),
        prefix="The item I like most is ",
    )
    requests = [single, listed, single, replace(single, sampled=True, max_tokens=3)]
    here = asked(open_model("embedded", processes=1), *requests[:2])
    there = asked(open_model(f"llamacpp:{CACHED}"), *requests)
    for ours, theirs in zip(here, there, strict=False):
        assert ours.logprobs is not None and theirs.logprobs is not None
        np.testing.assert_allclose(np.exp(theirs.logprobs), np.exp(ours.logprobs), atol=0.15)
        assert theirs.mass == pytest.approx(ours.mass, abs=0.2)
    assert there[0].logprobs is not None and there[2].logprobs is not None
    np.testing.assert_array_equal(there[0].logprobs, there[2].logprobs)
    assert there[3].logprobs is None and there[3].text
