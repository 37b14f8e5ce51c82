"""The world's tallies out of a trace, as arrays."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import TraceError
from cloudchamber.trace.tables import Readable

__all__ = ["Tally", "final_tallies", "tallies"]

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
