"""A set of questions to each dialect: answered rightly, exactly where that can be, and found out cheaply."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cloudchamber.models import Reply, Request
from cloudchamber.models.remote.capabilities import Capabilities
from cloudchamber.models.remote.server import RemoteModel
from cloudchamber.testing.dialects import DIALECTS, Abilities
from cloudchamber.testing.server import Server
from cloudchamber.testing.speaker import Speaker

CODES = [str(code) for code in np.random.default_rng(1).permutation(np.arange(100, 999))[:25]]


def asked(labels: Sequence[str], question: str, prefix: str = "I choose ") -> Request:
    lines = "".join(f"{label}: headline\n" for label in labels if label not in ("None", "No"))
    return Request(
        (("system", "s"), ("user", f"{lines}\n{question}")), tuple(labels), prefix=prefix
    )


QUESTIONS = {
    "one of four": asked(CODES[:4], "Which? Answer with its code."),
    "one of four, not begun": asked(CODES[:4], "Which? Answer with its code.", ""),
    "up to two, or none": asked(
        [*CODES[4:8], "None"], "Which, of two? Answer with a code or None."
    ),
    "like it": Request((("user", "An item. Like it? Yes or No."),), ("Yes", "No"), prefix="I say "),
    "one of twenty-five": asked(CODES, "Which? Answer with its code."),
}
FEW = ("one of four", "one of four, not begun", "up to two, or none", "like it")


async def told(
    abilities: Abilities, speaker: Speaker, requests: Sequence[Request], draws: int = 1
) -> tuple[Capabilities, list[Reply], int]:
    """What is found, the replies, and how many requests the finding took."""
    async with Server(abilities, speaker=speaker) as server:
        model = RemoteModel("toy", server.url, sleep=lambda seconds: asyncio.sleep(0))
        try:
            await model._probed()
            took = len(server.asked)
            asking = [model.ask(one, draw) for one in requests for draw in range(draws)]
            replies = list(await asyncio.gather(*asking))
        finally:
            await model.close()
        assert model.capabilities is not None
        return model.capabilities, replies, took


def truth(speaker: Speaker, request: Request) -> NDArray[np.float64]:
    answers = speaker.answers(request.messages)
    found = np.array([answers[label] for label in request.options])
    return np.asarray(found / found.sum())


EXACT = {  # dialect -> the questions whose distribution can be had, where a label is one token
    **dict.fromkeys(("vllm", "llama.cpp", "llama.cpp of 2025", "sglang"), tuple(QUESTIONS)),
    "vllm by numbers": tuple(QUESTIONS),  # by scoring labels one by one
    "vllm thinking": tuple(name for name in QUESTIONS if "not begun" not in name),
    "sglang thinking": tuple(name for name in QUESTIONS if "not begun" not in name),
    **dict.fromkeys(("vllm trimming", "ollama", "openai", "openrouter", "marked"), FEW),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_is_answered_rightly(dialect: str) -> None:
    """What is exact is the truth to a thousandth; what is not is an allowed answer and says why."""
    speaker = Speaker(mass=0.99, spread=2.0)
    _, replies, _ = asyncio.run(told(DIALECTS[dialect], speaker, list(QUESTIONS.values())))
    exact = set()
    for (name, request), reply in zip(QUESTIONS.items(), replies, strict=True):
        assert reply.status == "ok", (name, reply)
        if reply.logprobs is None:
            assert 0 <= reply.choice < len(request.options)
            assert reply.note.startswith("sampled: "), name
        else:
            exact.add(name)
            apart = np.abs(np.exp(reply.logprobs) - truth(speaker, request)).max()
            assert apart < 1e-3, (name, apart)
            assert reply.mass == pytest.approx(0.99, abs=2e-3)
    assert exact == set(EXACT.get(dialect, ()))


@pytest.mark.parametrize("dialect", ["vllm", "sglang", "llama.cpp", "vllm trimming"])
def test_labels_of_several_tokens_are_followed(dialect: str) -> None:
    speaker = Speaker(piece=1, mass=0.99, spread=2.0)
    requests = [QUESTIONS["one of four"], QUESTIONS["up to two, or none"]]
    _, replies, _ = asyncio.run(told(DIALECTS[dialect], speaker, requests))
    for request, reply in zip(requests, replies, strict=True):
        assert reply.logprobs is not None, reply
        apart = np.abs(np.exp(reply.logprobs) - truth(speaker, request)).max()
        assert apart < 1e-3


@pytest.mark.parametrize("dialect", ["openai", "openai reasoning"])
def test_labels_of_several_tokens_are_sampled_where_no_answer_can_be_begun(dialect: str) -> None:
    speaker = Speaker(piece=1, mass=0.99)
    _, (reply,), _ = asyncio.run(
        told(DIALECTS[dialect], speaker, [QUESTIONS["one of four, not begun"]])
    )
    assert (reply.status, reply.logprobs) == ("ok", None)


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name not in EXACT])
def test_samples_follow_the_model(dialect: str) -> None:
    speaker, request = Speaker(mass=0.999, spread=2.0), QUESTIONS["up to two, or none"]
    _, replies, _ = asyncio.run(told(DIALECTS[dialect], speaker, [request], 500))
    drawn = Counter(reply.choice for reply in replies)
    shares = np.array([drawn[place] for place in range(len(request.options))]) / 500
    if dialect == "bare":  # it takes no seed, and gives its one answer
        assert max(drawn.values()) > 450
    else:
        assert np.abs(shares - truth(speaker, request)).max() < 0.08


FOUND = {
    "vllm": Capabilities(top=20, continues="flagged", schema=True, scores=True),
    "vllm by numbers": Capabilities(top=0, continues="flagged", schema=True, scores=True),
    "vllm thinking": Capabilities(
        top=20, continues="flagged", schema=True, scores=True, thinks=True
    ),
    "sglang": Capabilities(top=100, continues="flagged", schema=True),
    "llama.cpp": Capabilities(top=100, continues="flagged", schema=True),
    "vllm trimming": Capabilities(top=20, continues="flagged", schema=True),
    "llama.cpp of 2025": Capabilities(top=100, continues="plain", schema=True),
    "ollama": Capabilities(top=20, continues="plain", schema=True),
    "ollama thinking": Capabilities(schema=True, thinks=True),
    "openai": Capabilities(top=20, schema=True, refused=("min_p", "repetition_penalty", "top_k")),
    "openai reasoning": Capabilities(
        schema=True,
        thinks=True,
        refused=("max_tokens", "min_p", "repetition_penalty", "temperature", "top_k", "top_p"),
    ),
    "openrouter": Capabilities(
        top=20, continues="plain", schema=True, refused=("top_k",), routed=True
    ),
    "openrouter without lists": Capabilities(routed=True),
    "lm studio": Capabilities(schema=True),
    "transformers serve": Capabilities(refused=("min_p", "repetition_penalty", "top_k")),
    "bare": Capabilities(
        refused=(
            "max_completion_tokens",
            "max_tokens",
            "min_p",
            "repetition_penalty",
            "seed",
            "temperature",
            "top_k",
            "top_p",
        )
    ),
}


@pytest.mark.parametrize("dialect", FOUND)
def test_what_a_server_can_do_is_found_out_cheaply(dialect: str) -> None:
    can, _, took = asyncio.run(told(DIALECTS[dialect], Speaker(), []))
    assert replace(can, refused=tuple(sorted(can.refused))) == FOUND[dialect]
    assert took <= 14 if can.refused else took <= 9


def test_a_question_takes_few_requests() -> None:
    """One where the labels are tokens; with a label of several tokens, as many as it takes to score them."""

    async def main(abilities: Abilities, speaker: Speaker, request: Request) -> int:
        async with Server(abilities, speaker=speaker) as server:
            model = RemoteModel("toy", server.url)
            await model._probed()
            before = len(server.asked)
            reply = await model.ask(request)
            await model.close()
            assert reply.logprobs is not None
            return len(server.asked) - before

    four, many = QUESTIONS["one of four"], QUESTIONS["one of twenty-five"]
    assert asyncio.run(main(DIALECTS["vllm"], Speaker(mass=0.99), four)) == 1
    assert asyncio.run(main(DIALECTS["llama.cpp"], Speaker(mass=0.99), many)) == 1
    assert asyncio.run(main(DIALECTS["vllm"], Speaker(piece=1, mass=0.99), many)) <= 2 * 25
