"""Complaints, word for word as servers make them, and what they are about."""

import json
from typing import Any

import pytest

from cloudchamber.models.remote.complaints import at_most, blamed, declined, empty, too_short

SENT = ("temperature", "top_p", "top_k", "min_p", "seed", "max_tokens", "stop")


def openai(message: str, param: str | None = None, code: Any = None) -> dict[str, Any]:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return {"error": error}


@pytest.mark.parametrize(
    ("complaint", "fields"),
    [
        (
            openai(
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "max_tokens",
                "unsupported_parameter",
            ),
            ["max_tokens"],
        ),
        (
            openai(
                "Unsupported value: 'temperature' does not support 0.0 with this model. "
                "Only the default (1) value is supported.",
                "temperature",
            ),
            ["temperature"],
        ),
        (openai("Unrecognized request argument supplied: top_k"), ["top_k"]),
        (openai("Unrecognized request arguments supplied: min_p, top_k"), ["top_k", "min_p"]),
        ({"detail": "Unexpected fields in the request: {'top_k', 'min_p'}"}, ["top_k", "min_p"]),
        (
            {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
            ["seed"],
        ),
        ({"object": "error", "message": "top_k must be -1 (disable) or at least 1"}, ["top_k"]),
        (
            openai("`temperature` and `top_p` cannot both be specified for this model."),
            ["top_p"],
        ),
        ({"error": "seed is not supported"}, ["seed"]),
        ("temperature is not supported", ["temperature"]),
        # What is no field of the request, or only looks like one.
        (openai("prompt_seed is not supported"), []),
        (openai("This model's maximum context length is 8192 tokens. Stop sending more."), []),
        (openai("The prompt 'what is the temperature of the sun?' is too long"), []),
        ("<html>Bad Request</html>", []),
        ("", []),
    ],
)
def test_what_a_complaint_is_about(complaint: Any, fields: list[str]) -> None:
    body = complaint if isinstance(complaint, str) else json.dumps(complaint)
    assert blamed(body.encode(), SENT) == fields


@pytest.mark.parametrize(
    ("message", "most"),
    [
        ("Requested sample logprobs of 100, which is greater than max allowed: 20", 20),
        ("Invalid value for 'top_logprobs': must be less than or equal to 20.", 20),
        ("top_logprobs must be between 0 and 20", 20),
        ("top_logprobs must be at most 5", 5),
        ("You are not allowed to request logprobs from this model", 0),
        ("gpt-4.1 takes none", 0),
    ],
)
def test_how_long_a_list_may_be(message: str, most: int) -> None:
    assert at_most(json.dumps(openai(message)).encode(), 100) == most


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (
            400,
            openai("The response was filtered", code="content_filter"),
            "The response was filtered",
        ),
        (
            403,
            {
                "error": {
                    "code": 403,
                    "message": "Your input was flagged",
                    "metadata": {"reasons": ["violence"], "flagged_input": "a"},
                }
            },
            "Your input was flagged",
        ),
        (403, openai("No access to this model"), ""),
        (500, openai("content_filter is down"), ""),
    ],
)
def test_a_question_that_is_declined(status: int, body: Any, why: str) -> None:
    assert declined(status, json.dumps(body).encode()) == why


def test_an_account_that_is_empty_is_told_from_one_that_waits() -> None:
    quota = "You exceeded your current quota, please check your plan and billing details."
    assert empty(json.dumps(openai(quota, code="insufficient_quota")).encode())
    per_minute = {"error": {"code": 429, "message": quota, "status": "RESOURCE_EXHAUSTED"}}
    assert not empty(json.dumps(per_minute).encode())  # Gemini's, which passes in a minute


def test_thoughts_that_do_not_fit() -> None:
    said = b"Could not finish the message because max_tokens or model output limit was reached."
    assert too_short(400, said)
    assert not too_short(400, b"max_tokens is too large")
