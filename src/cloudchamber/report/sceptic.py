"""What a sceptic would ask first: is it all there, did the agents answer, and what do they answer by?"""

from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.analysis import Estimate, mean
from cloudchamber.experiment import Results
from cloudchamber.measures import attention
from cloudchamber.report.document import Check, State
from cloudchamber.report.evidence import brief

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["checks", "doubts"]

MASS = 0.9
"""Of the probability must be on allowed answers for no caution to be needed."""
_UNUSABLE = ("unparseable", "refused", "timeouts")
LABELS = 0.1
"""Of the variance of choice may go with the labels without caution."""


def checks(results: Results) -> tuple[Check, ...]:
    """The checks that any study can be put through."""
    asked = _asked(results)
    return (_complete(results), *([] if asked.empty else _answers(results, asked)))


def doubts(given: tuple[Check, ...]) -> tuple[str, ...]:
    """What the checks say against any claim: the answers of those that are bad."""
    return tuple(f"{check.question} {check.answer}" for check in given if check.state == "bad")


def _asked(results: Results) -> "pd.DataFrame":
    """The runs in which a language model was asked."""
    done = results.done
    return done[done["model"].fillna("") != ""]


def _complete(results: Results) -> Check:
    runs = results.runs.drop_duplicates("run")
    failed, missing = (int((runs["status"] == status).sum()) for status in ("failed", "missing"))
    told = f"{len(runs) - failed - missing} of {len(runs)} runs are complete"
    if not failed and not missing:
        return Check("Is every run there?", f"Yes: {told}.", "fine")
    reasons = sorted(set(runs.loc[runs["status"] == "failed", "reason"]))
    why = f" Failed because: {'; '.join(reasons[:3])}." if reasons else ""
    return Check(
        "Is every run there?",
        f"No: {told}, {failed} failed, {missing} are missing.{why}",
        "warning",
    )


def _answers(results: Results, asked: "pd.DataFrame") -> list[Check]:
    runs = set(asked["run"])
    found = [_parsed(results, runs)]
    if results.trace.sql("SELECT 1 FROM exposures LIMIT 1").fetchall():
        found += [_mass(results, runs), _labels(results, runs)]
    return found


def _parsed(results: Results, runs: set[int]) -> Check:
    """Told of the worst cell: what one cell lacks, the others do not make up for."""
    kept = results.done
    kept = kept[kept["run"].isin(runs)]
    unusable = kept[list(_UNUSABLE)].sum(axis=1).groupby(kept["name"]).sum()
    shares = (unusable / kept.groupby("name")["questions"].sum().clip(lower=1)).fillna(0.0)
    worst = str(shares.idxmax())
    once = kept.drop_duplicates("run")
    total = int(once["questions"].sum())
    counts = {name: int(once[name].sum()) for name in _UNUSABLE}
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    share = sum(counts.values()) / max(total, 1)
    most = f" Most in {worst}: {shares[worst]:.1%}." if shares[worst] > 0 else ""
    state: State = "fine" if shares[worst] < 0.01 else "warning" if shares[worst] < 0.1 else "bad"
    return Check(
        "What fraction could not be used?",
        f"{share:.1%} of {total:,} answers ({told}); they are counted, never replaced.{most}",
        state,
    )


def _mass(results: Results, runs: set[int]) -> Check:
    found = _over_replicates(results, attention.valid_mass(results.trace), runs).within(0, 1)
    question = "Does the model answer as it is asked?"
    if not np.isfinite(found.value):
        said = "Its answers were sampled; the share that could be read is above."
        return Check(question, said, "fine")
    state: State = "fine" if found.value >= MASS else "warning" if found.value >= 0.02 else "bad"
    return Check(
        question,
        f"On average {brief(found)} of its probability is on the allowed answers; the rest would say "
        "something else, and the choices are read from that part alone."
        + ("" if state == "fine" else f" Below {MASS:g} what it would say otherwise may matter."),
        state,
    )


def _labels(results: Results, runs: set[int]) -> Check:
    """Of lists alone: an item shown by itself has no label."""
    listed = {
        run
        for cell in results.design
        if cell.spec.affordances.presentation == "list"
        for run in results.ids(cell)
    }
    shares = attention.variance_shares(results.trace)
    found = {name: _over_replicates(results, shares[name], runs & listed) for name in shares}
    label, rest = found["label"], max(_value(found["position"]), _value(found["item"]))
    told = "; ".join(f"{name} {brief(estimate)}" for name, estimate in found.items())
    question = "Is it biased by the options' labels?"
    if not np.isfinite(label.value):
        return Check(question, "There are no lists to tell it by.", "fine")
    if label.value <= LABELS:
        sure = label.known and label.high <= LABELS
        said = f"The random codes explain little of it{'' if sure else ', as far as so little can tell'}."
    elif label.value > rest:
        said = "The random codes explain most: much of what it chooses is the code."
    else:
        said = (
            "A good part of what it chooses is the random code. It falls on all items and places alike, "
            "so it hides effects rather than making them."
        )
    return Check(
        question,
        f"Shares of the variance of choice from lists, within runs: {told}. {said}",
        "warning" if label.value > LABELS else "fine",
    )


def _over_replicates(results: Results, values: "pd.Series[float]", runs: set[int]) -> Estimate:
    """The mean over replicates: runs of one replicate share their noise, whatever their cell."""
    done = results.done.drop_duplicates("run").set_index("run")["replicate"]
    mine = values[values.index.isin(runs)]
    return mean(mine.groupby(done.reindex(mine.index)).mean(), unit="replicate")


def _value(estimate: Estimate) -> float:
    return estimate.value if np.isfinite(estimate.value) else 0.0
