"""The key of a server appears nowhere, whatever the server does with it."""

import asyncio
import base64
import json
import traceback
from pathlib import Path

import pytest

from cloudchamber.errors import ModelError, ModelUnreachable
from cloudchamber.models import open_model
from cloudchamber.models.model import pack
from cloudchamber.models.remote.server import RemoteModel
from cloudchamber.testing.server import Abilities
from cloudchamber.testing.server import Server as Toy
from tests.models.scripted import KEY, LISTS, NOTHING, REQUEST, Respond, Server, fails, says


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_key_that_is_not_accepted_stops_everything_and_is_not_shown(status: int) -> None:
    for can in (LISTS, None):
        with pytest.raises(ModelUnreachable, match=f"HTTP {status}") as caught:
            Server(fails(status, f"bad key {KEY}")).ask(can=can)
        assert KEY not in str(caught.value)


ECHOES: dict[str, Respond] = {
    "error": fails(400, json.dumps({"error": f"you sent {KEY}"})),
    "encoded": fails(400, base64.b64encode(f"Bearer {KEY}".encode()).decode()),
    "cut off": fails(400, "x" * 292 + KEY),
    "answer": says(f"A {KEY}"),
    "nothing in it": says(f"my key is {KEY}"),
    "refusal": says(None, refusal=f"not with {KEY}"),
    "header": fails(400, "no", headers={"X-Key": KEY, "Retry-After": KEY}),
    "redirect": fails(307, KEY, headers={"Location": f"http://127.0.0.1:9/?key={KEY}"}),
    "field": fails(200, json.dumps({"choices": {KEY: KEY}})),
    "not JSON": fails(200, f"{{{KEY}"),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_the_key_is_nowhere(echo: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    replies = [*Server(ECHOES[echo]).ask(can=NOTHING), *Server(ECHOES[echo]).ask(can=LISTS)]
    kept = f"{replies!r} {[pack(reply) for reply in replies]!r} {caplog.text}"
    for form in (KEY, KEY[:8], base64.b64encode(f"Bearer {KEY}".encode()).decode()):
        assert form not in kept


def test_the_key_is_in_no_traceback() -> None:
    try:
        Server(fails(500, KEY)).ask(*[REQUEST] * 100, can=NOTHING)
    except ModelUnreachable as error:
        assert KEY not in "".join(traceback.format_exception(error))
    model = RemoteModel("m", "http://127.0.0.1:1", KEY)
    assert KEY not in f"{model!r} {model.name} {model.fingerprint}"


def test_a_key_in_the_wrong_place_is_refused_and_not_shown() -> None:
    for address in (f"http://h/{KEY}/v1", "http://h/v1?key=k"):
        with pytest.raises(ModelError) as caught:
            RemoteModel("m", address, KEY)
        assert KEY not in str(caught.value)
    with pytest.raises(ModelError, match="line break") as caught:
        RemoteModel("m", "http://h/v1", f"{KEY}\nX-Other: 1")
    assert KEY not in str(caught.value)


def test_a_key_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDCHAMBER_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    monkeypatch.setenv("CLOUDCHAMBER_API_KEY_FILE", str(file))

    async def main() -> None:
        async with Toy(Abilities(key=KEY)) as server:
            model = open_model(f"openai:toy@{server.url}")
            assert (await model.ask(REQUEST)).status == "ok"
            await model.close()

    asyncio.run(main())
    monkeypatch.setenv("CLOUDCHAMBER_API_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(ModelError, match="CLOUDCHAMBER_API_KEY_FILE names a file that cannot"):
        open_model("openai:toy@http://127.0.0.1:9/v1")
