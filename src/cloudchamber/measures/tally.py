"""The world's tallies out of a trace, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import TraceError
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Tally", "by_batch", "final_tallies", "tallies"]

_FINAL = """
SELECT run, (step > low)::INTEGER AS step, item, value
FROM outcomes JOIN (SELECT run, min(step) AS low, max(step) AS high FROM outcomes GROUP BY run)
USING (run) WHERE step IN (low, high)"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Tallies of runs that have the same items and the same checkpoints.

    What stood at the first checkpoint is taken off: likes that a world is seeded with are no choices.
    """

    run: NDArray[np.int64]
    """Shape [runs]."""
    step: NDArray[np.int64]
    """Shape [steps]: the checkpoints, as completed steps."""
    item: NDArray[np.int64]
    """Shape [items]."""
    value: NDArray[np.float64]
    """Shape [runs, steps, items]: what each item gained since the first checkpoint."""


def tallies(source: Readable) -> list[Tally]:
    """The outcomes of a trace, one `Tally` for each set of items and checkpoints that runs share.

    Raises:
        TraceError: a run lacks the tally of some item at some checkpoint.
    """
    return _read(source, "SELECT run, step, item, value FROM outcomes")


def final_tallies(source: Readable) -> list[Tally]:
    """What each item gained in the whole run: `tallies` with the last checkpoint alone, as step 1.

    Runs of different length are still one `Tally`, and only two checkpoints a run are read.
    """
    found = _read(source, _FINAL)
    return [Tally(t.run, t.step[-1:], t.item, t.value[:, -1:]) for t in found]


def by_batch(source: Readable, runs: Sequence[int]) -> "pd.DataFrame":
    """What each item gained after each batch of runs of a single step, which has no checkpoints inside.

    Counted from the decisions (of judgements, from those that became acts): a full trace has them all.

    Returns:
        Columns run, step (batches so far, 0 for none), item, value, as the table of outcomes has them.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    wanted = ", ".join(map(str, runs)) or "NULL"
    batches = source.sql(
        f"SELECT run, max(batch) + 1 AS n FROM decisions WHERE run IN ({wanted}) GROUP BY run"
    ).df()
    items = source.sql(f"SELECT max(item) + 1 FROM outcomes WHERE run IN ({wanted})").fetchall()
    gained = source.sql(f"""
        SELECT run, batch + 1 AS step, choice AS item, count(*)::DOUBLE AS value FROM decisions
        WHERE run IN ({wanted}) AND choice >= 0 AND (kind <> 'judge' OR value > 0) GROUP BY ALL""").df()
    parts = []
    for run, n in zip(batches["run"], batches["n"], strict=True):
        grid = np.zeros((int(n) + 1, int(items[0][0])))
        mine = gained[gained["run"] == run]
        grid[mine["step"].to_numpy(np.int64), mine["item"].to_numpy(np.int64)] = mine["value"]
        step, item = np.indices(grid.shape)
        columns = {"step": step.ravel(), "item": item.ravel(), "value": grid.cumsum(axis=0).ravel()}
        parts.append(pd.DataFrame({"run": run, **columns}))
    if not parts:
        return pd.DataFrame({"run": [], "step": [], "item": [], "value": []})
    return pd.concat(parts, ignore_index=True)


def _read(source: Readable, query: str) -> list[Tally]:
    columns = source.sql(f"SELECT * FROM ({query}) ORDER BY run, step, item").fetchnumpy()
    run, step, item = (np.asarray(columns[name], np.int64) for name in ("run", "step", "item"))
    value = np.ma.filled(np.ma.asarray(columns["value"]), np.nan)
    start = np.unique(run, return_index=True)[1]
    groups: dict[tuple[bytes, bytes], list[slice]] = {}
    for first, last in pairwise([*start, len(run)]):
        rows = slice(int(first), int(last))
        axes = np.unique(step[rows]), np.unique(item[rows])
        if rows.stop - rows.start != len(axes[0]) * len(axes[1]):
            raise TraceError(
                f"the outcomes of run {run[first]} are not the same items at each checkpoint; "
                "a world tallies every item each time"
            )
        groups.setdefault((axes[0].tobytes(), axes[1].tobytes()), []).append(rows)
    out = []
    for (steps, items), members in groups.items():
        shape = (len(steps) // 8, len(items) // 8)
        stacked = np.stack([value[rows].reshape(shape) for rows in members])
        out.append(
            Tally(
                run=np.array([run[rows.start] for rows in members]),
                step=np.frombuffer(steps, np.int64),
                item=np.frombuffer(items, np.int64),
                value=stacked - stacked[:, :1],
            )
        )
    return out
