"""How far a growing is: what a driver tells whoever watches, and how much a cell comes to."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from cloudchamber.experiment.design import Cell
from cloudchamber.experiment.limits import Budget

__all__ = ["Progress", "Watch", "questions_of", "shown_in"]

MARKS = 60
"""Of the pace, a second or more apart: what is told by them follows the last minute or so."""


@dataclass(slots=True)
class Progress:
    """How far the growing is; passed to whoever watches, after every change."""

    runs: int
    """Runs asked for, over all cells."""
    done: int
    """Runs that are complete, earlier ones included."""
    failed: int = 0
    cells: int = 0
    """Different specifications asked for."""
    behind: Counter[str] = field(default_factory=Counter)
    """Runs that each specification lacks."""
    questions: int = 0
    """Questions answered so far in this call."""
    expected: int = 0
    """Questions that this call comes to, as far as that is known beforehand."""
    asked: int = 0
    """Of the answered ones, those that language models answered, or a store in their place."""
    shown: int = 0
    """Options shown so far in this call: what the time left is told by, since a list takes longer."""
    to_show: int = 0
    cell: str = ""
    """The cell that was last worked on."""
    budget: Budget | None = None
    """What was sent and spent, where it is counted."""
    clock: Callable[[], float] = time.monotonic
    _marks: deque[tuple[float, int, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._marks.append((self.clock(), 0, 0))

    def mark(self) -> None:
        """Note the moment, now and then, for the pace; whoever grows calls it after a change."""
        now = self.clock()
        if now - self._marks[-1][0] >= 1:
            self._marks.append((now, self.questions, self.shown))
            if len(self._marks) > MARKS:
                self._marks.popleft()

    @property
    def cells_done(self) -> int:
        """Specifications of which every run is complete."""
        return self.cells - sum(lacking > 0 for lacking in self.behind.values())

    @property
    def hits(self) -> int:
        """Questions to language models that the store answered: they were not sent."""
        if self.budget is None:
            return 0
        sent = self.budget.spent.questions
        return max(self.asked - sent, 0)

    @property
    def stopped(self) -> str:
        """Why the call ends before everything is grown; empty if it does not."""
        return self.budget.stopped if self.budget is not None else ""

    @property
    def rate(self) -> float:
        """Questions a second, of late."""
        then, questions, _ = self._marks[0]
        return (self.questions - questions) / max(self.clock() - then, 1e-9)

    @property
    def left(self) -> float:
        """Seconds left, if it goes on as of late; infinite before anything was answered."""
        then, _, shown = self._marks[0]
        ahead, lately = max(self.to_show - self.shown, 0), self.shown - shown
        return ahead * (self.clock() - then) / lately if lately else float("inf")


Watch = Callable[[Progress], None]


def questions_of(cell: Cell) -> int:
    """Questions that one run of a cell comes to: at most; on average, where turns are asynchronous."""
    spec = cell.spec
    shown = spec.world.items if spec.visibility.top is None else spec.visibility.top
    each = shown if spec.affordances.presentation == "one at a time" else 1
    each = spec.affordances.most if spec.affordances.one_by_one else each
    rates = getattr(spec.turns, "rates", (1.0,))
    rate = sum(rates) / len(rates)
    extra = 1 if spec.turns.endogenous else 0
    texts = len(spec.communication.writes) + len(spec.memory.writes)
    writers = sum(group.count for group in spec.population.groups if group.decides.writes)
    decided = spec.population.count * (each + extra) + writers * texts
    return round(decided * spec.turns.steps * rate)


def shown_in(cell: Cell) -> int:
    """Options shown in one run of a cell."""
    spec = cell.spec
    shown = spec.world.items if spec.visibility.top is None else spec.visibility.top
    singly = spec.affordances.presentation == "one at a time"
    return questions_of(cell) * (1 if singly else shown)
