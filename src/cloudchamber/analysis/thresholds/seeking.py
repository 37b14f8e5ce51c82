"""Where along a factor does a phenomenon appear? A sequential search for noisy, costly responses.

`seek` is a generator: it yields the runs that would tell most, is sent what came of them, and returns the
verdict; it knows nothing of how runs are grown. `threshold` drives it with a function.

What is known is a posterior over shapes (flat, step, sigmoid, line, hump; see `shapes`), their places and
widths, floors and ceilings. A verdict needs a probability of `coverage`, with half the odds on *flat*
beforehand: to be claimed against a factor without effect, a change needs a Bayes factor of 19, which chance
reaches in at most one of 19 studies however often one looks (Ville's inequality; for measures, whose
variances are estimated, about so). Placing runs by the posterior does not bias it: where they are placed
depends on earlier responses alone.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from math import isfinite, isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cloudchamber.analysis.thresholds.axis import Axis
from cloudchamber.analysis.thresholds.evidence import Posterior, posterior, responses
from cloudchamber.analysis.thresholds.hysteresis import Loop, Sweep, hysteresis
from cloudchamber.analysis.thresholds.judging import Asked, judge
from cloudchamber.analysis.thresholds.located import NOWHERE, Threshold, Trial
from cloudchamber.analysis.thresholds.looking import next_places, zoomed
from cloudchamber.analysis.thresholds.shapes import WHOLE, Zoom, shapes
from cloudchamber.errors import SpecificationError
from cloudchamber.measures.estimate import Estimate

__all__ = ["Probe", "Threshold", "answered", "seek", "threshold"]

Reals = NDArray[np.float64]
_FIRST: Final = 9
"""Levels of the first look, evenly over the range."""
_EVEN: Final = 33
_CLOSE: Final = 24
_SHARP: Final = 0.1


@dataclass(frozen=True, slots=True)
class Probe:
    """A run to be grown.

    Each has a replicate number of its own, so that runs are independent: runs that share a replicate share
    their noise, and one replicate's tipping point would look like the threshold.
    """

    level: float
    replicate: int


def seek(
    low: float,
    high: float,
    *,
    runs: int,
    coverage: float = 0.95,
    criterion: float | None = None,
    width: float | None = None,
    sharp: float | None = None,
    batch: int = 6,
    logarithmic: bool = False,
    levels: Sequence[float] | None = None,
    start: Sequence[float] = (),
    replicate: int = 0,
    shares: bool | None = None,
) -> Generator[tuple[Probe, ...], Sequence[float], Threshold]:
    """Ask for runs where they tell most until the verdict is clear or the runs are spent.

    Yields batches of runs to be grown; send a response for each: grown or not (0 or 1), a number, or NaN
    for a run that failed.

    Args:
        low: the factor's low end.
        high: its high end.
        runs: how many may be spent.
        coverage: of the intervals, and the probability that a verdict needs.
        criterion: the mean response from which it counts as there; of runs that grow it or not 0.5
            (half of them) unless said. Measures may do without: then there is no never nor always.
        width: how narrow the interval of the place must be before the search stops early, in units
            of the factor (a twentieth of the range unless said; for a logarithmic factor a twentieth
            of it in logarithms).
        sharp: the widest change that is still a threshold: 10 to 90 % of the way, in units of the
            factor (or its logarithm); a tenth of the range unless said.
        batch: how many runs are grown at a time. Fewer place better, more keep machines busy.
        logarithmic: whether the factor is searched by its logarithm.
        levels: the only levels that there are (whole numbers, say).
        start: levels to look at first besides an even look over the range.
        replicate: number of the first run.
        shares: whether a run only grows it or not; if not said, whether all responses are 0 or 1 (as a
            measure's may be, too: of a change that nothing changes all are 0).

    Raises:
        SpecificationError: a range, budget or setting that makes no sense, or responses that do not
            fit what was asked.
    """
    axis = Axis.over(low, high, logarithmic=logarithmic, levels=levels)
    asked, narrow = _asked(axis, coverage, criterion, width, sharp, runs, batch)
    asked = replace(asked, shares=shares)
    trials: tuple[Trial, ...] = ()
    wanted = _first(axis, start)
    known: Posterior | None = None
    before = ""
    while True:
        wanted = wanted[: runs - len(trials)]
        probes = tuple(Probe(x, replicate + len(trials) + i) for i, x in enumerate(wanted))
        got = yield probes
        trials += _answered(probes, got, trials[-1].batch + 1 if trials else 0)
        known = learned(asked, trials, known)
        found = judge(known, asked, trials)
        clear = found.kind if _settled(found, narrow) else ""
        # A verdict must stand one more batch: who stops at the first clear moment stops at lucky ones.
        if len(trials) >= runs or (clear and clear == before):
            return found
        before = clear
        wanted = _next(known, axis, batch)


def threshold(
    response: Callable[[float, int], float],
    low: float,
    high: float,
    *,
    runs: int,
    sweep: Sweep | None = None,
    coverage: float = 0.95,
    criterion: float | None = None,
    width: float | None = None,
    sharp: float | None = None,
    batch: int = 6,
    logarithmic: bool = False,
    levels: Sequence[float] | None = None,
    start: Sequence[float] = (),
    replicate: int = 0,
) -> Threshold:
    """Search for the threshold of a response, a function of level and replicate; see `seek`.

    Args:
        response: grows one run: whether it grew the phenomenon, or a measure of it.
        low: see `seek`.
        high: see `seek`.
        runs: see `seek`; sweeps are not counted.
        sweep: where the response can be swept with its state carried along, `hysteresis` is looked
            for first: a threshold that depends on the way is no one number.
        coverage: see `seek`.
        criterion: see `seek`.
        width: see `seek`.
        sharp: see `seek`.
        batch: see `seek`.
        logarithmic: see `seek`.
        levels: see `seek`.
        start: see `seek`.
        replicate: see `seek`.

    Example:
        ``threshold(lambda level, replicate: level > 0.3, 0, 1, runs=60).aloud()``
    """
    loop = None
    if sweep is not None:
        loop = hysteresis(
            sweep,
            low,
            high,
            coverage=coverage,
            criterion=criterion,
            logarithmic=logarithmic,
            levels=levels,
        )
        if loop.kind == "hysteresis":
            axis = Axis.over(low, high, logarithmic=logarithmic, levels=levels)
            return _looped(loop, axis, criterion)
    search = seek(
        low,
        high,
        runs=runs,
        coverage=coverage,
        criterion=criterion,
        width=width,
        sharp=sharp,
        batch=batch,
        logarithmic=logarithmic,
        levels=levels,
        start=start,
        replicate=replicate,
    )
    probes = next(search)
    while True:
        try:
            probes = search.send([float(response(x.level, x.replicate)) for x in probes])
        except StopIteration as end:
            found: Threshold = end.value
            return replace(found, loop=loop)


def answered(found: Threshold, responses: Sequence[float], *, sharp: float = _SHARP) -> Threshold:
    """The verdict on the runs that a search placed, had other responses come of them.

    Args:
        found: of the search.
        responses: a number a run, in the order of its trials; NaN for a run that failed.
        sharp: the widest change that is still a threshold, as a part of the range.

    Raises:
        SpecificationError: as many responses as there are trials are needed.
    """
    if len(responses) != len(found.trials):
        raise SpecificationError(
            f"{len(found.trials)} runs were placed and {len(responses)} responses given; give one a run"
        )
    asked = Asked(found.axis, found.first.level, found.criterion, sharp, found.shares)
    pairs = zip(found.trials, responses, strict=True)
    trials = tuple(replace(trial, response=float(value)) for trial, value in pairs)
    return judge(learned(asked, trials, None), asked, trials)


def _asked(
    axis: Axis,
    coverage: float,
    criterion: float | None,
    width: float | None,
    sharp: float | None,
    runs: int,
    batch: int,
) -> tuple[Asked, float]:
    """What is asked, and the width of the interval that is narrow enough, as a part of the range."""
    if not 0.5 < coverage < 1:
        raise SpecificationError(f"coverage is {coverage!r}; give more than 0.5 and less than 1")
    if runs < _FIRST or batch < 1:
        raise SpecificationError(
            f"{runs} runs in batches of {batch}; give at least {_FIRST} runs and batches of 1"
        )
    if criterion is not None and not isfinite(criterion):
        raise SpecificationError(f"the criterion is {criterion!r}; give a number or leave it out")
    reach = float(np.log(axis.high / axis.low)) if axis.logarithmic else axis.high - axis.low
    parts = []
    for name, given, usual in (("width", width, 0.05), ("sharp", sharp, _SHARP)):
        part = usual if given is None else given / reach
        if not 0 < part <= 0.5:
            raise SpecificationError(
                f"{name} is {given!r}; give more than 0 and at most half the range, {reach / 2:g}"
            )
        parts.append(part)
    return Asked(axis, coverage, criterion, parts[1]), parts[0]


def _first(axis: Axis, start: Sequence[float]) -> list[float]:
    """The first look: evenly over the range, and where one was told to look."""
    even = axis.near(np.linspace(0, 1, _FIRST), 0.25 / _FIRST).tolist()
    return [*even, *(float(level) for level in start if axis.low <= level <= axis.high)]


def _answered(probes: tuple[Probe, ...], got: Sequence[float], batch: int) -> tuple[Trial, ...]:
    if len(got) != len(probes):
        raise SpecificationError(
            f"{len(probes)} runs were asked for and {len(got)} responses given; give one a run, in order"
        )
    trials = tuple(
        Trial(probe.level, probe.replicate, float(value), batch)
        for probe, value in zip(probes, got, strict=True)
    )
    for trial in trials:
        if not (isfinite(trial.response) or isnan(trial.response)):
            raise SpecificationError(
                f"the response at {trial.level:g} is {trial.response}; give a finite number, or NaN "
                "for a run that failed"
            )
    return trials


def learned(asked: Asked, trials: tuple[Trial, ...], before: Posterior | None) -> Posterior:
    """The posterior; cells are made finer until they are fine where a step must lie."""
    told = [(trial.level, trial.response) for trial in trials if not isnan(trial.response)]
    level, value = (
        (np.array(column) for column in zip(*told, strict=True)) if told else (np.zeros(0),) * 2
    )
    at = np.round(asked.axis.place(level), 12)
    response, tested = responses(at, value, asked.shares), np.unique(at)
    zoom = WHOLE if before is None else zoomed(before, 0.001)
    for _ in range(4):
        known = posterior(shapes(asked.sharp, tested, zoom), response, tested)
        tighter = zoomed(known, 0.001)
        if all(now > 0.4 * then for now, then in zip(_sizes(tighter), _sizes(zoom), strict=True)):
            break
        zoom = tighter
    return known


def _sizes(zoom: Zoom) -> list[float]:
    return [high - low for low, high in (zoom.step, zoom.sigmoid, zoom.up, zoom.down)]


def _next(known: Posterior, axis: Axis, batch: int) -> list[float]:
    """Levels of the next batch: of those evenly over the range and close where changes must lie."""
    zoom = zoomed(known)
    looked = [axis.near(np.linspace(0, 1, _EVEN), 1 / _EVEN)]
    for low, high in {zoom.step, zoom.up, zoom.down} - {(0.0, 1.0)}:
        spacing = (high - low) / _CLOSE
        close = np.linspace(low - 3 * spacing, high + 3 * spacing, _CLOSE + 7)
        looked.append(axis.near(close, spacing))
    levels = np.unique(np.concatenate(looked))
    places = axis.place(levels)
    # A measure's spread is told by replicates at one level: two at a time.
    each = 1 if known.response.certain else 2
    chosen = next_places(known, places, max(1, batch // each))
    return [float(x) for x in np.repeat(levels[chosen], each)][:batch]


def _settled(found: Threshold, narrow: float) -> bool:
    if found.kind == "cannot tell":
        return False
    if found.kind == "gradual" and found.probability(found.shape) < found.first.level:
        return False
    places = found.crossings or ((found.at,) if found.at.known else ())
    return all(_narrow(place, found.axis, narrow) for place in places)


def _narrow(place: Estimate, axis: Axis, narrow: float) -> bool:
    """Whether an interval is as narrow as wanted, or as can be: no level lies in it."""
    if axis.levels and not any(place.low < level < place.high for level in axis.levels):
        return True
    return float(axis.place(place.high) - axis.place(place.low)) <= narrow


def _looped(loop: Loop, axis: Axis, criterion: float | None) -> Threshold:
    """The verdict where the way matters."""
    nothing = (NOWHERE, NOWHERE, (), NOWHERE, NOWHERE, 0.0)
    return Threshold("hysteresis", "loop", (), *nothing, axis, criterion, False, (), (), loop)
