"""Free text from a server: what is asked, what is kept of it, and what is no answer."""

from typing import Any

import pytest
from aiohttp import web

from cloudchamber.models import Request
from cloudchamber.models.parsing import CUT
from cloudchamber.models.remote.capabilities import Capabilities
from tests.models.scripted import KEY, LISTS, NOTHING, Respond, Server, fails, says

FREE = Request((("system", "s"), ("user", "Write a note.")), max_tokens=40, temperature=0.7)


@pytest.mark.parametrize("can", [LISTS, NOTHING, Capabilities(schema=True, continues="plain")])
def test_free_text_is_asked_for_plainly_whatever_the_server_can_do(can: Capabilities) -> None:
    server = Server(says(" Sell\n 40.\x1b[2J "))
    (reply,) = server.ask(FREE, can=can)
    (body,) = server.bodies
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (40, 0.7, 5)
    assert not {"logprobs", "response_format"} & body.keys()
    assert (reply.text, reply.status, reply.choice) == ("Sell 40.�[2J", "ok", -1)
    assert (reply.tokens_in, reply.tokens_out, reply.note, reply.repairs) == (7, 1, "", 0)


def test_free_text_of_a_server_that_goes_on_with_a_text() -> None:
    server = Server(says(" Sell 40."))
    (reply,) = server.ask(FREE, can=Capabilities("completions", continues="plain"))
    assert server.bodies[0]["prompt"] == "s\n\nUser: Write a note.\n\nAssistant:"
    assert reply.text == "Sell 40."


@pytest.mark.parametrize(
    ("respond", "status"),
    [
        (says(""), "unparseable"),
        (says(" \n"), "unparseable"),
        (says(None), "unparseable"),
        (says("I'm sorry, but I can't assist with that."), "refused"),
        (says("I will not", refusal="policy"), "refused"),
        (fails(400, "too long"), "failed"),
        (fails(400, '{"error": {"code": "content_filter", "message": "no"}}'), "refused"),
    ],
)
def test_free_text_that_is_none_is_not_asked_for_again(respond: Respond, status: str) -> None:
    server = Server(respond)
    (reply,) = server.ask(FREE, can=NOTHING)
    assert (reply.status, reply.repairs, len(server.bodies)) == (status, 0, 1)
    assert reply.reason


def test_free_text_that_is_cut_off_says_so_and_a_server_that_sends_megabytes_is_cut() -> None:
    def endless(_: dict[str, Any]) -> web.StreamResponse:
        choice = {"message": {"content": "buy " * 900_000}, "finish_reason": "length"}
        return web.json_response({"choices": [choice]})

    (reply,) = Server(endless).ask(FREE, can=NOTHING)
    assert reply.text == " ".join(["buy"] * 40)
    assert reply.note == CUT


def test_a_model_that_thinks_has_room_to_think_before_it_writes() -> None:
    server = Server(says("<think>hm</think>Sell 40."))
    (reply,) = server.ask(FREE, can=Capabilities(thinks=True))
    assert server.bodies[0]["max_tokens"] > 4000
    assert reply.text == "Sell 40."


def test_free_text_never_holds_the_key() -> None:
    (reply,) = Server(says(f"my key is {KEY}")).ask(FREE, can=NOTHING)
    assert KEY not in reply.text
