"""Grown at a server with a key, exported, and replayed when the server is gone and nobody has the key."""

import asyncio
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloudchamber.testing.server import Abilities, Server
from cloudchamber.trace import TraceFolder
from tests.cli.tiny import call, told

KEY = "sk-this-is-between-us-1234"
EXACT = Abilities(key=KEY)
SAMPLED = Abilities(key=KEY, top=0, scores=False, completions=False)


@contextmanager
def serving(abilities: Abilities) -> Iterator[Server]:
    """A server in a thread of its own, so that the command line may be called in this one."""
    server, up, loop = Server(abilities), threading.Event(), asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with server:
            up.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert up.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


@pytest.mark.parametrize(
    ("abilities", "readout"), [(EXACT, "exact"), (SAMPLED, "sampled")], ids=["exact", "sampled"]
)
def test_with_no_server_and_no_key_the_trace_is_the_same_and_the_key_is_nowhere(
    here: Path, monkeypatch: pytest.MonkeyPatch, abilities: Abilities, readout: str
) -> None:
    monkeypatch.setenv("CLOUDCHAMBER_API_KEY", KEY)
    with serving(abilities) as server:
        model = f"openai:toy@{server.url}"
        options = ["--quiet", "--model", model, "--replicates", 1]
        grown = call("run", "tiny", *options, "--out", "out")
        assert grown.exit_code == 0, grown.output
        asked = len(server.asked)
        exported = call("export", "out", "a.zip")
        assert exported.exit_code == 0, exported.output
        assert asked > 20 and len(server.asked) == asked, "an export asks nothing"
    assert set(TraceFolder(here / "out" / "trace").decisions()["readout"]) == {readout}
    monkeypatch.delenv("CLOUDCHAMBER_API_KEY")
    replayed = call("replay", "a.zip", "--trust", "--out", "there", "--quiet")
    assert replayed.exit_code == 0, replayed.output
    digests = {TraceFolder(here / name / "trace").digest() for name in ("out", "there/out")}
    assert len(digests) == 1
    for said in (grown.output, exported.output, replayed.output):
        assert KEY not in said
    for path in (path for path in here.rglob("*") if path.is_file()):
        assert KEY.encode() not in path.read_bytes(), path
    with zipfile.ZipFile(here / "a.zip") as packed:
        assert all(KEY.encode() not in packed.read(name) for name in packed.namelist())
    said = told(call("run", "tiny", *options[:-1], 2, "--out", "out", "--store-mode", "replay"))
    assert "holds no answer to the question of the cell" in said and "replicate 1" in said
