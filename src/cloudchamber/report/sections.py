"""The five stages of an account as sections: what each shows of the tables."""

from collections.abc import Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

from cloudchamber.measures.estimate import Estimate, about
from cloudchamber.report.document import Block, Prose, Reading, Section, Table
from cloudchamber.report.evidence import brief
from cloudchamber.report.figures import Axis, grid_of_curves, intervals
from cloudchamber.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["grow", "identify", "intervene", "microspecify", "validate"]


def identify(study: Study, criterion: tuple[Block, ...], extra: tuple[Block, ...]) -> Section:
    """The phenomenon, the hypothesis, and where it was grown."""
    what = study.phenomenon
    told = (
        f"**{what.name.capitalize()}** is a phenomenon of the {what.level} level. {what.question} It is "
        f"measured by the {what.measure.aloud()} ({what.measure.unit})."
    )
    if study.hypothesis:
        told += f"\n\n**Hypothesis.** {study.hypothesis}"
    return Section("What is to be grown", 1, told, (*criterion, *extra))


def microspecify(study: Study, extra: tuple[Block, ...]) -> Section:
    """The baseline read aloud, and what is varied."""
    varied = [f"**{factor.name}**: {factor.aloud()}" for factor in study.factors]
    name = study.at_risk()
    aloud = study.design()[name].spec.aloud().replace("\n", "\n\n")
    blocks: list[Block] = [Reading(aloud, f"The cell at risk, {name}, read aloud")]
    if varied:
        how = "in every combination" if study.crossed else "in the cells below"
        blocks.append(Prose(f"Varied, {how}: {'; '.join(varied)}."))
    return Section(
        "Who interacts, and how",
        2,
        "The specification and a seed, with the agents' answers, determine every run completely.",
        (*blocks, *extra),
    )


def grow(study: Study, tables: dict[str, "pd.DataFrame"], extra: tuple[Block, ...]) -> Section:
    """The measure in each cell, what factors change, the course over time."""
    main = study.phenomenon.measure
    grown = [cell.name for cell in study.combinations()]
    frame = tables["cells"]
    mine = frame[(frame["measure"] == main.name) & frame["label"].isin(grown)]
    blocks: list[Block] = [
        intervals(
            mine,
            id="cells",
            title=_headed(f"{main.aloud()} in each cell"),
            caption=(
                f"{main.unit[:1].upper()}{main.unit[1:]}. Mean over runs with 95 % interval; the run is the "
                "unit."
            ),
            value=Axis("value", main.aloud()),
            text="text",
            sort="given",
        )
    ]
    if "factors" in tables:
        blocks.append(
            intervals(
                tables["factors"],
                id="factors",
                title=f"What each factor changes in the {main.aloud()}",
                caption="Difference from the factor's first level, averaged over the other factors; one "
                "number a replicate, runs paired by their noise, 95 % interval.",
                value=Axis("value", f"change in the {main.aloud()}"),
                text="text",
                reference=(0.0, "no effect"),
                sort="given",
            )
        )
    blocks += _courses(study, tables["courses"])
    if "comparisons" in tables:
        blocks.append(_comparisons(tables["comparisons"], main.aloud()))
    blocks += [*extra, _cells_table(study, frame)]
    which = "Every combination of the factors" if study.crossed else "Each cell of the plan"
    return Section(
        "What grew",
        3,
        f"{which}, grown in replicates that share their noise across cells.",
        tuple(blocks),
    )


def _courses(study: Study, courses: "pd.DataFrame") -> list[Block]:
    if courses.empty or not study.crossed or courses["step"].nunique() < 3:
        return []
    main = study.phenomenon.measure
    first, *rest = [factor.name for factor in study.crossed]
    return [
        grid_of_curves(
            courses,
            id="courses",
            title=_headed(f"{main.aloud()} over time"),
            caption=f"Mean over runs with pointwise 95 % interval; a step is {_step(study)}."
            + (_BY_CHANCE if main.of_tally else ""),
            x=Axis("step", "step"),
            y=Axis("value", main.aloud()),
            panel=rest[0] if rest else first,
            low="low",
            high="high",
            series=first if rest else None,
            columns=3,
            height=190,
        )
    ]


def _comparisons(table: "pd.DataFrame", measure: str) -> Table:
    """Every combination against the first, with what is claimed over all of them."""
    import pandas as pd

    first, margin = table["against"].iloc[0], table["margin"].iloc[0]
    small = {"no effect": f"less than {margin:.3g}"}
    shown = [
        {
            "cell": row["cell"],
            "change": brief(_gap_of(row)),
            "p, adjusted": _number(row["p_adjusted"]),
            "p of equivalence": _number(row["p_equivalence_adjusted"]),
            "verdict": small.get(row["verdict"], row["verdict"]),
            "runs needed": "–" if isnan(row["runs_needed"]) else about(row["runs_needed"], "pairs"),
        }
        for row in table.to_dict("records")
    ]
    within = (
        ""
        if isnan(margin)
        else f" Less than {margin:.3g}: shown to be no larger, by equivalence tests."
    )
    return Table(
        f"The {measure} of every combination against {first}",
        pd.DataFrame(shown),
        "Difference over pairs of runs with its 95 % interval; permutation tests, adjusted for the number of "
        f"comparisons (Holm).{within} With few runs no permutation can be rare: then nothing is claimed.",
    )


def _gap_of(row: "Mapping[Any, Any]") -> Estimate:
    """The difference of a row of effects."""
    return Estimate(
        float(row["estimate"]),
        float(row["low"]),
        float(row["high"]),
        int(row["n"]),
        float(row["level"]),
        str(row["unit"]),
    )


def _number(p: float) -> str:
    """A p-value as it is printed."""
    return "–" if isnan(p) else f"{p:.2g}"


def _step(study: Study) -> str:
    """What a step of a course is."""
    if study.microspec.turns.steps > 1:
        return "a round of the whole population"
    return "one batch, those who decide at the same moment"


_BY_CHANCE = " Few choices are concentrated by chance alone: compare curves at the same step."
"""Of measures of how choices are shared out."""
_POSITION = (
    " Where answers are distributions the mean position is of the expected choices; the other measures are "
    "of the choices made, if not called expected."
)
_UNPREDICTABILITY = (
    " Unpredictability: how far an item's share differs between two runs of the same cell, on average over "
    "items and runs (jackknife over runs)."
)


def _cells_table(study: Study, frame: "pd.DataFrame") -> Table:
    """A row a condition, a column a measure that is known of any; same specifications in the caption."""
    first: dict[str, str] = {}
    same = []
    for cell in study.design():
        if first.setdefault(cell.id, cell.name) != cell.name:
            same.append(f"{cell.name} is {first[cell.id]}")
    known = frame.loc[frame["value"].notna(), "measure"].unique()
    frame = frame[frame["label"].isin(first.values()) & frame["measure"].isin(known)]
    wide = frame.pivot(index="label", columns="measure", values="text")
    wide = wide.reindex(frame["label"].unique()).rename_axis("cell").reset_index()
    order = ["cell", *[name for name in frame["measure"].unique()]]
    proper = {name: name.replace("gini", "Gini") for name in order}
    return Table(
        "Every measure in every cell",
        wide[order].rename(columns=proper),
        "Mean over runs with 95 % interval."
        + (_POSITION if "mean position" in known else "")
        + (_UNPREDICTABILITY if "unpredictability" in known else "")
        + (f" The same specification: {'; '.join(same)}." if same else ""),
    )


def intervene(study: Study, tables: dict[str, "pd.DataFrame"], extra: tuple[Block, ...]) -> Section:
    """What was tried against it, what that changes, and what the attack gains."""
    main = study.phenomenon.measure
    over = (
        "All of it is what is observed; the excess over the null is as much of it as is "
        "influence: with and without the intervention, each is told against a null of its own."
        if study.null
        else ""
    )
    blocks: list[Block] = []
    if study.interventions:
        blocks.append(Prose(_listed(study)))
    if "interventions" in tables and not tables["interventions"].empty:
        blocks.append(
            intervals(
                tables["interventions"],
                id="interventions",
                title=f"What each intervention changes in the {main.aloud()}",
                caption=f"Change from the cell at risk, {study.at_risk()}, replicate by replicate; 95 % "
                f"interval. {over}",
                value=Axis("value", f"change in the {main.aloud()}"),
                text="text",
                group="of" if study.null else None,
                reference=(0.0, "no effect"),
                sort="given",
            )
        )
    if "attack" in tables and not tables["attack"].empty:
        assert study.attack is not None  # there is a table of it
        blocks.append(
            intervals(
                tables["attack"],
                id="attack",
                title="What the attack gains its target, under each intervention",
                caption=f"The attack: {study.attack.name}; {study.attack.why}. The target's share of all "
                "choices (of the expected ones, where answers are distributions), attacked less not "
                "attacked, replicate by replicate; 95 % interval. An interval of no width: the "
                "intervention undoes the attack by construction, or nothing varied.",
                value=Axis("value", "gain in the target's share"),
                text="text",
                reference=(0.0, "no gain"),
                sort="given",
            )
        )
    return Section(
        "What helps",
        4,
        f"Each intervention is applied to the cell at risk, {study.at_risk()}"
        + ("; so is the attack, alone and under each intervention." if study.attack else "."),
        (*blocks, *extra),
    )


def _listed(study: Study) -> str:
    """What is tried, on which side, and why."""
    idle = study.idle()
    told = [
        f"**{one.name}** (on the {one.on}{f': {one.why}' if one.why else ''})"
        + (" is without meaning for these agents" if one in idle else "")
        for one in study.interventions
    ]
    return f"Tried: {'; '.join(told)}."


def validate(blocks: tuple[Block, ...], extra: tuple[Block, ...]) -> Section:
    """The verdicts and what they rest on."""
    return Section(
        "What it is worth",
        5,
        "Three verdicts: was it grown, is this the process, does the evidence outside agree.",
        (*blocks, *extra),
    )


def _headed(text: str) -> str:
    """A heading: the first letter large, the others as they are."""
    return text[:1].upper() + text[1:]
