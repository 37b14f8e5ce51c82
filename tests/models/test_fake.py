import asyncio

import numpy as np
import pytest

from cloudchamber.models import FAKES, FakeModel, Reply, Request, open_model

REQUEST = Request((("user", "pick"),), ("a", "b", "c"))


def ask(name: str, request: Request = REQUEST, draw: int = 0) -> Reply:
    return asyncio.run(open_model(name).ask(request, draw))


@pytest.mark.parametrize("kind", FAKES)
def test_fakes_are_deterministic_and_tell_the_draws_apart_never(kind: str) -> None:
    assert repr(ask(f"fake:{kind}")) == repr(ask(f"fake:{kind}", draw=5))


@pytest.mark.parametrize("kind", ["uniform", "first", "last", "hash"])
def test_distributions_are_distributions(kind: str) -> None:
    reply = ask(f"fake:{kind}")
    assert reply.logprobs is not None
    assert np.exp(reply.logprobs).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("refuse", "refused"), ("garbage", "unparseable"), ("timeout", "timeout"), ("fail", "failed")],
)
def test_fakes_that_fail(kind: str, status: str) -> None:
    reply = ask(f"fake:{kind}")
    assert (reply.status, reply.logprobs, reply.choice) == (status, None, -1)
    assert reply.reason


def test_a_sampled_fake_draws_under_the_draw() -> None:
    choices = [ask("fake:sampled", draw=draw).choice for draw in range(300)]
    assert choices == [ask("fake:sampled", draw=draw).choice for draw in range(300)]
    assert np.bincount(choices).min() > 60


def test_a_function_is_a_model_and_an_exact_one_samples_when_asked() -> None:
    model = FakeModel(lambda request: Reply(np.log([0.5, 0.25, 0.25]), 1.0))
    exact = asyncio.run(model.ask(REQUEST, 1))
    sampled = asyncio.run(model.ask(Request(REQUEST.messages, REQUEST.options, sampled=True), 1))
    assert exact.logprobs is not None
    assert sampled.logprobs is None
    assert sampled.text == REQUEST.options[sampled.choice]
    assert [draw for _, draw in model.asked] == [1, 1]


FREE = Request((("user", "Write a note."),), max_tokens=30)


def test_fakes_write_words_of_the_draw_and_the_request() -> None:
    texts = [ask("fake:uniform", FREE, draw).text for draw in range(20)]
    assert texts == [ask("fake:uniform", FREE, draw).text for draw in range(20)]
    assert len(set(texts)) > 15
    assert all(1 <= len(text.split()) <= 12 for text in texts)
    other = Request((("user", "Write a note!"),), max_tokens=30)
    assert ask("fake:uniform", other).text != texts[0]
    assert len(ask("fake:first", Request(FREE.messages, max_tokens=1), 3).text.split()) == 1


def test_a_hostile_fake_is_made_harmless_as_far_as_a_text_can_be() -> None:
    text = ask("fake:hostile", Request(FREE.messages, max_tokens=200)).text
    assert "<script>" in text  # a page escapes it; a text may say it
    assert all(letter.isprintable() or letter == " " for letter in text)
    assert len(ask("fake:hostile", Request(FREE.messages, max_tokens=3)).text.split()) == 3
    assert ask("fake:hostile").logprobs is not None


@pytest.mark.parametrize("kind", ["refuse", "timeout", "fail"])
def test_fakes_that_fail_write_nothing_either(kind: str) -> None:
    assert ask(f"fake:{kind}", FREE).status != "ok"


def test_a_function_may_write() -> None:
    model = FakeModel(lambda request: Reply(text="my own words"))
    assert asyncio.run(model.ask(FREE)).text == "my own words"
