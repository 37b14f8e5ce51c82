"""What the minority study's report says beyond any study's: how many are overturned, and whether it lasts."""

from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.analysis import mean
from cloudchamber.measures.estimate import proportion
from cloudchamber.report import Check, Prose, Supplement
from cloudchamber.report.evidence import brief, full
from cloudchamber.report.figures import Axis, curve

if TYPE_CHECKING:
    from cloudchamber import Results, Study


def supplement(study: "Study", results: "Results") -> Supplement:
    """Sentences, a check and a figure."""
    if not full(results.trace):
        told = "Not all decisions were kept: who said what in the end cannot be told."
        return Supplement(blocks={3: (Prose(told),)})
    share = study.phenomenon.measure(results.trace)
    figures = tuple(_by_size(study, results, share))
    checks = tuple(_lasting(study, results, share))
    return Supplement(tuple(_overturned(study, results, share)), checks, {3: figures})


def _overturned(study: "Study", results: "Results", share):
    """How many runs of each cell are overturned, and how many would have gone over by themselves."""
    told = list(_counted(results, share, {cell.name: cell for cell in study.combinations()}))
    alone = list(_counted(results, share, dict(_uncommitted(study))))
    if told:
        yield (
            f"**Overturned**, with most of the others' last words the minority's: {', '.join(told)}."
            + (f" Where nobody is committed so many are: {', '.join(alone)}." if alone else "")
        )


def _counted(results: "Results", share, cells):
    """Of the runs of each cell, how many are overturned; cells by what they are called."""
    for name, cell in cells.items():
        mine = share[share.index.isin(results.ids(cell))]
        if len(mine):
            yield f"{int((mine > 0.5).sum())} of {len(mine)} ({name})"


def _uncommitted(study: "Study"):
    """Each convention, and its cell without a minority: the twin of the largest, whose noise all share."""
    for convention in ("from M", "from Q"):
        (*_, cell) = study.combinations().where(convention=convention)
        twin = study.null_of(cell)
        if twin is not None:
            yield convention, twin


def _lasting(study: "Study", results: "Results", share):
    """Without anyone committed, is the convention kept?"""
    for convention, twin in _uncommitted(study):
        mine = share[share.index.isin(results.ids(twin))]
        if mine.empty:
            continue
        left = mean(mine).within(0, 1)
        told = f"Where nobody is committed the other name is {brief(left)} of the last words ({convention})."
        state = "fine" if left.value < 0.2 else "warning" if left.value < 0.5 else "bad"
        if state == "bad":
            told += " Populations leave it by themselves: there is none for a minority to overturn."
        yield Check(f"Does the convention last by itself ({convention})?", told, state)


def _by_size(study: "Study", results: "Results", share):
    """The share of runs overturned by the size of the minority."""
    import pandas as pd

    rows = []
    for cell in study.combinations():
        mine = share[share.index.isin(results.ids(cell))]
        if len(mine):
            found = proportion(int((mine > 0.5).sum()), len(mine))
            group = cell.spec.population.groups[1]
            size = group.count / cell.spec.population.count
            rows.append((size, found.value, found.low, found.high, cell.levels["convention"]))
    if len(rows) < 2:
        return
    frame = pd.DataFrame(rows, columns=["size", "value", "low", "high", "convention"])
    yield curve(
        frame.replace([np.inf, -np.inf], np.nan),
        id="overturned",
        title="How many conventions are overturned, by the size of the minority",
        caption=(
            "Share of runs in which most of the others' last words are the minority's, by which name was the "
            "convention; exact 95 % interval over runs."
        ),
        x=Axis("size", "committed share of the population"),
        y=Axis("value", "runs overturned"),
        low="low",
        high="high",
        series="convention",
    )
