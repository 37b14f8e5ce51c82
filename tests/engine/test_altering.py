"""Exposures altered from outside: what is recorded is what was shown, and rests on no decision of the run."""

from dataclasses import replace

import numpy as np
import pytest

from cloudchamber.agents import Random, SocialProof, Society, decide
from cloudchamber.engine import Alter, Runs, grow
from cloudchamber.errors import AnswerError
from cloudchamber.microspec import Complete, Group, Microspec, Population, Sequential, Window
from cloudchamber.questions import Heard, Questions
from cloudchamber.trace import Trace
from cloudchamber.worlds import Feed

SPEC = Microspec(
    world=Feed.of(6),
    population=Population(groups=(Group(name="all", count=5, decides=SocialProof()),)),
    communication=Complete(representation="acts", last=3),
    turns=Sequential(steps=2),
    memory=Window(k=2),
)


def grown(alter: Alter | None, spec: Microspec = SPEC) -> Trace:
    trace = Trace()
    decide(grow(spec, Runs(7, np.arange(2), np.arange(2)), trace, alter=alter), Society(spec))
    return trace


def raised(questions: Questions) -> Questions:
    """Nine more likes at the first place, for agent 2."""
    likes = questions.signals["likes"] + 0.0
    likes[questions.agent == 2, 0] += 9
    return replace(questions, signals={"likes": likes})


def test_an_alteration_that_changes_nothing_changes_nothing() -> None:
    plain = grown(None).digest()
    assert grown(lambda questions: questions).digest() == plain
    assert grown(lambda q: replace(q, items=q.items.copy())).digest() == plain


def test_what_is_recorded_is_what_was_shown_and_rests_on_no_decision() -> None:
    told = grown(raised, SPEC.replace("population.groups.0.decides", Random())).columns("exposures")
    plain = grown(None, SPEC.replace("population.groups.0.decides", Random())).columns("exposures")
    option = told["channel"] == 0
    changed = option & (told["signal_likes"] != plain["signal_likes"])
    assert changed.sum() == 2 * 2
    assert (told["position"][changed] == 1).all()
    assert (told["signal_likes"][changed] == plain["signal_likes"][changed] + 9).all()
    assert (told["origin"][changed] == -1).all() and (told["latency"][changed] == 0).all()
    for name in ("origin", "latency", "item"):
        assert (told[name][~changed] == plain[name][~changed]).all()


def test_answers_are_to_what_was_shown() -> None:
    made = grown(raised).columns("exposures")
    first = (made["channel"] == 0) & (made["position"] == 1) & (made["signal_likes"] >= 9)
    assert (made["probability"][first] > 0.3).all()


def test_what_is_heard_of_others_but_was_not_said_here_has_no_origin() -> None:
    def other(questions: Questions) -> Questions:
        heard = questions.heard
        item = np.where(heard.channel == 1, (heard.item + 1) % 6, heard.item)
        return replace(questions, heard=replace(heard, item=item))

    made = grown(other).columns("exposures")
    others, own = (made["channel"] == channel for channel in (1, 2))
    assert others.any() and (made["origin"][others] == -1).all()
    assert own.any() and (made["origin"][own] >= 0).all()


def test_nothing_but_what_is_shown_can_be_altered() -> None:
    def wild(questions: Questions) -> Questions:
        return replace(questions, group=questions.group + 3, decision=questions.decision + 1)

    assert grown(wild).digest() == grown(None).digest()


def test_as_many_rows_and_options_stay() -> None:
    with pytest.raises(AnswerError, match="as many"):
        grown(lambda questions: replace(questions, items=questions.items[:, 1:]))
    with pytest.raises(AnswerError, match="as many"):
        grown(lambda questions: replace(questions, heard=Heard.nothing(len(questions) + 1)))


def test_one_at_a_time_acts_are_on_the_items_shown() -> None:
    spec = SPEC.replace_all(
        {"affordances.presentation": "one at a time", "communication.representation": "counts"}
    )

    def reversed_order(questions: Questions) -> Questions:
        return replace(questions, items=questions.items[::-1])

    made = grown(reversed_order, spec)
    decisions, outcomes = made.columns("decisions"), made.columns("outcomes")
    acted = (decisions["value"] > 0) & (decisions["run"] == 0)
    last = (outcomes["run"] == 0) & (outcomes["step"] == 2)
    counted = np.bincount(decisions["choice"][acted], minlength=6)
    assert (outcomes["value"][last] == counted).all() and counted.sum()
