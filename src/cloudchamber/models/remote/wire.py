"""What is sent to an OpenAI-compatible server: a request as the JSON of chat completions or completions.

Knows what a server can do (`Capabilities`), and no network.
"""

from collections.abc import Sequence
from typing import Any, Literal

from cloudchamber.models.model import Request
from cloudchamber.models.remote.capabilities import EVEN, PATHS, THINKING, Capabilities

__all__ = ["Wire", "structured"]

_ENDS = "\n\nUser:"


class Wire:
    """The payloads of one model.

    Args:
        model: the server's name for it.
        capabilities: what the server can do.
        refused: fields that it refuses, which are left out; grows as more are found.
    """

    def __init__(
        self, model: str, capabilities: Capabilities, refused: set[str] | None = None
    ) -> None:
        self._model, self.can = model, capabilities
        self.path = PATHS[capabilities.form]
        self._refused = set() if refused is None else refused
        self._refused |= set(capabilities.refused)

    def listed(self, request: Request, begun: str) -> dict[str, Any]:
        """Ask for the likeliest next tokens, the answer being begun."""
        payload = self._payload(request, begun, 1, 1.0)
        if self.can.form == "chat":
            payload["logprobs"], payload["top_logprobs"] = True, self.can.top
        else:
            payload["logprobs"] = self.can.top
        if self.can.routed:
            payload["provider"] = {"require_parameters": True}
        return payload

    def sampled(
        self,
        request: Request,
        draw: int,
        said: str | None = None,
        schema: bool = False,
        thinks: bool = False,
    ) -> dict[str, Any]:
        """Ask for an answer; where `said` was no answer, say so and ask again."""
        longest = request.max_tokens
        if schema:
            longest = max(longest, 48 + max(len(option) for option in request.options))
        if self.can.thinks or thinks:
            longest += THINKING
        asked = request if said is None else _again(request, said)
        payload = self._payload(asked, "", longest, request.temperature, schema)
        seed = draw & 0x7FFFFFFF  # servers differ in how wide a seed they take
        for field, value in {"seed": seed, **EVEN}.items():
            if field not in self._refused:
                payload[field] = value
        if schema:
            payload["response_format"] = structured(request.options)
            if self.can.routed:
                payload["provider"] = {"require_parameters": True}
        return payload

    def scored(self, request: Request, labels: Sequence[str]) -> list[dict[str, Any]]:
        """Ask for the log-probabilities of the labels as answers: one request, or one a label."""
        between = request.prefix[len(request.prefix.rstrip()) :]
        if self.can.form == "chat":
            return [
                self._payload(request, between + label, 1, 1.0) | {"prompt_logprobs": 0}
                for label in labels
            ]
        payload = self._payload(request, "", 1, 1.0)
        ahead = payload["prompt"] + (between if request.prefix else " ")
        prompts = [ahead + label for label in labels]
        return [payload | {"prompt": prompts, "logprobs": 1, "echo": True}]

    def heeds(self, field: str) -> bool:
        """Whether the server takes a field."""
        return field not in self._refused

    def _payload(
        self,
        request: Request,
        begun: str,
        longest: int,
        temperature: float,
        schema: bool = False,
    ) -> dict[str, Any]:
        limit = "max_completion_tokens" if "max_tokens" in self._refused else "max_tokens"
        payload: dict[str, Any] = {"model": self._model}
        if self.can.form == "chat":
            payload["messages"] = _messages(request)
            # A space at the end would be a token by itself, after which models do not go on as after words.
            started = request.prefix.rstrip() + begun
            if started and self.can.continues != "no" and not schema:
                payload["messages"].append({"role": "assistant", "content": started})
                if self.can.continues == "flagged":
                    payload |= {"continue_final_message": True, "add_generation_prompt": False}
        else:
            payload["prompt"] = _text(request) + begun
            payload["stop"] = [_ENDS]
        payload["temperature"] = temperature
        payload[limit] = longest
        for field in self._refused:
            payload.pop(field, None)
        return payload


def structured(options: Sequence[str]) -> dict[str, Any]:
    """The response format that allows one of the options and nothing else."""
    properties = {"answer": {"type": "string", "enum": list(options)}}
    schema = {
        "type": "object",
        "properties": properties,
        "required": ["answer"],
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": schema},
    }


def _messages(request: Request) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    for role, text in request.messages:
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += text
        else:
            turns.append({"role": role, "content": text})
    return turns


_SPEAKER: dict[str, Literal["", "User: ", "Assistant: "]] = {
    "system": "",
    "user": "User: ",
    "assistant": "Assistant: ",
}


def _text(request: Request) -> str:
    """A conversation for a server that only goes on with a text."""
    turns = [_SPEAKER[role] + "".join(texts) for role, texts in request.turns()]
    ahead = f" {request.prefix.rstrip()}" if request.prefix else ""
    return "\n\n".join([*turns, f"Assistant:{ahead}"])


def _again(request: Request, said: str) -> Request:
    """The request with its failed answer, what was wrong with it, and what is allowed."""
    allowed = ", ".join(request.options)
    told = (
        "That answer names none, or more than one, of the allowed answers. "
        f"Answer with exactly one of these and nothing else: {allowed}"
    )
    begun = request.messages if request.messages[-1][0] == "user" else request.messages[:-1]
    messages = (*begun, ("assistant", said[:500] or "(nothing)"), ("user", told))
    return Request(messages, request.options, request.max_tokens, request.temperature)
