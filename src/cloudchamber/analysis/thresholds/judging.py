"""What may be concluded of a response along a factor from what is known of it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log, nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cloudchamber.analysis.thresholds.axis import Axis
from cloudchamber.analysis.thresholds.evidence import Posterior, Shares
from cloudchamber.analysis.thresholds.located import NOWHERE, CurvePoint, Kind, Threshold, Trial
from cloudchamber.analysis.thresholds.looking import credible, zoomed
from cloudchamber.analysis.thresholds.products import product
from cloudchamber.analysis.thresholds.shapes import FAMILIES
from cloudchamber.measures.estimate import Estimate

__all__ = ["Asked", "judge"]

Reals = NDArray[np.float64]
_DRAWS: Final = 1000
_FINE: Final = 129
_FLAT: Final = 0.9
"""Odds that runs must give to flat by themselves (9 to 1), whatever they were beforehand."""
_LEAST: Final = 27
"""Before so many runs it is neither never nor always: three over each eighth of the range."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a response along a factor."""

    axis: Axis
    coverage: float
    criterion: float | None
    sharp: float
    """The widest step, as a part of the range."""
    shares: bool | None = None
    """Whether a run only grows it or not; if not said, whether all responses are 0 or 1."""


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Curves drawn from what is known."""

    at: Reals
    value: Reals
    """[draws, places]."""
    family: NDArray[np.int64]
    width: Reals


def judge(known: Posterior, asked: Asked, trials: tuple[Trial, ...]) -> Threshold:
    """The verdict, with intervals."""
    drawn = _draw(known)
    shares = isinstance(known.response, Shares)
    criterion = asked.criterion if asked.criterion is not None or not shares else 0.5
    kind = _kind(known, drawn, criterion, asked.coverage, len(trials))
    best = int(known.families.argmax())
    if kind == "gradual":
        best = 2 if known.families[2] >= known.families[3] else 3
    tails = np.array([0.5, (1 - asked.coverage) / 2, (1 + asked.coverage) / 2])
    n = len(trials)

    def of(quantiles: Reals) -> Estimate:
        value, low, high = quantiles.tolist()
        return Estimate(value, low, high, n, asked.coverage, method="posterior")

    ends = np.quantile(drawn.value[:, [0, -1]], tails, axis=0)
    places = _places(known, drawn, kind, criterion, tails)
    levels = [of(asked.axis.level(place)) for place in places]
    one = len(levels) == 1
    return Threshold(
        kind,
        FAMILIES[best],
        tuple(zip(FAMILIES, known.families.tolist(), strict=True)),
        levels[0] if one else NOWHERE,
        _width(drawn, best, asked.axis, levels, tails, of),
        () if one else tuple(levels),
        of(ends[:, 0]),
        of(ends[:, 1]),
        _more(known, asked.coverage, n) if kind == "cannot tell" else 0.0,
        asked.axis,
        criterion,
        shares,
        trials,
        _curve(drawn, asked.axis, tails),
    )


def _draw(known: Posterior) -> _Drawn:
    rng = np.random.default_rng(0)
    sums = known.weight.cumsum()
    spread = (np.arange(_DRAWS) + 0.5) / _DRAWS * sums[-1]
    chosen = np.minimum(np.searchsorted(sums, spread), len(sums) - 1)
    floor, gain = known.weighed.draw(chosen, rng)
    zoom = zoomed(known)
    parts = {zoom.step, zoom.sigmoid, zoom.up, zoom.down}
    fine = [np.linspace(*part, 17) for part in sorted(parts)]
    at = np.unique(np.concatenate([np.linspace(0, 1, _FINE), *fine]))
    kept, back = np.unique(chosen, return_inverse=True)
    part = known.grid.some(kept).curves(at)[back]
    return _Drawn(
        at,
        floor[:, None] + gain[:, None] * part,
        known.grid.family[chosen],
        known.grid.width[chosen],
    )


def _kind(known: Posterior, drawn: _Drawn, criterion: float | None, sure: float, n: int) -> Kind:
    flat, step, sigmoid, line, hump, rough = known.families.tolist()
    if criterion is not None and (n >= _LEAST or flat < 1 - sure):
        if (drawn.value.max(axis=1) < criterion).mean() * (1 - rough) >= sure:
            return "never"
        if (drawn.value.min(axis=1) >= criterion).mean() * (1 - rough) >= sure:
            return "always"
    if step >= sure:
        return "threshold"
    if sigmoid + line >= sure:
        return "gradual"
    if hump >= sure:
        return "non-monotone"
    # That nothing changes cannot be shown, only that it changes by less than would matter.
    small = (np.ptp(drawn.value, axis=1) < _margin(known)).mean() * (1 - rough)
    return "flat" if flat >= _FLAT and small >= sure and n >= _LEAST else "cannot tell"


def _margin(known: Posterior) -> float:
    """A change that would matter: of shares a fifth, of measures half a run's standard deviation."""
    if known.response.certain:
        return 0.2
    middle = np.linspace(0, 1, 9)
    return 0.5 * float(np.sqrt(known.response.noise(middle, middle).mean()))


def _places(
    known: Posterior, drawn: _Drawn, kind: Kind, criterion: float | None, tails: Reals
) -> list[Reals]:
    """Quantiles of each place where the response passes; none where it does not."""
    if kind in ("never", "always", "flat"):
        return []
    if kind == "threshold":
        return [credible(known.grid.edges[0], known.grid.by_cell(known.weight)[0], tails)]
    if kind == "non-monotone":
        rows = drawn.family == 4
        found = _crossings(drawn.at, drawn.value[rows], criterion, 2)
        enough = np.isfinite(found).mean(axis=0) > 0.9
        return [np.nanquantile(column, tails) for column in found.T[enough]]
    wanted = (2, 3) if kind == "gradual" else (1, 2, 3)
    rows = np.isin(drawn.family, wanted)
    found = _crossings(drawn.at, drawn.value[rows], criterion, 1)
    if rows.sum() < 50 or np.isfinite(found).mean() < 0.9:
        return []
    return [np.nanquantile(found[:, 0], tails)]


def _crossings(at: Reals, values: Reals, criterion: float | None, count: int) -> Reals:
    """Where curves pass the criterion, or half their way: [curves, count], NaN where they do not."""
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    over = values - ((low + high) / 2 if criterion is None else criterion)
    passing = (over[:, 1:] >= 0) != (over[:, :-1] >= 0)
    rows, columns = np.nonzero(passing)
    gap = over[rows, columns + 1] - over[rows, columns]
    where = at[columns] - over[rows, columns] / gap * (at[columns + 1] - at[columns])
    order = passing.cumsum(axis=1)[rows, columns] - 1
    out = np.full((len(values), count), nan)
    kept = order < count
    out[rows[kept], order[kept]] = where[kept]
    return out


def _width(
    drawn: _Drawn,
    best: int,
    axis: Axis,
    levels: list[Estimate],
    tails: Reals,
    of: Callable[[Reals], Estimate],
) -> Estimate:
    if best not in (1, 2) or not levels:
        return NOWHERE
    widths = drawn.width[drawn.family == best]
    if len(widths) < 50:
        return NOWHERE
    half = np.quantile(widths, tails) / 2
    middle = axis.place(levels[0].value)
    return of(axis.level(middle + half) - axis.level(middle - half))


def _curve(drawn: _Drawn, axis: Axis, tails: Reals) -> tuple[CurvePoint, ...]:
    _, low, high = np.quantile(drawn.value, tails, axis=0)
    columns = (axis.level(drawn.at), drawn.value.mean(axis=0), low, high)
    return tuple(CurvePoint(*row) for row in np.stack(columns, axis=1).tolist())


def _more(known: Posterior, sure: float, n: int) -> float:
    """Runs that it may take until the likeliest shape is told from the next.

    Where a run tells most of the two, it is expected to add the divergence between their expected
    responses to the log-odds. The order of magnitude is meant.
    """
    ranked = np.argsort(-known.families[:-1])[:2]
    if known.families[-1] > 0.5 or known.families[ranked].min() <= 0:
        return inf
    at = np.linspace(0, 1, 33)
    expected = known.expected(at)
    means = []
    for index in ranked:
        weight = known.weight * (known.grid.family == index)
        means.append(product(expected.T, weight) / weight.sum())
    noise = known.response.noise(at, (means[0] + means[1]) / 2)
    rate = np.sort(np.square(means[0] - means[1]) / (2 * noise))[-8:].mean()
    odds = log(known.families[ranked[0]] / (1 - known.families[ranked[0]]))
    needed = log(sure / (1 - sure)) - odds
    return float(max(np.ceil(max(needed, 0.5) / rate), 1)) if rate > 1e-6 else inf
