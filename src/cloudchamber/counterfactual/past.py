"""Past runs: grown once more as they were, and then asked what would have been.

They are grown by whoever decides in them, which costs nothing again where a model's answers are stored; or
from a trace, in which case everyone does what is on record and nobody is asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cloudchamber.agents.recorded import Record
from cloudchamber.counterfactual.changes import Change
from cloudchamber.counterfactual.tape import Tape
from cloudchamber.engine import Runs
from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.experiment.in_memory import Answerer, answering, grown_in_memory, runs_of
from cloudchamber.microspec import Microspec
from cloudchamber.models.model import Model
from cloudchamber.questions import Answers, Ints, Questions, some_answers
from cloudchamber.trace import Trace, TraceFolder
from cloudchamber.trace.tables import Kind

__all__ = ["Asked", "Past", "PastRuns"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Decisions as they were asked, and the answers given: rows of one block."""

    questions: Questions
    answers: Answers


@dataclass(frozen=True, slots=True)
class Past:
    """Runs as they went: their trace, and all that was asked and answered."""

    trace: Trace
    tape: Tape


class PastRuns:
    """Runs of one specification that can be asked what would have been.

    Args:
        spec: what was grown.
        replicates: which of its runs.
        seed: the experiment's seed.
        models: opened language models, by the names that the specification uses.
        trace: of these runs; who decided does as recorded there. If None they are grown anew, by the same
            deciders under the same noise.

    Raises:
        TraceError: the trace does not hold them.
        SpecificationError: no replicates; a trace of agents who pick one by one.
    """

    def __init__(
        self,
        spec: Microspec,
        replicates: Sequence[int] = (0,),
        *,
        seed: int = 0,
        models: Mapping[str, Model] | None = None,
        trace: Trace | TraceFolder | None = None,
    ) -> None:
        self.spec, self.models = spec, models
        self.runs: Runs = runs_of(spec, seed, replicates)
        if trace is not None and spec.affordances.one_by_one:
            raise SpecificationError(
                "trace: agents who pick one by one leave the noise of the next pick, which no trace holds; "
                "leave it out, and the runs are grown once more"
            )
        self._record = None if trace is None else _record(trace, spec, self.runs)

    @property
    def recorded(self) -> bool:
        """Whether the answers are those of a trace."""
        return self._record is not None

    @cached_property
    def past(self) -> Past:
        """The runs as they went."""
        with answering(None if self.recorded else self.models) as answers:
            decide = self._record.answer if self._record else answers(self.spec)
            return self.grown(decide)

    def grown(self, answer: Answerer, alter: Change | None = None) -> Past:
        """The same runs, answered otherwise or shown something else."""
        tape = Tape()

        def kept(questions: Questions) -> Answers:
            return tape.keep(questions, answer(questions))

        return Past(grown_in_memory(self.spec, self.runs, kept, alter=alter), tape)

    def asked(self, decisions: Sequence[int] | int | None = None) -> Iterator[Asked]:
        """What was asked and answered, some rows at a time; nominations are left out.

        Args:
            decisions: by their numbers in the trace, in every run; all if None.

        Raises:
            SpecificationError: a decision that no run has.
        """
        wanted = None if decisions is None else np.unique(np.asarray(decisions))
        found: set[int] = set()
        tape = self.past.tape
        for questions, answers in zip(tape.blocks, tape.answers, strict=True):
            if questions.kind is Kind.next:
                continue
            rows: Ints = np.arange(len(questions))
            if wanted is not None:
                rows = np.flatnonzero(np.isin(questions.decision, wanted))
            if len(rows):
                found.update(questions.decision[rows].tolist())
                yield Asked(questions.take(rows), some_answers(answers, rows))
        lacking = [] if wanted is None else sorted(set(wanted.tolist()) - found)
        if lacking:
            raise SpecificationError(
                f"decision: {lacking[0]} given; these runs have none of that number, or it names who is next"
            )


def _record(trace: Trace | TraceFolder, spec: Microspec, runs: Runs) -> Record:
    """The answers of some runs, out of a trace that may hold others too."""
    told = trace.sql(
        f"SELECT run, replicate FROM runs WHERE spec = '{spec.hash}' AND seed = {runs.seed}"
    ).fetchall()
    known = {int(run): int(replicate) for run, replicate in told}
    lacking = sorted(set(runs.replicates.tolist()) - set(known.values()))
    if lacking:
        raise TraceError(
            f"the trace has no replicate {lacking[0]} of this specification under seed {runs.seed}; it has "
            f"{len(known)} of its runs under this seed"
        )
    names = ("run", "decision", "pick", "choice", "value")
    wanted = ", ".join(str(run) for run, r in known.items() if r in set(runs.replicates.tolist()))
    query = f"SELECT {', '.join(names)} FROM decisions WHERE run IN ({wanted})"
    columns = trace.sql(query).fetchnumpy()
    values = np.ma.filled(np.ma.asarray(columns.pop("value"), np.float64), np.nan)
    return Record({**{name: np.asarray(c) for name, c in columns.items()}, "value": values}, known)
