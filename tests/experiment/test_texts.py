"""Runs in which agents write: stored, replayed, written to disk beside runs in which nobody does."""

import asyncio
from pathlib import Path

import duckdb
import pytest

from cloudchamber.agents import LanguageModel, Writer
from cloudchamber.experiment import Budget, Driver, Limits
from cloudchamber.experiment.design import Cell, Design
from cloudchamber.experiment.metering import Metered
from cloudchamber.microspec import Complete, Microspec, Notes
from cloudchamber.models.fake import fake
from cloudchamber.models.store.stored import ReplayedModel, StoredModel
from cloudchamber.trace import TraceFolder
from cloudchamber.trace.damage import damage
from tests.experiment.small import MODEL, spec


def talking(name: str = MODEL) -> Microspec:
    quiet = spec(LanguageModel(model=name))
    return quiet.altered(communication=Complete(messages=20), memory=Notes(k=1))


def grown(folder: Path, what: Microspec, model: object, replicates: int = 2) -> TraceFolder:
    async def main() -> None:
        await Driver(folder, models={MODEL: model}).grow_async(  # type: ignore[dict-item]
            Design((Cell("it", what),)), replicates
        )
        await model.close()  # type: ignore[attr-defined]

    asyncio.run(main())
    return TraceFolder(folder)


@pytest.mark.parametrize("kind", ["hash", "sampled", "hostile"])
def test_a_replay_reads_and_writes_to_the_letter(tmp_path: Path, kind: str) -> None:
    stored = StoredModel(fake(kind), tmp_path / "answers.sqlite", called=MODEL)
    first = grown(tmp_path / "first", talking(), stored)
    replayed = ReplayedModel(MODEL, tmp_path / "answers.sqlite", into=tmp_path / "copy.sqlite")
    again = grown(tmp_path / "again", talking(), replayed)
    assert again.digest() == first.digest()
    from_copy = grown(tmp_path / "third", talking(), ReplayedModel(MODEL, tmp_path / "copy.sqlite"))
    assert from_copy.digest() == first.digest()
    texts = first.texts()
    assert {"message", "own notes", "prompt"} <= set(texts["kind"])


def test_identical_agents_write_texts_of_their_own(tmp_path: Path) -> None:
    stored = StoredModel(fake("hash"), tmp_path / "answers.sqlite", called=MODEL)
    trace = grown(tmp_path / "t", talking(), stored, 4)
    first = trace.sql("SELECT text FROM decisions WHERE kind = 'write' AND step = 0").fetchall()
    assert len({text for (text,) in first}) > 0.9 * len(first)


def test_a_cap_holds_for_texts_and_what_was_written_is_not_paid_twice(tmp_path: Path) -> None:
    budgets = []
    for limits in (Limits(questions=10), Limits(tokens=2000), None, None):
        budget = Budget(limits)
        metered = Metered(fake("hash"), budget, None)
        stored = StoredModel(metered, tmp_path / "answers.sqlite", called=MODEL)

        async def main(stored: StoredModel = stored, budget: Budget = budget) -> None:
            driver = Driver(tmp_path / "t", models={MODEL: stored}, budget=budget)
            await driver.grow_async(Design((Cell("it", talking()),)), 2)
            await stored.close()

        asyncio.run(main())
        budgets.append(budget)
    assert [bool(one.stopped) for one in budgets] == [True, True, False, False]
    assert budgets[0].spent.questions == 10 and budgets[1].spent.tokens <= 2000
    asked = sum(one.spent.questions for one in budgets)
    assert asked == 2 * 3 * 2 * 3 and budgets[3].spent.questions == 0
    whole = StoredModel(fake("hash"), tmp_path / "other.sqlite", called=MODEL)
    assert TraceFolder(tmp_path / "t").digest() == grown(tmp_path / "u", talking(), whole).digest()


def test_files_in_which_nobody_wrote_do_without_the_column_and_read_as_if_they_had_it(
    tmp_path: Path,
) -> None:
    quiet = spec(Writer())
    loud = quiet.altered(communication=Complete(messages=5))
    driver = Driver(tmp_path / "t")
    driver.grow(Design((Cell("quiet", quiet),)), 1)
    alone = TraceFolder(tmp_path / "t")
    assert alone.exposures()["text"].eq(0).all()
    driver.grow(Design((Cell("quiet", quiet), Cell("loud", loud))), 1)
    both = TraceFolder(tmp_path / "t")
    has = {
        "text" in duckdb.read_parquet(str(path)).columns
        for path in (tmp_path / "t" / "exposures").glob("*.parquet")
    }
    assert has == {True, False}
    runs = both.runs().set_index("cell")["run"]
    shown = both.exposures()
    by_cell = {cell: shown[shown["run"] == run]["text"].ne(0).sum() for cell, run in runs.items()}
    assert sorted(by_cell.values())[0] == 0 < sorted(by_cell.values())[1]
    assert both.digest() == both.to_trace().digest()
    assert damage(tmp_path / "t") is None
