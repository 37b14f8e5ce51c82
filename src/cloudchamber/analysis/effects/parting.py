"""When do two conditions part? Their series over steps, compared at all steps at once.

A test at each step by itself finds a parting by chance somewhere; a cluster test says that there is one but
not when (Sassenhagen & Draschkow 2019). So: the largest t over all steps, under permutation of whole runs
(Westfall & Young 1993), step down. Where it says that two conditions differ, they do at that very step, all
steps together at the level; so "parted by step s" can be claimed. That they did *not* yet part before takes a
margin: an effect may begin smaller than any number of runs can show.
"""

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.analysis.effects.resampling import deals, signs
from cloudchamber.errors import SpecificationError
from cloudchamber.measures import Measure, measure_named
from cloudchamber.measures.estimate import FEW

if TYPE_CHECKING:
    import pandas as pd

    from cloudchamber.experiment import Results

__all__ = ["Parted", "Parting", "courses", "parting"]

Reals = NDArray[np.float64]
Parted = Literal["part", "part for a while", "do not part", "undecided"]
_ROWS = 2_000_000
"""Numbers in one block of permuted series."""


@dataclass(frozen=True, slots=True)
class Parting:
    """Whether and when two conditions part, and what that rests on."""

    answer: Parted
    """"part": they differ (by more than the margin, if there is one) from a step on, to the end. "part for a
    while": at some steps, but not at the end. "do not part": at every step shown to be within the margin."""
    step: float
    """The step from which they are seen to differ and stay so; NaN if they are not."""
    low: float
    """The first step at which they can have parted, by the simultaneous band."""
    high: float
    """The step by which they have parted, at this confidence; NaN if that cannot be said."""
    p: float
    """That they differ at no step, by the largest t over steps."""
    margin: float
    level: float
    n: int
    """Pairs, or runs of both."""
    paired: bool
    table: "pd.DataFrame"
    """A row a step: step, estimate, low, high (simultaneous), p (adjusted for all steps), differs (1, -1: it
    does, to this side; 0: not shown), within (shown to be within the margin)."""

    def sentence(self) -> str:
        """The result in words."""
        runs = f"{self.n} {'pairs of runs' if self.paired else 'runs'}, p = {self.p:.2g}"
        beyond = f" by more than {self.margin:g}" if self.margin else ""
        if self.answer == "part":
            return (
                f"They differ{beyond} from step {self.step:g} on and stay so ({runs}); they part between "
                f"steps {self.low:g} and {self.high:g}, at {self.level:.0%} for all steps together."
            )
        if self.answer == "part for a while":
            steps = self.table["step"][self.table["differs"] != 0]
            return (
                f"They differ{beyond} for a while, first at step {steps.iloc[0]:g} and last at step "
                f"{steps.iloc[-1]:g}, but not shown so at the end ({runs})."
            )
        if self.answer == "do not part":
            return f"They do not part: within {self.margin:g} of each other at every step ({runs})."
        return f"Whether they part{beyond} cannot be told ({runs})."


def parting(
    a: Any,
    b: Any,
    *,
    paired: bool,
    margin: float = 0.0,
    level: float = 0.95,
    draws: int = 1999,
    seed: int = 0,
) -> Parting:
    """From which step on do two conditions differ?

    Args:
        a: series of one condition: [runs, steps]; or a frame, wide (a row a run or replicate, a column a
            step) or long (columns run or replicate, step, value, as `Measure.over_time` gives it).
        b: of the other; the same steps.
        paired: whether runs belong together. Frames are matched by index, which must then name the
            replicate; arrays by place.
        margin: the difference that counts as having parted, in the measure's units. Without one only the
            step by which they have parted can be known: `low` is the first step, but for steps at which
            all pairs are exactly alike, as paired runs are before anything differs.
        level: confidence, for all steps together.
        draws: permutations, and bootstrap samples of the band.
        seed: of both.

    The test flips signs of whole pairs, or deals whole runs anew, and compares the largest Welch t over
    steps: exact for p. The band is a wild bootstrap over runs (Mammen 1993; signs of whole runs' deviations)
    of the same; approximate. With a margin, `step` is where the mean difference passes it for good, and
    low and high are where the band allows and forces that. (The quantiles of bootstrapped steps themselves
    cover the true step in 63 to 99 % of cases, for 95, by how rough the series are: they are not used.)
    Steps at which a run has no number are left out.

    Raises:
        SpecificationError: the conditions have different steps, unpaired lengths, or a margin below 0.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    if margin < 0 or not 0 < level < 1:
        raise SpecificationError(
            f"parting: margin {margin}, level {level}; give 0 or more, and 0 to 1"
        )
    steps, groups = _series(a, b, paired)
    n = sum(map(len, groups))
    if min(map(len, groups)) < FEW or not len(steps):
        table = pd.DataFrame(
            {"step": steps, "estimate": nan, "low": nan, "high": nan, "p": nan, "differs": 0}
        ).assign(within=False)
        return Parting("undecided", nan, nan, nan, nan, margin, level, n, paired, table)
    t, gap, error = _t(groups)
    p = _step_down(np.abs(t), _permuted(groups, draws, seed))
    width = error * np.quantile(_wild(groups, draws, seed).max(axis=1), level)
    low, high = gap - width, gap + width
    if margin:
        differs = np.where(low > margin, 1, np.where(high < -margin, -1, 0))
    else:
        differs = np.where(p <= 1 - level, np.sign(gap), 0).astype(int)
    within = (-margin < low) & (high < margin) if margin else (gap == 0) & (error == 0)
    table = pd.DataFrame(
        {
            "step": steps,
            "estimate": gap,
            "low": low,
            "high": high,
            "p": p,
            "differs": differs,
            "within": within,
        }
    )
    answer, first = _answer(differs, within, margin)
    step = soonest = latest = nan
    if answer == "part":
        passed = _for_good(np.where(np.abs(gap) > margin, np.sign(gap), 0)) if margin else first
        earliest = int(np.flatnonzero(within[:first])[-1]) + 1 if within[:first].any() else 0
        step, soonest, latest = (float(steps[at]) for at in (passed, earliest, first))
    least = float(p.min())
    return Parting(answer, step, soonest, latest, least, margin, level, n, paired, table)


def courses(results: "Results", measure: str | Measure, cell: str) -> "pd.DataFrame":
    """A measure's series in the runs of a cell: a row a replicate, a column a step.

    Raises:
        SpecificationError: an unknown cell or measure, or one that has no course.
    """
    kind = measure_named(measure) if isinstance(measure, str) else measure
    if kind.over_time is None:
        raise SpecificationError(f"the {kind.name} has no course over steps; give one that has")
    runs = results.ids(results.require(cell))
    done = results.done[results.done["name"] == cell].set_index("run")["replicate"]
    series = kind.over_time(results.trace)
    series = series[series["run"].isin(runs)]
    return _wide(series.assign(replicate=series["run"].map(done)))


def _answer(differs: NDArray[Any], within: NDArray[Any], margin: float) -> tuple[Parted, int]:
    """The answer, and the place from which they differ for good (the number of steps, if they do not)."""
    first = _for_good(differs)
    if first < len(differs):
        return "part", first
    if (differs != 0).any():
        return "part for a while", first
    return ("do not part" if margin and within.all() else "undecided"), first


def _for_good(sides: NDArray[Any]) -> int:
    """The place from which all are on the side of the last; their number, where the last is on none."""
    if sides[-1] == 0:
        return len(sides)
    other = np.flatnonzero(sides != sides[-1])
    return int(other[-1]) + 1 if len(other) else 0


def _series(a: Any, b: Any, paired: bool) -> tuple[NDArray[Any], tuple[Reals, ...]]:
    """The steps, and [runs, steps] of the differences, or of each condition."""
    import pandas as pd

    one, other = _wide(a), _wide(b)
    if not one.columns.equals(other.columns):
        raise SpecificationError(
            f"series: {one.shape[1]} steps against {other.shape[1]}, or other ones; give the same steps"
        )
    framed = isinstance(a, pd.DataFrame) and isinstance(b, pd.DataFrame)
    if paired and not framed and len(one) != len(other):
        raise SpecificationError(
            f"paired series: {len(one)} runs against {len(other)}; give as many of each, pair by "
            "pair, or two frames indexed by replicate"
        )
    frames = (one - other,) if paired else (one, other)
    if paired:
        frames = (frames[0].dropna(how="all"),)
    whole = np.logical_and.reduce([frame.notna().all(axis=0).to_numpy() for frame in frames])
    steps = one.columns.to_numpy()[whole]
    return steps, tuple(frame.to_numpy(dtype=np.float64)[:, whole] for frame in frames)


def _wide(given: Any) -> "pd.DataFrame":
    import pandas as pd

    if not isinstance(given, pd.DataFrame):
        return pd.DataFrame(np.atleast_2d(np.asarray(given, dtype=np.float64)))
    if {"step", "value"} <= set(map(str, given.columns)):
        unit = "replicate" if "replicate" in given.columns else "run"
        given = given.pivot(index=unit, columns="step", values="value")
    wide: pd.DataFrame = given.sort_index(axis=1)
    return wide


def _t(groups: tuple[Reals, ...]) -> tuple[Reals, Reals, Reals]:
    """Student's or Welch's t at each step, the difference, and its standard error."""
    means = [group.mean(axis=-2) for group in groups]
    gap = means[0] - means[1] if len(means) > 1 else means[0]
    squares = [group.var(axis=-2, ddof=1) / group.shape[-2] for group in groups]
    error = np.sqrt(np.sum(squares, axis=0))
    scale = max(float(np.abs(group).max()) for group in groups)
    # What rounding leaves of nothing is nothing.
    gap = np.where(np.abs(gap) <= 1e-12 * scale, 0.0, gap)
    error = np.where(error <= 1e-12 * scale, 0.0, error)
    t = np.where(gap == 0, 0.0, np.copysign(np.inf, gap))
    np.divide(gap, error, out=t, where=error > 0)
    return t, gap, error


def _blocks(arrangements: NDArray[Any], numbers: int) -> list[NDArray[Any]]:
    return np.array_split(arrangements, max(1, len(arrangements) * numbers // _ROWS))


def _permuted(groups: tuple[Reals, ...], draws: int, seed: int) -> Reals:
    """|t| at each step of each arrangement of whole runs, [arrangements, steps]; the first as found."""
    if len(groups) == 1:
        flips, _ = signs(len(groups[0]), draws, seed)
        found = [_t((block[..., None] * groups[0],))[0] for block in _blocks(flips, groups[0].size)]
        return np.abs(np.concatenate(found))
    pooled, n = np.concatenate(groups), len(groups[0])
    orders, _ = deals(n, len(pooled), draws, seed)
    found = [
        _t((pooled[block[:, :n]], pooled[block[:, n:]]))[0]
        for block in _blocks(orders, pooled.size)
    ]
    return np.abs(np.concatenate(found))


def _step_down(t: Reals, permuted: Reals) -> Reals:
    """Adjusted p at each step (Westfall & Young 1993, algorithm 4.1): the greatest t against all steps.

    The next against all but that one, and so on.
    """
    order = np.argsort(t, kind="stable")
    largest = np.maximum.accumulate(permuted[:, order], axis=1)
    slack = 1e-9 * np.where(np.isfinite(t[order]), t[order], 0)
    reached = (largest >= t[order] - slack).mean(axis=0)
    p = np.empty_like(t)
    p[order] = np.maximum.accumulate(reached[::-1])[::-1]
    return p


def _wild(groups: tuple[Reals, ...], draws: int, seed: int) -> Reals:
    """|t| at each step where signs of whole runs' deviations from the mean are drawn."""
    rng = np.random.default_rng(seed)
    drawn = [rng.choice((1.0, -1.0), (draws, len(group))) for group in groups]
    numbers = sum(group.size for group in groups)
    centred = [group - group.mean(axis=0) for group in groups]
    many = max(1, draws * numbers // _ROWS)
    found = []
    for parts in zip(*(np.array_split(one, many) for one in drawn), strict=True):
        made = tuple(part[..., None] * one for part, one in zip(parts, centred, strict=True))
        found.append(np.abs(_t(made)[0]))
    t = np.concatenate(found)
    return np.where(np.isfinite(t), t, 0.0)
