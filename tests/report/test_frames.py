"""Values as JSON and as text: known answers and properties."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import SpecificationError
from cloudchamber.report.frames import cell_text, column, column_texts, inert_json, records, visible


def test_what_json_lacks_becomes_null() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.5, np.nan, np.inf, -np.inf],
            "n": np.array([1, 2, 3, 2**60], dtype=np.int64),
            "t": pd.to_datetime(pd.Series(["2026-01-02", None, None, None])),
            "o": [np.float32(0.5), None, pd.NA, np.bool_(True)],
            "c": pd.Categorical(["a", "b", None, "a"]),
        }
    )
    assert records(frame) == {
        "fields": ["x", "n", "t", "o", "c"],
        "rows": [
            [1.5, 1, "2026-01-02T00:00:00", 0.5, "a"],
            [None, 2, None, None, "b"],
            [None, 3, None, None, None],
            [None, str(2**60), None, True, "a"],
        ],
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_json_is_ascii_inert_and_reads_back(value: object) -> None:
    text = inert_json(value)
    assert text.isascii()
    assert not set("<>&") & set(text)
    back = json.loads(text)
    assert inert_json(back) == text  # NaN became null; nothing else changes a second time
    if isinstance(value, str):
        assert back == visible(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (True, "yes"),
        (12345, "12,345"),
        (-3, "−3"),
        (0.0, "0"),
        (0.12345, "0.123"),
        (-0.00456, "−0.00456"),
        (12.345, "12.3"),
        (123.4, "123"),
        (98765.4, "98,765"),
        (1.5e-6, "1.5e-06"),
        ("a\x1bb", "a�b"),
    ],
)
def test_a_value_as_people_read_it(value: object, shown: str) -> None:
    assert cell_text(value) == shown


def test_numbers_of_a_column_share_their_decimals() -> None:
    assert column_texts([0.0312, 0.148, np.nan, -0.5]) == ["0.031", "0.148", "–", "−0.500"]
    assert column_texts([3, 1200]) == ["3", "1,200"]
    assert column_texts([1500.5, 0.25]) == ["1,500", "0.250"]
    assert column_texts(["a", 0.5]) == ["a", "0.500"]


def test_visible_keeps_lines_and_tabs() -> None:
    assert visible("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd\te"


@given(st.text())
def test_column_names_are_plain(name: str) -> None:
    assert column(name).isidentifier() and column(name).isascii()
    assert column(column(name)) == column(name)


def test_columns_of_one_name_are_refused() -> None:
    with pytest.raises(SpecificationError, match="each name once"):
        records(pd.DataFrame([[1, 2]], columns=["a", "a"]))
