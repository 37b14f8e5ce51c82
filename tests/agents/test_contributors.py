"""Contributors to a public good: what they give by what they are told, in every way of telling it."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import (
    BackwardInduction,
    ConditionalCooperator,
    Contributor,
    FreeRider,
    Society,
    decide,
)
from cloudchamber.engine import Runs, grow
from cloudchamber.games import least_multiplier
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Decider,
    Group,
    Hidden,
    Microspec,
    Population,
    Sequential,
    Simultaneous,
    Visibility,
    Window,
)
from cloudchamber.questions import Reals
from cloudchamber.trace import Trace
from cloudchamber.worlds import PublicGoods

HIDDEN = Visibility(fields={"contributed": Hidden()})


def played(
    world: PublicGoods, deciders: list[Decider], runs: int = 1, seed: int = 3, **parts: Any
) -> tuple[Reals, Reals]:
    """What each gave in each round, (runs, rounds, players), and the mean score, (runs, rounds + 1)."""
    groups = tuple(Group(name=f"g{at}", decides=one) for at, one in enumerate(deciders))
    spec = Microspec(
        world=world,
        population=Population(groups=groups, placement="in order"),
        affordances=Affordances(choose="amount"),
        **parts,
    )
    trace, replicates = Trace(), np.arange(runs)
    decide(grow(spec, Runs(seed, replicates, replicates), trace), Society(spec))
    rows = trace.columns("decisions")
    given = np.full((runs, spec.turns.steps, len(deciders)), np.nan)
    given[rows["run"], rows["step"], rows["agent"]] = rows["value"]
    facts = trace.columns("series")
    score = facts["measure"] == "mean score"
    means = np.full((runs, spec.turns.steps + 1), np.nan)
    means[facts["run"][score], facts["step"][score]] = facts["value"][score]
    return given, means


ROUNDS = Simultaneous(steps=6)
TELLING: dict[str, dict[str, Any]] = {
    "single contributions": {
        "visibility": HIDDEN,
        "communication": Complete(representation="acts", last=3),
    },
    "the total, and what one gave": {"memory": Window(k=1)},
}


@pytest.mark.parametrize("how", TELLING)
def test_imperfect_conditional_cooperation_decays_as_it_must(how: str) -> None:
    """All alike: c_t = e slope^t, however they know what the others gave."""
    group: list[Decider] = [ConditionalCooperator(slope=0.8)] * 4
    given, _ = played(PublicGoods(), group, turns=ROUNDS, **TELLING[how])
    assert np.allclose(given[0], (20 * 0.8 ** np.arange(6))[:, None])


@pytest.mark.parametrize("how", TELLING)
def test_one_free_rider_drags_conditional_cooperators_down(how: str) -> None:
    """Each gives the mean of three others, one of whom gives nothing: 2/3 of the round before."""
    group: list[Decider] = [ConditionalCooperator()] * 3 + [FreeRider()]
    given, _ = played(PublicGoods(), group, turns=ROUNDS, **TELLING[how])
    assert np.allclose(given[0, :, :3], (20 * (2 / 3) ** np.arange(6))[:, None])
    assert not given[0, :, 3].any()


def test_the_total_alone_is_shared_by_all() -> None:
    group: list[Decider] = [ConditionalCooperator(), FreeRider()]
    world = PublicGoods(players=2)
    given, _ = played(world, group, turns=Simultaneous(steps=4))
    assert given[0, :, 0].tolist() == [20, 10, 5, 2.5]


def test_the_intercept_moves_where_contributions_settle() -> None:
    """c = e (a + b c / e): a / (1 - b) of the endowment."""
    group: list[Decider] = [ConditionalCooperator(first=0.0, slope=0.5, intercept=0.2)] * 4
    how = TELLING["single contributions"]
    given, _ = played(PublicGoods(), group, turns=Simultaneous(steps=30), **how)
    assert np.allclose(given[0, -1], 0.4 * 20)


def test_in_a_queue_each_goes_by_those_before_it() -> None:
    """With its place told a player shares the total by those before it; the predecessor alone is copied."""
    group: list[Decider] = [
        Contributor(share=0.5),
        FreeRider(),
        ConditionalCooperator(),
        ConditionalCooperator(),
    ]
    queue = Sequential(order="fixed")
    total, _ = played(PublicGoods(places=True), group, turns=queue)
    assert total[0, 0].tolist() == [10, 0, 5, 5]
    talk = Complete(representation="acts", last=1)
    last, _ = played(PublicGoods(), group, turns=queue, visibility=HIDDEN, communication=talk)
    assert last[0, 0].tolist() == [10, 0, 0, 0]
    none, _ = played(PublicGoods(), group, turns=queue, visibility=HIDDEN)
    assert none[0, 0].tolist() == [10, 0, 20, 20], "who knows nothing gives what it gives first"


MECHANISM: dict[str, Any] = {"bonus": 0.02, "threshold": 60.0, "penalty": 8.0}


@pytest.mark.parametrize("terms", [{}, MECHANISM, {"bonus": 0.02}, {"threshold": 44, "penalty": 6}])
@pytest.mark.parametrize("multiplier", [1.2, 1.5])
def test_backward_induction_grows_the_solved_path(terms: Any, multiplier: float) -> None:
    world = PublicGoods(players=3, multiplier=multiplier, places=True, **terms)
    group: list[Decider] = [BackwardInduction()] * 3
    given, scores = played(world, group, turns=Sequential(order="fixed"))
    path = world.game.solve(21).path()
    assert given[0, 0].tolist() == path.tolist()
    assert scores[0, -1] == pytest.approx(world.game.payoffs(path).mean())


@pytest.mark.parametrize("first", [0.0, 0.5, 1.0])
def test_backward_induction_replies_to_what_it_sees_off_the_path(first: float) -> None:
    world = PublicGoods(players=3, multiplier=1.5, places=True, **MECHANISM)
    group: list[Decider] = [Contributor(share=first), BackwardInduction(), BackwardInduction()]
    queue = Sequential(order="fixed")
    solved = world.game.solve(21)
    expected = [20 * first]
    for player in (1, 2):
        expected.append(float(solved.reply(player, sum(expected))))
    given, _ = played(world, group, turns=queue)
    assert given[0, 0].tolist() == expected
    acts = Complete(representation="acts", last=2)
    heard, _ = played(world, group, turns=queue, visibility=HIDDEN, communication=acts)
    assert heard[0, 0].tolist() == expected, "the total, or each contribution: the same is known"


def test_of_whom_it_cannot_see_it_expects_its_own_play() -> None:
    world = PublicGoods(players=3, multiplier=1.5, places=True, bonus=0.02)
    path = world.game.solve(21).path()  # 6, 20, 20
    group: list[Decider] = [FreeRider(), BackwardInduction(), BackwardInduction()]
    given, _ = played(world, group, turns=Sequential(order="fixed"), visibility=HIDDEN)
    assert given[0, 0].tolist() == [0, *path[1:]]


@pytest.mark.parametrize(("multiplier", "gives"), [(1.2, 0.0), (3.6, 20.0)])
def test_without_a_place_only_the_own_return_counts(multiplier: float, gives: float) -> None:
    world = PublicGoods(players=3, multiplier=multiplier, **MECHANISM)
    given, _ = played(world, [BackwardInduction()] * 3)
    assert (given == gives).all()


@pytest.mark.parametrize(("above", "gains"), [(-0.2, True), (0.2, False)])
def test_where_places_are_unknown_giving_pays_from_the_least_multiplier_on(
    above: float, gains: bool
) -> None:
    """A free rider among copiers of their predecessor in random order, against one more copier.

    Gallice & Monzon 2019: a predecessor's contribution, once seen, is worth copying from r = 2 on.
    """
    players, runs = 4, 600
    world = PublicGoods(players=players, multiplier=least_multiplier(players) + above)
    copiers: list[Decider] = [ConditionalCooperator()] * players
    talk = Complete(representation="acts", last=1)
    how: dict[str, Any] = {
        "turns": Sequential(order="random"),
        "visibility": HIDDEN,
        "communication": talk,
    }
    all_give, _ = played(world, copiers, runs, **how)
    assert (all_give == 20).all()
    deviant, _ = played(world, [FreeRider(), *copiers[1:]], runs, **how)
    before = deviant[:, 0].sum(axis=1) / 20
    # Who moves first sees nobody; for the others: what is kept, and the return of those before.
    seen = before > 0
    kept = 20 + world.game.returned * 20 * before[seen]
    error = kept.std() / np.sqrt(seen.sum())
    all_paid = world.game.payoffs([20.0] * players)[0]
    assert (kept.mean() - all_paid > 3 * error) == gains
    assert (all_paid - kept.mean() > 3 * error) != gains


def test_noise_misses_what_is_meant_and_stays_on_the_scale() -> None:
    given, _ = played(
        PublicGoods(players=2), [Contributor(share=0.5, noise=0.1), FreeRider(noise=0.1)], 600
    )
    middle, edge = given[:, 0].T
    assert abs(middle.mean() - 10) < 4 * 2 / np.sqrt(600) and middle.std() == pytest.approx(
        2, rel=0.15
    )
    assert edge.min() == 0 and (edge == 0).mean() == pytest.approx(0.5, abs=0.09)
    assert len(set(middle.tolist())) == 600


def test_contributors_read_aloud() -> None:
    assert Contributor(share=0.5, noise=0.1).aloud() == (
        "a contributor of 50%, give or take 0.1 of the most"
    )
    assert ConditionalCooperator(slope=0.8, intercept=0.1).aloud() == (
        "a conditional cooperator that gives 0.8 times what others gave on average plus 10%, 100% where it "
        "knows nothing"
    )
