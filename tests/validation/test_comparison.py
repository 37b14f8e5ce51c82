"""Comparison with the field: agrees where nothing differs, sees what was planted, errs as it says."""

from collections.abc import Callable
from csv import DictReader
from math import isnan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from cloudchamber.errors import TraceError
from cloudchamber.measures.concentration import gini
from cloudchamber.validation.comparison import Comparison, compare, side_by_side
from cloudchamber.validation.field import FieldPopularity, read_popularity
from cloudchamber.validation.histories import (
    History,
    concentration_course,
    histories,
    ranked_shares,
    thinned,
)

FIELD = Path(__file__).parents[3] / "shared" / "field"

Gains = NDArray[np.int64]
"""What each item gained in each step: [steps, items]."""


def frame(worlds: list[Gains]) -> pd.DataFrame:
    """Outcomes, with the empty start at step 0."""
    parts = []
    for run, gains in enumerate(worlds, start=1):
        tally = np.vstack((np.zeros(gains.shape[1]), np.cumsum(gains, axis=0)))
        step, item = np.indices(tally.shape)
        parts.append(
            pd.DataFrame(
                {"run": run, "step": step.ravel(), "item": item.ravel(), "value": tally.ravel()}
            )
        )
    return pd.concat(parts, ignore_index=True)


def as_field(worlds: list[Gains], tmp_path: Path) -> FieldPopularity:
    """The same by way of a file."""
    lines = ["world,item,step,count\n"]
    for world, gains in enumerate(worlds):
        for (step, item), gained in np.ndenumerate(gains):
            lines.append(f"w{world},i{item},{step},{gained}\n")
    path = tmp_path / "field.csv"
    path.write_text("".join(lines))
    return read_popularity(path, per_step=True)


def urn(rng: np.random.Generator, items: int = 12, picks: int = 120, alpha: float = 1.0) -> Gains:
    """A Polya urn: each pick goes to an item by alpha plus what it has."""
    tally = np.full(items, alpha)
    gains = np.zeros((6, items), dtype=np.int64)
    for pick in range(picks):
        item = rng.choice(items, p=tally / tally.sum())
        tally[item] += 1
        gains[pick * 6 // picks, item] += 1
    return gains


def even(rng: np.random.Generator, items: int = 12, picks: int = 120) -> Gains:
    """Independent choice among equals."""
    return rng.multinomial(picks // 6, np.full(items, 1 / items), size=6)


def settled(rng: np.random.Generator, growing: bool) -> Gains:
    """The same shares in the end, concentrated from the start or only at the end."""
    flat, steep = np.full(12, 10), np.array([60, 30, 10, 5, 5, 2, 2, 2, 1, 1, 1, 1])
    rows = [flat, flat, steep] if growing else [steep, flat, flat]
    return np.array([rng.permutation(12), *rows][1:])


Make = Callable[[np.random.Generator], Gains]


def compared(
    simulated: Make, field: Make, tmp_path: Path, runs: int = 10, worlds: int = 8, seed: int = 1
) -> Comparison:
    rng = np.random.default_rng(seed)
    return compare(
        frame([simulated(rng) for _ in range(runs)]),
        as_field([field(rng) for _ in range(worlds)], tmp_path),
        permutations=999,
    )


def test_different_laws_are_told_apart(tmp_path: Path) -> None:
    found = compared(urn, even, tmp_path)
    assert found.shape.differs() is True
    assert found.course is not None
    assert found.course.differs() is True
    assert [beside.overlap for beside in found.measures] == [False, False, False]
    first = found.measures[0]
    assert first.simulated.value > first.field.value
    assert first.difference.low > 0
    assert first.difference.value == pytest.approx(first.simulated.value - first.field.value)
    assert "the 99 % intervals do not overlap (difference 0." in first.sentence()


def test_the_same_law_is_rarely_told_apart(tmp_path: Path) -> None:
    rng, tests, alarms = np.random.default_rng(5), 120, {"shape": 0, "course": 0, "interval": 0}
    pool = [urn(rng, items=6, picks=60) for _ in range(400)]
    for test in range(tests):
        drawn = [pool[i] for i in rng.choice(len(pool), 11, replace=False)]
        simulated, field = frame(drawn[:6]), frame(drawn[6:])
        found = compare(
            simulated, FieldPopularity("f", field, tuple("vwxyz"), (), True, ()), seed=test
        )
        assert found.course is not None
        alarms["shape"] += found.shape.p <= 0.05
        alarms["course"] += found.course.p <= 0.05
        alarms["interval"] += found.measures[0].overlap is False
    for name, level in (("shape", 0.05), ("course", 0.05), ("interval", 0.01)):
        excess = stats.binomtest(alarms[name], tests, level, alternative="greater")
        assert excess.pvalue > 1e-3, (name, alarms)


def test_a_different_course_to_the_same_end_is_seen_in_the_course_alone(tmp_path: Path) -> None:
    found = compared(lambda r: settled(r, True), lambda r: settled(r, False), tmp_path)
    assert found.shape.p == 1
    assert found.course is not None
    assert found.course.differs() is True
    assert [beside.overlap for beside in found.measures[:2]] == [True, True]


def test_unequal_totals_alone_make_no_difference(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    few = [even(rng, picks=60) for _ in range(12)]
    many = [even(rng, picks=6000) for _ in range(12)]
    found = compare(frame(few), as_field(many, tmp_path), permutations=999)
    assert found.shape.p > 0.001
    assert found.measures[0].overlap is True
    assert any("thinned at random to 60 choices" in note for note in found.notes)
    # Without the thinning the smaller total alone would have looked like concentration.
    raw = [gini([gains.sum(axis=0) for gains in side]) for side in (few, many)]
    assert raw[0].min() > raw[1].max()


def test_what_a_world_was_seeded_with_was_not_chosen(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    worlds = [urn(rng) for _ in range(4)]
    plain, seeded = frame(worlds), frame(worlds)
    seeded["value"] += 1000 * (seeded["item"] == 0)
    field = as_field([urn(rng) for _ in range(4)], tmp_path)
    assert compare(seeded, field).measures == compare(plain, field).measures


def test_totals_that_cannot_be_thinned_are_said(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("world,item,count\nv,a,10.5\nv,b,3\nw,a,4\nw,b,9\n")
    found = compare(frame([np.array([[3, 1]])]), read_popularity(path))
    assert any("cannot be thinned" in note for note in found.notes)
    assert found.course is None
    assert found.curves.empty
    assert len(found.measures) == 2  # one run: no unpredictability


def test_few_runs_cannot_tell(tmp_path: Path) -> None:
    found = compared(urn, even, tmp_path, runs=2, worlds=1)
    assert found.shape.differs() is None
    assert [beside.overlap for beside in found.measures] == [None, None]
    assert isnan(found.measures[0].field.low)
    assert "cannot tell (1 world)" in found.measures[0].sentence()


def test_other_numbers_of_items_are_compared_by_rank(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    found = compare(
        frame([even(rng, items=10, picks=1200) for _ in range(8)]),
        as_field([even(rng, items=15, picks=1200) for _ in range(8)], tmp_path),
        permutations=999,
    )
    assert [beside.measure for beside in found.measures] == [
        "Gini of final shares",
        "Share of the first 3 items",
    ]
    assert any("numbers of items differ (10, 15)" in note for note in found.notes)
    assert found.shape.between < 0.1


def test_frames_for_the_figures_hold_every_run(tmp_path: Path) -> None:
    found = compared(urn, even, tmp_path, runs=4, worlds=3)
    assert found.shares.groupby(["group", "run"]).size().to_dict() == {
        **{("field", run): 12 for run in (1, 2, 3)},
        **{("simulated", run): 12 for run in (1, 2, 3, 4)},
    }
    assert np.allclose(found.shares.groupby(["group", "run"])["share"].mean(), 1)
    assert found.curves["time"].max() == 1
    assert len(found.curves) == 7 * 20


def test_nothing_chosen_is_an_error_in_all_runs_and_a_note_in_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    nothing = np.zeros((6, 12), dtype=np.int64)
    field = as_field([urn(rng) for _ in range(3)], tmp_path)
    with pytest.raises(TraceError, match="nothing to compare"):
        compare(frame([nothing]), field)
    torn = frame([urn(rng), urn(rng)]).drop(index=20)
    with pytest.raises(TraceError, match="Run 1: some item has no tally"):
        compare(torn, field)
    found = compare(frame([urn(rng), nothing, urn(rng), urn(rng)]), field)
    assert found.shape.first == 3
    assert "In 1 of the runs nothing was chosen; they are left out." in found.notes


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    first, again = (compared(urn, even, tmp_path, seed=4) for _ in range(2))
    assert first.shape == again.shape
    assert first.measures == again.measures


def test_voat_is_judged_as_its_authors_judged_it() -> None:
    folder = FIELD / "voat_technology"
    if not folder.exists():
        pytest.skip("the field data is not here")
    with (folder / "sim_metrics_all.csv").open() as file:
        runs = list(DictReader(file))
    with (folder / "sim_metrics_ci.csv").open() as file:
        published = [row for row in DictReader(file) if row["ci_overlap"]]
    assert len(published) > 10
    for row in published:
        values = [float(run[row["metric"]]) for run in runs if run[row["metric"]]]
        # Only mean and interval of the 30 field windows are published: made again from a pair.
        mean, high = float(row["voat_mean"]), float(row["voat_ci_upper"])
        error = (high - mean) / stats.t.ppf(0.995, 29)
        windows = mean + error * np.sqrt(29) * np.array([-1.0] * 15 + [1.0] * 15)
        found = side_by_side(row["metric"], values, windows.tolist())
        # Some single runs are published with four decimals only.
        assert found.simulated.low == pytest.approx(float(row["ci_lower"]), rel=1e-4)
        assert found.simulated.high == pytest.approx(float(row["ci_upper"]), rel=1e-4)
        assert found.field.high == pytest.approx(high)
        assert str(found.overlap) == row["ci_overlap"]


def test_welch_interval_is_scipys() -> None:
    rng = np.random.default_rng(8)
    a, b = rng.normal(1, 2, 9), rng.normal(0, 5, 30)
    found = side_by_side("x", a.tolist(), b.tolist(), level=0.95).difference
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high])


def test_unpredictability_is_the_mean_over_pairs_of_worlds(tmp_path: Path) -> None:
    worlds = [np.array([[6, 3, 1]]), np.array([[2, 7, 1]]), np.array([[5, 5, 0]])]
    found = compare(frame(worlds), as_field(worlds, tmp_path)).measures[2]
    pairs = [(0.4 + 0.4 + 0) / 3, (0.1 + 0.2 + 0.1) / 3, (0.3 + 0.2 + 0.1) / 3]
    assert found.measure == "Unpredictability"
    assert found.simulated.value == pytest.approx(np.mean(pairs))
    # Leaving out one run leaves one pair.
    jackknife = np.sqrt(2 / 3 * ((np.array(pairs) - np.mean(pairs)) ** 2).sum())
    half = stats.t.ppf(0.995, 2) * jackknife
    assert found.simulated.high - found.simulated.value == pytest.approx(half)


def test_two_worlds_have_an_unpredictability_without_an_interval(tmp_path: Path) -> None:
    found = compared(urn, even, tmp_path, runs=5, worlds=2).measures[2]
    assert found.measure == "Unpredictability"
    assert found.simulated.known
    assert not found.field.known
    assert found.field.value > 0
    assert found.overlap is None


def test_thinning_keeps_each_choice_equally_often() -> None:
    tally = np.cumsum([[8, 0, 4], [2, 6, 0], [0, 0, 20]], axis=0).astype(float)
    kept = np.zeros((3, 3))
    for seed in range(2000):
        part = thinned(History(3, np.arange(3), tally), 10, seed)
        assert part.total == 10
        kept += np.diff(part.tally, axis=0, prepend=0)
    gained = np.diff(tally, axis=0, prepend=0)
    assert np.allclose(kept / 2000, gained / 4, atol=0.1)
    assert (kept[gained == 0] == 0).all()
    whole = History(3, np.arange(3), tally)
    assert thinned(whole, 40, 1) is whole


def test_what_can_be_thinned() -> None:
    def can(tally: list[list[float]]) -> bool:
        return History(1, np.arange(len(tally)), np.array(tally)).can_be_thinned

    assert can([[0, 1], [2, 1]])
    assert not can([[0, 1], [2, 0]])
    assert not can([[0, 1], [2, 1.5]])


def test_ranked_shares_of_any_number_of_items() -> None:
    heights, widths = ranked_shares(
        [History(1, np.arange(1), np.array([[1.0, 3]])), History(2, np.arange(1), np.ones((1, 3)))]
    )
    assert widths == pytest.approx([1 / 3, 1 / 6, 1 / 6, 1 / 3])
    assert heights[0] == pytest.approx([1.5, 1.5, 0.5, 0.5])
    assert heights[1] == pytest.approx([1, 1, 1, 1])
    assert heights @ widths == pytest.approx([1, 1])


def test_the_course_starts_where_something_was_chosen() -> None:
    tally = np.array([[0.0, 0], [0, 4], [4, 4]])
    course = concentration_course(
        History(1, np.array([0, 5, 10]), tally), np.array([0, 0.5, 0.75, 1])
    )
    assert course == pytest.approx([0.5, 0.5, 0.25, 0])
    assert concentration_course(History(1, np.array([0, 5]), tally[:2]), np.ones(1)) is None


def test_histories_are_read_in_any_order_of_rows() -> None:
    rng = np.random.default_rng(1)
    table = frame([urn(rng), urn(rng)])
    mixed = histories(table.sample(frac=1, random_state=1), seeded=True)
    for one, other in zip(histories(table, seeded=True), mixed, strict=True):
        assert (one.tally == other.tally).all()
        assert one.run == other.run
