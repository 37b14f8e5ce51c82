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
