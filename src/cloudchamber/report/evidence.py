"""The tidy tables that a report rests on: every number and figure of it can be recomputed from them.

The run is the unit throughout; cells are compared replicate by replicate, because paired runs share
their noise. What an intervention does is told of the excess over the cell's own null: one item at a time,
say, concentrates choices in its own way, influence or not, and that is not the phenomenon.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from cloudchamber.analysis import Estimate, cluster_curve, difference, mean
from cloudchamber.analysis.effects.comparisons import effects
from cloudchamber.experiment import Cell, Results
from cloudchamber.measures import Measure, attention, final_tallies
from cloudchamber.measures.concentration import unpredictability_by_run
from cloudchamber.measures.estimate import jackknife
from cloudchamber.microspec import Engineered
from cloudchamber.study import Study
from cloudchamber.study.conditions import excesses

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "attacks",
    "brief",
    "cells",
    "comparisons",
    "contrasts",
    "courses",
    "curves",
    "estimates",
    "factors",
    "full",
    "simple_effects",
    "target_share",
    "values",
]

WHOLE, EXCESS = "all of it", "excess over the null"
"""What an intervention changes: the measure as it is, and as much of it as the null does not have."""


def estimates(told: Iterable[tuple[dict[str, Any], Estimate]]) -> "pd.DataFrame":
    """A row an estimate: its labels, then value, low, high, n, unit, p, and the estimate as text."""
    import pandas as pd

    rows = [
        labels
        | {"value": e.value, "low": e.low, "high": e.high, "n": e.n, "unit": e.unit}
        | {"p": np.nan if e.p is None else e.p, "text": brief(e)}
        for labels, e in told
    ]
    return pd.DataFrame(rows)


def brief(estimate: Estimate) -> str:
    """An estimate without its number of runs, for where that is said once for all."""
    if not np.isfinite(estimate.value):
        return "–"
    if not estimate.known or estimate.flat:
        return estimate.told(estimate.value)
    value, low, high = map(estimate.told, (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def cells(study: Study, results: Results, measures: Iterable[Measure]) -> "pd.DataFrame":
    """Each measure in each cell: label, measure, and the estimate over runs."""
    told = []
    for measure in measures:
        if measure.across_runs:
            continue  # told below: its numbers by run are not independent
        table = results.measure(measure)
        for cell in study.design():
            found = mean(table[cell.name]).within(measure.low, measure.high)
            told.append(({"label": cell.name, "measure": measure.name}, found))
    for cell in study.design():
        tally = _tally(results, cell.name)
        labels = {"label": cell.name, "measure": "unpredictability"}
        told.append((labels, jackknife(tally, _unpredictability).within(0, 1)))
    return estimates(told)


def values(study: Study, results: Results, measures: Iterable[Measure]) -> "pd.DataFrame":
    """A row for each run of each cell and measure: what every mean and interval is of."""
    import pandas as pd

    done = results.done[["name", "replicate", "run"]].rename(columns={"name": "cell"})
    parts = []
    for measure in measures:
        table = results.measure(measure).rename_axis("cell", axis=1)
        long = table.melt(ignore_index=False, value_name="value").reset_index().dropna()
        parts.append(done.merge(long, on=["cell", "replicate"]).assign(measure=measure.name))
    return pd.concat(parts, ignore_index=True)


def comparisons(study: Study, results: Results, measure: Measure) -> "pd.DataFrame":
    """Every combination against the first, as `cloudchamber.analysis.effects.estimates` tells it."""
    first, *others = [cell.name for cell in study.combinations()]
    criterion = study.phenomenon.criterion
    return effects(
        results,
        measure,
        against=dict.fromkeys(others, first),
        margin=criterion.margin if criterion.margin > 0 else None,
        in_sd=criterion.in_sd,
        level=criterion.level,
    )


def _unpredictability(tally: Any) -> float:
    """Of one item alone, whose share is always 1, it would be 0 whatever happens."""
    if tally.shape[1] < 2:
        return float("nan")
    values = unpredictability_by_run(tally)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _tally(results: Results, cell: str) -> Any:
    """(runs, items): what each item gained in each run of a cell."""
    wanted = set(results.ids(cell))
    for tally in final_tallies(results.trace):
        mine = [at for at, run in enumerate(tally.run.tolist()) if run in wanted]
        if mine:
            return tally.value[mine, -1]
    return np.zeros((0, 1))


def factors(study: Study, results: Results, measure: Measure) -> "pd.DataFrame":
    """What each level of each factor changes against the first, averaged over the other factors.

    One number a replicate: the mean difference over the pairs of cells that differ in this factor alone.
    """
    table = results.measure(measure)
    told = []
    for factor in study.crossed:
        names = [setting.name for setting in factor.settings]
        for level in names[1:]:
            gap = _gap(study, table, factor.name, level, names[0])
            labels = {
                "label": f"{factor.name}: {level} instead of {names[0]}",
                "factor": factor.name,
            }
            told.append((labels, _change(gap, measure)))
    return estimates(told)


def simple_effects(study: Study, results: Results, measure: Measure) -> "pd.DataFrame":
    """The same in each place of the other factors: `of` is the main effect's label, `place` where."""
    table, design = results.measure(measure), study.combinations()
    told = []
    for factor in study.crossed:
        first, *levels = [setting.name for setting in factor.settings]
        for cell in design.where(**{factor.name: first}):
            others = {name: level for name, level in cell.levels.items() if name != factor.name}
            place = ", ".join(f"{name} is {level}" for name, level in others.items())
            for level in levels if others else ():
                (other,) = design.where(**others, **{factor.name: level})
                labels = {"of": f"{factor.name}: {level} instead of {first}", "place": place}
                told.append((labels, _change(table[other.name] - table[cell.name], measure)))
    return estimates(told)


def _gap(
    study: Study, table: "pd.DataFrame", factor: str, level: str, first: str
) -> "pd.Series[float]":
    grown = study.combinations()
    place = {frozenset(cell.levels.items()): cell.name for cell in grown}
    gaps = []
    for cell in grown:
        if cell.levels[factor] != level:
            continue
        other = place[frozenset({**cell.levels, factor: first}.items())]
        gaps.append(table[cell.name] - table[other])
    whole: pd.Series[float] = sum(gaps) / len(gaps)  # type: ignore[assignment]  # sum() of series
    return whole


def contrasts(study: Study, results: Results, measure: Measure) -> "pd.DataFrame":
    """What each intervention changes in the cell at risk, replicate by replicate.

    Column `of` says in what: in the measure, and, where there is a null, in its excess over that.
    Interventions that change nothing in that cell's specification are left out.
    """
    tables = {WHOLE: results.measure(measure)}
    if study.null is not None:
        tables[EXCESS] = excesses(study, results, measure)
    risk, idle = study.at_risk(), study.idle()
    return estimates(
        (
            {"label": one.name, "of": of, "on": one.on},
            _change(table[f"with {one.name}"] - table[risk], measure),
        )
        for one in study.interventions
        if one not in idle
        for of, table in tables.items()
    )


def target_share(items: tuple[int, ...]) -> Measure:
    """The share of all choices that fall on some items: of expected ones, where the trace is full."""
    import pandas as pd

    def compute(source: Any) -> "pd.Series[float]":
        if full(source):
            return attention.share_of_items(source, items)
        parts = [
            pd.Series(
                t.value[:, -1, list(items)].sum(axis=1) / t.value[:, -1].sum(axis=1), index=t.run
            )
            for t in final_tallies(source)
        ]
        return pd.concat(parts).rename_axis("run")

    return Measure("target's share", "share of all choices", 0, 1, compute)


def full(source: Any) -> bool:
    """Whether the trace holds every decision."""
    made = source.sql("SELECT sum(decisions) FROM runs WHERE status = 'done'").fetchall()
    return bool(made == source.sql("SELECT count(*) FROM decisions WHERE pick <= 1").fetchall())


def attacks(study: Study, results: Results) -> "pd.DataFrame":
    """What the attack gains its target, without and under each intervention: label and estimate."""
    attacked = study.design()["attacked"].spec.visibility.order
    if not isinstance(attacked, Engineered):
        return estimates([])
    table = results.measure(target_share(attacked.pinned))
    pairs = [("no intervention", "attacked", study.at_risk())]
    pairs += [
        (one.name, f"attacked, with {one.name}", f"with {one.name}")
        for one in study.interventions
        if one not in study.idle()
    ]
    return estimates(
        ({"label": label}, difference(table[after], table[before], paired=True).within(-1, 1))
        for label, after, before in pairs
    )


def _change(gap: "pd.Series[float]", measure: Measure) -> Estimate:
    """The mean of differences between paired runs, no further out than the measure can change."""
    span = measure.high - measure.low
    return difference(gap, gap * 0, paired=True).within(-span, span)


def courses(study: Study, results: Results, measure: Measure) -> "pd.DataFrame":
    """The measure over time in each cell of the factorial: label, levels, step, value, low, high."""
    import pandas as pd

    if measure.over_time is None:
        return pd.DataFrame()
    frame = measure.over_time(results.trace)
    found = curves(results, study.combinations(), frame, within=(measure.low, measure.high))
    return found.rename(columns={"cell": "label"})


def curves(
    results: Results,
    cells: Iterable[Cell],
    table: "pd.DataFrame",
    *,
    point: str = "step",
    within: tuple[float, float],
) -> "pd.DataFrame":
    """The curve of each of some cells, one below the other: point, value, low, high, n, cell, levels.

    Args:
        results: of the study.
        cells: whose curves; those without a number have none.
        table: of all runs, as for `cluster_curve`: long with a column `run`, or wide with a row a run.
        point: what a point of the curve is called.
        within: the range of the number.
    """
    import pandas as pd  # as above

    run = table["run"] if "run" in table else table.index.to_series()
    parts = []
    for cell in cells:
        told = cluster_curve(table[run.isin(results.ids(cell))], within=within)
        if told["value"].notna().any():
            parts.append(told.reset_index(names=point).assign(cell=cell.name, **cell.levels))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
