"""Caps before a server that spoils its answers: what is sent, what is kept, and that it goes on."""

import asyncio
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from cloudchamber.errors import Unfinished
from cloudchamber.experiment import Budget, Driver, Limits, Price
from cloudchamber.experiment.metering import Metered
from cloudchamber.models.model import Reply, Request
from cloudchamber.models.remote.capabilities import Capabilities
from cloudchamber.models.remote.server import RemoteModel
from cloudchamber.models.store.stored import StoredModel
from cloudchamber.testing.faults import FAULTS, Plan
from cloudchamber.testing.server import Abilities, Server
from cloudchamber.trace import TraceFolder
from tests.experiment.small import MODEL, asked

READABLE = Plan(0.3, 5, ["500", "cut", "malformed", "latency"], mercy=2)


async def _no_time(_: float) -> None:
    await asyncio.sleep(0)


async def grown(folder: Path, url: str, limits: Limits) -> tuple[Budget, RemoteModel]:
    """One call of a study that asks the server."""
    budget = Budget(limits)
    remote = RemoteModel("toy", url, sleep=_no_time, clock=lambda: 0.0)
    stored = StoredModel(Metered(remote, budget, Price(1.0, 2.0)), folder / "answers.sqlite")
    try:
        driver = Driver(folder / "t", models={MODEL: stored}, concurrency=3, budget=budget)
        await driver.grow_async(asked(), 4)
        await budget.drained()
    finally:
        await stored.close()
    return budget, remote


def test_capped_calls_before_faults_come_to_the_uncapped_trace(tmp_path: Path) -> None:
    async def compared() -> None:
        async with Server(plan=READABLE) as server:
            answered = 0
            for limits in (Limits(questions=9), Limits(tokens=450), Limits(cost=0.0005), Limits()):
                budget, remote = await grown(tmp_path / "capped", server.url, limits)
                assert bool(budget.stopped) == (limits != Limits())
                spent = budget.spent
                assert limits.questions is None or spent.questions == limits.questions
                assert limits.tokens is None or 0 < spent.tokens <= limits.tokens
                assert limits.cost is None or 0 < spent.cost <= limits.cost
                assert budget.under_way == 0 and remote.at_once >= 2
                answered += spent.questions
            faults = sum(server.plan.met.values())
            assert faults > 10, "it was not spared"
            whole, _ = await grown(tmp_path / "whole", server.url, Limits())
            assert whole.spent.questions == answered, "nothing was asked twice"

    asyncio.run(compared())
    capped, whole = (TraceFolder(tmp_path / name / "t") for name in ("capped", "whole"))
    assert capped.digest() == whole.digest()


TOLD = ("malformed", "nan", "infinite", "positive", "latency", "drip", "429", "500", "503")
"""Faults after which the tokens are known: the answer still says them, or nobody bills it."""


@pytest.mark.parametrize("mercy", [2, 10**9], ids=["answered in the end", "some given up"])
def test_every_token_that_the_server_billed_is_counted(tmp_path: Path, mercy: int) -> None:
    async def compared() -> None:
        async with Server(plan=Plan(0.5, 3, TOLD, mercy=mercy)) as server:
            budget, _ = await grown(tmp_path, server.url, Limits())
            spent, billed = budget.spent, server.billed
            assert sum(server.plan.met.values()) > 20, "it was not spared"
            assert (spent.tokens, spent.untold) == (sum(billed), 0)
            assert spent.cost == pytest.approx((billed[0] * 1.0 + billed[1] * 2.0) / 1e6)
            mine = int(TraceFolder(tmp_path / "t").runs()["tokens"].sum())
            answers = 8 * spent.questions
            probe = sum(billed) - mine
            assert mine > answers, "what was thrown away is in the runs' bill"
            assert 0 < probe < 0.3 * sum(billed), "and all of it, but for the probe"

    asyncio.run(compared())


@pytest.mark.parametrize("can", [Abilities(), Abilities(top=3), Abilities(top=0, scores=False)])
def test_what_the_server_bills_passes_no_cap_whatever_it_does(
    tmp_path: Path, can: Abilities
) -> None:
    """With lost connections, retries, repairs, and many requests for one answer, too."""
    faults = [fault for fault in FAULTS if fault not in ("giant", "hang")]

    async def compared() -> None:
        async with Server(can, Plan(0.3, 7, faults, mercy=3)) as server:
            for number, cap in enumerate((40, 300, 900)):
                before = sum(server.billed)
                budget, _ = await grown(tmp_path / str(number), server.url, Limits(tokens=cap))
                assert budget.stopped and sum(server.billed) - before <= budget.spent.tokens <= cap
                assert budget.under_way == budget.attempts == budget.reserved.tokens == 0
                sent = len(server.asked)
                await asyncio.sleep(0.02)
                assert len(server.asked) == sent, "nothing is sent after"

    asyncio.run(compared())


def test_at_a_cap_within_a_question_nothing_more_is_sent_and_what_it_took_is_counted() -> None:
    request = Request((("user", "Pick.\n11: a\n12: b"),), ("11", "12"))

    async def asked(limits: Limits) -> tuple[list[int], Budget]:
        """What each attempt may take, and what was spent."""
        async with Server(plan=Plan(1.0, 0, ["malformed"])) as server:
            budget, can = Budget(limits), Capabilities(top=20)
            remote = RemoteModel("toy", server.url, capabilities=can, sleep=_no_time)
            metered = Metered(remote, budget, None)
            with suppress(Unfinished):
                assert (await metered.ask(request)).status == "failed"
            await metered.close()
            return [len(msgspec.json.encode(body)) + 1 for body in server.asked], budget

    (most, *more), budget = asyncio.run(asked(Limits()))
    assert more == [most] * 3 and budget.spent.tokens == 4 * 8
    none, budget = asyncio.run(asked(Limits(tokens=0)))
    assert (none, budget.spent.tokens, budget.spent.questions) == ([], 0, 0)
    two, budget = asyncio.run(asked(Limits(tokens=most + 8)))
    assert len(two) == 2 and budget.spent.tokens == 16 and budget.spent.questions == 1
    assert f"(16 spent, and the next question may take {most})" in budget.stopped


def test_free_text_is_billed_and_capped_as_answers_are() -> None:
    free = Request((("user", "Write a note in at most 30 words."),), max_tokens=60)

    async def written(limits: Limits) -> tuple[list[Reply], Budget, int]:
        async with Server(plan=Plan(0.3, 1, ["malformed", "500"])) as server:
            budget = Budget(limits)
            remote = RemoteModel("toy", server.url, capabilities=Capabilities(), sleep=_no_time)
            metered = Metered(remote, budget, None)
            replies = []
            with suppress(Unfinished):
                for draw in range(12):
                    replies.append(await metered.ask(free, draw))
            await metered.close()
            return replies, budget, sum(server.billed)

    replies, budget, billed = asyncio.run(written(Limits()))
    assert len(replies) == 12 and all(reply.text for reply in replies)
    assert budget.spent.tokens == billed == sum(r.tokens_in + r.tokens_out for r in replies)
    some, budget, billed = asyncio.run(written(Limits(tokens=350)))
    assert 0 < len(some) < 12 and billed == budget.spent.tokens <= 350
    assert [reply.text for reply in some] == [reply.text for reply in replies[: len(some)]]


def test_an_attempt_that_tells_nothing_counts_with_the_most_it_may_have_taken(
    tmp_path: Path,
) -> None:
    async def compared() -> None:
        async with Server(plan=Plan(0.3, 1, ["hung up", "cut", "empty choices"])) as server:
            budget, _ = await grown(tmp_path, server.url, Limits())
            spent = budget.spent
            assert 0 < spent.untold < spent.tokens
            silent = sum(server.plan.met.values())
            assert spent.tokens - spent.untold == sum(server.billed) - 8 * silent
            assert spent.untold > 8 * silent

    asyncio.run(compared())
