"""Caps before a server that spoils its answers: what is sent, what is kept, and that it goes on."""

import asyncio
from pathlib import Path

from cloudchamber.experiment import Budget, Driver, Limits, Price
from cloudchamber.experiment.metering import Metered
from cloudchamber.models.remote import RemoteModel
from cloudchamber.models.store import StoredModel
from cloudchamber.testing.faults import Plan
from cloudchamber.testing.server import Server
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
    costs = [trace.runs().set_index("run")["tokens"].to_dict() for trace in (capped, whole)]
    assert costs[0] == costs[1]
