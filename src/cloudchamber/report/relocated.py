"""Where it begins, grown and regrown: searches for a threshold, done again with a fitted rule."""

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from cloudchamber.report.axes import Axis
from cloudchamber.report.curves import curve
from cloudchamber.report.document import Block, Prose, Table
from cloudchamber.study.pictured import AGENTS
from cloudchamber.study.told import Told

__all__ = ["answers", "blocks_of", "worst"]

_WORSE = ("sufficient", "cannot tell", "not sufficient")


def worst(told: Told, mechanism: str) -> dict[str, Any] | None:
    """The search in which a mechanism does worst; None where none was done again."""
    some: list[dict[str, Any]] = told.first.get("places", {}).get(mechanism, [])
    return max(some, key=lambda one: _WORSE.index(one["answer"]), default=None)


def answers(told: Told) -> Iterator[str]:
    """For the summary: whether the hypothesis' own mechanism begins where the agents did."""
    name = told.facts["hypothesis"]
    for one in told.first.get("places", {}).get(name, ()):
        yield f"**Does it begin there, too?** In the agents' place “{name}”: {one['sentence']}"


def blocks_of(told: Told, part: Mapping[str, Any]) -> Iterator[Block]:
    """A table of all searches, and the curve of each.

    Args:
        told: the explanation.
        part: its facts of one form of asking.
    """
    rows = told.tables["thresholds_regrown"]
    for name, why in part.get("not_relocated", {}).items():
        yield Prose(f"The search along {name} was not done again: {why}.")
    if rows.empty or rows[rows["form"] == part["form"]].empty:
        return
    rows = rows[rows["form"] == part["form"]]
    yield _table(rows)
    courses = told.tables["thresholds_courses"]
    courses = courses[courses["form"] == part["form"]]
    for factor, mine in courses.groupby("factor", sort=False):
        yield _curve(told, str(factor), mine)


def _table(rows: Any) -> Table:
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    told = [
        {
            "along": row["factor"],
            "mechanism": row["mechanism"],
            "grown": row["grown_told"],
            "regrown": row["regrown_told"],
            "apart, of the range": _gap(row),
            "answer": row["answer"],
        }
        for row in rows.to_dict("records")
    ]
    margin = rows["margin"].iloc[0]
    return Table(
        "Where it begins, grown and regrown",
        pd.DataFrame(told),
        "The search for a threshold, done again with the fitted rule in the agents' place: as many runs, "
        "placed where they tell most of the rule. Places where the mean excess passes the criterion, with "
        "95 % intervals; that of the gap holds the fit's uncertainty. Sufficient: the gap is shown to lie "
        f"within {margin:.0%} of the range, or neither passes; not sufficient: shown to lie beyond, or one "
        "passes and the other does not.",
    )


def _gap(row: Mapping[str, Any]) -> str:
    if not isfinite(row["gap"]):
        return "–"
    return f"{row['gap']:+.0%} [{row['gap_low']:+.0%}, {row['gap_high']:+.0%}]"


def _curve(told: Told, factor: str, rows: Any) -> Block:
    import pandas as pd  # as above

    names = list(dict.fromkeys(rows["mechanism"]))
    first = rows[rows["mechanism"] == names[0]]
    sides = [first[first["side"] == "grown"].assign(who=AGENTS)]
    for name in names:
        mine = rows[(rows["mechanism"] == name) & (rows["side"] == "regrown")]
        sides.append(mine.assign(who=name))
    what = f"excess of the {told.facts['measure']}"
    criterion = float(rows["criterion"].iloc[0])
    return curve(
        pd.concat(sides, ignore_index=True),
        id=f"threshold-{re.sub(r'[^a-z0-9]+', '-', factor.lower()).strip('-')}",
        title=f"Along {factor}: grown by the agents, regrown by the rule",
        caption="Expected of a run, over all shapes that the runs allow, with its 95 % interval at each "
        "level by itself; of the rule by its fit alone.",
        x=Axis("level", factor, format="~g", log=bool(rows["log"].iloc[0])),
        y=Axis("value", what),
        low="low",
        high="high",
        series="who",
        order=(AGENTS, *names),
        dashed=names,
        reference=(criterion, "criterion") if isfinite(criterion) else None,
    )
