"""Growing in memory: runs that are looked at, changed and grown again, and never written to a folder.

Every call grows under the seed and the replicates it is given, so two specifications grown here are coupled:
they share their noise, replicate by replicate.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from cloudchamber.agents.society import Society
from cloudchamber.engine import Alter, Runs, grow
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.design import run_id
from cloudchamber.microspec import Microspec
from cloudchamber.models.model import Model
from cloudchamber.questions import Answers, Questions
from cloudchamber.trace import Level, Trace

__all__ = [
    "Answerer",
    "Answering",
    "Models",
    "answering",
    "grown_in_memory",
    "refuse_in_a_loop",
    "runs_of",
]

Answerer = Callable[[Questions], Answers]
"""Answers a batch of questions."""
Answering = Callable[[Microspec], Answerer]
"""Whoever answers for a specification."""
Models = Mapping[str, Model] | Answering | None
"""Opened language models by the names that specifications use; or whoever answers in everybody's place."""


@contextmanager
def answering(models: Models = None) -> Iterator[Answering]:
    """Whoever decides in a specification, as functions that answer; models stay open and are not closed.

    Raises:
        SpecificationError: models are given where an event loop runs already.
    """
    if callable(models):
        yield models
        return
    if not models:
        yield lambda spec: Society(spec).answer_now
        return
    refuse_in_a_loop()
    with asyncio.Runner() as runner:

        def of(spec: Microspec) -> Answerer:
            society = Society(spec, models)
            return lambda questions: runner.run(society.answer(questions))

        yield of


def refuse_in_a_loop() -> None:
    """Say so where an event loop runs already.

    Raises:
        SpecificationError: it does.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SpecificationError(
        "models: asked where an event loop runs (a notebook); call this in a thread of its own: "
        "await asyncio.to_thread(...)"
    )


def runs_of(spec: Microspec, seed: int, replicates: Collection[int]) -> Runs:
    """The runs of some replicates, numbered as in every folder."""
    some = list(replicates)
    return Runs(seed, np.array(some, np.int64), np.array([run_id(spec, seed, r) for r in some]))


def grown_in_memory(
    spec: Microspec,
    runs: Runs,
    answer: Answerer,
    *,
    level: Level | None = None,
    alter: Alter | None = None,
) -> Trace:
    """The trace of a pool of runs, with a row for each in the table of runs.

    Args:
        spec: what is grown.
        runs: which runs, under which seed.
        answer: whoever answers; see `answering`.
        level: how much of the trace is kept; full if not given.
        alter: changes what is shown; see `engine.grow`.

    Raises:
        RunFailed: an answer has the status failed.
    """
    trace = Trace()
    growth = grow(spec, runs, trace, level=level, alter=alter)
    try:
        questions = next(growth)
        while True:
            questions = growth.send(answer(questions))
    except StopIteration as end:
        account = end.value
    trace.append(
        "runs",
        {
            "run": runs.ids,
            "replicate": runs.replicates,
            "seed": runs.seed,
            "spec": spec.hash,
            "decisions": account.questions,
        },
    )
    return trace
