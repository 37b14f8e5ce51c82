"""The verdicts of a study and the sentences that they rest on, from stored results."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cloudchamber.experiment import Cell, Results
from cloudchamber.measures import Measure
from cloudchamber.measures.estimate import difference
from cloudchamber.phenomenon import Finding
from cloudchamber.report.document import Answer, Block, Prose, Table, Verdict
from cloudchamber.report.figures import Axis, curve
from cloudchamber.study import Study
from cloudchamber.validation import adequacy
from cloudchamber.validation.comparison import Comparison, compare
from cloudchamber.validation.published import MUSICLAB

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Judged", "answer", "brief", "named", "verdicts"]

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
        adequacy.observational(
            comparison, published=[one.sentence() for one in MUSICLAB if "Gini" in one.what]
        ),
    )
    told = tuple(
        Verdict(f"{one.name.capitalize()} adequacy", one.answer, one.because, one.overturn)
        for one in three
    )
    return Judged(finding, _criterion(study, findings), (*told, *_field(comparison)))


def _judged_cells(study: Study) -> list[Cell]:
    return [cell for cell in study.combinations() if cell.name != study.null]


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
            found.append(adequacy.Contrast(removed, gap, study.phenomenon.criterion.margin))
    return found


def _criterion(study: Study, findings: dict[str, Finding | None]) -> tuple[Block, ...]:
    import pandas as pd

    margin = study.phenomenon.criterion.margin
    null = f"the cell {study.null}" if study.null else "independent choice"
    told = Prose(
        f"It counts as grown in a cell where the {named(study.phenomenon.measure)} exceeds that of {null}, "
        f"in which nobody can heed anybody, by more than {margin:g}, with the whole 95 % interval."
    )
    rows = [
        {
            "cell": name,
            "grown?": finding.answer,
            "observed": brief(str(finding.observed)),
            "excess over the null": brief(str(finding.excess)),
            "pairs of runs": finding.excess.n,
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
        curve(
            _mean_of(comparison.shares, "rank", "share"),
            id="shape",
            title="How attention is shared out, simulated and in the field",
            caption="Share of each item, from the most chosen to the least; 1 is an equal share. Mean over "
            "runs or worlds, thinned to the same number of choices.",
            x=Axis("rank", "items, the most chosen first", format=".0%"),
            y=Axis("share", "share (1 = equal)", zero=True),
            series="group",
        )
    ]
    if not comparison.curves.empty:
        blocks.append(
            curve(
                _mean_of(comparison.curves, "time", "gini"),
                id="course",
                title="Concentration over time, simulated and in the field",
                caption="Gini over normalised time; mean over runs or worlds.",
                x=Axis("time", "share of the whole time"),
                y=Axis("gini", "Gini"),
                series="group",
            )
        )
    return tuple(blocks)


def _mean_of(frame: "pd.DataFrame", along: str, value: str) -> "pd.DataFrame":
    return frame.groupby(["group", along])[[value]].mean().reset_index()


def named(measure: Measure) -> str:
    """A measure's name inside a sentence."""
    return measure.name.replace("gini", "Gini coefficient")


def brief(estimate: str) -> str:
    """An estimate's text without the number of runs, for tables that say it elsewhere."""
    if estimate.endswith("(0 runs)"):
        return "–"
    return estimate.rpartition(", ")[0] if estimate.endswith("runs") else estimate


def answer(study: Study, tables: dict[str, "pd.DataFrame"], judged: Judged) -> str:
    """What was found, in one paragraph with its numbers."""
    told = [_grown(study, judged.finding)] if judged.finding is not None else []
    margin = study.phenomenon.criterion.margin
    told += _sides(tables.get("factors"), "Factors", margin)
    told += _sides(tables.get("interventions"), "Interventions", margin)
    told += _attack(tables.get("attack"))
    return " ".join(told)


def _grown(study: Study, finding: Finding) -> str:
    """The finding of the cell at risk, in plain words."""
    name = study.phenomenon.name.capitalize()
    verdict = {
        "grown": f"{name} grows",
        "not grown": f"{name} does not grow",
        "undecided": f"Whether {name.lower()} grows is undecided",
    }[finding.answer]
    against = (
        f"where nobody can heed anybody ({study.null})"
        if study.null
        else "under independent choice"
    )
    more = (
        f" About {finding.needed:,.0f} runs would decide."
        if _needed(finding).startswith("about")
        else ""
    )
    return (
        f"{verdict} in the cell at risk ({study.at_risk()}): the {named(study.phenomenon.measure)} is "
        f"{brief(str(finding.observed))}, against {finding.expected.value:.2f} {against}; the excess is "
        f"{finding.excess}.{more}"
    )


def _sides(frame: "pd.DataFrame | None", what: str, margin: float) -> list[str]:
    """Which of them change the measure by more than the margin, which by less, which cannot be told."""
    if frame is None or frame.empty:
        return []
    beyond = (frame["low"] > margin) | (frame["high"] < -margin)
    within = (frame["low"] > -margin) & (frame["high"] < margin)
    told = []
    for chosen, words in (
        (beyond, f"that change it by more than {margin:g}"),
        (within, "too weak to matter"),
        (~beyond & ~within, "undecided"),
    ):
        rows: list[Any] = frame[chosen].to_dict("records")
        if rows:
            listed = "; ".join(f"{row['label']} ({brief(row['text'])})" for row in rows)
            told.append(f"{what} {words}: {listed}.")
    return told


def _attack(frame: "pd.DataFrame | None") -> list[str]:
    if frame is None or frame.empty:
        return []
    first: Any = frame.iloc[0]
    return [f"The attack changes its target's share of all choices by {brief(first['text'])}."]
