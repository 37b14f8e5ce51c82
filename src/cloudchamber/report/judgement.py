"""The verdicts of a study and the sentences that they rest on, from stored results."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cloudchamber.experiment import Cell, Results
from cloudchamber.measures.estimate import difference
from cloudchamber.phenomenon import Finding
from cloudchamber.report.document import Answer, Block, Prose, Table, Verdict
from cloudchamber.report.figures import Axis, curve, distributions
from cloudchamber.study import Study
from cloudchamber.validation import adequacy
from cloudchamber.validation.comparison import Comparison, compare
from cloudchamber.validation.published import MUSICLAB

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Judged", "answer", "verdicts"]

_ANSWERS: dict[str, Answer] = {
    "grown": "met",
    "not grown": "not met",
    "undecided": "undecided",
}


@dataclass(frozen=True)
class Judged:
    """What the evidence allows one to say."""

    finding: Finding | None
    """Of the cell at risk."""
    criterion: tuple[Block, ...]
    """For stage 1: where the phenomenon was grown."""
    blocks: tuple[Block, ...]
    """For stage 5: the verdicts and what they rest on."""


def verdicts(study: Study, results: Results, doubts: tuple[str, ...]) -> Judged:
    """The three verdicts; doubts (what the checks say against any claim) make the first two undecided."""
    findings = {cell.name: _finding(study, results, cell) for cell in _judged_cells(study)}
    finding = findings.get(study.at_risk())
    comparison = _comparison(study, results)
    three = (
        _descriptive(finding, doubts),
        adequacy.explanatory(_contrasts(study, results), None, doubts),
        adequacy.observational(comparison, published=[one.sentence() for one in MUSICLAB]),
    )
    told = tuple(
        Verdict(f"{one.name.capitalize()} adequacy", one.answer, one.because, one.overturn)
        for one in three
    )
    return Judged(finding, _criterion(study, findings), (*told, *_field(comparison)))


def _judged_cells(study: Study) -> list[Cell]:
    return [cell for cell in study.design() if cell.levels and cell.name != study.null]


def _finding(study: Study, results: Results, cell: Cell) -> Finding | None:
    """Against the baseline where nobody can heed anybody, or else against equal, independent choice."""
    runs = results.ids(cell)
    if not runs:
        return None
    if not study.null:
        return study.phenomenon.against_independent(results.trace, runs)
    baseline = results.ids(study.null)
    if not baseline:
        return None
    return study.phenomenon.against_baseline(results.trace, runs, baseline)


def _descriptive(finding: Finding | None, doubts: tuple[str, ...]) -> adequacy.Verdict:
    if finding is None:
        return adequacy.descriptive(())
    told = _ANSWERS[finding.answer]
    return adequacy.Verdict(
        "descriptive",
        "undecided" if doubts else told,
        (finding.sentence(), *doubts),
        "More runs whose excess over the null lies on the other side of the margin.",
    )


def _contrasts(study: Study, results: Results) -> list[adequacy.Contrast]:
    """The cell at risk against the same cell with one factor at its first level."""
    table = results.measure(study.phenomenon.measure)
    risk = study.design()[study.at_risk()]
    found = []
    for factor in study.factors:
        first = factor.settings[0].name
        level = risk.levels.get(factor.name, first)
        if level == first:
            continue
        knocked = study.design().where(**{**risk.levels, factor.name: first})
        if knocked:
            gap = difference(table[risk.name], table[knocked[0].name], paired=True)
            removed = f"{factor.name} is {first} instead of {level}"
            found.append(adequacy.Contrast(removed, gap))
    return found


def _criterion(study: Study, findings: dict[str, Finding | None]) -> tuple[Block, ...]:
    import pandas as pd

    margin = study.phenomenon.criterion.margin
    null = f"the cell {study.null}" if study.null else "independent choice"
    told = Prose(
        f"It counts as grown in a cell where the {study.phenomenon.measure.name} exceeds that of {null}, in "
        f"which nobody can heed anybody, by more than {margin:g}, with the whole 95 % interval."
    )
    rows = [
        {
            "cell": name,
            "grown?": finding.answer,
            "observed": str(finding.observed),
            "excess over the null": str(finding.excess),
            "runs that would decide": _needed(finding),
        }
        for name, finding in findings.items()
        if finding is not None
    ]
    if not rows:
        return (told,)
    return (
        told,
        Table("Where it was grown", pd.DataFrame(rows), "The run is the unit; runs are paired."),
    )


def _needed(finding: Finding) -> str:
    if finding.answer != "undecided":
        return ""
    return f"about {finding.needed:,.0f}" if np.isfinite(finding.needed) else "cannot tell"


def _comparison(study: Study, results: Results) -> Comparison | None:
    if study.field is None:
        return None
    outcomes = results.trace.outcomes()
    mine = outcomes[outcomes["run"].isin(results.ids(study.at_risk()))]
    return compare(mine, study.field)


def _field(comparison: Comparison | None) -> tuple[Block, ...]:
    """Shape and course beside the field's."""
    if comparison is None:
        return ()
    blocks: list[Block] = [
        distributions(
            comparison.shares,
            id="shape",
            title="Shares of attention, simulated and in the field",
            caption="Share of each item over an equal share, all runs or worlds together.",
            value=Axis("share", "share of an item (1 = an equal share)"),
            series="group",
            field_data="field",
            kind="ecdf",
        )
    ]
    if not comparison.curves.empty:
        blocks.append(
            curve(
                _mean_curves(comparison.curves),
                id="course",
                title="Concentration over time, simulated and in the field",
                caption="Gini over normalised time; mean over runs or worlds.",
                x=Axis("time", "share of the whole time"),
                y=Axis("gini", "Gini"),
                series="group",
            )
        )
    return tuple(blocks)


def _mean_curves(curves: "pd.DataFrame") -> "pd.DataFrame":
    return curves.groupby(["group", "time"])[["gini"]].mean().reset_index()


def answer(study: Study, tables: dict[str, "pd.DataFrame"], judged: Judged) -> str:
    """What was found, in one paragraph with its numbers."""
    told = []
    if judged.finding is not None:
        told.append(f"In the cell at risk ({study.at_risk()}): {judged.finding.sentence()}")
    told += _sides(tables.get("factors"), "No factor is told to matter.", "Told to matter: ")
    told += _sides(tables.get("interventions"), "", "Interventions told to change it: ")
    told += _attack(tables.get("attack"))
    return " ".join(told)


def _sides(frame: "pd.DataFrame | None", none: str, some: str) -> list[str]:
    """Those whose interval leaves zero out."""
    if frame is None or frame.empty:
        return []
    clear = frame[(frame["low"] > 0) | (frame["high"] < 0)]
    if clear.empty:
        return [none] if none else ["No intervention is told to change it."]
    rows: list[Any] = clear.to_dict("records")
    return [some + "; ".join(f"{row['label']} ({row['text']})" for row in rows) + "."]


def _attack(frame: "pd.DataFrame | None") -> list[str]:
    if frame is None or frame.empty:
        return []
    rows: list[Any] = frame.to_dict("records")
    return [f"The attack changes its target's share by {rows[0]['text']} without any intervention."]
