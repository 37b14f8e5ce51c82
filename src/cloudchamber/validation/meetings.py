"""Recorded meetings of two, brought into the shape of a trace: what each remembered, and what each chose.

For field data of populations that meet in pairs, such as published naming games. What agents remembered is
worked out from who met whom; so a mechanism can be fitted to the recorded choices as to grown ones.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.errors import FieldDataError
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import SIGNAL, Channel, Kind, Readout

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["meetings_as_trace"]

COLUMNS = ("run", "t", "p1", "p2", "a1", "a2")


def meetings_as_trace(
    meetings: "pd.DataFrame",
    names: Sequence[str],
    memory: int,
    results: Mapping[str, Callable[[int, int], float]] | None = None,
    *,
    agents: int,
) -> Trace:
    """The trace that an engine would have left of recorded meetings in which both chose at the same time.

    In which order the options stood is not known of such records: items stand in the order of `names`, so
    terms of place say nothing here. Nothing is remembered before the first meeting.

    Args:
        meetings: a row a meeting: run, t (its place in its run, from 0), p1 and p2 (who), a1 and a2 (what
            each chose, one of `names`); other columns are ignored.
        names: what could be chosen, item 0 first.
        memory: how many of an agent's latest meetings it remembered.
        results: for each result its name, and what a choice led to given one's own and the other's item.
        agents: how many in each run; a step is half as many meetings.

    Raises:
        FieldDataError: a column is missing, or a choice is none of `names`.
    """
    lacking = [name for name in COLUMNS if name not in meetings]
    if lacking:
        raise FieldDataError(f"meetings lack the column {', '.join(lacking)}; needed: {COLUMNS}")
    number = {name: item for item, name in enumerate(names)}
    unknown = sorted({*meetings["a1"], *meetings["a2"]} - {*names})
    if unknown:
        raise FieldDataError(f"chosen was {', '.join(map(repr, unknown))}; allowed: {list(names)}")
    table = _Table(len(names), memory, dict(results or {}), max(agents // 2, 1))
    for run, rows in meetings.sort_values(["run", "t"]).groupby("run", sort=True):
        table.begin(int(str(run)))
        for t, *who, one, other in rows[list(COLUMNS[1:])].itertuples(index=False):
            table.meet(int(t), (int(who[0]), int(who[1])), (number[one], number[other]))
    return table.trace()


class _Table:
    """Collects decisions and exposures, meeting by meeting."""

    def __init__(
        self,
        items: int,
        memory: int,
        results: Mapping[str, Callable[[int, int], float]],
        meetings: int,
    ) -> None:
        self.items, self.results, self.meetings = items, results, meetings
        self.decided: list[tuple[int, ...]] = []
        self.recalled: list[tuple[float, ...]] = []
        self.memory, self.runs = memory, dict[int, None]()

    def begin(self, run: int) -> None:
        """Nobody remembers anything."""
        self.run, self.decision = run, 0
        self.runs[run] = None
        self.past: dict[int, deque[tuple[float, ...]]] = defaultdict(
            lambda: deque(maxlen=self.memory)
        )

    def meet(self, t: int, who: tuple[int, int], said: tuple[int, int]) -> None:
        """Both are shown what they remember, choose, and remember this."""
        step = t // self.meetings
        for side in (0, 1):
            self.decided.append((self.run, self.decision + side, step, t, who[side], said[side]))
            for place, act in enumerate(self.past[who[side]]):
                own, met, when, origin, *paid = act
                at = (self.run, self.decision + side, step - when)
                self.recalled.append(
                    (*at, Channel.own, 2 * place + 1, own, who[side], origin, *paid)
                )
                nothing = (np.nan,) * len(paid)
                self.recalled.append((*at, Channel.met, 2 * place + 2, met, -1, -1, *nothing))
        for side in (0, 1):
            own, met = said[side], said[1 - side]
            led = (result(own, met) for result in self.results.values())
            self.past[who[side]].append((own, met, step, self.decision + side, *led))
        self.decision += 2

    def trace(self) -> Trace:
        """All of it."""
        trace, n = Trace(), len(self.decided)
        decided = np.array(self.decided, np.int64).reshape(n, 6)
        run, decision, step, batch, agent, choice = decided.T
        trace.append(
            "decisions",
            {
                "run": run, "decision": decision, "step": step, "batch": batch, "agent": agent,
                "choice": choice, "kind": int(Kind.choose), "readout": int(Readout.recorded),
            },
        )  # fmt: skip
        k = self.items
        trace.append(
            "exposures",
            {
                "run": np.repeat(run, k),
                "decision": np.repeat(decision, k),
                "position": np.tile(np.arange(1, k + 1), n),
                "item": np.tile(np.arange(k), n),
                "chosen": (np.tile(np.arange(k), n) == np.repeat(choice, k)).astype(np.int8),
            },
        )
        told = np.array(self.recalled, np.float64).reshape(-1, 8 + len(self.results))
        whole = told[:, :8].astype(np.int64)
        columns = ("run", "decision", "latency", "channel", "position", "item", "source", "origin")
        trace.append(
            "exposures",
            dict(zip(columns, whole.T, strict=True))
            | {SIGNAL + name: told[:, 8 + at] for at, name in enumerate(self.results)},
        )
        trace.append("runs", {"run": np.array(list(self.runs), np.int64)})
        return trace
