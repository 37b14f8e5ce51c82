"""The account of a study: what was asked, what was grown, what helped, what it is worth.

Made from stored results alone. Every sentence with a number and every figure comes from a table that is
saved beside the report.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING

from cloudchamber import __version__
from cloudchamber.analysis import saved
from cloudchamber.errors import TraceError
from cloudchamber.experiment import Manifest, Results
from cloudchamber.microspec import Affordances
from cloudchamber.report import evidence, explaining, sections
from cloudchamber.report.channels import of_folder
from cloudchamber.report.document import Document, Section, Supplement
from cloudchamber.report.findings import answer
from cloudchamber.report.judgement import verdicts
from cloudchamber.report.page import save
from cloudchamber.report.sceptic import checks, doubts
from cloudchamber.study import Study
from cloudchamber.study.passages import Passages
from cloudchamber.study.told import read

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["build", "write"]


def write(study: Study, results: Results, folder: str | Path, rerun: str = "") -> Document:
    """Build the account, save it as report.html and its tables under results/.

    Raises:
        TraceError: nothing is complete yet, or the folder cannot be written.
    """
    document, tables = build(study, results, rerun)
    folder = Path(folder)
    try:
        (folder / "results").mkdir(parents=True, exist_ok=True)
        drawn = {f"figure-{figure.id}": figure.data for figure in document.figures}
        for name, frame in (tables | drawn).items():
            _keep(frame, folder / "results" / f"{name}.parquet")
        save(document, folder / "report.html")
    except OSError as error:
        raise TraceError(f"cannot write the report into {folder}: {error.strerror}.") from None
    return document


def build(
    study: Study, results: Results, rerun: str = ""
) -> tuple[Document, dict[str, "pd.DataFrame"]]:
    """The account and the tables it rests on, by name.

    Raises:
        TraceError: not one run is complete.
    """
    if results.done.empty:
        reasons = sorted(set(results.runs["reason"].dropna()) - {""})
        why = f" Those tried failed because: {reasons[0]}" if reasons else ""
        raise TraceError(
            f"{results.folder.parent} holds no complete run yet; run the study (again) first.{why}"
        )
    tables = _tables(study, results)
    extra = study.account(study, results) if study.account else Supplement()
    passages = Passages.read(results.folder.parent)
    passed = of_folder(passages) if passages else Supplement()
    tables |= {**extra.tables, **passed.tables}
    seen = (*checks(results), *extra.checks)
    told = read(results.folder.parent)
    judged = verdicts(study, results, doubts(seen), told)
    more = extra.blocks
    parts = (
        sections.identify(study, judged.criterion, more.get(1, ())),
        sections.microspecify(study, more.get(2, ())),
        sections.grow(study, tables, more.get(3, ())),
        sections.intervene(study, tables, (*more.get(4, ()), *passed.blocks.get(4, ()))),
        *([explaining.section(told, _there(results))] if told else []),
        sections.validate(judged.blocks, more.get(5, ())),
        Section(
            "Checks",
            None,
            "Before any claim: were the agents able to do what the study supposes?",
            seen,
        ),
    )
    document = Document(
        title=study.title or study.name,
        question=study.question,
        answer=(
            *answer(study, tables, judged, shortly=extra.instead),
            *extra.answer,
            *passed.answer,
            *(explaining.answer(told) if told else ()),
        ),
        facts=_facts(results),
        sections=tuple(part for part in parts if part.blocks),
        rerun=rerun or f'study.run("{results.folder.parent}")',
        notes=study.notes,
        provenance=_provenance(study, results),
        unfinished=results.unfinished,
    )
    return document, tables


def _there(results: Results) -> int:
    """How many runs are complete."""
    return len(results.done.drop_duplicates("run"))


def _tables(study: Study, results: Results) -> dict[str, "pd.DataFrame"]:
    main = study.phenomenon.measure
    also = [measure for measure in study.also if measure.name != main.name]
    tables = {
        "runs": results.runs,
        "values": evidence.values(study, results, [main, *also]),
        "cells": evidence.cells(study, results, [main, *also]),
        "courses": evidence.courses(study, results, main),
    }
    if any(len(factor.settings) > 1 for factor in study.crossed):
        tables["factors"] = evidence.factors(study, results, main)
        tables["simple_effects"] = evidence.simple_effects(study, results, main)
    if len(study.combinations()) > 1:
        tables["comparisons"] = evidence.comparisons(study, results, main)
    if study.interventions:
        tables["interventions"] = evidence.contrasts(study, results, main)
    if study.attack is not None:
        tables["attack"] = evidence.attacks(study, results)
    return tables


def _keep(frame: "pd.DataFrame", path: Path) -> None:
    """Save a table as Parquet; mixed columns as text."""
    if frame.empty:
        return
    plain = frame.copy()
    for name in plain.columns:
        if str(plain[name].dtype) in ("object", "category"):
            plain[name] = plain[name].astype(str)
    saved.save(plain, path)


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    done = results.done.drop_duplicates("run")
    facts = [
        ("cells", str(len(results.design))),
        ("complete runs", f"{len(done):,}"),
    ]
    kinds = {
        run: _decided(cell.spec.affordances) for cell in results.design for run in results.ids(cell)
    }
    counts = done["decisions"].groupby(done["run"].map(kinds)).sum()
    facts += [(what, f"{int(counts[what]):,}") for what in _KINDS if counts.get(what, 0)]
    if done["tokens"].sum():
        facts.append(("tokens read and written", f"{int(done['tokens'].sum()):,}"))
    return tuple(facts)


_KINDS = ("decisions from lists", "judgements of one item", "amounts decided")


def _decided(affordances: Affordances) -> str:
    """What a decision is of."""
    lists, single, amounts = _KINDS
    if affordances.choose == "amount":
        return amounts
    return single if affordances.presentation == "one at a time" else lists


def _provenance(study: Study, results: Results) -> tuple[tuple[str, str], ...]:
    models = sorted({name for name in results.done["model"].dropna() if name})
    return (
        ("cloudchamber", f"{__version__} on Python {python_version()}"),
        ("baseline specification", study.microspec.hash),
        ("seed", str(results.seed)),
        ("replicates", str(results.replicates)),
        *((("language model", "; ".join(models)),) if models else ()),
        *_sent(results),
        *((f"the server of {name}", can) for name, can in sorted(_servers(results).items())),
    )


def _sent(results: Results) -> Iterator[tuple[str, str]]:
    """What was sent to models in all calls, for runs that are not there too."""
    try:
        billed = Manifest.read(results.folder.parent).billed()
    except TraceError:
        return
    if not billed.questions:
        return
    told = f"{billed.questions:,} questions, {billed.tokens:,} tokens billed"
    told += f" (of which nobody told {billed.untold:,}, at most)" if billed.untold else ""
    told += f", cost {billed.cost:.4g}" if billed.cost > 0 else ""
    yield "sent to models, over all calls", f"{told}."


def _servers(results: Results) -> Mapping[str, str]:
    """What servers were found to do, if the folder is a study's and one was asked."""
    try:
        return Manifest.read(results.folder.parent).servers
    except TraceError:
        return {}
