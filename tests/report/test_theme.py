"""Colours can be read on their ground and told apart, also by the colour-blind."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from cloudchamber.report import theme

Colour = npt.NDArray[np.float64]

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(code: str) -> Colour:
    raw = np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(raw <= 0.04045, raw / 12.92, ((raw + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted((float(weights @ linear(one)), float(weights @ linear(other))))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: Colour) -> Colour:
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_series_stand_out_from_the_ground(dark: bool) -> None:
    ground = theme.COLOURS["paper"][dark]
    for name, both in theme.COLOURS.items():
        words = name.startswith("name") or name in {
            "ink",
            "quiet",
            "link",
            "good",
            "poor",
            "unsure",
        }
        if words or name.startswith("series"):
            least = 4.5 if words else 3.2
            assert contrast(both[dark], ground) >= least, name


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("sight", SIGHT)
def test_the_first_five_series_differ(sight: str, dark: bool) -> None:
    codes = [theme.COLOURS[f"series-{n}"][dark] for n in range(1, 6)]
    seen = [lab(SIGHT[sight] @ linear(code)) for code in codes]
    distances = {
        (a, b): float(np.linalg.norm(seen[a] - seen[b])) for a, b in combinations(range(5), 2)
    }
    assert min(distances.values()) > 14, distances


def test_every_drawn_colour_becomes_a_variable_that_exists() -> None:
    css = theme.css_variables(dark=True)
    variables = theme.variables()
    assert set(theme.SERIES) <= set(variables)
    for variable in variables.values():
        assert f"{variable[4:-1]}:#" in css


def test_colours_that_are_mixed_are_no_variables() -> None:
    assert not set(theme.NIGHT) & set(theme.variables())
