"""Comparing cells by a measure that compares runs with one another, such as unpredictability.

Its numbers by run are not independent, so the difference of two cells takes a jackknife that leaves out a
whole replicate at a time.
"""

from math import nan, sqrt
from typing import Any

from cloudchamber.analysis.effects.cells import Tallies
from cloudchamber.errors import SpecificationError
from cloudchamber.measures.estimate import Estimate, jackknife

__all__ = ["across", "ends", "named"]


def across(
    given: Tallies, margin: float | None, *, level: float, in_sd: bool = False
) -> dict[str, Any]:
    """One comparison's numbers, as `comparisons` needs them, from tallies [replicates, 2, items].

    Raises:
        SpecificationError: a margin in spreads between runs, of which there are none, or not above 0.
    """
    from scipy.special import stdtr, stdtrit  # quick to import, unlike scipy.stats

    stacked, of = given
    if in_sd:
        raise SpecificationError("in_sd: a measure that compares runs has no spread between them")
    if margin is not None and not margin > 0:
        raise SpecificationError(f"margin: {margin}; give one above 0")
    gap = jackknife(stacked, lambda pair: of(pair[:, 0]) - of(pair[:, 1]), level=level)
    n, p, q, error = len(stacked), nan, nan, nan
    if gap.known:
        error = (gap.high - gap.low) / 2 / float(stdtrit(n - 1, 0.5 + level / 2))

        def above(at: float) -> float:
            """The p of the null that the difference is `at` or less."""
            if error <= 1e-12 * abs(gap.value - at) or error == 0:
                return 0.5 if gap.value == at else float(gap.value < at)
            return float(stdtr(n - 1, (at - gap.value) / error))

        p = 2 * min(above(0.0), 1 - above(0.0))
        if margin is not None:
            q = max(above(-margin), 1 - above(margin))
            # What all pairs' being alike can show: as by permutation.
            q = max(q, 0.5**n)
    nothing = dict.fromkeys((*ends("ratio"), *ends("effect_size")), nan)
    return {
        "n": n,
        "n_against": n,
        "mean": of(stacked[:, 0]) if n else nan,
        "mean_against": of(stacked[:, 1]) if n else nan,
        **named(gap, ("estimate", "low", "high")),
        **nothing,
        "effect_size_kind": "",
        **dict.fromkeys(ends("superiority"), nan),
        "p": p,
        "margin": nan if margin is None else margin,
        "p_equivalence": q,
        "spread": error * sqrt(n),
        "jackknife": True,
    }


def ends(name: str) -> tuple[str, str, str]:
    """The columns of a number and of its interval."""
    return name, f"{name}_low", f"{name}_high"


def named(found: Estimate, names: tuple[str, str, str]) -> dict[str, float]:
    """An estimate under those columns."""
    numbers = (found.value, found.low, found.high)
    return dict(zip(names, numbers, strict=True))
