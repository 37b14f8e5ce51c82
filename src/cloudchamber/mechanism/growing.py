"""Growing with mechanisms: they take the agents' place in the same specification, under the same noise.

All draws of a mechanism's parameters ride in one pool, so that many cost little more than one: each
replicate of each draw is a run of the pool, and every batch is asked once for all of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudchamber.agents import LanguageModel, Society
from cloudchamber.engine import Runs, grow
from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.measures import Measure
from cloudchamber.mechanism.mechanisms import Mechanism
from cloudchamber.mechanism.plausible import Fitted, plausible
from cloudchamber.mechanism.stacking import stacked
from cloudchamber.microspec import Microspec
from cloudchamber.questions import Answers, Ints, Questions, Reals, joined_answers
from cloudchamber.trace import Level, Trace

__all__ = ["Deciding", "Many", "Pool", "decided_by", "grown_by", "numbers_by", "pools", "put"]

Deciding = Mapping[str, Mechanism]
"""What decides, by the name of the group in whose place it does; other groups stay as they are."""
SHOWN = 1_500_000
"""Exposures that a pool holds at a time, where they are kept."""
AGENTS = 4_000_000
"""Agents that ride in one pool at most, over all its runs."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Runs that were regrown together: the trace of a number of draws, all replicates of each."""

    draws: range
    """Which draws; 0 is the fit itself."""
    replicates: tuple[int, ...]
    trace: Trace
    """Its run of draw d and replicate r is numbered `run_of(d, r)`."""

    def runs(self) -> NDArray[np.int64]:
        """(draws, replicates): the number of each run in the trace."""
        one = np.arange(len(self.replicates))
        return np.asarray([draw * len(one) + one + 1 for draw in self.draws], np.int64)


def decided_by(
    spec: Microspec, found: "Fitted | Mapping[str, Fitted]", draws: int = 0, *, seed: int = 0
) -> tuple[Deciding, ...]:
    """Who decides in each draw: the mechanisms of the fit, then those of `draws` plausible others.

    Args:
        spec: where they are to decide.
        found: a fit or mechanism for every group, or one for each of some groups, by name.
        draws: how many draws beside the fit itself.
        seed: of the draws; one draw is the same in every specification.

    Raises:
        SpecificationError: the specification has no such group, or a group that stays asks a language model.
    """
    names = [group.name for group in spec.population.groups]
    given = found if isinstance(found, Mapping) else dict.fromkeys(names, found)
    for name in given:
        if name not in names:
            raise SpecificationError(f"no group {name!r}; {nearest(name, names)}")
    for group in spec.population.groups:
        if group.name not in given and group.count and isinstance(group.decides, LanguageModel):
            raise SpecificationError(
                f"the group {group.name!r} asks a language model, and nothing decides in its place; give a "
                "mechanism for it too"
            )
    drawn = {name: plausible(one, draws, seed=seed) for name, one in given.items()}
    return tuple({name: one[at] for name, one in drawn.items()} for at in range(draws + 1))


def put(spec: Microspec, deciding: Deciding) -> Microspec:
    """The specification with mechanisms in the place of groups."""
    groups = tuple(
        group.altered(decides=deciding[group.name]) if group.name in deciding else group
        for group in spec.population.groups
    )
    return spec.replace("population", spec.population.altered(groups=groups))


def grown_by(
    spec: Microspec,
    deciding: Sequence[Deciding],
    *,
    seed: int,
    replicates: Sequence[int],
    level: Level | None = None,
) -> Iterator[Pool]:
    """Regrow a specification under each draw, as many draws at a time as memory is to hold.

    Args:
        spec: the specification that the agents grew.
        deciding: who decides, draw by draw; see `decided_by`.
        seed: that of the agents' runs, whose noise these share.
        replicates: which.
        level: how much of the trace is kept; full if not given.

    Raises:
        RunFailed: a mechanism could not answer.
    """
    level = level or Level()
    for some in pools(spec, len(deciding), len(replicates), level):
        yield Pool(
            some,
            tuple(replicates),
            _grown(spec, deciding[some.start : some.stop], seed, replicates, level, some.start),
        )


def numbers_by(
    spec: Microspec,
    deciding: Sequence[Deciding],
    measure: Measure,
    *,
    seed: int,
    replicates: Sequence[int],
) -> Reals:
    """(draws, replicates): a measure of a specification regrown under each draw; see `grown_by`."""
    level = Level("full" if measure.of_tally is None else "summary")
    parts = []
    for pool in grown_by(spec, deciding, seed=seed, replicates=replicates, level=level):
        runs = pool.runs()
        told = measure(pool.trace).reindex(runs.ravel())
        parts.append(np.array(told, np.float64).reshape(runs.shape))
    return np.concatenate(parts)


def pools(spec: Microspec, draws: int, replicates: int, level: Level) -> Iterator[range]:
    """Which draws ride together."""
    agents = spec.population.count
    shown = spec.world.items * agents * spec.turns.steps if level.name == "full" else 0
    each = replicates * max(agents / AGENTS, shown / SHOWN)
    size = max(1, int(1 / each))
    for start in range(0, draws, size):
        yield range(start, min(start + size, draws))


def _grown(
    spec: Microspec,
    deciding: Sequence[Deciding],
    seed: int,
    replicates: Sequence[int],
    level: Level,
    first: int,
) -> Trace:
    count = len(replicates)
    trace = Trace()
    many = Many([put(spec, one) for one in deciding], lambda run: run // count)
    ids = first * count + np.arange(count * len(deciding)) + 1
    runs = Runs(seed, np.tile(np.asarray(replicates, np.int64), len(deciding)), ids)
    growth = grow(many.specs[0], runs, trace, level=level)
    try:
        questions = next(growth)
        while True:
            questions = growth.send(many.answer(questions))
    except StopIteration:
        pass
    trace.append(
        "runs",
        {"run": ids, "replicate": runs.replicates, "seed": seed, "spec": many.specs[0].hash},
    )
    return trace


class Many:
    """Answers a pool of runs under several draws of who decides.

    Args:
        specs: the specification under each draw.
        of: the draw of each run, by its place in the pool.
    """

    def __init__(self, specs: Sequence[Microspec], of: Callable[[Ints], Ints]) -> None:
        self.specs, self._of = specs, of
        self.societies = [Society(spec) for spec in specs]
        groups = specs[0].population.groups
        self.together = [
            stacked([spec.population.groups[at].decides for spec in specs])
            for at in range(len(groups))
        ]

    def answer(self, questions: Questions) -> Answers:
        """The answers to a batch, each by its draw."""
        if len(self.societies) == 1:
            return self.societies[0].answer_now(questions)
        draw = self._of(questions.run)
        parts: list[tuple[Ints, Answers]] = []
        for group, together in enumerate(self.together):
            rows = np.flatnonzero(questions.group == group)
            if not len(rows):
                continue
            some = questions if len(rows) == len(questions) else questions.take(rows)
            if together is not None:
                parts.append((rows, together.answer(some, draw[rows])))
            else:
                parts += self._apart(rows, questions, draw)
        return joined_answers(len(questions), parts)

    def _apart(self, rows: Ints, questions: Questions, draw: Ints) -> list[tuple[Ints, Answers]]:
        """Draw by draw."""
        parts: list[tuple[Ints, Answers]] = []
        for at in np.unique(draw[rows]):
            mine = rows[draw[rows] == at]
            parts.append((mine, self.societies[int(at)].answer_now(questions.take(mine))))
        return parts
