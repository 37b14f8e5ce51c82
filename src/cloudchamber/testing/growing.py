"""Growing a microspecification for a check: small, in memory, with fakes for its language models."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cloudchamber.agents import LanguageModel, Society
from cloudchamber.agents.society import models_of
from cloudchamber.engine import Runs, grow
from cloudchamber.microspec import Microspec
from cloudchamber.models.fake import FAKES, FakeModel, fake
from cloudchamber.models.model import Model
from cloudchamber.questions import Answers, Questions
from cloudchamber.trace import Trace

__all__ = ["SEED", "Answerer", "grown", "opened", "run_of"]

SEED = 20_261_123
"""The seed under which checks grow things, unless told another."""

Answerer = Callable[[Questions], Answers]
"""Answers a batch; takes the place of a specification's agents."""

Models = Mapping[str, Model]


def opened(spec: Microspec, models: Models | None = None) -> dict[str, Model]:
    """A model for each that the specification names.

    Those not given are fakes: `fake:KIND` is that fake, any other name a fake whose distribution
    depends on every letter of the prompt.
    """
    given = dict(models or {})
    for name in models_of(spec):
        if name not in given:
            _, _, kind = name.partition("fake:")
            given[name] = fake(kind) if kind else FakeModel(FAKES["hash"][0], name)
    return given


def run_of(replicate: int) -> int:
    """The number that `grown` gives the run of a replicate."""
    return replicate + 1


def grown(
    spec: Microspec,
    *,
    seed: int = SEED,
    replicates: Sequence[int] = (0,),
    models: Models | None = None,
    block: int = 2048,
    answer: Answerer | None = None,
    touch: Callable[[Questions, Answers], Answers] | None = None,
) -> Trace:
    """The full trace of a pool of runs, with a row for each in the table of runs.

    Args:
        spec: what is grown.
        seed: under which seed.
        replicates: which replicates; the run of replicate r is r + 1.
        models: opened language models by name; fakes for those not given (see `opened`).
        block: rows asked at a time.
        answer: answers everything in place of the specification's agents.
        touch: changes answers before the engine gets them.

    Raises:
        RunFailed: an answer has the status failed.
        RuntimeError: called where an event loop runs, for a specification with language models.
    """
    trace, chosen = Trace(), np.asarray(replicates, np.int64)
    growth = grow(spec, Runs(seed, chosen, chosen + 1), trace, block=block)
    with asyncio.Runner() as runner:
        reply = answer or _answering(spec, models, runner)
        try:
            questions = next(growth)
            while True:
                answers = reply(questions)
                questions = growth.send(touch(questions, answers) if touch else answers)
        except StopIteration as end:
            account = end.value
    for row, replicate in enumerate(replicates):
        trace.append(
            "runs",
            {
                "run": np.array([run_of(replicate)]),
                "replicate": replicate,
                "seed": seed,
                "spec": spec.hash,
                "questions": account.questions[row],
            },
        )
    return trace


def _answering(spec: Microspec, models: Models | None, runner: asyncio.Runner) -> Answerer:
    deciders = (group.decides for group in spec.population.groups)
    if not any(isinstance(decider, LanguageModel) for decider in deciders):
        return Society(spec).answer_now
    society = Society(spec, opened(spec, models))
    return lambda questions: runner.run(society.answer(questions))
