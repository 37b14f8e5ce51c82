"""Past runs: grown once more as they were, and then asked what would have been.

They are grown by whoever decides in them, which costs nothing again where a model's answers are stored; or
from a trace, in which case everyone does what is on record and nobody is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cloudchamber.agents.recorded import Record
from cloudchamber.counterfactual.changes import Change
from cloudchamber.counterfactual.tape import Tape
from cloudchamber.engine import Runs
from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.experiment import Results
from cloudchamber.experiment.in_memory import Answerer, Models, answering, grown_in_memory, runs_of
from cloudchamber.microspec import Microspec
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
        models: Models = None,
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

    @classmethod
    def of(
        cls,
        results: Results,
        cell: str,
        replicates: Sequence[int] | None = None,
        *,
        models: Models = None,
    ) -> "PastRuns":
        """Runs of a study, as they are recorded in its folder.

        Args:
            results: of the study.
            cell: its name.
            replicates: which; all complete ones if None.
            models: opened language models; needed to ask what would have been.

        Raises:
            SpecificationError: no such cell, or none of its runs is complete.
            TraceError: the trace keeps no decisions of them.
        """
        spec, done = results.design[cell].spec, results.done
        if replicates is None:
            replicates = sorted(done.loc[done["name"] == cell, "replicate"].tolist())
        if not replicates:
            raise SpecificationError(f"cell: {cell!r} has no complete run; grow it first")
        trace = None if spec.affordances.one_by_one else results.trace
        return cls(spec, replicates, seed=results.seed, models=models, trace=trace)

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
        """What was asked and answered, some rows at a time; nominations and texts are left out.

        Args:
            decisions: by their numbers in the trace, in every run; all if None.

        Raises:
            SpecificationError: a decision that no run has, or runs in which nobody decided.
        """
        wanted = None if decisions is None else np.unique(np.asarray(decisions))
        found: set[int] = set()
        tape = self.past.tape
        for questions, answers in zip(tape.blocks, tape.answers, strict=True):
            if questions.kind in (Kind.next, Kind.write):
                continue
            rows: Ints = np.arange(len(questions))
            if wanted is not None:
                rows = np.flatnonzero(np.isin(questions.decision, wanted))
            if len(rows):
                found.update(questions.decision[rows].tolist())
                yield Asked(questions.take(rows), some_answers(answers, rows))
        if not found and wanted is None:
            raise SpecificationError("these runs have no decisions: nobody could act")
        lacking = [] if wanted is None else sorted(set(wanted.tolist()) - found)
        if lacking:
            raise SpecificationError(
                f"decision: {lacking[0]} given; these runs have none of that number, or it names who is next "
                "or writes"
            )


def _record(trace: Trace | TraceFolder, spec: Microspec, runs: Runs) -> Record:
    """The answers of some runs, out of a trace that may hold others too."""
    told = trace.sql(
        f"SELECT run, replicate FROM runs WHERE spec = '{spec.hash}' AND seed = {runs.seed}"
    ).fetchall()
    wanted = set(runs.replicates.tolist())
    known = {int(run): int(replicate) for run, replicate in told if replicate in wanted}
    lacking = sorted(wanted - set(known.values()))
    if lacking:
        raise TraceError(
            f"the trace has no replicate {lacking[0]} of this specification under seed {runs.seed}; it has "
            f"{len(told)} of its runs under this seed"
        )
    names = ", ".join(("run", "decision", "pick", "choice", "value", "text"))
    ids = ", ".join(map(str, known))
    columns = trace.sql(f"SELECT {names} FROM decisions WHERE run IN ({ids})").fetchnumpy()
    values = np.ma.filled(np.ma.asarray(columns["value"], np.float64), np.nan)
    kept = {name: np.asarray(column) for name, column in columns.items()} | {"value": values}
    unkept = sorted(set(known) - set(kept["run"].tolist()))
    if unkept:
        raise TraceError(
            f"the trace keeps no decisions of run {unkept[0]}; leave it out, and the runs are grown once more"
        )
    texts = trace.sql(
        f"""SELECT text, content FROM texts
            WHERE text IN (SELECT text FROM decisions WHERE run IN ({ids}) AND text <> 0)"""
    ).fetchnumpy()
    return Record(kept, known, {name: np.asarray(column) for name, column in texts.items()})
