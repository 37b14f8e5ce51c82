"""The marks that figures are made of, and the frame of rows that they are drawn from.

The page leaves out layers whose name starts with ``wide-`` (text beside the plot) where the screen
is narrow, and those that start with ``narrow-`` elsewhere; where ``usermeta.cloudchamber.legend``
says so, a legend takes the place of the names.
"""

__all__ = ["band", "dots", "ends", "line", "order_of", "rule", "tidy", "usermeta"]

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.report.axes import Axis, spread
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
    for name in (word for word in words if word):
        kept[name] = [visible(str(text)) for text in kept[name]]
    return (
        kept[finite].reset_index(drop=True).rename(columns={name: column(name) for name in asked})
    )


def usermeta(**hints: Any) -> Layer:
    """What the page should know of a figure, where other readers of Vega-Lite look past it."""
    return {"cloudchamber": hints}


def order_of(data: "pd.DataFrame", series: str | None, given: Sequence[str]) -> list[str]:
    """The series there are, in the order given; then those not named, in the frame's order."""
    if series is None:
        return []
    there = list(dict.fromkeys(data[column(series)]))
    named = [visible(str(name)) for name in given]
    first = [name for name in dict.fromkeys(named) if name in there]
    return first + [name for name in there if name not in first]


def band(
    low: str | None, high: str | None, colour: Any, domain: tuple[float, float]
) -> list[Layer]:
    """The interval of a curve, as a band behind it; nothing where there are no bounds."""
    if not (low and high):
        return []
    layer: Layer = {
        "mark": {"type": "area", "opacity": 0.16, "clip": True},
        "encoding": {
            "y": {"field": column(low), "type": "quantitative", "scale": {"domain": list(domain)}},
            "y2": {"field": column(high)},
            "color": colour,
        },
    }
    return [layer]


def line(
    y: Layer, colour: Any, series: str | None = None, dashed: Sequence[str] = (), **mark: Any
) -> Layer:
    """A curve; those of some series dashed, so that what they lie on is seen through them."""
    encoding = {"y": y, "color": colour}
    if series and dashed:
        test = {"field": column(series), "oneOf": [visible(str(name)) for name in dashed]}
        encoding["strokeDash"] = {
            "condition": {"test": test, "value": [5, 4]},
            "value": [1, 0],
        }
    return {"mark": {"type": "line", "clip": True} | mark, "encoding": encoding}


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
    series: str | None,
    shades: Mapping[str, str],
    domains: tuple[tuple[float, float], tuple[float, float]],
    height: float,
    reference: tuple[float, str] | None = None,
) -> Layer:
    """The names of the series, and of the reference value, at the right of the plot.

    Args:
        frame: what ``tidy`` gave.
        x: along the page.
        y: upwards.
        series: whose row it is; None where only the reference is named.
        shades: the colour of each series.
        domains: of ``x`` and of ``y``.
        height: of the plot, in pixels; names stand at least a line apart.
        reference: a value of ``y`` and its name.
    """
    up = column(y.field)
    named: list[tuple[str, float, str]] = []
    if series:
        last = frame.sort_values(column(x.field), kind="stable").groupby(column(series), sort=False)
        for _, row in last.tail(1).iterrows():
            name = str(row[column(series)])
            named.append((name, float(row[up]), shades[name]))
    if reference:
        named.append((visible(reference[1]), reference[0], QUIET))
    scale = math.log10 if y.log else float
    across = (scale(domains[1][0]), scale(domains[1][1]))
    places = spread([scale(value) for _, value, _ in named], across, height)
    rows = [
        {"name": name, "shade": shade, "place": 10**place if y.log else place}
        for (name, _, shade), place in zip(named, places, strict=True)
    ]
    return {
        "name": "wide-names",
        "data": {"values": rows},
        "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 8, "limit": 240},
        "encoding": {
            "x": {"value": "width"},
            "y": {"field": "place", "type": "quantitative"},
            "text": {"field": "name", "type": "nominal"},
            "color": {"field": "shade", "type": "nominal", "scale": None},
        },
    }


def rule(value: float, label: str, *, along: str = "y", align: str = "right") -> list[Layer]:
    """A dashed line at a reference value; ``along`` is the axis of the value.

    Across the plot (``along="x"``) its name stands on top; along it, ``ends`` names it at the
    right, and here only for a narrow screen.
    """
    here: Layer = {"field": "reference", "type": "quantitative"}
    whole: Layer = {"x": {"value": 0}, "x2": {"value": "width"}} if along == "y" else {}
    drawn: Layer = {
        "data": {"values": [{"reference": value}]},
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": REFERENCE},
        "encoding": {along: here} | whole,
    }
    mark = {"type": "text", "color": QUIET, "fontSize": 11.5, "baseline": "bottom", "dy": -4}
    place: Layer = {"x": {"value": "width"}} if along == "y" else {"y": {"value": 0}}
    named: Layer = {
        "name": "narrow-reference" if along == "y" else "reference",
        "data": {"values": [{"reference": value, "name": visible(label)}]},
        "mark": mark | {"align": align},
        "encoding": {along: here, "text": {"field": "name", "type": "nominal"}} | place,
    }
    return [drawn, named] if label else [drawn]
