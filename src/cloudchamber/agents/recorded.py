"""Answers on record: what was decided and written before is again, without asking anyone."""

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


_NEEDED = ("run", "decision", "pick", "choice", "value", "text")


class Record:
    """The picks and texts of some runs, by replicate and decision."""

    def __init__(
        self,
        decisions: Mapping[str, NDArray[Any]],
        replicate: Mapping[int, int],
        texts: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Args: the columns of the table of decisions, the replicate of each run in it, and those of texts.

        Raises:
            AnswerError: a text that was written is not among the texts.
        """
        self.texts: dict[tuple[int, int], str] = {}
        """What was written, by replicate and decision."""
        known = {} if texts is None else dict(zip(texts["text"], texts["content"], strict=True))
        self.picks: dict[tuple[int, int], list[int]] = {}
        self.values: dict[tuple[int, int, int], float] = {}
        """Of each pick, by replicate, decision and item: the amount, where it was one."""
        columns = (decisions[name].tolist() for name in _NEEDED)
        for run, decision, _, choice, value, text in sorted(zip(*columns, strict=True)):
            made = self.picks.setdefault((replicate[run], decision), [])
            if text:
                if text not in known:
                    raise AnswerError(
                        f"decision {decision} of run {run} wrote text {text}, which is not on record; give "
                        "the columns of the table of texts, too."
                    )
                self.texts[replicate[run], decision] = known[text]
            if choice >= 0:
                made.append(choice)
                self.values[replicate[run], decision, choice] = value

    def answer(self, questions: Questions) -> Answers:
        """The recorded picks.

        Raises:
            AnswerError: a decision is not on record, or picked something that is not shown now.
        """
        if questions.kind is Kind.write:
            return Answers.written(self.write(questions), Readout.recorded)
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

    def write(self, questions: Questions) -> tuple[str, ...]:
        """The recorded texts; "" where nothing was written.

        Raises:
            AnswerError: a decision is not on record.
        """
        told = zip(questions.address.replicate.tolist(), questions.decision.tolist(), strict=True)
        at = list(told)
        for replicate, decision in at:
            self._chosen(replicate, decision)
        return tuple(self.texts.get(one, "") for one in at)

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

    def _chosen(self, replicate: int, decision: int) -> list[int]:
        chosen = self.picks.get((replicate, decision))
        if chosen is None:
            raise AnswerError(
                f"no answer on record for decision {decision} of replicate {replicate}; the record "
                "is of another specification, or stops before it."
            )
        return chosen

    def _one(self, questions: Questions, row: int, replicate: int, decision: int) -> list[int]:
        chosen = self._chosen(replicate, decision)
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
        texts = folder.texts()
        return Record(
            columns,
            dict(zip(runs["run"], runs["replicate"], strict=True)),
            {name: texts[name].to_numpy() for name in ("text", "content")},
        )

    @property
    def writes(self) -> bool:
        """Whether the record holds texts: then all of its agents are asked for theirs."""
        return bool(self._record.texts)

    def write(self, questions: Questions) -> tuple[str, ...]:
        """The recorded texts."""
        return self._record.write(questions)

    def answer(self, questions: Questions) -> Answers:
        """The recorded answers."""
        return self._record.answer(questions)

    def aloud(self) -> str:
        """The decider in words."""
        return f"the decisions recorded in {self.trace}"
