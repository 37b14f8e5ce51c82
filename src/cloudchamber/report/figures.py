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
    "standalone",
]

from typing import Any

from cloudchamber.report.axes import Axis
from cloudchamber.report.curves import bars_by_position, curve, grid_of_curves, profile
from cloudchamber.report.distributions import distributions
from cloudchamber.report.document import Figure
from cloudchamber.report.forest import intervals
from cloudchamber.report.frames import plain, records
from cloudchamber.report.heat import heat
from cloudchamber.report.theme import VEGA_CONFIG


def standalone(figure: Figure, width: int = 560) -> dict[str, Any]:
    """A figure as Vega-Lite with its data and theme inside, for altair, vl-convert or an editor.

    Args:
        figure: one that has a specification.
        width: of the plot in pixels; small multiples keep their own.
    """
    spec: dict[str, Any] = plain(figure.spec)
    spec.pop("usermeta", None)
    if "layer" in spec:
        kept = [each for each in spec["layer"] if not each.get("name", "").startswith("narrow-")]
        spec |= {"layer": kept, "width": width}
    table = records(figure.data)
    rows = [dict(zip(table["fields"], row, strict=True)) for row in table["rows"]]
    config = {**VEGA_CONFIG, "background": "#ffffff", "font": "Helvetica, Arial, sans-serif"}
    return {"data": {"values": rows}, "config": config, **spec}
