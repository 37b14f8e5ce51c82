"""Questions handed to Inspect's model API, against the mock provider that Inspect ships."""

import asyncio
import builtins
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cloudchamber.errors import ModelError
from cloudchamber.models import Reply, Request, open_model
from cloudchamber.models.inspected import InspectModel
from cloudchamber.models.parsing import CUT

REQUEST = Request(
    (("system", "s"), ("user", "a"), ("user", "b")), ("A", "B"), prefix="I say ", temperature=0.5
)


def test_without_inspect_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("inspect_ai"):
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ModelError, match=r"not installed; run: pip install 'cloudchamber\[inspect]'"
    ):
        open_model("inspect:mockllm/model")


@pytest.fixture
def inspect_ai() -> Any:
    return pytest.importorskip("inspect_ai.model")


pytestmark = pytest.mark.filterwarnings("ignore")  # Inspect's own


class Asked:
    """A mock model that notes what it is asked."""

    def __init__(self, api: Any, answer: Callable[[Any], Any]) -> None:
        self.api, self.answer = api, answer
        self.messages: list[Any] = []
        self.configs: list[Any] = []
        mock = api.get_model("mockllm/model", memoize=False, custom_outputs=self._generate)
        self.model = InspectModel(mock, "mockllm/model", timeout=1, retries=0)

    def _generate(self, messages: Any, tools: Any, choice: Any, config: Any) -> Any:
        self.messages.append([(m.role, m.text) for m in messages])
        self.configs.append(config)
        return self.answer(config)

    def reply(self, request: Request = REQUEST, draw: int = 2**40 + 5) -> Reply:
        async def main() -> Reply:
            try:
                return await self.model.ask(request, draw)
            finally:
                await self.model.close()

        return asyncio.run(main())


def output(
    api: Any, text: str, top: dict[str, float] | None = None, reason: str = "stop", error: str = ""
) -> Any:
    made = api.ModelOutput.from_content("mock", text, stop_reason=reason, error=error or None)
    made.usage = api.ModelUsage(input_tokens=7, output_tokens=2, input_tokens_cache_read=3)
    if top is not None:
        listed = [api.TopLogprob(token=t, logprob=float(np.log(p))) for t, p in top.items()]
        first = api.Logprob(token=text, logprob=-0.1, top_logprobs=listed)
        made.choices[0].logprobs = api.Logprobs(content=[first])
    return made


def test_what_is_handed_over(inspect_ai: Any) -> None:
    asked = Asked(inspect_ai, lambda _: output(inspect_ai, "A"))
    reply = asked.reply()
    assert asked.messages == [[("system", "s"), ("user", "ab"), ("assistant", "I say")]]
    (config,) = asked.configs
    assert (config.temperature, config.seed, config.max_tokens) == (0.5, 5, 16)
    assert (config.logprobs, config.top_logprobs) == (True, 20)
    assert (reply.choice, reply.logprobs, reply.status) == (0, None, "ok")
    assert (reply.tokens_in, reply.tokens_out) == (10, 2)


def test_log_probabilities_that_settle_it_are_an_exact_readout(inspect_ai: Any) -> None:
    top = {"A": 0.6, " B": 0.3, "The": 0.1}
    reply = Asked(inspect_ai, lambda _: output(inspect_ai, "A", top)).reply()
    assert reply.logprobs is not None
    np.testing.assert_allclose(np.exp(reply.logprobs), [0.8, 0.2])
    assert reply.mass == pytest.approx(0.9)


def test_a_sample_asks_for_no_log_probabilities(inspect_ai: Any) -> None:
    asked = Asked(inspect_ai, lambda _: output(inspect_ai, "It is B."))
    reply = asked.reply(Request((("user", "x"),), ("A", "B"), sampled=True))
    assert (asked.configs[0].logprobs, reply.choice) == (None, 1)


def test_a_provider_without_log_probabilities_is_asked_without_from_then_on(
    inspect_ai: Any,
) -> None:
    def answer(config: Any) -> Any:
        if config.logprobs:
            raise RuntimeError("400: this model has no logprobs")
        return output(inspect_ai, "B")

    asked = Asked(inspect_ai, answer)
    assert asked.reply().choice == 1
    assert [config.logprobs for config in asked.configs] == [True, None]


@pytest.mark.parametrize(
    ("text", "reason", "error", "status", "said"),
    [
        ("", "content_filter", "", "refused", "content filter"),
        ("", "content_filter", "unsafe", "refused", "unsafe"),
        ("I'm sorry, no.", "stop", "", "refused", "declines"),
        ("either", "stop", "", "unparseable", "names none"),
    ],
)
def test_answers_that_name_no_option(
    inspect_ai: Any, text: str, reason: str, error: str, status: str, said: str
) -> None:
    asked = Asked(inspect_ai, lambda _: output(inspect_ai, text, reason=reason, error=error))
    reply = asked.reply()
    assert (reply.status, reply.choice) == (status, -1)
    assert said in reply.reason


FREE = Request((("user", "Write a note."),), max_tokens=30)


@pytest.mark.parametrize(
    ("text", "reason", "status", "kept", "note"),
    [
        (" Sell\n40. ", "stop", "ok", "Sell 40.", ""),
        ("Sell 40 and", "max_tokens", "ok", "Sell 40 and", CUT),
        ("", "stop", "unparseable", "", ""),
        ("Hm", "content_filter", "refused", "Hm", ""),
    ],
)
def test_free_text(
    inspect_ai: Any, text: str, reason: str, status: str, kept: str, note: str
) -> None:
    asked = Asked(inspect_ai, lambda _: output(inspect_ai, text, reason=reason))
    reply = asked.reply(FREE)
    (config,) = asked.configs
    assert (config.max_tokens, config.logprobs, config.seed) == (30, None, 5)
    assert (reply.status, reply.text, reply.note) == (status, kept, note)


class Denied(Exception):
    status_code = 401


@pytest.mark.parametrize(
    ("error", "status"), [(TimeoutError("slow"), "timeout"), (OSError("cut"), "failed")]
)
def test_errors_are_replies_that_say_so(inspect_ai: Any, error: Exception, status: str) -> None:
    def answer(_: Any) -> Any:
        raise error

    reply = Asked(inspect_ai, answer).reply()
    assert reply.status == status
    assert str(error) in reply.reason


def test_an_attempt_that_takes_too_long_is_a_time_out(inspect_ai: Any) -> None:
    async def slow() -> Any:
        await asyncio.sleep(30)

    reply = Asked(inspect_ai, lambda _: slow()).reply()
    assert (reply.status, "attempt_timeout" in reply.reason) == ("timeout", True)


def test_a_key_is_refused_at_once_and_not_said(
    inspect_ai: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCK_API_KEY", "sk-secret-1234")

    def answer(_: Any) -> Any:
        raise Denied("the key sk-secret-1234 is wrong")

    with pytest.raises(ModelError, match="not accepted") as caught:
        Asked(inspect_ai, answer).reply()
    assert "sk-secret" not in str(caught.value)
    assert "[key]" in str(caught.value)


def test_names_that_inspect_does_not_know_are_said_when_opened(inspect_ai: Any) -> None:
    with pytest.raises(ModelError, match="nosuch of model 'nosuch/x' not recognized"):
        open_model("inspect:nosuch/x")
    model = open_model("inspect:mockllm/model")
    assert model.name == model.fingerprint == "inspect:mockllm/model"
    assert not model.exact
    asyncio.run(model.close())
