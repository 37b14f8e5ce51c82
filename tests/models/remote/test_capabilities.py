"""What the probe finds out is what the server can do, in few requests."""

import asyncio
from itertools import product

import pytest

from cloudchamber.errors import ModelError
from cloudchamber.models import Reply, Request
from cloudchamber.models.remote.capabilities import Capabilities
from cloudchamber.models.remote.server import RemoteModel
from cloudchamber.testing.dialects import Abilities
from cloudchamber.testing.server import Server

REQUEST = Request((("user", "A: x\nB: y\n\nAnswer with its code."),), ("A", "B"), prefix="I say ")


def probed(abilities: Abilities) -> tuple[Capabilities, Reply, int]:
    """What is found, a reply, and how many requests the finding took."""

    async def main() -> tuple[Capabilities, Reply, int]:
        async with Server(abilities) as server:
            model = RemoteModel("toy", server.url)
            known = [model.capabilities]
            try:
                first, _ = await asyncio.gather(model.ask(REQUEST, 5), model.ask(REQUEST, 6))
                both = len(server.asked)
                known.append(model.capabilities)
                await asyncio.gather(model.ask(REQUEST, 5), model.ask(REQUEST, 6))
            finally:
                await model.close()
            assert known[0] is None
            assert known[1] is not None
            return known[1], first, both - (len(server.asked) - both)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("top", "continues", "schema"),
    list(product([0, 1, 5, 20, 100], ["no", "plain", "flagged"], [True, False])),
)
def test_a_chat_server(top: int, continues: str, schema: bool) -> None:
    abilities = Abilities(top=top, continues=continues, schema=schema)  # type: ignore[arg-type]
    can, reply, took = probed(abilities)
    assert (can.form, can.top, can.continues, can.schema) == ("chat", top, continues, schema)
    assert can.scores == (continues == "flagged")
    assert took <= 9
    assert reply.status in ("ok", "unparseable")
    assert (reply.logprobs is not None) == (top >= 5 or can.scores or (top == 1 and not reply.note))


@pytest.mark.parametrize(("top", "scores"), list(product([0, 5, 20], [True, False])))
def test_a_server_without_chat(top: int, scores: bool) -> None:
    can, reply, took = probed(Abilities(chat=False, top=top, scores=scores))
    assert (can.form, can.top, can.scores, can.continues) == (
        "completions",
        top,
        scores,
        "plain",
    )
    assert took <= 9
    assert reply.status in ("ok", "unparseable")
    assert (reply.logprobs is not None) == (top > 0 or scores)


def test_a_list_cut_short_without_a_word_is_noticed() -> None:
    assert probed(Abilities(top=7, curtails=True))[0].top == 7
    assert probed(Abilities(top=0, curtails=True))[0].top == 0


def test_a_server_that_repeats_the_beginning_continues_it() -> None:
    can, reply, _ = probed(Abilities(top=0, continues="plain", repeats=True))
    assert can.continues == "plain"
    assert not reply.text.startswith("I say")


def test_it_is_read_aloud() -> None:
    told = Capabilities(top=20, continues="plain", refused=("seed",)).aloud()
    assert told == (
        "answers by chat; gives the 20 likeliest tokens; continues a begun answer; "
        "knows no JSON schema; refuses seed."
    )


def test_neither_form_is_an_error_that_says_so() -> None:
    with pytest.raises(ModelError, match="HTTP 404: the key, the address or the model's name"):
        probed(Abilities(chat=False, completions=False))


def test_who_answers_no_plain_question_is_an_error_with_the_reason() -> None:
    everything = ("messages", "prompt")
    with pytest.raises(
        ModelError, match="answers neither as chat nor as completions: HTTP 400: .*'"
    ):
        probed(Abilities(refuses=everything))


def test_a_schema_that_is_not_kept_to_is_none() -> None:
    """A server that passes over the field, with a model that might well have answered so."""
    can, _, _ = probed(Abilities(top=0, curtails=True, schema=False, ignores=True))
    assert not can.schema
