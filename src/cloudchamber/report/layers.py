"""The marks that figures are made of, and the frame of rows that they are drawn from.

A layer whose name starts with ``wide-`` is left out by the page on a narrow screen (text beside
the plot); with ``usermeta.cloudchamber.legend`` a legend of the series takes its place.
"""

__all__ = ["dots", "ends", "line", "ribbon", "rule", "tidy", "usermeta"]

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.report.axes import Axis, room, spread
from cloudchamber.report.frames import column, visible
from cloudchamber.report.theme import QUIET, REFERENCE

if TYPE_CHECKING:
    import pandas as pd

Layer = dict[str, Any]


def tidy(
    frame: "pd.DataFrame",
    numbers: Sequence[str],
    bounds: Sequence[str | None] = (),
    words: Sequence[str | None] = (),
) -> "pd.DataFrame":
    """The columns a figure needs, under plain names, without rows it cannot place.

    Args:
        frame: a row a mark.
        numbers: columns that must be finite; rows where one is not are left out.
        bounds: columns of numbers that may be missing.
        words: columns shown as text.

    Raises:
        SpecificationError: a column is not there, or two would have one name.
    """
    import numpy as np  # a document can be made and read without them
    import pandas as pd

    asked = list(dict.fromkeys([name for name in (*words, *numbers, *bounds) if name]))
    for name in asked:
        if name not in frame.columns:
            raise SpecificationError(
                f"A figure asks for the column {name!r}; {nearest(name, map(str, frame.columns))}"
            )
    if len({column(name) for name in asked}) < len(asked):
        raise SpecificationError(
            f"A figure's columns {asked} differ only in signs; allowed: names that differ in "
            "letters, digits or '_'. Rename one."
        )
    kept = frame[asked].reset_index(drop=True)
    finite = pd.Series(True, index=kept.index)
    for name in (*numbers, *(bound for bound in bounds if bound)):
        values = pd.to_numeric(kept[name], errors="coerce").astype("float64")
        values = values.where(np.isfinite(values))
        whole = bool(values.notna().all()) and kept[name].dtype.kind in "iu"
        kept[name] = kept[name] if whole else values
        if name in numbers:
            finite &= values.notna()
    for name in words:
        if name:
            kept[name] = [visible(str(text)) for text in kept[name]]
    return kept[finite].reset_index(drop=True).rename(columns={name: column(name) for name in asked})


def usermeta(**hints: Any) -> Mapping[str, Any]:
    """What the page should know of a figure, where other readers of Vega-Lite look past it."""
    return {"cloudchamber": hints}


def ribbon(low: str, high: str, colour: Any, domain: tuple[float, float]) -> Layer:
    """The interval of a curve, as a band behind it."""
    return {
        "mark": {"type": "area", "opacity": 0.16, "clip": True},
        "encoding": {
            "y": {"field": column(low), "type": "quantitative", "scale": {"domain": list(domain)}},
            "y2": {"field": column(high)},
            "color": colour,
        },
    }


def line(y: Layer, colour: Any, **mark: Any) -> Layer:
    """A curve."""
    return {
        "mark": {"type": "line", "clip": True} | mark,
        "encoding": {"y": y, "color": colour},
    }


def dots(y: Layer, colour: Any, tooltip: list[Layer], *, seen: bool, size: int = 26) -> Layer:
    """The points of a curve; unseen ones only answer the pointer."""
    return {
        "mark": {
            "type": "point",
            "filled": True,
            "size": size if seen else 90,
            "opacity": 1 if seen else 0,
        },
        "encoding": {"y": y, "color": colour, "tooltip": tooltip},
    }


def ends(
    frame: "pd.DataFrame",
    x: Axis,
    y: Axis,
    series: str,
    colour: Any,
    domains: tuple[tuple[float, float], tuple[float, float]],
    height: float,
) -> tuple[Layer, int]:
    """The names of the series at the right of their curves, and the room they take in pixels."""
    by, over, up = column(series), column(x.field), column(y.field)
    last = frame.sort_values(over, kind="stable").groupby(by, sort=False).tail(1)
    names = [str(name) for name in last[by]]
    scale = math.log10 if y.log else float
    across = (scale(domains[1][0]), scale(domains[1][1]))
    places = spread([scale(value) for value in last[up]], across, height)
    rows = [
        {by: name, over: domains[0][1], up: 10**place if y.log else place}
        for name, place in zip(names, places, strict=True)
    ]
    width = room(names)
    layer = {
        "name": "wide-names",
        "data": {"values": rows},
        "mark": {
            "type": "text",
            "align": "left",
            "baseline": "middle",
            "dx": 8,
            "fontWeight": 500,
            "limit": width,
        },
        "encoding": {
            "x": {"field": over, "type": "quantitative"},
            "y": {"field": up, "type": "quantitative"},
            "text": {"field": by, "type": "nominal"},
            "color": colour,
        },
    }
    return layer, width


def rule(value: float, label: str, *, along: str = "y", at: float | None = None) -> list[Layer]:
    """A dashed line at a reference value with its name; ``along`` is the axis of the value."""
    line_layer: Layer = {
        "data": {"values": [{"reference": value}]},
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": REFERENCE},
        "encoding": {along: {"field": "reference", "type": "quantitative"}},
    }
    text: Layer = {
        "data": {"values": [{"reference": value, "name": visible(label), "at": at}]},
        "mark": {"type": "text", "color": QUIET, "fontSize": 11.5},
        "encoding": {
            along: {"field": "reference", "type": "quantitative"},
            "text": {"field": "name", "type": "nominal"},
        },
    }
    if along == "y":
        text["mark"] |= {"align": "right", "baseline": "bottom", "dy": -4}
        text["encoding"]["x"] = (
            {"value": "width"} if at is None else {"field": "at", "type": "quantitative"}
        )
    else:
        text["mark"] |= {"align": "center", "baseline": "bottom", "dy": -4}
        text["encoding"]["y"] = {"value": 0}
    return [line_layer, text] if label else [line_layer]
