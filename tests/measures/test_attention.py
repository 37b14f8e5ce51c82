from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import TraceError
from cloudchamber.measures import attention
from cloudchamber.measures.concentration import gini
from cloudchamber.trace import Readable, Status, Trace, TraceFolder, TraceWriter

N = 48


def gate(tau: float) -> np.ndarray:
    weights = np.exp(-np.arange(N) / tau)
    return np.asarray(weights / weights.sum())


def browses(
    trace: Trace,
    run: int,
    decisions: int,
    probability: np.ndarray,
    *,
    exact: bool,
    likes: np.ndarray | float = np.nan,
    seed: int = 0,
) -> None:
    """Decisions over N options; `probability` is (N,) or (decisions, N), in the order shown."""
    rng = np.random.default_rng([seed, run])
    p = np.broadcast_to(probability, (decisions, N))
    pick = (p.cumsum(axis=1) < rng.random((decisions, 1))).sum(axis=1)
    items = rng.permuted(np.tile(np.arange(N), (decisions, 1)), axis=1)
    trace.append(
        "exposures",
        {
            "run": run,
            "decision": np.repeat(np.arange(decisions), N),
            "position": np.tile(np.arange(1, N + 1), decisions),
            "item": items.ravel(),
            "label": rng.permuted(np.tile(np.arange(N), (decisions, 1)), axis=1).ravel(),
            "probability": p.ravel() if exact else np.nan,
            "chosen": (np.arange(N) == pick[:, None]).ravel(),
            "signal_likes": np.broadcast_to(likes, (decisions, N)).ravel(),
        },
    )
    trace.append("decisions", {"run": run, "decision": np.arange(decisions), "choice": pick})


def test_mean_position_is_exact_with_probabilities_and_near_with_picks() -> None:
    trace = Trace()
    p = gate(5.0)
    browses(trace, 1, 30, p, exact=True)
    browses(trace, 2, 4000, p, exact=False)
    browses(trace, 3, 4000, np.full(N, 1 / N), exact=False)
    found = attention.mean_position(trace)
    place = np.arange(1, N + 1)
    expected, sd = p @ place, np.sqrt(p @ place**2 - (p @ place) ** 2)
    assert found[1] == pytest.approx(expected, abs=1e-5)
    assert found[2] == pytest.approx(expected, abs=4 * sd / np.sqrt(4000))
    assert found[3] == pytest.approx((N + 1) / 2, abs=4 * np.sqrt((N**2 - 1) / 12 / 4000))


def test_choice_by_position_is_the_gate() -> None:
    trace = Trace()
    browses(trace, 1, 10, gate(4.0), exact=True)
    browses(trace, 2, 10, gate(9.0), exact=True)
    curve = attention.choice_by_position(trace)
    assert curve.index.tolist() == [1, 2]
    assert list(map(int, curve.columns)) == list(range(1, N + 1))
    np.testing.assert_allclose(curve.to_numpy(), [gate(4.0), gate(9.0)], atol=1e-6)
    assert attention.first_place_share(trace)[1] == pytest.approx(gate(4.0)[0], abs=1e-6)
    assert attention.first_place_share(trace, 3)[2] == pytest.approx(gate(9.0)[:3].sum(), abs=1e-6)


def test_picks_count_where_an_agent_makes_several() -> None:
    trace = Trace()
    # The first pick's distribution is certain of place 1; picks are places 1 and 3.
    trace.append(
        "exposures",
        {
            "run": 1,
            "decision": 0,
            "position": [1, 2, 3, 4],
            "item": [0, 1, 2, 3],
            "probability": [1.0, 0, 0, 0],
            "chosen": [1, 0, 2, 0],
        },
    )
    trace.append("decisions", {"run": 1, "decision": 0, "pick": [1, 2], "choice": [0, 2]})
    assert attention.mean_position(trace)[1] == 2
    assert attention.choice_by_position(trace).to_numpy().tolist() == [[1, 0, 1, 0]]


def test_only_options_of_the_list_count() -> None:
    trace = Trace()
    browses(trace, 1, 5, gate(4.0), exact=True)
    before = attention.choice_by_position(trace)
    row = {"run": 1, "decision": 0, "position": 1, "probability": 0.9}
    trace.append("exposures", row | {"channel": 1, "item": 3})
    trace.append("exposures", row | {"channel": 0, "item": -1, "source": 4})
    assert attention.choice_by_position(trace).equals(before)


def two_stage(likes: np.ndarray, place: np.ndarray, boost: float) -> np.ndarray:
    weights = np.exp(-(place - 1) / 6) * np.where(likes > 0, boost, 1.0)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def test_effect_of_likes_is_not_mistaken_for_one_of_position() -> None:
    rng = np.random.default_rng(3)
    place = np.arange(1, N + 1)
    trace = Trace()
    for run, boost in ((1, 1.0), (2, 2.0)):
        # The higher the place, the more often it has likes: raw rates would show an effect anyway.
        likes = (rng.random((400, N)) < np.exp(-(place - 1) / 10)) * rng.integers(1, 200, (400, N))
        browses(trace, run, 400, two_stage(likes, place, boost), exact=True, likes=likes)
    effect = attention.signal_effect(trace)
    assert effect[1] == pytest.approx(0, abs=1e-6)
    assert effect[2] > 0.01
    raw = attention.signal_effect(trace, within=())
    assert raw[1] > 0.01


def test_choice_by_signal_level_and_position() -> None:
    place = np.arange(1, N + 1)
    likes = np.tile([0.0, 1, 9, 10, 150, 2000], (60, 8))
    trace = Trace()
    browses(trace, 1, 60, two_stage(likes, place, 3.0), exact=True, likes=likes)
    browses(trace, 2, 60, gate(6.0), exact=True)
    table = attention.choice_by_signal(trace, positions=(1, 4)).set_index("run")
    seen = table.loc[1].set_index(["band", "level"]).sort_index()
    assert seen.loc[1].index.tolist() == [0, 1]
    assert seen.loc[4].index.tolist() == [0, 1, 10, 100, 1000]
    assert seen["shown"].sum() == 60 * N
    p = two_stage(likes[0], place, 3.0)
    assert seen.loc[(1.0, 1.0), "value"] == pytest.approx(p[1:3].mean(), abs=1e-6)
    assert seen.loc[(4.0, 1000.0), "value"] == pytest.approx(p[5::6].mean(), abs=1e-6)
    assert table.loc[2]["level"].isna().all()
    assert np.isnan(attention.signal_effect(trace)[2])
    with pytest.raises(TraceError, match="signal 'comments'; shown in this trace: likes"):
        attention.choice_by_signal(trace, "comments")


def test_variance_shares_tell_label_from_position_from_item() -> None:
    rng = np.random.default_rng(0)
    trace = Trace()
    decisions = 200
    labels = rng.permuted(np.tile(np.arange(N), (decisions, 1)), axis=1)
    items = rng.permuted(np.tile(np.arange(N), (decisions, 1)), axis=1)
    places = np.tile(np.arange(1, N + 1), (decisions, 1))
    by = {1: labels + 1.0, 2: places * 1.0, 3: items + 1.0, 4: rng.exponential(size=labels.shape)}
    for run, weights in by.items():
        trace.append(
            "exposures",
            {
                "run": run,
                "decision": np.repeat(np.arange(decisions), N),
                "position": places.ravel(),
                "item": items.ravel(),
                "label": labels.ravel(),
                "probability": (weights / weights.sum(axis=1, keepdims=True)).ravel(),
            },
        )
    trace.append("decisions", {"run": [1, 2, 3, 4], "decision": 0})
    shares = attention.variance_shares(trace)
    expected = np.vstack([np.eye(3), np.zeros(3)])
    np.testing.assert_allclose(shares.to_numpy(), expected, atol=0.02)


def test_answer_rates_count_decisions_not_picks() -> None:
    trace = Trace()
    trace.append("decisions", {"run": 1, "decision": 0, "pick": [1, 2, 3], "mass": 0.2})
    status = [Status.ok, Status.refused, Status.unparseable]
    trace.append("decisions", {"run": 1, "decision": [1, 2, 3], "status": status, "mass": 0.1})
    trace.append("decisions", {"run": 2, "decision": [0, 1]})
    rates = attention.answer_rates(trace)
    assert rates.loc[1].to_dict() == {
        "ok": 0.5,
        "refused": 0.25,
        "unparseable": 0.25,
        "timeout": 0,
        "failed": 0,
    }
    assert rates.loc[2, "ok"] == 1
    mass = attention.valid_mass(trace)
    assert mass[1] == pytest.approx(0.125)
    assert np.isnan(mass[2])


def test_a_folder_gives_the_same_as_memory(tmp_path: Path) -> None:
    trace = Trace()
    likes = np.random.default_rng(1).integers(0, 3, (20, N))
    browses(trace, 1, 20, gate(4.0), exact=True, likes=likes)
    browses(trace, 2, 20, gate(4.0), exact=False)
    with TraceWriter(tmp_path, "u", part_rows=100) as writer:
        for table in ("exposures", "decisions"):
            writer.append(table, trace.columns(table))
        writer.commit({"run": [1, 2]})
    sources: list[Readable] = [trace, TraceFolder(tmp_path)]
    for function in (
        attention.mean_position,
        attention.choice_by_position,
        attention.choice_by_signal,
        attention.signal_effect,
        attention.variance_shares,
        attention.answer_rates,
    ):
        one, other = (function(source) for source in sources)
        np.testing.assert_allclose(
            one.to_numpy(float), other.to_numpy(float), rtol=1e-9, atol=1e-12
        )


def test_the_expected_gini_is_the_gini_of_summed_probabilities_and_free_of_drawing_noise() -> None:
    trace = Trace()
    uniform = np.full(N, 1 / N)
    browses(trace, 1, 12, uniform, exact=True)
    browses(trace, 2, 12, uniform, exact=False)
    for run in (1, 2):
        outcomes = {"run": run, "step": 0, "item": np.arange(N), "value": 0.0}
        trace.append("outcomes", outcomes)
    found = attention.expected_gini(trace)
    assert found[1] == pytest.approx(0.0, abs=1e-6)
    picks = trace.frame("exposures").query("run == 2").groupby("item")["chosen"].sum()
    assert found[2] == pytest.approx(float(gini(picks.to_numpy())))
    assert found[2] > 0.7  # twelve choices among 48 items


def test_few_decisions_are_concentrated_by_the_order_alone() -> None:
    """Nobody prefers an item, but each decision favours those that happen to stand first in it."""
    p = gate(5.0)
    expected = {}
    for decisions in (4, 16, 64, 256):
        trace = Trace()
        for run in range(1, 9):
            browses(trace, run, decisions, p, exact=True)
        expected[decisions] = float(attention.expected_gini(trace).mean())
    assert expected[4] > 1.5 * expected[16] > 2 * expected[64] > 3 * expected[256] > 0.1
    # The sum over many decisions is nearly normal, and the Gini of normal values s / (m sqrt(pi)).
    for decisions in (64, 256):
        wanted = p.std() / p.mean() / np.sqrt(np.pi * decisions)
        assert expected[decisions] == pytest.approx(wanted, rel=0.05)


def test_options_shown_alone_have_no_mean_position() -> None:
    trace = Trace()
    trace.append("exposures", {"run": 1, "decision": np.arange(3), "position": 1, "item": 0})
    trace.append("decisions", {"run": 1, "decision": np.arange(3)})
    assert np.isnan(attention.mean_position(trace)[1])


def test_of_a_single_step_the_course_is_told_batch_by_batch() -> None:
    trace = Trace()
    browses(trace, 1, 4, np.full(N, 1 / N), exact=True)
    trace = _placed(trace, batch=[0, 0, 1, 2], step=[0, 0, 0, 0])
    assert attention.expected_gini_over_time(trace)["step"].tolist() == [1, 2, 3]
    trace = Trace()
    browses(trace, 1, 4, np.full(N, 1 / N), exact=True)
    trace = _placed(trace, batch=[0, 1, 0, 1], step=[0, 0, 1, 1])
    assert attention.expected_gini_over_time(trace)["step"].tolist() == [1, 2]


def _placed(trace: Trace, batch: list[int], step: list[int]) -> Trace:
    """The same decisions at other moments."""
    moved = Trace()
    for table in ("exposures", "decisions"):
        columns = dict(trace.columns(table))
        if table == "decisions":
            columns |= {"batch": np.array(batch), "step": np.array(step)}
        moved.append(table, columns)
    return moved


def test_an_answer_that_could_not_be_used_is_no_choice_and_no_zero() -> None:
    trace = Trace()
    browses(trace, 1, 2, gate(4.0), exact=True)
    shown = {"item": np.arange(N), "position": np.arange(1, N + 1)}
    lost = {"run": 1, "decision": 2, "chosen": 0, "probability": np.nan} | shown
    trace.append("exposures", lost)
    trace.append("decisions", {"run": 1, "decision": 2, "choice": -1, "status": Status.unparseable})
    trace.append("exposures", lost | {"run": 2})
    trace.append("decisions", {"run": 2, "decision": 2, "choice": -1, "status": Status.refused})
    assert attention.choice_by_position(trace).loc[1].to_numpy() == pytest.approx(
        gate(4.0), abs=1e-6
    )
    share = attention.share_of_items(trace, range(N))
    assert share[1] == pytest.approx(1) and 2 not in share.index


def test_the_leader_is_the_one_option_that_shows_the_most() -> None:
    """Of three decisions one has no leader; of the other two, one picks its leader."""
    trace = Trace()
    likes = [[5.0, 2.0, 0.0], [1.0, 1.0, 0.0], [0.0, 3.0, 1.0]]
    for decision, (shown, chosen) in enumerate(zip(likes, (0, 1, 2), strict=True)):
        trace.append("decisions", {"run": 1, "decision": decision})
        trace.append(
            "exposures",
            {
                "run": 1,
                "decision": decision,
                "position": np.arange(1, 4),
                "item": np.arange(3),
                "chosen": (np.arange(3) == chosen).astype(int),
                "signal_likes": np.array(shown),
            },
        )
    assert attention.leader_rate(trace).to_dict() == {1: 0.5}


def test_the_share_of_choices_on_what_shows_likes() -> None:
    """Of four choices one falls on a liked option, at the first place; hidden likes count nowhere."""
    trace = Trace()
    for decision, chosen in enumerate((0, 1, 1, 0)):
        trace.append("decisions", {"run": 1, "decision": decision})
        trace.append(
            "exposures",
            {
                "run": 1,
                "decision": decision,
                "position": np.array([1, 2]),
                "item": np.array([0, 1]),
                "chosen": (np.arange(2) == chosen).astype(int),
                "signal_likes": np.array(
                    [2.0, 0.0] if decision < 2 else [np.nan, float(decision - 2)]
                ),
            },
        )
    assert attention.share_of_shown(trace).to_dict() == {1: 0.25}
    assert attention.share_of_shown(trace, places=(2, np.inf)).to_dict() == {1: 0.0}
    assert attention.share_of_shown(trace, cut=0).to_dict() == {1: 0.75}
