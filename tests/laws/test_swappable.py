"""Declared properties are falsified, not trusted; deciders of the same distribution make the same picks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudchamber.agents import LanguageModel, PositionOnly, Random, Rule, SocialProof, TwoStage
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Edges,
    Exact,
    Fixed,
    Group,
    Hidden,
    Microspec,
    Population,
    Sequential,
    Simultaneous,
    Visibility,
    Window,
)
from cloudchamber.questions import Answers, Questions
from cloudchamber.testing import grown, laws
from cloudchamber.testing.fakes import Reader
from cloudchamber.testing.seen import Seen, seen_by
from cloudchamber.worlds import Feed

HEADLINES = ("Rain at noon", "Bread is back", "A train (2 likes) is late", "River: calm", "Snow")
slow = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("presentation", ["list", "one at a time"])
@pytest.mark.parametrize("may_decline", [False, True])
@pytest.mark.parametrize(
    "rule",
    [
        Random(base=0.4),
        PositionOnly(width=2.0),
        SocialProof(strength=2.0),
        TwoStage(width=3.0, proof="linear", strength=0.5),
    ],
    ids=lambda rule: str(rule.kind),
)
def test_a_model_that_reads_what_the_rule_sees_picks_what_the_rule_picks(
    rule: Rule, may_decline: bool, presentation: Any
) -> None:
    """All that a rule uses stands in the prompt, and the same noise draws the answers of both."""
    if presentation == "one at a time" and isinstance(rule, PositionOnly | TwoStage):
        may_decline = False  # judged alone, every item stands in the first place
    can = Affordances(presentation=presentation, may_decline=may_decline)
    spec = Microspec(
        world=Feed(headlines=HEADLINES),
        population=Population(groups=(Group(count=5, decides=rule),)),
        turns=Sequential(steps=3),
        affordances=can,
    )
    model = LanguageModel(model="reader")
    swapped = spec.replace("population.groups.0.decides", model)
    laws.swappable(spec, swapped, {"reader": Reader(rule, HEADLINES)})


def test_rules_that_are_the_same_by_algebra_pick_the_same() -> None:
    people = Population(groups=(Group(count=20, decides=Random()),))
    spec = Microspec(world=Feed.of(6), population=people, turns=Sequential(steps=2))
    for same in (
        PositionOnly(gate="none"),
        SocialProof(proof="none", strength=3.0),
        SocialProof(strength=0.0),
        TwoStage(gate="none", proof="none"),
    ):
        laws.swappable(spec, spec.replace("population.groups.0.decides", same))


def test_different_rules_do_not_pass_for_the_same() -> None:
    people = Population(groups=(Group(count=20, decides=Random()),))
    spec = Microspec(world=Feed.of(6), population=people)
    with pytest.raises(AssertionError, match="not swappable"):
        laws.swappable(spec, spec.replace("population.groups.0.decides", PositionOnly(width=1.0)))


Force = Callable[[Questions, Answers], Answers]


def forcing(step: int, item: int, agent: int | None = None) -> Force:
    """Whoever decides at the step (or one agent) likes the item, if it is shown."""

    def touch(questions: Questions, answers: Answers) -> Answers:
        if questions.address.step != step:
            return answers
        for row in range(len(questions)):
            if agent in (None, int(questions.agent[row])):
                answers.picks[row] = -1
                answers.picks[row, 0] = questions.items[row].tolist().index(item)
        return answers

    return touch


def at(spec: Microspec, step: int, touch: Force | None = None) -> dict[int, Seen]:
    """What each agent saw and did at a step."""
    seen = seen_by(grown(spec, touch=touch))
    return {agent: one for (_, agent, when, nth), one in seen.items() if (when, nth) == (step, 0)}


def base(**parts: Any) -> Microspec:
    people = Population(groups=(Group(count=6, decides=SocialProof(strength=1.5)),))
    known: dict[str, Any] = {
        "world": Feed.of(5),
        "population": people,
        "turns": Simultaneous(steps=6),
    }
    return Microspec(**(known | parts))


@given(latency=st.integers(1, 5), step=st.integers(0, 4))
@slow
def test_latency_d_hides_the_last_d_steps_and_no_more(latency: int, step: int) -> None:
    spec = base(visibility=Visibility(latency=latency))
    one, two = forcing(step, 0), forcing(step, 1)
    for later in range(step + 1, 6):
        differs = at(spec, later, one) != at(spec, later, two)
        assert differs == (later - step >= latency), (later, step)


@given(k=st.integers(1, 4))
@slow
def test_a_window_of_k_forgets_what_came_before(k: int) -> None:
    hidden = Visibility(fields={"likes": Hidden()})
    spec = base(memory=Window(k=k), visibility=hidden)
    one, two = at(spec, 5, forcing(5 - k, 0)), at(spec, 5, forcing(5 - k, 1))
    assert one != two, "the k-th last act is remembered"
    earlier = 5 - k - 1
    if earlier >= 0:
        assert at(spec, 5, forcing(earlier, 0)) == at(spec, 5, forcing(earlier, 1))


def test_a_hidden_field_has_no_say_whatever_it_holds() -> None:
    one = base(visibility=Visibility(fields={"likes": Hidden()}))
    two = one.replace("world.likes", [900, 0, 0, 0, 3])
    assert seen_by(grown(one)) == seen_by(grown(two))
    shown = base(visibility=Visibility(fields={"likes": Exact()}))
    assert seen_by(grown(shown)) != seen_by(grown(shown.replace("world.likes", [900, 0, 0, 0, 3])))


def test_items_beyond_the_top_k_have_no_say() -> None:
    seen = Visibility(top=2, order=Fixed())
    one = base(visibility=seen, world=Feed.of(5, quality=(0.0,) * 5))
    changed = one.replace("world.quality", [0, 0, 9, 9, 9]).replace("world.likes", [0, 0, 7, 7, 7])
    assert seen_by(grown(one)) == seen_by(grown(changed))


def test_acts_of_those_one_cannot_hear_have_no_say() -> None:
    """0 -> 1 -> 2, and nobody hears 3: what 3 does changes nothing, what 0 does reaches 1, then 2."""
    chain = Edges(pairs=((0, 1), (1, 2)), directed=True)
    spec = base(communication=chain, visibility=Visibility(whose="neighbours")).replace(
        "population.placement", "in order"
    )
    for representation in ("counts", "acts"):
        spec = spec.replace("communication.representation", representation)
        deaf = [at(spec, 3, forcing(1, item, agent=3)) for item in (0, 1)]
        assert deaf[0] == deaf[1]
        told = [at(spec, 2, forcing(1, item, agent=0)) for item in (0, 1)]
        assert told[0][1].exposures != told[1][1].exposures
        assert told[0][2] == told[1][2], "word travels one tie a step"


def test_nobody_sees_an_act_of_its_own_batch() -> None:
    spec = base(communication=Complete(representation="acts"))
    one, two = at(spec, 2, forcing(2, 0, agent=0)), at(spec, 2, forcing(2, 1, agent=0))
    others = range(1, 6)
    assert [one[agent] for agent in others] == [two[agent] for agent in others]


@given(share=st.floats(0, 1))
@slow
def test_more_social_proof_moves_picks_only_towards_what_is_liked(share: float) -> None:
    """Paired runs: at the first step a stronger rule can only move a pick to the liked item."""
    liked = Feed.of(5, likes=(0.0, 0.0, 4.0, 0.0, 0.0))
    weak = base(world=liked).replace("population.groups.0.decides.strength", share)
    strong = weak.replace("population.groups.0.decides.strength", share + 1)
    for agent, before in at(weak, 0).items():
        assert at(strong, 0)[agent].picks in (before.picks, (2,))


def test_a_decision_can_be_asked_again_with_one_exposure_altered() -> None:
    spec = base(world=Feed.of(5, likes=(0.0, 3.0, 0.0, 0.0, 0.0)))
    asked: list[Questions] = []

    def keep(questions: Questions, answers: Answers) -> Answers:
        asked.append(questions)
        return answers

    grown(spec, touch=keep)
    questions, rule = asked[0], SocialProof(strength=1.5)
    again = rule.answer(questions)
    assert np.array_equal(again.picks, rule.answer(questions).picks)
    questions.signals["likes"][:, 0] += 1000.0
    assert (rule.answer(questions).picks == 0).all()
