"""What was found, sentence by sentence with its numbers, from the tables and the judgement."""

from typing import TYPE_CHECKING, Any

import numpy as np

from cloudchamber.measures.estimate import FEW, Estimate, about
from cloudchamber.phenomenon import Finding
from cloudchamber.report.evidence import brief
from cloudchamber.report.judgement import Judged
from cloudchamber.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["answer"]

CEILING = 0.85
"""Of the largest value possible, beyond which a null leaves little room."""


def answer(
    study: Study, tables: dict[str, "pd.DataFrame"], judged: Judged, *, shortly: bool = False
) -> tuple[str, ...]:
    """What was found, sentence by sentence with its numbers; shortly, only what grew."""
    finding, measure = judged.findings[study.at_risk()], study.phenomenon.measure.aloud()
    margin = study.phenomenon.criterion.margin
    told = [_grown(study, finding)] if finding is not None else []
    told += _elsewhere(study, judged)
    if shortly:
        return tuple(told)
    told += _factors(tables, f"the {measure}", margin)
    told += _interventions(tables.get("interventions"), measure, margin)
    told += _idle(study)
    told += _attack(tables.get("attack"))
    return tuple(told) or ("Nothing that was asked can be told yet.",)


def _grown(study: Study, finding: Finding) -> str:
    """The finding of the cell at risk, in plain words."""
    name = study.phenomenon.name.capitalize()
    verdict = {
        "grown": f"**{name} grows**",
        "not grown": f"**{name} does not grow**",
        "undecided": f"**Whether {name.lower()} grows is undecided**",
    }[finding.answer]
    against = f"where {study.null.why}" if study.null else "under independent choice"
    more = ""
    if finding.excess.few:
        more = " Fewer than four runs decide nothing."
    elif finding.answer == "undecided" and np.isfinite(finding.needed):
        more = f" {about(finding.needed, 'runs').capitalize()} would decide."
    measure = study.phenomenon.measure
    if finding.answer == "not grown" and finding.expected.value > CEILING * measure.high:
        more = (
            f" Its null is near the most there can be, {measure.high:g}: there is little room for influence "
            "to show."
        )
    return (
        f"{verdict} in the cell at risk ({study.at_risk()}): the {study.phenomenon.measure.aloud()} is "
        f"{brief(finding.observed)}, against {brief(finding.expected)} {against} and all else is "
        f"the same; the excess {_is(finding.excess)}.{more}"
    )


def _elsewhere(study: Study, judged: Judged) -> list[str]:
    """Where else among the combinations it grew, and where not."""
    names = [cell.name for cell in study.combinations() if cell.name != study.at_risk()]
    by: dict[str, list[str]] = {}
    for name in names:
        finding = judged.findings[name]
        if finding is not None:
            by.setdefault(finding.answer, []).append(name)
    told = ("grown", "not grown", "undecided")
    parts = [f"{answer} in {', '.join(by[answer])}" for answer in told if answer in by]
    return [f"Elsewhere: {'; '.join(parts)}."] if parts else []


def _is(excess: Estimate) -> str:
    return f"is {excess}" if excess.known else "cannot be told"


def _factors(tables: dict[str, "pd.DataFrame"], of: str, margin: float) -> list[str]:
    """Main effects; where a factor's effect is not the same throughout, its effect in each place."""
    mains, simple = tables.get("factors"), tables.get("simple_effects")
    if mains is None or mains.empty:
        return []
    if (mains["n"] < FEW).all():
        return [_too_few("each factor level", mains)]
    mixed = set[str]()
    if simple is not None and not simple.empty:
        certain = {"rises", "falls", _less(margin)}
        sides = {
            label: {_course(row, margin) for row in _rows(part)}
            for label, part in simple.groupby("of")
        }
        mixed = {str(label) for label, found in sides.items() if len(found & certain) > 1}
    told = _sides(mains[~mains["label"].isin(mixed)], "Factor levels", of, margin)
    for label in mains.loc[mains["label"].isin(mixed), "label"]:
        parts = simple[simple["of"] == label] if simple is not None else mains.head(0)
        listed = "; ".join(
            f"{_course(row, margin)} where {row['place']} ({row['text']})" for row in _rows(parts)
        )
        told.append(f"With **{label}** {of} {listed}.")
    return told


def _interventions(frame: "pd.DataFrame | None", measure: str, margin: float) -> list[str]:
    """What each intervention does to the measure, and to its excess over the null."""
    if frame is None or frame.empty:
        return []
    if (frame["n"] < FEW).all():
        return [_too_few("each intervention", frame)]
    told = []
    for name in frame["label"].unique():
        rows = _rows(frame[frame["label"] == name])
        whole, *excess = [f"{_course(row, margin)} ({row['text']})" for row in rows]
        over = f"; its excess over the null {excess[0]}" if excess else ""
        if excess and excess[0] == whole:
            over = ", and its excess over the null by as much"
        told.append(f"With **{name}** the {measure} {whole}{over}.")
    return told


def _too_few(what: str, frame: "pd.DataFrame") -> str:
    return (
        f"What {what} changes cannot be told from {int(frame['n'].max())} runs; the figures show what "
        "there is."
    )


def _rows(frame: "pd.DataFrame") -> list[Any]:
    return frame.to_dict("records")


def _course(row: Any, margin: float) -> str:
    """Which way something goes, by an interval: not at all, if it stays within the margin."""
    if row["n"] < FEW:
        return "changes by what cannot be told"
    if row["low"] > margin:
        return "rises"
    if row["high"] < -margin:
        return "falls"
    if row["low"] > -margin and row["high"] < margin:
        return _less(margin)
    if row["low"] > 0:
        return f"rises, perhaps by less than {margin:g}"
    return f"falls, perhaps by less than {margin:g}" if row["high"] < 0 else "may rise or fall"


def _less(margin: float) -> str:
    return f"changes by less than {margin:g}"


def _idle(study: Study) -> list[str]:
    names = [one.name for one in study.idle()]
    if not names:
        return []
    return [f"Without meaning for these agents, and so not tried: {', '.join(names)}."]


def _sides(frame: "pd.DataFrame | None", what: str, of: str, margin: float) -> list[str]:
    """Which of them change the measure by more than the margin, which by less, which cannot be told."""
    if frame is None or frame.empty:
        return []
    below, above = frame["high"] < -margin, frame["low"] > margin
    within = (frame["low"] > -margin) & (frame["high"] < margin)
    sides = {
        f"that lower {of} by more than {margin:g}": below,
        f"that raise {of} by more than {margin:g}": above,
        f"that change {of} by less than {margin:g}": within,
        "of which that cannot be told": ~(below | above | within),
    }
    told = []
    for words, chosen in sides.items():
        rows: list[Any] = frame[chosen].to_dict("records")
        if rows:
            listed = "; ".join(f"{row['label']} ({row['text']})" for row in rows)
            told.append(f"{what} {words}: {listed}.")
    return told


def _attack(frame: "pd.DataFrame | None") -> list[str]:
    if frame is None or frame.empty:
        return []
    rows: list[Any] = frame.to_dict("records")
    if (frame["n"] < FEW).all():
        return [_too_few("the attack", frame)]
    first, others = rows[0], "; ".join(f"{row['label']} ({row['text']})" for row in rows[1:])
    under = f" Under each intervention: {others}." if others else ""
    return [f"The attack changes its target's share of all choices by {first['text']}.{under}"]
