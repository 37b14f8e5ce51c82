"""Picking one by one: asked again with the earlier picks shown, under the same noise as picking at once."""

from itertools import permutations
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from cloudchamber.agents import LanguageModel, Random, TwoStage
from cloudchamber.agents.rules import Rule
from cloudchamber.microspec import Affordances, Group, Microspec, Population
from cloudchamber.models import Reply, Request
from cloudchamber.models.fake import FakeModel, fake
from cloudchamber.questions import Answers, Questions, Reals
from cloudchamber.testing import grown
from cloudchamber.testing.seen import seen_by
from cloudchamber.testing.strategies import specs
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Channel, Status
from cloudchamber.worlds import Feed


def spec_of(
    decides: Rule | LanguageModel, agents: int = 3, items: int = 4, **can: object
) -> Microspec:
    given = {"choose": "up to", "most": 2, "picks": "one by one", **can}
    return Microspec(
        world=Feed.of(items),
        population=Population(groups=(Group(count=agents, decides=decides),)),
        affordances=Affordances.model_validate(given),
    )


def picks_of(trace: Trace) -> dict[tuple[int, int, int], list[tuple[int, ...]]]:
    """By run, agent and step: what was picked in each visit, in order."""
    found: dict[tuple[int, int, int], list[tuple[int, ...]]] = {}
    for (run, agent, step, _), one in sorted(
        seen_by(trace).items(), key=lambda pair: pair[1].decision
    ):
        found.setdefault((run, agent, step), []).append(one.picks)
    return found


@settings(max_examples=60)
@given(specs(), st.integers(1, 3), st.booleans())
def test_whoever_ignores_its_picks_picks_as_it_would_at_once(
    spec: Microspec, most: int, may_decline: bool
) -> None:
    shown = spec.world.items if spec.visibility.top is None else spec.visibility.top
    at_once = Affordances(
        choose="up to",
        most=min(most, shown),
        may_decline=may_decline,
        scoring=spec.affordances.scoring,
    )
    one = spec.altered(affordances=at_once)
    other = spec.altered(affordances=at_once.altered(picks="one by one"))
    before, after = (picks_of(grown(each, replicates=(0, 3))) for each in (one, other))
    assert before.keys() == after.keys()
    for place, visits in before.items():
        flat = [pick for visit in after[place] for pick in visit]
        assert flat == [pick for visit in visits for pick in visit], place


class Jealous(Rule):
    """Weights 4, 3, 2, 1; the neighbours of what it has picked attract it ten times as much."""

    kind: str = "test-jealous"

    def weights(self, questions: Questions) -> Reals:
        weights = np.tile(np.array([4.0, 3.0, 2.0, 1.0]), (len(questions), 1))[
            np.arange(len(questions))[:, None], questions.items
        ]
        heard = questions.heard
        picked = np.full(len(questions), -9)
        picked[heard.row()] = np.where(heard.channel == Channel.picked, heard.item, -9)
        near = np.abs(questions.items - picked[:, None]) == 1
        return np.where(near, 10 * weights, weights)

    def aloud(self) -> str:
        return "a rule that looks beside what it picked"


def test_where_picks_change_what_attracts_the_second_follows_the_changed_distribution() -> None:
    spec = spec_of(Jealous(), agents=20_000)
    made = [sum(visits, ()) for visits in picks_of(grown(spec)).values()]
    weights = np.array([4.0, 3.0, 2.0, 1.0])
    chance = {}
    for a, b in permutations(range(4), 2):
        then = np.where(np.abs(np.arange(4) - a) == 1, 10 * weights, weights)
        then[a] = 0
        chance[a, b] = weights[a] / 10 * then[b] / then.sum()
    found = np.array([made.count(pair) for pair in chance])
    assert found.sum() == len(made)
    assert chisquare(found, np.array(list(chance.values())) * len(made)).pvalue > 1e-3


def test_an_agent_is_shown_what_it_picked_and_nothing_else_changes() -> None:
    trace = grown(spec_of(Random(), agents=1, most=3))
    decisions, shown = trace.columns("decisions"), trace.columns("exposures")
    assert decisions["decision"].tolist() == [0, 1, 2]
    assert decisions["pick"].tolist() == [1, 1, 1]
    options = [
        list(
            zip(
                *(shown[name][rows].tolist() for name in ("position", "item", "label")), strict=True
            )
        )
        for rows in (
            (shown["decision"] == one) & (shown["channel"] == Channel.option) for one in range(3)
        )
    ]
    assert options[0] == options[1] == options[2]
    picked = shown["channel"] == Channel.picked
    told = zip(
        *(shown[n][picked].tolist() for n in ("decision", "position", "item", "origin", "latency")),
        strict=True,
    )
    choice = decisions["choice"].tolist()
    assert list(told) == [(1, 1, choice[0], 0, 0), (2, 1, choice[0], 0, 0), (2, 2, choice[1], 1, 0)]
    gone = shown["probability"][(shown["decision"] == 2) & (shown["channel"] == Channel.option)]
    assert sorted(np.round(gone, 6)) == [0, 0, 0.5, 0.5]


def test_declining_or_an_answer_without_a_choice_ends_a_visit() -> None:
    trace = grown(spec_of(TwoStage(base=0.2), agents=400, may_decline=True, most=3))
    visits = picks_of(trace).values()
    lengths = {len(visit) for visit in visits}
    assert lengths == {1, 2, 3}
    assert all(picks for visit in visits for picks in visit[:-1])

    def refuse_the_second(questions: Questions, answers: Answers) -> Answers:
        if questions.taken is None or not questions.taken.options.any():
            return answers
        rows = len(questions)
        return Answers(
            np.full((rows, 1), -1, np.int32), status=np.full(rows, Status.refused, np.int8)
        )

    trace = grown(spec_of(Random(), most=3), touch=refuse_the_second)
    assert trace.columns("decisions")["status"].tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("readout", ["exact", "sample"])
def test_a_language_model_is_told_and_cannot_pick_twice(
    readout: Literal["exact", "sample"],
) -> None:
    model = fake("uniform")
    decides = LanguageModel(model="m", readout=readout)
    trace = grown(spec_of(decides, agents=40, most=4, items=5), models={"m": model})
    for visit in picks_of(trace).values():
        flat = sum(visit, ())
        assert len(flat) == len(set(flat)) == 4
    asked = [request for request, _ in model.asked]
    assert sorted({len(request.options) for request in asked}) == [2, 3, 4, 5]
    last = next(request for request in asked if len(request.options) == 2)
    text = last.messages[-1][1]
    assert text.count("You chose: item") == 3
    assert "Which other item do you like most?" in text
    # What is listed stands as it stood, so that a server computes it once.
    assert all(f"{code}: " in text for code in last.options)


def test_each_pick_of_a_sampled_agent_is_a_draw_of_its_own() -> None:
    """Two agents told the same, always of three left: their second answers are not tied to their first."""
    model = FakeModel(_place, "m", exact=False)
    spec = spec_of(LanguageModel(model="m", readout="sample"), agents=600, most=2)
    grown(spec, models={"m": model})
    draws = [draw for _, draw in model.asked]
    assert len(draws) == len(set(draws)) == 1200


def _place(request: Request) -> Reply:
    options = len(request.options)
    return Reply(logprobs=np.full(options, -np.log(options)), mass=1.0)
