"""Which of several mechanisms is it? Each is judged by runs that it was not fitted to.

The score is the mean log-likelihood of a held-out decision, in nats, one number a run. Its scale has two
ends: choosing uniformly among the open options, and, where distributions are exact, their own entropy,
which no mechanism can beat. Nested mechanisms can also be told apart by a test on all choices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.measures.estimate import Estimate, difference, mean
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.fitting import Fit, fit, refitted
from cloudchamber.mechanism.likelihood import Targets, row_log_likelihoods
from cloudchamber.mechanism.mechanisms import Mechanism
from cloudchamber.questions import Reals

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "NestedTest", "compare", "nested"]

UNIFORM, BEST = "uniform", "exact knowledge"
"""The ends of the scale, as rows of a table."""
TIE = 1e-6
"""Nats a decision that are no difference: what probabilities kept in four bytes leave."""


@dataclass(frozen=True, slots=False, eq=False)
class Comparison:
    """Held-out scores of rival mechanisms, by run."""

    scores: Mapping[str, Reals]
    """For each mechanism (runs,): the mean log-likelihood of a decision of runs it was not fitted to."""
    uniform: Reals
    """(runs,): the same for choosing uniformly among what may be picked."""
    best: Reals
    """(runs,): minus the entropy of the exact distributions; NaN in runs where some are not known."""
    runs: NDArray[np.int64]
    parameters: Mapping[str, int]
    """How many each mechanism has."""

    @cached_property
    def ranking(self) -> tuple[str, ...]:
        """The mechanisms from the best mean score to the worst."""
        return tuple(sorted(self.scores, key=lambda name: -float(self.scores[name].mean())))

    def score(self, name: str, level: float = 0.95) -> Estimate:
        """The mean over runs of a mechanism's score."""
        return _mean(self._of(name), level)

    def difference(self, name: str, other: str, level: float = 0.95) -> Estimate:
        """How much higher one scores than the other, over the same runs; paired."""
        one, two = self._of(name), self._of(other)
        if not (np.isfinite(one).all() and np.isfinite(two).all()):
            # Who says of what happened that it cannot be is infinitely behind who does not.
            behind, ahead = not np.isfinite(one).all(), not np.isfinite(two).all()
            value = np.nan if behind and ahead else -np.inf if behind else np.inf
            return Estimate(value, np.nan, np.nan, len(one), level, "pair of runs", "paired t")
        return difference(one, two, paired=True, level=level)

    def share(self, name: str) -> float:
        """How far from uniform to exact knowledge a mechanism comes; NaN where the best is not known."""
        span = float(self.best.mean() - self.uniform.mean())
        gained = float(self._of(name).mean() - self.uniform.mean())
        return gained / span if span > 0 else np.nan

    @property
    def winner(self) -> str | None:
        """The mechanism whose difference from every other excludes 0; None: the runs cannot tell.

        Intervals are widened for the number of rivals (Bonferroni).
        """
        return self.ranking[0] if len(self.as_good) == 1 else None

    @property
    def as_good(self) -> tuple[str, ...]:
        """The best and those whose difference from it does not exclude 0, best first."""
        first, *others = self.ranking
        level = 1 - 0.05 / max(len(others), 1)
        best = np.isfinite(self.scores[first]).all()
        near = [
            other
            for other in others
            if not (best and not np.isfinite(self.scores[other]).all())
            and not self.difference(first, other, level).low > TIE
        ]
        return (first, *near)

    @property
    def simplest(self) -> str | None:
        """Of those as good as the best, the one of fewest parameters; None where there are several.

        A mechanism that holds another predicts as well when the other is true, and chance may put it
        first; so between nested ones parameters decide.
        """
        fewest = min(self.parameters[name] for name in self.as_good)
        found = [name for name in self.as_good if self.parameters[name] == fewest]
        return found[0] if len(found) == 1 else None

    def table(self, level: float = 0.95) -> "pd.DataFrame":
        """A row a mechanism, best first, between the ends of the scale: score, difference from the best."""
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        first = self.ranking[0]
        rows = {}
        for name in self.ranking:
            own, apart = self.score(name, level), self.difference(name, first, level)
            rows[name] = (own.value, own.low, own.high, apart.value, apart.low, apart.high)
        ends = {BEST: float(self.best.mean()), UNIFORM: float(self.uniform.mean())}
        nan = (np.nan,) * 5
        whole = {BEST: (ends[BEST], *nan)} | rows | {UNIFORM: (ends[UNIFORM], *nan)}
        names = ["score", "low", "high", "difference", "difference low", "difference high"]
        table = pd.DataFrame.from_dict(whole, orient="index", columns=names)
        table.loc[first, names[3:]] = (0.0, np.nan, np.nan)
        return table.rename_axis("mechanism")

    def __str__(self) -> str:
        lines = []
        for name in self.ranking:
            told = f"{name}: {self.score(name)}"
            if name != self.ranking[0]:
                told += f"; against {self.ranking[0]} {self.difference(name, self.ranking[0])}"
            lines.append(told)
        if self.winner:
            lines.append(f"{self.winner} predicts best")
        else:
            lines.append(f"cannot tell which predicts best of {', '.join(self.as_good)}")
            if self.simplest:
                lines.append(f"{self.simplest} is the simplest of these")
        return "\n".join(lines)

    def _of(self, name: str) -> Reals:
        if name not in self.scores:
            raise SpecificationError(
                f"no mechanism {name!r} was compared; {nearest(name, self.scores)}"
            )
        return self.scores[name]


def compare(
    mechanisms: Mapping[str, Mechanism],
    data: ChoiceData,
    *,
    folds: int = 5,
    to: Targets = "distributions",
    seed: int = 0,
) -> Comparison:
    """Score mechanisms out of sample: runs are dealt to folds, each scored by a fit to all others.

    Args:
        mechanisms: the rivals, by name.
        data: choices; at least two runs.
        folds: how many parts; as many as there are runs, at most.
        to: what fits and scores are held against.
        seed: of the deal.

    Raises:
        SpecificationError: no mechanisms, fewer than two runs, or fewer than two folds.
    """
    runs = data.runs
    if not mechanisms or len(runs) < 2 or folds < 2:
        raise SpecificationError(
            f"compare: {len(mechanisms)} mechanisms, {len(runs)} runs, {folds} folds given; needed are "
            "1 mechanism, 2 runs and 2 folds at least"
        )
    fold = np.random.default_rng(seed).permutation(len(runs)) % min(folds, len(runs))
    scores = {name: np.full(len(runs), np.nan) for name in mechanisms}
    # Fitted to all first: the fits to parts then begin near their tops.
    whole = {name: fit(one, data, to=to).mechanism for name, one in mechanisms.items()}
    for part in range(int(fold.max()) + 1):
        held, known = data.among(runs[fold == part]), data.among(runs[fold != part])
        for name, mechanism in whole.items():
            fitted = refitted(mechanism, known, to).mechanism
            scores[name][fold == part] = _by_run(row_log_likelihoods(fitted, held, to), held.run)
    uniform, best = _ends(data)
    parameters = {name: len(one.names(data.asked)) for name, one in whole.items()}
    ends = _by_run(uniform, data.run), _by_run(best, data.run)
    return Comparison(scores, *ends, runs, parameters)


def _ends(data: ChoiceData) -> tuple[Reals, Reals]:
    """(n,) each: the log-likelihood of choosing uniformly, and minus the entropy where it is known."""
    there = data.item >= 0
    if data.open is not None:
        there = there & data.open
    if data.probability is None:
        best = np.full(len(data), np.nan)
    else:
        q = data.probability.astype(np.float64)
        none = np.clip(1 - q.sum(axis=1), 0, 1) if data.asked == "one" else None
        best = _plogp(q).sum(axis=1)
        best += _plogp(1 - q).sum(axis=1) if none is None else _plogp(none)
    if data.asked == "any":
        return -np.log(2) * there.sum(axis=1), best
    declines = bool((data.choice < 0).any())
    return -np.log(there.sum(axis=1) + declines), best


def _plogp(p: Reals) -> Reals:
    return np.asarray(p * np.log(np.where(p > 0, p, 1.0)))


def _by_run(rows: Reals, run: NDArray[np.int64]) -> Reals:
    """(runs,): the mean of each run's rows."""
    first = np.flatnonzero(np.diff(run, prepend=run[0] - 1))
    counts = np.diff(np.append(first, len(run)))
    return np.asarray(np.add.reduceat(rows, first) / counts)


def _mean(values: Reals, level: float) -> Estimate:
    if np.isfinite(values).all():
        return mean(values, level=level)
    return Estimate(float(values.mean()), np.nan, np.nan, len(values), level)


@dataclass(frozen=True, slots=True)
class NestedTest:
    """Whether the parameters that a larger mechanism adds are needed."""

    added: tuple[str, ...]
    """The parameters tested against 0."""
    statistic: float
    """Hotelling's: with m parameters, and G runs that inform them, F with m and G - m degrees of freedom."""
    p: float
    runs: int

    def __str__(self) -> str:
        if not np.isfinite(self.p):
            return f"cannot tell whether {', '.join(self.added)} are needed ({self.runs} runs)"
        return (
            f"F = {self.statistic:.3g}, p = {self.p:.2g}, {self.runs} runs: {', '.join(self.added)}"
        )


def nested(larger: Fit, added: tuple[str, ...] | list[str]) -> NestedTest:
    """Wald's test that some parameters of a fit are 0, with the covariance clustered by run.

    The likelihood ratio would take the decisions of a run for independent; this does not. Scaled as
    Hotelling's T squared, for the covariance is that of a mean over runs. Without more runs than
    parameters, or where the data do not tell one of them, p is NaN.

    Raises:
        SpecificationError: the fit has no such parameter, or none is named.
    """
    for name in added:
        if name not in larger.names:
            raise SpecificationError(f"no parameter {name!r}; {nearest(name, larger.names)}")
    if not added:
        raise SpecificationError("nested: name the parameters that are tested")
    from scipy.special import fdtrc  # quick to import, unlike scipy.stats

    at = [larger.names.index(name) for name in added]
    values, covariance = larger.values[at], larger.covariance[np.ix_(at, at)]
    runs = float(larger.informing[at].min())
    m, freedom = len(at), runs - len(at)
    if not np.isfinite(values).all() or not np.isfinite(covariance).all() or freedom < 1:
        return NestedTest(tuple(added), np.nan, np.nan, larger.runs)
    wald = float(values @ np.linalg.solve(covariance, values))
    statistic = wald * freedom / (m * (runs - 1))
    return NestedTest(tuple(added), statistic, float(fdtrc(m, freedom, statistic)), larger.runs)
