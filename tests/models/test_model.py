import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import ModelError
from cloudchamber.models import STATUSES, Reply, Request, open_model
from cloudchamber.models.model import pack, unpack

BASE = Request((("system", "a"), ("user", "b")), ("x", "y"))


def test_the_key_changes_with_everything_that_can_change_the_answer() -> None:
    others = [
        Request((("system", "a"), ("user", "c")), ("x", "y")),
        Request((("user", "b"),), ("x", "y")),
        Request(BASE.messages, ("y", "x")),
        Request(BASE.messages),
        Request(BASE.messages, BASE.options, max_tokens=17),
        Request(BASE.messages, BASE.options, temperature=0.5),
        Request(BASE.messages, BASE.options, prefix="I "),
        Request(BASE.messages, BASE.options, sampled=True),
    ]
    keys = {request.key() for request in (BASE, *others)}
    assert len(keys) == len(others) + 1
    assert Request((("system", "a"), ("user", "b")), ("x", "y")).key() == BASE.key()


def test_the_key_is_pinned_because_stores_outlive_versions() -> None:
    assert BASE.key() == "9cfb45e5092a12ee80ced5158668911ba8ac4f61c7d1b15daa3a0c23136270a0"


def test_turns_join_messages_of_one_role() -> None:
    request = Request((("user", "a"), ("user", "b"), ("assistant", "c"), ("user", "d")))
    assert request.turns() == (("user", ("a", "b")), ("assistant", ("c",)), ("user", ("d",)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"messages": ()}, "at least one"),
        ({"messages": (("bot", "x"),)}, "'bot' was given; allowed: system, user, assistant"),
        ({"options": ("a", "a")}, "distinct"),
        ({"options": ("",)}, "not empty"),
        ({"max_tokens": 0}, "0 was given; allowed: 1 or more"),
        ({"temperature": -1.0}, "-1.0 was given; allowed: 0 or more"),
        ({"temperature": float("nan")}, "nan was given"),
    ],
)
def test_requests_that_make_no_sense_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Request(**({"messages": (("user", "x"),)} | values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(np.array([-0.5, -np.inf]), 0.25, tokens_in=3, seconds=0.5),
        Reply(text="né\n", choice=2, tokens_out=2),
        Reply(status="refused", reason="no"),
    ],
)
def test_replies_come_back_from_json(reply: Reply) -> None:
    back = unpack(pack(reply))
    assert repr(back) == repr(reply)
    json.loads(pack(reply))  # plain JSON: no NaN, no infinity
    assert reply.status in STATUSES


def test_what_is_no_reply_is_said() -> None:
    with pytest.raises(ModelError, match="not a stored reply"):
        unpack(b'{"text": 3}')


@pytest.mark.parametrize("name", ["", "gpt-4", "gguf:", "openai:x", "openai:x@host", "fake:"])
def test_a_name_of_no_form_says_the_forms(name: str) -> None:
    with pytest.raises(ModelError, match=r"allowed: embedded, gguf:PATH, openai:NAME@URL"):
        open_model(name)


def test_an_unknown_fake_and_a_missing_file_say_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Did you mean 'uniform'"):
        open_model("fake:unifrom")
    with pytest.raises(ModelError, match="cannot be read as a GGUF file"):
        open_model(f"gguf:{tmp_path / 'missing.gguf'}")


def test_importing_models_loads_no_server_tokenizer_or_database() -> None:
    code = (
        "import sys, cloudchamber.models; "
        "print([m for m in ('aiohttp', 'tokenizers', 'sqlite3') if m in sys.modules])"
    )
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    assert done.stdout.strip() == "[]"
