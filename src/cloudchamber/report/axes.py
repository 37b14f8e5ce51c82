"""Axes, scales and direct labels: how a figure shows a quantity, as parts of Vega-Lite."""

__all__ = ["Axis", "axis", "colour", "field", "number_format", "reach", "spread", "tooltip"]

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudchamber.report.frames import column, visible
from cloudchamber.report.theme import SERIES


@dataclass(frozen=True)
class Axis:
    """A column shown along an axis.

    Attributes:
        field: the column.
        title: what it measures, in words; "" for the column's name.
        unit: of the numbers, shown in brackets after the title; "" for none.
        format: a d3 format such as ".0%"; "" for one that suits the numbers.
        domain: least and greatest value shown; None for what the data span.
        zero: whether zero is always in sight.
        log: a logarithmic scale (values <= 0 are not drawn).
        names: what to write at some values in place of the number, and nowhere else.
    """

    field: str
    title: str = ""
    unit: str = ""
    format: str = ""
    domain: tuple[float, float] | None = None
    zero: bool = False
    log: bool = False
    names: tuple[tuple[float, str], ...] = ()

    @property
    def name(self) -> str:
        """The title with its unit."""
        words = self.title or self.field.replace("_", " ").capitalize()
        return _line(f"{words} ({self.unit})" if self.unit else words)


def axis(given: Axis | str) -> Axis:
    """An axis from itself, or from a column's name."""
    return given if isinstance(given, Axis) else Axis(given)


def number_format(values: npt.ArrayLike) -> str:
    """A d3 format: whole numbers as such, else as many digits as tell the values apart."""
    finite = _finite(values)
    if not finite.size or np.all(finite == np.round(finite)):
        return ",d"
    span = float(finite.max() - finite.min()) or float(abs(finite.max())) or 1.0
    decimals = min(6, max(1, 1 - math.floor(math.log10(span))))
    return f",.{decimals}~f"


def reach(given: Axis, *values: npt.ArrayLike, margin: float = 0.04) -> tuple[float, float]:
    """The least and greatest value to show: the axis's own, or the data's with a margin."""
    if given.domain is not None:
        return given.domain
    finite = np.concatenate([_finite(each) for each in values])
    finite = finite[finite > 0] if given.log else finite
    if not finite.size:
        return (0.1, 1.0) if given.log else (0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if given.log:
        return (low, high if high > low else low * 10)
    if given.zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high == low:
        pad = abs(high) * 0.1 or 1.0
        return (low - pad, high + pad)
    pad = (high - low) * margin
    # An end at zero is a floor or a ceiling: no room beyond it.
    return (low - pad if low else low, high + pad if high else high)


def field(
    given: Axis, domain: tuple[float, float], *values: npt.ArrayLike, **more: Any
) -> dict[str, Any]:
    """A quantitative encoding of the axis's column, with its scale and title."""
    finite = np.concatenate([_finite(each) for each in values])
    whole = bool(finite.size) and bool(np.all(finite == np.round(finite)))
    scale: dict[str, Any] = {"domain": list(domain), "nice": False, "zero": False}
    if given.log:
        scale |= {"type": "log"}
    shown: dict[str, Any] = {
        "title": given.name,
        "format": given.format or number_format(finite if whole else np.linspace(*domain, 5)),
        "tickCount": 5,
    }
    if whole and not given.log:
        shown["tickMinStep"] = 1
    shown |= more
    if given.names:
        shown |= {"values": [value for value, _ in given.names], "labelExpr": _named(given.names)}
        # Values are thinned out by these, and with them their names.
        shown = {key: one for key, one in shown.items() if key not in ("tickCount", "tickMinStep")}
    return {
        "field": column(given.field),
        "type": "quantitative",
        "scale": scale,
        "axis": shown,
    }


def _named(names: Sequence[tuple[float, str]]) -> str:
    """An expression that writes a name where there is one; names are quoted as JSON."""
    cases = "".join(
        f"datum.value == {value:g} ? {json.dumps(_line(name))} : " for value, name in names
    )
    return f"{cases}''"


def colour(series: str | None, order: Sequence[str], *, legend: bool = False) -> dict[str, Any]:
    """The colour of a series, from its place in the order; the first colour where there is none."""
    if series is None:
        return {"value": SERIES[0]}
    colours = [SERIES[i % len(SERIES)] for i in range(len(order))]
    encoding: dict[str, Any] = {
        "field": column(series),
        "type": "nominal",
        "scale": {"domain": list(order), "range": colours},
    }
    encoding["legend"] = {"symbolOpacity": 1, "symbolType": "circle"} if legend else None
    return encoding


def tooltip(*shown: tuple[str, str, str]) -> list[dict[str, Any]]:
    """A tooltip of (column, title, format) each; format "" for words."""
    return [
        # Vega-Lite writes the title into an expression between quotes, as it stands.
        {"field": column(name), "title": _line(title).replace("\\", "/").replace('"', "'")}
        | ({"type": "quantitative", "format": form} if form else {"type": "nominal"})
        for name, title, form in shown
    ]


def spread(
    wanted: Sequence[float], domain: tuple[float, float], height: float, gap: float = 15.0
) -> list[float]:
    """Where to write labels so that none covers another: near ``wanted``, ``gap`` pixels apart.

    Args:
        wanted: where the labels belong, in the axis's numbers.
        domain: the axis's ends.
        height: of the axis, in pixels.
        gap: least distance between two labels, in pixels; less where there is no room for it.

    Returns:
        A place for each label, in the axis's numbers, within the domain.
    """
    low, high = domain
    scale = (height / (high - low)) if high > low else 1.0
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    gap = min(gap, height / max(1, len(order) - 1))
    # With i gaps taken off the i-th place, "at least a gap apart" is "never falling": the nearest
    # such places in least squares are the means of pooled neighbours (isotonic regression).
    pools: list[tuple[float, int]] = []
    for i, at in enumerate(order):
        mean, count = (wanted[at] - low) * scale - i * gap, 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    top = height - gap * (len(order) - 1)
    level = [min(max(mean, 0.0), top) for mean, count in pools for _ in range(count)]
    result = [0.0] * len(order)
    for i, at in enumerate(order):
        result[at] = low + (level[i] + i * gap) / scale
    return result


def _line(text: str) -> str:
    return " ".join(visible(text).split())


def _finite(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64).ravel()
    return array[np.isfinite(array)]
