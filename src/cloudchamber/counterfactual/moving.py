"""Who moved whom: each act taken out in turn, and what everyone is then shown and would have done.

A run is grown once more for each of its acts, without that act and with all others as they were, texts
included. Whoever is then shown something else is asked what it would have done, under the noise of its
decision. So an edge from one decision to another is a direct effect, on whatever way it came: a count, an
order, an act heard of. It is what a trace's provenance points at, weighed: an exposure that changes nothing
is no edge.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.counterfactual.asking_again import Shift, shift
from cloudchamber.counterfactual.cascades import Influence
from cloudchamber.counterfactual.channels import by_item
from cloudchamber.counterfactual.past import PastRuns
from cloudchamber.counterfactual.rows import answered, picked_items, same_questions
from cloudchamber.counterfactual.tape import Found, Tape
from cloudchamber.engine import Runs
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.in_memory import Answerer, answering, grown_in_memory
from cloudchamber.questions import Answers, Ints, Questions, joined_answers, some_answers
from cloudchamber.trace import Level
from cloudchamber.trace.tables import Kind

__all__ = ["influence"]

AGENTS = 200_000
"""Agents of runs without an act that are grown at a time."""


def influence(
    runs: PastRuns, *, sources: Sequence[int] | None = None, most: int | None = None
) -> Influence:
    """The influence graph of past runs.

    Args:
        runs: the past runs.
        sources: the decisions whose acts are taken out, by their numbers, in every run; all if None.
        most: questions that may be put to the deciders; for language models. There is one for each act and
            each decision that is shown something else without it: up to half the square of a run's decisions.

    Raises:
        SpecificationError: a source that is no decision, or more questions than allowed.
        AnswerError: a decider fails to answer.
    """
    decisions = _decisions(runs, sources)
    acts = np.flatnonzero(decisions["acts"] & decisions["source"])
    replicate, decision = decisions["replicate"][acts], decisions["decision"][acts]
    size = max(1, AGENTS // runs.spec.population.count)
    with answering(runs.models) as answers:
        ask, found = answers(runs.spec), _Found(most)
        for start in range(0, len(acts), size):
            some = slice(start, start + size)
            clones = _Clones(runs.past.tape, decision[some], ask, found)
            pool = Runs(runs.runs.seed, replicate[some], np.arange(len(replicate[some])))
            grown_in_memory(runs.spec, pool, clones, level=Level("summary"))
    return Influence(decisions, found.edges(), found.reached, found.asked)


def _decisions(runs: PastRuns, sources: Sequence[int] | None) -> dict[str, NDArray[Any]]:
    """All decisions: replicate, decision, step, agent, whether it acts, whether its act is taken out."""
    parts = []
    for asked in runs.asked():
        one, answers = asked.questions, asked.answers
        acts = (answers.picks >= 0).any(axis=1)
        step = np.full(len(one), one.address.step)
        parts.append((one.address.replicate, one.decision, step, one.agent, acts))
    columns = [np.concatenate(part) for part in zip(*parts, strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    names = ("replicate", "decision", "step", "agent", "acts")
    told = {name: part[order] for name, part in zip(names, columns, strict=True)}
    told["source"] = np.ones(len(order), bool)
    if sources is not None:
        list(runs.asked(list(sources)))  # they are there
        told["source"] = np.isin(told["decision"], np.asarray(sources))
    return told


class _Found:
    """The edges that are found."""

    def __init__(self, most: int | None) -> None:
        self.most, self.asked, self.reached = most, 0, 0
        self._edges: list[dict[str, NDArray[Any]]] = []

    def ask(self, questions: int) -> None:
        """So many will be asked."""
        self.reached += questions
        self.asked += questions
        if self.most is not None and self.asked > self.most:
            raise SpecificationError(
                f"most: {self.most} questions allowed, and {self.asked} have come up already; allow more, or "
                "name some decisions as sources"
            )

    def add(self, questions: Questions, past: Questions, source: Ints, moved: Shift) -> None:
        """Enter the pairs of which the first moved the second at all."""
        rows = np.flatnonzero((moved.distance > 0) | moved.moved)
        self._edges.append(
            {
                "replicate": questions.address.replicate[rows],
                "source": source[rows],
                "decision": past.decision[rows],
                "distance": moved.distance[rows],
                "pull": moved.pull[rows],
                "moved": moved.moved[rows],
            }
        )

    def edges(self) -> dict[str, NDArray[Any]]:
        """Columns, ordered by run, decision and source."""
        none = np.zeros(0, np.int64)
        first = {"replicate": none, "source": none, "decision": none}
        empty = first | {"distance": np.zeros(0), "pull": np.zeros(0), "moved": np.zeros(0, bool)}
        parts = [empty, *self._edges]
        whole = {name: np.concatenate([part[name] for part in parts]) for name in empty}
        order = np.lexsort((whole["source"], whole["decision"], whole["replicate"]))
        return {name: part[order] for name, part in whole.items()}


class _Clones:
    """Runs that go as they went, but for one act in each; whoever is shown something else is asked."""

    def __init__(self, tape: Tape, removed: Ints, ask: Answerer, found: _Found) -> None:
        self.tape, self.removed, self.ask, self.found = tape, removed, ask, found

    def __call__(self, questions: Questions) -> Answers:
        """What was done; nothing by those who did nothing then, and by the one act."""
        parts, there = [], np.zeros(len(questions), bool)
        for one in self.tape.find(questions):
            parts.append((one.rows, self._as_it_was(questions.take(one.rows), one)))
            there[one.rows] = True
        rest = np.flatnonzero(~there)
        if len(rest):
            parts.append((rest, _nothing(questions.take(rest))))
        return joined_answers(len(questions), parts)

    def _as_it_was(self, questions: Questions, found: Found) -> Answers:
        past = self.tape.blocks[found.block].take(found.there)
        given = some_answers(self.tape.answers[found.block], found.there)
        source = self.removed[questions.run]
        if questions.kind not in (Kind.next, Kind.write):
            self._ask(questions, past, given, source)
        answers = _put(questions, past, given)
        answers.picks[past.decision == source] = -1
        return answers

    def _ask(self, questions: Questions, past: Questions, given: Answers, source: Ints) -> None:
        """Ask those who are shown something else what they would have done."""
        rows = np.flatnonzero(~same_questions(questions, past))
        if not len(rows):
            return
        self.found.ask(len(rows))
        other = questions.take(rows)
        after = answered(self.ask(other))
        moved = shift(past.take(rows), some_answers(given, rows), other, after)
        self.found.add(other, past.take(rows), source[rows], moved)


def _put(questions: Questions, past: Questions, given: Answers) -> Answers:
    """The same acts in answer to questions whose options may stand elsewhere, or be gone."""
    items = picked_items(past, given)
    place = np.tile(np.arange(questions.items.shape[1], dtype=np.float64), (len(questions), 1))
    place = np.where(questions.items >= 0, place, np.nan)
    picks = np.nan_to_num(by_item(questions.items, place, items), nan=-1.0).astype(np.int32)
    # What is gone is skipped; the rest moves up.
    order = np.argsort(picks < 0, axis=1, kind="stable")
    ordered = np.take_along_axis(picks, order, axis=1)
    answers = Answers(ordered, decline=given.decline, texts=given.texts)
    for name in ("weights", "amounts"):
        told = getattr(given, name)
        if told is not None:
            moved = by_item(past.items, told, questions.items)
            setattr(answers, name, np.nan_to_num(moved, nan=0.0))
    return answers


def _nothing(questions: Questions) -> Answers:
    """Nobody does anything."""
    amounts = np.zeros(questions.items.shape) if questions.kind is Kind.amount else None
    texts = ("",) * len(questions) if questions.kind is Kind.write else None
    return Answers(np.full((len(questions), 1), -1, np.int32), amounts=amounts, texts=texts)
