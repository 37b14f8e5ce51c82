"""What the report of a battery says beyond any study's: which regimes matter, which do not."""

from dataclasses import replace
from pathlib import Path

from cloudchamber.analysis.battery import Relevance
from cloudchamber.experiment import Results
from cloudchamber.measures.estimate import Estimate
from cloudchamber.report import account
from cloudchamber.report.axes import Axis
from cloudchamber.report.document import Document, Figure, Prose, Supplement, Table
from cloudchamber.report.evidence import brief
from cloudchamber.report.forest import intervals
from cloudchamber.study import Study, StudyBattery

__all__ = ["supplement", "write"]

_SAID = {"effect": "matters", "no effect": "shown not to", "undecided": "undecided"}


def write(
    battery: StudyBattery,
    results: Results,
    folder: str | Path,
    rerun: str = "",
    *,
    margin: float | None = None,
) -> tuple[Document, Relevance]:
    """Save the account of a battery, as `cloudchamber.report.write` does that of a study.

    Args:
        battery: of a study.
        results: of its runs.
        folder: the output folder.
        rerun: the command that makes it again.
        margin: the least change that would matter, if not the phenomenon's own.

    Raises:
        TraceError: nothing is complete yet, or the folder cannot be written.
        SpecificationError: the phenomenon has no margin in the measure's units, and none is given.
    """
    found = battery.judge(results, margin=margin)

    def say(study: Study, results: Results) -> Supplement:
        return supplement(battery, found)

    document = account.write(replace(battery.study, account=say), results, folder, rerun)
    return document, found


def supplement(battery: StudyBattery, found: Relevance) -> Supplement:
    """Sentences, a figure for each outcome, and the tables."""
    outcomes = list(dict.fromkeys(found.dimensions["outcome"]))
    blocks: list[Figure | Table | Prose] = [
        _forest(found, outcome, place) for place, outcome in enumerate(outcomes)
    ]
    blocks.append(
        Table(
            "Which regimes matter",
            found.dimensions,
            "A regime is relevant where a perturbation of it moves the outcome beyond chance over all "
            "comparisons of the outcome (Holm: 5 % for any false claim, of each outcome by itself), "
            f"irrelevant where each is shown to move it by less than {found.margin:g}. The change named is "
            "the largest that decides; its interval is not widened for having been chosen.",
        )
    )
    if battery.left_out:
        why = "; ".join(f"{name}: {reason}" for name, reason in battery.left_out.items())
        blocks.append(Prose(f"Not perturbed: {why}."))
    return Supplement(
        answer=tuple(_marked(line) for line in found.sentences()),
        instead=True,
        blocks={4: tuple(blocks)},
        tables={"relevance": found.dimensions, "effects": found.effects},
    )


def _marked(line: str) -> str:
    """A sentence with its claim, before the colon, in bold."""
    head, _, rest = line.partition(":")
    return f"**{head}**:{rest}"


def _forest(found: Relevance, outcome: str, place: int) -> Figure:
    rows = found.effects[found.effects["measure"] == outcome].copy()
    rows["perturbation"] = rows["dimension"] + ": " + rows["change"]
    rows["verdict"] = rows["verdict"].map(_SAID)
    rows["text"] = [
        brief(
            Estimate(float(row["estimate"]), float(row["low"]), float(row["high"]), int(row["n"]))
        )
        for row in rows.to_dict("records")
    ]
    low, high = -found.margin, found.margin
    return intervals(
        rows[["perturbation", "estimate", "low", "high", "verdict", "text"]],
        id=f"battery-{place}",
        title=f"What each perturbation does to the {outcome}",
        caption=f"Perturbed less unperturbed, paired by run; 95 % intervals, each by itself. A change "
        f"between {low:g} and {high:g} is taken not to matter; verdicts hold over all comparisons.",
        label="perturbation",
        value=Axis("estimate", f"change in the {outcome}"),
        group="verdict",
        text="text",
        order=tuple(_SAID.values()),
        sort="given",
        reference=(0.0, "no change"),
    )
