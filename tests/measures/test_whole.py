"""Of a trace that keeps some agents, measures that have to know what all did say that they do not."""

import numpy as np
import pytest

from cloudchamber.agents import BestQuantity, OwnSign, Society, TitForTat, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.errors import TraceError
from cloudchamber.measures import MEASURES
from cloudchamber.measures.amounts import amounts
from cloudchamber.microspec import Decider, Microspec, Window, World
from cloudchamber.testing.small import small
from cloudchamber.trace import Level, Trace
from cloudchamber.worlds import Cascade, Cournot, Dilemma
from tests.laws.test_pairs import OURS

NEED_ALL: list[tuple[World, Decider, tuple[str, ...]]] = [
    (Cascade(), OwnSign(), ("share of cascades", "share of wrong majorities")),
    (Dilemma(), TitForTat(slip=0.2), ("forgiving", "retaliatory", "nice")),
    (Cournot(), BestQuantity(noise=3.0), ("lasting specialisation",)),
]


def kept(spec: Microspec, level: Level) -> Trace:
    """Three runs."""
    trace = Trace()
    decide(grow(spec, Runs(1, np.arange(3), np.arange(3)), trace, level=level), Society(spec))
    return trace


@pytest.mark.parametrize(("world", "rule", "names"), NEED_ALL, ids=lambda one: str(one)[:12])
def test_of_some_agents_nothing_is_known_of_all(
    world: World, rule: Decider, names: tuple[str, ...]
) -> None:
    spec = small(world, rule, memory=Window(k=4)).replace("turns.steps", 8)
    whole, none = kept(spec, Level()), kept(spec, Level("summary"))
    some = kept(spec, Level("sampled", fraction=0.5))
    assert 0 < len(some.columns("decisions")["run"]) < len(whole.columns("decisions")["run"])
    for name in names:
        assert MEASURES[name](whole).notna().any(), name
        assert MEASURES[name](some).isna().all(), name
        assert MEASURES[name](none).isna().all(), name
    assert not list(amounts(some))


@pytest.mark.parametrize("world", OURS)
def test_of_tallies_alone_no_measure_tells_anything_else(world: str) -> None:
    """It is what it is of the full trace, or not known, or refused."""
    spec = small(OURS[world], memory=Window(k=3)).replace("turns.steps", 5)
    whole, none = kept(spec, Level()), kept(spec, Level("summary"))
    for name, measure in MEASURES.items():
        try:
            told = measure(none)
        except TraceError:
            continue
        known = told.dropna()
        expected = measure(whole).reindex(known.index)
        np.testing.assert_allclose(known, expected, err_msg=name)
