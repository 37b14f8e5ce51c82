import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import TraceError
from cloudchamber.trace import TABLES, Channel, RunStatus, Status, Trace
from cloudchamber.trace.canonical import ordered
from cloudchamber.trace.tables import text_key


def exposures(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "run": rng.integers(1, 4, rows),
        "decision": rng.integers(0, 5, rows),
        "channel": rng.integers(0, 4, rows),
        "position": rng.integers(0, 4, rows),
        "item": rng.integers(0, 4, rows),
        "probability": rng.random(rows),
        "signal_likes": np.where(rng.random(rows) < 0.3, np.nan, rng.integers(0, 9, rows)),
    }


def test_scalars_are_repeated_and_omitted_columns_take_their_default() -> None:
    trace = Trace()
    trace.append("decisions", {"run": 7, "decision": np.arange(3), "status": Status.refused})
    columns = trace.columns("decisions")
    assert columns["run"].tolist() == [7, 7, 7]
    assert columns["choice"].tolist() == [-1, -1, -1]
    assert columns["pick"].tolist() == [1, 1, 1]
    assert np.isnan(columns["value"]).all()
    assert trace.frame("decisions")["status"].tolist() == ["refused"] * 3
    assert [columns[c.name].dtype for c in TABLES["decisions"].columns] == [
        c.dtype for c in TABLES["decisions"].columns
    ]


def test_appends_are_copied() -> None:
    state = np.zeros(3)
    trace = Trace()
    trace.append("outcomes", {"run": 1, "step": 0, "item": np.arange(3), "value": state})
    state += 1
    assert trace.columns("outcomes")["value"].tolist() == [0, 0, 0]


def test_a_joined_table_cannot_be_changed_and_goes_on_growing() -> None:
    trace = Trace()
    trace.append("outcomes", {"run": 1, "step": 0, "item": 0, "value": 1.0})
    with pytest.raises(ValueError, match="read-only"):
        trace.columns("outcomes")["value"][0] = 2
    trace.append("outcomes", {"run": 1, "step": 1, "item": 0, "value": 3.0})
    assert trace.columns("outcomes")["value"].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        ("exposure", {"run": 1}, "no table 'exposure'.*exposures"),
        ("decisions", {"run": 1, "decision": 0, "chioce": 3}, "no column 'chioce'.*'choice'"),
        ("decisions", {"run": 1, "decision": 0, "signal_likes": 3.0}, "no column 'signal_likes'"),
        ("decisions", {"run": 1}, "lack the column 'decision'"),
        ("decisions", {"run": [1, 2], "decision": [1, 2, 3]}, "unequal length"),
        ("exposures", {"run": 1, "decision": 0, "position": 70_000}, "70000; allowed"),
        ("decisions", {"run": 1, "decision": 0, "agent": 1.5}, "holds int32 and was given float64"),
        ("series", {"run": 1, "step": 0, "measure": 3, "value": 1.0}, "give strings"),
        ("outcomes", {"run": 1, "step": 0, "item": 0, "value": np.zeros((2, 2))}, "one dimension"),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    table: str, columns: dict[str, object], message: str
) -> None:
    trace = Trace()
    with pytest.raises(TraceError, match=message):
        trace.append(table, columns)
    assert all(len(trace.columns(name)[TABLES[name].key[0]]) == 0 for name in TABLES)


@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 40), max_size=5))
def test_the_digest_does_not_depend_on_order_or_chunks(seed: int, cuts: list[int]) -> None:
    rows = exposures(40, seed)
    whole = Trace()
    whole.append("exposures", rows)
    shuffle = np.random.default_rng(seed).permutation(40)
    parts = Trace()
    for piece in np.split(shuffle, sorted(cuts)):
        parts.append("exposures", {name: values[piece] for name, values in rows.items()})
    assert whole.digest() == parts.digest()


@given(
    row=st.integers(0, 39),
    name=st.sampled_from(
        ["run", "decision", "channel", "position", "item", "probability", "signal_likes"]
    ),
)
def test_the_digest_depends_on_every_value(row: int, name: str) -> None:
    rows = exposures(40)
    before, after = Trace(), Trace()
    before.append("exposures", rows)
    rows[name][row] = 11 if name != "channel" else (rows[name][row] + 1) % 4
    after.append("exposures", rows)
    assert before.digest() != after.digest()


def test_the_digest_leaves_out_time_and_signals_hidden_everywhere() -> None:
    quick, slow = Trace(), Trace()
    for trace, seconds in ((quick, 1.0), (slow, 9.0)):
        trace.append("runs", {"run": 1, "seconds": seconds, "cost": seconds, "tokens": 3})
    slow.append("exposures", {"run": 1, "decision": 0, "signal_likes": np.nan})
    quick.append("exposures", {"run": 1, "decision": 0})
    assert quick.digest() == slow.digest()
    slow.append("exposures", {"run": 1, "decision": 1, "signal_likes": 0.0})
    quick.append("exposures", {"run": 1, "decision": 1})
    assert quick.digest() != slow.digest()


def test_the_digest_is_the_same_on_every_machine() -> None:
    trace = Trace()
    trace.append("exposures", exposures(10))
    trace.append("runs", {"run": [1, 2, 3], "name": ["a", "b", "c"]})
    trace.text("prompt", "hello")
    assert trace.digest()[:16] == "6e280970b51e5978"


def test_rows_are_ordered_like_a_plain_sort() -> None:
    rows = exposures(200)
    rows["signal_likes"] = np.nan_to_num(rows["signal_likes"])
    key = ("run", "decision", "channel")
    rest = [name for name in rows if name not in key]
    got = ordered(key, rows)
    names = [*key, *rest]
    plain = sorted(zip(*(rows[n].tolist() for n in names), strict=True))
    assert [tuple(r) for r in zip(*(got[n].tolist() for n in names), strict=True)] == plain


def test_a_complete_run_supersedes_a_failed_one_whatever_came_first() -> None:
    trace = Trace()
    failed = RunStatus.failed
    trace.append("runs", {"run": [1, 2], "status": failed, "stage": "answer", "reason": "gone"})
    trace.append("runs", {"run": [2, 3], "status": RunStatus.done})
    trace.append("runs", {"run": 3, "status": failed})
    frame = trace.frame("runs").set_index("run")
    assert frame["status"].to_dict() == {1: "failed", 2: "done", 3: "done"}
    assert frame.loc[1, "reason"] == "gone"
    assert len(trace) == 3


def test_selecting_and_concatenating_are_inverse() -> None:
    trace = Trace()
    trace.append("exposures", exposures(50))
    trace.append("runs", {"run": [1, 2, 3]})
    trace.text("prompt", "hello")
    parts = [trace.select([2]), trace.select([3, 1])]
    assert set(parts[0].columns("exposures")["run"].tolist()) == {2}
    assert Trace.concatenate(parts).digest() == trace.digest()


def test_a_text_is_kept_once_under_its_hash() -> None:
    trace = Trace()
    first, again = trace.text("prompt", "hello"), trace.text("prompt", "hello")
    other = trace.text("post", "hello")
    assert first == again == text_key("prompt", "hello") != other
    assert 0 < first < 2**63
    frame = trace.frame("texts").set_index("text")
    assert frame.loc[first, "content"] == "hello"
    assert len(frame) == 2


def test_codes_and_their_names_agree() -> None:
    trace = Trace()
    trace.append("exposures", {"run": 1, "decision": 0, "channel": list(Channel)})
    assert trace.frame("exposures")["channel"].tolist() == [c.name for c in Channel]
