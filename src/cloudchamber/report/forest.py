"""Numbers with their intervals, a row each, as in a forest plot."""

__all__ = ["intervals"]

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from cloudchamber.report import layers
from cloudchamber.report.axes import Axis, axis, colour, field, reach, tooltip
from cloudchamber.report.document import Figure
from cloudchamber.report.frames import column
from cloudchamber.report.theme import INK

if TYPE_CHECKING:
    import pandas as pd


def intervals(
    frame: "pd.DataFrame",
    *,
    id: str,
    title: str,
    caption: str,
    label: str = "label",
    value: Axis | str = "value",
    low: str = "low",
    high: str = "high",
    text: str | None = None,
    group: str | None = None,
    order: Sequence[str] = (),
    sort: Literal["value", "given"] = "value",
    reference: tuple[float, str] | None = None,
    alt: str = "",
) -> Figure:
    """A row a label: a dot with its interval, and the numbers beside it, as in a forest plot.

    Args:
        frame: a row a dot; with ``group`` several dots share a label.
        id: see ``Figure``, as ``title``, ``caption`` and ``alt``.
        title: what is to be seen.
        caption: how to read it.
        label: what the number is of.
        value: the number.
        low: its lower bound; missing values leave the dot alone.
        high: its upper bound.
        text: column of the numbers as they stand beside the dots, so that figure and text round alike;
            None writes them in the axis' format.
        group: dots of a label are told apart by colour; None for one dot a label.
        order: of the groups, which gives their colours.
        sort: labels by their (first) value, greatest first, or as given.
        reference: a value and its name, such as (0, "no effect"), drawn as a dashed line.
        alt: the same in words.
    """
    along = axis(value)
    data = layers.tidy(frame, [along.field], [low, high], [label, group, text])
    if data.empty:
        return Figure(id, title, caption, {}, data, alt)
    values, lower, upper = (data[column(name)] for name in (along.field, low, high))
    groups = layers.order_of(data, group, order)
    rows = (
        data.sort_values(column(along.field), ascending=False, kind="stable")
        if sort == "value"
        else data
    )
    labels = list(dict.fromkeys(rows[column(label)]))
    referred = [[reference[0]]] if reference else []
    wide = reach(along, values, lower, upper, *referred, margin=0.06)
    across = field(along, wide, values, lower, upper)
    shade = colour(group, groups, legend=True)
    form = across["axis"]["format"]
    about = [(label, label.replace("_", " ").capitalize(), "")]
    about += [(group, group.replace("_", " ").capitalize(), "")] if group else []
    shown = tooltip(
        *about, (along.field, along.name, form), (low, "from", form), (high, "to", form)
    )
    dodge = (
        {"yOffset": {"field": column(group), "type": "nominal", "sort": groups}} if group else {}
    )
    parts: list[dict[str, Any]] = []
    if reference:
        share = (reference[0] - wide[0]) / (wide[1] - wide[0])
        align = "left" if share < 0.25 else "right" if share > 0.75 else "center"
        parts += layers.rule(*reference, along="x", align=align)
    parts += [
        {
            "mark": {"type": "rule", "strokeWidth": 2, "strokeCap": "round"},
            "encoding": {
                "x": {"field": column(low), "type": "quantitative"},
                "x2": {"field": column(high)},
                "color": shade,
                "y": _labels(label, labels),
            }
            | dodge,
        },
        {
            "mark": {"type": "point", "filled": True, "size": 64, "opacity": 1},
            "encoding": {"x": across, "color": shade, "tooltip": shown, "y": _labels(label, labels)}
            | dodge,
        },
        _numbers(along, low, high, form.replace("~", ""), text)
        | {"encoding": _beside(label, labels) | dodge},
    ]
    pitch = 18 * max(1, len(groups)) + (12 if group else 10)
    spec = {
        "height": max(60, pitch * len(labels)),
        "layer": parts,
    }
    return Figure(id, title, caption, spec, data, alt)


def _labels(label: str, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "field": column(label),
        "type": "nominal",
        "sort": list(labels),
        "axis": {"title": None, "labelColor": INK, "labelFontSize": 12, "grid": False},
    }


def _numbers(along: Axis, low: str, high: str, form: str, text: str | None) -> dict[str, Any]:
    value, lower, upper = (f"datum.{column(name)}" for name in (along.field, low, high))
    shown = f"format({value}, '{form}')"
    between = f"' [' + format({lower}, '{form}') + ', ' + format({upper}, '{form}') + ']'"
    known = f"isValid({lower}) && isValid({upper})"
    whole = f"{shown} + ({known} ? {between} : '')"
    return {
        "name": "wide-numbers",
        "transform": [
            {"calculate": f"datum.{column(text)}" if text else whole, "as": "shown"},
        ],
        "mark": {"type": "text", "align": "left", "dx": 14, "fontSize": 11.5, "limit": 180},
    }


def _beside(label: str, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "x": {"value": "width"},
        "y": _labels(label, labels),
        "text": {"field": "shown", "type": "nominal"},
    }
