"""Curves and what else has a value along an axis: profiles, bars, small multiples."""

__all__ = ["bars_by_position", "curve", "grid_of_curves", "profile"]

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cloudchamber.report import layers
from cloudchamber.report.axes import Axis, axis, colour, field, reach, tooltip
from cloudchamber.report.document import Figure
from cloudchamber.report.frames import column
from cloudchamber.report.theme import INK, NAMES, QUIET, SERIES

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
    dashed: Sequence[str] = (),
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
        dashed: the series that are drawn so, on top of what they may hide.
        reference: a value of ``y`` and its name, drawn as a dashed line.
        points: whether each row is also drawn as a dot.
        height: of the plot, in pixels.
        alt: the same in words.
    """
    across, up = axis(x), axis(y)
    data = layers.tidy(frame, [across.field, up.field], [low, high], [series])
    known = layers.order_of(data, series, order)
    if data.empty or data[column(across.field)].nunique() < 2:
        return Figure(id, title, caption, {}, data, alt)
    xs, ys = data[column(across.field)], data[column(up.field)]
    bounds = [data[column(name)] for name in (low, high) if name]
    referred = [[reference[0]]] if reference else []
    wide = reach(across, xs, margin=0.0)
    tall = reach(up, ys, *bounds, *referred)
    shade = colour(series, known)
    upwards = field(up, tall, ys, *bounds)
    shown = _tip(across, up, low, high, series, upwards)
    parts = layers.band(low, high, shade, tall)
    parts += layers.rule(*reference) if reference else []
    parts += [
        layers.line(upwards, shade, series, dashed),
        layers.dots(upwards, shade, shown, seen=points),
    ]
    several = series if len(known) > 1 else None
    if several or reference:
        shades = {name: NAMES[i % len(NAMES)] for i, name in enumerate(known)}
        ends = layers.ends(data, across, up, several, shades, (wide, tall), height, reference)
        parts.append(ends)
    spec = {
        "height": height,
        "encoding": {"x": field(across, wide, xs)},
        "layer": parts,
        "usermeta": layers.usermeta(legend=len(known) > 1),
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
    uniform = (1 / count, f"uniform, 1/{count}") if count else None
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
    upwards = field(up, tall, values, *bounds)
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
    if reference:
        parts += layers.rule(*reference)
        reached = ((0.0, 1.0), tall)
        parts.append(layers.ends(data, where, up, None, {}, reached, height, reference))
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
    }
    return Figure(id, title, caption, spec, data, alt, least=2)


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
    dashed: Sequence[str] = (),
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
    known = layers.order_of(data, series, order)
    panels = list(dict.fromkeys(data[column(panel)]))
    shade = colour(series, known, legend=True)
    upwards = field(up, tall, ys, title=None, tickCount=4)
    shown = _tip(across, up, low, high, series, upwards)
    spec = {
        "title": {
            "text": f"{up.name} by {across.name.lower()}",
            "anchor": "start",
            "fontSize": 12,
            "fontWeight": 500,
            "color": QUIET,
            "offset": 12,
        },
        "facet": {"field": column(panel), "type": "nominal", "sort": panels, "title": None},
        "columns": columns,
        "spec": {
            "width": 150,
            "height": height,
            "encoding": {"x": field(across, wide, xs, title=None, tickCount=3)},
            "layer": [
                *layers.band(low, high, shade, tall),
                layers.line(upwards, shade, series, dashed),
                layers.dots(upwards, shade, shown, seen=False),
            ],
        },
        "spacing": 24,
        "resolve": {"axis": {"x": "independent", "y": "independent"}},
        "usermeta": layers.usermeta(
            panel={
                "least": 120,
                "overhead": 32,
                "gap": 24,
                "columns": columns,
                "count": len(panels),
            }
        ),
    }
    return Figure(id, title, caption, spec, data, alt, least=2)


def _tip(
    x: Axis, y: Axis, low: str | None, high: str | None, series: str | None, upwards: dict[str, Any]
) -> list[dict[str, Any]]:
    form = upwards["axis"]["format"].replace("~", "")
    whose = [(series, series.replace("_", " ").capitalize(), "")] if series else []
    bounds = [(each, word, form) for each, word in ((low, "from"), (high, "to")) if each]
    return tooltip(*whose, (x.field, x.name, x.format or ",.4~g"), (y.field, y.name, form), *bounds)
