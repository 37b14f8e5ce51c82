"""The null of independent choice: what concentration looks like when nobody heeds anybody."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.measures import Tally, final_tallies
from cloudchamber.measures.concentration import shares
from cloudchamber.trace.tables import Readable

__all__ = ["gained", "independent", "pooled_shares"]

Reals = NDArray[np.float64]


def gained(source: Readable, runs: Iterable[int] | None = None) -> Tally:
    """What each item gained in each of some runs (all, if not given), in the order of the runs.

    Raises:
        TraceError: the runs do not share their items, or none of them is there.
    """
    wanted = None if runs is None else {int(run) for run in runs}
    found = []
    for tally in final_tallies(source):
        kept = [at for at, run in enumerate(tally.run.tolist()) if wanted is None or run in wanted]
        if kept:
            found.append(Tally(tally.run[kept], tally.step, tally.item, tally.value[kept]))
    if len(found) != 1:
        what = "have different items" if found else "left no tallies"
        raise TraceError(f"the runs to be compared {what}; give complete runs of one world")
    return found[0]


def pooled_shares(source: Readable, runs: Iterable[int] | None = None) -> Reals:
    """Each item's share of all choices in some runs together, shape [items].

    Of runs without influence, e.g. with likes hidden, they are what items draw of themselves in the
    given order; noise in them makes the null more concentrated, so claims against it are cautious.
    """
    return shares(gained(source, runs).value[:, -1].sum(axis=0))


def independent(picks: ArrayLike, share: ArrayLike, draws: int, seed: int = 0) -> Reals:
    """Tallies of runs whose choices are independent draws from fixed shares: [draws, runs, items].

    Args:
        picks: shape [runs]: how many choices each run made. An agent that picks several different
            items spreads them more than draws with replacement do: against it claims are cautious.
        share: shape [items], or [runs, items]: not negative; scaled to sum to 1.
        draws: how many sets of runs.
        seed: of the draws.

    Raises:
        SpecificationError: picks are not whole numbers, or shares are not shares.
    """
    count = np.asarray(picks, dtype=np.float64)
    if (count != np.rint(count)).any() or (count < 0).any():
        raise SpecificationError("the null of independent choice needs tallies that count choices")
    weight = np.asarray(share, dtype=np.float64)
    if not (np.isfinite(weight).all() and (weight >= 0).all() and (weight.sum(axis=-1) > 0).all()):
        raise SpecificationError("shares must be finite, not negative, and not all 0")
    p = np.broadcast_to(weight / weight.sum(axis=-1, keepdims=True), (len(count), weight.shape[-1]))
    drawn = np.random.default_rng(seed).multinomial(count.astype(np.int64), p, (draws, len(count)))
    return drawn.astype(np.float64)
