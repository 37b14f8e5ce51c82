"""An OpenAI-compatible server on this machine that answers honestly, or spoils its answers by a plan.

Honest answers are a function of the request (`Speaker`), so results with faults can be held against results
without. It listens on 127.0.0.1, on any free port:

    async with Server(plan=Plan(share=0.3, seed=1)) as server:
        model = open_model(f"openai:toy@{server.url}")
"""

import asyncio
import re
from dataclasses import dataclass
from math import log
from typing import Any, Literal

import msgspec
from aiohttp import web

from cloudchamber.testing.faults import FAULTS, REFUSALS, Plan, Sleep
from cloudchamber.testing.speaker import Conversation, Speaker

__all__ = ["Abilities", "Server"]

_TURN = re.compile(r"^(User|Assistant): ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the server can do; a request for more is refused with 400."""

    chat: bool = True
    completions: bool = True
    top: int = 20
    """Tokens in a list at most; 0 for no log-probabilities."""
    curtails: bool = False
    """Whether a longer list is shortened without a word, or left out, instead of refused."""
    continues: Literal["no", "plain", "flagged"] = "flagged"
    repeats: bool = False
    """Whether its text begins with what was begun for it, as llama.cpp's does."""
    schema: bool = True
    scores: bool = True
    refuses: tuple[str, ...] = ()
    """Fields that it knows nothing of, e.g. "seed"."""
    key: str = ""
    """The key it wants; "" for none."""


class _Refused(Exception):
    pass


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
            return web.json_response({"error": {"message": str(refusal)}}, status=400)
        answer = msgspec.json.encode(made)
        if fault not in REFUSALS:
            for at, name in enumerate(("prompt_tokens", "completion_tokens")):
                self.billed[at] += made["usage"][name]
        if fault:
            return await FAULTS[fault](request, answer, self._sleep)
        return web.Response(body=answer, content_type="application/json")

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """The honest answer to a request, as JSON."""
        for field in self.can.refuses:
            if field in body:
                raise _Refused(f"Unsupported parameter: '{field}'")
        found = self._chat(body) if "messages" in body else self._text(body)
        usage = {"prompt_tokens": 7, "completion_tokens": 1}
        return {"id": f"toy-{len(self.asked)}", "model": body["model"], "usage": usage} | found

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        asked = [(one["role"], one["content"]) for one in body["messages"]]
        begun = self._begun(body, asked)
        text = (begun if self.can.repeats else "") + self._said(body, asked, begun)
        choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}}
        if body.get("logprobs"):
            top = self._listed(asked, begun, body.get("top_logprobs", 0))
            listed = [{"token": token, "logprob": log(chance)} for token, chance in top]
            if listed:
                choice["logprobs"] = {"content": [{"token": text, "top_logprobs": listed}]}
        found: dict[str, Any] = {"choices": [choice]}
        if body.get("prompt_logprobs") is not None:
            if not self.can.scores:
                raise _Refused("unknown field prompt_logprobs")
            scored = self.speaker.scored(asked, begun)
            found["prompt_logprobs"] = [None] + [
                {"1": {"logprob": score, "decoded_token": token}} for token, score in scored
            ]
        return found

    def _begun(self, body: dict[str, Any], asked: Conversation) -> str:
        flagged = bool(body.get("continue_final_message"))
        if flagged and self.can.continues != "flagged":
            raise _Refused("unknown field continue_final_message")
        goes_on = flagged or self.can.continues == "plain"
        return asked[-1][1] if goes_on and asked[-1][0] == "assistant" else ""

    def _listed(self, asked: Conversation, begun: str, top: int) -> list[tuple[str, float]]:
        if top > self.can.top and not self.can.curtails:
            raise _Refused(f"top_logprobs must be at most {self.can.top}")
        following = self.speaker.following(asked, begun)
        junk = {f"<{number}>": 1e-12 for number in range(100)}  # a vocabulary is never so short
        return list((following | junk).items())[: min(top, self.can.top)]

    def _said(self, body: dict[str, Any], asked: Conversation, begun: str) -> str:
        wanted = body.get("response_format")
        temperature, seed = float(body.get("temperature", 1.0)), int(body.get("seed", 0))
        if wanted is None:
            said = self.speaker.sample(asked, begun, seed, temperature)
            words = re.findall(r"\s*\S+", said)
            return "".join(words[: int(body.get("max_tokens", len(words)))])
        if not self.can.schema:
            raise _Refused("unknown field response_format")
        allowed = wanted["json_schema"]["schema"]["properties"]["answer"]["enum"]
        said = self.speaker.sample(asked, "", seed, temperature)
        return msgspec.json.encode({"answer": said if said in allowed else allowed[0]}).decode()

    def _text(self, body: dict[str, Any]) -> dict[str, Any]:
        prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
        if body.get("echo") and not self.can.scores:
            raise _Refused("unknown field echo")
        return {"choices": [self._going_on(body, *one) for one in enumerate(prompts)]}

    def _going_on(self, body: dict[str, Any], index: int, prompt: str) -> dict[str, Any]:
        before, turn, begun = prompt.rpartition("Assistant:")
        asked = [("user", _TURN.sub("", before) if turn else prompt)]
        begun = begun if turn else ""
        text = self.speaker.sample(
            asked, begun, int(body.get("seed", 0)), float(body.get("temperature", 1.0))
        )
        choice: dict[str, Any] = {"index": index, "text": text, "finish_reason": "length"}
        if body.get("logprobs") is None:
            return choice
        wanted = 0 if body.get("echo") else body["logprobs"]
        top = dict(self._listed(asked, begun, wanted))
        choice["logprobs"] = {"top_logprobs": [{t: log(chance) for t, chance in top.items()}]}
        if body.get("echo"):
            words = [(word, -1.0) for word in prompt.split()]
            scored = [*(self.speaker.scored(asked, begun) if turn else words), (text, -1.0)]
            del choice["logprobs"]["top_logprobs"]
            choice["logprobs"] |= {
                "tokens": [token for token, _ in scored],
                "token_logprobs": [None, *(score for _, score in scored[1:])],
            }
        return choice
