"""Fitted mechanisms in figures and tables: what they say of the choices, and what they grow."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from cloudchamber.measures.estimate import Estimate
from cloudchamber.mechanism.comparing import BEST, UNIFORM
from cloudchamber.report.document import Block, Prose, Table
from cloudchamber.report.evidence import brief
from cloudchamber.report.figures import Axis, curve, grid_of_curves, intervals
from cloudchamber.study.pictured import AGENTS
from cloudchamber.study.told import Told

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["blocks_of"]

_SHORT = {"one from a list": "list", "one item at a time": "single"}


def blocks_of(told: Told, part: Mapping[str, Any]) -> Iterator[Block]:
    """What is shown of one form of asking.

    Args:
        told: the explanation.
        part: its facts of that form.
    """
    form, key = part["form"], _SHORT.get(part["form"], "other")
    new = (
        f", and in these, to which none was fitted: {'; '.join(part['unseen'])}"
        if part["unseen"]
        else ""
    )
    yield Prose(
        f"**{form.capitalize()}.** Fitted to {part['decisions']:,} decisions in {part['replicates']} "
        f"replicates of these cells: {'; '.join(part['fitted'])}. Regrown in all of these{new}."
    )
    yield _mechanisms(told, part)
    yield from _scores(told, form, key)
    yield from _places(told, form, key)
    yield from _signals(told, form, key)
    yield from _regrown(told, part, key)
    yield from _courses(told, form, key)
    yield from _checks(told, form)
    yield from _scale(told, form, key)


def _mechanisms(told: Told, part: Mapping[str, Any]) -> Table:
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    rows = []
    for name, by_group in part["equations"].items():
        known = part["sufficiency"].get(name)
        shares = {
            group: f"{one[name]:.1%}"
            for group, one in part["shares"].items()
            if one.get(name) is not None
        }
        rows.append(
            {
                "mechanism": name,
                "fitted": _by_group(by_group),
                "of what can be known": _by_group(shares) or "–",
                "in the agents' place": known["answer"] if known else "not regrown",
                "where never fitted": part["unseen_sufficiency"].get(name, "–"),
            }
        )
    flat = part["flat"].get(told.facts["hypothesis"], ())
    unknown = f" Of {told.facts['hypothesis']}: {'; '.join(flat)}." if flat else ""
    why = "; ".join(f"{name}: {reason}" for name, reason in part["not_regrown"].items())
    return Table(
        f"The mechanisms, {part['form']}",
        pd.DataFrame(rows),
        "The first is the hypothesis' own. What can be known runs from choosing blindly, 0 %, to the agents' "
        "exact distributions, 100 %; on runs held out. In the agents' place: whether it grows the "
        f"{told.facts['measure']} to within {told.facts['margin']:g} in every cell, and every difference "
        f"between cells that is asked about; {told.facts['draws']} draws of its parameters."
        + unknown
        + (f" Not regrown: {why}." if why else ""),
    )


def _by_group(told: Mapping[str, str]) -> str:
    """What is said of each group; of one alone without its name."""
    if len(set(told.values())) < 2:
        return next(iter(told.values()), "")
    return "; ".join(f"{group}: {one}" for group, one in told.items())


def _scores(told: Told, form: str, key: str) -> Iterator[Block]:
    frame = _of(told, "mechanism_scores", form)
    if frame.empty:
        return
    frame = frame[frame["score"].map(isfinite)].copy()
    several = frame["group"].nunique() > 1
    ends = {BEST: "exact knowledge (the most)", UNIFORM: "choosing blindly (the least)"}
    frame["mechanism"] = frame["mechanism"].replace(ends)
    if several:
        frame["mechanism"] = frame["group"] + ": " + frame["mechanism"]
    frame["text"] = [_number(row) for row in frame.to_dict("records")]
    yield intervals(
        frame,
        id=f"scores-{key}",
        title="How well each rule predicts choices held out",
        caption="Mean log-likelihood of a choice in replicates that the rule was not fitted to; 95 % "
        "interval over replicates. The ends of the scale are what exact knowledge of the agents' "
        "distributions would reach, and choosing among all options alike.",
        label="mechanism",
        value=Axis("score", "nats a choice"),
        text="text",
        sort="value",
    )


def _places(told: Told, form: str, key: str) -> Iterator[Block]:
    frame = _of(told, "mechanism_places", form)
    if frame.empty:
        return
    yield _curves(
        frame,
        ("group",),
        id=f"mechanism-places-{key}",
        title="P(choice | place): the agents, and what fitted rules expect of the same lists",
        caption="Over the fitted cells; mean over replicates, for the agents with pointwise 95 % interval. "
        "Items and likes at a place are those that stood there.",
        x=Axis("position", "place in the list"),
        y=Axis("value", "P(choice)", zero=True),
    )


def _signals(told: Told, form: str, key: str) -> Iterator[Block]:
    frame = _of(told, "mechanism_signals", form)
    if frame.empty:
        return
    levels = sorted(frame["level"].unique())
    steps = {level: at for at, level in enumerate(levels)}
    frame = frame.assign(step=frame["level"].map(steps))
    names = tuple((at, f"{level:,.0f}") for at, level in enumerate(levels))
    x = Axis("step", "likes shown", names=names)
    said = (
        "What is chosen by how many likes it shows (10: from 10 to 99), in the fitted cells; mean over "
        "replicates, for the agents with pointwise 95 % interval. Where likes were not dealt at random, "
        "liked items are also the good ones: the rules are told both, so look at the gap between the two."
    )
    inside = "P(yes)" if form == "one item at a time" else "P(choice)"
    gated = frame["band"].nunique() > 1
    yield _curves(
        frame,
        ("group", "band"),
        id=f"mechanism-signals-{key}",
        title="What shown likes do, inside and outside the gate"
        if gated
        else "What shown likes do: the agents, and fitted rules",
        caption=said,
        x=x,
        y=Axis("value", inside, zero=True),
    )


def _curves(frame: "pd.DataFrame", apart: tuple[str, ...], **told: Any) -> Block:
    """Curves by who; in panels where something else sets them apart."""
    several = [name for name in apart if frame[name].nunique() > 1]
    order = tuple(dict.fromkeys(frame["who"]))
    if not several:
        return curve(frame, low="low", high="high", series="who", order=order, points=True, **told)
    panel = frame[several[0]].astype(str)
    for name in several[1:]:
        panel += ", " + frame[name].astype(str)
    return grid_of_curves(
        frame.assign(panel=panel),
        panel="panel",
        low="low",
        high="high",
        series="who",
        order=order,
        columns=2,
        height=190,
        **told,
    )


def _regrown(told: Told, part: Mapping[str, Any], key: str) -> Iterator[Block]:
    import pandas as pd  # as above

    frame = _of(told, "regrowth", part["form"])
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


def _courses(told: Told, form: str, key: str) -> Iterator[Block]:
    import pandas as pd  # as above

    frame = _of(told, "regrowth_courses", form)
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
        columns=3,
        height=150,
    )


def _checks(told: Told, form: str) -> Iterator[Block]:
    import pandas as pd  # as above

    frame = _of(told, "mechanism_checks", form)
    if frame.empty:
        return
    several, groups = frame["mechanism"].nunique() > 1, frame["group"].nunique() > 1
    rows = [
        {
            **({"mechanism": row["mechanism"]} if several else {}),
            **({"group": row["group"]} if groups else {}),
            "statistic": row["measure"],
            "observed": f"{row['observed']:.3g}",
            "predicted": f"{row['predicted']:.3g} [{row['low']:.3g}, {row['high']:.3g}]",
            "p": f"{row['p']:.2g}",
        }
        for row in frame[frame["run"].isna()].to_dict("records")
        if isfinite(row["observed"])
    ]
    whose = "it" if several else f"“{frame['mechanism'].iloc[0]}”"
    yield Table(
        f"Would {whose} have chosen so? Statistics that were not fitted",
        pd.DataFrame(rows),
        "Choices drawn anew given what was shown, with parameters from the fit's sampling distribution; 95 % "
        "predictive interval, and how often a draw lies as far out. What a rule has a parameter for it "
        "predicts by construction.",
    )


def _scale(told: Told, form: str, key: str) -> Iterator[Block]:
    frame = _of(told, "mechanism_scale", form)
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
        "mean with 95 % interval, in which is the fit's uncertainty. A single such population lies "
        f"between {mine['least'].iloc[-1]:.3g} and {mine['most'].iloc[-1]:.3g} at the largest size.",
        value=Axis("value", what),
        text="text",
        group="mechanism" if several else None,
        sort="given",
        reference=(0.0, "none") if of == "excess" else None,
    )


def _of(told: Told, table: str, form: str) -> "pd.DataFrame":
    frame = told.tables.get(table)
    if frame is None or frame.empty:
        import pandas as pd  # as above

        return pd.DataFrame()
    return frame[frame["form"] == form]


def _number(row: Any) -> str:
    if not isfinite(row["low"]):
        return f"{row['score']:.3f}"
    return brief(Estimate(row["score"], row["low"], row["high"], 2))
