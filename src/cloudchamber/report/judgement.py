"""The verdicts of a study and the sentences that they rest on, from stored results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.analysis import mean
from cloudchamber.experiment import Cell, Results
from cloudchamber.measures import by_batch
from cloudchamber.measures.estimate import about, difference
from cloudchamber.phenomenon import Finding
from cloudchamber.report.document import Answer, Block, Prose, Table, Verdict
from cloudchamber.report.evidence import brief, full
from cloudchamber.report.explaining import regrown_of, rivals_of, unknown_of
from cloudchamber.report.figures import Axis, curve
from cloudchamber.study import Study
from cloudchamber.study.conditions import excesses
from cloudchamber.study.told import Told
from cloudchamber.validation import adequacy
from cloudchamber.validation.comparison import Comparison, compare

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Judged", "verdicts"]

_ANSWERS: dict[str, Answer] = {
    "grown": "met",
    "not grown": "not met",
    "undecided": "undecided",
}
_OWN_NULL = "no influence"
"""What is said of a cell that is its own null."""


@dataclass(frozen=True)
class Judged:
    """What the evidence allows one to say."""

    findings: Mapping[str, Finding | None]
    """By judged cell; None where nothing can be told apart: its own null, or no runs."""
    criterion: tuple[Block, ...]
    """For stage 1: where the phenomenon was grown."""
    blocks: tuple[Block, ...]
    """For stage 5: the verdicts and what they rest on."""


def verdicts(
    study: Study, results: Results, doubts: tuple[str, ...], told: Told | None = None
) -> Judged:
    """The three verdicts; doubts (what the checks say against any claim) make the first two undecided.

    Args:
        study: whose results they are.
        results: what was grown.
        doubts: sentences.
        told: the study's explanation, if it was explained.
    """
    findings = {cell.name: _finding(study, results, cell) for cell in study.judged()}
    comparison = _comparison(study, results)
    three = (
        _descriptive(study, findings[study.at_risk()], doubts),
        _explanatory(study, results, findings[study.at_risk()], doubts, told),
        adequacy.observational(comparison, published=[one.sentence() for one in study.published]),
    )
    judged = tuple(
        Verdict(f"{one.name.capitalize()} adequacy", one.answer, one.because, one.overturn)
        for one in three
    )
    return Judged(findings, _criterion(study, results, findings), (*judged, *_field(comparison)))


def _finding(study: Study, results: Results, cell: Cell) -> Finding | None:
    """Against the cell's own null, or else against equal, independent choice."""
    runs, null = results.ids(cell), study.null_of(cell)
    if not runs or null is cell:
        return None
    if null is None:
        return study.phenomenon.against_independent(results.trace, runs)
    baseline = results.ids(null)
    return study.phenomenon.against_baseline(results.trace, runs, baseline) if baseline else None


def _descriptive(
    study: Study, finding: Finding | None, doubts: tuple[str, ...]
) -> adequacy.Verdict:
    if finding is not None:
        return adequacy.Verdict(
            "descriptive",
            "undecided" if doubts else _ANSWERS[finding.answer],
            (finding.sentence(), *doubts),
            "More runs whose excess over the null lies on the other side of the margin.",
        )
    risk = study.design()[study.at_risk()]
    if study.null_of(risk) is not risk:
        return adequacy.descriptive(())
    return adequacy.Verdict(
        "descriptive",
        "no evidence",
        (f"In the cell at risk, {risk.name}, there is no influence that could grow anything.",),
        "A cell at risk in which agents can heed each other.",
    )


def _explanatory(
    study: Study,
    results: Results,
    finding: Finding | None,
    doubts: tuple[str, ...],
    told: Told | None,
) -> adequacy.Verdict:
    """What did not grow needs no explanation."""
    found = adequacy.explanatory(
        _contrasts(study, results),
        rivals_of(told) if told else None,
        doubts,
        regrown=regrown_of(told) if told else None,
        unknown=unknown_of(told) if told else (),
    )
    if finding is None or finding.answer != "not grown":
        return found
    none = f"In the cell at risk, {study.at_risk()}, nothing grew: there is nothing to explain."
    return adequacy.Verdict("explanatory", "no evidence", (none,), "A cell in which it grows.")


def _contrasts(study: Study, results: Results) -> list[adequacy.Contrast]:
    """The excess in the cell at risk against that in the same cell with one factor at its first level."""
    table = excesses(study, results, study.phenomenon.measure)
    risk = study.design()[study.at_risk()]
    found = []
    for factor in study.crossed:
        first = factor.settings[0].name
        level = risk.levels.get(factor.name, first)
        if level == first:
            continue
        knocked = study.combinations().where(**{**risk.levels, factor.name: first})
        if knocked:
            gap = difference(table[risk.name], table[knocked[0].name], paired=True)
            removed = f"{factor.name}: {first} instead of {level}"
            found.append(adequacy.Contrast(removed, gap, study.phenomenon.criterion.margin))
    return found


def _criterion(
    study: Study, results: Results, findings: Mapping[str, Finding | None]
) -> tuple[Block, ...]:
    import pandas as pd

    margin = study.phenomenon.criterion.margin
    falls = study.phenomenon.criterion.direction == "below"
    null = (
        f"its own null, the same cell in which {study.null.why}"
        if study.null
        else "independent choice among equal items"
    )
    told = Prose(
        f"It counts as grown in a cell where the {study.phenomenon.measure.aloud()} "
        f"{'falls short of' if falls else 'exceeds'} that of {null}, "
        f"by more than {margin:g} with the whole 95 % interval. The margin is a convention; what a cell "
        f"{'falls short of' if falls else 'exceeds'} its null by also depends on how many choices a run "
        "makes, so it holds for runs of this size."
    )
    table = results.measure(study.phenomenon.measure)
    rows = []
    for name, finding in findings.items():
        if finding is not None:
            rows.append(
                {
                    "cell": name,
                    "grown?": finding.answer,
                    "observed": brief(finding.observed),
                    "its null": brief(finding.expected),
                    "excess": brief(finding.excess),
                    "runs that would decide": _needed(finding),
                }
            )
        elif study.null_of(study.design()[name]) is study.design()[name]:
            rows.append(
                {"cell": name, "grown?": _OWN_NULL, "observed": brief(mean(table[name]))}
                | dict.fromkeys(("its null", "excess", "runs that would decide"), "–")
            )
    if not rows:
        return (told,)
    pairs = max((f.excess.n for f in findings.values() if f is not None), default=0)
    return (
        told,
        Table(
            "Where it was grown",
            pd.DataFrame(rows),
            f"Mean over {pairs} runs with 95 % interval; each run is paired with the run of its null that "
            "shares its noise. How many runs would decide is a guess of its order of magnitude, from the "
            "spread seen here.",
        ),
    )


def _needed(finding: Finding) -> str:
    if finding.answer != "undecided":
        return "–"
    if finding.excess.few:
        return "at least 4"
    return about(finding.needed) if np.isfinite(finding.needed) else "cannot tell"


def _comparison(study: Study, results: Results) -> Comparison | None:
    if study.field is None:
        return None
    runs, name = results.ids(study.at_risk()), study.at_risk()
    outcomes = results.trace.outcomes()
    mine = outcomes[outcomes["run"].isin(runs)]
    if study.design()[name].spec.turns.steps == 1 and full(results.trace):
        mine = by_batch(results.trace, runs)  # a course, where there is but one step
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
