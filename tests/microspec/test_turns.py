"""Turns: who is in which batch, and how often."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, poisson

from cloudchamber.microspec import Asynchronous, Sequential, Simultaneous
from cloudchamber.microspec.turns import Batch, Moment


def moment(step: int = 0, agents: int = 4, runs: int = 3, groups: tuple[int, ...] = ()) -> Moment:
    group = np.array(groups or [0] * agents)
    return Moment(9, np.arange(runs), step, len(group), group)


def pairs(batch: Batch) -> list[tuple[int, int]]:
    return list(zip(batch.run.tolist(), batch.agent.tolist(), strict=True))


def test_simultaneous_is_one_batch_of_all() -> None:
    (batch,) = Simultaneous().batches(moment())
    assert pairs(batch) == [(run, agent) for run in range(3) for agent in range(4)]
    assert pairs(batch.block(3, 6)) == [(0, 3), (1, 0), (1, 1)]


@pytest.mark.parametrize("order", ["fixed", "random"])
def test_sequential_is_as_many_batches_as_agents_everyone_once(order: str) -> None:
    batches = list(Sequential(order=order).batches(moment()))  # type: ignore[arg-type]
    assert len(batches) == 4 and all(batch.run.tolist() == [0, 1, 2] for batch in batches)
    turns = np.stack([batch.agent for batch in batches], axis=1)
    assert np.array_equal(np.sort(turns, axis=1), np.tile(np.arange(4), (3, 1)))
    if order == "fixed":
        assert (turns == np.arange(4)).all()


def test_random_order_is_uniform_and_drawn_anew_at_each_step() -> None:
    orders = []
    for step in range(40):
        batches = list(Sequential().batches(moment(step, agents=3, runs=60)))
        orders.append(np.stack([batch.agent for batch in batches], axis=1) @ [9, 3, 1])
    codes, counts = np.unique(np.array(orders), return_counts=True)
    assert len(codes) == 6 and chisquare(counts).pvalue > 1e-3
    assert np.abs(np.corrcoef(orders[0], orders[1])[0, 1]) < 0.5


@given(st.integers(0, 50), st.integers(1, 5))
def test_asynchronous_batches_hold_each_run_at_most_once(step: int, runs: int) -> None:
    made: dict[tuple[int, int], int] = {}
    for batch in Asynchronous(rates=(1.5,)).batches(moment(step, runs=runs)):
        assert len(batch) and len(set(batch.run.tolist())) == len(batch)
        assert np.array_equal(batch.run, np.sort(batch.run))
        for (run, agent), occasion in zip(pairs(batch), batch.occasion.tolist(), strict=True):
            assert made.get((run, agent), 0) == occasion, "occasions count up in order of time"
            made[run, agent] = occasion + 1


def test_asynchronous_counts_are_poisson_at_the_rate_of_the_group() -> None:
    rates = (0.5, 2.0)
    counts = np.zeros((2, 200, 4), np.int64)
    for at, step in enumerate((0, 7)):
        there = moment(step, runs=200, groups=(0, 0, 1, 1))
        for batch in Asynchronous(rates=rates).batches(there):
            np.add.at(counts[at], (batch.run, batch.agent), 1)
    for group, rate in enumerate(rates):
        drawn = counts[:, :, 2 * group : 2 * group + 2].ravel()
        top = int(poisson.ppf(0.99, rate))
        found = np.bincount(np.minimum(drawn, top), minlength=top + 1)
        wanted = poisson.pmf(np.arange(top), rate)
        expected = np.append(wanted, 1 - wanted.sum()) * len(drawn)
        assert chisquare(found, expected).pvalue > 1e-3
    r = np.corrcoef(counts[0].ravel(), counts[1].ravel())[0, 1]
    within = np.corrcoef(counts[:, :, 0].ravel(), counts[:, :, 1].ravel())[0, 1]
    assert abs(within) < 4 / np.sqrt(400) and r > 0.2, "steps share rates, and nothing else"


def test_a_run_in_a_pool_has_the_moments_it_has_alone() -> None:
    turns = Asynchronous(rates=(1.2,))
    pooled: list[tuple[int, int]] = []
    for batch in turns.batches(moment(2)):
        pooled += [
            (agent, occasion)
            for run, agent, occasion in zip(batch.run, batch.agent, batch.occasion, strict=True)
            if run == 1
        ]
    lone = Moment(9, np.array([1]), 2, 4, np.zeros(4, np.int64))
    alone = [(int(b.agent[0]), int(b.occasion[0])) for b in turns.batches(lone)]
    assert pooled == alone and len(alone) > 2


def test_a_step_in_which_nobody_decides_has_no_batch() -> None:
    rare = Asynchronous(rates=(1e-9,))
    assert list(rare.batches(moment(runs=1))) == [] and list(rare.batches(moment())) == []


def test_turns_read_aloud() -> None:
    assert Simultaneous(steps=3).aloud() == "all decide at once, for 3 steps"
    assert "each naming who is next" in Sequential(order="endogenous").aloud()
    assert "0.5, 2 times a step" in Asynchronous(rates=(0.5, 2.0)).aloud()
    assert Sequential(order="endogenous").endogenous and not Sequential().endogenous
