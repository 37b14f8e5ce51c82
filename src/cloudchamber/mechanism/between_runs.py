"""Runs that do not follow one rule: how far their parameters lie apart, and rules that lie as far apart.

`Fit.differing` says which parameters differ between runs by more than chance. One rule for all then regrows
an average run, and too few of the fast and the slow.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.fitted import Fit
from cloudchamber.mechanism.likelihood import evaluate
from cloudchamber.mechanism.mechanisms import Mechanism
from cloudchamber.randomness import generator

__all__ = ["between_runs", "run_by_run"]


def between_runs(found: Fit, data: ChoiceData, names: Sequence[str] = ()) -> dict[str, float]:
    """The standard deviation between runs of single parameters, all others as fitted; 0 where there is none.

    By moments: the squared score of a run is on average its information, plus the variance between runs times
    that squared (DerSimonian & Laird 1986, https://doi.org/10.1016/0197-2456(86)90046-2, for scores); of few
    runs both are less, for the fit itself lies among them. Fitted is what was picked: exact distributions
    hold no chance.

    Args:
        found: a fit to choices.
        data: those choices.
        names: of which parameters; if none is named, of those that differ by more than chance.

    Raises:
        SpecificationError: no such parameter, or fewer than two runs.
    """
    chosen = list(names) or list(found.differing())
    for name in chosen:
        if name not in found.names:
            raise SpecificationError(f"no parameter {name!r}; {nearest(name, found.names)}")
    runs = data.runs
    if len(runs) < 2:
        raise SpecificationError(f"between_runs: {len(runs)} run given; it needs two or more")
    at = [found.names.index(name) for name in chosen]
    score, known = np.zeros((len(runs), len(at))), np.zeros((len(runs), len(at)))
    for number, run in enumerate(runs):
        one = evaluate(found.mechanism, data.among(np.array([run])), "choices")
        score[number], known[number] = one.score[at], np.diag(one.information)[at]
    whole = known.sum(axis=0)
    share = known / np.where(whole > 0, whole, 1.0)
    # What chance gives, and what one unit of variance does, beside a fit that rests on all of the runs.
    chance = (known * (1 - share)).sum(axis=0)
    squared = np.square(known)
    unit = (squared * (1 - 2 * share)).sum(axis=0) + squared.sum(axis=0) * np.square(share).sum(
        axis=0
    )
    excess = np.square(score).sum(axis=0) - chance
    variance = np.where(unit > 0, excess / np.where(unit > 0, unit, 1.0), 0.0)
    return dict(zip(chosen, np.sqrt(np.maximum(variance, 0.0)).tolist(), strict=True))


def run_by_run(
    found: Fit, between: Mapping[str, float], runs: int, *, seed: int = 0
) -> tuple[Mechanism, ...]:
    """A mechanism for each of so many runs, its parameters drawn normally around the fitted ones.

    Args:
        found: a fit.
        between: the standard deviation between runs of each parameter that differs (`between_runs`).
        runs: how many.
        seed: of the draws; that of one run is the same however many there are.

    Raises:
        SpecificationError: no such parameter.
    """
    for name in between:
        if name not in found.names:
            raise SpecificationError(f"no parameter {name!r}; {nearest(name, found.names)}")
    at = [found.names.index(name) for name in between]
    spread = np.array([between[name] for name in between])
    asked, drawn = found.asked, []
    for run in range(runs):
        values = found.mechanism.values(asked)
        values[at] += spread * generator(seed, run, "between runs").standard_normal(len(at))
        drawn.append(found.mechanism.with_values(values, asked))
    return tuple(drawn)
