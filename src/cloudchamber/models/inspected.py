"""Any provider that Inspect knows as a language model: the question is handed to its model API.

Keys, addresses and providers' own packages are Inspect's business; nothing of them is kept here. Needs the
extra `inspect`, which is imported only when such a model is opened.
"""

import os
from dataclasses import replace
from math import exp
from time import perf_counter
from typing import Any

from cloudchamber.errors import ModelError
from cloudchamber.models.model import Reply, Request
from cloudchamber.models.parsing import CUT, read_text
from cloudchamber.models.remote.completion import Said
from cloudchamber.models.remote.hushing import Hush
from cloudchamber.models.scoring import Listed, Settled, distribution, settle

__all__ = ["InspectModel", "inspect_model"]

RETRIES = 3
LISTED = 20
"""Likeliest tokens that are asked for: as many as the providers that list them give."""
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
        self._refused: set[str] = set()
        """What the provider has refused: "logprobs", "prefill"."""

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        """Answer a request; see `Model.ask`. A `prefix` is sent as the beginning of the answer."""
        start = perf_counter()
        try:
            reply = _answered(request, await self._said(request, draw))
        except Exception as error:  # providers raise errors of their own kinds
            reply = self._failure(error)
        return replace(reply, seconds=perf_counter() - start)

    async def _said(self, request: Request, draw: int) -> Said:
        from inspect_ai.model import GenerateConfig

        given = {
            **self._limits,
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "seed": draw & 0x7FFFFFFF,
        }
        if request.options and not request.sampled and "logprobs" not in self._refused:
            given |= {"logprobs": True, "top_logprobs": LISTED}
        messages = _messages(request, begun="prefill" not in self._refused)
        try:
            output = await self._model.generate(messages, config=GenerateConfig(**given))
        except Exception as error:
            complaint = str(error)
            news = {part for part in ("logprobs", "prefill") if part in complaint} - self._refused
            if not news:
                raise
            self._refused |= news
            return await self._said(request, draw)
        return _read(output)

    def _failure(self, error: Exception) -> Reply:
        """What an exception of Inspect's or of a provider's amounts to.

        Raises:
            ModelError: no request can be answered.
        """
        cause = error.__cause__ if type(error).__name__ == "RetryError" else None
        cause = cause or error
        kind = type(cause).__name__
        said = _hushed(f"{kind}: {cause}")[:300]
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


def _messages(request: Request, begun: bool) -> list[Any]:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    told = [kinds[role](content="".join(texts)) for role, texts in request.turns()]
    if begun and request.prefix.strip():  # providers refuse a beginning that ends in a space
        told.append(ChatMessageAssistant(content=request.prefix.rstrip()))
    return told


def _read(output: Any) -> Said:
    """What Inspect gives, as far as it is read."""
    counted = ("input_tokens", "input_tokens_cache_read", "input_tokens_cache_write")
    tokens_in = sum(getattr(output.usage, name, 0) or 0 for name in counted)
    tokens_out = output.usage.output_tokens if output.usage else 0
    if not output.choices:
        raise ValueError("the provider sent no answer.")
    choice = output.choices[0]
    refusal = ""
    if choice.stop_reason == "content_filter":
        refusal = output.error or "the provider's content filter."
    listed: dict[str, float] | None = None
    if choice.logprobs and choice.logprobs.content:
        listed = {}
        for one in choice.logprobs.content[0].top_logprobs or ():
            listed[one.token] = listed.get(one.token, 0.0) + exp(one.logprob)
    cut = choice.stop_reason == "max_tokens"
    return Said(choice.message.text, refusal, listed, tokens_in, tokens_out, cut=cut)


def _answered(request: Request, said: Said) -> Reply:
    """What was said as a reply: exact if the list settles it, else the text."""
    tokens: dict[str, Any] = {"tokens_in": said.tokens_in, "tokens_out": said.tokens_out}
    if said.refusal:
        return replace(Reply(status="refused", text=said.text, reason=said.refusal), **tokens)
    note = CUT if said.cut and not request.options else ""
    if request.options and not request.sampled:
        settled = _settled(request.options, said.listed)
        if not settled.why:
            logprobs = distribution(settled.found, request.temperature)
            return replace(Reply(logprobs=logprobs, mass=settled.mass), **tokens)
        note = f"a sample: {settled.why}"
    return replace(Reply(**read_text(said.text, request), note=note), **tokens)


def _settled(options: tuple[str, ...], listed: Listed | None) -> Settled:
    """What the list of the first token settles; an answer that is begun is not asked about."""
    if not listed:
        return Settled([0.0] * len(options), 1.0, "the provider lists no likely tokens")
    settling = settle(options, LISTED, continues=False)
    try:
        next(settling)
        settling.send([listed])
    except StopIteration as end:
        settled: Settled = end.value
        return settled
    raise AssertionError("a choice without continuations is settled by one list, or not at all.")


def _hushed(said: str) -> str:
    """A provider's message without what the environment holds in secret."""
    for name, value in os.environ.items():
        if len(value) >= 8 and any(word in name.upper() for word in _SECRET):
            said = Hush(value)(said)
    return said
