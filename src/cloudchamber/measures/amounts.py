"""The amounts that agents gave, as arrays: what each stood by after each step."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudchamber.measures.whole import WHOLE
from cloudchamber.trace.tables import Readable

__all__ = ["Amounts", "amounts"]

_ROWS = f"""
SELECT run, step, agent, choice AS item, value FROM decisions
JOIN {WHOLE} USING (run) WHERE kind = 'amount' AND choice >= 0 ORDER BY run, step, decision, pick"""
_SHAPES = f"""
SELECT run, max(o.step) AS steps, max(o.item) + 1 AS items,
       (SELECT max(agent) + 1 FROM decisions AS d WHERE d.run = o.run) AS agents
FROM outcomes AS o JOIN {WHOLE} USING (run)
WHERE run IN (SELECT DISTINCT run FROM decisions WHERE kind = 'amount')
GROUP BY run HAVING steps > 0 ORDER BY run"""


@dataclass(frozen=True, slots=True)
class Amounts:
    """The amounts of runs that have the same steps, agents and items."""

    run: NDArray[np.int64]
    """(runs,)"""
    value: NDArray[np.float64]
    """(runs, steps, agents, items): of each agent's latest decision so far; 0 before its first."""
    decided: NDArray[np.bool_]
    """(runs, steps, agents): whether it has made one."""


def amounts(source: Readable) -> Iterator[Amounts]:
    """The amounts of a trace, one `Amounts` for each shape of runs; nothing of runs kept in part."""
    shapes = source.sql(_SHAPES).fetchall()
    columns = source.sql(_ROWS).fetchnumpy()
    run, step, agent, item = (
        np.asarray(columns[name], np.int64) for name in ("run", "step", "agent", "item")
    )
    value = np.ma.filled(np.ma.asarray(columns["value"], np.float64), np.nan)
    for shape in sorted({row[1:] for row in shapes}):
        steps, items, agents = map(int, shape)
        runs = np.array([row[0] for row in shapes if row[1:] == shape], np.int64)
        mine = np.isin(run, runs)
        given = np.zeros((len(runs), steps, agents, items))
        at = (np.searchsorted(runs, run[mine]), step[mine], agent[mine])
        given[(*at, item[mine])] = value[mine]
        decided = np.zeros(given.shape[:3], bool)
        decided[at] = True
        yield Amounts(runs, _standing(given, decided), np.logical_or.accumulate(decided, axis=1))


def _standing(given: NDArray[np.float64], decided: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Each agent's latest decision at each step, (runs, steps, agents, items)."""
    steps = np.arange(given.shape[1])[:, None]
    latest = np.maximum.accumulate(np.where(decided, steps, -1), axis=1)
    stood = np.take_along_axis(given, np.maximum(latest, 0)[..., None], axis=1)
    return np.where(latest[..., None] < 0, 0.0, stood)
