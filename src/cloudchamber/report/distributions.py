"""Distributions: each run as a dot, or the share of runs below a value, beside field data."""

__all__ = ["distributions"]

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cloudchamber.report import layers
from cloudchamber.report.axes import Axis, axis, colour, field, number_format, reach, tooltip
from cloudchamber.report.document import Figure
from cloudchamber.report.frames import column
from cloudchamber.report.theme import INK, SERIES

if TYPE_CHECKING:
    import pandas as pd

_BINS = 56  # places for dots along the axis
_DOTS = 60  # of one series; more runs than that are shown by as many of their quantiles


def distributions(
    frame: "pd.DataFrame",
    *,
    id: str,
    title: str,
    caption: str,
    value: Axis | str = "value",
    series: str = "series",
    order: Sequence[str] = (),
    field_data: str | None = None,
    kind: Literal["dots", "ecdf"] = "dots",
    height: int = 280,
    alt: str = "",
) -> Figure:
    """The values of each series: dots piled up (with their median), or cumulated.

    Args:
        frame: a row a run (or an observation from the field).
        id: see ``Figure``, as ``title``, ``caption`` and ``alt``.
        title: what is to be seen.
        caption: how to read it.
        value: what is distributed.
        series: whose value it is.
        order: of the series, which gives their colours; () for the order in the frame.
        field_data: the series that is field data, drawn in ink; None for none.
        kind: "dots" (a dot a run, or a quantile where there are more than 60), or "ecdf".
        height: of an ecdf, in pixels.
        alt: the same in words.
    """
    along = axis(value)
    tidied = layers.tidy(frame, [along.field], words=[series])
    known = layers.order_of(tidied, series, order)
    if len(tidied) < 2:
        return Figure(id, title, caption, {}, tidied, alt)
    shade = _shades(series, known, field_data)
    wide = reach(along, tidied[column(along.field)])
    draw = _dots if kind == "dots" else _steps
    data, spec = draw(tidied, along, column(series), known, wide, shade)
    if kind == "ecdf":
        spec["height"] = height
    return Figure(id, title, caption, spec, data, alt, least=2)


def _shades(series: str, known: Sequence[str], field_data: str | None) -> dict[str, Any]:
    """Colours in order, except that field data are in ink."""
    shade = colour(series, known)
    colours = iter(SERIES[:-1] * (1 + len(known) // (len(SERIES) - 1)))
    shade["scale"]["range"] = [INK if name == field_data else next(colours) for name in known]
    return shade


def _dots(
    data: "pd.DataFrame",
    along: Axis,
    by: str,
    known: Sequence[str],
    wide: tuple[float, float],
    shade: Any,
) -> tuple["pd.DataFrame", dict[str, Any]]:
    """Dots piled up in each series' row, and a stroke at its median."""
    import pandas as pd

    name = column(along.field)
    step = (wide[1] - wide[0]) / _BINS
    piles, medians = [], []
    for one in known:
        values = np.sort(data.loc[data[by] == one, name].to_numpy(dtype=np.float64))
        medians.append({by: one, name: float(np.median(values))})
        if len(values) > _DOTS:
            values = np.quantile(values, (np.arange(_DOTS) + 0.5) / _DOTS)
        bins = np.floor((values - wide[0]) / step).astype(int)
        rank = [int(np.sum(bins[:i] == bins[i])) for i in range(len(bins))]
        piles.append(pd.DataFrame({by: one, name: values, "pile": rank}))
    piled = pd.concat(piles, ignore_index=True)
    most = int(piled["pile"].max()) + 1
    pitch = 30 + 8 * min(most, 9)
    # A row's dots stand on its floor; taller piles than nine are pressed together.
    rows: dict[str, Any] = {
        "field": by,
        "type": "nominal",
        "sort": list(known),
        "scale": {"padding": 0},
    }
    rows |= {"axis": {"title": None, "labelColor": INK, "labelFontSize": 12, "grid": False}}
    rows["axis"] |= {"labelOffset": pitch / 2 - 14}  # beside the floor, not the middle, of a row
    rise = {
        "field": "pile",
        "type": "quantitative",
        "scale": {
            "domain": [0, max(most, 2)],
            "range": [pitch - 14, pitch - 14 - 8 * min(max(most, 2), 9)],
        },
    }
    across = field(along, wide, piled[name])
    form = across["axis"]["format"].replace("~", "")
    shown = tooltip((by, by.capitalize(), ""), (along.field, along.name, form))
    spec = {
        "height": pitch * len(known),
        "encoding": {"y": rows},
        "layer": [
            {
                "mark": {"type": "point", "filled": True, "size": 40, "opacity": 0.9},
                "encoding": {"x": across, "yOffset": rise, "color": shade, "tooltip": shown},
            },
            {
                "data": {"values": medians},
                "mark": {"type": "tick", "thickness": 2, "size": 9, "yOffset": pitch / 2 - 3},
                "encoding": {"x": {"field": name, "type": "quantitative"}, "color": shade},
            },
            {
                "name": "wide-medians",
                "data": {"values": medians},
                "mark": {
                    "type": "text",
                    "align": "left",
                    "dx": 14,
                    "yOffset": pitch / 2 - 14,
                    "fontSize": 11.5,
                },
                "encoding": {
                    "x": {"value": "width"},
                    "text": {"field": name, "type": "quantitative", "format": form},
                },
            },
        ],
    }
    return piled, spec


def _steps(
    data: "pd.DataFrame",
    along: Axis,
    by: str,
    known: Sequence[str],
    wide: tuple[float, float],
    shade: Any,
) -> tuple["pd.DataFrame", dict[str, Any]]:
    """The share of each series at or below a value, as steps."""
    import pandas as pd

    name = column(along.field)
    parts = []
    for one in known:
        values = np.sort(data.loc[data[by] == one, name].to_numpy(dtype=np.float64))
        shares = np.arange(len(values) + 1) / len(values)
        reached = np.concatenate([values[:1], values])
        parts.append(pd.DataFrame({by: one, name: reached, "share": shares}))
    stepped = pd.concat(parts, ignore_index=True)
    share = Axis("share", "Share at or below", format=".0%", domain=(0.0, 1.0))
    upwards = field(share, (0.0, 1.0), stepped["share"])
    across = field(along, wide, data[name])
    form = along.format or number_format(data[name])
    shown = tooltip(
        (by, by.capitalize(), ""), (along.field, along.name, form), ("share", share.title, ".0%")
    )
    legend = shade | {"legend": {"symbolOpacity": 1, "symbolType": "circle"}}
    spec = {
        "encoding": {"x": across},
        "layer": [
            layers.line(upwards, legend, interpolate="step-after"),
            layers.dots(upwards, legend, shown, seen=False),
        ],
    }
    return stepped, spec
