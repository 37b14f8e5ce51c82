"""Choices made for a test: on the herding feed, or from numbers alone."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from cloudchamber.mechanism import ChoiceData, Mechanism, choices_of
from cloudchamber.microspec import Decider, Group, Microspec, Population, Sequential
from cloudchamber.testing import grown
from cloudchamber.trace import Trace
from cloudchamber.worlds import Feed


def feed_spec(decides: Decider, *, items: int = 12, agents: int = 20, **parts: Any) -> Microspec:
    """The herding feed: shuffled for each reader, likes accumulating; all decide alike."""
    given: dict[str, Any] = {"world": Feed.of(items), "turns": Sequential(steps=2)}
    given |= {"population": Population(groups=(Group(count=agents, decides=decides),))}
    return Microspec(**(given | parts))


def feed_trace(decides: Decider, replicates: Iterable[int] = range(12), **parts: Any) -> Trace:
    return grown(feed_spec(decides, **parts), replicates=tuple(replicates))


def feed_data(decides: Decider, asked: Any = None, **parts: Any) -> ChoiceData:
    return choices_of(feed_trace(decides, **parts), asked=asked)


def numbers(
    rows: int, options: int, runs: int = 8, *, seed: int = 0, asked: Any = "one", **parts: Any
) -> ChoiceData:
    """Choices drawn uniformly, with likes from 0 to 4: anything may be fitted to them."""
    rng = np.random.default_rng(seed)
    items = rng.permuted(np.tile(np.arange(options), (rows, 1)), axis=1)
    given: dict[str, Any] = {
        "signals": {"likes": rng.integers(0, 5, (rows, options)).astype(np.float32)},
        "choice": rng.integers(0, options, rows).astype(np.int16),
    }
    if asked == "any":
        given["taken"] = rng.random((rows, options)) < 0.3
        given["choice"] = np.full(rows, -1, np.int16)
    whole = np.arange(rows)
    return ChoiceData(
        asked=asked,
        run=np.sort(whole % runs) + 1,
        decision=whole,
        pick=np.ones(rows, np.int16),
        step=np.zeros(rows, np.int32),
        agent=np.zeros(rows, np.int32),
        group=np.zeros(rows, np.int16),
        item=items,
        **(given | parts),
    )


def moved(mechanism: Mechanism, asked: Any, by: float, seed: int = 0) -> Mechanism:
    """The mechanism with every parameter moved a little, so that none stands at a special value."""
    values = mechanism.values(asked)
    rng = np.random.default_rng(seed)
    return mechanism.with_values(values + by * rng.standard_normal(len(values)), asked)
