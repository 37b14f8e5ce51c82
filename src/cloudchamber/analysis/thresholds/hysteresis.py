"""Does it matter where the factor comes from? Sweeps up and down, and the loop between them.

A response that carries its state along (agents keep their memory while the factor is moved) is swept up and
down again; the loop's area is the mean of *down less up* over the range. Any finite pace leaves a loop by
mere lag, so each sweep is made at two paces, and the area is extrapolated to no pace at all. The sweep is the
unit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.analysis.thresholds.axis import Axis
from cloudchamber.errors import SpecificationError
from cloudchamber.measures.estimate import Estimate, mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Loop", "Sweep", "hysteresis"]

Reals = NDArray[np.float64]
Sweep = Callable[[Sequence[float], int], Sequence[float]]
"""Levels to go through with the state carried along, and a replicate -> a response at each."""
Kind = Literal["hysteresis", "no hysteresis", "cannot tell"]
_EXPONENT: Final = 2 / 3
"""How the excess area of a loop shrinks with its pace near a jump (Jung, Gray, Roy & Mandel 1990); mere
lag shrinks faster, so what the extrapolation leaves of it is below 0, never above: an area at rest is at
worst too small."""
_NOTHING: Final = 0.05
"""A loop smaller than this part of the response's range is none."""


@dataclass(frozen=True, slots=True)
class Loop:
    """What sweeps up and down found."""

    kind: Kind
    area: Estimate
    """Down less up, the mean over the range, extrapolated to no pace; in units of the response.

    The interval is over sweeps. Levels add an error of their own, as large as they are far apart: each turn
    is somewhere between two. Where the slower pace has settled at each level the extrapolation takes off too
    much, and `slow` is the better number.
    """
    fast: Estimate
    """The same as swept at the faster pace."""
    slow: Estimate
    """The same as swept at the slower pace."""
    up: Estimate
    """Where sweeps pass half the response's range (or the criterion) on their way up; slower pace."""
    down: Estimate
    """The same on their way down."""
    dwell: int
    """How many times slower the slower pace is."""
    responses: tuple[tuple[int, str, str, float, float], ...] = field(repr=False)
    """Replicate, pace, direction, level, response."""

    def aloud(self) -> str:
        """In one sentence."""
        sweeps = f"{self.area.n} sweeps up and down"
        where = ""
        if isfinite(self.up.value) and isfinite(self.down.value):
            where = f": up it turns at {_told(self.up)}, down at {_told(self.down)}"
        paces = (
            f"{_told(self.fast)} at the pace swept, {_told(self.slow)} {self.dwell} times slower"
        )
        advice = ""
        if self.kind == "cannot tell":
            lags = self.slow.low > 0 or self.slow.high < 0
            advice = "; sweep slower: the loop shrinks" if lags else "; sweep more often"
        return (
            f"{self.kind}{where}; loop area {_told(self.area)} at rest ({paces}), {sweeps}{advice}"
        )

    def __str__(self) -> str:
        return self.aloud()

    def frame(self) -> "pd.DataFrame":
        """A row a level of a sweep: replicate, pace, direction, level, response."""
        import pandas as pd  # takes a second to import

        names = ["replicate", "pace", "direction", "level", "response"]
        return pd.DataFrame(self.responses, columns=names)


def hysteresis(
    sweep: Sweep,
    low: float,
    high: float,
    *,
    sweeps: int = 10,
    steps: int = 17,
    dwell: int = 4,
    criterion: float | None = None,
    coverage: float = 0.95,
    logarithmic: bool = False,
    levels: Sequence[float] | None = None,
) -> Loop:
    """Sweep a factor up and down, at two paces, and say whether the way matters.

    Args:
        sweep: grows one run along a path of levels; a level that comes several times in a row is
            dwelt on, and its last response counts.
        low: the factor's low end.
        high: its high end.
        sweeps: how many replicates; each is swept at both paces.
        steps: how many levels, where they are free.
        dwell: how many times slower the second pace is.
        criterion: the response at which it is said to turn; without one half the range of responses.
        coverage: of the intervals. Hysteresis is claimed where the one of the area at rest excludes 0.
        logarithmic: whether levels are even in their logarithm.
        levels: the only levels that there are.

    Raises:
        SpecificationError: no range, too few sweeps, steps or pace, or a sweep that leaves levels out.
    """
    if sweeps < 4 or steps < 3 or dwell < 2:
        raise SpecificationError(
            f"{sweeps} sweeps of {steps} steps, {dwell} times slower; give at least 4, 3 and 2"
        )
    axis = Axis.over(low, high, logarithmic=logarithmic, levels=levels)
    at = np.array(axis.levels) if axis.levels else axis.level(np.linspace(0, 1, steps))
    path = np.concatenate([at, at[::-1]])
    found = np.array(
        [[_swept(sweep, path, times, one) for times in (1, dwell)] for one in range(sweeps)]
    ).reshape(sweeps, 2, 2, len(at))
    found[:, :, 1] = found[:, :, 1, ::-1]
    return _judge(found, axis, at, dwell, criterion, coverage)


def _swept(sweep: Sweep, path: Reals, times: int, replicate: int) -> Reals:
    levels = np.repeat(path, times).tolist()
    got = np.asarray(sweep(levels, replicate), dtype=np.float64)
    if got.shape != (len(levels),):
        raise SpecificationError(
            f"a sweep of {len(levels)} levels gave responses of shape {got.shape}; give one a level"
        )
    return got[times - 1 :: times]


def _judge(
    found: Reals, axis: Axis, at: Reals, dwell: int, criterion: float | None, coverage: float
) -> Loop:
    place = axis.place(at)
    areas = np.asarray(np.trapezoid(found[:, :, 1] - found[:, :, 0], place, axis=2))
    rate = dwell**-_EXPONENT
    rest = (areas[:, 1] - rate * areas[:, 0]) / (1 - rate)
    fast, slow, area = (
        mean(values, level=coverage, unit="sweep") for values in (areas[:, 0], areas[:, 1], rest)
    )
    reach = float(np.nanmax(found) - np.nanmin(found))
    least = _NOTHING * reach
    kind: Kind = "cannot tell"
    if (area.low > 0 and slow.value > least) or (area.high < 0 and slow.value < -least):
        kind = "hysteresis"
    elif reach == 0 or (-least < slow.low and slow.high < least):
        kind = "no hysteresis"
    half = float(np.nanmin(found)) + reach / 2 if criterion is None else criterion
    turns = [_turn(found[:, 1, way], axis, place, half, coverage) for way in (0, 1)]
    rows = tuple(
        (replicate, pace, way, level, float(found[replicate, p, w, at_level]))
        for replicate in range(len(found))
        for p, pace in enumerate(("fast", "slow"))
        for w, way in enumerate(("up", "down"))
        for at_level, level in enumerate(at.tolist())
    )
    return Loop(kind, area, fast, slow, turns[0], turns[1], dwell, rows)


def _turn(curves: Reals, axis: Axis, place: Reals, half: float, coverage: float) -> Estimate:
    """Where sweeps pass a value for the first time."""
    found = []
    for curve in curves:
        over = curve >= half
        changes = np.flatnonzero(over[1:] != over[:-1])
        at = (place[changes[0]] + place[changes[0] + 1]) / 2 if len(changes) else nan
        found.append(float(axis.level(at)))
    return mean(found, level=coverage, unit="sweep")


def _told(number: Estimate) -> str:
    return str(number).rpartition(", ")[0] or str(number)
