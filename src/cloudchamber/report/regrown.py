"""What a rule grew in the agents' place, in figures and tables: beside theirs, over time, and at scale."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cloudchamber.measures.estimate import Estimate
from cloudchamber.report.document import Block, Table
from cloudchamber.report.evidence import brief
from cloudchamber.report.figures import Axis, grid_of_curves, intervals
from cloudchamber.study.pictured import AGENTS
from cloudchamber.study.told import Told

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["at_scale", "of_form", "over_time", "regrown"]


def regrown(told: Told, part: Mapping[str, Any], key: str) -> Iterator[Block]:
    """The measure in each cell, grown and regrown, and every gap.

    Args:
        told: the explanation.
        part: its facts of one form of asking.
        key: of the form, for the names of figures.
    """
    import pandas as pd  # as above

    frame = of_form(told, "regrowth", part["form"])
    if frame.empty:
        return
    measure = frame["measure"].iloc[0]
    frame = frame[frame["measure"] == measure]
    levels = frame[frame["against"] == ""]
    shown = _shown(told, part, set(frame["mechanism"]))
    parts = []
    for at, name in enumerate(shown):
        mine = levels[levels["mechanism"] == name]
        cell = mine["cell"] + mine["seen"].map({True: "", False: " *"})
        if not at:
            parts.append(_dots(mine, cell, "grown", AGENTS))
        parts.append(_dots(mine, cell, "regrown", name))
    yield intervals(
        pd.concat(parts, ignore_index=True),
        id=f"regrown-{key}",
        title=f"The {told.facts['measure']} in each cell: grown by the agents, regrown by the rule",
        caption="Mean over replicates with 95 % interval, which for the rule holds the fit's uncertainty "
        "too. Each replicate is regrown under its own noise. * none of its choices were fitted.",
        label="cell",
        value=Axis("value", told.facts["measure"]),
        text="text",
        group="who",
        order=(AGENTS, *shown),
        sort="given",
    )
    yield _gaps(frame, shown, told)


def _shown(told: Told, part: Mapping[str, Any], there: set[str]) -> list[str]:
    """The hypothesis' own mechanism, and the one that predicts best."""
    names = [told.facts["hypothesis"]]
    names += [good[0] for good in part["as_good"].values() if good]
    return [name for name in dict.fromkeys(names) if name in there]


def _dots(rows: "pd.DataFrame", cell: "pd.Series[str]", side: str, who: str) -> "pd.DataFrame":
    import pandas as pd  # as above

    dots = pd.DataFrame(
        {
            "cell": cell,
            "who": who,
            "value": rows[side],
            "low": rows[f"{side}_low"],
            "high": rows[f"{side}_high"],
        }
    )
    n = rows["n"].tolist()
    dots["text"] = [
        brief(Estimate(row["value"], row["low"], row["high"], int(count)))
        for row, count in zip(dots.to_dict("records"), n, strict=True)
    ]
    return dots


def _gaps(frame: "pd.DataFrame", shown: list[str], told: Told) -> Table:
    """A row a number of the pattern, a column a mechanism."""
    import pandas as pd  # as above

    rows: dict[str, dict[str, str]] = {}
    for row in frame[frame["mechanism"].isin(shown)].to_dict("records"):
        what = row["cell"] if not row["against"] else f"{row['cell']}, less {row['against']}"
        gap = Estimate(row["gap"], row["gap_low"], row["gap_high"], int(row["n"]))
        mine = rows.setdefault(what, {"in": what, "fitted": "yes" if row["seen"] else "no"})
        mine[f"by “{row['mechanism']}”"] = f"{brief(gap)}: {row['answer']}"
    return Table(
        "Regrown less grown",
        pd.DataFrame(list(rows.values())),
        f"In the {told.facts['measure']}; 95 % intervals. Sufficient: shown to lie within "
        f"{told.facts['margin']:g}; not sufficient: shown to lie beyond, the chance of a false claim shared "
        "between all rows; else it cannot be told.",
    )


def over_time(told: Told, form: str, key: str) -> Iterator[Block]:
    """Courses, by the hypothesis' own mechanism."""
    import pandas as pd  # as above

    frame = of_form(told, "regrowth_courses", form)
    name = told.facts["hypothesis"]
    if frame.empty or frame["step"].nunique() < 3 or name not in set(frame["mechanism"]):
        return
    mine = frame[frame["mechanism"] == name]
    sides = []
    for side, who in (("grown", AGENTS), ("regrown", name)):
        columns = {side: "value", f"{side}_low": "low", f"{side}_high": "high"}
        one = mine[["cell", "step", *columns]].rename(columns=columns)
        sides.append(one.assign(who=who))
    yield grid_of_curves(
        pd.concat(sides, ignore_index=True),
        id=f"regrown-courses-{key}",
        title=f"The {told.facts['measure']} over time, grown and regrown",
        caption="Mean over replicates with pointwise 95 % interval.",
        x=Axis("step", "step"),
        y=Axis("value", told.facts["measure"]),
        panel="cell",
        low="low",
        high="high",
        series="who",
        order=(AGENTS, name),
        dashed=(name,),
        columns=3,
        height=150,
    )


def at_scale(told: Told, form: str, key: str) -> Iterator[Block]:
    """Larger populations, where they were grown."""
    frame = of_form(told, "mechanism_scale", form)
    if frame.empty:
        return
    of = "excess" if (frame["of"] == "excess").any() else "measure"
    mine = frame[frame["of"] == of].copy()
    measure = str(mine["measure"].iloc[0]).replace("gini", "Gini coefficient")
    what = f"excess of the {measure} over the null" if of == "excess" else measure
    mine["text"] = [
        brief(Estimate(row["value"], row["low"], row["high"], int(row["n"])))
        for row in mine.to_dict("records")
    ]
    mine["label"] = [f"{size:,} agents" for size in mine["agents"]]
    several = mine["mechanism"].nunique() > 1
    whose = "" if several else f" by “{mine['mechanism'].iloc[0]}”"
    yield intervals(
        mine,
        id=f"scale-{key}",
        title=f"At scale: the {what}{whose}",
        caption="The cell at risk with the fitted rule in everybody's place, in populations of each size; "
        f"mean with 95 % interval, in which is the fit's uncertainty. {_single(mine, several)}",
        value=Axis("value", what),
        text="text",
        group="mechanism" if several else None,
        sort="given",
        reference=(0.0, "none") if of == "excess" else None,
    )


def _single(rows: "pd.DataFrame", several: bool) -> str:
    """Where one population of the largest size lies."""
    largest = rows[rows["agents"] == rows["agents"].max()]
    told = [
        f"between {row['least']:.2g} and {row['most']:.2g}"
        + (f" by “{row['mechanism']}”" if several else "")
        for row in largest.to_dict("records")
    ]
    size = int(largest["agents"].iloc[0])
    return f"A single population of {size:,} lies {', '.join(told)} (95 % of those grown)."


def of_form(told: Told, table: str, form: str) -> "pd.DataFrame":
    """A table of the explanation, of one form of asking; empty where it has none."""
    frame = told.tables.get(table)
    if frame is None or frame.empty:
        import pandas as pd  # as above

        return pd.DataFrame()
    return frame[frame["form"] == form]
