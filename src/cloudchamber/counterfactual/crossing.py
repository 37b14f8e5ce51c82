"""Crossed worlds: grown in lockstep, with what one channel says taken from another of them.

Worlds are coupled: the same replicates under one noise. Each is grown once; what the agents of a twin were
shown is kept on a tape, from which the crossed world is shown its channel.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

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
from cloudchamber.errors import RunFailed, SpecificationError
from cloudchamber.experiment.in_memory import Answering, Models, answering, grown_in_memory
from cloudchamber.measures import Measure
from cloudchamber.microspec import Microspec
from cloudchamber.questions import Reals

__all__ = ["cross", "cut", "mediate", "taken_apart", "worlds_of"]

Change = Microspec | Callable[[Microspec], Microspec]
Watch = Callable[[str, int], None]


def mediate(
    spec: Microspec,
    without: Change,
    through: Sequence[str | Sequence[str]],
    *,
    measure: str | Measure = "gini",
    replicates: Sequence[int] = range(30),
    seed: int = 0,
    models: Models = None,
) -> Mediation:
    """Grow the coupled worlds, and say how much passes through each channel.

    Args:
        spec: the world with.
        without: the world without, or the change that makes it of `spec` (any intervention).
        through: channels, see `channels_of`; several taken together as one are given as a sequence.
        measure: the macro measure, by name or itself; it must have a number for each run.
        replicates: which, at least two for intervals. One of which a run fails is left out.
        seed: of all draws.
        models: opened language models by the names that specifications use.

    Raises:
        SpecificationError: a channel that neither world has, a measure that compares runs, no replicates.
        RunFailed: an answer has the status failed, in every replicate.
    """
    return taken_apart(
        spec,
        without,
        through,
        crossed=(),
        measure=measure,
        replicates=replicates,
        seed=seed,
        models=models,
    )[0]


def cross(
    spec: Microspec,
    without: Change,
    first: str,
    second: str,
    *,
    measure: str | Measure = "gini",
    replicates: Sequence[int] = range(30),
    seed: int = 0,
    models: Models = None,
) -> Crossing:
    """Two channels crossed: does one act only where the other does? Arguments as of `mediate`."""
    _, (both,) = taken_apart(
        spec,
        without,
        (),
        crossed=[(first, second)],
        measure=measure,
        replicates=replicates,
        seed=seed,
        models=models,
    )
    return both


def taken_apart(
    spec: Microspec,
    without: Change,
    through: Sequence[str | Sequence[str]],
    *,
    crossed: Sequence[tuple[str, str]],
    measure: str | Measure = "gini",
    replicates: Sequence[int] = range(30),
    seed: int = 0,
    models: Models = None,
    draws: int = 0,
    watch: Watch | None = None,
) -> tuple[Mediation, tuple[Crossing, ...]]:
    """As `mediate` and `cross` together: no world is grown twice.

    Args:
        spec: as of `mediate`, as most that follows.
        without: the world without.
        through: channels that are each taken alone.
        crossed: pairs of channels.
        measure: the macro measure.
        replicates: which.
        seed: of all draws.
        models: whoever decides.
        draws: each replicate is grown under so many draws of who decides, beside the first. `models` then
            answers itself, and tells them apart: a row's draw is its `run` modulo (draws + 1).
        watch: told of each world, when it is grown, its name and how many runs of it there are.

    Raises:
        SpecificationError: as `mediate`.
        RunFailed: as `mediate`.
    """
    other = without if isinstance(without, Microspec) else without(spec)
    sets = {_named(one): _channels(one) for one in through}
    for channels in (*sets.values(), *crossed):
        check_channels(channels, spec, other)
    pasts = sets | {_named(both): both for both in crossed}
    pasts |= {name: (name,) for both in crossed for name in both}

    def worlds(grow: "_Grow") -> None:
        live, dead = Tape(draws + 1), Tape(draws + 1)
        grow(WITH, spec, live.add if sets else None)
        grow(WITHOUT, other, dead.add)
        for name, channels in pasts.items():
            grow(past(name), spec, taped(channels, dead, grow.missing(past(name))))
        for name, channels in sets.items():
            grow(alone(name), other, taped(channels, live, grow.missing(alone(name))))

    coupled, missed = _grown(
        spec, of_runs(measure), replicates, seed, models, worlds, draws=draws, watch=watch
    )
    mine = [name for one in sets for name in (past(one), alone(one))]
    names = [WITH, WITHOUT, *mine]
    mediation = Mediation(
        _some(coupled, {one: one for one in names}), tuple(sets), _sum(missed, mine)
    )
    crossings = []
    for first, second in crossed:
        of = {
            (True, True): WITH,
            (True, False): past(second),
            (False, True): past(first),
            (False, False): past(_named((first, second))),
        }
        four = _some(coupled, {cell(both): of[both] for both in FOUR})
        crossings.append(Crossing(four, first, second, _sum(missed, list(of.values()))))
    return mediation, tuple(crossings)


def worlds_of(through: int, crossed: int) -> tuple[int, int]:
    """How many worlds `taken_apart` grows of so many channels and pairs: as with, and as without."""
    return 1 + through + crossed, 1 + through


def cut(
    spec: Microspec,
    channels: Sequence[str],
    *,
    freeze: int | None = None,
    measure: str | Measure = "gini",
    replicates: Sequence[int] = range(30),
    seed: int = 0,
    models: Models = None,
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

    coupled, _ = _grown(spec, of_runs(measure), replicates, seed, models, worlds)
    how = "shuffled" if freeze is None else f"frozen at step {freeze}"
    return Cuts(coupled, tuple(channels), how)


class _Grow:
    """Grows worlds of one pool of replicates, and measures them."""

    def __init__(
        self, runs: Runs, draws: int, measure: Measure, answers: Answering, watch: Watch | None
    ) -> None:
        self.runs, self.draws, self.measure, self.answers = runs, draws, measure, answers
        self.found: dict[str, Reals] = {}
        """World -> (draws + 1, replicates)."""
        self.missed: Counter[str] = Counter()
        self._watch = watch

    def __call__(self, name: str, spec: Microspec, alter: Alter | None) -> None:
        level = level_for(self.measure)
        trace = grown_in_memory(spec, self.runs, self.answers(spec), level=level, alter=alter)
        numbers = numbers_of(self.measure, trace, self.runs.ids)
        self.found[name] = numbers.reshape(-1, self.draws + 1).T
        if self._watch is not None:
            self._watch(name, len(self.runs.ids))

    def missing(self, name: str) -> Callable[[int], None]:
        """Counts the rows of a world for which there is none in the twin."""

        def count(rows: int) -> None:
            self.missed[name] += rows

        return count


def _grown(
    spec: Microspec,
    measure: Measure,
    replicates: Sequence[int],
    seed: int,
    models: Models,
    worlds: Callable[[_Grow], None],
    *,
    draws: int = 0,
    watch: Watch | None = None,
) -> tuple[Coupled, Mapping[str, int]]:
    """The numbers of all worlds, and how many of their decisions had none in the twin."""
    found: list[_Grow] = []
    left: dict[int, str] = {}
    with answering(models) as answers:
        for pool in pools(spec, replicates, draws + 1):
            some = list(pool)
            while some:
                ids = np.arange(len(some) * (draws + 1)) + 1
                runs = Runs(seed, np.repeat(np.array(some), draws + 1), ids)
                grow = _Grow(runs, draws, measure, answers, watch)
                try:
                    worlds(grow)
                except RunFailed as failure:
                    gone = some.pop(failure.run // (draws + 1))
                    left[gone] = f"failed at {failure.stage}: {failure.reason}"
                    if len(left) == len(replicates):
                        raise
                    continue
                found.append(grow)
                break
    kept = [one for one in replicates if one not in left]
    names = list(found[0].found)
    joined = {name: np.concatenate([one.found[name] for one in found], axis=1) for name in names}
    first = {name: values[0] for name, values in joined.items()}
    drawn = {name: values[1:] for name, values in joined.items()} if draws else {}
    missed: Counter[str] = Counter()
    for one in found:
        missed.update(one.missed)
    # Of one draw, on average.
    told = {name: round(count / (draws + 1)) for name, count in missed.items()}
    return Coupled(measure.name, np.array(kept), first, drawn, left), told


def _some(coupled: Coupled, of: Mapping[str, str]) -> Coupled:
    """Some worlds under other names."""
    drawn = {name: coupled.drawn[one] for name, one in of.items()} if coupled.drawn else {}
    return replace(
        coupled, worlds={name: coupled.worlds[one] for name, one in of.items()}, drawn=drawn
    )


def _sum(missed: Mapping[str, int], worlds: Sequence[str]) -> int:
    return sum(missed.get(one, 0) for one in worlds)


def _channels(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _named(given: str | Sequence[str]) -> str:
    return " + ".join(_channels(given))
