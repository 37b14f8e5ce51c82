"""Requests answered by a tiny random model: what is exact, what is determined, what is refused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.models.embedded import readout
from cloudchamber.models.embedded.gguf import Gguf, read_gguf
from cloudchamber.models.embedded.readout import Reader
from cloudchamber.models.embedded.tokenizer import ChatTokenizer
from cloudchamber.models.embedded.transformer import Memory, Transformer
from cloudchamber.models.embedded.weights import dequantise
from cloudchamber.models.model import Reply, Request
from cloudchamber.models.parsing import CUT
from cloudchamber.randomness import gumbels, keys
from cloudchamber.trace.texts import written
from tests.models.embedded.gguf_writer import write_tiny

HEAD = (("system", "You are a reader of the news."), ("user", "12: trees\n34: boats\n56: towers\n"))
LIST = Request((*HEAD, ("user", "Which?")), ("12", "34", "56", "1"))


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gguf]:
    yield read_gguf(write_tiny(tmp_path_factory.mktemp("tiny") / "m.gguf"))


@pytest.fixture
def reader(gguf: Gguf) -> Reader:
    return Reader(gguf, dequantise(gguf))


def naive(gguf: Gguf, request: Request) -> tuple[np.ndarray, float]:
    """Log-probabilities and mass by reading each whole answer on its own."""
    tokenizer = ChatTokenizer(gguf.metadata, Path("m"))
    weights = dequantise(gguf)
    engine = Transformer(weights)
    start = [token for part in tokenizer.prompt(request) for token in part]
    scores = []
    for label in request.options:
        answer = tokenizer.encode(request.prefix + label)
        if any(o != label and o.startswith(label) for o in request.options):
            answer.append(tokenizer.end)
        given = len(tokenizer.encode(request.prefix))
        total = 0.0
        for i in range(given, len(answer)):
            memory = Memory(weights, 300)
            states = engine.extend(memory, np.array(start + answer[:i]))
            logits = engine.logits(states)[0].astype(np.float64) / request.temperature
            total += logits[answer[i]] - logits.max() - np.log(np.exp(logits - logits.max()).sum())
        scores.append(total)
    mass = np.exp(scores).sum()
    return np.array(scores) - np.log(mass), float(mass)


@pytest.mark.parametrize("prefix", ["", "I like item ", "Item:"])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_the_distribution_is_that_of_reading_each_answer_alone(
    gguf: Gguf, reader: Reader, prefix: str, temperature: float
) -> None:
    request = replace(LIST, prefix=prefix, temperature=temperature)
    reply = reader.answer(request)
    expected, mass = naive(gguf, request)
    assert reply.logprobs is not None
    np.testing.assert_allclose(reply.logprobs, expected, atol=1e-3)
    assert reply.mass == pytest.approx(mass, rel=1e-3)
    assert np.exp(reply.logprobs).sum() == pytest.approx(1.0, abs=1e-5)
    assert (reply.status, reply.choice, reply.text) == ("ok", -1, "")


questions = st.builds(
    Request,
    st.sampled_from(
        [
            (*HEAD, ("user", "Which?")),
            (*HEAD, ("user", "Which one do you like?")),
            (HEAD[0], ("user", "yes or no")),
            (("user", "12: trees\n34: boats\n"), ("user", "Which?")),
            (("user", "a" * 300), ("user", "b")),
        ]
    ),
    st.sampled_from([("12", "34"), ("yes", "no"), ("1",), ()]),
    max_tokens=st.just(3),
)


@given(st.lists(questions, max_size=6), questions)
def test_no_answer_depends_on_what_was_asked_before(
    gguf: Gguf, history: list[Request], question: Request
) -> None:
    weights = dequantise(gguf)
    fresh, used = Reader(gguf, weights), Reader(gguf, weights)
    for earlier in history:
        used.answer(earlier, draw=1)
    alone, after = fresh.answer(question, draw=7), used.answer(question, draw=7)
    assert same(alone, after)


def same(one: Reply, other: Reply) -> bool:
    assert (one.logprobs is None) == (other.logprobs is None)
    if one.logprobs is not None:
        np.testing.assert_array_equal(one.logprobs, other.logprobs)
    return repr(replace(one, logprobs=None, seconds=0.0)) == repr(
        replace(other, logprobs=None, seconds=0.0)
    )


def test_forgetting_what_was_kept_changes_nothing(
    gguf: Gguf, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reader.answer(LIST)
    monkeypatch.setattr(readout, "KEPT_TOKENS", 1)
    forgetful = Reader(gguf, dequantise(gguf))
    for _ in range(3):
        assert same(first, forgetful.answer(LIST))


def test_exact_answers_ignore_the_draw_and_samples_do_not(reader: Reader) -> None:
    assert same(reader.answer(LIST, 1), reader.answer(LIST, 2))
    text = Request(LIST.messages, max_tokens=8)
    assert same(reader.answer(text, 1), reader.answer(text, 1))
    assert len({reader.answer(text, draw).text for draw in range(5)}) > 1


def test_samples_follow_the_distribution(reader: Reader) -> None:
    """The first token drawn 400 times against the exact distribution, within 4 standard errors."""
    request = Request((("user", "yes or no"),), max_tokens=1)
    letters = tuple("abcdefghijklmnopqrstuvwxyz")
    exact = reader.answer(replace(request, options=letters))
    assert exact.logprobs is not None
    drawn = [reader.answer(request, draw).text for draw in range(400)]
    share = sum(text in letters for text in drawn) / 400
    assert abs(share - exact.mass) < 4 * (exact.mass * (1 - exact.mass) / 400) ** 0.5


def test_cold_gives_all_to_the_likeliest(reader: Reader) -> None:
    warm = reader.answer(LIST).logprobs
    cold = reader.answer(replace(LIST, temperature=0.0)).logprobs
    assert warm is not None
    assert cold is not None
    assert cold[warm.argmax()] == 0.0
    assert np.isneginf(np.delete(cold, warm.argmax())).all()
    text = Request(LIST.messages, temperature=0.0, max_tokens=6)
    assert reader.answer(text, 1).text == reader.answer(text, 2).text


def test_a_sampled_answer_is_read_against_the_options(reader: Reader) -> None:
    reply = reader.answer(replace(LIST, sampled=True, max_tokens=2), draw=3)
    assert reply.logprobs is None
    assert reply.status in ("ok", "unparseable")  # a random model says anything
    assert (reply.choice >= 0) == (reply.status == "ok")


def test_too_long_a_prompt_is_a_failed_reply_that_says_so(reader: Reader) -> None:
    reply = reader.answer(Request((("user", "z" * 800),), ("yes", "no")))
    assert reply.status == "failed"
    assert "the model reads 700 at most" in reply.reason


FREE = Request((*HEAD, ("user", "Write.")), max_tokens=12)


def test_free_text_ends_with_its_turn_or_where_it_must(gguf: Gguf, reader: Reader) -> None:
    """Token by token it is what the plain loop gives: the passes alone, no memory of other requests."""
    tokenizer, weights = ChatTokenizer(gguf.metadata, Path("m")), dequantise(gguf)
    start = [token for part in tokenizer.prompt(FREE) for token in part]
    for draw in range(6):
        answer: list[int] = []
        for step in range(FREE.max_tokens):
            states = Transformer(weights).extend(Memory(weights, 300), np.array(start + answer))
            logits = Transformer(weights).logits(states)[0].astype(np.float64)
            token = int((logits + gumbels(keys(draw, 0, "token", step=step), len(logits))).argmax())
            if token in tokenizer.special | {tokenizer.end}:
                break
            answer.append(token)
        reply = reader.answer(FREE, draw)
        assert reply.text == written(tokenizer.decode(answer), FREE.max_tokens)
        assert (reply.tokens_out, reply.logprobs) == (len(answer), None)
        assert (reply.note == CUT) == (len(answer) == FREE.max_tokens)
        assert reply.status == ("ok" if reply.text else "unparseable")


def test_free_text_too_long_for_the_model_is_a_failed_reply(reader: Reader) -> None:
    assert reader.answer(replace(FREE, max_tokens=800)).status == "failed"
