"""What is read from a trace is what was shown and picked, row for row."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import Random, SocialProof, TwoStage
from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.mechanism import choices_of
from cloudchamber.mechanism import reading as reading_module
from cloudchamber.trace import Trace, TraceFolder, TraceWriter
from cloudchamber.trace.tables import Channel, Status
from tests.mechanism.made import feed_trace


def small() -> Trace:
    """Two runs by hand: labels, hidden likes, an unusable answer, something remembered."""
    trace = Trace()
    decided = {
        "run": np.array([2, 2, 1]),
        "decision": np.array([0, 1, 0]),
        "step": np.array([0, 1, 0]),
        "agent": np.array([4, 4, 7]),
        "group": np.array([1, 1, 0]),
        "choice": np.array([5, -1, 6]),
        "status": np.array([Status.ok, Status.refused, Status.ok]),
    }
    trace.append("decisions", decided)
    shown = {
        "run": np.array([2, 2, 2, 2, 1, 1]),
        "decision": np.array([0, 0, 1, 1, 0, 0]),
        "position": np.array([1, 2, 1, 2, 2, 1]),
        "item": np.array([3, 5, 5, 3, 6, 3]),
        "label": np.array([40, 41, 42, 43, 44, 45]),
        "probability": np.array([0.25, 0.75, np.nan, np.nan, np.nan, np.nan]),
        "chosen": np.array([0, 1, 0, 0, 1, 0]),
        "signal_likes": np.array([2.0, np.nan, 1.0, 1.0, 9.0, 0.0]),
    }
    trace.append("exposures", shown)
    for item, latency in ((3, 4), (3, 2), (8, 1)):  # item 8 is not among the options
        own = {"run": 2, "decision": 0, "channel": Channel.own, "item": item, "latency": latency}
        trace.append("exposures", own)
    trace.append("runs", {"run": np.array([1, 2])})
    return trace


def test_by_hand() -> None:
    data = choices_of(small(), content={"quality": np.arange(9.0)})
    assert data.asked == "one" and len(data) == 2 and data.options == 2 and data.items == 7
    assert data.run.tolist() == [1, 2] and data.agent.tolist() == [7, 4]
    assert data.group.tolist() == [0, 1] and data.step.tolist() == [0, 0]
    assert data.item.tolist() == [[3, 6], [3, 5]] and data.choice.tolist() == [1, 1]
    assert data.labels is not None and data.labels.tolist() == [[45, 44], [40, 41]]
    np.testing.assert_array_equal(data.signals["likes"], [[0.0, 9.0], [2.0, np.nan]])
    assert data.exact.tolist() == [False, True]
    assert data.probability is not None and data.probability[1].tolist() == [0.25, 0.75]
    assert data.heard["own"].count.tolist() == [[0, 0], [2, 0]]
    assert data.heard["own"].age.tolist() == [[np.inf, np.inf], [2, np.inf]]
    assert "others" not in data.heard and data.open is None
    shown = data.shown(slice(0, 2))
    assert shown.signal("likes").tolist() == [[0.0, 9.0], [2.0, 0.0]]
    assert shown.signal("votes").tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert choices_of(small(), runs=[2]).run.tolist() == [2]
    assert data.among(np.array([2])).item.tolist() == [[3, 5]]


@pytest.mark.parametrize("block", [1, 10_000])
def test_what_was_grown_is_what_is_read(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "ROWS", block)
    trace = feed_trace(SocialProof(), range(3), visibility={"top": 5})
    data = choices_of(trace)
    options = trace.frame("exposures").sort_values(["run", "decision", "position"])
    assert data.item.ravel().tolist() == options["item"].tolist()
    assert data.signals["likes"].ravel().tolist() == options["signal_likes"].tolist()
    assert data.probability is not None
    np.testing.assert_array_equal(data.probability.ravel(), options["probability"])
    picked = np.take_along_axis(data.item, data.choice[:, None].astype(int), 1)[:, 0]
    decided = trace.frame("decisions").sort_values(["run", "decision"])
    assert picked.tolist() == decided["choice"].tolist()
    assert data.agent.tolist() == decided["agent"].tolist()


def test_on_disk_as_in_memory(tmp_path: Path) -> None:
    trace = feed_trace(TwoStage(), range(3), memory={"kind": "window", "k": 3})
    with TraceWriter(tmp_path / "trace", unit="one") as writer:
        for table in ("exposures", "decisions"):
            writer.append(table, trace.columns(table))
        writer.commit(trace.columns("runs"))
    one, other = choices_of(trace), choices_of(TraceFolder(tmp_path / "trace"))
    for name in ("run", "decision", "step", "agent", "item", "choice", "probability"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.heard["own"].count, other.heard["own"].count)
    np.testing.assert_array_equal(one.heard["own"].age, other.heard["own"].age)
    assert one.heard["own"].count.sum() > 0


def test_a_summary_is_counted_as_it_says() -> None:
    parts: Any = {"memory": "summary", "turns": {"kind": "sequential", "steps": 6}}
    data = choices_of(feed_trace(TwoStage(width=2.0), range(3), agents=3, items=3, **parts))
    assert (data.heard["own"].count.sum(axis=1) == data.step).all()


def test_picks_one_by_one_close_what_was_taken() -> None:
    parts: Any = {"affordances": {"choose": "up to", "most": 3, "picks": "one by one"}}
    data = choices_of(feed_trace(Random(), range(2), items=5, **parts))
    assert data.open is not None
    closed = (~data.open).sum(axis=1)
    assert np.bincount(closed).tolist() == [len(data) // 3] * 3
    assert data.open[np.arange(len(data)), data.choice].all()
    assert data.probability is not None and (data.probability[~data.open] == 0).all()


def test_several_picks_at_once_are_a_row_each() -> None:
    parts: Any = {"affordances": {"choose": "up to", "most": 3}}
    trace = feed_trace(Random(), range(2), items=5, **parts)
    with pytest.raises(SpecificationError, match='asked="several"'):
        choices_of(trace)
    data, whole = choices_of(trace, asked="several"), choices_of(trace, asked="any")
    assert len(data) == 3 * len(whole) and data.pick.tolist() == [1, 2, 3] * len(whole)
    assert data.open is not None
    assert (~data.open).sum(axis=1).tolist() == [0, 1, 2] * len(whole)
    assert data.open[np.arange(len(data)), data.choice].all()
    assert data.exact.tolist() == [True, False, False] * len(whole)
    assert whole.taken is not None and (whole.taken.sum(axis=1) == 3).all()


def test_who_stops_early_has_a_row_for_stopping() -> None:
    parts: Any = {"affordances": {"choose": "up to", "most": 3, "may_decline": True}}
    data = choices_of(feed_trace(Random(), range(3), items=5, **parts), asked="several")
    stopped = data.choice < 0
    assert stopped.any()
    last = np.append(np.diff(data.decision) != 0, True)
    assert last[stopped].all() and (data.pick[last & ~stopped] == 3).all()


def test_items_judged_alone() -> None:
    parts: Any = {"affordances": {"presentation": "one at a time"}}
    trace = feed_trace(TwoStage(), range(2), items=5, **parts)
    data = choices_of(trace)
    assert data.asked == "any" and data.options == 1 and data.taken is not None
    assert data.taken.sum() == (trace.columns("exposures")["chosen"] > 0).sum()
    with pytest.raises(SpecificationError, match="judged one at a time"):
        choices_of(trace, asked="one")


def test_nothing_to_read() -> None:
    with pytest.raises(TraceError, match="no usable decisions"):
        choices_of(Trace())
    with pytest.raises(TraceError, match="no usable decisions"):
        choices_of(small(), runs=[99])


def test_a_trace_that_lacks_options_is_not_read() -> None:
    trace = small()
    trace.append("decisions", {"run": 3, "decision": 0, "choice": 3})
    trace.append("exposures", {"run": 3, "decision": 0, "position": 2, "item": 3, "chosen": 1})
    with pytest.raises(TraceError, match="places 1, 2"):
        choices_of(trace)
