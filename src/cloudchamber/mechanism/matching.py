"""Is what a mechanism grows what the agents grew? Two sets of runs, number by number.

Equivalence is what must be shown, with a margin: a difference that is not significant shows nothing. Each
replicate is regrown under its own noise and compared with itself; the fit's uncertainty is propagated by
regrowing under several draws of its parameters. The error of the gap adds both: how much it differs between
runs, and how much between draws. The fit was made to the same runs, as a rule, and follows them, so this
is cautious.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Literal

import numpy as np

from cloudchamber.measures.drawn import between_draws, drawn_mean, standard_error, widened
from cloudchamber.measures.estimate import FEW, Estimate, mean
from cloudchamber.questions import Reals

__all__ = [
    "Answer",
    "Match",
    "Sufficiency",
    "judged",
    "matched_up",
    "row_of",
]

Answer = Literal["sufficient", "not sufficient", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Match:
    """One number of the macro pattern: as the agents grew it, and as the mechanism does."""

    measure: str
    cell: str
    against: str
    """The cell whose value is taken off: of a response to a change; empty for the value itself."""
    grown: Estimate
    regrown: Estimate
    """By the fit itself; the interval holds the spread between runs and the fit's uncertainty."""
    gap: Estimate
    """Regrown less grown, run by run."""
    error: float
    """Its standard error, of both sources."""
    fit_error: float
    """What of it is the fit's uncertainty."""
    margin: float
    """The least gap that matters, in the measure's units; NaN where none was stated."""
    seen: bool
    """Whether the mechanism was fitted to choices of this cell."""

    def answer(self, alpha: float = 0.05, among: int = 1) -> Answer:
        """Whether the mechanism grows what the agents grew.

        sufficient: shown to lie within the margin (two one-sided tests, each at alpha). not sufficient: shown
        to lie beyond it, with the chance of a false claim shared between `among` numbers. Fewer than four
        runs tell nothing.
        """
        if not isfinite(self.margin) or not isfinite(self.error) or self.gap.n < FEW:
            return "cannot tell"
        far = abs(self.gap.value)
        if far + self._times(1 - alpha) * self.error < self.margin:
            return "sufficient"
        beyond = far - self._times(1 - alpha / 2 / among) * self.error
        return "not sufficient" if beyond > self.margin else "cannot tell"

    def _times(self, tail: float) -> float:
        from scipy.special import stdtrit  # quick to import, unlike scipy.stats

        return float(stdtrit(self.gap.n - 1, tail))

    def sentence(self, among: int = 1) -> str:
        """Both numbers, the gap and what it says; `among` as for `answer`."""
        what = f"the {self.measure} in {self.cell}"
        if self.against:
            what = f"what {self.cell} changes in the {self.measure} against {self.against}"
        new = "" if self.seen else ", never seen by the fit"
        return (
            f"{what}{new}: grown {self.grown}; regrown {self.regrown}; gap {self.gap} "
            f"(margin {self.margin:.3g}): {self.answer(among=among)}."
        )


@dataclass(frozen=True, slots=True)
class Sufficiency:
    """The answer over all numbers of the pattern."""

    answer: Answer
    failing: tuple[Match, ...]
    """Those that show that it does not suffice."""
    open: tuple[Match, ...]
    """Those that show neither."""
    matches: tuple[Match, ...]

    def sentence(self) -> str:
        """The answer in words, with the numbers that decide it."""
        if not self.matches:
            return "Cannot tell whether the mechanism suffices: nothing was regrown."
        whole = f"{len(self.matches)} numbers of the macro pattern"
        if self.answer == "sufficient":
            widest = max(self.matches, key=lambda one: abs(one.gap.value) / one.margin)
            return (
                f"Sufficient: in the agents' place the mechanism grows all {whole} to within the margin; the "
                f"largest gap is {widest.sentence(len(self.matches))}"
            )
        if self.answer == "not sufficient":
            worst = max(self.failing, key=lambda one: abs(one.gap.value) / one.margin)
            return (
                f"Not sufficient: {len(self.failing)} of {whole} are grown otherwise than by the agents, "
                f"beyond the margin; most of all {worst.sentence(len(self.matches))}"
            )
        worst = max(self.open, key=lambda one: abs(one.gap.value) / one.margin)
        return (
            f"Cannot tell whether the mechanism suffices: {len(self.open)} of {whole} are shown neither to "
            f"be the agents' nor to differ by the margin, e.g. {worst.sentence(len(self.matches))}"
        )


def judged(matches: Sequence[Match], alpha: float = 0.05) -> Sufficiency:
    """The answer over several numbers: sufficient only if each is, not sufficient if one is surely not.

    That all are needed makes a false "sufficient" no more likely; the chance of a false "not sufficient" is
    shared between them (Bonferroni).
    """
    answers = [one.answer(alpha, len(matches)) for one in matches]
    failing = tuple(m for m, a in zip(matches, answers, strict=True) if a == "not sufficient")
    still = tuple(m for m, a in zip(matches, answers, strict=True) if a == "cannot tell")
    answer: Answer = "not sufficient" if failing else "cannot tell" if still else "sufficient"
    if not matches:
        answer = "cannot tell"
    return Sufficiency(answer, failing, still, tuple(matches))


def matched_up(
    grown: Reals,
    regrown: Reals,
    measure: str,
    cell: str,
    *,
    against: str = "",
    margin: float = nan,
    seen: bool = True,
    level: float = 0.95,
) -> Match:
    """Compare a number by run with the same regrown under several draws.

    Args:
        grown: (replicates,), NaN where there is no run.
        regrown: (draws + 1, replicates), the fit itself first.
        measure: its name.
        cell: where.
        against: where the value that is taken off is from.
        margin: the least gap that matters.
        seen: whether the fit saw the cell.
        level: of the intervals.
    """
    there = np.isfinite(grown) & np.isfinite(regrown).all(axis=0)
    one, other = grown[there], regrown[:, there]
    gap = other - one
    found, wobble = mean(gap[0], level=level), between_draws(gap)
    return Match(
        measure,
        cell,
        against,
        mean(one, level=level),
        drawn_mean(other, level),
        widened(found, wobble),
        sqrt(standard_error(gap[0]) ** 2 + wobble**2) if there.sum() > 1 else nan,
        wobble,
        margin,
        seen,
    )


def row_of(one: Match, among: int = 1) -> dict[str, object]:
    """A match as a row of a table; `among` as for `Match.answer`."""
    told: dict[str, object] = {
        "measure": one.measure,
        "cell": one.cell,
        "against": one.against,
        "seen": one.seen,
    }
    for name, found in (("grown", one.grown), ("regrown", one.regrown), ("gap", one.gap)):
        told |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    told |= {"n": one.gap.n, "fit_error": one.fit_error, "margin": one.margin}
    return told | {"answer": one.answer(among=among)}
