"""Field data of pairs that name things: each recorded meeting, brought into the shape of a trace.

A *history* of the field plays the part of a run. Its meetings are played over again in a `NamingGame`, so
that what a run records of itself is there too, and every measure of a naming game can be taken of both.
What each was shown is not in such files, so the trace has decisions and no exposures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import FieldDataError
from cloudchamber.microspec.world import Acts, Opening
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Readout
from cloudchamber.validation.field_table import read_table
from cloudchamber.worlds import NamingGame

__all__ = ["FieldMeetings", "read_meetings"]

Ints = NDArray[np.int64]
_COLUMNS = ("run_id", "t", "p1", "p2", "a1", "a2")


@dataclass(frozen=True, eq=False)
class FieldMeetings:
    """Recorded histories of meetings, as runs of a naming game."""

    source: str
    """Name of the file, without its folders."""
    trace: Trace
    """Runs 1, 2, ...: decisions, tallies and facts; decisions 2n and 2n + 1 are a meeting."""
    histories: tuple[str, ...]
    """What run 1, 2, ... is called in the file."""
    names: tuple[str, ...]
    """The name of item 0, 1, ..."""
    agents: int
    """How many there are in each."""


def read_meetings(
    path: str | Path,
    names: Sequence[str],
    *,
    runs: Sequence[str] | None = None,
    agents: int | None = None,
) -> FieldMeetings:
    """Read a CSV with a row for each meeting of two who named something at the same time.

    Args:
        path: a UTF-8 file, `.csv` or `.csv.gz`, with a header and the columns `run_id`, `t` (in the order of
            time), `p1` and `p2` (who met), `a1` and `a2` (what each said); other columns are ignored.
        names: the names that could be said, as items 0, 1, ...
        runs: the histories to be read; all if not given.
        agents: how many there are in each history; as many as ever met anyone, if not given.

    Raises:
        FieldDataError: the file cannot be read, a history is not there or differs in the number of agents, a
            name is none of those that could be said, someone met itself, or two meetings have one time.
    """
    path = Path(path)
    table = read_table(path, _COLUMNS)
    run, histories = table.coded("run_id")
    if runs is not None:
        missing = sorted({*runs} - {*histories})
        if missing:
            raise FieldDataError(f"{path}: has no run_id {missing[0]!r}; it has {len(histories)}.")
    wanted = list(histories if runs is None else runs)
    place = {name: at for at, name in enumerate(wanted)}
    number = np.array([place.get(name, -1) for name in histories])[run]
    kept = np.flatnonzero(number >= 0)
    kept = kept[np.lexsort((table.whole("t")[kept], number[kept]))]
    said = np.stack([_named(table.texts(column), names, kept, path) for column in ("a1", "a2")], 1)
    who, size = _players(table.texts("p1"), table.texts("p2"), number, kept, agents, path)
    _refuse_same_time(number[kept], table.whole("t")[kept], path)
    trace = _replayed(NamingGame(names=tuple(names)), number[kept], who, said, size)
    return FieldMeetings(path.name, trace, tuple(wanted), tuple(names), size)


def _named(texts: list[str], names: Sequence[str], kept: Ints, path: Path) -> Ints:
    code = {name: item for item, name in enumerate(names)}
    for row in kept.tolist():
        if texts[row] not in code:
            raise FieldDataError(
                f"{path}: row {row + 1} below the header has the name {texts[row]!r}; allowed: "
                f"{', '.join(names)}; or read other runs."
            )
    return np.array([code[texts[row]] for row in kept.tolist()], np.int64)


def _players(
    one: list[str], other: list[str], number: Ints, kept: Ints, agents: int | None, path: Path
) -> tuple[Ints, int]:
    """Who met, each history's players numbered from 0; and how many there are in each."""
    known: dict[int, dict[str, int]] = {}
    who = np.empty((len(kept), 2), np.int64)
    for at, row in enumerate(kept.tolist()):
        mine = known.setdefault(int(number[row]), {})
        who[at] = [mine.setdefault(text[row], len(mine)) for text in (one, other)]
        if who[at, 0] == who[at, 1]:
            raise FieldDataError(
                f"{path}: row {row + 1} below the header is a meeting of {one[row]!r} with itself."
            )
    sizes = {len(mine) for mine in known.values()}
    size = max(sizes) if agents is None else agents
    if (agents is None and len(sizes) > 1) or max(sizes) > size:
        raise FieldDataError(
            f"{path}: histories of {', '.join(map(str, sorted(sizes)))} agents; read those of one number "
            "at a time (runs), or say how many there are (agents)."
        )
    return who, size


def _refuse_same_time(number: Ints, time: Ints, path: Path) -> None:
    same = np.flatnonzero((np.diff(number) == 0) & (np.diff(time) == 0))
    if len(same):
        raise FieldDataError(
            f"{path}: two meetings of one run_id have the t {time[same[0]]}; allowed: one each."
        )


def _replayed(world: NamingGame, run: Ints, who: Ints, said: Ints, agents: int) -> Trace:
    """The histories side by side: the t-th meeting of each, then the next, with a record after each round."""
    count = np.bincount(run)
    nth = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count)
    half = max(agents // 2, 1)
    trace, state = Trace(), world.start(Opening.of(len(count), agents))
    trace.append("runs", {"run": np.arange(len(count)) + 1, "replicate": np.arange(len(count))})
    _decided(trace, run, who, said, nth, half)
    order = np.argsort(nth, kind="stable")
    _recorded(trace, world, state.tally, state.more, np.arange(len(count)), np.zeros(len(count)))
    for rows in np.split(order, np.cumsum(np.bincount(nth))[:-1]):
        both = np.repeat(run[rows], 2)
        agent, item = who[rows].ravel(), said[rows].ravel()
        partner, met = who[rows, ::-1].ravel(), said[rows, ::-1].ravel()
        world.apply(state, Acts(both, agent, item, agent * 0, 0, partner=partner, met=met))
        done = nth[rows] + 1
        now = (done % half == 0) | (done == count[run[rows]])
        _recorded(trace, world, state.tally, state.more, run[rows][now], np.ceil(done[now] / half))
    return trace


def _decided(trace: Trace, run: Ints, who: Ints, said: Ints, nth: Ints, half: int) -> None:
    trace.append(
        "decisions",
        {
            "run": np.repeat(run, 2) + 1,
            "decision": (2 * nth[:, None] + [0, 1]).ravel(),
            "step": np.repeat(nth // half, 2),
            "batch": np.repeat(nth % half, 2),
            "agent": who.ravel(),
            "choice": said.ravel(),
            "readout": int(Readout.recorded),
        },
    )


def _recorded(
    trace: Trace,
    world: NamingGame,
    tally: NDArray[np.float64],
    more: dict[str, NDArray[np.float64]],
    runs: Ints,
    step: NDArray[np.float64],
) -> None:
    if not len(runs):
        return
    trace.append(
        "outcomes",
        {
            "run": np.repeat(runs + 1, world.items),
            "step": np.repeat(step.astype(np.int64), world.items),
            "item": np.tile(np.arange(world.items), len(runs)),
            "value": tally[runs].ravel(),
        },
    )
    for name in world.facts:
        told = {"run": runs + 1, "step": step.astype(np.int64), "measure": name}
        trace.append("series", told | {"value": more[name][runs]})
