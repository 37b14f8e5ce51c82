"""Asking models for worlds that are grown in memory: through the store, and under the caps of a call.

What `run` does for the runs of a folder: a question that the store answers is not sent, caps are not passed,
and what is under way when the work is stopped is waited for and kept.
"""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudchamber.agents.society import Society
from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.experiment.calling import Means, Opened
from cloudchamber.experiment.in_memory import Answerer, Answering, refuse_in_a_loop
from cloudchamber.experiment.interrupting import until_interrupted
from cloudchamber.experiment.limits import Budget
from cloudchamber.experiment.manifest import Manifest, placed
from cloudchamber.experiment.progress import Progress
from cloudchamber.microspec import Microspec
from cloudchamber.models import Model, abilities
from cloudchamber.questions import Answers, Questions

__all__ = ["asking"]


@contextmanager
def asking(
    folder: Path, names: Collection[str], means: Means, progress: Progress | None = None
) -> Iterator[Answering]:
    """Whoever decides, with language models opened as `run` opens them for a folder.

    Args:
        folder: a study's; its store is used, if `means` names none, and what is spent is noted in it.
        names: the models that may be asked.
        means: how they are opened, and how far it may go.
        progress: counts what is asked; `means.watch` is told of it.

    Raises:
        SpecificationError: the mode of the store is refresh, or an event loop runs already (a notebook).
        ModelError: a model cannot be had.
        Unfinished: when asked: a cap is reached. What was answered is kept.
    """
    if means.store_mode == "refresh":
        raise SpecificationError(
            "store_mode: 'refresh' was given; it is for growing a folder, with run; allowed here: "
            "read-write, replay, off."
        )
    refuse_in_a_loop()
    budget = Budget(means.limits)
    models: dict[str, Model] = dict(means.models or {})
    store = Manifest.read(folder).answers(folder) if means.store is None else placed(means.store)
    opened = Opened(means, models, budget, lambda: (store, ""))
    told = progress or Progress(0, 0)
    told.budget = budget
    try:
        with asyncio.Runner() as runner:
            try:
                opened.open(names)
                yield _Asking(runner, models, budget, told, means).of
            finally:
                runner.run(opened.close())
    finally:
        # The answers are in the store; a folder that is being grown is not worth losing more.
        with suppress(TraceError):
            Manifest.note(folder, None, abilities(models), budget.spent)


class _Asking:
    """Answers for specifications, one batch at a time."""

    def __init__(
        self,
        runner: asyncio.Runner,
        models: dict[str, Model],
        budget: Budget,
        progress: Progress,
        means: Means,
    ) -> None:
        self.runner, self.models, self.budget = runner, models, budget
        self.progress, self.means = progress, means

    def of(self, spec: Microspec) -> Answerer:
        """Whoever answers for a specification."""
        society = Society(spec, self.models)

        async def asked(questions: Questions) -> Answers:
            self.budget.pace()
            return await society.answer(questions)

        def answer(questions: Questions) -> Answers:
            answers = self.runner.run(until_interrupted(self.budget, asked(questions), self.tell))
            self.progress.questions += len(questions)
            self.progress.asked += len(questions)
            self.progress.shown += questions.items.size
            self.tell()
            return answers

        return answer

    def tell(self) -> None:
        """Tell whoever watches."""
        self.progress.mark()
        if self.means.watch is not None:
            self.means.watch(self.progress)
