"""The knock-out search: what is needed is kept, what is not goes, and what found does not judge."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.analysis.sufficiency.knocking_out import (
    KnockOut,
    Needed,
    Trial,
    knock_out,
    taken_away,
)
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Design, Driver, Results
from tests.experiment.small import spec

NAMES = ("visible", "order", "memory", "talk")
Chance = Callable[[frozenset[str]], float]


def search(chance: Chance, seed: int = 0) -> Needed:
    rng = np.random.default_rng(seed)
    return knock_out(NAMES, lambda trial: int(rng.binomial(len(trial), chance(trial.kept))))


def both(kept: frozenset[str]) -> float:
    return 0.99 if {"visible", "order"} <= kept else 0.3


def test_two_that_are_needed_are_left() -> None:
    found = search(both)
    assert found.kept == ("visible", "order")
    assert found.minimal
    assert str(found).startswith("visible AND order suffice (grown in ")
    assert str(found).endswith("neither alone does")
    assert found.table()["conditions"].tolist() == [
        "all of them",
        "without visible",
        "without order",
    ]


def test_what_stands_in_for_each_other_leaves_one() -> None:
    found = search(lambda kept: 0.99 if {"visible", "talk"} & kept else 0.1)
    assert len(found.kept) == 1 and found.minimal
    assert str(found).endswith("nothing less does")


def test_of_what_depends_on_no_condition_none_is_needed() -> None:
    found = search(lambda kept: 0.99)
    assert found.kept == () and found.found
    assert str(found).startswith("none of the conditions is needed: grown in ")


def test_what_is_not_certain_with_all_is_not_reduced() -> None:
    found = search(lambda kept: 0.5)
    assert not found.found
    assert found.kept == NAMES
    assert str(found).startswith(
        "nothing found: with visible AND order AND memory AND talk it grew"
    )


def test_who_judges_did_not_search() -> None:
    asked: list[Trial] = []

    def lucky(trial: Trial) -> int:
        """All grows while it is searched, half of it after."""
        asked.append(trial)
        return len(trial) if trial.replicates.start == 0 else len(trial) // 2

    found = knock_out(NAMES, lucky)
    assert not found.found
    searched = {r for trial in asked if trial.replicates.start == 0 for r in trial.replicates}
    judged = {r for trial in asked if trial.replicates.start > 0 for r in trial.replicates}
    assert not searched & judged
    assert found.looked[frozenset()].value == 1


def test_asking_and_telling() -> None:
    steps = KnockOut(["a", "b"], runs=5)
    (first,) = steps.ask()
    assert (first.kept, first.replicates) == (frozenset("ab"), range(5))
    with pytest.raises(SpecificationError, match="1 trials are asked for"):
        _ = steps.result
    with pytest.raises(SpecificationError, match="allowed: 0 to 5 of 5"):
        steps.tell(first, 6)
    steps.tell(first, 5)
    one, other = steps.ask()
    assert {one.kept, other.kept} == {frozenset("a"), frozenset("b")}
    steps.tell(other, 1)
    assert steps.ask() == (one,)
    with pytest.raises(SpecificationError, match="not asked for"):
        steps.tell(other, 1)
    steps.tell(one, 2)
    whole, *less = steps.ask()
    assert len(whole) == 72 and whole.replicates.start == 5
    for trial in (whole, *less):
        steps.tell(trial, 72 if trial is whole else 0)
    assert steps.ask() == ()
    assert steps.result.minimal


@pytest.mark.parametrize(
    ("names", "how", "said"),
    [
        ([], {}, "one or more"),
        (["a", "a"], {}, "each with its own name"),
        (["a"], {"certain": 1.0}, "from 0.5 to below 1"),
        (["a"], {"judging": 20}, "1 and 36 or more"),
    ],
)
def test_what_makes_no_search(names: list[str], how: dict[str, float], said: str) -> None:
    with pytest.raises(SpecificationError, match=said):
        KnockOut(names, **how)  # type: ignore[arg-type]


def test_through_runs_that_are_grown(tmp_path: Path) -> None:
    absent: dict[str, dict[str, object]] = {
        "likes shown": {"visibility.fields.likes": "hidden"},
        "likes followed": {"population.groups[0].decides.strength": 0.0},
        "codes": {"affordances.labels": "letters"},
    }
    grows = spec(readers=6, steps=20).replace("population.groups[0].decides.strength", 8.0)

    def grown(trial: Trial) -> int:
        design = Design((taken_away(grows, absent, trial.kept),))
        Driver(tmp_path / "trace").grow(design, trial.replicates.stop)
        gini = (
            Results(design, trial.replicates.stop, 0, tmp_path / "trace").measure("gini").iloc[:, 0]
        )
        return int((gini.loc[list(trial.replicates)] > 0.5).sum())

    found = knock_out(tuple(absent), grown, runs=10)
    assert found.kept == ("likes shown", "likes followed")
    assert found.minimal
    assert taken_away(grows, absent, set(absent)).spec == grows


@pytest.mark.parametrize("share", [0.5, 0.85, 0.9])
def test_where_nothing_depends_on_conditions_certainty_is_rarely_claimed(share: float) -> None:
    claimed = sum(search(lambda kept: share, seed).found for seed in range(200))
    assert claimed <= 10
