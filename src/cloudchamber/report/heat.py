"""Heat maps: a coloured cell for each pair of two factors."""

__all__ = ["heat"]

from typing import TYPE_CHECKING, Any

from cloudchamber.report import layers
from cloudchamber.report.axes import Axis, axis, number_format, reach, tooltip
from cloudchamber.report.document import Figure
from cloudchamber.report.frames import column
from cloudchamber.report.theme import DIVERGING, ON_DARK, ON_LIGHT, SEQUENTIAL

if TYPE_CHECKING:
    import pandas as pd


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
        (up.field, up.name, ""),
        (across.field, across.name, ""),
        (along.field, along.name, form),
        *bounds,
    )
    fill = {
        "field": name,
        "type": "quantitative",
        "scale": {"domain": [least, most], "range": ramp, "interpolate": "rgb"},
        "legend": {
            "title": along.name,
            "gradientLength": 180,
            "gradientThickness": 9,
            "format": form,
        },
    }
    if middle is not None:
        fill["scale"] = {
            "domain": [least, (least + middle) / 2, middle, (most + middle) / 2, most],
            "range": ramp,
            "interpolate": "rgb",
        }
    parts: list[dict[str, Any]] = [
        {"mark": {"type": "rect", "cornerRadius": 1}, "encoding": {"color": fill, "tooltip": shown}}
    ]
    if len(columns) <= 10 and len(rows) <= 20:
        ink = {"condition": {"test": dark, "value": ON_DARK}, "value": ON_LIGHT}
        text = {"field": name, "type": "quantitative", "format": form}
        parts.append(
            {"mark": {"type": "text", "fontSize": 11.5}, "encoding": {"text": text, "color": ink}}
        )
    side = {"type": "ordinal", "scale": {"padding": 0.04}}
    spec = {
        "height": max(60, 34 * len(rows)),
        "encoding": {
            "x": side
            | {"field": column(across.field), "sort": columns}
            | {"axis": {"title": across.name, "labelAngle": 0, "domain": False, "ticks": False}},
            "y": side
            | {"field": column(up.field), "sort": rows, "axis": {"title": up.name, "grid": False}},
        },
        "layer": parts,
    }
    return Figure(id, title, caption, spec, data, alt)
