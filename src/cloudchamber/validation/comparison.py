"""Simulated runs beside worlds of the field: the course over time, the shape at the end, and measures.

Runs and worlds are the units throughout. That two intervals overlap, or that a test finds nothing, does not
say that the two are alike: the width of the intervals says what could have been seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import TraceError
from cloudchamber.measures.concentration import gini, top_share, unpredictability_by_run
from cloudchamber.measures.estimate import Estimate, difference, mean
from cloudchamber.randomness import generator
from cloudchamber.validation.field import FieldPopularity
from cloudchamber.validation.histories import (
    History,
    concentration_course,
    histories,
    ranked_shares,
    thinned,
)
from cloudchamber.validation.permutation import Distance, distances, energy_test

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "SideBySide", "compare", "side_by_side"]

Floats = NDArray[np.float64]

_TIMES = np.linspace(0.05, 1, 20)


@dataclass(frozen=True)
class SideBySide:
    """One measure in the simulation and in the field."""

    measure: str
    """What is measured."""
    simulated: Estimate
    """Over the simulated runs."""
    field: Estimate
    """Over the worlds of the field."""
    difference: Estimate
    """Simulated less field, with Welch's interval."""
    overlap: bool | None
    """Whether the two intervals overlap; None where one of them cannot be had."""

    def sentence(self) -> str:
        """Both numbers, their difference, and whether the intervals overlap."""
        level = f"{100 * self.simulated.level:g} %"
        gap = self.difference
        said = {
            True: f"the {level} intervals overlap",
            False: f"the {level} intervals do not overlap",
            None: "there are too few for an interval",
        }[self.overlap]
        if gap.known:
            said += f" (difference {str(gap).rsplit(',', 1)[0]})"
        return f"{self.measure}: simulation {self.simulated}; field {self.field}; {said}."


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that can be compared between a cell's runs and a field file."""

    measures: tuple[SideBySide, ...]
    """Gini, share of the first few items, and unpredictability where it can be had."""
    shape: Distance
    """The distributions of shares at the end."""
    course: Distance | None
    """The Gini coefficient over normalised time; None where either side was seen once only."""
    shares: "pd.DataFrame"
    """group, run, rank (0 to 1, largest first), share (1 = an equal share): for the figure."""
    curves: "pd.DataFrame"
    """group, run, time (0 to 1), gini: for the figure; empty without a course."""
    notes: tuple[str, ...]
    """What was assumed or done to make the two comparable, and what could not be; plain sentences."""


def compare(
    simulated: "pd.DataFrame",
    field: FieldPopularity,
    seed: int = 0,
    top: int = 3,
    level: float = 0.99,
    permutations: int = 4999,
) -> Comparison:
    """Hold the runs of one cell against the worlds of the field.

    Fewer choices look more concentrated by chance, so all histories are first thinned to the smallest
    total among them (a random part of the choices; the same for the same seed). Measures are compared by
    whether their t-intervals overlap, the test of Tomasevic et al. (2508.21740) at 99 %; a test that errs
    towards "no difference" when intervals are wide. Distributions of shares and courses of concentration
    are compared by the energy distance between runs, permuting runs and worlds.

    Args:
        simulated: outcomes of the runs of one cell (run, step, item, value).
        field: what `read_popularity` returned.
        seed: for the thinning and the random permutations.
        top: how many items the top share counts.
        level: of the intervals.
        permutations: how many random ones where not all splits can be tried.

    Raises:
        TraceError: nothing was chosen in any of the simulated runs.
    """
    runs, worlds = histories(simulated, seeded=True), histories(field.outcomes, seeded=False)
    if not runs:
        raise TraceError("In none of the runs was anything chosen; there is nothing to compare.")
    notes = list(field.notes)
    empty = simulated["run"].nunique() - len(runs)
    if empty:
        notes.append(f"In {empty} of the runs nothing was chosen; they are left out.")
    runs, worlds, said = _alike(runs, worlds, seed)
    rng = generator(seed, 0, "comparison")
    heights, widths = ranked_shares([*runs, *worlds])
    shape = energy_test(
        "Distribution of shares",
        "share of all popularity that would have to move",
        distances(heights, widths) / 2,
        len(runs),
        rng,
        permutations,
    )
    course, curves = _course(runs, worlds, rng, permutations)
    return Comparison(
        measures=_measures(runs, worlds, top, level),
        shape=shape,
        course=course,
        shares=_long(runs, worlds, "rank", np.cumsum(widths) - widths / 2, "share", heights),
        curves=curves,
        notes=(*notes, *said),
    )


def side_by_side(
    measure: str, simulated: ArrayLike, field: ArrayLike, level: float = 0.99
) -> SideBySide:
    """A measure with one value a run and one a world: do the t-intervals of the means overlap?

    Args:
        measure: what is measured.
        simulated: one value for each run.
        field: one value for each world, or window of the field.
        level: of the intervals; Tomasevic et al. (2508.21740) take 99 %.
    """
    return _beside(
        measure,
        mean(simulated, level=level),
        mean(field, level=level, unit="world"),
        difference(simulated, field, paired=False, level=level),
    )


def _beside(measure: str, simulated: Estimate, field: Estimate, difference: Estimate) -> SideBySide:
    overlap = None
    if simulated.known and field.known:
        overlap = simulated.low <= field.high and field.low <= simulated.high
    return SideBySide(measure, simulated, field, difference, overlap)


def _unpredictability(
    runs: Sequence[History], worlds: Sequence[History], level: float
) -> SideBySide:
    """By the jackknife's pseudo-values, whose mean is U: the pairs of runs are not independent."""
    whole, single = zip(*map(_pseudo_values, (runs, worlds)), strict=True)
    if min(len(runs), len(worlds)) > 2:
        return side_by_side("Unpredictability", single[0], single[1], level)
    one, other = (
        mean(values, level=level, unit=unit)
        if len(values) > 2
        else Estimate(value, nan, nan, len(values), level, unit)
        for value, values, unit in zip(whole, single, ("run", "world"), strict=True)
    )
    gap = Estimate(one.value - other.value, nan, nan, one.n + other.n, level)
    return _beside("Unpredictability", one, other, gap)


def _pseudo_values(group: Sequence[History]) -> tuple[float, Floats]:
    """U of the group, and for each run n U - (n - 1) U without it; NaN with two runs."""
    n, by_run = len(group), unpredictability_by_run(np.array([h.tally[-1] for h in group]))
    whole = float(by_run.mean())
    without = (by_run.sum() - 2 * by_run) / (n - 2) if n > 2 else np.full(n, nan)
    return whole, n * whole - (n - 1) * without


def _measures(
    runs: Sequence[History], worlds: Sequence[History], top: int, level: float
) -> tuple[SideBySide, ...]:
    def beside(name: str, of: Callable[[Floats], Floats]) -> SideBySide:
        one, other = ([float(of(h.tally[-1])) for h in group] for group in (runs, worlds))
        return side_by_side(name, one, other, level)

    found = [
        beside("Gini of final shares", gini),
        beside(f"Share of the first {top} items", partial(top_share, k=top)),
    ]
    if len(runs) > 1 and len(worlds) > 1 and len({h.tally.shape[1] for h in (*runs, *worlds)}) == 1:
        found.append(_unpredictability(runs, worlds, level))
    return tuple(found)


def _alike(
    runs: list[History], worlds: list[History], seed: int
) -> tuple[list[History], list[History], list[str]]:
    """Both sides with the same total, and what had to be done."""
    notes = []
    everyone = [*runs, *worlds]
    smallest, largest = (f(h.total for h in everyone) for f in (min, max))
    sizes = sorted({h.tally.shape[1] for h in everyone})
    if len(sizes) > 1:
        notes.append(
            f"The numbers of items differ ({', '.join(map(str, sizes))}): shares are compared by rank, "
            "unpredictability is not, and the bounds of the Gini coefficient differ slightly."
        )
    if smallest < largest and all(h.can_be_thinned for h in everyone):
        runs, worlds = ([thinned(h, int(smallest), seed) for h in g] for g in (runs, worlds))
        notes.append(
            f"Every run and world was thinned at random to {smallest:,.0f} choices, the smallest total "
            f"(the largest is {largest:,.0f}), because fewer choices look more concentrated by chance."
        )
    elif smallest < largest:
        notes.append(
            f"Totals differ ({smallest:,g} to {largest:,g}) and cannot be thinned, because some counts fall "
            "or are not whole; part of a difference may be due to the totals alone."
        )
    if smallest < sizes[-1]:
        notes.append(
            f"The smallest total, {smallest:,g}, is below the number of items: shares are mostly chance."
        )
    return runs, worlds, notes


def _course(
    runs: Sequence[History], worlds: Sequence[History], rng: np.random.Generator, permutations: int
) -> tuple[Distance | None, "pd.DataFrame"]:
    sides = [
        [(h, c) for h in group if (c := concentration_course(h, _TIMES)) is not None]
        for group in (runs, worlds)
    ]
    kept = [[h for h, _ in side] for side in sides]
    curves = np.array([curve for side in sides for _, curve in side]).reshape(-1, len(_TIMES))
    if not all(sides):
        return None, _long([], [], "time", _TIMES, "gini", curves[:0])
    distance = energy_test(
        "Gini over normalised time",
        "mean difference of the Gini coefficient",
        distances(curves, np.full(len(_TIMES), 1 / len(_TIMES))),
        len(kept[0]),
        rng,
        permutations,
    )
    return distance, _long(kept[0], kept[1], "time", _TIMES, "gini", curves)


def _long(
    runs: Sequence[History],
    worlds: Sequence[History],
    axis: str,
    places: Floats,
    name: str,
    values: Floats,
) -> "pd.DataFrame":
    from pandas import DataFrame  # slow to import

    groups = ["simulated"] * len(runs) + ["field"] * len(worlds)
    return DataFrame(
        {
            "group": np.repeat(np.array(groups, dtype=object), len(places)),
            "run": np.repeat(np.array([h.run for h in (*runs, *worlds)], np.int64), len(places)),
            axis: np.tile(places, len(groups)),
            name: values.ravel(),
        }
    )
