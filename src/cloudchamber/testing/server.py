"""An OpenAI-compatible server on this machine that answers honestly, or spoils its answers by a plan.

Honest answers are a function of the request (`Speaker`), so results with faults can be held against results
without. It listens on 127.0.0.1, on any free port:

    async with Server(plan=Plan(share=0.3, seed=1)) as server:
        model = open_model(f"openai:toy@{server.url}")
"""

import asyncio
import re
from math import log
from typing import Any

import msgspec
from aiohttp import web

from cloudchamber.testing.dialects import Abilities
from cloudchamber.testing.faults import FAULTS, REFUSALS, Plan, Sleep
from cloudchamber.testing.speaker import Conversation, Speaker

__all__ = ["Abilities", "Server"]

_TURN = re.compile(r"^(User|Assistant): ", re.MULTILINE)


class _Refused(Exception):
    def __init__(self, message: str, field: str | None = None, status: int = 0) -> None:
        super().__init__(message)
        self.field, self.status = field, status


class Server:
    """The server.

    Args:
        abilities: what it can do.
        plan: which requests meet faults.
        speaker: who answers.
        sleep: how it waits where a fault is lateness; by default not at all.
    """

    def __init__(
        self,
        abilities: Abilities | None = None,
        plan: Plan | None = None,
        speaker: Speaker | None = None,
        sleep: Sleep | None = None,
    ) -> None:
        self.can, self.plan = abilities or Abilities(), plan or Plan()
        self.speaker = speaker or Speaker()
        self.asked: list[dict[str, Any]] = []
        """The bodies of all requests, faults included."""
        self.billed = [0, 0]
        """Tokens in and out of all answers that it made, those that were spoiled on the way included."""
        self.url = ""
        """The address, once it listens."""
        self._sleep = sleep or (lambda seconds: asyncio.sleep(0))
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "Server":
        app = web.Application()
        if self.can.chat:
            app.router.add_post("/v1/chat/completions", self._handle)
        if self.can.completions:
            app.router.add_post("/v1/completions", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(msgspec.json.decode(body))
        if self.can.key and request.headers.get("Authorization") != f"Bearer {self.can.key}":
            return web.Response(status=401, text=f"bad key {request.headers.get('Authorization')}")
        fault = self.plan.next(body)
        try:
            made = self.answer(self.asked[-1])
        except _Refused as refusal:
            return self._refusal(refusal)
        answer = msgspec.json.encode(made)
        if fault not in REFUSALS:
            for at, name in enumerate(("prompt_tokens", "completion_tokens")):
                self.billed[at] += made["usage"][name]
        if fault:
            return await FAULTS[fault](request, answer, self._sleep)
        return web.Response(body=answer, content_type="application/json")

    def _refusal(self, refusal: _Refused) -> web.Response:
        message, status = str(refusal), refusal.status or self.can.status
        error = {"message": message, "type": "BadRequestError", "param": refusal.field}
        told: dict[str, dict[str, Any]] = {
            "error": {"error": error | {"code": None}},
            "flat": {"object": "error"} | error | {"code": status},
            "detail": {"detail": message},
            "word": {"error": "Bad Request"},
        }
        return web.json_response(told[self.can.tells], status=status)

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """The honest answer to a request, as JSON."""
        for field in self.can.refuses:
            if field in body:
                instead = " Use 'max_completion_tokens' instead." if field == "max_tokens" else ""
                raise _Refused(f"Unsupported parameter: '{field}'.{instead}", field)
        if self.can.fixed and body.get("temperature", 1) != 1:
            raise _Refused("Unsupported value: 'temperature' must be 1.", "temperature")
        found = self._chat(body) if "messages" in body else self._text(body)
        usage = {"prompt_tokens": 7, "completion_tokens": 1}
        if self.can.provider:
            found["provider"] = self.can.provider
        return {"id": f"toy-{len(self.asked)}", "model": body["model"], "usage": usage} | found

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        asked = [(one["role"], one["content"]) for one in body["messages"]]
        begun = self._begun(body, asked)
        if self.can.thinks and not begun:
            return self._thought(body, asked)
        text = (begun if self.can.repeats else "") + self._said(body, asked, begun)
        choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}}
        if body.get("logprobs"):
            top = self._listed(asked, begun, body.get("top_logprobs", 0), body)
            if top:
                choice["logprobs"] = {"content": [{"token": text, "top_logprobs": top}]}
        found: dict[str, Any] = {"choices": [choice]}
        if body.get("prompt_logprobs") is not None and self._knows(
            "prompt_logprobs", self.can.scores
        ):
            scored = self.speaker.scored(asked, begun)
            found["prompt_logprobs"] = [None] + [
                {"1": {"logprob": score, "decoded_token": token}} for token, score in scored
            ]
        return found

    def _thought(self, body: dict[str, Any], asked: Conversation) -> dict[str, Any]:
        """An answer that is thought about first, or cut off before it begins."""
        if body.get("logprobs"):
            top = self._listed([("user", "A")], "", body.get("top_logprobs", 0), body)
            listed = {"content": [{"token": "<think>", "top_logprobs": top}]} if top else None
            if top:
                top[:] = [{"token": "<think>", "logprob": 0.0}, *top[1:]]
                top[1:] = [one | {"logprob": -30.0} for one in top[1:]]
        else:
            listed = None
        room = body.get("max_completion_tokens", body.get("max_tokens", 10**6)) - self.can.thinks
        text = self._said(body, asked, "") if room > 0 else ""
        message: dict[str, Any] = {"role": "assistant", "content": text or None}
        if self.can.thoughts == "inline":
            message["content"] = f"<think>\n12 or 34?{f'</think>{text}' if text else ''}"
        elif self.can.thoughts != "hidden":
            message[self.can.thoughts] = "12 or 34?"
        end = "stop" if text else "length"
        choice = {"index": 0, "message": message, "finish_reason": end, "logprobs": listed}
        spent = {"completion_tokens_details": {"reasoning_tokens": min(self.can.thinks, 16)}}
        usage = {"prompt_tokens": 7, "completion_tokens": self.can.thinks} | spent
        return {"choices": [choice], "usage": usage}

    def _knows(self, field: str, can: bool) -> bool:
        """Whether a field is heeded; one that is not is passed over or refused."""
        if not can and not self.can.ignores:
            raise _Refused(f"unknown field {field}", field)
        return can

    def _begun(self, body: dict[str, Any], asked: Conversation) -> str:
        flagged = bool(body.get("continue_final_message")) and self._knows(
            "continue_final_message", self.can.continues == "flagged"
        )
        goes_on = flagged or self.can.continues == "plain"
        begun = asked[-1][1] if goes_on and asked[-1][0] == "assistant" else ""
        return begun.rstrip() if self.can.trims else begun

    def _listed(
        self, asked: Conversation, begun: str, top: int, body: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """The likeliest tokens with their log-probabilities, as the server writes them."""
        can = self.can
        if can.provider and not can.top and body.get("provider", {}).get("require_parameters"):
            raise _Refused(
                "No endpoints found that can handle the requested parameters.", None, 404
            )
        if top > can.top and not can.curtails and (can.top or not can.ignores):
            if can.forbids:
                said = "You are not allowed to request logprobs from this model"
                raise _Refused(said, None, 403)
            raise _Refused(f"top_logprobs: {top} is greater than max allowed: {can.top}")
        following = self.speaker.following(asked, begun)
        junk = {f"<{number}>": 1e-12 for number in range(100)}  # a vocabulary is never so short
        order = list((following | junk).items())
        if can.drawn:
            order = [("<99>", 1e-12), *order]
        return [self._written(*one) for one in order[: min(top, can.top)]]

    def _written(self, token: str, chance: float) -> dict[str, Any]:
        written = {
            "text": token,
            "marks": token.replace(" ", "\u0120"),
            "numbers": f"token_id:{int.from_bytes(token.encode()[:6], 'big')}",
        }
        never = self.can.never if chance < 1e-11 else None
        return {
            "token": written[self.can.spells],
            "logprob": log(chance) if never is None else never,
        }

    def _said(self, body: dict[str, Any], asked: Conversation, begun: str) -> str:
        wanted = body.get("response_format")
        temperature, seed = float(body.get("temperature", 1.0)), int(body.get("seed", 0))
        if wanted is None or not self._knows("response_format", self.can.schema):
            said = self.speaker.sample(asked, begun, seed, temperature)
            words = re.findall(r"\s*\S+", said)
            return "".join(words[: int(body.get("max_tokens", len(words)))])
        allowed = wanted["json_schema"]["schema"]["properties"]["answer"]["enum"]
        said = self.speaker.sample(asked, "", seed, temperature)
        return msgspec.json.encode({"answer": said if said in allowed else allowed[0]}).decode()

    def _text(self, body: dict[str, Any]) -> dict[str, Any]:
        prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
        if len(prompts) > 1 and not self.can.prompts:
            raise _Refused("prompt must be a string", "prompt")
        can = self.can.scores or self.can.echoes
        echo = bool(body.get("echo")) and self._knows("echo", can)
        return {"choices": [self._going_on(body, echo, *one) for one in enumerate(prompts)]}

    def _going_on(
        self, body: dict[str, Any], echo: bool, index: int, prompt: str
    ) -> dict[str, Any]:
        before, turn, begun = prompt.rpartition("Assistant:")
        asked = [("user", _TURN.sub("", before) if turn else prompt)]
        begun = begun if turn else ""
        text = self.speaker.sample(
            asked, begun, int(body.get("seed", 0)), float(body.get("temperature", 1.0))
        )
        choice: dict[str, Any] = {"index": index, "text": text, "finish_reason": "length"}
        if body.get("logprobs") is None:
            return choice
        if echo:
            words = [(word, -1.0) for word in prompt.split()]
            scored = [*(self.speaker.scored(asked, begun) if turn else words), (text, -1.0)]
            choice["logprobs"] = {
                "tokens": [token for token, _ in scored],
                "token_logprobs": [None, *(score for _, score in scored[1:])],
            }
            return choice
        top = self._listed(asked, begun, body["logprobs"], body)
        if top:
            listed = {one["token"]: one["logprob"] for one in top}
            choice["logprobs"] = {"top_logprobs": [listed]}
        return choice
