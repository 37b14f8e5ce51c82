"""A study: its design, its changes, and that it runs in a program, in a notebook, and again."""

import asyncio
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudchamber import Factor, Feed, Group, Level, Microspec, Population, SocialProof, Study
from cloudchamber.agents import LanguageModel, Random
from cloudchamber.errors import ModelUnreachable, SpecificationError, TraceError
from cloudchamber.experiment import Cell, Limits, Manifest, Price, Progress
from cloudchamber.intervention import hide, instruct, isolate, one_at_a_time, pin
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import Sequential
from cloudchamber.models.fake import FakeModel, fake
from cloudchamber.models.model import Model, Reply, Request
from cloudchamber.phenomenon import HERDING
from cloudchamber.trace import TraceFolder


def study(steps: int = 2) -> Study:
    spec = Microspec(
        world=Feed.of(6),
        population=Population(groups=(Group(name="readers", count=3, decides=SocialProof()),)),
        turns=Sequential(steps=steps),
    )
    return Study(
        name="small",
        question="Does it work?",
        phenomenon=HERDING,
        microspec=spec,
        factors=(Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes"),),
        replicates=2,
        more=(Cell("late", spec.replace("visibility.latency", 1)),),
        null=isolate(),
        risk="exact",
        interventions=(hide("likes"), one_at_a_time()),
        attack=pin(1),
    )


def test_the_design_is_the_factorial_then_more_then_interventions_then_the_attack() -> None:
    assert [cell.name for cell in study().design()] == [
        "hidden",
        "exact",
        "late",
        "with hide likes",
        "with one at a time",
        "attacked",
        "attacked, with hide likes",
        "attacked, with one at a time",
        "with one at a time, isolated",
    ]
    cells = study().design()
    assert cells["with hide likes"].spec == cells["hidden"].spec
    assert len(cells.conditions()) == 8
    assert cells["attacked, with hide likes"].spec == pin(1)(cells["hidden"].spec)


def test_without_a_cell_at_risk_the_first_is_departed_from() -> None:
    assert replace(study(), risk="").at_risk() == "hidden"
    with pytest.raises(SpecificationError, match="no cell 'nope'"):
        replace(study(), risk="nope").design()


def test_a_null_that_is_none_is_said_before_anything_is_grown(tmp_path: Path) -> None:
    expected = replace(HERDING, measure=MEASURES["expected gini"])
    for wrong, said in (
        (replace(study(), null=None, phenomenon=expected), r"give .* null=isolate\(\)"),
        (replace(study(), risk="nope"), "no cell 'nope'; allowed: hidden, exact"),
    ):
        with pytest.raises(SpecificationError, match=said):
            wrong.run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_each_judged_cell_is_told_against_its_own_twin_without_influence() -> None:
    plain = study()
    nulls = {cell.name: plain.null_of(cell) for cell in plain.judged()}
    assert {name: null.name for name, null in nulls.items() if null} == {
        "hidden": "hidden",
        "exact": "hidden",
        "with hide likes": "with hide likes",
        "with one at a time": "with one at a time, isolated",
    }
    bare = replace(plain, null=None)
    assert [bare.null_of(cell) for cell in bare.judged()] == [None] * 4


def test_an_intervention_that_changes_nothing_is_known_for_idle() -> None:
    told = instruct("Think for yourself.", "think")
    assert replace(study(), interventions=(hide("likes"), told)).idle() == (told,)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"null": "hidden"}, "null: 'hidden' was given; allowed: an Intervention, e.g. isolate"),
        ({"replicates": "many"}, "replicates: 'many' was given; allowed: a whole number"),
        ({"interventions": (hide,)}, "interventions: .* a tuple of Intervention values"),
        ({"notes": "one text"}, "notes: 'one text' was given; allowed: a tuple"),
        ({"phenomenon": "herding"}, "phenomenon: 'herding' was given; allowed: a Phenomenon"),
    ],
)
def test_what_is_of_another_kind_is_refused_where_it_is_given(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(SpecificationError, match=said):
        replace(study(), **given)


def test_setting_a_field_changes_every_cell() -> None:
    changed = study().set("visibility.top", 4)
    assert {cell.spec.visibility.top for cell in changed.design()} == {4}
    assert {cell.spec.visibility.top for cell in study().design()} == {None}


@pytest.mark.parametrize(
    "path",
    ["visibility.fields.likes", "visibility.fields.likes.kind", "visibility.fields", "visibility"],
)
def test_setting_what_a_factor_varies_is_refused(path: str) -> None:
    with pytest.raises(SpecificationError, match="the study's factor 'likes' varies"):
        study().set(path, "hidden")


def test_another_decider_takes_every_place() -> None:
    put = study().decided_by(Random())
    assert {cell.spec.population.groups[0].decides for cell in put.design()} == {Random()}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seed": -1}, "seed: -1"),
        ({"seed": 2**63}, "allowed: 0 to 9223372036854775807"),
        ({"replicates": 0}, "replicates: 0"),
        ({"replicates": 10**9}, "allowed: 1 to 1000000"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(
    tmp_path: Path, given: dict[str, int], said: str
) -> None:
    with pytest.raises(SpecificationError, match=said):
        study().run(tmp_path / "out", **given)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_results_are_data_frames_by_cell_and_replicate(tmp_path: Path) -> None:
    results = study().run(tmp_path)
    assert results.complete and len(results.done) == 9 * 2
    table = results.measure(HERDING.measure)
    assert list(table.columns) == [cell.name for cell in study().design()]
    assert list(table.index) == [0, 1]
    assert (table["with hide likes"] == table["hidden"]).all(), "one specification, one run"
    assert len(results.ids(["hidden", "exact"])) == 4
    with pytest.raises(SpecificationError, match="no cell 'nope'"):
        results.ids("nope")
    assert study().results(tmp_path).runs.equals(results.runs)


def test_the_manifest_says_what_the_folder_is(tmp_path: Path) -> None:
    study().run(tmp_path, seed=3, level=Level("sampled"), replicates=1, options={"study": "x"})
    there = Manifest.read(tmp_path)
    assert (there.study, there.seed, there.level, there.replicates) == ("small", 3, "sampled", 1)
    assert [cell["name"] for cell in there.cells] == [cell.name for cell in study().design()]
    assert Microspec.model_validate(there.cells[0]["spec"]) == study().design().cells[0].spec
    with pytest.raises(TraceError, match="holds seed 3, and 4 was asked for"):
        study().run(tmp_path, seed=4, level=Level("sampled"))


def test_a_model_of_ones_own_is_used_and_left_open(tmp_path: Path) -> None:
    class Mine:
        name = fingerprint = "mine"
        exact = True
        asked = closed = 0

        async def ask(self, request: Request, draw: int = 0) -> Reply:
            self.asked += 1
            return await fake("hash").ask(request, draw)

        async def close(self) -> None:
            self.closed += 1

    mine = Mine()
    asked = study().decided_by(LanguageModel(model="my model"))
    models: dict[str, Model] = {"my model": mine}
    results = asked.run(tmp_path, models=models, replicates=1)
    assert results.complete and mine.asked > 0 and mine.closed == 0
    before = mine.asked
    asked.run(tmp_path, models=models, replicates=1)
    assert mine.asked == before


def test_it_runs_where_an_event_loop_runs_already_as_in_a_notebook(tmp_path: Path) -> None:
    asked = study().decided_by(LanguageModel(model="fake:hash"))

    async def cell_of_a_notebook() -> bool:
        return asked.run(tmp_path / "notebook", replicates=1).complete

    assert asyncio.run(cell_of_a_notebook())
    asked.run(tmp_path / "program", replicates=1)
    inside, outside = (
        TraceFolder(tmp_path / name / "trace").digest() for name in ("notebook", "program")
    )
    assert inside == outside


def test_a_failure_in_a_notebook_is_the_failure_itself(tmp_path: Path) -> None:
    async def cell_of_a_notebook() -> None:
        study().run(tmp_path / "file" / "out")

    (tmp_path / "file").write_text("mine")
    with pytest.raises(TraceError, match="give another folder"):
        asyncio.run(cell_of_a_notebook())


def test_an_interrupt_in_a_notebook_stops_the_growing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interrupt reaches the thread that waits, not the one that grows."""
    begun = threading.Event()
    seen: list[float] = []

    def watch(progress: Progress) -> None:
        seen.append(progress.questions)
        if progress.questions:
            begun.set()

    class Interrupted:
        def __init__(self, waiting: object) -> None:
            self._waiting = waiting

        def result(self) -> None:
            assert begun.wait(30)
            raise KeyboardInterrupt

    from concurrent.futures import ThreadPoolExecutor

    class Pool(ThreadPoolExecutor):
        def submit(self, *given: object, **named: object) -> Interrupted:  # type: ignore[override]
            return Interrupted(super().submit(*given, **named))  # type: ignore[arg-type]

    monkeypatch.setattr("cloudchamber.experiment.interrupting.ThreadPoolExecutor", Pool)

    async def cell_of_a_notebook() -> None:
        study(steps=10_000_000).run(tmp_path, watch=watch)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(cell_of_a_notebook())
    assert time.monotonic() - start < 60, "it would have gone on for an hour"
    assert not list((tmp_path / "trace").rglob("*.parquet"))


def test_why_a_call_ended_early_is_kept_until_the_next(tmp_path: Path) -> None:
    asked = study().decided_by(LanguageModel(model="fake:hash"))

    def gone(_: Request) -> Reply:
        raise ModelUnreachable("http://127.0.0.1:9/v1: no answer.")

    with pytest.raises(ModelUnreachable):
        asked.run(tmp_path, replicates=1, models={"fake:hash": FakeModel(gone, "fake:hash")})
    assert asked.results(tmp_path).stopped == "http://127.0.0.1:9/v1: no answer."
    some = asked.run(tmp_path, replicates=1, limits=Limits(questions=1))
    assert some.stopped == "the cap of 1 question is reached (1 sent)" and not some.complete
    assert some.stopped in some.unfinished and "Cells that lack runs: " in some.unfinished
    whole = asked.run(tmp_path, replicates=1)
    assert (whole.complete, whole.stopped, whole.unfinished) == (True, "", "")


def test_a_cap_on_money_needs_a_price(tmp_path: Path) -> None:
    model = "openai:some@http://127.0.0.1:9/v1"
    asked = study().decided_by(LanguageModel(model=model))
    with pytest.raises(SpecificationError, match=f"the price of {model} is not known"):
        asked.run(tmp_path, limits=Limits(cost=1.0))
    there = {model: fake("hash")}
    priced = asked.run(
        tmp_path,
        replicates=1,
        models=there,
        limits=Limits(cost=1.0),
        prices={model: Price(0.1, 0.2)},
    )
    assert priced.complete and priced.runs["cost"].gt(0).any()
    unknown = asked.run(tmp_path, replicates=2, models=there)
    assert unknown.runs["cost"].isna().any(), "never 0 where nobody knows"


def test_an_estimate_asks_nothing_and_writes_nothing(tmp_path: Path) -> None:
    asked = study().decided_by(LanguageModel(model="openai:some@http://127.0.0.1:9/v1"))
    told = asked.estimate(tmp_path / "none", prices=Price(1.0, 1.0))
    assert told.questions > 0 and told.cost > 0 and not (tmp_path / "none").exists()
    assert asked.estimate(replicates=1).missing == told.conditions
