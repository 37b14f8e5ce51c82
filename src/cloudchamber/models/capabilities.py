"""What a server can do, found out by a handful of tiny requests before the first question.

A server that refuses any of them is asked without. Knows the requests and their answers; no network: the
probe is a generator that yields (path, payload) and is sent what the server said, None where it refused,
and "absent" where there is nothing at the path.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from cloudchamber.models.completion import Said

__all__ = ["PATHS", "Capabilities", "Probe", "probe"]

PATHS = {"chat": "/chat/completions", "completions": "/completions"}
"""Form -> what is appended to the address."""

_BEGUN = "1, 2, 3, 4, 5, 6,"
_LADDER = (100, 20, 5, 1)
"""Lengths of the list of tokens that are tried."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server can do; `aloud()` says it in words."""

    form: Literal["chat", "completions"] = "chat"
    """Which of the two it is asked in."""
    top: int = 0
    """Tokens in its list of the likeliest (100 at most); 0 if it gives no log-probabilities."""
    continues: Literal["no", "plain", "flagged"] = "no"
    """Whether it goes on with an answer begun for it: not, as it is, or if told to (vLLM, SGLang)."""
    schema: bool = False
    """Whether it keeps to a JSON schema."""
    scores: bool = False
    """Whether it gives the log-probabilities of a given answer (vLLM's, or by echo)."""
    refused: tuple[str, ...] = ()
    """Ordinary fields that it refuses, e.g. seed."""

    def aloud(self) -> str:
        """What it can do, in a sentence."""
        asked = "chat" if self.form == "chat" else "plain completions"
        listed = f"the {self.top} likeliest tokens" if self.top else "no log-probabilities"
        goes = "continues a begun answer" if self.continues != "no" else "begins each answer anew"
        parts = [f"answers by {asked}", f"gives {listed}", goes]
        parts.append("keeps to a JSON schema" if self.schema else "knows no JSON schema")
        if self.scores:
            parts.append("scores given answers")
        if self.refused:
            parts.append(f"refuses {', '.join(self.refused)}")
        return "; ".join(parts) + "."


Heard = Said | Literal["absent"] | None
Probe = Generator[tuple[str, dict[str, Any]], Heard, Capabilities | None]


def probe(form: Literal["chat", "completions"] | None = None) -> Probe:
    """Yield (path, payload without the model's name), be sent answers, return what the server can do.

    At most nine requests of a few tokens. Returns None where it answers in neither form.

    Args:
        form: the form to ask in; if None, chat and, where that is not there, completions.
    """
    for one in ("chat", "completions") if form is None else (form,):
        found = yield from (_chat() if one == "chat" else _completions())
        if found is not None:
            return found
    return None


def _chat() -> Probe:
    top = yield from _top(_messages("Answer with the letter A."), "chat")
    if top is None:
        return None
    can = Capabilities("chat", top)
    ways: tuple[tuple[Literal["plain", "flagged"], dict[str, Any]], ...] = (
        ("flagged", {"continue_final_message": True, "add_generation_prompt": False}),
        ("plain", {}),
    )
    begun = _messages("Repeat this: 1, 2, 3, 4, 5, 6, 7, 8, 9", _BEGUN)
    for way, flags in ways:
        said = yield PATHS["chat"], begun | flags | {"max_tokens": 4, "temperature": 0.0}
        # What is generated goes on with a space; some servers repeat the beginning before it, which is
        # more than four tokens that a server could have begun anew.
        if isinstance(said, Said) and said.text.startswith((" 7", _BEGUN)):
            can = replace(can, continues=way)
            break
    if can.continues == "flagged":
        flags = ways[0][1] | {"prompt_logprobs": 0, "max_tokens": 1}
        said = yield PATHS["chat"], begun | flags
        can = replace(can, scores=isinstance(said, Said) and bool(said.scored))
    asked = _messages('Answer with JSON: {"answer": "A"} or {"answer": "B"}.')
    said = yield PATHS["chat"], asked | {"max_tokens": 24, "response_format": _FORMAT}
    return replace(can, schema=isinstance(said, Said) and _is_answer(said.text))


def _completions() -> Probe:
    prompt = "A, B, C, D, E,"
    top = yield from _top({"prompt": prompt}, "completions")
    if top is None:
        return None
    asked = {"prompt": [prompt, prompt + " F"], "max_tokens": 1, "logprobs": 0, "echo": True}
    said = yield PATHS["completions"], asked
    scores = isinstance(said, Said) and len(said.scored) == 2 and len(said.scored[1]) > 1
    return Capabilities("completions", top, "plain", False, scores)


def _top(
    asked: dict[str, Any], form: Literal["chat", "completions"]
) -> Generator[tuple[str, dict[str, Any]], Heard, int | None]:
    """The length of the list that the server gives, 0 for none; None if it does not answer at all."""
    for length in _LADDER:
        wanted: dict[str, Any] = (
            {"logprobs": length} if form == "completions" else {"logprobs": True}
        )
        if form == "chat":
            wanted["top_logprobs"] = length
        said = yield PATHS[form], asked | {"max_tokens": 1} | wanted
        if said == "absent":
            return None
        if said is not None and said.listed is not None:
            return min(length, len(said.listed))
    said = yield PATHS[form], asked | {"max_tokens": 16}
    return 0 if isinstance(said, Said) else None


def _messages(user: str, assistant: str = "") -> dict[str, Any]:
    messages = [{"role": "user", "content": user}]
    if assistant:
        messages.append({"role": "assistant", "content": assistant})
    return {"messages": messages}


class _Letter(msgspec.Struct, forbid_unknown_fields=True):
    answer: Literal["A", "B"]


def _is_answer(text: str) -> bool:
    try:
        msgspec.json.decode(text, type=_Letter)
    except msgspec.MsgspecError:
        return False
    return True


_FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"answer": {"type": "string", "enum": ["A", "B"]}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
}
