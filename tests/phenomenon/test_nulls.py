"""A phenomenon against each kind of null, on worlds grown with rules."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloudchamber.agents import Random, SocialProof
from cloudchamber.experiment import Cell, Design, Driver, Results
from cloudchamber.intervention import deal, isolate, let_decide
from cloudchamber.microspec import Group, Microspec, Population, Sequential
from cloudchamber.microspec.visibility import Seeded
from cloudchamber.phenomenon import HERDING, Criterion, Finding
from cloudchamber.worlds import Feed

RUNS = 10


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    heeding = Group(name="readers", count=15, decides=SocialProof())
    spec = Microspec(
        world=Feed.of(12), population=Population(groups=(heeding,)), turns=Sequential(steps=6)
    )
    cells = (
        Cell("heeding", spec),
        Cell("isolated", isolate()(spec)),
        Cell("dealt", deal("likes")(spec)),
        Cell("seeded", spec.replace("visibility.fields.likes", Seeded(each="run"))),
        Cell("at random", let_decide(Random())(spec)),
        Cell("heeding hardly", let_decide(SocialProof(strength=0.01))(spec)),
    )
    folder: Path = tmp_path_factory.mktemp("nulls")
    Driver(folder, seed=2).grow(Design(cells), RUNS)
    return Results(Design(cells), RUNS, 2, folder)


def told(results: Results, cell: str, null: str, criterion: Criterion) -> Finding:
    phenomenon = replace(HERDING, criterion=criterion)
    runs, baseline = results.ids(cell), results.ids(null)
    return phenomenon.against_baseline(results.trace, runs, baseline, null=f"runs {null}")


@pytest.mark.parametrize("null", ["isolated", "dealt", "at random"])
@pytest.mark.parametrize("criterion", [Criterion(0.05), Criterion(0.5, in_sd=True)])
def test_heeding_readers_herd_against_any_null(
    results: Results, null: str, criterion: Criterion
) -> None:
    found = told(results, "heeding", null, criterion)
    assert found.answer == "grown"
    assert f"expected of runs {null}: " in found.sentence()


def test_what_is_dealt_at_random_is_no_more_than_chance(results: Results) -> None:
    # Shown numbers that are true of nothing gather no more choices than none.
    found = told(results, "dealt", "isolated", Criterion(0.1))
    assert found.answer == "not grown"


def test_nearly_nothing_is_undecided_or_not_grown_and_says_what_would_decide(
    results: Results,
) -> None:
    excess = told(results, "heeding hardly", "isolated", Criterion(0.0)).excess
    beside = told(results, "heeding hardly", "isolated", Criterion(max(excess.value, 0.0) + 0.001))
    assert beside.answer == "undecided"
    assert beside.needed > 10 * RUNS
    far = told(results, "heeding hardly", "isolated", Criterion(0.2))
    assert far.answer == "not grown"


def test_what_concentrates_by_itself_is_in_both_a_cell_and_its_twin(results: Results) -> None:
    # Levels set beforehand gather choices without anybody's acts.
    assert told(results, "seeded", "isolated", Criterion(0.05)).answer == "grown"
    seeded = results.design["seeded"].spec
    assert isolate()(seeded) == seeded
    own = told(results, "seeded", "seeded", Criterion(0.05))
    assert own.excess.value == 0 and own.answer == "not grown"
