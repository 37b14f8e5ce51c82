"""Evolution: strategies as groups, whose numbers in the next generation follow what they earned in this one.

A generation is a run of a microspecification whose world scores. Each strategy's part of the next one is
its number times its mean score; whole numbers by largest remainders, or drawn (Wright & Fisher), so that
chance drifts them as it does in small populations.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.agents.society import Society, decide, models_of
from cloudchamber.engine import Runs, grow
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.prompts import Nowhere
from cloudchamber.microspec import Microspec
from cloudchamber.trace import Level

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evolve"]

Reals = NDArray[np.float64]


def evolve(
    spec: Microspec,
    generations: int,
    *,
    seed: int = 0,
    replicates: Sequence[int] = (0,),
    drawn: bool = False,
) -> "pd.DataFrame":
    """The course of a population whose groups multiply by what they score.

    Every generation starts anew: nothing is remembered of the one before, and the number of agents
    stays. A group that died out stays out.

    Args:
        spec: the first generation; each group is a strategy, and the world must score.
        generations: how often the population is renewed, at least once.
        seed: of all draws; a replicate's generations draw independently.
        replicates: which courses to follow, each by itself.
        drawn: whether the next generation is drawn, not apportioned.

    Returns:
        A row for each replicate, generation (0 the first) and group: its count, share, and the mean score
        of its agents in that generation, NaN where there are none.

    Raises:
        SpecificationError: the world scores nothing, scores are negative, generations are fewer than 1, or
            a group's agents are asked of a language model.
    """
    _check(spec, generations)
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    rows: list[dict[str, object]] = []
    names = [group.name for group in spec.population.groups]
    for replicate in replicates:
        now = spec
        for generation in range(generations + 1):
            counts = np.array([group.count for group in now.population.groups])
            earned = _mean_scores(now, _seed(seed, generation), replicate)
            rows += [
                {
                    "replicate": replicate,
                    "generation": generation,
                    "group": name,
                    "count": int(count),
                    "share": count / counts.sum(),
                    "score": score,
                }
                for name, count, score in zip(names, counts, earned, strict=True)
            ]
            weights = counts * np.nan_to_num(earned)
            if weights.min() < 0:
                raise SpecificationError(
                    "evolve: agents scored less than 0 on average, and nobody has fewer than no offspring; "
                    "choose payoffs that are not negative."
                )
            if weights.sum() > 0:  # where nobody earned anything, nothing changes
                share = weights / weights.sum()
                counts = _next(share, int(counts.sum()), seed, replicate, generation, drawn)
            now = _of(now, counts)
    return pd.DataFrame(rows)


def _check(spec: Microspec, generations: int) -> None:
    if not spec.world.scores:
        raise SpecificationError(
            f"evolve: the world {spec.world.kind!r} scores nothing; take one that does, or set a reward."
        )
    if generations < 1:
        raise SpecificationError(f"evolve: {generations} generations given; at least 1.")
    if models_of(spec):
        raise SpecificationError(
            "evolve: a group is decided for by a language model; evolution is for rules and mechanisms."
        )


def _seed(seed: int, generation: int) -> int:
    """A seed of its own for each generation."""
    key = randomness.keys(seed, 0, "generation", generation)
    return int(key) >> 1


def _mean_scores(spec: Microspec, seed: int, replicate: int) -> Reals:
    """What each group's agents scored on average in one run; NaN for an empty group."""
    runs = Runs(seed, np.array([replicate]), np.array([1]))
    account = decide(grow(spec, runs, Nowhere(), level=Level("summary")), Society(spec))
    group = spec.population.people().group
    many = np.bincount(group, minlength=len(spec.population.groups)).astype(np.float64)
    total = np.bincount(group, account.score[0], minlength=len(many))
    scores = np.full(len(many), np.nan)
    np.divide(total, many, out=scores, where=many > 0)
    return scores


def _next(
    share: Reals, agents: int, seed: int, replicate: int, generation: int, drawn: bool
) -> NDArray[np.int64]:
    """How many of each group there are in the next generation."""
    if drawn:
        stream = f"offspring/{generation}"
        return np.asarray(randomness.generator(seed, replicate, stream).multinomial(agents, share))
    exact = share * agents
    counts = np.floor(exact).astype(np.int64)
    left = np.argsort(-(exact - counts), kind="stable")[: agents - counts.sum()]
    counts[left] += 1
    return counts


def _of(spec: Microspec, counts: NDArray[np.int64]) -> Microspec:
    """The same with so many agents in each group."""
    named = {f"population.groups[{at}].count": int(n) for at, n in enumerate(counts)}
    return spec.replace_all(named)
