"""What a server can do, found out by a handful of tiny requests before the first question.

A plain question comes first: who answers that can be used, whatever else is refused. Knows the requests and
their answers; no network: the probe is a generator that yields (path, payload) and is sent what the server
said, `Refused` where it would not, and "absent" where there is nothing at the path.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from cloudchamber.models.remote.complaints import Refused, at_most
from cloudchamber.models.remote.completion import Said
from cloudchamber.models.scoring import spelled

__all__ = ["EVEN", "PATHS", "THINKING", "Capabilities", "Probe", "probe"]

PATHS = {"chat": "/chat/completions", "completions": "/completions"}
"""Form -> what is appended to the address."""

EVEN: dict[str, Any] = {"top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""What leaves a sample the model's own. Unasked, llama.cpp's server takes the 40 likeliest tokens and none
below a twentieth of the likeliest; vLLM and SGLang take whatever the model's `generation_config` says."""
THINKING = 4096
"""Tokens more that a model which thinks before it answers is given."""

_WHOLE = ", ".join(map(str, range(1, 21)))
_BEGUN = _WHOLE[:17]
_LADDER = (100, 20, 5)
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
    thinks: bool = False
    """Whether the model thinks before it answers, which a list of first tokens does not tell of."""
    routed: bool = False
    """Whether it passes requests on, and is asked for providers that heed all of one (OpenRouter)."""

    def aloud(self) -> str:
        """What it can do, in a sentence."""
        asked = "chat" if self.form == "chat" else "plain completions"
        listed = f"the {self.top} likeliest tokens" if self.top else "no log-probabilities"
        goes = "continues a begun answer" if self.continues != "no" else "begins each answer anew"
        parts = [f"answers by {asked}", f"gives {listed}", goes]
        parts.append("keeps to a JSON schema" if self.schema else "knows no JSON schema")
        if self.scores:
            parts.append("scores given answers")
        if self.thinks:
            parts.append("thinks before it answers")
        if self.routed:
            parts.append("passes requests on to one of several providers")
        if self.refused:
            parts.append(f"refuses {', '.join(self.refused)}")
        return "; ".join(parts) + "."


Heard = Said | Refused | Literal["absent"] | None
Form = Literal["chat", "completions"]
Step = tuple[str, dict[str, Any]]
Probe = Generator[Step, Heard, Capabilities | None]


def probe(form: Form | None = None) -> Probe:
    """Yield (path, payload without the model's name), be sent answers, return what the server can do.

    At most nine requests of a few tokens, if it takes ordinary fields. Returns None where it answers a plain
    question in neither form.

    Args:
        form: the form to ask in; if None, chat and, where that is not there, completions.
    """
    forms: tuple[Form, ...] = ("chat", "completions") if form is None else (form,)
    for one in forms:
        found = yield from (_chat() if one == "chat" else _completions())
        if found is not None:
            return found
    return None


def _chat() -> Probe:
    asked = _messages("Answer with the letter A.")
    can = yield from _plain(asked, "chat")
    if can is None:
        return None
    can = replace(can, top=(yield from _top(asked, can)))
    ways: tuple[tuple[Literal["plain", "flagged"], dict[str, Any]], ...] = (
        ("plain", {}),
        ("flagged", {"continue_final_message": True, "add_generation_prompt": False}),
    )
    begun = _messages(f"Repeat this: {_WHOLE}", _BEGUN)
    for way, flags in ways:
        said = yield _step(can, begun | flags, max_tokens=4, temperature=0.01)
        # What is generated goes on with a space; some servers repeat the beginning before it, which is
        # more than four tokens that a server could have begun anew, and less than the whole.
        text = said.text if isinstance(said, Said) else ""
        if text.startswith((" 7", _BEGUN)) and len(text) < len(_WHOLE) - len(_BEGUN):
            can = replace(can, continues=way)
            break
    if can.continues == "flagged":
        flags = ways[1][1] | {"prompt_logprobs": 0}
        said = yield _step(can, begun | flags, max_tokens=1)
        can = replace(can, scores=isinstance(said, Said) and bool(said.scored))
    # What nobody would answer so unconstrained; small models put spaces wherever a schema lets them.
    wanted = _messages("Write a sentence about the sea, as JSON.") | {"response_format": _FORMAT}
    longest = 48 + THINKING * can.thinks
    said = yield _step(can, wanted, max_tokens=longest, temperature=0.01)
    return replace(can, schema=isinstance(said, Said) and _is_answer(said.text))


def _completions() -> Probe:
    prompt = "A, B, C, D, E,"
    can = yield from _plain({"prompt": prompt}, "completions")
    if can is None:
        return None
    top = yield from _top({"prompt": prompt}, can)
    asked = {"prompt": [prompt, prompt + " F"], "logprobs": 1, "echo": True}
    said = yield _step(can, asked, max_tokens=1)
    scored = [spelled(one, "F") for one in said.scored] if isinstance(said, Said) else []
    scores = len(scored) == 2 and scored[1] is not None
    return replace(can, top=top, continues="plain", scores=scores)


def _plain(asked: dict[str, Any], form: Form) -> Probe:
    """A plain question: with the ordinary fields, and with ever fewer where they are refused."""
    fields: dict[str, Any] = {"max_tokens": 16, "temperature": 1.0, "seed": 1} | EVEN
    bare = (*fields, "max_completion_tokens")
    for gone in ((), (*EVEN,), (*EVEN, "seed"), bare):
        kept = {field: value for field, value in fields.items() if field not in gone}
        said = yield PATHS[form], asked | kept
        if said == "absent":
            return None
        if isinstance(said, Said):
            thinks = form == "chat" and (said.thought or (said.cut and not said.text.strip()))
            return Capabilities(form, refused=gone, thinks=thinks, routed=said.routed)
    return None


def _top(asked: dict[str, Any], can: Capabilities) -> Generator[Step, Heard, int]:
    """The length of the list that the server gives, 0 for none."""
    lengths = list(_LADDER)
    while lengths:
        length = lengths.pop(0)
        wanted: dict[str, Any] = (
            {"logprobs": length}
            if can.form == "completions"
            else {"logprobs": True, "top_logprobs": length}
        )
        said = yield _step(can, asked | wanted, max_tokens=1)
        if isinstance(said, Said):
            if said.listed is not None:
                return min(length, len(said.listed))
            lengths = [20] if length == _LADDER[0] else []  # it gives none, or none so long
        elif isinstance(said, Refused) and (most := at_most(said.said, length)):
            lengths = [most, *(one for one in lengths if one < most)]
    return 0


def _step(can: Capabilities, asked: dict[str, Any], **ordinary: Any) -> Step:
    """A request with the fields that are not refused, to providers that heed all of it."""
    if can.routed:
        asked = asked | {"provider": {"require_parameters": True}}
    if "max_tokens" in can.refused:
        ordinary["max_completion_tokens"] = ordinary.pop("max_tokens")
    kept = {field: value for field, value in ordinary.items() if field not in can.refused}
    return PATHS[can.form], asked | kept


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
