"""Usage is read from whatever a server sends, and from nothing else."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.models.remote.billing import _most, usage

USAGE = {"usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}


@given(st.text(), st.booleans())
def test_a_text_that_speaks_of_usage_is_none(text: str, first: bool) -> None:
    said = text + '"prompt_tokens": 999, "completion_tokens": 999}' + text
    choice = {"choices": [{"message": {"content": said}}]}
    for body in (USAGE | choice, choice | USAGE):
        assert usage(msgspec.json.encode(body)) == (12, 3)
    assert usage(msgspec.json.encode(choice)) is None


@given(st.integers(0, 200))
def test_of_an_answer_that_was_cut_only_what_stands_whole_is_read(length: int) -> None:
    body = msgspec.json.encode({"id": "1"} | USAGE | {"choices": []})
    found = usage(body[:length])
    assert found in ((12, 3), None)
    assert (found == (12, 3)) == (length >= body.index(b',"total'))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"usage": {"prompt_tokens" : 7 , "completion_tokens":null}}', (7, 0)),
        (b'{"logprob": NaN, "usage": {"completion_tokens": 2, "prompt_tokens": 8}}', (8, 2)),
        (b'{"usage": {"prompt_tokens": 7}}', None),
        (b'{"usage": null}', None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_usage_in_the_forms_that_servers_write(body: bytes, told: object) -> None:
    assert usage(body) == told


def test_the_most_that_a_request_may_take() -> None:
    chat = msgspec.json.encode({"messages": [{"content": '"max_tokens":9'}], "max_tokens": 5})
    assert _most(chat) == (len(chat), 5)
    several = msgspec.json.encode({"prompt": ["a", "b", "c"], "max_completion_tokens": 2})
    assert _most(several) == (len(several), 6)
    assert _most(b"{}")[1] > 1000, "no limit"
