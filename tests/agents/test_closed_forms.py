"""Rules against exact results: the herding feed's closed forms (REFERENCES: two-stage model), Polya's urn."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import PositionOnly, Random, SocialProof, Society, TwoStage, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.microspec import (
    Affordances,
    Exact,
    Fixed,
    Group,
    Hidden,
    Microspec,
    Popularity,
    Population,
    Sequential,
    Shuffled,
    Simultaneous,
    Visibility,
)
from cloudchamber.questions import Ints, Reals
from cloudchamber.trace import Trace
from cloudchamber.worlds import Feed

HIDDEN = Visibility(fields={"likes": Hidden()})


def browsed(rule: Any, items: int, agents: int, replicates: int = 1, **parts: Any) -> Trace:
    spec = Microspec(
        world=Feed.of(items),
        population=Population(groups=(Group(count=agents, decides=rule),)),
        **({"visibility": HIDDEN} | parts),
    )
    trace, chosen = Trace(), np.arange(replicates)
    decide(grow(spec, Runs(3, chosen, chosen + 1), trace), Society(spec))
    return trace


def positions(trace: Trace) -> Ints:
    shown = trace.columns("exposures")
    picked: Ints = shown["position"][shown["chosen"] > 0]
    return picked


def tallies(trace: Trace, items: int) -> Reals:
    """(runs, items) at the end."""
    outcomes = trace.columns("outcomes")
    last: Reals = outcomes["value"][outcomes["step"] == outcomes["step"].max()]
    return last.reshape(-1, items)


def gini(tally: Reals) -> Reals:
    ordered = np.sort(tally, axis=1)
    n = tally.shape[1]
    rank = 2 * np.arange(1, n + 1) - n - 1
    return np.asarray((ordered * rank).sum(axis=1) / (n * ordered.sum(axis=1)))


@pytest.mark.parametrize("k", [1, 3, 5])
def test_hard_gate_mean_position_is_half_of_k_plus_1(k: int) -> None:
    picked = positions(browsed(PositionOnly(gate="hard", width=float(k)), 48, 4000))
    assert len(picked) == 4000 and picked.max() <= k
    sd = np.sqrt((k**2 - 1) / 12 / 4000)
    assert abs(picked.mean() - (k + 1) / 2) <= 4 * sd


@pytest.mark.parametrize("tau", [2.0, 6.0])
def test_soft_gate_mean_position_is_sum_pos_g_over_sum_g(tau: float) -> None:
    picked = positions(browsed(PositionOnly(gate="exponential", width=tau), 48, 6000))
    place = np.arange(1, 49)
    g = np.exp(-(place - 1) / tau)
    mean = (place * g).sum() / g.sum()
    variance = (place**2 * g).sum() / g.sum() - mean**2
    assert abs(picked.mean() - mean) <= 4 * np.sqrt(variance / 6000)


def test_likes_per_item_per_browse_are_k_over_n_times_s0() -> None:
    """Any number may be liked, order shuffled, likes hidden, items alike: (k / n) s0 each."""
    k, n, browses = 5, 12, 6000
    rule = TwoStage(width=float(k), appeal=-1.0)
    s0 = 1 / (1 + np.exp(1.0))
    trace = browsed(rule, n, browses, affordances=Affordances(choose="any"))
    p = k / n * s0
    rate = tallies(trace, n)[0] / browses
    assert np.abs(rate - p).max() <= 4.5 * np.sqrt(p * (1 - p) / browses)
    # Within one browse exactly k items are considered, each liked on its own: Binomial(k, s0).
    liked = np.bincount(trace.columns("decisions")["choice"] >= 0)[1]
    assert abs(liked - browses * k * s0) <= 4 * np.sqrt(browses * k * s0 * (1 - s0))


def test_one_at_a_time_is_the_same_as_any_number_from_a_list() -> None:
    rule = TwoStage(width=3.0, gate="none")
    listed = browsed(rule, 8, 300, affordances=Affordances(choose="any"))
    singly = browsed(
        rule, 8, 300, affordances=Affordances(choose="any", presentation="one at a time")
    )
    assert np.array_equal(tallies(listed, 8), tallies(singly, 8))


def test_one_at_a_time_allots_at_most_what_may_be_chosen_each_alike() -> None:
    can = Affordances(choose="up to", most=2, presentation="one at a time")
    rule = Random(base=0.6)
    trace = browsed(rule, 6, 4000, affordances=can)
    decisions = trace.columns("decisions")
    yes = decisions["choice"] >= 0
    assert abs(yes.mean() - 0.6) < 4 * np.sqrt(0.24 / 24_000)
    acted = np.bincount(decisions["agent"], decisions["value"], minlength=4000)
    would = np.bincount(decisions["agent"], yes, minlength=4000)
    assert np.array_equal(acted, np.minimum(would, 2))
    assert not decisions["value"][~yes].any()
    by_item = tallies(trace, 6)[0]
    assert np.abs(by_item - by_item.mean()).max() < 4.5 * np.sqrt(by_item.mean())


def test_declining_is_as_likely_as_a_no_to_each() -> None:
    rule = TwoStage(width=4.0, appeal=-1.5)
    s = 1 / (1 + np.exp(1.5))
    trace = browsed(rule, 10, 6000, affordances=Affordances(may_decline=True))
    decisions = trace.columns("decisions")
    none = (1 - s) ** 4
    assert abs((decisions["choice"] < 0).mean() - none) < 4 * np.sqrt(none * (1 - none) / 6000)
    told = trace.columns("exposures")["probability"].reshape(-1, 10).sum(axis=1)
    assert np.allclose(told, 1 - none, atol=1e-6)


def _urn(proof: str, browses: int, replicates: int) -> Trace:
    return browsed(
        SocialProof(proof=proof, strength=1.0),  # type: ignore[arg-type]
        4,
        browses,
        replicates,
        visibility=Visibility(fields={"likes": Exact()}),
        turns=Sequential(steps=1, order="fixed"),
    )


def test_linear_proof_is_polyas_urn() -> None:
    """Weights 1 + likes, one like a browse: shares converge to Dirichlet(1, 1, 1, 1).

    For the uniform law on the simplex E[sum of squared shares] = 2 / (n + 1) in the limit; after t draws
    E[sum x_i^2] = t + t (t - 1) 2 / (n + 1) exactly, and each share is uniform to order 1 / t.
    """
    t, n, replicates = 120, 4, 300
    final = tallies(_urn("linear", t, replicates), n)
    squares = (final**2).sum(axis=1)
    exact = t + t * (t - 1) * 2 / (n + 1)
    assert abs(squares.mean() - exact) < 4 * squares.std() / np.sqrt(replicates)
    # E Gini of Dirichlet(1, ..., 1): exponential gaps, (n - 1) / (2 n).
    inequality = gini(final)
    expected = (n - 1) / (2 * n)
    assert abs(inequality.mean() - expected) < 4 * inequality.std() / np.sqrt(replicates) + 1 / t


def test_threshold_proof_does_not_feed_on_itself_and_polya_does() -> None:
    """Threshold: once all have a like, likes tell nothing, so Gini(t) -> 0; Polya stays unequal."""
    short, long = 60, 600
    threshold = [gini(tallies(_urn("any", t, 40), 4)).mean() for t in (short, long)]
    polya = [gini(tallies(_urn("linear", t, 40), 4)).mean() for t in (short, long)]
    assert threshold[1] < 0.5 * threshold[0] and threshold[1] < 0.06
    assert polya[1] > 0.25
    # After all have one, likes are multinomial: E Gini about sqrt((n - 1) / (pi t)) for n items
    # (mean difference of two of them, 2 sqrt(t / (n pi)), over twice the mean, 2 t / n, times
    # (n - 1) / n).
    null = 2 * np.sqrt(long / (4 * np.pi)) / (2 * long / 4) * 3 / 4
    assert threshold[1] == pytest.approx(null, rel=0.25)


@pytest.mark.parametrize("order", [Fixed(), Popularity(), Shuffled(each="run")])
def test_a_lasting_rank_and_a_hard_gate_lock_in(order: Any) -> None:
    seen = Visibility(fields={"likes": Hidden()}, order=order)
    steps, k = 30, 3
    trace = browsed(
        PositionOnly(gate="hard", width=float(k)),
        12,
        10,
        5,
        visibility=seen,
        turns=Simultaneous(steps=steps),
    )
    final = np.sort(tallies(trace, 12), axis=1)
    assert np.array_equal(final[:, -k:].sum(axis=1), np.full(5, 10.0 * steps))
    assert not final[:, :-k].any()


def test_shuffling_for_each_reader_undoes_the_lock_in() -> None:
    steps = 60
    trace = browsed(
        PositionOnly(gate="hard", width=3.0), 12, 10, 5, turns=Simultaneous(steps=steps)
    )
    final = tallies(trace, 12)
    expected = 10 * steps / 12
    chi2 = ((final - expected) ** 2 / expected).sum(axis=1)
    assert (chi2 < 31.3).all()  # 99.9 % point with 11 degrees of freedom, for each of the runs


def test_shown_likes_count_only_within_the_gate() -> None:
    """Two-stage: P(choice | position, likes) is 0 below the gate, whatever the likes."""
    spec_world = Feed.of(6, likes=(0.0, 0.0, 0.0, 0.0, 500.0, 500.0))
    spec = Microspec(
        world=spec_world,
        population=Population(groups=(Group(count=500, decides=TwoStage(width=2.0)),)),
        visibility=Visibility(order=Fixed()),
    )
    trace = Trace()
    decide(grow(spec, Runs(0, np.arange(1), np.arange(1) + 1), trace), Society(spec))
    shown = trace.columns("exposures")
    assert set(shown["position"][shown["chosen"] > 0]) == {1, 2}
    assert (shown["probability"][shown["position"] > 2] == 0).all()


def test_any_and_more_likes_are_the_same_to_a_threshold() -> None:
    rule = TwoStage(gate="none", strength=2.0, appeal=-1.0)
    spec = Microspec(
        world=Feed.of(3, likes=(0.0, 1.0, 1000.0)),
        population=Population(groups=(Group(count=1, decides=rule),)),
        visibility=Visibility(order=Fixed()),
    )
    trace = Trace()
    decide(grow(spec, Runs(0, np.arange(1), np.arange(1) + 1), trace), Society(spec))
    low, high = 1 / (1 + np.exp(1)), 1 / (1 + np.exp(-1))
    told = trace.columns("exposures")["probability"]
    assert np.allclose(told, np.array([low, high, high]) / (low + 2 * high))
