"""Answers on record: what was decided before is decided again, without asking anyone."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import AnswerError, TraceError
from cloudchamber.microspec.population import Decider
from cloudchamber.questions import Answers, Questions, Reals
from cloudchamber.trace.tables import Kind, Readout

__all__ = ["Record", "Recorded"]


_NEEDED = ("run", "decision", "pick", "choice", "value")


class Record:
    """The picks of some runs, by replicate and decision."""

    def __init__(self, decisions: Mapping[str, NDArray[Any]], replicate: Mapping[int, int]) -> None:
        """Args: the columns of the table of decisions, and the replicate of each run in it."""
        self.picks: dict[tuple[int, int], list[int]] = {}
        self.values: dict[tuple[int, int, int], float] = {}
        """Of each pick, by replicate, decision and item: the amount, where it was one."""
        columns = (decisions[name].tolist() for name in _NEEDED)
        for run, decision, _, choice, value in sorted(zip(*columns, strict=True)):
            made = self.picks.setdefault((replicate[run], decision), [])
            if choice >= 0:
                made.append(choice)
                self.values[replicate[run], decision, choice] = value

    def answer(self, questions: Questions) -> Answers:
        """The recorded picks.

        Raises:
            AnswerError: a decision is not on record, or picked something that is not shown now.
        """
        made = [
            self._one(questions, row, int(replicate), int(decision))
            for row, (replicate, decision) in enumerate(
                zip(questions.address.replicate, questions.decision, strict=True)
            )
        ]
        width = max([1, *(len(picks) for picks in made)])
        picks = np.full((len(made), width), -1, np.int32)
        for row, chosen in enumerate(made):
            picks[row, : len(chosen)] = chosen
        amounts = self._amounts(questions) if questions.kind is Kind.amount else None
        return Answers(picks, readout=Readout.recorded, amounts=amounts)

    def _amounts(self, questions: Questions) -> Reals:
        who = zip(
            questions.address.replicate.tolist(),
            questions.decision.tolist(),
            questions.items.tolist(),
            strict=True,
        )
        known = self.values
        told = [
            [known.get((one, number, item), np.nan) for item in row] for one, number, row in who
        ]
        return np.array(told, np.float64).reshape(questions.items.shape)

    def _one(self, questions: Questions, row: int, replicate: int, decision: int) -> list[int]:
        chosen = self.picks.get((replicate, decision))
        if chosen is None:
            raise AnswerError(
                f"no answer on record for decision {decision} of replicate {replicate}; the record "
                "is of another specification, or stops before it."
            )
        shown = questions.items[row].tolist()
        missing = [item for item in chosen if item not in shown]
        if missing:
            raise AnswerError(
                f"decision {decision} of replicate {replicate} is on record as item {missing[0]}, which "
                "is not shown now; the record is of another specification."
            )
        return [shown.index(item) for item in chosen]


class Recorded(Decider):
    """What the agents of an earlier trace decided, decision by decision."""

    kind: Literal["recorded"] = "recorded"
    trace: str
    """The folder of the trace."""
    cell: str = ""
    """Which of its cells; needed where there are several."""

    @cached_property
    def _record(self) -> Record:
        from cloudchamber.trace import TraceFolder  # DuckDB: only where a file is read

        folder = TraceFolder(Path(self.trace))
        runs = folder.runs()
        runs = runs[runs["status"] == "done"]
        cells = sorted(set(runs["cell"]))
        cell = self.cell or (cells[0] if len(cells) == 1 else "")
        if cell not in cells:
            raise TraceError(
                f"{self.trace} has no finished cell {self.cell!r}; allowed: {', '.join(cells) or 'none'}."
            )
        runs = runs[runs["cell"] == cell]
        decisions = folder.decisions()
        kept = decisions[decisions["run"].isin(runs["run"])]
        columns = {name: kept[name].to_numpy() for name in _NEEDED}
        return Record(columns, dict(zip(runs["run"], runs["replicate"], strict=True)))

    def answer(self, questions: Questions) -> Answers:
        """The recorded answers."""
        return self._record.answer(questions)

    def aloud(self) -> str:
        """The decider in words."""
        return f"the decisions recorded in {self.trace}"
