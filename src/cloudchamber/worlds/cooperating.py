"""What worlds record of how far their agents cooperate: the facts that measures of cooperation read."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from cloudchamber.microspec.world import Acts, State
from cloudchamber.questions import Ints, Reals

__all__ = ["COOPERATION", "keep", "so_far"]

COOPERATION: Final = ("cooperation", "cooperation now", "mean score")
"""The mean over all acts so far of how far each cooperates, from 0 to 1; the same over those of the latest
round; and the mean over agents of their scores."""


def so_far(runs: int) -> dict[str, Reals]:
    """The facts, and what they are worked out from, before anyone acted: no act, so no share of them."""
    unknown, none = np.full(runs, np.nan), np.zeros(runs)
    return {
        "cooperation": unknown.copy(),
        "cooperation now": unknown.copy(),
        "mean score": none.copy(),
        "round": np.full(runs, -1.0),
        "cooperated": none.copy(),
        "acted": none.copy(),
        "cooperated now": none.copy(),
        "acted now": none.copy(),
    }


def keep(state: State, acts: Acts, cooperates: ArrayLike) -> Ints:
    """Count a batch's acts, each with how far it cooperates; the runs in which they begin a round."""
    more = state.more
    acted = np.bincount(acts.run, minlength=len(more["round"])).astype(np.float64)
    share = np.asarray(cooperates, np.float64)
    cooperated = np.bincount(acts.run, share, minlength=len(acted))
    there = acted > 0
    new = np.flatnonzero(there & (more["round"] != acts.step))
    more["round"][new] = acts.step
    for name, added in (("acted", acted), ("cooperated", cooperated)):
        more[f"{name} now"][new] = 0.0
        more[f"{name} now"] += added
        more[name] += added
    for when in ("", " now"):
        done = more[f"cooperated{when}"][there] / more[f"acted{when}"][there]
        more[f"cooperation{when}"][there] = done
    return new
