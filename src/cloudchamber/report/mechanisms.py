"""Fitted mechanisms in figures and tables: what they say of the choices, by place and by what was shown."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from cloudchamber.measures.estimate import Estimate
from cloudchamber.mechanism.comparing import BEST, UNIFORM
from cloudchamber.report.document import Block, Prose, Table
from cloudchamber.report.evidence import brief
from cloudchamber.report.figures import Axis, curve, grid_of_curves, intervals
from cloudchamber.report.regrown import at_scale, of_form, over_time, regrown
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
    yield from regrown(told, part, key)
    yield from over_time(told, form, key)
    yield from _checks(told, form)
    yield from at_scale(told, form, key)


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
                "fitted": _by_group(by_group) + _not_told(part["flat"].get(name, ())),
                "of what can be known": _by_group(shares) or "–",
                "in the agents' place": known["answer"] if known else "not regrown",
                "where never fitted": part["unseen_sufficiency"].get(name, "–"),
            }
        )
    flat = any(part["flat"].get(name) for name in part["equations"])
    unknown = (
        " What the choices do not tell of a rule is named below it: a number there means nothing."
        if flat
        else ""
    )
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


def _not_told(flat: Sequence[str]) -> str:
    """What the choices leave open, shortly: without the reason."""
    parts = [one.removeprefix("cannot tell ").partition(":")[0] for one in flat]
    return f" (cannot be told: {'; '.join(parts)})" if parts else ""


def _by_group(told: Mapping[str, str]) -> str:
    """What is said of each group; of one alone without its name."""
    if len(set(told.values())) < 2:
        return next(iter(told.values()), "")
    return "; ".join(f"{group}: {one}" for group, one in told.items())


def _scores(told: Told, form: str, key: str) -> Iterator[Block]:
    frame = of_form(told, "mechanism_scores", form)
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
    frame = of_form(told, "mechanism_places", form)
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
    frame = of_form(told, "mechanism_signals", form)
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
    told |= {"low": "low", "high": "high", "series": "who", "order": order, "dashed": order[1:]}
    if not several:
        return curve(frame, **told)
    panel = frame[several[0]].astype(str)
    for name in several[1:]:
        panel += ", " + frame[name].astype(str)
    return grid_of_curves(
        frame.assign(panel=panel),
        panel="panel",
        columns=2,
        height=190,
        **told,
    )


def _checks(told: Told, form: str) -> Iterator[Block]:
    import pandas as pd  # as above

    frame = of_form(told, "mechanism_checks", form)
    if frame.empty:
        return
    several, groups = frame["mechanism"].nunique() > 1, frame["group"].nunique() > 1
    rows = [
        {
            **({"mechanism": row["mechanism"]} if several else {}),
            **({"group": row["group"]} if groups else {}),
            "statistic": _statistic(row["measure"], form),
            "observed": f"{row['observed']:.3g}",
            "predicted": f"{row['predicted']:.3g} [{row['low']:.3g}, {row['high']:.3g}]",
            "p": f"{row['p']:.2g}",
        }
        for row in frame[frame["run"].isna()].to_dict("records")
        # What cannot come out otherwise (of one item, which place it has) is no check.
        if isfinite(row["observed"]) and not row["low"] == row["high"] == row["observed"]
    ]
    if not rows:
        return
    whose = "it" if several else f"“{frame['mechanism'].iloc[0]}”"
    yield Table(
        f"Would {whose} have chosen so? Statistics that were not fitted",
        pd.DataFrame(rows),
        "Choices drawn anew given what was shown, with parameters from the fit's sampling distribution; 95 % "
        "predictive interval, and how often a draw lies as far out. What a rule has a parameter for it "
        "predicts by construction.",
    )


def _statistic(name: str, form: str) -> str:
    """Its name; one item at a time has no places."""
    return name.partition(", places")[0] if form == "one item at a time" else name


def _number(row: Any) -> str:
    if not isfinite(row["low"]):
        return f"{row['score']:.3f}"
    return brief(Estimate(row["score"], row["low"], row["high"], 2))
