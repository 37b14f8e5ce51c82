"""The ledger: what everybody did, at a cost that does not grow with the past."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import Random
from cloudchamber.engine.ledger import Ledger, Log, Marks, Ring
from cloudchamber.microspec import (
    Affordances,
    Group,
    Microspec,
    Population,
    Retrieval,
    Simultaneous,
    Visibility,
)
from cloudchamber.microspec import Ring as RingNetwork
from cloudchamber.microspec.world import Acts
from cloudchamber.testing import grown
from cloudchamber.trace.tables import Channel
from cloudchamber.worlds import Feed


def spec(**parts: Any) -> Microspec:
    known: dict[str, Any] = {
        "world": {"kind": "feed", "headlines": ["a", "b", "c"]},
        "population": Population(groups=(Group(count=4, decides=Random()),)),
        "turns": Simultaneous(steps=50),
    }
    return Microspec(**(known | parts))


def acts(step: int, decision: int, *liked: tuple[int, int]) -> Acts:
    agent, item = np.array(liked).T
    return Acts(np.zeros(len(agent), np.int64), agent, item, decision + np.arange(len(agent)), step)


def test_marks_count_and_remember_the_latest() -> None:
    for repeats in (1, 50):  # few acts and many take different ways
        marks = Marks.blank(2, 3)
        owner, item = np.tile([0, 0, 1], repeats), np.tile([2, 2, 0], repeats)
        marks.add(owner, item, np.arange(3 * repeats), step=5)
        assert marks.count.tolist() == [[0, 0, 2 * repeats], [repeats, 0, 0]]
        assert marks.decision[0, 2] == 3 * repeats - 2 and marks.decision[1, 1] == -1
        assert marks.step[0, 2] == 5 and marks.step[0, 0] == -1


def test_a_ring_keeps_the_latest_oldest_first() -> None:
    ring = Ring(2, 3)
    for step in range(5):
        ring.add(np.array([0]), step, item=np.array([step]), decision=np.array([10 + step]))
    later = {"item": np.array([7, 8, 9]), "decision": np.array([20, 21, 20])}
    ring.add(np.array([1, 0, 1]), 6, **later)
    past = ring.oldest_first(np.array([0, 1]))
    assert past["item"].T.tolist() == [[3, 4, 8], [-1, 7, 9]]
    assert past["decision"].T.tolist() == [[13, 14, 21], [-1, 20, 20]]
    assert past["step"].T.tolist() == [[3, 4, 6], [-1, 6, 6]]


def test_a_ring_is_told_later_what_the_latest_acts_led_to() -> None:
    ring = Ring(2, 2, {"result gain": np.float64})
    for owner, item in (([0, 1], [5, 5]), ([1, 0, 0], [6, 7, 8])):
        ring.add(np.array(owner), 0, item=np.array(item), decision=np.array(item))
    # As they were added: of three acts of owner 0 the first is forgotten already.
    ring.settle(np.array([0, 1, 1, 0, 0]), {"result gain": np.array([1.0, 2, 3, 4, 5])})
    past = ring.oldest_first(np.array([0, 1]))
    assert past["item"].T.tolist() == [[7, 8], [5, 6]]
    assert past["result gain"].T.tolist() == [[4, 5], [2, 3]]


def test_a_log_grows_and_keeps_order() -> None:
    log = Log(2)
    for step in range(100):
        log.add(
            Acts(np.array([0, 1]), np.array([1, 2]), np.array([0, 0]), np.array([step, step]), step)
        )
    assert log.length.tolist() == [100, 100]
    assert log.rows[1, :100, 2].tolist() == list(range(100))


@pytest.mark.parametrize("latency", [0, 1, 3])
def test_what_is_visible_is_as_old_as_latency_says(latency: int) -> None:
    ledger = Ledger(spec(visibility=Visibility(latency=latency)), 1, 4)
    seen = []
    for step in range(6):
        ledger.begin()
        seen.append(int(ledger.visible.count.sum()))
        ledger.add(acts(step, step, (0, 1)))
    assert seen == [max(step - max(latency - 1, 0), 0) for step in range(6)]


def test_only_the_indices_that_are_looked_at_are_kept() -> None:
    plain = Ledger(spec(), 1, 4)
    assert plain.by_run is not None
    assert plain.by_agent is None and plain.ring is None and plain.log is None
    remembering = Ledger(spec(memory={"kind": "window", "k": 2}), 1, 4)
    assert remembering.ring is not None and remembering.ring.columns["item"].shape == (2, 4)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"visibility": {"latency": 2}},
        {"memory": {"kind": "window", "k": 5}},
        {"memory": "summary"},
        {"communication": {"kind": "complete", "representation": "acts"}},
        {
            "communication": {"kind": "ring", "representation": "acts"},
            "visibility": {"whose": "neighbours", "latency": 1},
        },
    ],
    ids=["plain", "latency", "window", "summary", "acts of all", "acts of neighbours"],
)
def test_nothing_kept_grows_with_the_past_but_the_log(parts: dict[str, Any]) -> None:
    """Sizes stand for cost: each question reads these arrays, or a tail of the log, and nothing else."""
    ledger = Ledger(spec(**parts), 1, 4)

    def sizes() -> list[int]:
        kept = [ledger.by_run, ledger.by_agent]
        arrays = [getattr(k, n) for k in kept if k is not None for n in k.__dataclass_fields__]
        if ledger.ring is not None:
            arrays += ledger.ring.columns.values()
        return [array.size for array in arrays] + [len(ledger._past)]

    for step in range(10):
        ledger.begin()
        ledger.add(acts(step, 4 * step, (0, 1), (1, 2), (2, 0), (3, 1)))
    early = sizes()
    for step in range(10, 400):
        ledger.begin()
        ledger.add(acts(step, 4 * step, (0, 1), (1, 2), (2, 0), (3, 1)))
    assert sizes() == early
    if ledger.log is not None:
        assert len(ledger.log.known) <= 2


def test_a_tail_of_the_log_is_read_not_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from cloudchamber.engine.hearing import Hearing
    from cloudchamber.microspec.turns import Batch

    talk = {"kind": "complete", "representation": "acts", "last": 3}
    told = spec(communication=talk)
    read = []
    for past in (20, 2000):
        ledger = Ledger(told, 1, 4)
        for step in range(past):
            ledger.begin()
            ledger.add(acts(step, 4 * step, (0, 1), (1, 2), (2, 0), (3, 1)))
        hearing = Hearing(told, ledger, 0, np.arange(1))
        batch = Batch(np.array([0]), np.array([2]), np.array([0]))
        source, _, decision, _, _ = hearing._of_everyone(batch)
        read.append(source.size)
        assert (decision >= 0).sum() >= 3 and not (source[decision >= 0] == 2).any()
    assert read[0] == read[1] <= 12


def test_a_feed_of_rules_can_be_large() -> None:
    """Memory for an agent: nothing is kept for it that nobody asks for."""
    ledger = Ledger(spec(world=Feed.of(48)), 1, 1_000_000)
    kept = [ledger.by_run, ledger.by_agent, ledger.ring, ledger.log]
    assert sum(one is not None for one in kept) == 1
    assert ledger.by_run is not None and ledger.by_run.count.size == 48


def test_memory_does_not_reach_further_because_others_acts_are_heard() -> None:
    """What one hears of others is kept in the same ring, which may be deeper than one's own memory."""
    spec = Microspec(
        world=Feed.of(5),
        population=Population(groups=(Group(count=3, decides=Random(base=1.0)),)),
        communication=RingNetwork(representation="acts", last=5),
        visibility=Visibility(whose="neighbours"),
        turns=Simultaneous(steps=3),
        memory=Retrieval(k=3, horizon=2, relevance_weight=0.0),
        affordances=Affordances(choose="any"),
    )
    shown = grown(spec).columns("exposures")
    own = shown["channel"] == Channel.own
    _, times = np.unique(shown["decision"][own], return_counts=True)
    assert set(times.tolist()) == {2}
