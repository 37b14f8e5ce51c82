"""Field data: item popularity in parallel worlds, brought into the shape of a trace's outcomes.

A *world* of the field plays the part of a run: one history in which the same items gathered popularity.
Nothing is repaired in silence. What cannot be read is refused with its row, what was assumed (an item
without a row has a count of 0) and what the data cannot say is in `notes`, for the report to print.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import FieldDataError
from cloudchamber.validation.field_table import read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FieldPopularity", "read_popularity"]

_NEEDED = ("world", "item", "count")


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
    table = read_table(path, _NEEDED, ("step",))
    has_steps = "step" in table.columns
    if per_step and not has_steps:
        raise FieldDataError(f"{path}: counts per step need a column 'step'; there is none.")
    world, worlds = table.coded("world")
    item, items = table.coded("item")
    count = table.numbers("count")
    step = table.whole("step") if has_steps else np.ones(len(world), dtype=np.int64)
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
