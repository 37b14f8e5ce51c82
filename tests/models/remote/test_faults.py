"""Faults by the thousand, ten with -m slow, by the client and by runs: every question is accounted for."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.agents import LanguageModel
from cloudchamber.errors import ModelUnreachable
from cloudchamber.experiment import Driver, factorial
from cloudchamber.microspec import Group, Microspec, Population, Sequential, Simultaneous, Turns
from cloudchamber.models import STATUSES, Reply, Request
from cloudchamber.models.remote.capabilities import Capabilities
from cloudchamber.models.remote.server import RemoteModel
from cloudchamber.testing.faults import FAULTS, Plan
from cloudchamber.testing.server import Abilities, Server
from cloudchamber.testing.speaker import Speaker
from cloudchamber.trace import TraceFolder
from cloudchamber.worlds import Feed

KINDS = tuple(name for name in FAULTS if name not in ("hang", "giant"))
LISTS = Capabilities(top=20, continues="flagged", schema=True, scores=True)


class Time:
    """A clock that sleeping moves on, and nothing else."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def questions(count: int) -> list[tuple[Request, int]]:
    """Lists and single items, to be read exactly or sampled."""
    source = random.Random(0)
    asked = []
    for number in range(count):
        codes = source.sample(range(10, 99), 3)
        lines = "\n".join(f"{code}: headline {number}" for code in codes)
        request = Request(
            (("user", f"{lines}\n\nAnswer with its code."),),
            tuple(str(code) for code in codes),
            prefix="I like ",
            sampled=number % 2 == 1,
        )
        asked.append((request, source.getrandbits(60)))
    return asked


def replies(
    asked: Sequence[tuple[Request, int]],
    plan: Plan,
    at_once: int = 64,
    can: Capabilities | None = LISTS,
    timeout: float = 30.0,
) -> list[Reply]:
    async def main() -> list[Reply]:
        time = Time()
        async with Server(Abilities(), plan, Speaker(piece=1)) as server:
            model = RemoteModel(
                "toy",
                server.url,
                concurrency=at_once,
                capabilities=can,
                timeout=timeout,
                sleep=time.sleep,
                clock=time,
            )
            try:
                return list(await asyncio.gather(*(model.ask(*one) for one in asked)))
            finally:
                await model.close()

    return asyncio.run(main())


def told(reply: Reply) -> tuple[object, ...]:
    """What a reply says, apart from what it cost."""
    logprobs = None if reply.logprobs is None else reply.logprobs.tobytes()
    return reply.status, logprobs, reply.choice, reply.text, reply.note, reply.repairs


ASKED = questions(100)


@pytest.fixture(scope="module")
def honest() -> list[Reply]:
    found = replies(ASKED, Plan())
    assert {reply.status for reply in found} <= {"ok", "unparseable"}
    assert Counter(reply.logprobs is not None for reply in found)[True] == 50
    return found


@pytest.mark.parametrize("fault", KINDS)
def test_each_fault_alone_changes_no_answer(fault: str, honest: list[Reply]) -> None:
    plan = Plan(0.5, 1, [fault], mercy=3)
    found = replies(ASKED, plan)
    assert plan.met[fault] > 50
    assert [told(reply) for reply in found] == [told(reply) for reply in honest]


def test_free_text_is_the_same_through_all_faults_and_under_any_concurrency() -> None:
    texts = [
        ("user", f"Round {number}. Write a note to yourself in at most 9 words.")
        for number in range(40)
    ]
    free = [(Request((text,), max_tokens=20), draw) for draw, text in enumerate(texts)]
    calm = [told(reply) for reply in replies(free, Plan())]
    assert {one[0] for one in calm} == {"ok"}
    assert len({one[3] for one in calm}) == 40, "each its own text"
    plan = Plan(0.5, 4, KINDS, mercy=3)
    assert [told(reply) for reply in replies(free, plan, at_once=7)] == calm
    assert sum(plan.met.values()) > 20, "it was not spared"
    found_out = [told(reply) for reply in replies(free, Plan(), can=None)]
    assert [one[3] for one in found_out] == [one[3] for one in calm]


@settings(max_examples=20)
@given(seed=st.integers(0, 2**30), share=st.floats(0.05, 0.6), at_once=st.sampled_from([1, 7, 64]))
def test_every_question_is_accounted_for(
    seed: int, share: float, at_once: int, honest: list[Reply]
) -> None:
    """At these shares some run out of patience; what is answered is answered as without faults."""
    plan = Plan(share, seed)
    found = replies(ASKED, plan, at_once)
    assert len(found) == len(ASKED)
    for reply, truth in zip(found, honest, strict=True):
        assert reply.status in STATUSES
        if reply.status in ("failed", "timeout"):
            assert reply.reason
            assert (reply.logprobs, reply.choice) == (None, -1)
        else:
            assert told(reply) == told(truth)


def test_how_many_are_under_way_changes_nothing() -> None:
    """Also of those that fail: a fault is met by what is asked and how often, not by when."""
    ends = [
        [told(reply) for reply in replies(ASKED, Plan(0.5, 3), at_once)] for at_once in (1, 5, 64)
    ]
    assert ends[0] == ends[1] == ends[2]
    assert {"ok", "failed"} <= {end[0] for end in ends[0]}


def test_faults_do_not_pass_for_inabilities(honest: list[Reply]) -> None:
    for seed in range(5):
        found = replies(ASKED[:10], Plan(0.4, seed, mercy=4), can=None)
        pairs = [pair for pair in zip(found, honest, strict=False) if pair[0].status != "failed"]
        assert len(pairs) > 5  # four faults in a row are more than a question is given
        assert [told(reply) for reply, _ in pairs] == [told(truth) for _, truth in pairs]


@pytest.mark.parametrize("fault", ["500", "malformed", "nan"])
def test_who_asks_a_server_that_never_answers_is_told_within_two_minutes(fault: str) -> None:
    async def main() -> float:
        time = Time()
        async with Server(plan=Plan(1.0, faults=[fault])) as server:
            model = RemoteModel("toy", server.url, sleep=time.sleep, clock=time)
            with pytest.raises(ModelUnreachable, match="nothing was answered any more"):
                await model.ask(Request((("user", "A: tea\nB: milk"),), ("A", "B")))
            await model.close()
        return time.now

    assert 20 < asyncio.run(main()) < 120  # long enough for what passes by itself


def test_hanging_ends_in_time_outs_and_a_giant_in_failures() -> None:
    asked = [one for one in ASKED[:16] if one[0].sampled]
    ends = Counter(reply.status for reply in replies(asked, Plan(0.8, 2, ["hang"]), timeout=0.2))
    assert ends["timeout"] >= 1
    assert ends["timeout"] + ends["ok"] + ends["unparseable"] == len(asked)
    ends = Counter(reply.status for reply in replies(asked[:4], Plan(0.7, 3, ["giant"])))
    assert ends["failed"] + ends["ok"] + ends["unparseable"] == 4


def spec(readout: str, turns: Turns) -> Microspec:
    reader = LanguageModel(model="toy", readout=readout)  # type: ignore[arg-type]
    return Microspec(
        world=Feed.of(6),
        population=Population(groups=(Group(name="readers", count=6, decides=reader),)),
        turns=turns,
    )


def grown(
    folder: Path, what: Microspec, plan: Plan, at_once: int = 64, fails: bool = False
) -> TraceFolder:
    async def main() -> None:
        time = Time()
        async with Server(Abilities(), plan, Speaker(piece=1)) as server:
            model = RemoteModel(
                "toy", server.url, concurrency=at_once, sleep=time.sleep, clock=time
            )
            model.fingerprint = "toy"  # the port is another each time
            driver = Driver(folder, seed=3, models={"toy": model}, concurrency=min(at_once, 8))
            try:
                progress = await driver.grow_async(factorial(what, []), 4)
            finally:
                await model.close()
            assert fails or progress.failed == 0

    asyncio.run(main())
    return TraceFolder(folder)


@pytest.mark.parametrize("readout", ["exact", "sample"])
@pytest.mark.parametrize("turns", [Sequential(steps=3), Simultaneous(steps=3)])
def test_runs_come_out_the_same_bytes(readout: str, turns: Turns, tmp_path: Path) -> None:
    what = spec(readout, turns)
    plain = grown(tmp_path / "plain", what, Plan())
    for number, at_once in enumerate((1, 64)):
        plan = Plan(0.5, number, mercy=3)
        faulty = grown(tmp_path / f"faulty-{at_once}", what, plan, at_once)
        assert plan.met.total() > 30
        assert faulty.digest() == plain.digest()


def test_runs_account_for_every_question(tmp_path: Path) -> None:
    """With faults that some questions do not outlast: such a run is a row that says so, and no other is."""
    what = spec("sample", Simultaneous(steps=4))
    runs = grown(tmp_path / "runs", what, Plan(0.6, 11), fails=True).runs()
    decisions = TraceFolder(tmp_path / "runs").frame("decisions")
    assert len(runs) == 4
    done = runs[runs["status"] == "done"]
    assert 0 < len(done) < 4
    assert (done["questions"] == 24).all()
    each = decisions.groupby(["run", "step", "agent"]).size()
    assert len(each) == len(done) * 24
    assert (each == 1).all()
    assert set(decisions["status"]) <= {"ok", "unparseable", "timeout", "refused"}
    silent = decisions[decisions["status"] != "ok"]
    assert (silent["choice"] == -1).all()
    assert np.isnan(silent["probability"]).all()
    assert (runs["reason"][runs["status"] == "failed"].str.len() > 10).all()


@pytest.mark.slow
def test_ten_thousand_faults(tmp_path: Path, honest: list[Reply]) -> None:
    """Through the client and through whole runs, until that many have been met."""
    met: Counter[str] = Counter()
    truth = [told(reply) for reply in honest]
    answered = given_up = 0
    for seed in range(1000):
        if met.total() >= 8000:
            break
        plan = Plan(0.1 + 0.5 * (seed % 7) / 6, 100 + seed)
        for one, true in zip(replies(ASKED, plan, 1 + seed % 64), truth, strict=True):
            assert told(one) == true or one.status == "failed"
            answered += one.status != "failed"
            given_up += one.status == "failed"
        met += plan.met
    assert answered > 5000
    assert given_up > 50
    plain = {
        readout: grown(tmp_path / readout, spec(readout, Simultaneous(steps=3)), Plan()).digest()
        for readout in ("exact", "sample")
    }
    for seed in range(1000):
        if met.total() >= 10_000:
            break
        plan = Plan(0.5, 5000 + seed, mercy=3)
        readout = ("exact", "sample")[seed % 2]
        what = spec(readout, Simultaneous(steps=3))
        assert grown(tmp_path / str(seed), what, plan, 1 + seed).digest() == plain[readout]
        met += plan.met
    assert met.total() >= 10_000
    assert set(met) == set(KINDS)
