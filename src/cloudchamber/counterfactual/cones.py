"""The causal cone of a change: past runs once more with one exposure altered or one decision forced.

Whoever is shown what it was shown before, at the same moment and under the same noise, answers as before, and
is not asked again; so only what the change leads to is asked. The trace is the one that growing everything
anew would give, byte for byte.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.counterfactual.changes import Change
from cloudchamber.counterfactual.coupled import numbers_of, of_runs
from cloudchamber.counterfactual.past import Past, PastRuns
from cloudchamber.counterfactual.rows import put_questions, same_answers, same_questions
from cloudchamber.counterfactual.tape import Tape
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.in_memory import Answerer, answering
from cloudchamber.measures import Measure
from cloudchamber.measures.estimate import Estimate, difference
from cloudchamber.questions import Answers, Ints, Questions, joined_answers, some_answers
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Kind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cone", "Force", "cone"]

FORCED = "forced"
"""The note of a decision that was forced."""
Force = Mapping[int, int | Mapping[int, float] | None]
"""Decision -> what is done whatever the decider says: an item picked, or where acts are amounts the amount of
each item; None: nothing."""


@dataclass(frozen=True, eq=False)
class Cone:
    """Runs with a change, beside the same runs as they were."""

    runs: PastRuns
    changed: Past
    asked: int
    """Questions put to the deciders."""
    reused: int
    """Questions whose answers were those of the past."""
    decisions: Mapping[str, NDArray[Any]]
    """The cone, a row a decision: replicate, step, agent, decision (its number after the change), exposed
    (shown otherwise), answered (answered otherwise), forced."""

    @property
    def trace(self) -> Trace:
        """Of the runs with the change."""
        return self.changed.trace

    def table(self) -> "pd.DataFrame":
        """The decisions of the cone."""
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        return pd.DataFrame(dict(self.decisions))

    def by_step(self) -> "pd.DataFrame":
        """How wide the cone is: step, decisions shown otherwise, and answered otherwise, over all runs."""
        import pandas as pd  # as above

        step = self.decisions["step"]
        every = np.arange(self.runs.spec.turns.steps)
        wide = {
            name: np.bincount(step[self.decisions[name]], minlength=len(every))
            for name in ("exposed", "answered")
        }
        return pd.DataFrame({"step": every, **wide})

    def difference(self, measure: str | Measure, level: float = 0.95) -> Estimate:
        """With the change minus as it was, by pairs of runs."""
        found = of_runs(measure)
        ids = self.runs.runs.ids
        one, other = (numbers_of(found, past.trace, ids) for past in (self.changed, self.runs.past))
        return difference(one, other, paired=True, level=level)

    @cached_property
    def size(self) -> int:
        """Decisions that are answered otherwise, the forced ones included."""
        return int(self.decisions["answered"].sum())

    def __str__(self) -> str:
        exposed = int(self.decisions["exposed"].sum())
        return (
            f"{exposed} decisions are shown something else, {self.size} answered otherwise; "
            f"{self.asked} asked again, {self.reused} as before"
        )


def cone(
    runs: PastRuns,
    alter: Mapping[int, Change] | None = None,
    force: Force | None = None,
    *,
    anew: bool = False,
) -> Cone:
    """Regrow past runs with something changed.

    Args:
        runs: the past runs; where there are several, each is changed alike.
        alter: decision -> what is shown then instead.
        force: decision -> the item picked then, or the amount of each item; None for nothing.
        anew: ask everyone again; of no effect on the trace, but for costing more.

    A change speaks of the moment (step, agent) of that decision in the past runs.

    Raises:
        SpecificationError: there is no such decision, or the item is not among its options.
        AnswerError: a decider fails to answer.
    """
    alter, force = dict(alter or {}), dict(force or {})
    if not alter and not force:
        raise SpecificationError("alter, force: neither given; give a decision and what is changed")
    list(runs.asked(sorted({*alter, *force})))
    with answering(runs.models) as answers:
        again = _Again(runs.past.tape, answers(runs.spec), force, anew)
        changed = runs.grown(again, _altering(runs.past.tape, alter) if alter else None)
    return Cone(runs, changed, again.asked, again.reused, again.cone())


def _altering(tape: Tape, alter: Mapping[int, Change]) -> Change:
    """Alters what is shown at the moments of some past decisions."""

    def altered(questions: Questions) -> Questions:
        for found in tape.find(questions):
            past = tape.blocks[found.block].decision[found.there]
            for decision, change in alter.items():
                rows = found.rows[past == decision]
                if len(rows):
                    others = change(questions.take(rows))
                    questions = put_questions(questions, rows, others)
        return questions

    return altered


class _Again:
    """Answers as in the past where the question is the same, and asks where it is not."""

    def __init__(self, tape: Tape, ask: Answerer, force: Force, anew: bool) -> None:
        self.tape, self.ask, self.force, self.anew = tape, ask, force, anew
        self.asked = self.reused = 0
        self._rows: list[
            tuple[Questions, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]
        ] = []

    def __call__(self, questions: Questions) -> Answers:
        """The answers to a batch."""
        found = list(self.tape.find(questions))
        past = [self.tape.blocks[one.block].take(one.there) for one in found]
        exposed = np.ones(len(questions), bool)
        for one, before in zip(found, past, strict=True):
            exposed[one.rows] = ~same_questions(questions.take(one.rows), before)
        parts = []
        for one in [] if self.anew else found:
            same = ~exposed[one.rows]
            kept = some_answers(self.tape.answers[one.block], one.there[same])
            parts.append((one.rows[same], kept))
        rest = np.arange(len(questions)) if self.anew else np.flatnonzero(exposed)
        self.asked += len(rest)
        self.reused += len(questions) - len(rest)
        if len(rest):
            parts.append((rest, self.ask(questions.take(rest))))
        answers = joined_answers(len(questions), parts)
        forced = np.zeros(len(questions), bool)
        for one, before in zip(found, past, strict=True):
            must = np.isin(before.decision, list(self.force))
            forced[one.rows] = must
            for row, number in zip(one.rows[must], before.decision[must], strict=True):
                answers = _forced(questions, answers, int(row), self.force[int(number)])
        answered = np.ones(len(questions), bool)
        for one, before in zip(found, past, strict=True):
            given = some_answers(self.tape.answers[one.block], one.there)
            now = some_answers(answers, one.rows)
            answered[one.rows] = ~same_answers(questions.take(one.rows), now, before, given)
        if (exposed | answered | forced).any():
            rows = np.flatnonzero(exposed | answered | forced)
            self._rows.append((questions.take(rows), exposed[rows], answered[rows], forced[rows]))
        return answers

    def cone(self) -> dict[str, NDArray[Any]]:
        """The decisions that are otherwise."""

        def column(of: Callable[[Questions], Ints]) -> Ints:
            return np.concatenate([np.zeros(0, np.int64), *(of(one) for one, *_ in self._rows)])

        told: dict[str, NDArray[Any]] = {
            "replicate": column(lambda one: one.address.replicate),
            "step": column(lambda one: np.full(len(one), one.address.step)),
            "agent": column(lambda one: one.agent),
            "decision": column(lambda one: one.decision),
        }
        for at, name in enumerate(("exposed", "answered", "forced"), start=1):
            told[name] = np.concatenate([np.zeros(0, bool), *(one[at] for one in self._rows)])
        return told


def _forced(
    questions: Questions, answers: Answers, row: int, done: int | Mapping[int, float] | None
) -> Answers:
    """Answers in which one row does what it must; how likely that was stays on record."""
    may = questions.items[row][questions.open()[row]].tolist()
    given = questions.kind is Kind.amount
    if done is not None and (given != isinstance(done, Mapping)):
        raise SpecificationError(
            f"force: {done!r} given; allowed for that decision: "
            + ("the amount of each item, {item: amount}" if given else f"an item of {may}")
        )
    items = [] if done is None else [*done] if isinstance(done, Mapping) else [done]
    if not set(items) <= set(may) or (isinstance(done, Mapping) and set(items) != set(may)):
        raise SpecificationError(f"force: item {items} given; allowed for that decision: {may}")
    picks, amounts = answers.picks.copy(), answers.amounts
    places = [int(np.flatnonzero(questions.items[row] == item)[0]) for item in items]
    picks[row] = -1
    picks[row, : len(places)] = sorted(places)
    if isinstance(done, Mapping) and amounts is not None:
        amounts = amounts.copy()
        amounts[row, places] = [done[item] for item in items]
    notes = list(answers.notes or [""] * len(picks))
    notes[row] = FORCED
    return replace(answers, picks=picks, amounts=amounts, notes=tuple(notes))
