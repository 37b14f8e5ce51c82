"""Two more ways to an interval for a fitted parameter: the shape of the likelihood, and runs drawn again.

The interval of `Fit.estimate` takes the likelihood for a parabola. Where it is not (a parameter near the
edge of what can be told, few choices), these follow it further; all three cluster by run.
"""

from collections.abc import Callable, Iterable

import numpy as np

from cloudchamber.errors import SpecificationError
from cloudchamber.measures.estimate import Estimate
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.fitting import Fit, climbed, refitted
from cloudchamber.mechanism.likelihood import evaluate
from cloudchamber.randomness import generator

__all__ = ["bootstrap", "profile"]

FAR = 60
"""How often the way out is lengthened before an end counts as infinite."""
CLOSE = 1e-4
"""Of the half-width, how well an end is found."""
USABLE = 0.95
"""The share of draws that must have told a parameter for there to be an interval."""


def profile(found: Fit, data: ChoiceData, name: str, level: float = 0.95) -> Estimate:
    """A parameter's interval by the profile likelihood, all other parameters fitted anew along the way.

    Its ends are where twice the log-likelihood has fallen by the square of Student's t, stretched by how
    much the variance clustered by run exceeds that of independent choices (the vertical adjustment of
    Chandler & Bate 2007, https://doi.org/10.1093/biomet/asm015). An end is infinite where the likelihood
    never falls so far: an effect that only grows has a lower end all the same.

    Args:
        found: a fit.
        data: the choices it was fitted to.
        name: which parameter.
        level: confidence.

    Raises:
        SpecificationError: no such parameter, some choices cannot be, or the fit rests on one run.
    """
    at = _place(found, name)
    if found.impossible or found.runs < 2:
        raise SpecificationError(
            "profile: it needs a fit under which all choices can be, to two runs or more; given: "
            f"{found.impossible} impossible choices, {found.runs} runs"
        )
    from scipy.special import stdtrit  # quick to import, unlike scipy.stats

    top = evaluate(found.mechanism, data, found.to)
    best = top.log_likelihood + top.smoothing
    value = float(found.mechanism.values(data.asked)[at])
    naive = float(np.linalg.pinv(top.information, hermitian=True)[at, at])
    robust = float(found.covariance[at, at])
    stretched = robust / naive if np.isfinite(robust) else 1.0
    freedom = found.freedom(name) if np.isfinite(found.freedom(name)) else found.runs - 1
    fall = float(stdtrit(freedom, 0.5 + level / 2)) ** 2 * stretched / 2
    start = float(np.sqrt(2 * fall * naive)) if np.isfinite(robust) else 1.0

    def below(way: int) -> float:
        mechanism = found.mechanism

        def left(moved: float) -> float:
            nonlocal mechanism
            mechanism, height = climbed(mechanism, data, found.to, {at: value + way * moved})
            return fall - (best - height)

        return value + way * _root(left, start)

    estimate = found.estimate(name, level)
    low, high = below(-1), below(1)
    return Estimate(estimate.value, low, high, found.runs, level, method="profile likelihood")


def bootstrap(
    found: Fit, data: ChoiceData, draws: int = 400, *, level: float = 0.95, seed: int = 0
) -> dict[str, Estimate]:
    """Every parameter's interval by runs drawn again, with replacement, and all fitted anew.

    Studentised: each draw's distance from the fit in that draw's own standard errors takes the place of
    Student's t (Cameron, Gelbach & Miller 2008, https://doi.org/10.1162/rest.90.3.414). Of a parameter that
    more than one draw in twenty could not tell there is no interval.

    Args:
        found: a fit.
        data: the choices it was fitted to.
        draws: how many.
        level: confidence.
        seed: of the draws.

    Raises:
        SpecificationError: fewer than two runs.
    """
    runs = data.runs
    if len(runs) < 2:
        raise SpecificationError(f"bootstrap: {len(runs)} run given; it needs two or more")
    bounds = np.searchsorted(data.run, [*runs, runs[-1] + 1])
    rng = generator(seed, 0, "bootstrap")
    values = found.mechanism.values(data.asked)
    distance = np.full((draws, len(found.names)), np.nan)
    for draw in range(draws):
        again = refitted(found.mechanism, _drawn(data, bounds, rng), found.to)
        with np.errstate(invalid="ignore"):
            distance[draw] = (again.values - values) / again.errors
    told = {}
    for at, name in enumerate(found.names):
        known = distance[np.isfinite(distance[:, at]), at]
        low = high = np.nan
        if len(known) >= max(USABLE * draws, 2):
            far = np.quantile(known, [0.5 + level / 2, 0.5 - level / 2])
            # In the same units as the draws' own: as if all runs informed alike.
            alike, some = found.runs / (found.runs - 1), found.informing[at]
            error = found.errors[at] * np.sqrt(alike / (some / (some - 1)))
            low, high = found.values[at] - far * error
        told[name] = Estimate(
            float(found.values[at]), float(low), float(high), found.runs, level,
            method="studentised bootstrap of runs",
        )  # fmt: skip
    return told


def _place(found: Fit, name: str) -> int:
    if name not in found.names:
        raise SpecificationError(f"no parameter {name!r}; allowed: {', '.join(found.names)}")
    return found.names.index(name)


def _drawn(data: ChoiceData, bounds: np.ndarray, rng: np.random.Generator) -> ChoiceData:
    """As many runs, drawn with replacement; each time it is drawn a run counts as one of its own."""
    chosen = rng.integers(0, len(bounds) - 1, len(bounds) - 1)
    sizes = np.diff(bounds)[chosen]
    rows = _ranges(bounds[chosen], sizes)
    return data.where(rows, run=np.repeat(np.arange(len(chosen)), sizes))


def _ranges(first: Iterable[int], sizes: Iterable[int]) -> np.ndarray:
    return np.concatenate(
        [np.arange(low, low + size) for low, size in zip(first, sizes, strict=True)]
    )


def _root(left: Callable[[float], float], start: float) -> float:
    """How far out `left` falls from above 0 to 0; infinite if it does not."""
    low, high, above = 0.0, start, np.nan
    for _ in range(FAR):
        below = left(high)
        if below < 0:
            break
        low, above, high = high, below, high * 1.6
    else:
        return float(np.inf)
    if np.isnan(above):
        above = left(low)
    # Illinois: the secant, with a stale end halved.
    side = 0
    for _ in range(60):
        middle = (low * below - high * above) / (below - above)
        if high - low < CLOSE * high:
            return float(middle)
        found = left(middle)
        if found >= 0:
            low, above, below, side = middle, found, below / 2 if side == 1 else below, 1
        else:
            high, below, above, side = middle, found, above / 2 if side == -1 else above, -1
        if abs(found) < CLOSE * 1e-2:
            return float(middle)
    return float(low)
