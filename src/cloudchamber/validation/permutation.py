"""Do two groups of runs come from the same law? A permutation test whose unit is the run."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

__all__ = ["Distance", "distances", "energy_test"]

Floats = NDArray[np.float64]

_ALL_SPLITS = 5000


@dataclass(frozen=True)
class Distance:
    """How far two groups of runs are apart, and how often chance alone would part them as far."""

    what: str
    """What is compared."""
    unit: str
    """In what the distance between two runs is measured."""
    between: float
    """Mean distance of a run of the first group from one of the second."""
    within_first: float
    """Mean distance of two runs of the first group; NaN with one run."""
    within_second: float
    """The same of the second group."""
    statistic: float
    """Energy distance: twice `between`, less the mean distances within, self-pairs included."""
    p: float
    """Share of the splits of all runs in two such groups that are at least as far apart."""
    smallest_p: float
    """The least p that so many runs could have given."""
    first: int
    """Runs in the first group."""
    second: int
    """Runs in the second group."""

    def differs(self, level: float = 0.05) -> bool | None:
        """Whether the groups differ; None where so few runs could not have shown it at this level."""
        return None if self.smallest_p > level else self.p <= level

    def sentence(
        self, level: float = 0.05, first: str = "simulated runs", second: str = "field worlds"
    ) -> str:
        """The result in words, with its numbers; `level` as in `differs`."""
        within = ", ".join(
            f"two {name} are {value:.3f} apart"
            for name, value in ((first, self.within_first), (second, self.within_second))
            if not np.isnan(value)
        )
        verdict = {
            None: f"with so few runs p could not be below {self.smallest_p:.3f}: cannot tell",
            True: f"they differ (p = {self.p:.3g})",
            False: f"no difference found (p = {self.p:.2f})",
        }[self.differs(level)]
        return (
            f"{self.what}: {self.first} {first} and {self.second} {second} are on average "
            f"{self.between:.3f} apart ({self.unit})"
            + (f", {within}" if within else "")
            + f"; {verdict}."
        )


def distances(curves: Floats, widths: Floats) -> Floats:
    """[runs, runs] of the area between any two curves [runs, g] over parts of these widths [g]."""
    from scipy.spatial.distance import cdist  # SciPy is slow to import

    weighted = curves * widths
    return np.asarray(cdist(weighted, weighted, "cityblock"))


def energy_test(
    what: str,
    unit: str,
    apart: Floats,
    first: int,
    rng: np.random.Generator,
    permutations: int = 4999,
) -> Distance:
    """Test whether the first runs and the others come from the same law.

    The statistic is the energy distance (Szekely & Rizzo 2004), which for distances of negative type, such
    as the area between curves, is 0 in the limit only if the laws are the same. Under that hypothesis runs
    are exchangeable, so the p value is exact for any number of runs. All splits are tried where there are
    at most 5,000; else `permutations` random ones, and the one found.

    Args:
        what: what is compared, for the result.
        unit: in what `apart` is measured, for the result.
        apart: [n, n] distances between runs.
        first: how many of the n, the first ones, are the first group; 1 to n - 1.
        rng: for the random splits.
        permutations: how many of those.
    """
    n = len(apart)
    if not 1 <= first < n:
        raise ValueError(f"{first} of {n} runs in the first group; allowed: 1 to {n - 1}")
    exact = comb(n, first) <= _ALL_SPLITS
    members = _all_splits(n, first) if exact else _random_splits(n, first, permutations, rng)
    found = _statistics(apart, members)
    # The split that was found is the first; sums in another order may differ in the last digits.
    reached = found >= found[0] - 1e-9 * max(abs(float(found[0])), float(apart.mean()))
    # With equal groups a split and its mirror image are as far apart, so both always count.
    mirrored = 2 if 2 * first == n else 1
    return Distance(
        what=what,
        unit=unit,
        between=float(apart[:first, first:].mean()),
        within_first=_mean_of_pairs(apart[:first, :first]),
        within_second=_mean_of_pairs(apart[first:, first:]),
        statistic=float(found[0]),
        p=float(reached.mean()),
        smallest_p=mirrored / comb(n, first) if exact else 1 / len(members),
        first=first,
        second=n - first,
    )


def _all_splits(n: int, first: int) -> NDArray[np.bool_]:
    chosen = np.array(list(combinations(range(n), first)))
    members = np.zeros((len(chosen), n), dtype=np.bool_)
    members[np.arange(len(chosen))[:, None], chosen] = True
    return members


def _random_splits(
    n: int, first: int, permutations: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    members = np.zeros((permutations + 1, n), dtype=np.bool_)
    members[:, :first] = True
    members[1:] = rng.permuted(members[1:], axis=1)
    return members


def _statistics(apart: Floats, members: NDArray[np.bool_]) -> Floats:
    """The energy distance of each split."""
    inside = members.astype(np.float64)
    a, b = inside[0].sum(), len(apart) - inside[0].sum()
    to_first = inside @ apart
    first = (to_first * inside).sum(axis=1)
    between = (to_first * (1 - inside)).sum(axis=1)
    second = apart.sum() - first - 2 * between
    return np.asarray(2 * between / (a * b) - first / a**2 - second / b**2)


def _mean_of_pairs(apart: Floats) -> float:
    n = len(apart)
    return float(apart.sum() / (n * (n - 1))) if n > 1 else float("nan")
