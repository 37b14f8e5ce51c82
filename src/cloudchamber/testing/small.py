"""Small microspecifications around one part, for its checks: what fits a world, whatever it is like."""

from typing import Any

from cloudchamber.agents import Random, SocialProof
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Decider,
    Group,
    Meetings,
    Microspec,
    Population,
    Simultaneous,
    World,
)
from cloudchamber.testing import laws
from cloudchamber.testing.growing import SEED, Models
from cloudchamber.worlds import Feed

__all__ = ["AGENTS", "ITEMS", "STEPS", "feed", "passes", "small"]

ITEMS = 6
AGENTS = 9
STEPS = 3


def feed(**parts: object) -> Feed:
    """A small feed of items that differ in quality."""
    quality = tuple(0.5 * item for item in range(ITEMS))
    return Feed.of(ITEMS, **({"quality": quality} | parts))


def small(world: World | None = None, decides: Decider | None = None, **parts: object) -> Microspec:
    """A small microspecification around a world, with turns and affordances that fit it.

    Args:
        world: a feed if not given.
        decides: what decides for most agents; if not given, by likes in a feed, at random elsewhere.
        parts: fields of the microspecification that are not to be as they come.
    """
    there = feed() if world is None else world
    known = SocialProof() if isinstance(there, Feed) else Random()
    agents = _many(there)
    others = min(2, agents - 1)
    groups = (
        Group(name="agents", count=agents - others, decides=decides or known),
        Group(name="others", count=others, decides=Random()),
    )
    whole: dict[str, Any] = {
        "world": there,
        "population": Population(groups=groups),
        "communication": Complete(),
        "turns": Meetings(steps=STEPS) if there.meets else Simultaneous(steps=STEPS),
    }
    if there.scale is not None:
        whole["affordances"] = Affordances(choose="amount")
    return Microspec.model_validate(whole | parts)


def _many(world: World) -> int:
    """How many agents: some worlds are of a certain number."""
    fit = (n for n in (AGENTS, *range(1, 20)) if not list(world.problems(n)))
    return next(fit, AGENTS)


def passes(spec: Microspec, models: Models | None = None) -> None:
    """The laws that hold of every specification."""
    laws.determined(spec, models, SEED)
    laws.complete(spec, models, SEED)
    laws.nothing_unseen(spec, models, SEED)
    laws.provenance(spec, models, SEED)
    laws.paired(spec, spec, models, SEED, same=True)
    laws.failed_run_is_a_row(spec, seed=SEED)
