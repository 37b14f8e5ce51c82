"""Colours and type of the account: one palette for page and figures, in light and dark.

Figures are written with the light colours, so that a specification can be drawn anywhere (and a
download looks as on paper); the page replaces each of them by a CSS variable that follows the
reader's light or dark setting. Series colours start from Okabe and Ito's (2008, Color Universal
Design); lightness is shifted so that each stands out from its ground (contrast 3.2 or more) and
the first five differ by 14 or more in CIELAB for usual, protan and deutan sight
(tests/report/test_theme.py).
"""

__all__ = [
    "DIVERGING",
    "INK",
    "NIGHT",
    "ON_DARK",
    "ON_LIGHT",
    "QUIET",
    "REFERENCE",
    "SEQUENTIAL",
    "SERIES",
    "VEGA_CONFIG",
]

from typing import Any, Final

INK: Final = "#1c1d1f"
QUIET: Final = "#5c6066"
GRID: Final = "#e8e6e1"
AXIS: Final = "#b9b7b1"
PAPER: Final = "#fffefc"
REFERENCE: Final = "#75787d"

SERIES: Final = (
    "#0072b2",  # blue
    "#a94d0c",  # vermillion
    "#039f74",  # bluish green
    "#c3719f",  # reddish purple
    "#b98115",  # orange
    "#4a6a8a",  # slate, for sky blue
    "#2b2d30",  # near black
)

# The same for words, which need more contrast than lines.
NAMES: Final = ("#0068a3", "#a04203", "#00795a", "#a1487c", "#855a00", "#44627f", "#26282b")

SEQUENTIAL: Final = ("#eaf1f7", "#a9cbe3", "#5a9dc9", "#1f6fa8", "#0a3f6e")
DIVERGING: Final = ("#a83f06", "#e39a6c", "#f3f1ec", "#7fb2d6", "#0a5a91")

ON_LIGHT: Final = "#111214"  # words on a light cell of a heat map
ON_DARK: Final = "#fefefe"

# Colours between which others are mixed cannot be variables: on a dark screen the page draws
# with these instead, in which nothing is dark and much is bright, as for the words on them.
NIGHT: Final = dict(
    zip(
        (*SEQUENTIAL, *DIVERGING, ON_LIGHT, ON_DARK),
        (
            *("#222f3a", "#2b5675", "#3f81b0", "#7ab3d9", "#cfe6f6"),
            *("#f2a878", "#a8582a", "#2a2b2f", "#2f6f9f", "#9ccbee"),
            *(ON_DARK, ON_LIGHT),
        ),
        strict=True,
    )
)

# name of the CSS variable -> (light, dark)
COLOURS: Final[dict[str, tuple[str, str]]] = {
    "paper": (PAPER, "#17181b"),
    "raised": ("#f7f5f1", "#1f2125"),
    "ink": (INK, "#e9e7e2"),
    "quiet": (QUIET, "#a5a6a8"),
    "line": ("#dedbd4", "#37393e"),
    "grid": (GRID, "#2c2e33"),
    "axis": (AXIS, "#56595f"),
    "reference": (REFERENCE, "#93969b"),
    "link": ("#0a5a91", "#7db8e4"),
    "good": ("#00694b", "#4cc49c"),
    "poor": ("#a33c02", "#f0945c"),
    "unsure": ("#7d5600", "#dfb04c"),
    "series-1": (SERIES[0], "#6daae8"),
    "series-2": (SERIES[1], "#ed8545"),
    "series-3": (SERIES[2], "#4bb890"),
    "series-4": (SERIES[3], "#e08bba"),
    "series-5": (SERIES[4], "#fbbb54"),
    "series-6": (SERIES[5], "#93b4d4"),
    "series-7": (SERIES[6], "#d5d6d8"),
    "name-1": (NAMES[0], "#6daae8"),
    "name-2": (NAMES[1], "#ed8545"),
    "name-3": (NAMES[2], "#4bb890"),
    "name-4": (NAMES[3], "#e08bba"),
    "name-5": (NAMES[4], "#fbbb54"),
    "name-6": (NAMES[5], "#93b4d4"),
    "name-7": (NAMES[6], "#d5d6d8"),
}

# What figures use; the page turns these, and no other colours, into variables.
DRAWN: Final = (
    *("ink", "quiet", "grid", "axis", "reference", "paper"),
    *(f"{kind}-{n}" for kind in ("series", "name") for n in range(1, len(SERIES) + 1)),
)

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

VEGA_CONFIG: Final[dict[str, Any]] = {
    "font": FONT,
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "domainColor": AXIS,
        "tickColor": AXIS,
        "gridColor": GRID,
        "labelColor": QUIET,
        "labelFontSize": 11.5,
        "labelPadding": 6,
        "titleColor": QUIET,
        "titleFontSize": 12,
        "titleFontWeight": 500,
        "titlePadding": 10,
    },
    "axisX": {"grid": False, "tickSize": 4, "labelFlush": False},
    "axisY": {
        "domain": False,
        "ticks": False,
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "end",
        "titleBaseline": "bottom",
        "titleX": 0,
        "titleY": -12,
    },
    "header": {
        "labelColor": INK,
        "labelFontSize": 12,
        "labelFontWeight": 600,
        "labelAnchor": "start",
        "labelPadding": 10,
        "title": None,
    },
    "legend": {
        "labelColor": INK,
        "labelFontSize": 12,
        "labelLimit": 260,
        "offset": 32,  # the title of the y axis stands between legend and plot
        "orient": "top",
        "symbolSize": 60,
        "title": None,
        "titleColor": QUIET,
        "titleFontSize": 12,
        "titleFontWeight": 500,
        "titlePadding": 6,
    },
    "text": {"color": INK, "fontSize": 12},
    "rule": {"color": AXIS},
    "line": {"strokeWidth": 2, "strokeCap": "round", "strokeJoin": "round"},
    "range": {"category": list(SERIES), "ramp": list(SEQUENTIAL), "heatmap": list(SEQUENTIAL)},
}


def css_variables(dark: bool) -> str:
    """The palette as CSS declarations."""
    return "".join(f"--{name}:{both[dark]};" for name, both in COLOURS.items())


def variables() -> dict[str, str]:
    """Which colour of a figure becomes which CSS variable."""
    return {COLOURS[name][0]: f"var(--{name})" for name in DRAWN}
