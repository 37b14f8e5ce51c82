"""Field data: read as it stands, refused with its row, and never completed in silence."""

import gzip
from collections import Counter
from collections.abc import Callable
from csv import DictReader
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.errors import FieldDataError
from cloudchamber.validation.field import FieldPopularity, read_popularity
from cloudchamber.validation.published import MUSICLAB, READ, Comparator

FIELD = Path(__file__).parents[3] / "shared" / "field"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str | bytes, name: str = "worlds.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def tally(field: FieldPopularity, run: int) -> list[list[float]]:
    """[steps][items] of one world."""
    rows = field.outcomes[field.outcomes["run"] == run]
    table = rows.pivot(index="step", columns="item", values="value").to_numpy()
    return [[float(value) for value in row] for row in table]


def test_worlds_become_runs_and_items_numbers(write: Write) -> None:
    field = read_popularity(
        write("genre,world, item ,count\nx,west,a,3\nx,west,b,1\nx,east,b,2\nx,east,c,0.5\n")
    )
    assert field.worlds == ("west", "east")
    assert field.items == ("a", "b", "c")
    assert field.source == "worlds.csv"
    assert not field.has_steps
    assert tally(field, 1) == [[3, 1, 0]]
    assert tally(field, 2) == [[0, 2, 0.5]]
    assert list(field.outcomes.dtypes.astype(str)) == ["int64", "int32", "int32", "float64"]
    assert "World west: 1 of 3 items have no row and were taken as 0." in field.notes
    assert any("course over time cannot be compared" in note for note in field.notes)


def test_an_item_without_a_row_keeps_its_last_count(write: Write) -> None:
    field = read_popularity(
        write("world,item,step,count\nw,a,0,1\nw,b,5,2\nw,a,9,4\nv,a,3,1\nv,b,3,1\n")
    )
    assert field.has_steps
    assert tally(field, 1) == [[1, 0], [1, 2], [4, 2]]
    assert field.outcomes.loc[field.outcomes["run"] == 1, "step"].tolist() == [0, 0, 5, 5, 9, 9]
    assert len(field.notes) == 1
    assert "World w: 3 of 6 counts have no row" in field.notes[0]


def test_counts_per_step_are_added_up(write: Write) -> None:
    path = write("world,item,step,count\nw,a,1,5\nw,a,2,1\nw,b,2,2\nw,a,3,1\n")
    assert tally(read_popularity(path, per_step=True), 1) == [[5, 0], [6, 2], [7, 2]]
    read_as_tally = read_popularity(path)
    assert any("tally of 1 items falls" in note for note in read_as_tally.notes)


def test_one_world_is_read_and_says_what_it_cannot_show(write: Write) -> None:
    field = read_popularity(write("world,item,count\nw,a,1\nw,b,1\n"))
    assert any("one world only: unpredictability" in note for note in field.notes)


def test_byte_order_mark_line_ends_blank_lines_and_quotes_are_read(write: Write) -> None:
    field = read_popularity(write('\ufeffworld,item,count\r\nw,"a, b",1\r\n\r\nw,ü,2\r\n'))
    assert field.items == ("a, b", "ü")
    packed = write(gzip.compress(b"world,item,count\nw,a,1\n"), "w.csv.gz")
    assert read_popularity(packed).items == ("a",)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["is empty", "world, item, count"]),
        ("\n  \n", ["is empty"]),
        ("world,item,count\n", ["no row below"]),
        ("world,item,counts\nw,a,1\n", ["no column 'count'", "counts", "Did you mean 'counts'"]),
        ("World,item,count\nw,a,1\n", ["no column 'world'", "Did you mean 'World'"]),
        ("world;item;count\nw;a;1\n", ["no comma"]),
        ("world,item,count,count\nw,a,1,1\n", ["2 columns 'count'"]),
        ("world,item,count\nw,a,1\nw,b\n", ["row 2", "2 fields", "the header 3"]),
        ("world,item,count\nw,a,1\nw,b,many\n", ["row 2", "count 'many'", "0 or more"]),
        ("world,item,count\nw,a,\n", ["row 1", "count ''"]),
        ("world,item,count\nw,a,-1\n", ["count '-1'"]),
        ("world,item,count\nw,a,nan\n", ["count 'nan'"]),
        ("world,item,count\nw,a,inf\n", ["count 'inf'"]),
        ("world,item,count,step\nw,a,1,0.5\n", ["row 1", "step 0.5", "whole numbers"]),
        ("world,item,count,step\nw,a,1,3000000000\n", ["step 3000000000"]),
        ("world,item,count\nw,a,1\nw,b,2\nw,a,2\n", ["rows 1 and 3", "same world, item and step"]),
        ("world,item,count\n,a,1\n", ["row 1", "no world"]),
        ("world,item,count\nw,,1\n", ["row 1", "no item"]),
        ("world,item,count\nw,a,1\nv,a,0\n", ["world 'v'", "no count above 0"]),
        ('world,item,count\nw,"a,1\n', ["is not CSV", "quotation mark"]),
        (b"world,item,count\nw,caf\xe9,1\n", ["line 2", "0xe9", "UTF-8"]),
        ("world,item,count\nw,a,1\n".encode("utf-16"), ["UTF-16", "save it as CSV"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    write: Write, text: str | bytes, parts: list[str]
) -> None:
    path = write(text)
    with pytest.raises(FieldDataError) as caught:
        read_popularity(path)
    for part in [str(path), *parts]:
        assert part in str(caught.value)


def test_files_that_are_not_there_or_not_files(tmp_path: Path, write: Write) -> None:
    with pytest.raises(FieldDataError, match="No such file"):
        read_popularity(tmp_path / "none.csv")
    with pytest.raises(FieldDataError, match="cannot be read"):
        read_popularity(tmp_path)
    whole = gzip.compress(b"world,item,count\n" + b"w,a,1\n" * 500)
    for damaged in (b"not gzip", whole[:-9], whole[:30] + b"\0" * 20 + whole[50:]):
        with pytest.raises(FieldDataError, match="cannot be read"):
            read_popularity(write(damaged, "w.csv.gz"))


def test_counts_per_step_need_steps(write: Write) -> None:
    with pytest.raises(FieldDataError, match="need a column 'step'"):
        read_popularity(write("world,item,count\nw,a,1\n"), per_step=True)


cells = st.dictionaries(
    st.tuples(st.sampled_from("vw"), st.sampled_from("abc"), st.integers(0, 4)),
    st.integers(1, 9),
    min_size=1,
)


@settings(deadline=None)
@given(cells=cells, data=st.data())
def test_the_order_of_rows_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory,
    cells: dict[tuple[str, str, int], int],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    lines = [f"{w},{i},{s},{c}\n" for (w, i, s), c in cells.items()]
    found: list[Counter[tuple[object, ...]]] = []
    for order in (lines, data.draw(st.permutations(lines))):
        path = folder / "f.csv"
        path.write_text("world,item,step,count\n" + "".join(order))
        field = read_popularity(path, per_step=True)
        rows = field.outcomes
        names = (np.array(field.worlds)[rows["run"] - 1], np.array(field.items)[rows["item"]])
        found.append(Counter(zip(*names, rows["step"], rows["value"], strict=True)))
        last = rows[rows["step"] == rows.groupby("run")["step"].transform("max")]
        assert last["value"].sum() == sum(cells.values())
    assert found[0] == found[1]


def test_a_published_finding_says_how_it_was_come_by() -> None:
    assert "Salganik, Dodds & Watts 2006" in MUSICLAB.sentence()
    assert MUSICLAB.sentence().endswith(f"{READ[MUSICLAB.read]}).")
    with pytest.raises(ValueError, match="read 'sure'"):
        Comparator("x", "someone", "sure")


def test_a_front_page_is_read_as_one_world(write: Write) -> None:
    path = FIELD / "hn_frontpage" / "hn_2021-03_04.csv.gz"
    if not path.exists():
        pytest.skip("the field data is not here")
    with gzip.open(path, "rt") as file:
        rows = [row for row in DictReader(file) if row["upvotes"]][:5000]
    lines = {f"hn,{row['story_id']},{row['t_unix']},{row['upvotes']}\n" for row in rows}
    field = read_popularity(write("world,item,step,count\n" + "".join(sorted(lines))))
    last = field.outcomes.groupby("item")["value"].last()
    seen = pd.DataFrame(rows).astype({"upvotes": float}).groupby("story_id")["upvotes"].last()
    assert dict(zip(field.items, last, strict=True)) == seen.to_dict()
    assert any("one world only" in note for note in field.notes)
