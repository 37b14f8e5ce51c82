"""The server of faults: honest by the question alone, and faulty by its plan alone."""

import asyncio
from typing import Any

import aiohttp
import numpy as np
import pytest

from cloudchamber.testing.faults import FAULTS, Plan
from cloudchamber.testing.server import Abilities, Server
from cloudchamber.testing.speaker import JUNK, Speaker

ASKED = [("user", "12: tea\n34: coffee\n1: water\n\nAnswer with its code, or None.")]
BODY = {
    "model": "toy",
    "messages": [{"role": role, "content": text} for role, text in ASKED],
    "max_tokens": 1,
    "seed": 3,
}


def posted(server: Server, *bodies: dict[str, Any], path: str = "chat/completions") -> list[Any]:
    """What comes of each: JSON, a status that is not 200, or the name of what broke."""

    async def one(session: aiohttp.ClientSession, body: dict[str, Any]) -> Any:
        try:
            async with session.post(f"{server.url}/{path}", json=body) as response:
                return await response.json() if response.status == 200 else response.status
        except (aiohttp.ClientError, ValueError) as error:
            return type(error).__name__

    async def main() -> list[Any]:
        async with server, aiohttp.ClientSession() as session:
            return [await one(session, body) for body in bodies]

    return asyncio.run(main())


@pytest.mark.parametrize("piece", [0, 1, 2])
def test_tokens_multiply_to_answers(piece: int) -> None:
    speaker = Speaker(piece, mass=0.8)
    answers = speaker.answers(ASKED)
    assert list(answers) == ["12", "34", "1", "None"]
    assert sum(answers.values()) == pytest.approx(0.8)
    for label, chance in answers.items():
        product = np.exp(sum(score for _, score in speaker.scored(ASKED, f"I say {label}")))
        ends = speaker.following(ASKED, label).get(".", 1.0)
        if piece:
            assert product * ends == pytest.approx(chance)
        else:
            assert product == pytest.approx(chance)


def test_samples_follow_the_distribution() -> None:
    speaker = Speaker(mass=0.8)
    said = [speaker.sample(ASKED, "", seed, 1.0) for seed in range(4000)]
    for label, chance in (speaker.answers(ASKED) | {JUNK: 0.2}).items():
        assert said.count(label) / 4000 == pytest.approx(chance, abs=0.03)


def test_the_same_question_has_the_same_answer() -> None:
    one, other = posted(Server(), BODY, BODY)
    assert one["choices"] == other["choices"]
    assert one["id"] != other["id"]
    moved = BODY | {"seed": 4}
    assert posted(Server(), moved, BODY)[1]["choices"] == one["choices"]


@pytest.mark.parametrize(
    ("abilities", "more"),
    [
        (Abilities(top=5), {"logprobs": True, "top_logprobs": 6}),
        (Abilities(schema=False), {"response_format": {}}),
        (Abilities(continues="plain"), {"continue_final_message": True}),
        (Abilities(scores=False), {"prompt_logprobs": 0}),
        (Abilities(refuses=("seed",)), {}),
    ],
)
def test_what_it_cannot_do_it_refuses(abilities: Abilities, more: dict[str, Any]) -> None:
    assert posted(Server(abilities), BODY | more) == [400]


def test_without_its_key_it_is_shut() -> None:
    assert posted(Server(Abilities(key="k")), BODY) == [401]


READABLE = ("latency", "drip", "duplicated id")


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "hang"])
def test_a_fault_is_what_it_is_called(fault: str) -> None:
    server = Server(plan=Plan(1.0, 0, [fault]))
    (honest,) = posted(Server(), BODY | {"logprobs": True, "top_logprobs": 4})
    (found,) = posted(server, BODY | {"logprobs": True, "top_logprobs": 4})
    if fault in READABLE:
        assert found["choices"] == honest["choices"]
    elif fault[:3].isdigit():
        assert found == int(fault[:3])
    else:
        assert not isinstance(found, dict) or found.get("choices") != honest["choices"]
    assert server.plan.met == {fault: 1}


def test_the_plan_goes_by_what_is_asked_and_how_often_not_by_when() -> None:
    bodies = [f"question {number}".encode() for number in range(200)]
    one, other = Plan(0.5, 7), Plan(0.5, 7)
    forth = {body: [one.next(body) for _ in range(3)] for body in bodies}
    back: dict[bytes, list[str]] = {body: [] for body in bodies}
    for _ in range(3):
        for body in reversed(bodies):
            back[body].append(other.next(body))
    assert forth == back
    faults = [fault for found in forth.values() for fault in found]
    assert sum(map(bool, faults)) / 600 == pytest.approx(0.5, abs=0.07)
    assert len(set(faults)) > 12
    another = Plan(0.5, 8)
    assert forth != {body: [another.next(body) for _ in range(3)] for body in bodies}


def test_mercy_ends_a_row_of_faults() -> None:
    plan = Plan(1.0, 0, mercy=2)
    assert [bool(plan.next(b"x")) for _ in range(6)] == [True, True, False, True, True, False]
