"""The page of a search for a threshold: the verdict, the curve it rests on, and every run that was spent."""

from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber import __version__
from cloudchamber.analysis.thresholds.located import Threshold
from cloudchamber.errors import TraceError
from cloudchamber.experiment import Axis as Factor
from cloudchamber.experiment import Range
from cloudchamber.report.axes import Axis
from cloudchamber.report.curves import curve
from cloudchamber.report.document import Document, Figure, Prose, Reading, Section, Table
from cloudchamber.report.page import save
from cloudchamber.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["document", "told_by", "write"]

_HOW = (
    "Every run has a replicate of its own, so that runs are independent, and shares it with its twin alone. "
    "A change is claimed only with a Bayes factor of 19 against none, however often one looks; a verdict "
    "must stand one more batch."
)


def write(
    study: Study,
    factor: Factor,
    found: Threshold,
    folder: str | Path,
    cell: str = "",
    rerun: str = "",
) -> Path:
    """Save the page as report.html in a folder.

    Args:
        study: whose phenomenon was looked for.
        factor: along which it was.
        found: what was found.
        folder: the output folder.
        cell: the cell it departed from, if not the one at risk.
        rerun: the command that makes it again.

    Raises:
        TraceError: the folder cannot be written.
    """
    path = Path(folder) / "report.html"
    try:
        save(document(study, factor, found, cell, rerun), path)
    except OSError as error:
        raise TraceError(f"cannot write {path}: {error.strerror}.") from None
    return path


def document(
    study: Study, factor: Factor, found: Threshold, cell: str = "", rerun: str = ""
) -> Document:
    """The account of a search."""
    base = cell or study.at_risk()
    aloud = study.design()[base].spec.aloud().replace("\n", "\n\n")
    what = told_by(study)
    return Document(
        title=f"{study.title or study.name}: where does it begin?",
        question=f"Where along {factor.name} does {study.phenomenon.name} appear, all else as in the cell "
        f"{base!r}?",
        answer=(f"**{factor.name}**: {found.aloud(what)}",),
        facts=(
            (
                "runs spent" if study.null is None else "runs spent, each with its twin",
                f"{found.runs:,}",
            ),
            ("levels tried", f"{len(_by_level(found)):,}"),
        ),
        sections=(
            Section(
                "What was found",
                3,
                f"Each run is told by the {what}; runs were placed where they tell most.",
                (_curve(factor, found, what), _shapes(found), _runs(found)),
            ),
            Section(
                "What it rests on",
                2,
                "The specification that the factor departs from.",
                (Reading(aloud, f"The cell {base}, read aloud"), Prose(_HOW)),
            ),
        ),
        rerun=rerun or _again(factor),
        provenance=(
            ("cloudchamber", __version__),
            ("specification", study.design()[base].spec.hash),
        ),
    )


def told_by(study: Study) -> str:
    """What each run of a search is told by."""
    measure = study.phenomenon.measure.aloud()
    return measure if study.null is None else f"excess of the {measure} over its null"


def _curve(factor: Factor, found: Threshold, what: str) -> Figure:
    reference = None if found.criterion is None else (found.criterion, "criterion")
    across = Axis("level", factor.name, format="~g", log=found.axis.logarithmic)
    return curve(
        found.curve_frame(),
        id="threshold-curve",
        title=f"The {what} along {factor.name}",
        caption="Expected of a run, over all shapes that the runs allow, with its 95 % interval at each "
        "level by itself. The interval of a threshold is that of its place, in the text.",
        x=across,
        y=Axis("value", what),
        low="low",
        high="high",
        reference=reference,
    )


def _shapes(found: Threshold) -> Table:
    import pandas as pd

    rows = [(shape, round(chance, 4)) for shape, chance in found.shapes]
    return Table(
        "Which shape it has",
        pd.DataFrame(rows, columns=["shape", "probability"]),
        "Given all runs, and even odds beforehand that nothing depends on the factor. A verdict needs the "
        "stated coverage.",
    )


def _by_level(found: Threshold) -> "pd.DataFrame":
    told = found.trials_frame().groupby("level")["response"]
    table: pd.DataFrame = told.agg(["size", "mean", "min", "max"]).reset_index()
    return table.set_axis(["level", "runs", "mean", "least", "greatest"], axis=1)


def _runs(found: Threshold) -> Table:
    return Table(
        "Every level that was tried", _by_level(found), "All runs: results/threshold.parquet."
    )


def _again(factor: Factor) -> str:
    if not isinstance(factor, Range):
        return "cloudchamber.study.threshold(study, factor, folder)"
    flags = (" --whole" if factor.whole else "") + (" --log" if factor.log else "")
    told = f"--over '{factor.path}' --from {factor.low:g} --to {factor.high:g}{flags}"
    return f"cloudchamber threshold STUDY {told}"
