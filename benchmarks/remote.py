"""The client of servers beside the same HTTP library in a bare loop, and beside a server's best.

The rival of the first part sends the same bodies with aiohttp, decodes the answers with msgspec, reads
them as plainly as can be (the share of each option, or which option a text is) and does nothing else: 64
workers, or one task a question and a semaphore. Beside it stands a loop that does not even read what it
has decoded. Every question has its options in an order of its own, as in studies. The second part grows
whole runs against a server of fixed capacity and latency; the ideal is the number of questions times the
latency, divided by the capacity, and the bare loop knows the capacity.

Run: python -m benchmarks.remote
"""

import asyncio
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from math import exp
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from benchmarks.timing import median, table
from cloudchamber.agents import LanguageModel
from cloudchamber.experiment import Driver, factorial
from cloudchamber.microspec import (
    Group,
    Microspec,
    Population,
    Sequential,
    Simultaneous,
    Turns,
    Visibility,
)
from cloudchamber.models import Reply, Request
from cloudchamber.models.remote.capabilities import Capabilities
from cloudchamber.models.remote.server import RemoteModel
from cloudchamber.worlds import Feed

CAN = Capabilities(top=20, continues="plain")
CODES = tuple(str(10 + number) for number in range(12))
QUESTIONS, ROUNDS, AT_ONCE = 2000, 7, 64
CAPACITY, LATENCY = 16, 0.05


def _requests(sampled: bool) -> list[Request]:
    """Lists of headlines, each in an order of its own."""
    chance = random.Random(0)
    orders = [tuple(chance.sample(CODES, len(CODES))) for _ in range(QUESTIONS)]
    return [
        Request(
            (("user", "\n".join(f"{code}: a headline of some words" for code in codes)),),
            codes,
            prefix="The item I like most is ",
            sampled=sampled,
        )
        for codes in orders
    ]


def _answers() -> tuple[bytes, bytes]:
    """An answer with a list of tokens, and one without, as servers write them."""
    top = [{"token": code, "logprob": -2.6, "bytes": list(code.encode())} for code in CODES]
    top += [{"token": f"t{number}", "logprob": -20.0, "bytes": None} for number in range(8)]
    position = {"token": "10", "logprob": -2.6, "bytes": None, "top_logprobs": top}
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": "10", "refusal": None},
        "finish_reason": "length",
    }
    frame: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "usage": {"prompt_tokens": 200, "completion_tokens": 1, "total_tokens": 201},
    }
    with_list = frame | {"choices": [choice | {"logprobs": {"content": [position]}}]}
    return msgspec.json.encode(with_list), msgspec.json.encode(frame | {"choices": [choice]})


class _Instant(asyncio.Protocol):
    """Answers as fast as Python can; with a capacity, after a latency, refusing or queueing the rest."""

    listed, plain = _answers()
    latency, refuses = 0.0, False
    slots: asyncio.Semaphore

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.data = b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        self.data = b""
        answer = self.listed if b'"top_logprobs"' in body else self.plain
        if found_code := re.search(rb"(\d\d): ", body):  # the first of the list
            answer = answer.replace(b'"content":"10"', b'"content":"%b"' % found_code[1])
        if not self.latency:
            self._write(answer)
        elif self.refuses and self.slots.locked():
            self._write(b"busy", b"429 Too Many Requests")
        else:
            self.task = asyncio.ensure_future(self._later(answer))

    async def _later(self, answer: bytes) -> None:
        async with self.slots:
            await asyncio.sleep(self.latency)
        self._write(answer)

    def _write(self, answer: bytes, status: bytes = b"200 OK") -> None:
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % (status, len(answer)) + answer)


async def serve(latency: float, capacity: int, refuses: bool) -> None:
    """Print the port, and serve until killed."""
    _Instant.latency, _Instant.refuses = latency, refuses
    _Instant.slots = asyncio.Semaphore(capacity)
    server = await asyncio.get_running_loop().create_server(_Instant, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Serving:
    """The server in a process of its own."""

    def __init__(self, latency: float = 0.0, refuses: bool = False) -> None:
        given = [str(latency), str(CAPACITY), str(int(refuses))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.remote", "serve", *given], stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/v1"

    def __enter__(self) -> str:
        return self.url

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class _Token(msgspec.Struct):
    token: str
    logprob: float


class _Position(msgspec.Struct):
    top_logprobs: list[_Token]


class _Logprobs(msgspec.Struct):
    content: list[_Position]


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message
    logprobs: _Logprobs | None = None


class _Body(msgspec.Struct):
    choices: list[_Choice]


Ask = Callable[[int], Awaitable[object]]


async def workers(ask: Ask, questions: int = QUESTIONS) -> None:
    """So many at a time, each going on to the next question."""
    left = iter(range(questions))

    async def worker() -> None:
        for number in left:
            await ask(number)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def at_once(ask: Ask, questions: int = QUESTIONS) -> None:
    """A task for each question, all at the same time."""
    await asyncio.gather(*(ask(number) for number in range(questions)))


Way = Callable[[Ask, int], Awaitable[None]]


def _read(body: _Body, options: tuple[str, ...]) -> list[float] | int:
    """The share of each option, or which option is named."""
    choice = body.choices[0]
    if choice.logprobs is None:
        return options.index(choice.message.content.strip())
    found = dict.fromkeys(options, 0.0)
    for one in choice.logprobs.content[0].top_logprobs:
        label = one.token.strip()
        if label in found:
            found[label] += exp(one.logprob)
    whole = sum(found.values())
    return [chance / whole for chance in found.values()]


async def bare(
    url: str,
    sampled: bool,
    way: Way,
    at_once: int = AT_ONCE,
    questions: int = QUESTIONS,
    read: bool = True,
) -> float:
    """Seconds of the same requests in a loop that does nothing else."""
    requests = _requests(sampled)
    kind = {"Content-Type": "application/json"}
    slots = asyncio.Semaphore(at_once)

    async def ask(number: int) -> None:
        request = requests[number % QUESTIONS]
        payload: dict[str, Any] = {
            "model": "m",
            "messages": [
                {"role": "user", "content": request.messages[0][1]},
                {"role": "assistant", "content": request.prefix},
            ],
            "temperature": 1.0,
            "seed": number,
            "max_tokens": 16 if sampled else 1,
        }
        if not sampled:
            payload["logprobs"], payload["top_logprobs"] = True, 20
        data = msgspec.json.encode(payload)
        async with (
            slots,
            session.post(url + "/chat/completions", data=data, headers=kind) as response,
        ):
            body = msgspec.json.decode(await response.read(), type=_Body)
        if read:
            _read(body, request.options)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:
        started = time.perf_counter()
        await way(ask, questions)
        return time.perf_counter() - started


async def ours(url: str, sampled: bool, way: Way) -> float:
    """Seconds of the client."""
    model = RemoteModel("m", url, concurrency=AT_ONCE, capabilities=CAN)
    requests = _requests(sampled)

    async def ask(number: int) -> None:
        reply = await model.ask(requests[number], number)
        assert (reply.logprobs is None) == sampled
        assert reply.status == "ok"

    started = time.perf_counter()
    await way(ask, QUESTIONS)
    seconds = time.perf_counter() - started
    await model.close()
    return seconds


def throughput() -> None:
    """Questions a second, in turns so that a busy moment hits both."""
    rows = []
    with Serving() as url:
        for sampled in (False, True):
            for way in (workers, at_once):
                found = []
                for _ in range(ROUNDS):
                    decoded = asyncio.run(bare(url, sampled, way, read=False))
                    rival = asyncio.run(bare(url, sampled, way))
                    found.append((decoded, rival, asyncio.run(ours(url, sampled, way))))
                each = [f"{QUESTIONS / median(times):.0f}" for times in zip(*found, strict=True)]
                ratios = [
                    f"{median([times[rival] / times[2] for times in found]):.2f}"
                    for rival in (1, 0)
                ]
                what = "a sample each" if sampled else "a list of 20 tokens each"
                how = "64 workers" if way is workers else "2000 tasks"
                rows.append([f"{what}, {how}", *each, *ratios])
    header = ["", "bare, decoded only", "bare", "client", "ratio to bare", "to decoded only"]
    table("questions a second, instant server", header, rows)


class Timed:
    """The client, noting when its last answer came."""

    def __init__(self, model: RemoteModel) -> None:
        self._model, self.last = model, 0.0
        self.name, self.fingerprint, self.exact = model.name, model.fingerprint, model.exact

    @property
    def at_once(self) -> int:
        return self._model.at_once

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        reply = await self._model.ask(request, draw)
        self.last = time.perf_counter()
        return reply

    async def close(self) -> None:
        await self._model.close()


def _grown(url: str, turns: Turns, readers: int, runs: int) -> tuple[float, float]:
    """Seconds to the last answer, and until everything is written."""
    reader = LanguageModel(model="m", readout="sample")
    people = Population(groups=(Group(count=readers, decides=reader),))
    what = Microspec(
        world=Feed.of(12), population=people, visibility=Visibility(top=6), turns=turns
    )

    async def main() -> tuple[float, float]:
        model = Timed(RemoteModel("m", url, concurrency=AT_ONCE, capabilities=CAN))
        with tempfile.TemporaryDirectory() as folder:
            driver = Driver(Path(folder), models={"m": model})
            started = time.perf_counter()
            await driver.grow_async(factorial(what, []), runs)
            seconds = time.perf_counter() - started
        await model.close()
        return model.last - started, seconds

    return asyncio.run(main())


def against_the_ideal() -> None:
    """Wall time of whole runs, engine and trace included, over what the server needs at best."""
    rows = []
    for name, turns, steps, readers, runs in (
        ("simultaneous, 1 run of 800", Simultaneous(steps=4), 4, 800, 1),
        ("sequential, 64 runs of 12", Sequential(steps=8), 8, 12, 64),
    ):
        for refuses in (False, True):
            questions = readers * runs * steps
            with Serving(LATENCY, refuses) as url:
                fewest = CAPACITY if refuses else AT_ONCE
                least = asyncio.run(bare(url, True, at_once, fewest, questions))
                found = (least, *_grown(url, turns, readers, runs))
            ideal = questions * LATENCY / CAPACITY
            kind = "refuses more with 429" if refuses else "queues more"
            ratios = [f"{seconds / ideal:.3f}" for seconds in found]
            rows.append([f"{name}; {kind}", f"{ideal:.1f}", *ratios])
    title = f"wall time / ideal, a server of {CAPACITY} at once and {LATENCY * 1000:.0f} ms each"
    header = ["", "ideal, s", "bare loop", "runs, to the last answer", "and written"]
    table(title, header, rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(float(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1"))
    else:
        throughput()
        against_the_ideal()
