"""Whoever answers: groups of different deciders, language models, records."""

from typing import Any, Literal

import numpy as np
import pytest

from cloudchamber.agents import (
    LanguageModel,
    PositionOnly,
    Random,
    Recorded,
    Rule,
    Society,
    TwoStage,
)
from cloudchamber.agents.recorded import Record
from cloudchamber.agents.society import models_of
from cloudchamber.errors import AnswerError, RunFailed, SpecificationError
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Decider,
    Fixed,
    Group,
    Microspec,
    Population,
    Sequential,
    Simultaneous,
    Visibility,
)
from cloudchamber.questions import Questions, Reals
from cloudchamber.testing import grown
from cloudchamber.testing.fakes import FakeModel, Flaky, fake
from cloudchamber.testing.seen import seen_by
from cloudchamber.trace.tables import Readout, Status
from cloudchamber.worlds import Feed


def mixed(*deciders: Decider, **parts: Any) -> Microspec:
    groups = tuple(
        Group(name=f"group {at}", count=3, decides=one, personas=(f"You are {at}.",))
        for at, one in enumerate(deciders)
    )
    known: dict[str, Any] = {"world": Feed.of(4), "turns": Simultaneous(steps=2)}
    return Microspec(**(known | {"population": Population(groups=groups)} | parts))


HASH, SAMPLED = (
    LanguageModel(model="fake:hash"),
    LanguageModel(model="fake:sampled", readout="sample"),
)


def test_each_group_is_decided_for_by_its_own() -> None:
    first = PositionOnly(gate="hard", width=1.0)
    spec = mixed(Random(), first, HASH, visibility=Visibility(order=Fixed()))
    decisions = grown(spec).columns("decisions")
    assert (decisions["choice"][decisions["group"] == 1] == 0).all()
    assert set(decisions["readout"][decisions["group"] == 0]) == {Readout.rule}
    assert set(decisions["readout"][decisions["group"] == 2]) == {Readout.exact}
    assert np.isnan(decisions["mass"][decisions["group"] == 0]).all()
    assert (decisions["mass"][decisions["group"] == 2] == 0.5).all()
    assert ((decisions["prompt"] != 0) == (decisions["group"] == 2)).all()


def test_what_was_only_sampled_has_no_probability_beside_what_has() -> None:
    trace = grown(mixed(Random(), SAMPLED, HASH))
    decisions, shown = trace.columns("decisions"), trace.columns("exposures")
    sampled = decisions["decision"][decisions["group"] == 1]
    theirs = np.isin(shown["decision"], sampled)
    assert np.isnan(shown["probability"][theirs]).all()
    assert (shown["probability"][~theirs] > 0).all()
    assert np.isnan(decisions["entropy"][decisions["group"] == 1]).all()
    assert set(decisions["readout"][decisions["group"] == 1]) == {Readout.sampled}


@pytest.mark.parametrize("presentation", ["list", "one at a time"])
@pytest.mark.parametrize("status", ["refused", "unparseable", "timeout"])
def test_some_answers_that_are_none(status: Any, presentation: Any) -> None:
    spec = mixed(HASH, SAMPLED, Random(), affordances=Affordances(presentation=presentation))
    models = {name: Flaky(fake(name[5:]), status, 0.5) for name in models_of(spec)}
    decisions = grown(spec, models=models).columns("decisions")
    bad = decisions["status"] == Status[status]
    assert 0 < bad.sum() < (decisions["group"] < 2).sum()
    assert not bad[decisions["group"] == 2].any()
    assert (decisions["choice"][bad] == -1).all()
    if presentation == "list":
        assert (decisions["choice"][~bad] >= 0).all()
    else:
        assert not decisions["value"][bad].any()


def test_one_failed_answer_fails_the_run() -> None:
    spec = mixed(Random(), HASH)
    with pytest.raises(RunFailed, match="failed at answer: this fake was made to be failed"):
        grown(spec, models={"fake:hash": Flaky(fake("hash"), "failed", 0.3)})


def test_personas_and_instructions_reach_the_prompt_of_whom_they_belong_to() -> None:
    told = LanguageModel(model="fake:uniform", instruction="Judge on merit.")
    spec = mixed(HASH, told).replace("population.groups.1.personas", ["You bake.", "You sail."])
    for (_, agent, _, _), one in seen_by(grown(spec)).items():
        assert ("You are 0." in one.prompt) == (agent < 3)
        assert ("Judge on merit." in one.prompt) == (agent >= 3)
        assert ("You bake." in one.prompt) == (agent in (3, 5))
        assert ("You sail." in one.prompt) == (agent == 4)


def test_each_draw_of_a_sampled_answer_has_an_address_of_its_own() -> None:
    """Identical agents ask for draws of their own, and the same ones when asked again."""
    draws = []
    for _ in range(2):
        model = FakeModel(fake("uniform")._answer, "fake:uniform", exact=False)
        grown(mixed(LanguageModel(model="m")), models={"m": model}, replicates=(0, 1))
        draws.append(sorted(draw for _, draw in model.asked))
    assert draws[0] == draws[1] and len(set(draws[0])) == 2 * 3 * 2
    assert all(0 <= draw < 2**63 for draw in draws[0])


def test_temperature_is_passed_on() -> None:
    model = fake("uniform")
    grown(mixed(LanguageModel(model="m", temperature=0.3)), models={"m": model})
    assert {request.temperature for request, _ in model.asked} == {0.3}


def test_a_model_that_is_not_open() -> None:
    with pytest.raises(SpecificationError, match="groups.1.decides.model: 'fake:hash' is not open"):
        Society(mixed(Random(), HASH))


def test_a_society_with_models_must_be_awaited() -> None:
    society = Society(mixed(HASH, Random()), {"fake:hash": fake("hash")})
    assert not society.immediate and Society(mixed(Random())).immediate


def test_a_record_answers_what_it_holds_and_nothing_else() -> None:
    spec = mixed(TwoStage(), turns=Sequential(steps=2))
    trace = grown(spec, replicates=(4,))
    record = Record(trace.columns("decisions"), {5: 4})
    again = grown(spec, replicates=(4,), answer=record.answer)
    assert [one.picks for one in seen_by(again).values()] == [
        one.picks for one in seen_by(trace).values()
    ]
    assert set(again.columns("decisions")["readout"]) == {Readout.recorded}
    with pytest.raises(AnswerError, match="no answer on record for decision 0 of replicate 0"):
        grown(spec, answer=record.answer)
    with pytest.raises(AnswerError, match="on record for decision 6"):
        grown(spec.replace("turns.steps", 3), replicates=(4,), answer=record.answer)
    with pytest.raises(AnswerError, match="which is not shown now; the record is of another"):
        grown(spec.replace("visibility.top", 1), replicates=(4,), answer=record.answer)


def test_deciders_read_aloud() -> None:
    assert Recorded(trace="out/x").aloud() == "the decisions recorded in out/x"
    assert HASH.aloud() == "the language model fake:hash, answering by exact readout"
    assert PositionOnly().aloud() == "a rule that looks at the place alone, fading over 5 places"


def test_a_decider_that_says_it_writes_and_cannot_is_refused() -> None:
    class Mute(Rule):
        kind: Literal["test-mute"] = "test-mute"

        @property
        def writes(self) -> bool:
            return True

        def weights(self, questions: Questions) -> Reals:
            return np.ones(questions.items.shape)

    spec = Microspec(
        world=Feed.of(3),
        population=Population(groups=(Group(count=2, decides=Mute()),)),
        communication=Complete(messages=5),
    )
    with pytest.raises(AnswerError, match="Mute says that it writes, but has no method write"):
        grown(spec)
