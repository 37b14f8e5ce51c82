"""The client against a server on this machine that misbehaves as told."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from cloudchamber.errors import ModelError, ModelUnreachable
from cloudchamber.models import Reply, Request, open_model
from cloudchamber.models.remote.capabilities import EVEN, Capabilities
from cloudchamber.models.remote.connection import LARGEST
from cloudchamber.models.remote.pace import FAILURES
from cloudchamber.models.remote.server import RemoteModel
from tests.models.scripted import KEY, NOTHING, REQUEST, Respond, Server, fails, says


def test_what_is_sent() -> None:
    server = Server(says("A", {"A": 0.5, "B": 0.5}))
    server.ask()
    (body,) = server.bodies
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "ab"},
            {"role": "assistant", "content": "I say"},
        ],
        "temperature": 1.0,
        "max_tokens": 1,
        "logprobs": True,
        "top_logprobs": 20,
    }
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_what_a_sample_is_asked_for_with() -> None:
    server = Server(says("A"))
    request = replace(REQUEST, sampled=True, temperature=0.5)
    server.ask(request, can=Capabilities(top=20, continues="flagged"))
    (body,) = server.bodies
    assert (body["temperature"], body["seed"], body["max_tokens"]) == (0.5, 5, 16)
    assert body["continue_final_message"] and not body["add_generation_prompt"]
    assert "logprobs" not in body


def test_an_answer_is_not_begun_where_it_would_not_be_gone_on_with() -> None:
    server = Server(says("A"))
    (reply,) = server.ask(can=Capabilities())
    assert [one["role"] for one in server.bodies[0]["messages"]] == ["system", "user"]
    assert "was not begun" in reply.note


def test_a_sampled_answer_is_read() -> None:
    (reply,) = Server(says(" b. ")).ask(can=NOTHING)
    assert (reply.choice, reply.logprobs, reply.status) == (1, None, "ok")
    assert (reply.tokens_in, reply.tokens_out) == (7, 1)
    assert reply.seconds > 0
    assert reply.note == "sampled: no log-probabilities."


def test_log_probabilities_that_settle_it_are_an_exact_readout() -> None:
    (reply,) = Server(says("A", {"A": 0.5, " A": 0.1, "B": 0.2, "The": 0.15})).ask()
    assert reply.logprobs is not None
    np.testing.assert_allclose(np.exp(reply.logprobs), [0.75, 0.25])
    assert reply.mass == pytest.approx(0.8)
    assert (reply.choice, reply.text, reply.note) == (-1, "", "")


def test_log_probabilities_that_do_not_settle_it_give_way_to_a_sample_with_a_note() -> None:
    server = Server(says("x", {"A": 0.5, "The": 0.3}), says("A"))
    (reply,) = server.ask(replace(REQUEST, temperature=0.5))
    assert (reply.logprobs, reply.choice) == (None, 0)
    assert "may lie beyond the 20 listed" in reply.note
    assert [body["temperature"] for body in server.bodies] == [1.0, 0.5]
    assert (reply.tokens_in, reply.tokens_out) == (14, 2)


def test_a_sample_asks_for_no_log_probabilities_and_uses_none() -> None:
    server = Server(says("B", {"A": 0.9, "B": 0.1}))
    (reply,) = server.ask(Request((("user", "x"),), ("A", "B"), sampled=True))
    assert (reply.choice, reply.logprobs) == (1, None)
    assert "logprobs" not in server.bodies[0]


def test_an_answer_that_names_nothing_is_asked_for_once_more() -> None:
    server = Server(says("neither"), says("B"))
    (reply,) = server.ask(can=NOTHING)
    assert (reply.choice, reply.status, reply.repairs) == (1, "ok", 1)
    assert "repaired" in reply.note
    roles = [(one["role"], one["content"]) for one in server.bodies[1]["messages"]]
    assert roles[2] == ("assistant", "neither")
    assert roles[3][1].endswith("exactly one of these and nothing else: A, B")


def test_repair_is_bounded() -> None:
    server = Server(says("neither"))
    (reply,) = server.ask(can=NOTHING)
    assert (reply.status, reply.repairs, len(server.bodies)) == ("unparseable", 1, 2)


def test_a_schema_is_used_where_it_is_kept_to_and_nothing_better_is_there() -> None:
    server = Server(says('{"answer": "B"}'))
    (reply,) = server.ask(can=Capabilities(schema=True))
    assert reply.choice == 1
    allowed = server.bodies[0]["response_format"]["json_schema"]["schema"]["properties"]
    assert allowed == {"answer": {"type": "string", "enum": ["A", "B"]}}
    assert server.bodies[0]["max_tokens"] > 16
    again = Server(says('{"answer": "Z"}'), says("A"))
    assert again.ask(can=Capabilities(schema=True))[0].repairs == 1


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
    (reply,) = Server(respond).ask(can=NOTHING)
    assert (reply.status, reply.choice, reply.logprobs) == (status, -1, None)
    assert 0 < len(reply.reason) < 500


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_passes_is_waited_out(status: int) -> None:
    server = Server(fails(status), fails(status), says("A"))
    (reply,) = server.ask(can=NOTHING)
    assert (reply.status, reply.choice) == ("ok", 0)
    assert 0.5 <= server.slept[0] <= 0.75
    assert 1.0 <= server.slept[1] <= 1.5


@pytest.mark.parametrize(
    "broken", [fails(200, "<html>"), fails(200, '{"choices": []}'), says("A", {"A": 2.0})]
)
def test_an_answer_that_is_none_is_asked_for_again(broken: Respond) -> None:
    server = Server(broken, says("A", {"A": 0.5, "B": 0.5}))
    (reply,) = server.ask()
    assert (reply.status, len(server.bodies)) == ("ok", 2)


def test_retry_after_is_honoured_within_reason() -> None:
    server = Server(
        fails(429, headers={"Retry-After": "11"}),
        fails(429, headers={"Retry-After": "86400"}),
        fails(429, headers={"Retry-After": "nan"}),
        fails(
            429,
            headers={
                "Date": "Fri, 31 Dec 1999 23:59:59 GMT",
                "Retry-After": "Sat, 01 Jan 2000 00:00:19 GMT",
            },
        ),
        fails(429, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
        says("A"),
    )
    assert server.ask(can=NOTHING)[0].status == "ok"
    waits = [one for one in server.slept if one in (11.0, 60.0, 20.0)]
    assert waits == [11.0, 60.0, 20.0]


def test_patience_ends_after_three_retries() -> None:
    server = Server(fails(503, "overloaded"))
    (reply,) = server.ask(can=NOTHING)
    assert (reply.status, reply.reason) == ("failed", "HTTP 503: overloaded")
    assert len(server.bodies) == 4


def test_a_server_with_too_much_to_do_is_given_longer() -> None:
    server = Server(*[fails(429)] * 9, says("A"))
    assert server.ask(can=NOTHING)[0].status == "ok"


def test_when_everything_fails_nothing_more_is_asked() -> None:
    server = Server(fails(500, f"out of memory {KEY}"))
    with pytest.raises(ModelUnreachable, match="HTTP 500: out of memory") as caught:
        server.ask(*[REQUEST] * 100, can=NOTHING)
    assert len(server.bodies) == FAILURES
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [400, 405, 422])
def test_a_server_that_refuses_every_question_is_not_asked_on(status: int) -> None:
    server = Server(fails(status, "no such thing"))
    with pytest.raises(ModelUnreachable, match=f"HTTP {status}: no such thing"):
        server.ask(*[REQUEST] * 100, can=NOTHING)
    assert len(server.bodies) == FAILURES


def test_what_is_refused_now_and_then_is_those_requests_own_fault() -> None:
    server = Server(*[fails(400, "too long"), says("A")] * 50, says("A"))
    replies = server.ask(*[REQUEST] * 100, can=NOTHING)
    assert [reply.status for reply in replies] == ["failed", "ok"] * 50


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_who_is_not_let_in_stops_at_once(status: int) -> None:
    server = Server(says("A"), fails(status))
    with pytest.raises(ModelUnreachable, match=f"HTTP {status}"):
        server.ask(*[REQUEST] * 100, can=NOTHING)
    assert len(server.bodies) == 2


def test_an_empty_account_is_not_waited_for() -> None:
    server = Server(fails(429, '{"error": {"code": "insufficient_quota"}}'))
    with pytest.raises(ModelUnreachable, match="account is empty"):
        server.ask(can=NOTHING)
    assert len(server.bodies) == 1


def test_no_answer_in_time_is_a_timeout() -> None:
    async def never(_: dict[str, Any]) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    (reply,) = Server(never).ask(timeout=0.05, can=NOTHING)
    assert (reply.status, reply.reason) == ("timeout", "no answer within 0.05 s.")


def test_a_broken_connection_is_tried_again() -> None:
    def hang_up(_: dict[str, Any]) -> web.StreamResponse:
        raise ConnectionResetError

    server = Server(hang_up, says("A"))
    assert server.ask(can=NOTHING)[0].choice == 0


def test_fields_a_server_refuses_are_left_out_from_then_on() -> None:
    server = Server(
        fails(400, "Unsupported parameter: 'max_tokens', use 'max_completion_tokens'"),
        fails(400, "temperature is not supported"),
        says("A"),
    )
    replies = server.ask(REQUEST, REQUEST, can=NOTHING)
    assert [reply.choice for reply in replies] == [0, 0]
    assert server.slept == []
    sent = {*server.bodies[-1]} - {*EVEN}
    assert sent == {"max_completion_tokens", "messages", "model", "seed"}
    assert len(server.bodies) == 4


def test_a_name_for_servers_that_go_on_with_a_text() -> None:
    server = Server(says("A"))
    model = open_model("openai-text:base@http://127.0.0.1:9/v1")
    assert model.name == "openai-text:base@http://127.0.0.1:9/v1"
    (reply,) = server.ask(can=Capabilities("completions", continues="plain"))
    assert (server.paths, reply.choice) == (["/v1/completions"], 0)
    assert server.bodies[0]["prompt"] == "s\n\nUser: ab\n\nAssistant: I say"


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


def test_what_is_under_way_is_kept_when_everything_fails() -> None:
    """The one that is being answered is waited for, and everybody else is told why it ends."""
    gate: list[asyncio.Event] = []

    async def slow(_: dict[str, Any]) -> web.StreamResponse:
        await gate[0].wait()
        return says("A")({})

    async def main() -> tuple[Reply, list[BaseException | Reply]]:
        gate.append(asyncio.Event())
        server = Server(slow, fails(500, "broken"))
        app = web.Application()
        app.router.add_post("/{form:.*}", server.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        model = RemoteModel("m", address, sleep=server.sleep, capabilities=NOTHING)
        first = asyncio.ensure_future(model.ask(REQUEST, 1))
        while not server.bodies:
            await asyncio.sleep(0)
        others = [asyncio.ensure_future(model.ask(REQUEST, draw)) for draw in range(2, 40)]
        while len(server.bodies) < FAILURES:
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        gate[0].set()
        ends = await asyncio.gather(*others, return_exceptions=True)
        reply = await first
        await model.close()
        await runner.cleanup()
        return reply, ends

    reply, ends = asyncio.run(main())
    assert (reply.status, reply.choice) == ("ok", 0)
    stopped = [end for end in ends if isinstance(end, ModelUnreachable)]
    assert len(stopped) >= 30
    assert all("HTTP 500: broken" in str(end) for end in stopped)


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
        model = RemoteModel(
            "m", f"http://127.0.0.1:{runner.addresses[0][1]}", concurrency=3, capabilities=NOTHING
        )
        await asyncio.gather(*(model.ask(REQUEST, draw) for draw in range(12)))
        await model.close()
        await runner.cleanup()
        return most

    assert 1 <= asyncio.run(main()) <= 3
