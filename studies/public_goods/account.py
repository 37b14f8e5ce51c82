"""What the report on public goods says beyond any study's: the exact game, the course, who heeds others."""

from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.analysis import mean
from cloudchamber.measures.facts import fact, fact_over_time
from cloudchamber.report import Check, Prose, Supplement
from cloudchamber.report.evidence import brief, curves, full
from cloudchamber.report.figures import Axis, curve

if TYPE_CHECKING:
    import pandas as pd

    from cloudchamber import Results, Study

LEVELS = 21
"""Amounts that the exact game is solved over."""


def supplement(study: "Study", results: "Results") -> Supplement:
    """Sentences, a check and a figure."""
    runs = results.ids(study.at_risk()) if study.at_risk() in _cells(results) else []
    checks: tuple[Check, ...] = ()
    blocks = tuple(_by_round(study, results))
    if full(results.trace):
        checks = (_heeded(results, runs),)
    else:
        blocks += (Prose("Not all decisions were kept: who heeds others cannot be told."),)
    return Supplement(tuple(_beside_theory(study, results, runs)), checks, {3: blocks})


def _cells(results: "Results") -> set[str]:
    return {cell.name for cell in results.design}


def _beside_theory(study: "Study", results: "Results", runs: list[int]):
    """What is given beside subgame-perfect play of one round."""
    if not runs:
        return
    game = study.microspec.world.game
    solved = game.solve(LEVELS).path().sum() / (game.players * game.endowment)
    given = fact(results.trace, "cooperation")
    told = mean(given[given.index.isin(runs)]).within(0, 1)
    yield (
        f"**Beside theory**: in the cell {study.at_risk()} players give {brief(told)} of what they have, "
        f"over all rounds. By backward induction of one round they would give {solved:.3g} of it; all earn "
        "most together where all is given."
    )


def _heeded(results: "Results", runs: list[int]) -> Check:
    """Does what a player gives go with what the others gave in the round before?"""
    question = "Do they give by what the others gave?"
    rows = results.trace.sql(
        "SELECT run, step, agent, value FROM decisions WHERE kind = 'amount' AND choice >= 0"
    ).df()
    known = _slopes(rows[rows["run"].isin(runs)])
    share = mean(known)
    if not share.known:
        told = "They give the same whatever they see, or too few runs were made to tell."
        return Check(question, told, "bad")
    told = (
        f"For each point more that the others gave on average in the round before, a player gives "
        f"{brief(share)} more (each told from itself in other rounds; {len(known)} of {len(runs)} runs in "
        "which that varied)."
    )
    return Check(
        question, told, "fine" if share.low > 0.1 else "warning" if share.low > 0 else "bad"
    )


def _slopes(rows: "pd.DataFrame") -> "pd.Series[float]":
    """By run: what has as its mean the slope of what is given on what the others gave the round before.

    Each player is compared with itself in other rounds. Between players the slope would be below 0 without
    anybody heeding anybody: beside who gives much, the others give less than beside who gives little.
    """
    total = rows.groupby(["run", "step"])["value"].transform("sum")
    many = rows.groupby(["run", "step"])["value"].transform("count")
    others = rows.assign(others=(total - rows["value"]) / (many - 1).where(many > 1))
    before = others[["run", "step", "agent", "others"]].assign(step=others["step"] + 1)
    both = rows.merge(before, on=["run", "step", "agent"])
    same = both.groupby(["run", "agent"])
    x = both["others"] - same["others"].transform("mean")
    y = both["value"] - same["value"].transform("mean")
    sums = both.assign(xy=x * y, xx=x * x).groupby("run")[["xy", "xx"]].sum()
    sums = sums[sums["xx"] > 1e-9]
    # Over the mean of all runs: a slope of each would be far off where hardly anything varied.
    return (sums["xy"] / sums["xx"].mean()).astype(np.float64)


def _by_round(study: "Study", results: "Results"):
    """What is given in each round, by cell."""
    course = fact_over_time(results.trace, "cooperation now").dropna()
    told = curves(results, study.combinations(), course, point="round", within=(0, 1))
    if len(told):
        yield curve(
            told,
            id="rounds",
            title="What is given, by round",
            caption=(
                "Share of what players have that they give in each round, by what they see and whose turn "
                "it is; mean over runs with pointwise 95 % interval."
            ),
            x=Axis("round", "round"),
            y=Axis("value", "share given"),
            low="low",
            high="high",
            series="cell",
        )
