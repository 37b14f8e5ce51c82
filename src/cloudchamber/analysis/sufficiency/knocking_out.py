"""The knock-out search: conditions are taken away one by one, while the phenomenon still grows.

It asks for runs and is told how many grew, so that whoever grows them stays outside:

1. with every condition in place it must be certain, else there is nothing to reduce;
2. the condition whose absence hurts least is taken away, again and again, while the phenomenon stays
   certain enough without it;
3. what is left, and what is left less one at a time, is grown anew in replicates of its own, and judged on
   these alone: the search chose it for its luck, too.

The set is minimal (nothing of it can be left out), which need not be the smallest there is where conditions
can stand in for each other. Where the phenomenon does not depend on conditions, either none is needed or
nothing is found.
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudchamber.analysis.sufficiency.wording import in_runs, nothing_alone, percent
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.design import Cell, Setting
from cloudchamber.measures.estimate import Estimate, proportion
from cloudchamber.microspec import Microspec

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KnockOut", "Needed", "Trial", "knock_out", "taken_away"]


@dataclass(frozen=True)
class Trial:
    """Runs that are asked for: which conditions are in place, and which replicates."""

    kept: frozenset[str]
    replicates: range

    def __len__(self) -> int:
        return len(self.replicates)


@dataclass(frozen=True)
class Needed:
    """What is left of the conditions, judged on runs of its own."""

    kept: tuple[str, ...]
    share: Estimate
    without: Mapping[str, Estimate]
    """The share where one of what is kept is taken away as well."""
    certain: float
    looked: Mapping[frozenset[str], Estimate]
    """What the search saw, by what was in place."""

    @property
    def found(self) -> bool:
        """Whether what is kept is shown to make the phenomenon certain."""
        return self.share.known and self.share.low >= self.certain

    @property
    def minimal(self) -> bool:
        """Whether each of what is kept is shown to be needed."""
        return self.found and all(
            one.known and one.high < self.certain for one in self.without.values()
        )

    def table(self) -> "pd.DataFrame":
        """A row for what is kept, and for it less each one: conditions, share, low, high, runs."""
        import pandas as pd

        rows = [("all of them", self.share)]
        rows += [(f"without {name}", one) for name, one in self.without.items()]
        return pd.DataFrame(
            [(name, one.value, one.low, one.high, one.n) for name, one in rows],
            columns=["conditions", "share", "low", "high", "runs"],
        )

    def __str__(self) -> str:
        if not self.found:
            return (
                f"nothing found: with {' AND '.join(self.kept) or 'nothing'} it grew in "
                f"{in_runs(self.share)}, which does not show that it is certain"
            )
        if not self.kept:
            return f"none of the conditions is needed: grown in {in_runs(self.share)} without any"
        verb = "suffice" if len(self.kept) > 1 else "suffices"
        parts = [f"without {name}: {percent(one)}" for name, one in self.without.items()]
        needed = (
            nothing_alone(list(self.without.values()), self.certain)
            if len(self.kept) > 1
            else "nothing less does"
            if self.minimal
            else "whether it is needed cannot be told"
        )
        told = f"{' AND '.join(self.kept)} {verb} (grown in {in_runs(self.share)})"
        return "; ".join([told, *parts, needed])


class KnockOut:
    """Asks for runs and is told how many grew; see `knock_out` for both at once.

    Args:
        conditions: names of what can be taken away.
        certain: the share of runs from which the phenomenon is called certain.
        runs: of each trial of the search.
        judging: runs of each trial that judges; as many as it takes to show `certain` in spite of some
            failures, if not given.

    Raises:
        SpecificationError: no condition, two of one name, or too few runs to show anything.
    """

    def __init__(
        self,
        conditions: Sequence[str],
        *,
        certain: float = 0.9,
        runs: int = 20,
        judging: int | None = None,
    ) -> None:
        if not conditions or len(set(conditions)) < len(conditions):
            raise SpecificationError(
                f"conditions: {list(conditions)!r} was given; allowed: one or more, each with its own name."
            )
        if not 0.5 <= certain < 1:
            raise SpecificationError(f"certain: {certain} was given; allowed: from 0.5 to below 1.")
        fewest = _fewest(certain)
        judging = 2 * fewest if judging is None else judging
        if runs < 1 or judging < fewest:
            raise SpecificationError(
                f"runs: {runs} to search and {judging} to judge were given; allowed: 1 and {fewest} or more, "
                f"for in fewer that all grew a share of {certain:g} is not shown."
            )
        self.conditions, self.certain = tuple(conditions), certain
        self.runs, self.judging = runs, judging
        self._told: dict[Trial, int] = {}
        self._steps = self._search()
        self._waiting: tuple[Trial, ...] = next(self._steps)
        self._result: Needed | None = None

    def ask(self) -> tuple[Trial, ...]:
        """The trials to be grown next, in any order; none once it has ended."""
        return tuple(trial for trial in self._waiting if trial not in self._told)

    def tell(self, trial: Trial, grown: int, of: int | None = None) -> None:
        """In how many runs of a trial the phenomenon grew.

        Raises:
            SpecificationError: the trial was not asked for, or numbers that cannot be.
        """
        if trial not in self.ask():
            raise SpecificationError(f"{sorted(trial.kept)}: these runs were not asked for.")
        if (of is not None and of != len(trial)) or not 0 <= grown <= len(trial):
            raise SpecificationError(
                f"{sorted(trial.kept)}: {grown} of {len(trial) if of is None else of} runs was given; "
                f"allowed: 0 to {len(trial)} of {len(trial)}."
            )
        self._told[trial] = grown
        if not self.ask():
            try:
                self._waiting = next(self._steps)
            except StopIteration as end:
                self._waiting, self._result = (), end.value

    @property
    def result(self) -> Needed:
        """What was found.

        Raises:
            SpecificationError: the search has not ended.
        """
        if self._result is None:
            raise SpecificationError(
                f"the search has not ended; {len(self.ask())} trials are asked for: grow and tell them."
            )
        return self._result

    def _search(self) -> Generator[tuple[Trial, ...], None, Needed]:
        kept = frozenset(self.conditions)
        yield (self._trial(kept),)
        goes_on = self._share(self._trial(kept)) >= self.certain
        while goes_on and kept:
            fewer = [kept - {name} for name in self.conditions if name in kept]
            yield tuple(map(self._trial, fewer))
            best = max(fewer, key=lambda less: self._share(self._trial(less)))
            goes_on = self._share(self._trial(best)) >= self.certain
            kept = best if goes_on else kept
        looked = {trial.kept: self._estimate(trial) for trial in self._told}
        left = tuple(name for name in self.conditions if name in kept)
        trials = {name: self._trial(kept - {name}, judges=True) for name in left}
        whole = self._trial(kept, judges=True)
        yield (whole, *trials.values())
        without = {name: self._estimate(trial) for name, trial in trials.items()}
        return Needed(left, self._estimate(whole), without, self.certain, looked)

    def _trial(self, kept: frozenset[str], *, judges: bool = False) -> Trial:
        start = self.runs if judges else 0
        return Trial(kept, range(start, start + (self.judging if judges else self.runs)))

    def _share(self, trial: Trial) -> float:
        return self._told[trial] / len(trial)

    def _estimate(self, trial: Trial) -> Estimate:
        return proportion(self._told[trial], len(trial))


def knock_out(
    conditions: Sequence[str],
    grown: Callable[[Trial], int],
    *,
    certain: float = 0.9,
    runs: int = 20,
    judging: int | None = None,
) -> Needed:
    """Which of some conditions are needed for a phenomenon to be certain.

    Args:
        conditions: names of what can be taken away.
        grown: in how many of the runs it is asked for the phenomenon grew: with the conditions `kept` in
            place and the others taken away, in the replicates named.
        certain: as for `KnockOut`.
        runs: as for `KnockOut`.
        judging: as for `KnockOut`.
    """
    search = KnockOut(conditions, certain=certain, runs=runs, judging=judging)
    while trials := search.ask():
        for trial in trials:
            search.tell(trial, grown(trial))
    return search.result


def taken_away(
    base: Microspec, absent: Mapping[str, Mapping[str, object]], kept: Collection[str]
) -> Cell:
    """The cell in which some conditions are in place and the others are taken away.

    Args:
        base: the specification with every condition in place.
        absent: what each condition's absence sets (path -> value).
        kept: names of those in place.

    Raises:
        SpecificationError: a path that does not exist, or what is left makes no sense.
    """
    away = {name: Setting("away", changes) for name, changes in absent.items() if name not in kept}
    return Cell.at(f"without {', '.join(away)}" if away else "all in place", base, away)


def _fewest(certain: float) -> int:
    """Runs that, if all of them grew, show a share."""
    n = 1
    while proportion(n, n).low < certain:
        n += 1
    return n
