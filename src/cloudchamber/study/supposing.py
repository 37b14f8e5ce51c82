"""What if? Recorded decisions of a study, asked again with something else shown."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from cloudchamber.agents.society import models_of
from cloudchamber.counterfactual import PastRuns, WhatIf
from cloudchamber.counterfactual import what_if as asked_again
from cloudchamber.counterfactual.changes import Change
from cloudchamber.experiment.asking import asking
from cloudchamber.experiment.calling import Means
from cloudchamber.experiment.manifest import placed
from cloudchamber.study.study import Study

__all__ = ["what_if"]


def what_if(
    study: Study,
    out: str | Path,
    change: Change,
    *,
    cell: str = "",
    replicates: Sequence[int] | None = None,
    decisions: Sequence[int] | int | None = None,
    means: Means | None = None,
) -> WhatIf:
    """Ask decisions of a folder again, with something else shown, under the same noise.

    Args:
        study: whose runs are in the folder.
        out: the folder that `study.run` wrote.
        change: what is shown instead, e.g. `cloudchamber.counterfactual.Without("likes")`.
        cell: whose decisions; the cell at risk, if not given.
        replicates: of which runs; all complete ones, if not given.
        decisions: by their numbers in the trace, in each of these runs; all, if not given.
        means: how language models are asked, and how far it may go: store, caps, time-out. A decision as
            it was costs nothing where its answer is stored.

    Raises:
        SpecificationError: no such cell or decision, or none of its runs is complete.
        TraceError: no such run, or its trace keeps no decisions.
        AnswerError: a decider fails to answer.
        Unfinished: a cap is reached; what was answered is kept, and the same call goes on.
    """
    results = study.results(placed(out))
    world = results.require(cell or study.at_risk())
    names = models_of(world.spec)
    folder = results.folder.parent
    with asking(folder, names, means or Means()) if names else nullcontext() as answers:
        runs = PastRuns.of(results, world.name, replicates, models=answers)
        return asked_again(runs, change, decisions)
