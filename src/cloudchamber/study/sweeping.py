"""Sweeps that carry the state along: a field moves from level to level while agents stand by what they did.

What `analysis.hysteresis` asks for: does it matter where the field comes from?
"""

from collections.abc import Sequence

import numpy as np

from cloudchamber.agents import Society, decide
from cloudchamber.analysis.thresholds.hysteresis import Sweep
from cloudchamber.engine import Onward, Runs, grow
from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.experiment.prompts import Nowhere
from cloudchamber.microspec import Microspec, NoMemory, World
from cloudchamber.microspec.world import Opening
from cloudchamber.trace import Level

__all__ = ["carried"]


def carried(spec: Microspec, path: str, fact: str, *, seed: int = 0) -> Sweep:
    """A sweep of a field of a specification: at each level its `turns.steps` more are grown.

    Example:
        ``hysteresis(carried(spec, "population.groups[0].decides.lean", "opinion"), -0.5, 0.5)``

    Args:
        spec: of rules or mechanisms, in a world that counts who stands by what now.
        path: the field that is set to each level: of who decides, or of the world; or a group's "share". What
            a world draws at its start (thresholds, say) is drawn once, and cannot be swept.
        fact: the response: one of the world's facts, at the end of each level's steps.
        seed: of every draw. A level's draws go on from those of the level before.

    Raises:
        SpecificationError: language models; a world that counts every act; no such fact; memory, single
            acts, messages or latency, which would begin anew at each level; and, when it is swept, a field
            that was settled at the start.
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
    talk = spec.communication
    late = talk.representation == "acts" or talk.writes or spec.visibility.latency
    if late or not isinstance(spec.memory, NoMemory):
        raise SpecificationError(
            "a sweep carries along who stands by what and nothing else: what agents remember, hear of single "
            "acts or are told late would begin anew at each level; set memory to 'none', "
            "communication.representation to 'counts', communication.messages and visibility.latency to 0"
        )

    def sweep(levels: Sequence[float], replicate: int) -> list[float]:
        runs = Runs(seed, np.array([replicate]), np.array([1]))
        opening = spec.opening(seed, runs.replicates)
        state, found = spec.world.start(opening), []
        for number, level in enumerate(levels):
            now, onward = spec.replace(path, level), Onward(state, number * spec.turns.steps)
            if now.population.count != spec.population.count:
                raise SpecificationError(
                    f"{path}: who is there cannot change along a sweep; sweep a group's share instead"
                )
            if now.world != spec.world and not _alike(now.world, spec.world, opening):
                raise SpecificationError(
                    f"{path}: the world {spec.world.kind!r} settles it at its start, and in a sweep there is "
                    "one start for all levels, so it would change nothing; sweep another field"
                )
            summary = Level("summary")
            growth = grow(now, runs, Nowhere(), level=summary, checkpoints=1, onward=onward)
            decide(growth, Society(now))
            found.append(float(state.more[fact][0]))
        return found

    return sweep


def _alike(one: World, other: World, opening: Opening) -> bool:
    """Whether two worlds start the same."""
    mine, its = one.start(opening), other.start(opening)
    same = mine.given.keys() == its.given.keys() and np.array_equal(mine.tally, its.tally)
    if mine.held is not None and its.held is not None:
        same = same and np.array_equal(mine.held, its.held)
    return same and all(
        np.array_equal(told, its.given[name], equal_nan=True) for name, told in mine.given.items()
    )
