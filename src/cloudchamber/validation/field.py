"""Field data: item popularity in parallel worlds, brought into the shape of a trace's outcomes.

A *world* of the field plays the part of a run: one history in which the same items gathered popularity.
Nothing is repaired in silence. What cannot be read is refused with its row, what was assumed (an item
without a row has a count of 0) and what the data cannot say is in `notes`, for the report to print.
"""

import gzip
import zlib
from csv import Error as CsvError
from csv import reader
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import FieldDataError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FieldPopularity", "read_popularity"]

_NEEDED = ("world", "item", "count")
_LAST_STEP = 2**31 - 1


@dataclass(frozen=True, eq=False)
class FieldPopularity:
    """Popularity of items in the worlds of a file, shaped like the outcomes of as many runs."""

    source: str
    """Name of the file, without its folders."""
    outcomes: "pd.DataFrame"
    """run i8 (1, 2, ...: the worlds), step i4, item i4, value f8: the tally; every item in every step."""
    worlds: tuple[str, ...]
    """The name of run 1, 2, ..., in the order of the file."""
    items: tuple[str, ...]
    """The name of item 0, 1, ..., in the order of the file."""
    has_steps: bool
    """Whether popularity was observed over time."""
    notes: tuple[str, ...]
    """What was assumed in reading, and what cannot be compared; plain sentences."""


def read_popularity(path: str | Path, per_step: bool = False) -> FieldPopularity:
    """Read a CSV of item popularity in parallel worlds.

    Args:
        path: a UTF-8 file, `.csv` or `.csv.gz`, with a header and the columns `world`, `item`, `count`, and
            `step` where popularity was observed over time; other columns are ignored. One row for each item
            in each world (and step). An item without a row in a world counts as 0 there, one without a row
            at a step as its last count; both are noted.
        per_step: the counts are what was gained in each step; by default they are tallies so far.

    Raises:
        FieldDataError: the file cannot be read or decoded, is empty, lacks a column, has a count or step that
            is no such number, a row twice, or a world in which nothing was ever counted.
    """
    path = Path(path)
    header, rows = _parsed(_text(path), path)
    column = _columns(header, path)
    has_steps = "step" in column
    if per_step and not has_steps:
        raise FieldDataError(f"{path}: counts per step need a column 'step'; there is none.")
    world, worlds = _coded([row[column["world"]].strip() for row in rows], "world", path)
    item, items = _coded([row[column["item"]].strip() for row in rows], "item", path)
    count = _numbers([row[column["count"]] for row in rows], "count", path)
    step = np.ones(len(rows), dtype=np.int64)
    if has_steps:
        step = _steps(_numbers([row[column["step"]] for row in rows], "step", path), path)
    _refuse_twice(np.stack((world, item, step)), path)

    notes: list[str] = []
    frames = []
    for number, name in enumerate(worlds):
        here = world == number
        tally, steps, assumed = _tally(step[here], item[here], count[here], len(items), per_step)
        if not tally[-1].any():
            raise FieldDataError(f"{path}: world {name!r} has no count above 0; leave it out.")
        notes += _world_notes(name, tally, assumed, len(items))
        frames.append(_frame(number + 1, steps, tally))
    from pandas import concat  # pandas costs 300 ms that a study without field data never pays

    return FieldPopularity(
        source=path.name,
        outcomes=concat(frames, ignore_index=True),
        worlds=tuple(worlds),
        items=tuple(items),
        has_steps=has_steps,
        notes=(*notes, *_limits(worlds, has_steps)),
    )


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FieldDataError(
            f"{path}: cannot be read ({reason}); give a .csv or .csv.gz file."
        ) from error
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in raw[:4096]:
        raise FieldDataError(
            f"{path}: is not UTF-8 text (it looks like UTF-16 or a spreadsheet); "
            "save it as CSV in UTF-8."
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise FieldDataError(
            f"{path}: line {row} holds byte 0x{raw[error.start]:02x}, which is not UTF-8; save the file as "
            "CSV in UTF-8."
        ) from error


def _parsed(text: str, path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        lines = [row for row in reader(StringIO(text), strict=True) if any(map(str.strip, row))]
    except CsvError as error:
        raise FieldDataError(
            f"{path}: is not CSV ({error}); close every quotation mark."
        ) from error
    if not lines:
        raise FieldDataError(
            f"{path}: is empty; needed: a header with {', '.join(_NEEDED)}, and rows."
        )
    header, rows = [name.strip() for name in lines[0]], lines[1:]
    if not rows:
        raise FieldDataError(f"{path}: has a header but no row below it.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise FieldDataError(
                f"{path}: row {number} below the header has {len(row)} fields, the header {len(header)}; "
                "put fields that contain a comma in quotation marks."
            )
    return header, rows


def _columns(header: list[str], path: Path) -> dict[str, int]:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise FieldDataError(
            f"{path}: the header {header[0]!r} has no comma; separate fields by commas."
        )
    for name in _NEEDED:
        if name not in header:
            raise FieldDataError(
                f"{path}: has no column {name!r}; needed: {', '.join(_NEEDED)} (and step). "
                f"It has {nearest(name, header).removeprefix('allowed: ')}"
            )
    for name in (*_NEEDED, "step"):
        if header.count(name) > 1:
            raise FieldDataError(f"{path}: has {header.count(name)} columns {name!r}; keep one.")
    return {name: header.index(name) for name in (*_NEEDED, "step") if name in header}


def _coded(names: list[str], column: str, path: Path) -> tuple[NDArray[np.int64], list[str]]:
    """Numbers from 0 in the order of first appearance, and the names."""
    if "" in names:
        raise FieldDataError(f"{path}: row {names.index('') + 1} below the header has no {column}.")
    code = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([code[name] for name in names], dtype=np.int64), list(code)


def _numbers(texts: list[str], column: str, path: Path) -> NDArray[np.float64]:
    values = np.empty(len(texts))
    for place, text in enumerate(texts):
        try:
            values[place] = float(text)
        except ValueError:
            values[place] = np.nan
        if not 0 <= values[place] < np.inf:
            raise FieldDataError(
                f"{path}: row {place + 1} below the header has {column} {text.strip()!r}; allowed: a number "
                "that is 0 or more, with a point for decimals."
            )
    return values


def _steps(values: NDArray[np.float64], path: Path) -> NDArray[np.int64]:
    wrong = (values != np.floor(values)) | (values > _LAST_STEP)
    if wrong.any():
        at = int(wrong.argmax())
        raise FieldDataError(
            f"{path}: row {at + 1} below the header has step {values[at]:.15g}; allowed: whole numbers "
            f"from 0 to {_LAST_STEP}."
        )
    return values.astype(np.int64)


def _refuse_twice(keys: NDArray[np.int64], path: Path) -> None:
    order = np.lexsort(keys)
    same = (np.diff(keys[:, order], axis=1) == 0).all(axis=0)
    if same.any():
        rows = sorted(int(order[int(same.argmax()) + side]) + 1 for side in (0, 1))
        raise FieldDataError(
            f"{path}: rows {rows[0]} and {rows[1]} below the header give the same world, item and step; "
            "allowed: one row each."
        )


def _tally(
    step: NDArray[np.int64],
    item: NDArray[np.int64],
    count: NDArray[np.float64],
    items: int,
    per_step: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """[steps, items] of the tally so far, the steps, and how many cells had no row."""
    steps, at = np.unique(step, return_inverse=True)
    cells = np.full((len(steps), items), np.nan)
    cells[at, item] = count
    empty = np.isnan(cells)
    if per_step:
        return np.cumsum(np.where(empty, 0.0, cells), axis=0), steps, int(empty.sum())
    # The last row at which each item was seen; before the first one the item counts 0.
    last = np.maximum.accumulate(np.where(empty, -1, np.arange(len(steps))[:, None]), axis=0)
    filled = np.take_along_axis(cells, np.maximum(last, 0), axis=0)
    return np.where(last < 0, 0.0, filled), steps, int(empty.sum())


def _world_notes(name: str, tally: NDArray[np.float64], assumed: int, items: int) -> list[str]:
    notes = []
    if assumed:
        notes.append(
            f"World {name}: {assumed} of {tally.size} counts have no row; taken as 0 before an item's first "
            "row and as unchanged after."
            if len(tally) > 1
            else f"World {name}: {assumed} of {items} items have no row and were taken as 0."
        )
    falls = int((np.diff(tally, axis=0) < 0).any(axis=0).sum())
    if falls:
        notes.append(
            f"World {name}: the tally of {falls} items falls from one step to the next; if the counts are "
            "what was gained in each step, read the file with per_step."
        )
    return notes


def _limits(worlds: list[str], has_steps: bool) -> list[str]:
    notes = []
    if len(worlds) == 1:
        notes.append(
            "There is one world only: unpredictability across worlds and any interval over worlds cannot be "
            "had from this file."
        )
    if not has_steps:
        notes.append("There is no column 'step': the course over time cannot be compared.")
    return notes


def _frame(run: int, steps: NDArray[np.int64], tally: NDArray[np.float64]) -> "pd.DataFrame":
    from pandas import DataFrame

    count, items = tally.shape
    return DataFrame(
        {
            "run": np.full(tally.size, run, dtype=np.int64),
            "step": np.repeat(steps, items).astype(np.int32),
            "item": np.tile(np.arange(items, dtype=np.int32), count),
            "value": tally.ravel(),
        }
    )
