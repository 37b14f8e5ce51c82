"""Rules that go by meetings remembered: by hand, and the published tables beside the runs they come from."""

import numpy as np
import pytest

from cloudchamber.agents import LookUp, MajorityOfMemory, Society
from cloudchamber.agents.look_up_tables import LLAMA_3, LLAMA_31, Table
from cloudchamber.agents.rules import Rule
from cloudchamber.engine import Runs, grow
from cloudchamber.measures.agreement import agreement_times
from cloudchamber.measures.tally import tallies
from cloudchamber.microspec import (
    Group,
    Hidden,
    Meetings,
    Microspec,
    Population,
    Visibility,
    Window,
)
from cloudchamber.questions import Address, Choose, Heard, Questions
from cloudchamber.trace import Level, Trace
from cloudchamber.trace.tables import Channel, Kind
from cloudchamber.validation.field_meetings import read_meetings
from cloudchamber.worlds import NamingGame
from tests.field_data import field_file

Past = list[tuple[int, int]]
"""Meetings remembered: the own choice, and the other's."""


def asked(pasts: list[Past], items: list[list[int]], met: bool = True) -> Questions:
    rows = len(pasts)
    zero = np.zeros(rows, np.int64)
    flat = [
        (channel, item)
        for past in pasts
        for own, other in past
        for channel, item in ((Channel.own, own), *([(Channel.met, other)] if met else []))
    ]
    channel, item = np.array(flat, np.int64).reshape(-1, 2).T
    blank = np.zeros(len(flat), np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(past) * (2 if met else 1) for past in pasts])])
    return Questions(
        kind=Kind.choose,
        choose=Choose(),
        address=Address(0, zero, 0, np.arange(rows), zero),
        run=zero,
        group=zero.astype(np.int16),
        decision=zero,
        items=np.array(items),
        signals={},
        heard=Heard(
            offsets, channel.astype(np.int8), item, blank, blank, blank, np.full(len(flat), np.nan)
        ),
        gaps=True,
    )


M, Q = 1, 0


def test_the_table_is_looked_up_by_what_both_did() -> None:
    pasts: list[Past] = [[], [(Q, M)], [(M, Q), (M, M)], [(M, M)] * 5]
    weights = LookUp().weights(asked(pasts, [[Q, M], [M, Q], [Q, M], [Q, M]]))
    of_m = [weights[0, 1], weights[1, 0], weights[2, 1], weights[3, 1]]
    assert of_m == [0.477, 1.0, 0.768, 1.0]
    assert np.allclose(weights.sum(axis=1), 1)


def test_what_the_table_lacks_is_the_share_of_all_choices() -> None:
    """1, 0, 0 with one of two is not there; nor is anything longer than the table."""
    rule = LookUp(table=((0, 0, 0, 0.3), (2, 1, 1, 0.9)))
    pasts: list[Past] = [[(M, Q)], [(Q, Q)], [(M, Q), (M, M)], [(M, M)] * 3]
    assert rule.weights(asked(pasts, [[M, Q]] * 4))[:, 0].tolist() == [0.5, 0.0, 0.75, 1.0]
    assert LookUp(table=()).weights(asked([[]], [[M, Q]]))[0].tolist() == [0.5, 0.5]


def test_other_names_share_the_rest_and_gaps_get_nothing() -> None:
    rule = LookUp(table=((0, 0, 0, 0.4),))
    weights = rule.weights(asked([[]] * 3, [[0, 1, 2], [1, 0, -1], [0, 2, -1]]))
    assert np.allclose(weights, [[0.3, 0.4, 0.3], [0.4, 0.6, 0], [0.5, 0.5, 0]])


def test_where_the_other_is_hidden_nothing_is_known() -> None:
    told = asked([[(M, M)] * 4, []], [[Q, M]] * 2, met=False)
    assert LookUp().weights(told)[:, 1].tolist() == [0.477, 0.477]
    assert MajorityOfMemory().weights(told).tolist() == [[0.5, 0.5]] * 2


def test_the_majority_of_what_others_did() -> None:
    pasts: list[Past] = [[(2, 0), (2, 0), (2, 1)], [(0, 0), (0, 1)], [], [(0, -1), (1, 2)]]
    shown = [[2, 1, 0], [2, 1, 0], [0, 1, -1], [0, 1, 2]]
    assert MajorityOfMemory().weights(asked(pasts, shown)).tolist() == [
        [0, 0, 1],
        [0, 0.5, 0.5],
        [0.5, 0.5, 0],
        [0, 0, 1],
    ]
    noisy = MajorityOfMemory(noise=0.3).weights(asked(pasts, shown))
    assert np.allclose(noisy[0], [0.1, 0.1, 0.8]) and np.allclose(noisy.sum(axis=1), 1)


def played(rule: Rule, runs: int, steps: int, agents: int = 24) -> Trace:
    """The published design: 24 agents, memory of five meetings, one meeting after another."""
    spec = Microspec(
        world=NamingGame(),
        population=Population(groups=(Group(count=agents, decides=rule),)),
        turns=Meetings(steps=steps),
        memory=Window(k=5),
        visibility=Visibility(fields={"uses": Hidden()}),
    )
    trace, replicate, society = Trace(), np.arange(runs), Society(spec)
    pool = Runs(1, replicate, replicate + 1)
    growth = grow(spec, pool, trace, level=Level("summary"), checkpoints=10**6)
    try:
        questions = next(growth)
        while True:
            questions = growth.send(society.answer_now(questions))
    except StopIteration:
        return trace


def winning(trace: Trace) -> list[int]:
    """The name most said in the last ten rounds, by run."""
    (tally,) = tallies(trace)
    gained = tally.value[:, -1] - tally.value[:, -11]
    return [int(item) for item in gained.argmax(axis=1)]


def test_agents_of_the_table_agree_on_m_though_none_prefers_it() -> None:
    trace = played(LookUp(), 20, 60)
    assert winning(trace) == [M] * 20
    assert 200 < agreement_times(trace)["meetings"].mean() < 600


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "steps", "published", "elsewhere"),
    [(LLAMA_3, 110, (281.4, 132, 758), 385), (LLAMA_31, 420, (318.4, 93, 1197), 902)],
)
def test_the_tables_beside_the_runs_they_come_from(
    table: Table, steps: int, published: tuple[float, int, int], elsewhere: float
) -> None:
    """Winners as published, 40 of 40; times as another emulation has them, and longer than the models'."""
    trace = played(LookUp(table=table), 200, steps)
    assert winning(trace) == [M] * 200
    times = agreement_times(trace)
    meetings = times["meetings"].to_numpy()
    assert times["agreed"].all()
    error = meetings.std(ddof=1) / 200**0.5
    assert abs(meetings.mean() - elsewhere) < 3 * np.hypot(error, meetings.std(ddof=1) / 100**0.5)
    assert meetings.mean() - 3 * error > published[0]
    assert (meetings > published[1]).mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("model", "table"), [("llama3", LLAMA_3), ("llama31", LLAMA_31)])
def test_the_tables_are_those_of_the_recorded_meetings(model: str, table: Table) -> None:
    """Counted again from every baseline meeting: what was remembered, and what was said."""
    import pandas as pd

    runs = pd.read_csv(field_file("ashery_naming_game", "runs.csv"), dtype={"run_id": str})
    mine = runs.query(
        f"model == '{model}' and kind == 'baseline' and options == 'Q|M' and memory == 5 and N == 24"
    )
    path = field_file("ashery_naming_game", "interactions.csv.gz")
    found = read_meetings(path, "QM", runs=mine["run_id"].tolist()).trace.columns("decisions")
    order = np.lexsort((found["decision"], found["run"]))
    who = (found["run"].astype(np.int64) * 100 + found["agent"])[order]
    said = found["choice"][order].astype(np.int64)
    other = said.reshape(-1, 2)[:, ::-1].ravel()
    counts: dict[tuple[int, int, int], list[int]] = {}
    memory: dict[int, list[tuple[int, int]]] = {}
    for agent, own, met in zip(who.tolist(), said.tolist(), other.tolist(), strict=True):
        past = memory.setdefault(agent, [])[-5:]
        key = (len(past), sum(p for _, p in past), sum(o for o, _ in past))
        counts.setdefault(key, []).append(own)
        memory[agent].append((own, met))
    assert {key: round(float(np.mean(told)), 3) for key, told in counts.items()} == {
        row[:3]: row[3] for row in table
    }
