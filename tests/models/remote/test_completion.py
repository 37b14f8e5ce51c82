"""What servers answer, in the many ways they write it."""

import json
from math import exp
from typing import Any

import pytest

from cloudchamber.models.remote.completion import Complaint, Malformed, Said, read_completion


def chat(content: Any = "A", top: list[Any] | None = None, **more: Any) -> bytes:
    message = {"content": content} | more.pop("message", {})
    choice: dict[str, Any] = {"message": message} | more.pop("choice", {})
    if top is not None:
        listed = [{"token": token, "logprob": score} for token, score in top]
        choice["logprobs"] = {"content": [{"token": "A", "logprob": -1, "top_logprobs": listed}]}
    return json.dumps({"choices": [choice]} | more).encode()


def listed(*top: tuple[str, float | None]) -> dict[str, float] | None:
    found = read_completion(chat(top=list(top))).listed
    return None if found is None else dict(found)


def test_tokens_of_one_spelling_are_taken_together() -> None:
    found = listed(("A", -1.0), ("A", -2.0), ("B", -3.0))
    assert found == pytest.approx({"A": exp(-1) + exp(-2), "B": exp(-3)})


@pytest.mark.parametrize("never", [-9999.0, -1e30, float("-inf")])
def test_what_servers_write_for_a_probability_of_none(never: float) -> None:
    """-9999 is vLLM's; the lowest number there is, llama.cpp's; -Infinity, which is no JSON, Python's."""
    assert listed(("A", -0.5), ("B", never)) == {"A": exp(-0.5), "B": 0.0}


def test_a_probability_that_is_not_said_is_not_known() -> None:
    assert listed(("A", -0.5), ("B", None)) == {"A": exp(-0.5)}
    assert listed(("B", None)) is None


@pytest.mark.parametrize("score", [float("nan"), float("inf"), 0.7])
def test_what_is_no_probability_is_malformed(score: float) -> None:
    with pytest.raises(Malformed):
        read_completion(chat(top=[("A", score)]))


def test_tokens_as_a_vocabulary_writes_them_are_read_as_text() -> None:
    assert set(listed(("ĠA", -1.0), ("A", -2.0), ("Ċ", -3.0)) or ()) == {" A", "A", "\n"}
    assert set(listed(("▁A", -1.0), ("B", -2.0)) or ()) == {" A", "B"}
    maltese = (("Ġ", -1.0), (" A", -2.0))
    assert set(listed(*maltese) or ()) == {"Ġ", " A"}
    assert set(listed(*maltese[::-1]) or ()) == {"Ġ", " A"}


def test_tokens_that_are_only_numbered_are_no_list() -> None:
    """vLLM's, started with --return-tokens-as-token-ids."""
    assert listed(("token_id:32", -1.0), ("token_id:33", -2.0)) is None


def test_a_list_of_completions() -> None:
    choice = {"text": "A", "logprobs": {"top_logprobs": [{"A": -1.0, "B": None}]}}
    assert read_completion(json.dumps({"choices": [choice]}).encode()).listed == {"A": exp(-1)}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (chat("<think>\nB or A?\n</think>\n\nA"), "A"),
        (chat("B or A?</think>\n\nA"), "A"),
        (chat("<think>\nB or"), ""),
        (chat("A", message={"reasoning": "B or A?"}), "A"),
        (chat("A", message={"reasoning_content": "B or A?"}), "A"),
        (chat([{"type": "thinking", "thinking": []}, {"type": "text", "text": "A"}]), "A"),
        (
            chat("", usage={"completion_tokens_details": {"reasoning_tokens": 16}}),
            "",
        ),
    ],
)
def test_what_a_model_thinks_is_no_part_of_its_answer(body: bytes, text: str) -> None:
    said = read_completion(body)
    assert (said.text, said.thought) == (text, True)


def test_an_answer_without_thoughts() -> None:
    plain = Said("A", tokens_in=7, tokens_out=1)
    usage = {"prompt_tokens": 7, "completion_tokens": 1, "completion_tokens_details": None}
    assert read_completion(chat("A", usage=usage)) == plain
    parts = chat([{"type": "text", "text": "A"}], usage=usage)
    assert read_completion(parts) == plain
    assert read_completion(chat("A", choice={"finish_reason": "length"})).cut
    assert read_completion(chat("A", provider="DeepInfra")).routed


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"error": {"code": 429, "message": "slow down"}}, 429, "slow down"),
        ({"error": {"code": "server_error", "message": "broken"}}, 502, "broken"),
        ({"error": "no such thing"}, 502, "no such thing"),
        ({"object": "error", "message": "too long", "code": 400}, 400, "too long"),
        ({"choices": [], "error": {"code": 402, "message": "empty"}}, 402, "empty"),
        ({"choices": [{"error": {"code": 503, "message": "down"}}]}, 503, "down"),
        ({"choices": [{"message": {}, "finish_reason": "error"}]}, 502, "ended in an error"),
    ],
)
def test_a_failure_that_comes_as_an_answer(body: Any, status: int, said: str) -> None:
    with pytest.raises(Complaint, match=said) as caught:
        read_completion(json.dumps(body).encode())
    assert caught.value.status == status


def test_no_error_is_none() -> None:
    assert read_completion(chat("A", choice={"error": None}, error=None)).text == "A"
