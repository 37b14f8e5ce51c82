"""Any provider that Inspect knows as a language model: the question is handed to its model API.

Keys, addresses and providers' own packages are Inspect's business; nothing of them is kept here. Needs the
extra `inspect`, which is imported only when such a model is opened.
"""

import os
from dataclasses import replace
from time import perf_counter
from typing import Any

import msgspec

from cloudchamber.errors import ModelError
from cloudchamber.models.completion import Completion, reply_of
from cloudchamber.models.model import Reply, Request

__all__ = ["InspectModel", "inspect_model"]

RETRIES = 3
INSTALL = "pip install 'cloudchamber[inspect]'"
_DENIED = (401, 403, 404)
_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD")


class InspectModel:
    """A model of Inspect's, asked by its `generate`.

    Args:
        model: what `inspect_ai.model.get_model` gave.
        name: as Inspect calls it, "PROVIDER/NAME".
        concurrency: requests at once, as Inspect counts its connections.
        timeout: whole seconds for one attempt.
        retries: attempts after the first, with Inspect's own waits.

    Raises:
        ModelError: from `ask`, the key or the model's name is not accepted.
    """

    exact = False

    def __init__(
        self,
        model: Any,
        name: str,
        *,
        concurrency: int = 64,
        timeout: int = 120,
        retries: int = RETRIES,
    ) -> None:
        self.name = self.fingerprint = f"inspect:{name}"
        self._model = model
        self._limits = {
            "max_connections": concurrency,
            "attempt_timeout": timeout,
            "max_retries": retries,
        }
        self._unlisted = False
        """Whether the provider refused to give log-probabilities."""

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """Answer a request; see `Model.ask`. A `prefix` is sent as the beginning of the answer."""
        start = perf_counter()
        try:
            reply = await self._asked(request, draw)
        except Exception as error:  # providers raise errors of their own kinds
            reply = self._failure(error)
        return replace(reply, seconds=perf_counter() - start)

    async def _asked(self, request: Request, draw: int) -> Reply:
        from inspect_ai.model import GenerateConfig

        listed = bool(request.options) and not request.sampled and not self._unlisted
        given = {
            **self._limits,
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "seed": draw & 0x7FFFFFFF,
            **({"logprobs": True, "top_logprobs": 20} if listed else {}),
        }
        try:
            output = await self._model.generate(_messages(request), config=GenerateConfig(**given))
        except Exception as error:
            if listed and "logprobs" in str(error):
                self._unlisted = True
                return await self._asked(request, draw)
            raise
        return reply_of(_completion(output), request)

    def _failure(self, error: Exception) -> Reply:
        """What an exception of Inspect's or of a provider's amounts to.

        Raises:
            ModelError: no request can be answered.
        """
        cause = error.__cause__ if type(error).__name__ == "RetryError" else None
        cause = cause or error
        kind = type(cause).__name__
        said = _hushed(f"{kind}: {cause}"[:300])
        if kind == "PrerequisiteError" or getattr(cause, "status_code", 0) in _DENIED:
            raise ModelError(
                f"{self.name}: {said}. The key or the model's name is not accepted; Inspect reads "
                "keys from the environment, each provider's own."
            ) from None
        if kind == "ModelRefusalError":
            return Reply(status="refused", reason=said)
        return Reply(status="timeout" if "Timeout" in kind else "failed", reason=said)

    async def close(self) -> None:
        """Close the provider's connections."""
        await self._model.api.aclose()


def inspect_model(name: str, *, concurrency: int = 64) -> InspectModel:
    """Open a model as Inspect calls it.

    Args:
        name: "PROVIDER/NAME", e.g. "anthropic/claude-sonnet-4-5".
        concurrency: requests at once.

    Raises:
        ModelError: Inspect is not installed, does not know the provider, or lacks its package or key.
    """
    try:
        from inspect_ai.model import get_model
    except ImportError as error:
        raise ModelError(
            f"inspect:{name} needs Inspect, which is not installed; run: {INSTALL}."
        ) from error
    try:
        return InspectModel(get_model(name, memoize=False), name, concurrency=concurrency)
    except Exception as error:  # of Inspect's, or of the provider's package
        said = " ".join(_hushed(str(error)).replace("[bold]", "").replace("[/bold]", "").split())
        raise ModelError(f"inspect:{name} cannot be opened: {said}") from None


def _messages(request: Request) -> list[Any]:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    told = [kinds[role](content="".join(texts)) for role, texts in request.turns()]
    if request.prefix.strip():  # providers refuse a beginning that ends in a space
        told.append(ChatMessageAssistant(content=request.prefix.rstrip()))
    return told


def _completion(output: Any) -> Completion:
    """Inspect's output in the form that servers write."""
    usage = output.usage
    cached = ("input_tokens", "input_tokens_cache_read", "input_tokens_cache_write")
    tokens = (
        [sum(getattr(usage, name) or 0 for name in cached), usage.output_tokens] if usage else []
    )
    written = {
        "choices": [_choice(choice, output.error) for choice in output.choices[:1]],
        "usage": dict(zip(("prompt_tokens", "completion_tokens"), tokens, strict=False)),
    }
    return msgspec.convert(written, Completion)


def _choice(choice: Any, error: str | None) -> dict[str, Any]:
    filtered = choice.stop_reason == "content_filter"
    positions = choice.logprobs.content[:1] if choice.logprobs else []
    top = [
        [{"token": one.token, "logprob": one.logprob} for one in position.top_logprobs or ()]
        for position in positions
    ]
    return {
        "message": {"content": choice.message.text, "refusal": error if filtered else None},
        "finish_reason": choice.stop_reason,
        "logprobs": {"content": [{"top_logprobs": tokens} for tokens in top]} if top else None,
    }


def _hushed(said: str) -> str:
    """A provider's message without what the environment holds in secret."""
    for name, value in os.environ.items():
        if len(value) >= 8 and any(word in name.upper() for word in _SECRET):
            said = said.replace(value, f"[{name}]")
    return said
