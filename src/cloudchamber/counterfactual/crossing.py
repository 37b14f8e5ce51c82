"""Crossed worlds: grown in lockstep, with what one channel says taken from another of them.

Worlds are coupled: the same replicates under one noise. Each is grown once; what the agents of a twin were
shown is kept on a tape, from which the crossed world is shown its channel.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cloudchamber.counterfactual.channels import Frozen, check_channels, shuffled, taped
from cloudchamber.counterfactual.coupled import Coupled, level_for, numbers_of, of_runs, pools
from cloudchamber.counterfactual.mediation import (
    FOUR,
    WITH,
    WITHOUT,
    Crossing,
    Cuts,
    Mediation,
    alone,
    cell,
    past,
)
from cloudchamber.counterfactual.tape import Tape
from cloudchamber.engine import Alter, Runs
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.in_memory import Answering, answering, grown_in_memory
from cloudchamber.measures import Measure
from cloudchamber.microspec import Microspec
from cloudchamber.models.model import Model
from cloudchamber.questions import Reals

__all__ = ["cross", "cut", "mediate"]

Change = Microspec | Callable[[Microspec], Microspec]


def mediate(
    spec: Microspec,
    without: Change,
    through: Sequence[str | Sequence[str]],
    *,
    measure: str | Measure = "gini",
    replicates: Sequence[int] = range(30),
    seed: int = 0,
    models: Mapping[str, Model] | None = None,
) -> Mediation:
    """Grow the coupled worlds, and say how much passes through each channel.

    Args:
        spec: the world with.
        without: the world without, or the change that makes it of `spec` (any intervention).
        through: channels, see `channels_of`; several taken together as one are given as a sequence.
        measure: the macro measure, by name or itself; it must have a number for each run.
        replicates: which, at least two for intervals.
        seed: of all draws.
        models: opened language models by the names that specifications use.

    Raises:
        SpecificationError: a channel that neither world has, a measure that compares runs, no replicates.
        RunFailed: an answer has the status failed.
    """
    other = without if isinstance(without, Microspec) else without(spec)
    sets = {_named(one): _channels(one) for one in through}
    for channels in sets.values():
        check_channels(channels, spec, other)
    missed = _Missed()

    def worlds(grow: "_Grow") -> None:
        live, dead = Tape(), Tape()
        grow(WITH, spec, live.add)
        grow(WITHOUT, other, dead.add)
        for name, channels in sets.items():
            grow(past(name), spec, taped(channels, dead, missed))
            grow(alone(name), other, taped(channels, live, missed))

    coupled = _grown(spec, of_runs(measure), replicates, seed, models, worlds)
    return Mediation(coupled, tuple(sets), missed.count)


def cross(
    spec: Microspec,
    without: Change,
    first: str,
    second: str,
    *,
    measure: str | Measure = "gini",
    replicates: Sequence[int] = range(30),
    seed: int = 0,
    models: Mapping[str, Model] | None = None,
) -> Crossing:
    """Two channels crossed: does one act only where the other does? Arguments as of `mediate`."""
    other = without if isinstance(without, Microspec) else without(spec)
    check_channels((first, second), spec, other)
    missed = _Missed()

    def worlds(grow: "_Grow") -> None:
        dead = Tape()
        grow("", other, dead.add)
        for both in FOUR:
            channels = [name for name, own in zip((first, second), both, strict=True) if not own]
            grow(cell(both), spec, taped(channels, dead, missed) if channels else None)

    coupled = _grown(spec, of_runs(measure), replicates, seed, models, worlds)
    return Crossing(coupled, first, second, missed.count)


def cut(
    spec: Microspec,
    channels: Sequence[str],
    *,
    freeze: int | None = None,
    measure: str | Measure = "gini",
    replicates: Sequence[int] = range(30),
    seed: int = 0,
    models: Mapping[str, Model] | None = None,
) -> Cuts:
    """What is lost when a channel speaks of other items, or stands still.

    Args:
        spec: what is grown.
        channels: each is cut alone.
        freeze: from this step on (0 is the first) the channel says what it said when the step began; None:
            what it says is dealt to other items at random, for each decision.
        measure: as for `mediate`, and so on.
        replicates: which.
        seed: of all draws.
        models: opened language models.

    Raises:
        SpecificationError: as for `mediate`; a step that there is not.
    """
    check_channels(channels, spec)
    if freeze is not None and not 0 <= freeze < spec.turns.steps:
        raise SpecificationError(
            f"freeze: step {freeze} given; allowed: 0 to {spec.turns.steps - 1}"
        )

    def worlds(grow: "_Grow") -> None:
        grow(WITH, spec, None)
        for name in channels:
            frozen = None if freeze is None else Frozen([name], spec, freeze)
            grow(name, spec, frozen or shuffled([name]))

    coupled = _grown(spec, of_runs(measure), replicates, seed, models, worlds)
    how = "shuffled" if freeze is None else f"frozen at step {freeze}"
    return Cuts(coupled, tuple(channels), how)


class _Missed:
    """Counts rows."""

    count = 0

    def __call__(self, rows: int) -> None:
        self.count += rows


class _Grow:
    """Grows worlds of one pool of replicates, and measures them."""

    def __init__(self, runs: Runs, measure: Measure, answers: Answering) -> None:
        self.runs, self.measure, self.answers = runs, measure, answers
        self.found: dict[str, Reals] = {}

    def __call__(self, name: str, spec: Microspec, alter: Alter | None) -> None:
        level = level_for(self.measure)
        trace = grown_in_memory(spec, self.runs, self.answers(spec), level=level, alter=alter)
        self.found[name] = numbers_of(self.measure, trace, self.runs.ids)


def _grown(
    spec: Microspec,
    measure: Measure,
    replicates: Sequence[int],
    seed: int,
    models: Mapping[str, Model] | None,
    worlds: Callable[[_Grow], None],
) -> Coupled:
    found: list[dict[str, Reals]] = []
    with answering(models) as answers:
        for some in pools(spec, replicates):
            grow = _Grow(Runs(seed, np.array(some), np.arange(len(some)) + 1), measure, answers)
            worlds(grow)
            found.append(grow.found)
    joined = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    return Coupled(measure.name, np.array(list(replicates)), joined)


def _channels(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _named(given: str | Sequence[str]) -> str:
    return " + ".join(_channels(given))
