"""The client against a server on this machine that misbehaves as told."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from cloudchamber.errors import ModelError, ModelUnreachable
from cloudchamber.models import Reply, Request, open_model
from cloudchamber.models.remote import LARGEST, RemoteModel

REQUEST = Request((("system", "s"), ("user", "a"), ("user", "b")), ("A", "B"), prefix="I say ")
KEY = "sk-secret-1234"
Respond = Callable[[dict[str, Any]], web.StreamResponse | Awaitable[web.StreamResponse]]


class Server:
    """Answers each request with the next response; the last one again and again."""

    def __init__(self, *responses: Respond) -> None:
        self.responses = list(responses)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.slept: list[float] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(request.headers)
        respond = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        result = respond(self.bodies[-1])
        return result if isinstance(result, web.StreamResponse) else await result

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def ask(self, *requests: Request, key: str = KEY, timeout: float = 30.0) -> list[Reply]:
        async def main() -> list[Reply]:
            app = web.Application()
            app.router.add_post("/v1/chat/completions", self.handle)
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


def test_what_is_sent() -> None:
    server = Server(says("A"))
    server.ask()
    (body,) = server.bodies
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "ab"},
            {"role": "assistant", "content": "I say "},
        ],
        "temperature": 1.0,
        "seed": 5,
        "max_tokens": 16,
        "logprobs": True,
        "top_logprobs": 20,
    }
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_sampled_answer_is_read() -> None:
    (reply,) = Server(says(" b. ")).ask()
    assert (reply.choice, reply.logprobs, reply.status) == (1, None, "ok")
    assert (reply.tokens_in, reply.tokens_out, reply.seconds) == (7, 1, 1.0)


def test_log_probabilities_that_settle_it_are_an_exact_readout() -> None:
    (reply,) = Server(says("A", {"A": 0.5, " A": 0.1, "B": 0.2, "The": 0.15})).ask()
    assert reply.logprobs is not None
    np.testing.assert_allclose(np.exp(reply.logprobs), [0.75, 0.25])
    assert reply.mass == pytest.approx(0.8)
    assert (reply.choice, reply.text) == (-1, "")


@pytest.mark.parametrize(
    ("top", "options"),
    [
        ({"A": 0.5, "The": 0.3}, ("A", "B")),  # B may have up to 0.2
        ({"1": 0.6, "2": 0.4}, ("12", "21")),  # beginnings of labels
        ({"1": 0.6, "12": 0.4}, ("1", "12")),  # a label that begins another
        ({"The": 1.0}, ("A", "B")),
    ],
)
def test_log_probabilities_that_do_not_settle_it_are_not_used(
    top: dict[str, float], options: tuple[str, ...]
) -> None:
    (reply,) = Server(says(options[0], top)).ask(Request((("user", "x"),), options))
    assert (reply.logprobs, reply.choice) == (None, 0)


def test_a_missing_label_is_zero_where_next_to_nothing_is_left() -> None:
    request = Request((("user", "x"),), ("A", "B", "C"))
    (reply,) = Server(says("A", {"A": 0.75, "B": 0.2496})).ask(request)
    assert reply.logprobs is not None
    np.testing.assert_allclose(np.exp(reply.logprobs), [0.75 / 0.9996, 0.2496 / 0.9996, 0.0])


def test_temperature_sharpens_what_a_server_reports_at_one() -> None:
    request = Request((("user", "x"),), ("A", "B"), temperature=0.5)
    (reply,) = Server(says("A", {"A": 0.6, "B": 0.3, "C": 0.1})).ask(request)
    assert reply.logprobs is not None
    np.testing.assert_allclose(np.exp(reply.logprobs), [0.8, 0.2])


def test_a_sample_asks_for_no_log_probabilities_and_uses_none() -> None:
    server = Server(says("B", {"A": 0.9, "B": 0.1}))
    (reply,) = server.ask(Request((("user", "x"),), ("A", "B"), sampled=True))
    assert (reply.choice, reply.logprobs) == (1, None)
    assert "logprobs" not in server.bodies[0]


@pytest.mark.parametrize(
    ("respond", "status"),
    [
        (says("I cannot help with that"), "refused"),
        (says(None, refusal="no"), "refused"),
        (says("neither"), "unparseable"),
        (fails(400, "context too long"), "failed"),
        (fails(200, "<html>"), "failed"),
        (fails(200, '{"choices": []}'), "failed"),
        (fails(200, '{"choices": "x"}'), "failed"),
        (fails(200, "x" * (LARGEST + 10)), "failed"),
        (fails(302, "", {"Location": "http://127.0.0.1:1/"}), "failed"),
    ],
)
def test_what_goes_wrong_with_one_request_is_its_reply(respond: Respond, status: str) -> None:
    (reply,) = Server(respond).ask()
    assert (reply.status, reply.choice, reply.logprobs) == (status, -1, None)
    assert 0 < len(reply.reason) < 500


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_passes_is_waited_out(status: int) -> None:
    server = Server(fails(status), fails(status), says("A"))
    (reply,) = server.ask()
    assert (reply.status, reply.choice) == ("ok", 0)
    assert server.slept == [0.5, 1.0]


def test_retry_after_is_honoured_within_reason() -> None:
    server = Server(
        fails(429, headers={"Retry-After": "7"}),
        fails(429, headers={"Retry-After": "86400"}),
        fails(429, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
        says("A"),
    )
    assert server.ask()[0].status == "ok"
    assert server.slept == [7.0, 60.0, 2.0]


def test_patience_ends_after_three_retries() -> None:
    server = Server(fails(503, "overloaded"))
    (reply,) = server.ask()
    assert (reply.status, reply.reason) == ("failed", "HTTP 503: overloaded")
    assert len(server.bodies) == 4


def test_no_answer_in_time_is_a_timeout() -> None:
    async def never(_: dict[str, Any]) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    (reply,) = Server(never).ask(timeout=0.05)
    assert (reply.status, reply.reason) == ("timeout", "no answer within 0.05 s.")


def test_a_broken_connection_is_tried_again() -> None:
    def hang_up(_: dict[str, Any]) -> web.StreamResponse:
        raise ConnectionResetError

    server = Server(hang_up, says("A"))
    assert server.ask()[0].choice == 0


def test_fields_a_server_refuses_are_left_out_from_then_on() -> None:
    server = Server(
        fails(400, "Unsupported parameter: 'max_tokens', use 'max_completion_tokens'"),
        fails(400, "temperature is not supported"),
        fails(400, "logprobs not available"),
        says("A"),
    )
    replies = server.ask(REQUEST, REQUEST)
    assert [reply.choice for reply in replies] == [0, 0]
    assert server.slept == []
    assert sorted(server.bodies[-1]) == ["max_completion_tokens", "messages", "model", "seed"]
    assert len(server.bodies) == 5


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_key_that_is_not_accepted_stops_everything_and_is_not_shown(status: int) -> None:
    with pytest.raises(ModelError, match="is not accepted") as caught:
        Server(fails(status, f"bad key {KEY}")).ask()
    assert KEY not in str(caught.value)


def test_the_key_is_nowhere() -> None:
    (reply,) = Server(fails(400, json.dumps({"error": f"you sent {KEY}"}))).ask()
    assert KEY not in repr(reply)
    assert "[key]" in reply.reason
    model = RemoteModel("m", "http://127.0.0.1:1", KEY)
    assert KEY not in f"{model!r} {model.name} {model.fingerprint}"


def test_nobody_there_is_one_clear_sentence() -> None:
    async def sleep(_: float) -> None:
        return None

    async def main() -> None:
        model = RemoteModel("m", "http://127.0.0.1:9", sleep=sleep)  # the discard port
        try:
            await model.ask(REQUEST)
        finally:
            await model.close()

    with pytest.raises(
        ModelUnreachable, match=r"http://127\.0\.0\.1:9: no answer .* start the server"
    ):
        asyncio.run(main())


@pytest.mark.parametrize("address", ["host/v1", "ftp://host", "http://", "http://me:pw@host/v1"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(ModelError, match="allowed: http://HOST") as caught:
        RemoteModel("m", address)
    assert "pw" not in str(caught.value)


def test_a_name_is_cut_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDCHAMBER_API_KEY", KEY)
    model = open_model("openai:org/model@v2@https://host:8000/v1")
    assert model.name == "openai:org/model@v2@https://host:8000/v1"
    assert not model.exact


def test_no_more_than_so_many_at_once() -> None:
    async def main() -> int:
        running = most = 0

        async def slow(request: web.Request) -> web.Response:
            nonlocal running, most
            running += 1
            most = max(most, running)
            for _ in range(20):
                await asyncio.sleep(0)
            running -= 1
            return says("A")({})

        app = web.Application()
        app.router.add_post("/chat/completions", slow)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        model = RemoteModel("m", f"http://127.0.0.1:{runner.addresses[0][1]}", concurrency=3)
        await asyncio.gather(*(model.ask(REQUEST, draw) for draw in range(12)))
        await model.close()
        await runner.cleanup()
        return most

    assert 1 <= asyncio.run(main()) <= 3
