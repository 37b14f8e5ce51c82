"""A server on this machine that answers as it is told, one response after another."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from aiohttp import web

from cloudchamber.models import Reply, Request
from cloudchamber.models.remote.capabilities import Capabilities
from cloudchamber.models.remote.server import RemoteModel

REQUEST = Request((("system", "s"), ("user", "a"), ("user", "b")), ("A", "B"), prefix="I say ")
KEY = "sk-secret-1234"
LISTS = Capabilities(top=20, continues="plain")
NOTHING = Capabilities(continues="plain")
Respond = Callable[[dict[str, Any]], web.StreamResponse | Awaitable[web.StreamResponse]]


class Server:
    """Answers each request with the next response; the last one again and again."""

    def __init__(self, *responses: Respond) -> None:
        self.responses = list(responses)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.slept: list[float] = []
        self.paths: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(request.headers)
        self.paths.append(request.path)
        respond = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        result = respond(self.bodies[-1])
        return result if isinstance(result, web.StreamResponse) else await result

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def ask(
        self,
        *requests: Request,
        key: str = KEY,
        timeout: float = 30.0,
        can: Capabilities | None = LISTS,
    ) -> list[Reply]:
        async def main() -> list[Reply]:
            app = web.Application()
            app.router.add_post("/v1/{form:.*}", self.handle)
            runner = web.AppRunner(app, shutdown_timeout=0.01)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            ticks = iter(range(1000))
            model = RemoteModel(
                "m",
                f"http://127.0.0.1:{port}/v1/",
                key,
                timeout=timeout,
                capabilities=can,
                sleep=self.sleep,
                clock=lambda: float(next(ticks)),
            )
            try:
                return [await model.ask(request, 2**40 + 5) for request in requests or (REQUEST,)]
            finally:
                await model.close()
                await runner.cleanup()

        return asyncio.run(main())


def says(
    text: str | None, top: dict[str, float] | None = None, **changed: Any
) -> Callable[[dict[str, Any]], web.Response]:
    tokens = [{"token": t, "logprob": float(np.log(p))} for t, p in (top or {}).items()]
    choice: dict[str, Any] = {"message": {"content": text, **changed}, "finish_reason": "stop"}
    if top is not None:
        choice["logprobs"] = {"content": [{"token": "x", "logprob": 0.0, "top_logprobs": tokens}]}
    body = {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 1}, "new": 1}
    return lambda _: web.json_response(body)


def fails(
    status: int, text: str = "", headers: dict[str, str] | None = None
) -> Callable[[dict[str, Any]], web.Response]:
    return lambda _: web.Response(status=status, text=text, headers=headers)
