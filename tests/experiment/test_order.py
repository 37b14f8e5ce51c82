"""Whatever order answers arrive in, and whoever shares the store: the same trace (law 1)."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.agents import LanguageModel
from cloudchamber.experiment import Cell, Design, Driver
from cloudchamber.models.fake import FAKES, FakeModel, fake
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.models.store.stored import ReplayedModel, StoredModel
from cloudchamber.testing.fakes import Dawdling
from cloudchamber.trace import TraceFolder
from tests.experiment.small import MODEL, design, spec

SAMPLED = design(LanguageModel(model=MODEL, readout="sample"))
ONE_BY_ONE = Design(
    tuple(
        replace(cell, spec=cell.spec.replace("affordances.presentation", "one at a time"))
        for cell in SAMPLED
    )
)


class Mixed(FakeModel):
    """A server that answers some requests by a distribution, and others by a sample."""

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        by_sample = request.sampled or int(request.key(), 16) % 2 == 0
        return await super().ask(replace(request, sampled=by_sample), draw)


def fickle() -> FakeModel:
    """A server that never says the same thing twice: its answer is the number of those before it."""
    told = 0

    def answer(request: Request) -> Reply:
        nonlocal told
        told += 1
        return Reply(text=str(told), choice=told * told % len(request.options))

    return FakeModel(answer, MODEL, exact=False)


def digest(folder: Path) -> str:
    return TraceFolder(folder).digest()


async def closing(work: Coroutine[None, None, None], *models: Model) -> None:
    """Await some work, then close what it used."""
    try:
        await work
    finally:
        for model in models:
            await model.close()


async def grow(folder: Path, what: Design, model: Model, at_once: int) -> None:
    await Driver(folder, models={MODEL: model}, concurrency=at_once).grow_async(what, 2)


@pytest.mark.parametrize(
    ("what", "readouts"),
    [
        (SAMPLED, {"sampled"}),
        (ONE_BY_ONE, {"sampled"}),
        (design(LanguageModel(model=MODEL)), {"exact", "sampled"}),
    ],
    ids=["list", "one at a time", "some exact"],
)
def test_sampled_answers_in_any_order_with_and_without_a_store(
    tmp_path: Path, what: Design, readouts: set[str]
) -> None:
    digests, orders = set(), set()
    for number, at_once in enumerate((1, 7, 64)):
        for kept in (False, True):
            slow = Dawdling(Mixed(FAKES["hash"][0], MODEL), seed=number, at_once=at_once)
            model: Model = StoredModel(slow, tmp_path / f"store-{number}") if kept else slow
            folder = tmp_path / f"{number}-{kept}"
            asyncio.run(closing(grow(folder, what, model, at_once), model))
            digests.add(digest(folder))
            orders.add(tuple(slow.arrived))
    assert len(digests) == 1
    assert len(orders) >= 3, "the replies were to arrive in different orders"
    assert set(TraceFolder(tmp_path / "0-True").decisions()["readout"]) == readouts


def test_studies_that_share_a_store_agree_even_where_the_server_never_says_the_same_twice(
    tmp_path: Path,
) -> None:
    """Each asks a server of its own, at once; what stands in the store is what all were told."""

    async def main() -> None:
        models = [
            StoredModel(Dawdling(fickle(), seed=number), tmp_path / "s") for number in range(3)
        ]
        await asyncio.gather(
            *(grow(tmp_path / str(n), SAMPLED, model, 5) for n, model in enumerate(models))
        )
        assert sum(model.hits for model in models) > 0, "they were to meet in the store"
        replayed = ReplayedModel(MODEL, tmp_path / "s")
        await grow(tmp_path / "replayed", SAMPLED, replayed, 3)
        await replayed.close()
        for model in models:
            await model.close()

    asyncio.run(main())
    assert len({digest(tmp_path / name) for name in ("0", "1", "2", "replayed")}) == 1


def test_a_baseline_and_its_change_share_sampled_answers_where_the_question_is_the_same(
    tmp_path: Path,
) -> None:
    """Law 6: draws are keyed by seed, replicate, step and agent, not by the cell."""
    reader = LanguageModel(model=MODEL, readout="sample")
    two, three = spec(reader, steps=2), spec(reader, steps=3)
    model = fake("hash")

    async def main() -> None:
        stored = StoredModel(model, tmp_path / "s")
        both = Design((Cell("two", two), Cell("three", three)))
        await closing(grow(tmp_path / "t", both, stored, 1), stored)

    asyncio.run(main())
    asked = Counter((request.key(), draw) for request, draw in model.asked)
    assert set(asked.values()) == {1}
    assert len(asked) == 2 * 3 * 3, "replicates x readers x steps, those of both cells once"
    trace = TraceFolder(tmp_path / "t")
    names = trace.runs().set_index("run")["name"]
    choices = trace.decisions().assign(name=lambda rows: rows["run"].map(names))
    both = choices[choices["step"] < 2].groupby("name")["choice"].apply(sorted)
    assert both["two"] == both["three"]


def test_agents_replicates_steps_and_items_are_drawn_for_independently(tmp_path: Path) -> None:
    """Law 5: where all are asked the same, each has a draw of its own; so has each item of a decision."""
    drawn: list[int] = []

    class Even(FakeModel):
        async def ask(self, request: Request, draw: int = 0) -> Reply:
            drawn.append(draw)
            return await super().ask(request, draw)

    model = Even(FAKES["uniform"][0], MODEL)
    asyncio.run(grow(tmp_path / "t", Design(ONE_BY_ONE.cells[:1]), model, 4))
    assert len(set(drawn)) == len(drawn) == 2 * 3 * 2 * 6, "replicates x readers x steps x items"
    decisions = TraceFolder(tmp_path / "t").decisions()
    yes = (decisions["choice"] >= 0).groupby([decisions[c] for c in ("run", "step", "agent")])
    # Were one draw to serve a whole decision, all of its six answers would be alike.
    assert 0.2 < np.mean(yes.mean()) < 0.8
    assert (yes.nunique() == 2).mean() > 0.7
