"""Sweeps that carry the state along: a field moves from level to level while agents stand by what they did.

What `analysis.hysteresis` asks for: does it matter where the field comes from?
"""

from collections.abc import Sequence

import numpy as np

from cloudchamber.agents import Society, decide
from cloudchamber.analysis.hysteresis import Sweep
from cloudchamber.engine import Onward, Runs, grow
from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.experiment.prompts import Nowhere
from cloudchamber.microspec import Microspec
from cloudchamber.trace import Level

__all__ = ["carried"]


def carried(spec: Microspec, path: str, fact: str, *, seed: int = 0) -> Sweep:
    """A sweep of a field of a specification: at each level its `turns.steps` more are grown.

    Example:
        ``hysteresis(carried(spec, "population.groups[0].decides.lean", "opinion"), -0.5, 0.5)``

    Args:
        spec: of rules or mechanisms, in a world that counts who stands by what now.
        path: the field that is set to each level, e.g. "world.thresholds.sd", or a group's "share".
        fact: the response: one of the world's facts, at the end of each level's steps.
        seed: of every draw. A level's draws go on from those of the level before.

    Raises:
        SpecificationError: language models, a world that counts every act, or no such fact.
    """
    spec.check_paths([path])
    if spec.world.counting != "latest":
        raise SpecificationError(
            f"a sweep carries along who stands by what, but the world {spec.world.kind!r} counts every act; "
            "use a world that counts latest acts, e.g. 'opinion'"
        )
    if fact not in spec.world.facts:
        raise SpecificationError(f"fact: {fact!r}; {nearest(fact, spec.world.facts)}")
    if any(group.decides.reads_text for group in spec.population.groups):
        raise SpecificationError(
            "a sweep grows its runs at once, which language models cannot; fit a mechanism to their "
            "choices and sweep that"
        )

    def sweep(levels: Sequence[float], replicate: int) -> list[float]:
        runs = Runs(seed, np.array([replicate]), np.array([1]))
        state = spec.world.start(spec.opening(seed, runs.replicates))
        found = []
        for number, level in enumerate(levels):
            now, onward = spec.replace(path, level), Onward(state, number * spec.turns.steps)
            summary = Level("summary")
            growth = grow(now, runs, Nowhere(), level=summary, checkpoints=1, onward=onward)
            decide(growth, Society(now))
            found.append(float(state.more[fact][0]))
        return found

    return sweep
