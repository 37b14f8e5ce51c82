"""What the majority study's report says beyond any study's: what moves agents, and strength beside theory."""

from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.analysis import mean
from cloudchamber.measures.estimate import jackknife
from cloudchamber.report import Supplement
from cloudchamber.report.evidence import brief
from cloudchamber.report.figures import Axis, curve
from cloudchamber.validation.closed_forms import opinion

if TYPE_CHECKING:
    from cloudchamber import Results, Study

THEORY = "a large group that sees all, in theory"
STEPS = 60
"""Points of the theory's line."""


def supplement(study: "Study", results: "Results") -> Supplement:
    """How strongly agents follow what they see, and where the group ends, beside theory."""
    return Supplement(
        tuple(_following(study, results)), (), {3: tuple(_over_strength(study, results))}
    )


def _following(study: "Study", results: "Results"):
    """P(an answer) where most of those seen stand by it, less P(the same answer) where few do.

    Of one answer, and over all runs: those who prefer an answer and heed nobody come to stand by it, but
    give it as often where few do.
    """
    name = study.at_risk()
    runs = ", ".join(map(str, results.ids(name)))
    if not runs or "signal_people" not in _columns(results):
        return
    found = results.trace.sql(f"""
        SELECT count(*) FILTER (share > 0.5), count(*) FILTER (share > 0.5 AND took),
               count(*) FILTER (share < 0.5), count(*) FILTER (share < 0.5 AND took)
        FROM (SELECT run, item, chosen > 0 AS took, signal_people
                     / nullif(sum(signal_people) OVER (PARTITION BY run, decision), 0) AS share
              FROM exposures WHERE channel = 'option' AND run IN ({runs}))
        WHERE item = 1 GROUP BY run ORDER BY run""").fetchall()
    told = jackknife(found, _contrast)
    if told.known:
        yield (
            f"**What moves them**: in the cell {name} an answer that most stand by is more probable than the "
            f"same answer where few do by {brief(told.within(-1, 1))}; 0 is heedless, 1 always with the "
            "majority."
        )


def _contrast(runs: np.ndarray) -> float:
    """The share that took it where most stood by it, less that where few did, of (runs, 4) counts."""
    most, most_took, few, few_took = runs.sum(axis=0)
    return most_took / most - few_took / few if most and few else np.nan


def _columns(results: "Results"):
    return results.trace.sql("SELECT * FROM exposures LIMIT 0").columns


def _over_strength(study: "Study", results: "Results"):
    """The majority at the end by the rule's strength, for each way of seeing others."""
    import pandas as pd

    majority = study.phenomenon.measure(results.trace)
    rows = []
    for cell in study.combinations():
        mine = majority[majority.index.isin(results.ids(cell))]
        if "strength" in cell.levels and len(mine):
            told = mean(mine).within(0, 1)
            strength = cell.spec.population.groups[0].decides.strength
            ends = {"low": told.low, "high": told.high, "sight": cell.levels["sight"]}
            rows.append({"strength": strength, "value": told.value, **ends})
    if not rows:
        return
    low, high = min(row["strength"] for row in rows), max(row["strength"] for row in rows)
    fine = [low + (high - low) * step / STEPS for step in range(STEPS + 1)]
    rows += [{"strength": one, "value": opinion(one), "sight": THEORY} for one in fine]
    yield curve(
        pd.DataFrame(rows),
        id="strength",
        title="How far a group agrees, by the strength of the majority's force",
        caption=(
            "The majority at the end (0 for an even split, 1 for all alike), by strength; mean over runs "
            "with 95 % interval. The theory is m = tanh(strength m), which leaves 0 at a strength of 1."
        ),
        x=Axis("strength", "strength"),
        y=Axis("value", "majority", zero=True),
        low="low",
        high="high",
        series="sight",
        points=True,
    )
