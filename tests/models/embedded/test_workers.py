"""The worker processes, with a tiny model; and the embedded model itself where it has been fetched."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import ModelError
from cloudchamber.models import Reply, Request, open_model
from cloudchamber.models.embedded.fetch import FILE, SIZE, cache_folder
from cloudchamber.models.embedded.gguf import read_gguf
from cloudchamber.models.embedded.readout import Reader
from cloudchamber.models.embedded.weights import dequantise
from cloudchamber.models.embedded.workers import EmbeddedModel, worker_environment
from tests.models.embedded.gguf_writer import write_tiny

REQUEST = Request((("system", "be"), ("user", "yes or no?")), ("yes", "no"))
FETCHED = (cache_folder() / FILE).is_file() and (cache_folder() / FILE).stat().st_size == SIZE


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLOUDCHAMBER_CACHE", str(tmp_path / "cache"))
    return write_tiny(tmp_path / "tiny.gguf")


def using(
    name: str, processes: int, act: Callable[[EmbeddedModel], Awaitable[list[Reply]]]
) -> list[Reply]:
    async def main() -> list[Reply]:
        model = open_model(name, processes=processes)
        assert isinstance(model, EmbeddedModel)
        try:
            return await act(model)
        finally:
            await model.close()

    return asyncio.run(main())


def test_two_workers_answer_as_this_process_does(tiny: Path) -> None:
    requests = [replace(REQUEST, messages=(("user", f"{n} yes or no?"),)) for n in range(12)]
    gguf = read_gguf(tiny)
    here = Reader(gguf, dequantise(gguf))

    async def act(model: EmbeddedModel) -> list[Reply]:
        return list(await asyncio.gather(*(model.ask(request) for request in requests)))

    for request, reply in zip(requests, using(f"gguf:{tiny}", 2, act), strict=True):
        expected = here.answer(request)
        assert reply.logprobs is not None
        assert expected.logprobs is not None
        np.testing.assert_allclose(reply.logprobs, expected.logprobs, atol=1e-4)
        assert (reply.status, reply.tokens_in) == ("ok", expected.tokens_in)


def test_a_worker_that_dies_is_an_error_and_the_next_question_is_answered(tiny: Path) -> None:
    async def act(model: EmbeddedModel) -> list[Reply]:
        await model.ask(REQUEST)
        (worker,) = model._all
        worker.process.send_signal(signal.SIGKILL)
        worker.process.wait()
        with pytest.raises(ModelError, match="died .killed by signal 9.*fewer processes"):
            await model.ask(REQUEST)
        return [await model.ask(REQUEST)]

    assert using(f"gguf:{tiny}", 1, act)[0].status == "ok"


def test_workers_end_with_the_model_and_do_not_hear_ctrl_c(tiny: Path) -> None:
    async def act(model: EmbeddedModel) -> list[Reply]:
        await model.ask(REQUEST)
        (worker,) = model._all
        workers.append(worker.process)
        worker.process.send_signal(signal.SIGINT)
        return [await model.ask(REQUEST)]

    workers: list[object] = []
    assert using(f"gguf:{tiny}", 1, act)[0].status == "ok"
    assert workers[0].poll() is not None  # type: ignore[attr-defined]


def test_a_worker_ends_when_its_parent_is_gone(tiny: Path) -> None:
    async def act(model: EmbeddedModel) -> list[Reply]:
        await model.ask(REQUEST)
        process = model._all[0].process
        assert process.stdin is not None
        process.stdin.close()  # what the end of the parent does
        assert process.wait(30) == 0
        return []

    using(f"gguf:{tiny}", 1, act)


def test_a_closed_model_says_so(tiny: Path) -> None:
    async def act(model: EmbeddedModel) -> list[Reply]:
        await model.close()
        with pytest.raises(ModelError, match="is closed"):
            await model.ask(REQUEST)
        return []

    using(f"gguf:{tiny}", 1, act)


def test_a_file_no_worker_can_use_is_the_workers_own_message(tmp_path: Path, tiny: Path) -> None:
    path = write_tiny(tmp_path / "other.gguf", general__architecture="mamba")

    async def main() -> None:
        model = EmbeddedModel("gguf:other", path, tmp_path / "mapped", "d" * 64, 1)
        with pytest.raises(ModelError, match="architecture 'mamba'; allowed: 'llama'"):
            await model.ask(REQUEST)
        await model.close()

    asyncio.run(main())


def test_a_folder_that_cannot_be_written_costs_speed_and_nothing_else(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(model: EmbeddedModel) -> list[Reply]:
        return [await model.ask(REQUEST)]

    (mapped,) = using(f"gguf:{tiny}", 1, act)
    monkeypatch.setenv("CLOUDCHAMBER_CACHE", str(tiny / "below a file"))
    (own,) = using(f"gguf:{tiny}", 1, act)
    np.testing.assert_array_equal(own.logprobs, mapped.logprobs)


def test_the_fingerprint_is_the_files(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    other = write_tiny(tmp_path / "b" / "tiny.gguf", seed=1)
    names = {open_model(f"gguf:{path}", processes=1).fingerprint for path in (tiny, tiny, other)}
    assert len(names) == 2


def test_no_processes_are_refused(tiny: Path) -> None:
    with pytest.raises(ModelError, match="processes: 0 was given; allowed: 1 or more"):
        open_model(f"gguf:{tiny}", processes=0)


def test_workers_have_one_thread_and_keep_the_users_kernel() -> None:
    environment = worker_environment({"OPENBLAS_CORETYPE": "Haswell", "OMP_NUM_THREADS": "8"})
    assert environment["OPENBLAS_CORETYPE"] == "Haswell"
    assert {environment[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == {"1"}


@pytest.mark.skipif(not FETCHED, reason="the embedded model has not been fetched on this machine")
def test_the_embedded_model_knows_a_capital_and_does_not_depend_on_its_past() -> None:
    head = ("system", "You are a helpful assistant.")
    capital = Request(
        (head, ("user", "What is the capital of France?")),
        ("Paris", "London", "12", "15"),
        prefix="It is ",
    )
    other = Request((head, ("user", "Say 12, 15 or 19. " * 5)), ("12", "15", "19"))

    async def act(model: EmbeddedModel) -> list[Reply]:
        return [await model.ask(request) for request in (capital, other, capital, other)]

    first, long, again, longer = using("embedded", 1, act)
    assert first.logprobs is not None
    assert first.logprobs.argmax() == 0
    np.testing.assert_array_equal(first.logprobs, again.logprobs)
    np.testing.assert_array_equal(long.logprobs, longer.logprobs)
    (fresh,) = using("embedded", 1, lambda model: _one(model, other))
    np.testing.assert_array_equal(fresh.logprobs, longer.logprobs)


async def _one(model: EmbeddedModel, request: Request) -> list[Reply]:
    return [await model.ask(request)]


NOTE = Request(
    (
        ("system", "You are a firm that sells two goods."),
        (
            "user",
            "You sold 40 of A at a price of 60. In at most 12 words, write a note to yourself.",
        ),
    ),
    max_tokens=20,
)


def test_a_worker_writes_the_same_text_for_the_same_draw(tiny: Path) -> None:
    request = replace(NOTE, messages=NOTE.messages[1:], max_tokens=6)

    async def act(model: EmbeddedModel) -> list[Reply]:
        draws = [7, 8, 9, 7]
        return list(await asyncio.gather(*(model.ask(request, draw) for draw in draws)))

    replies = using(f"gguf:{tiny}", 2, act)
    assert replace(replies[0], seconds=0) == replace(replies[3], seconds=0)
    assert len({reply.text for reply in replies}) > 1
    assert all(len(reply.text.split()) <= 6 for reply in replies)


@pytest.mark.slow
@pytest.mark.skipif(not FETCHED, reason="the embedded model has not been fetched on this machine")
def test_the_embedded_model_writes_words_that_its_past_does_not_change() -> None:
    async def act(model: EmbeddedModel) -> list[Reply]:
        cold = replace(NOTE, temperature=0.0)
        asked = [(NOTE, 1), (NOTE, 2), (cold, 1), (cold, 2), (NOTE, 1)]
        return [await model.ask(request, draw) for request, draw in asked]

    replies = using("embedded", 1, act)
    one, two, cold, colder, again = [reply.text for reply in replies]
    assert one == again != two
    assert cold == colder
    assert all(reply.status == "ok" for reply in replies)
    words = {word.strip(".,:!?") for text in (one, two, cold) for word in text.lower().split()}
    assert words & {"a", "i", "the", "to", "of", "note", "price", "sold"}, words
