"""Figures: known answers, and specifications that Vega-Lite takes."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import SpecificationError
from cloudchamber.report import figures
from cloudchamber.report.axes import number_format, reach, spread
from cloudchamber.report.document import Figure
from cloudchamber.report.figures import Axis
from cloudchamber.report.frames import inert_json, plain
from cloudchamber.report.theme import NAMES
from tests.report.example import all_figures, effect_frame, gini_frame

DRAWN = [figure for figure in all_figures() if figure.spec]
IDS = [figure.id for figure in DRAWN]


def layers_of(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from spec.get("layer", [])
    if "spec" in spec:
        yield from layers_of(spec["spec"])


def named(spec: dict[str, Any], name: str) -> dict[str, Any]:
    (layer,) = [layer for layer in layers_of(spec) if layer.get("name") == name]
    return layer


@pytest.mark.parametrize("figure", DRAWN, ids=IDS)
def test_every_field_is_a_column_of_its_data(figure: Figure) -> None:
    shared = figure.spec.get("encoding", {}) | figure.spec.get("spec", {}).get("encoding", {})
    count = 0
    for layer in layers_of(dict(figure.spec)):
        there = set(figure.data.columns)
        if "data" in layer:
            there = set(layer["data"]["values"][0])
        there |= {each["as"] for each in layer.get("transform", [])}
        used = {} if "data" in layer else shared
        for encoding in (used | layer["encoding"]).values():
            for part in encoding if isinstance(encoding, list) else [encoding]:
                if "field" in part:
                    assert part["field"] in there
                    count += 1
    assert count > 2


@pytest.mark.parametrize("figure", DRAWN, ids=IDS)
def test_specifications_are_finite_json(figure: Figure) -> None:
    assert plain(figure.spec) == figure.spec  # no NaN became null
    inert_json(figure.spec)


@pytest.mark.parametrize("figure", DRAWN, ids=IDS)
def test_vega_lite_takes_the_specification(figure: Figure) -> None:
    altair = pytest.importorskip("altair")
    altair.Chart.from_dict(figures.standalone(figure), validate=True)


def test_names_stand_at_the_ends_of_their_curves_in_their_colours() -> None:
    curve = DRAWN[IDS.index("gini-over-time")]
    rows = named(dict(curve.spec), "wide-names")["data"]["values"]
    last = gini_frame().query("step == 200").set_index("cell")["gini"]
    domain = curve.spec["layer"][0]["encoding"]["color"]["scale"]["domain"]
    colours = dict(zip(domain, NAMES, strict=False))
    for row in rows[:-1]:
        assert row["place"] == pytest.approx(last[row["name"]])  # far apart: none is moved
        assert row["shade"] == colours[row["name"]]
    assert rows[-1]["name"] == "independent choice"
    assert rows[-1]["place"] == pytest.approx(0.12)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=15), st.floats(200, 400), st.floats(0.01, 1000)
)
def test_labels_never_cover_each_other_and_keep_their_order(
    wanted: list[float], height: float, scale: float
) -> None:
    domain = (-scale, scale)
    goals = [(2 * each - 1) * scale for each in wanted]
    places = spread(goals, domain, height, gap=12)
    pixels = sorted((place + scale) / (2 * scale) * height for place in places)
    gaps = np.diff(pixels)
    assert np.all(gaps > 12 - 1e-6)
    assert pixels[0] > -1e-6 and pixels[-1] < height + 1e-6
    order = sorted(range(len(goals)), key=lambda i: goals[i])
    assert [places[i] for i in order] == sorted(places)


def test_labels_without_room_share_what_there_is() -> None:
    assert spread([0.5] * 5, (0, 1), 40) == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])


def test_labels_with_room_stay_where_they_belong() -> None:
    assert spread([0.9, 0.1], (0, 1), 300) == pytest.approx([0.9, 0.1])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 20, 300], ",d"),
        ([0.0, 0.85], ",.2~f"),
        ([0.011, 0.012], ",.4~f"),
        ([100.5, 900.5], ",.1~f"),
        ([np.nan], ",d"),
    ],
)
def test_number_formats_tell_values_apart(values: list[float], expected: str) -> None:
    assert number_format(values) == expected


def test_reach_of_data() -> None:
    assert reach(Axis("y"), [0, 10], margin=0.1) == (0.0, 11.0)
    assert reach(Axis("y", zero=True), [5, 10], margin=0.0) == (0.0, 10.0)
    assert reach(Axis("y"), [2, np.nan, np.inf]) == pytest.approx((1.8, 2.2))
    assert reach(Axis("y", domain=(0, 1)), [5]) == (0, 1)
    assert reach(Axis("y", log=True), [0, -1, 10, 1000]) == (10, 1000)
    assert reach(Axis("y"), []) == (0.0, 1.0)


def test_profile_has_the_line_of_a_choice_blind_to_position() -> None:
    frame = pd.DataFrame({"position": [1, 2, 3, 4], "probability": [0.4, 0.3, 0.2, 0.1]})
    profile = figures.profile(frame, id="p", title="t", caption="c")
    rules = [layer for layer in profile.spec["layer"] if layer["mark"].get("type") == "rule"]
    assert rules[0]["data"]["values"] == [{"reference": 0.25}]
    assert named(dict(profile.spec), "wide-names")["data"]["values"][0]["name"] == "uniform, 1/4"


def test_intervals_are_sorted_and_keep_a_dot_without_bounds() -> None:
    frame = effect_frame().query("feed == 'no attack'")
    drawn = figures.intervals(frame, id="i", title="t", caption="c", label="intervention")
    order = drawn.spec["layer"][0]["encoding"]["y"]["sort"]
    assert order[0] == "ask to judge on merit" and order[-1] == "one item at a time"
    assert math.isnan(drawn.data.set_index("intervention")["low"]["ask to judge on merit"])
    given_order = figures.intervals(
        frame, id="i", title="t", caption="c", label="intervention", sort="given"
    )
    assert given_order.spec["layer"][0]["encoding"]["y"]["sort"] == list(frame.intervention)


def test_whole_values_with_broken_bounds_keep_their_decimals() -> None:
    frame = pd.DataFrame({"label": ["a", "b"], "value": [1, 2], "low": [0.5, 1.5], "high": 2.5})
    drawn = figures.intervals(frame, id="i", title="t", caption="c")
    assert "',.1f'" in named(dict(drawn.spec), "wide-numbers")["transform"][0]["calculate"]


def test_rows_that_cannot_be_placed_are_left_out() -> None:
    frame = pd.DataFrame({"step": [0, 1, 2, 3], "y": [0.1, np.nan, np.inf, 0.4]})
    drawn = figures.curve(frame, id="c", title="t", caption="c", x="step", y="y")
    assert drawn.data["step"].tolist() == [0, 3]


@pytest.mark.parametrize("rows", [0, 1])
def test_with_too_little_data_every_builder_gives_an_empty_or_whole_figure(rows: int) -> None:
    gini, effects = gini_frame().head(rows), effect_frame().head(rows)
    about: dict[str, Any] = {"id": "f", "title": "t", "caption": "c"}
    along: dict[str, Any] = {"x": "step", "y": "gini", "low": "low", "high": "high"}
    made = [
        figures.curve(gini, **about, **along, series="cell"),
        figures.grid_of_curves(gini, **about, **along, panel="cell"),
        figures.profile(gini, **about, position="step", probability="gini"),
        figures.bars_by_position(gini, **about, position="step", value="gini"),
        figures.distributions(gini, **about, value="gini", series="cell"),
        figures.distributions(gini, **about, value="gini", series="cell", kind="ecdf"),
    ]
    assert all(not figure.spec for figure in made)
    whole = [
        figures.intervals(effects, **about, label="intervention"),
        figures.heat(effects, **about, x="intervention", y="feed", value="value", middle=0.0),
    ]
    assert all(bool(figure.spec) == (rows == 1) for figure in whole)


def test_a_missing_column_is_named_with_what_is_near() -> None:
    with pytest.raises(SpecificationError, match=r"column 'gin'.*Did you mean 'gini'"):
        figures.curve(gini_frame(), id="c", title="t", caption="c", x="step", y="gin")


def test_columns_with_odd_names_become_plain_ones() -> None:
    frame = pd.DataFrame({"a.b['c']": [0, 1], "P(x | y)": [0.0, 1.0]})
    drawn = figures.curve(frame, id="c", title="t", caption="c", x="a.b['c']", y="P(x | y)")
    assert list(drawn.data.columns) == ["a_b_c", "P_x_y"]
    with pytest.raises(SpecificationError, match="differ only in signs"):
        clash = pd.DataFrame({"a b": [0, 1], "a-b": [0, 1]})
        figures.curve(clash, id="c", title="t", caption="c", x="a b", y="a-b")


def test_ecdf_is_the_share_at_or_below() -> None:
    frame = pd.DataFrame({"series": "s", "value": [4.0, 1.0, 2.0, 2.0]})
    drawn = figures.distributions(frame, id="d", title="t", caption="c", kind="ecdf")
    assert drawn.data["value"].tolist() == [1.0, 1.0, 2.0, 2.0, 4.0]
    assert drawn.data["share"].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_dots_pile_up_and_keep_the_median() -> None:
    frame = pd.DataFrame({"series": "s", "value": [0.0, 0.0, 0.0, 1.0, 10.0]})
    drawn = figures.distributions(frame, id="d", title="t", caption="c")
    assert drawn.data["pile"].tolist() == [0, 1, 2, 0, 0]
    medians = named(dict(drawn.spec), "wide-medians")["data"]["values"]
    assert medians == [{"series": "s", "value": 0.0}]


def test_many_runs_are_shown_by_their_quantiles() -> None:
    frame = pd.DataFrame({"series": "s", "value": np.arange(1001.0)})
    drawn = figures.distributions(frame, id="d", title="t", caption="c")
    assert len(drawn.data) == 60
    assert drawn.data["value"].median() == pytest.approx(500, abs=1)


def test_field_data_are_in_ink_and_take_no_colour_from_the_series() -> None:
    scale = DRAWN[IDS.index("runs")].spec["layer"][0]["encoding"]["color"]["scale"]
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    assert colours["field data"] == "#1c1d1f"
    assert len(set(colours.values())) == 4


def test_a_scale_with_a_middle_is_symmetric() -> None:
    frame = pd.DataFrame({"x": ["a", "b"], "y": "r", "v": [-0.1, 0.4]})
    drawn = figures.heat(frame, id="h", title="t", caption="c", x="x", y="y", value="v", middle=0.0)
    domain = drawn.spec["layer"][0]["encoding"]["color"]["scale"]["domain"]
    assert domain == pytest.approx([-0.4, -0.2, 0.0, 0.2, 0.4])


def test_standalone_holds_data_and_theme_and_no_hints() -> None:
    spec = figures.standalone(DRAWN[0])
    assert len(spec["data"]["values"]) == len(DRAWN[0].data)
    assert "usermeta" not in spec and spec["config"]["background"] == "#ffffff"
    assert not any(layer.get("name", "").startswith("narrow-") for layer in spec["layer"])


def test_values_that_are_all_zero_leave_room_for_a_reference() -> None:
    frame = pd.DataFrame({"label": ["a", "b"], "value": 0.0, "low": 0.0, "high": 0.0})
    figure = figures.intervals(frame, id="zeros", title="t", caption="c", reference=(0.0, "none"))
    assert figure.spec


def test_every_name_of_an_axis_is_written_and_a_hidden_curve_is_seen_through_dashes() -> None:
    frame = pd.DataFrame(
        {
            "step": [0, 1, 2] * 2,
            "y": [0.1, 0.2, 0.3] * 2,
            "who": ["a"] * 3 + ["b"] * 3,
            "panel": "p",
        }
    )
    told: dict[str, Any] = {
        "id": "i", "title": "t", "caption": "c", "y": "y", "series": "who", "dashed": ("b",),
        "x": Axis("step", "likes", names=((0, "0"), (1, "1"), (2, "10"))),
    }  # fmt: skip
    for figure in (
        figures.curve(frame, **told),
        figures.grid_of_curves(frame, panel="panel", **told),
    ):
        inner = dict(figure.spec).get("spec", figure.spec)
        across = inner["encoding"]["x"]["axis"]
        # Vega thins values by these: three names of whole numbers would become two.
        assert across["values"] == [0, 1, 2] and not {"tickCount", "tickMinStep"} & set(across)
        (line,) = [each for each in layers_of(dict(figure.spec)) if each["mark"]["type"] == "line"]
        dash = line["encoding"]["strokeDash"]
        assert dash["condition"]["test"] == {"field": "who", "oneOf": ["b"]}
        assert dash["value"] == [1, 0]
    assert "strokeDash" not in str(figures.curve(frame, **(told | {"dashed": ()})).spec)
