"""Where in the plane of two factors does a phenomenon appear? The boundary curve, line by line.

On each line (one level of the second factor) the threshold along the first is searched for. The ends and the
middle come first, then the middle of the longest piece of the curve so far, so lines are close where the
boundary is steep or begins or ends. A line's first runs look where its neighbours let expect the threshold;
what they found weighs nothing in its verdict, so lines are independent and each interval keeps its coverage.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from math import hypot
from typing import TYPE_CHECKING, Any

import numpy as np

from cloudchamber.analysis.thresholds.axis import Axis
from cloudchamber.analysis.thresholds.located import Threshold, told
from cloudchamber.analysis.thresholds.seeking import seek
from cloudchamber.errors import SpecificationError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Boundary", "Spot", "boundary", "follow"]

_GAP = 1.0
"""How long a piece of the curve counts whose ends are of different kinds, in parts of the range."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A run to be grown."""

    level: float
    """Of the first factor, along which the threshold is searched for."""
    across: float
    """Of the second."""
    replicate: int


@dataclass(frozen=True, slots=True)
class Boundary:
    """The threshold along one factor at some levels of another."""

    lines: tuple[tuple[float, Threshold], ...]
    """Level of the second factor, rising, and what was found there."""
    coverage: float
    jointly: bool
    """Whether all intervals together have the coverage; else each by itself."""

    @property
    def runs(self) -> int:
        """How many runs were spent."""
        return sum(found.runs for _, found in self.lines)

    def aloud(self) -> str:
        """In one sentence."""
        told_of = []
        for kind, group in groupby(self.lines, key=lambda line: line[1].kind):
            members = list(group)
            (start, one), (end, other) = members[0], members[-1]
            where = f"at {start:g}" if start == end else f"from {start:g} to {end:g}"
            place = f" at {told(one.at)}" if one.at.known else ""
            if one.at.known and other.at.known and start != end:
                place = f" from {told(one.at)} to {told(other.at)}"
            told_of.append(f"{where} {kind}{place}")
        sure = f"{self.coverage:.0%} {'jointly' if self.jointly else 'each'}"
        return (
            f"boundary on {len(self.lines)} lines of the second factor: {', '.join(told_of)}; "
            f"intervals hold with {sure}; {self.runs} runs"
        )

    def __str__(self) -> str:
        return self.aloud()

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        lines = [{"across": across, **found.as_json()} for across, found in self.lines]
        return {"lines": lines, "coverage": self.coverage, "jointly": self.jointly}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Boundary":
        """What `as_json` gave."""
        lines = (dict(line) for line in plain["lines"])
        told = tuple((float(line.pop("across")), Threshold.from_json(line)) for line in lines)
        return cls(told, plain["coverage"], plain["jointly"])

    def begun(self) -> dict[float, tuple[tuple[float, ...], int]]:
        """Of each line, where its search looked first, beside an even look, and the first run's number."""
        told: dict[float, tuple[tuple[float, ...], int]] = {}
        found: dict[float, Threshold] = {}
        spent = 0
        for level, one in sorted(self.lines, key=lambda line: line[1].trials[0].replicate):
            told[level] = (_expected(found, level), spent)
            found[level] = one
            spent += one.runs
        return told

    def frame(self) -> "pd.DataFrame":
        """A row a line: across, kind, at, low, high, runs."""
        import pandas as pd  # takes a second to import

        rows = [
            (across, found.kind, found.at.value, found.at.low, found.at.high, found.runs)
            for across, found in self.lines
        ]
        return pd.DataFrame(rows, columns=["across", "kind", "at", "low", "high", "runs"])

    def trials_frame(self) -> "pd.DataFrame":
        """A row a run: across, level, replicate, response, batch."""
        import pandas as pd

        frames = [
            found.trials_frame().assign(across=across)[
                ["across", "level", "replicate", "response", "batch"]
            ]
            for across, found in self.lines
        ]
        return pd.concat(frames, ignore_index=True)


def follow(
    along: tuple[float, float],
    across: tuple[float, float],
    *,
    runs: int,
    lines: int = 9,
    coverage: float = 0.95,
    jointly: bool = False,
    levels: Sequence[float] | None = None,
    along_levels: Sequence[float] | None = None,
    **search: Any,
) -> Generator[tuple[Spot, ...], Sequence[float], Boundary]:
    """Ask for runs along the boundary; see `cloudchamber.analysis.thresholds.seeking.seek`.

    Args:
        along: range of the factor along which the threshold is searched for.
        across: range of the other.
        runs: how many may be spent on each line.
        lines: how many levels of the other factor, at least 3.
        coverage: of each interval, or of all together.
        jointly: whether all intervals together are to have the coverage (Bonferroni).
        levels: the only levels of the other factor that there are.
        along_levels: the only levels of the factor of each line, if there are no others.
        search: settings of each line's search.

    Raises:
        SpecificationError: see `seek`; fewer than 3 lines.
    """
    if lines < 3:
        raise SpecificationError(f"a boundary of {lines} lines; give at least 3")
    axis = Axis.over(*across, logarithmic=False, levels=levels)
    each = 1 - (1 - coverage) / lines if jointly else coverage
    found: dict[float, Threshold] = {}
    spent = 0
    for _ in range(lines):
        level = _next_line(found, axis, along)
        if level is None:
            break
        found[level] = yield from _line(
            partial(seek, *along, runs=runs, coverage=each, levels=along_levels, **search),
            level,
            _expected(found, level),
            spent,
        )
        spent += found[level].runs
    return Boundary(tuple(sorted(found.items(), key=lambda line: line[0])), coverage, jointly)


def boundary(
    response: Callable[[float, float, int], float],
    along: tuple[float, float],
    across: tuple[float, float],
    *,
    runs: int,
    lines: int = 9,
    coverage: float = 0.95,
    jointly: bool = False,
    levels: Sequence[float] | None = None,
    **search: Any,
) -> Boundary:
    """The boundary curve of a response, a function of both levels and the replicate.

    Args:
        response: grows one run at a level of the first and of the second factor.
        along: see `follow`.
        across: see `follow`.
        runs: see `follow`.
        lines: see `follow`.
        coverage: see `follow`.
        jointly: see `follow`.
        levels: see `follow`.
        search: see `follow`.
    """
    walk = follow(
        along,
        across,
        runs=runs,
        lines=lines,
        coverage=coverage,
        jointly=jointly,
        levels=levels,
        **search,
    )
    spots = next(walk)
    while True:
        try:
            spots = walk.send([float(response(x.level, x.across, x.replicate)) for x in spots])
        except StopIteration as end:
            found: Boundary = end.value
            return found


def _line(
    search: Callable[..., Generator[Any, Sequence[float], Threshold]],
    across: float,
    start: tuple[float, ...],
    spent: int,
) -> Generator[tuple[Spot, ...], Sequence[float], Threshold]:
    asking = search(start=start, replicate=spent)
    probes = next(asking)
    while True:
        got = yield tuple(Spot(probe.level, across, probe.replicate) for probe in probes)
        try:
            probes = asking.send(got)
        except StopIteration as end:
            found: Threshold = end.value
            return found


def _next_line(
    found: dict[float, Threshold], axis: Axis, along: tuple[float, float]
) -> float | None:
    """The ends, then the middle of the longest piece that has one; None where all are taken."""
    for end in (axis.low, axis.high):
        if end not in found:
            return end
    pieces = sorted(pairwise(sorted(found)), key=lambda ends: -_length(found, ends, axis, along))
    for low, high in pieces:
        middle = float(axis.near(axis.place(np.array([(low + high) / 2])), 1 / 64)[0])
        if low < middle < high and middle not in found:
            return middle
    return None


def _length(
    found: dict[float, Threshold], ends: tuple[float, float], axis: Axis, along: tuple[float, float]
) -> float:
    one, other = found[ends[0]], found[ends[1]]
    apart = float(axis.place(ends[1]) - axis.place(ends[0]))
    if not (one.at.known and other.at.known):
        # Between never and always, or where the boundary begins, the curve is as good as steep.
        return hypot(apart, _GAP) * apart if one.kind != other.kind else apart
    gap = (other.at.value - one.at.value) / (along[1] - along[0])
    return hypot(apart, gap)


def _expected(found: dict[float, Threshold], level: float) -> tuple[float, ...]:
    """Where a line's neighbours let expect its threshold, and their own."""
    known = [(across, x.at.value) for across, x in sorted(found.items()) if x.at.known]
    if not known:
        return ()
    at = np.array(known)
    beside = sorted(known, key=lambda line: abs(line[0] - level))[:2]
    return (float(np.interp(level, at[:, 0], at[:, 1])), *(place for _, place in beside))
