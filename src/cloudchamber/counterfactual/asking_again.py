"""What if? Recorded decisions, asked again under the same noise with something else shown.

Each is asked as it was, and with the change; the difference of the two distributions is exact where
distributions are (rules, mechanisms, models that are read out exactly). Whether the pick would have been
another is told under the noise of the decision: the one exponential clock of each option that both draws
share. That is one way of coupling two distributions; their total variation is the least probability with
which any coupling would have the picks differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.counterfactual.changes import Change
from cloudchamber.counterfactual.channels import by_item
from cloudchamber.counterfactual.past import PastRuns
from cloudchamber.counterfactual.rows import (
    answered,
    picked_items,
    same_answers,
    same_questions,
    wide,
)
from cloudchamber.experiment.in_memory import answering
from cloudchamber.measures.estimate import Estimate, mean
from cloudchamber.questions import Answers, Ints, Questions, Reals
from cloudchamber.trace.tables import Kind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Shift", "WhatIf", "shift", "what_if"]


@dataclass(frozen=True, slots=True)
class Shift:
    """How the answers to two versions of the same questions differ, row by row."""

    items: Ints
    """(n, k), as first shown."""
    before: Reals
    """(n, k): the probability of each option, NaN where only a sample was had; where acts are amounts, the
    amount of each."""
    after: Reals
    """(n, k): of the same options, 0 of those that are not there any more."""
    distance: Reals
    """(n,): the total variation of the two distributions, choosing nothing included; where options are
    taken or left one by one, the probability that any is taken in one and left in the other; where acts are
    amounts, half the sum of their differences."""
    picked: Ints
    """(n, m): items, -1 from where it stopped."""
    would: Ints
    """(n, m): items picked after the change."""
    moved: NDArray[np.bool_]
    """(n,): whether anything else is picked, or another amount given."""

    @property
    def pull(self) -> Reals:
        """(n,): how much likelier its first pick was as it was; NaN where it picked nothing."""
        first = self.picked[:, :1]
        told = by_item(self.items, self.before - self.after, first)[:, 0]
        return np.asarray(told)


@dataclass(frozen=True, eq=False)
class WhatIf:
    """Decisions as they were, and as they would have been; an entry for each."""

    replicate: Ints
    decision: Ints
    step: Ints
    agent: Ints
    shift: Shift
    asked: int
    """Questions that were put to the deciders."""
    repeats: float
    """The share of decisions in which the decider, asked as it was, picks what is on record; 1 where nothing
    is on record."""
    changed: NDArray[np.bool_]
    """Whether the change makes any difference to what is shown."""
    signals: Mapping[str, Reals]
    """(n, k) each: what was shown on each option, before the change; NaN where nothing was."""

    def __len__(self) -> int:
        """How many decisions."""
        return len(self.decision)

    def table(self) -> "pd.DataFrame":
        """A row a decision: replicate, decision, step, agent, picked, would, moved, distance, pull.

        `picked` and `would` are the first picks; `pull` is how much likelier the pick was as it was.
        """
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        shift = self.shift
        return pd.DataFrame(
            {
                "replicate": self.replicate,
                "decision": self.decision,
                "step": self.step,
                "agent": self.agent,
                "picked": shift.picked[:, 0],
                "would": shift.would[:, 0],
                "moved": shift.moved,
                "distance": shift.distance,
                "pull": shift.pull,
            }
        )

    def options(self, row: int = 0) -> "pd.DataFrame":
        """The options of one decision: place, item, what was shown on it, probability before and after."""
        import pandas as pd  # as above

        there = self.shift.items[row] >= 0
        told = {name: shown[row][there] for name, shown in self.signals.items()}
        return pd.DataFrame(
            {
                "place": np.flatnonzero(there) + 1,
                "item": self.shift.items[row][there],
                **{name: shown for name, shown in told.items() if not np.isnan(shown).all()},
                "before": self.shift.before[row][there],
                "after": self.shift.after[row][there],
            }
        )

    def mean(self, what: str = "distance", level: float = 0.95) -> Estimate:
        """The mean of a column of the table, by run."""
        table = self.table()
        return mean(table.groupby("replicate")[what].mean().to_numpy(np.float64), level=level)

    def __str__(self) -> str:
        shift = self.shift
        if len(self) == 1:
            picked, would = int(shift.picked[0, 0]), int(shift.would[0, 0])
            told = f"{_item(picked)} was picked"
            if np.isfinite(shift.pull[0]):
                at = shift.items[0] == picked
                told += (
                    f" (probability {shift.before[0][at][0]:.3g}, then {shift.after[0][at][0]:.3g})"
                )
            other = "as before" if not shift.moved[0] else f"then {_item(would)}"
            return f"{told}; {other}; distance {shift.distance[0]:.3g}"
        return (
            f"{len(self)} decisions: {int(shift.moved.sum())} would have been others; "
            f"mean distance {np.nanmean(shift.distance):.3g}"
        )


def what_if(runs: PastRuns, change: Change, decisions: Sequence[int] | int | None = None) -> WhatIf:
    """Ask recorded decisions again, with something else shown.

    Args:
        runs: the runs that they are of.
        change: what is shown instead; see `changes`, or any function of questions.
        decisions: by their numbers in the trace, in every run; all if None, nominations left out.

    Raises:
        SpecificationError: there is no such decision.
        AnswerError: a decider fails to answer.
    """
    found, agree, changed, asked = [], [], [], 0
    with answering(runs.models) as answers:
        ask = answers(runs.spec)
        for part in runs.asked(decisions):
            before = part.answers
            if runs.recorded:
                before = answered(ask(part.questions))
                asked += len(part.questions)
                agree.append(same_answers(part.questions, part.answers, part.questions, before))
            altered = change(part.questions)
            asked += len(altered)
            changed.append(~same_questions(part.questions, altered))
            after = answered(ask(altered))
            found.append((part.questions, shift(part.questions, before, altered, after)))
    questions = [one for one, _ in found]
    return WhatIf(
        np.concatenate([one.address.replicate for one in questions]),
        np.concatenate([one.decision for one in questions]),
        np.concatenate([np.full(len(one), one.address.step) for one in questions]),
        np.concatenate([one.agent for one in questions]),
        _stacked([one for _, one in found]),
        asked,
        float(np.concatenate(agree).mean()) if agree else 1.0,
        np.concatenate(changed),
        _signals(questions),
    )


def shift(questions: Questions, before: Answers, altered: Questions, after: Answers) -> Shift:
    """How the answers to questions and to altered ones differ."""
    p, q = _told(questions, before), _told(altered, after)
    unknown = np.isnan(q).all(axis=1, keepdims=True)
    q = by_item(altered.items, q, questions.items)
    # What is not there cannot be picked; what is not known stays unknown.
    q = np.where(unknown, np.nan, np.nan_to_num(q, nan=0.0))
    p = np.where(questions.items >= 0, p, 0.0)
    picked, would = picked_items(questions, before), picked_items(altered, after)
    width = max(picked.shape[1], would.shape[1])
    picked, would = wide(picked, width), wide(would, width)
    moved = (picked != would).any(axis=1)
    distance = _distance(questions, p, q)
    if questions.kind is Kind.amount:
        moved |= distance > 0
    return Shift(questions.items, p, q, distance, picked, would, moved)


def _told(questions: Questions, answers: Answers) -> Reals:
    """(n, k): probabilities, or amounts where those are asked for."""
    if answers.amounts is not None:
        return answers.amounts
    return answers.probabilities(questions, np.arange(len(questions)))


def _distance(questions: Questions, p: Reals, q: Reals) -> Reals:
    differ = np.abs(p - q)
    if questions.choose.how == "any" or questions.kind is Kind.judge:
        return np.asarray(1 - np.prod(1 - differ, axis=1))
    if questions.kind is Kind.amount:
        return np.asarray(differ.sum(axis=1) / 2)
    return np.asarray((differ.sum(axis=1) + np.abs((p - q).sum(axis=1))) / 2)


def _stacked(parts: Sequence[Shift]) -> Shift:
    """All rows, filled up to the widest."""
    most = max(part.items.shape[1] for part in parts)
    picks = max(part.picked.shape[1] for part in parts)

    def filled(values: Reals) -> Reals:
        return np.pad(values, ((0, 0), (0, most - values.shape[1])), constant_values=0.0)

    return Shift(
        np.concatenate([wide(part.items, most) for part in parts]),
        np.concatenate([filled(part.before) for part in parts]),
        np.concatenate([filled(part.after) for part in parts]),
        np.concatenate([part.distance for part in parts]),
        np.concatenate([wide(part.picked, picks) for part in parts]),
        np.concatenate([wide(part.would, picks) for part in parts]),
        np.concatenate([part.moved for part in parts]),
    )


def _signals(questions: Sequence[Questions]) -> dict[str, Reals]:
    """What was shown on options, all rows filled up to the widest."""
    most = max(one.items.shape[1] for one in questions)

    def wide_as(one: Questions, name: str) -> Reals:
        shown = one.signals.get(name, np.full(one.items.shape, np.nan))
        return np.pad(shown, ((0, 0), (0, most - shown.shape[1])), constant_values=np.nan)

    names = dict.fromkeys(name for one in questions for name in one.signals)
    return {name: np.concatenate([wide_as(one, name) for one in questions]) for name in names}


def _item(item: int) -> str:
    return "nothing" if item < 0 else f"item {item}"
