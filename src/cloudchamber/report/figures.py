"""Figures from tidy frames: what a study's results look like on the page and in a paper.

Each builder takes a frame with a row a mark and the names of its columns, and gives a ``Figure``.
Intervals are whatever the frame holds (the run is the unit of inference; say in the caption what
they are); a missing bound leaves its mark without an interval. Too little to draw gives a figure
with an empty specification, in whose place the page says so.
"""

__all__ = [
    "Axis",
    "bars_by_position",
    "curve",
    "distributions",
    "grid_of_curves",
    "heat",
    "intervals",
    "profile",
]

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from cloudchamber.report import layers
from cloudchamber.report.axes import Axis, axis, colour, field, number_format, reach, tooltip
from cloudchamber.report.distributions import distributions
from cloudchamber.report.document import Figure
from cloudchamber.report.frames import column, visible
from cloudchamber.report.theme import DIVERGING, INK, SEQUENTIAL, SERIES

if TYPE_CHECKING:
    import pandas as pd


def curve(
    frame: "pd.DataFrame",
    *,
    id: str,
    title: str,
    caption: str,
    x: Axis | str,
    y: Axis | str,
    low: str | None = None,
    high: str | None = None,
    series: str | None = None,
    order: Sequence[str] = (),
    reference: tuple[float, str] | None = None,
    points: bool = False,
    height: int = 300,
    alt: str = "",
) -> Figure:
    """Curves with their intervals as ribbons and their names at their ends.

    Args:
        frame: a row a point.
        id: see ``Figure``, as ``title``, ``caption`` and ``alt``.
        title: what is to be seen.
        caption: how to read it.
        x: along the page.
        y: upwards.
        low: lower bound of ``y``; None for none.
        high: upper bound of ``y``.
        series: whose curve a row belongs to; None for one curve.
        order: of the series, which gives their colours; () for the order in the frame.
        reference: a value of ``y`` and its name, drawn as a dashed line.
        points: whether each row is also drawn as a dot.
        height: of the plot, in pixels.
        alt: the same in words.
    """
    across, up = axis(x), axis(y)
    data = layers.tidy(frame, [across.field, up.field], [low, high], [series])
    known = _order(data, series, order)
    if data.empty or data[column(across.field)].nunique() < 2:
        return Figure(id, title, caption, {}, data, alt)
    xs, ys = data[column(across.field)], data[column(up.field)]
    bounds = [data[column(name)] for name in (low, high) if name]
    referred = [[reference[0]]] if reference else []
    wide = reach(across, xs, margin=0.0)
    tall = reach(up, ys, *bounds, *referred)
    shade = colour(series, known)
    upwards = field(up, tall, ys)
    shown = _tip(across, up, low, high, series, upwards)
    parts = _band(low, high, shade, tall)
    parts += layers.rule(*reference) if reference else []
    parts += [
        layers.line(upwards, shade),
        layers.dots(upwards, shade, shown, seen=points),
    ]
    right = 12
    if series and len(known) > 1:
        names, right = layers.ends(data, across, up, series, shade, (wide, tall), height)
        parts.append(names)
    spec = {
        "height": height,
        "encoding": {"x": field(across, wide, xs)},
        "layer": parts,
        "usermeta": layers.usermeta(right=right, top=26, legend=len(known) > 1),
    }
    return Figure(id, title, caption, spec, data, alt, least=2)


def profile(
    frame: "pd.DataFrame",
    *,
    id: str,
    title: str,
    caption: str,
    position: Axis | str = "position",
    probability: Axis | str = "probability",
    low: str | None = None,
    high: str | None = None,
    series: str | None = None,
    order: Sequence[str] = (),
    options: int | None = None,
    height: int = 280,
    alt: str = "",
) -> Figure:
    """P(choice | position): a dot a position, beside the line of a choice blind to position.

    Args as in ``curve``; ``options`` is how many were shown (None: the greatest position), and
    the dashed line lies at one over it.
    """
    where, chance = axis(position), axis(probability)
    if not chance.title:
        chance = Axis(chance.field, f"P(choice | {where.name.lower()})", zero=True)
    count = options or int(frame[where.field].max() if len(frame) else 0)
    uniform = (1 / count, f"blind to position: 1/{count}") if count else None
    return curve(
        frame,
        id=id,
        title=title,
        caption=caption,
        x=where,
        y=chance,
        low=low,
        high=high,
        series=series,
        order=order,
        reference=uniform,
        points=True,
        height=height,
        alt=alt,
    )


def bars_by_position(
    frame: "pd.DataFrame",
    *,
    id: str,
    title: str,
    caption: str,
    position: Axis | str = "position",
    value: Axis | str = "value",
    low: str | None = None,
    high: str | None = None,
    reference: tuple[float, str] | None = None,
    height: int = 240,
    alt: str = "",
) -> Figure:
    """A bar a position, with its interval as a rule; args as in ``curve``."""
    where, up = axis(position), axis(value)
    up = up if up.domain else Axis(up.field, up.title, up.unit, up.format, None, True)
    data = layers.tidy(frame, [where.field, up.field], [low, high])
    if len(data) < 2:
        return Figure(id, title, caption, {}, data, alt)
    places = sorted(data[column(where.field)].unique().tolist())
    every = next(step for step in (1, 5, 10, 20, 50, 10**9) if len(places) / step <= 16)
    bounds = [data[column(name)] for name in (low, high) if name]
    values = data[column(up.field)]
    tall = reach(up, values, *bounds, *([[reference[0]]] if reference else []))
    upwards = field(up, tall, values)
    shown = _tip(where, up, low, high, None, upwards)
    parts: list[dict[str, Any]] = [
        {
            "mark": {"type": "bar", "color": SERIES[0], "opacity": 0.85, "cornerRadiusEnd": 1},
            "encoding": {"y": upwards, "tooltip": shown},
        }
    ]
    if low and high:
        ends = {"y": {"field": column(low), "type": "quantitative"}, "y2": {"field": column(high)}}
        parts.append({"mark": {"type": "rule", "color": INK}, "encoding": ends})
    parts += layers.rule(*reference) if reference else []
    marked = [place for place in places if place == places[0] or place % every == 0]
    spec = {
        "height": height,
        "encoding": {
            "x": {
                "field": column(where.field),
                "type": "ordinal",
                "scale": {"paddingInner": 0.25, "paddingOuter": 0.1},
                "axis": {"title": where.name, "values": marked, "labelAngle": 0},
            }
        },
        "layer": parts,
        "usermeta": layers.usermeta(top=26),
    }
    return Figure(id, title, caption, spec, data, alt, least=2)


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
        group: dots of a label are told apart by colour; None for one dot a label.
        order: of the groups, which gives their colours.
        sort: labels by their (first) value, greatest first, or as given.
        reference: a value and its name, such as (0, "no effect"), drawn as a dashed line.
        alt: the same in words.
    """
    along = axis(value)
    data = layers.tidy(frame, [along.field], [low, high], [label, group])
    if data.empty:
        return Figure(id, title, caption, {}, data, alt)
    values, lower, upper = (data[column(name)] for name in (along.field, low, high))
    groups = _order(data, group, order)
    rows = data.sort_values(column(along.field), ascending=False, kind="stable") if sort == "value" else data
    labels = list(dict.fromkeys(rows[column(label)]))
    referred = [[reference[0]]] if reference else []
    wide = reach(along, values, lower, upper, *referred, margin=0.06)
    across = field(along, wide, values)
    shade = colour(group, groups, legend=True)
    form = across["axis"]["format"]
    about = [(label, label.replace("_", " ").capitalize(), "")]
    about += [(group, group.replace("_", " ").capitalize(), "")] if group else []
    shown = tooltip(*about, (along.field, along.name, form), (low, "from", form), (high, "to", form))
    dodge = {"yOffset": {"field": column(group), "type": "nominal", "sort": groups}} if group else {}
    parts: list[dict[str, Any]] = layers.rule(*reference, along="x") if reference else []
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
        _numbers(along, low, high, form) | {"encoding": _beside(label, labels) | dodge},
    ]
    pitch = 18 * max(1, len(groups)) + (12 if group else 10)
    spec = {
        "height": max(60, pitch * len(labels)),
        "layer": parts,
        "usermeta": layers.usermeta(right=148, top=8 if group else 22),
    }
    return Figure(id, title, caption, spec, data, alt)


def grid_of_curves(
    frame: "pd.DataFrame",
    *,
    id: str,
    title: str,
    caption: str,
    x: Axis | str,
    y: Axis | str,
    panel: str,
    low: str | None = None,
    high: str | None = None,
    series: str | None = None,
    order: Sequence[str] = (),
    columns: int = 4,
    height: int = 130,
    alt: str = "",
) -> Figure:
    """Small multiples: a panel for each value of ``panel``, all on the same axes.

    Args as in ``curve``; ``columns`` is the most panels in a row (fewer where the page is narrow).
    """
    across, up = axis(x), axis(y)
    data = layers.tidy(frame, [across.field, up.field], [low, high], [panel, series])
    if data.empty or data[column(across.field)].nunique() < 2:
        return Figure(id, title, caption, {}, data, alt)
    xs, ys = data[column(across.field)], data[column(up.field)]
    wide = reach(across, xs, margin=0.0)
    tall = reach(up, ys, *(data[column(name)] for name in (low, high) if name))
    known = _order(data, series, order)
    panels = list(dict.fromkeys(data[column(panel)]))
    shade = colour(series, known, legend=True)
    upwards = field(up, tall, ys, title=None, tickCount=3)
    shown = _tip(across, up, low, high, series, upwards)
    spec = {
        "title": {
            "text": f"{up.name} by {across.name.lower()}",
            "anchor": "start",
            "fontSize": 12,
            "fontWeight": 500,
            "color": "#5c6066",
            "offset": 12,
        },
        "facet": {"field": column(panel), "type": "nominal", "sort": panels, "title": None},
        "columns": columns,
        "spec": {
            "width": 150,
            "height": height,
            "encoding": {"x": field(across, wide, xs, title=None, tickCount=3)},
            "layer": [
                *_band(low, high, shade, tall),
                layers.line(upwards, shade),
                layers.dots(upwards, shade, shown, seen=False),
            ],
        },
        "spacing": 24,
        "resolve": {"axis": {"x": "independent", "y": "independent"}},
        "usermeta": layers.usermeta(
            panel={"least": 120, "overhead": 40, "gap": 24, "columns": columns, "count": len(panels)}
        ),
    }
    return Figure(id, title, caption, spec, data, alt, least=2)


def heat(
    frame: "pd.DataFrame",
    *,
    id: str,
    title: str,
    caption: str,
    x: Axis | str,
    y: Axis | str,
    value: Axis | str,
    low: str | None = None,
    high: str | None = None,
    middle: float | None = None,
    alt: str = "",
) -> Figure:
    """A cell for each pair of ``x`` and ``y``, in the order of the frame, coloured by ``value``.

    Args as in ``curve``; ``middle`` gives a scale of two colours that meet there (0 for effects).
    """
    across, up, along = axis(x), axis(y), axis(value)
    data = layers.tidy(frame, [along.field], [low, high], [across.field, up.field])
    if data.empty:
        return Figure(id, title, caption, {}, data, alt)
    values = data[column(along.field)]
    least, most = reach(along, values, margin=0.0)
    if middle is not None:
        half = max(abs(least - middle), abs(most - middle)) or 1.0
        least, most = middle - half, middle + half
    name, form = column(along.field), along.format or number_format(values)
    ramp = list(SEQUENTIAL if middle is None else DIVERGING)
    third = (most - least) / 3
    dark = f"datum.{name} > {most - third / (1 if middle is None else 2)!r}"
    if middle is not None:
        dark += f" || datum.{name} < {least + third / 2!r}"
    columns = list(dict.fromkeys(data[column(across.field)]))
    rows = list(dict.fromkeys(data[column(up.field)]))
    bounds = [(each, word, form) for each, word in ((low, "from"), (high, "to")) if each]
    shown = tooltip(
        (up.field, up.name, ""), (across.field, across.name, ""), (along.field, along.name, form), *bounds
    )
    fill = {
        "field": name,
        "type": "quantitative",
        "scale": {"domain": [least, most], "range": ramp, "interpolate": "lab"},
        "legend": {"title": along.name, "gradientLength": 180, "gradientThickness": 9, "format": form},
    }
    if middle is not None:
        fill["scale"] = {"domain": [least, (least + middle) / 2, middle, (most + middle) / 2, most], "range": ramp}
    parts: list[dict[str, Any]] = [
        {"mark": {"type": "rect", "cornerRadius": 1}, "encoding": {"color": fill, "tooltip": shown}}
    ]
    if len(columns) <= 10 and len(rows) <= 20:
        ink = {"condition": {"test": dark, "value": "#fefefe"}, "value": "#111214"}
        text = {"field": name, "type": "quantitative", "format": form}
        parts.append({"mark": {"type": "text", "fontSize": 11.5}, "encoding": {"text": text, "color": ink}})
    side = {"type": "ordinal", "scale": {"padding": 0.04}}
    spec = {
        "height": max(60, 34 * len(rows)),
        "encoding": {
            "x": side
            | {"field": column(across.field), "sort": columns}
            | {"axis": {"title": across.name, "labelAngle": 0, "domain": False, "ticks": False}},
            "y": side | {"field": column(up.field), "sort": rows, "axis": {"title": up.name, "grid": False}},
        },
        "layer": parts,
        "usermeta": layers.usermeta(),
    }
    return Figure(id, title, caption, spec, data, alt)


def _order(data: "pd.DataFrame", series: str | None, given: Sequence[str]) -> list[str]:
    """The series in the order given, then those not named, in the order of the frame."""
    if series is None:
        return []
    there = list(dict.fromkeys(data[column(series)]))
    named = [visible(str(name)) for name in given]
    return [name for name in named if name in there] + [name for name in there if name not in named]


def _tip(
    x: Axis, y: Axis, low: str | None, high: str | None, series: str | None, upwards: dict[str, Any]
) -> list[dict[str, Any]]:
    form = upwards["axis"]["format"]
    whose = [(series, series.replace("_", " ").capitalize(), "")] if series else []
    bounds = [(each, word, form) for each, word in ((low, "from"), (high, "to")) if each]
    return tooltip(*whose, (x.field, x.name, x.format or ",.4~g"), (y.field, y.name, form), *bounds)


def _band(low: str | None, high: str | None, shade: Any, domain: tuple[float, float]) -> list[dict[str, Any]]:
    return [layers.ribbon(low, high, shade, domain)] if low and high else []


def _labels(label: str, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "field": column(label),
        "type": "nominal",
        "sort": list(labels),
        "axis": {"title": None, "labelColor": INK, "labelFontSize": 12, "grid": False},
    }


def _numbers(along: Axis, low: str, high: str, form: str) -> dict[str, Any]:
    value, lower, upper = (f"datum.{column(name)}" for name in (along.field, low, high))
    shown = f"format({value}, '{form}')"
    between = f"' [' + format({lower}, '{form}') + ', ' + format({upper}, '{form}') + ']'"
    known = f"isValid({lower}) && isValid({upper})"
    return {
        "name": "wide-numbers",
        "transform": [{"calculate": f"{shown} + ({known} ? {between} : '')", "as": "shown"}],
        "mark": {"type": "text", "align": "left", "dx": 14, "fontSize": 11.5, "limit": 140},
    }


def _beside(label: str, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "x": {"value": "width"},
        "y": _labels(label, labels),
        "text": {"field": "shown", "type": "nominal"},
    }
