"""Notes and messages: who writes when, who reads what, and what is kept of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.agents import Random, Society, Writer
from cloudchamber.agents.rules import Rule
from cloudchamber.errors import AnswerError, RunFailed
from cloudchamber.microspec import (
    Affordances,
    Communication,
    Complete,
    Group,
    Meetings,
    Microspec,
    Notes,
    Population,
    Ring,
    Sequential,
    Simultaneous,
    Star,
    Turns,
    Visibility,
    Window,
)
from cloudchamber.questions import Answers, Questions
from cloudchamber.testing import grown
from cloudchamber.testing.toy import Toy
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Channel, Kind, Status
from cloudchamber.worlds import Feed


def spec_of(decides: Rule | None = None, agents: int = 3, **parts: Any) -> Microspec:
    known = {
        "world": Feed.of(3),
        "population": Population(groups=(Group(count=agents, decides=decides or Writer()),)),
        "communication": Complete(messages=9),
        "turns": Simultaneous(steps=3),
    }
    return Microspec(**(known | parts))


def diary(questions: Questions, answers: Answers) -> Answers:
    """Texts that say what they are: who wrote what at which step."""
    if questions.writing is None:
        return answers
    step, name = questions.address.step, questions.writing.name
    return Answers.written(f"{name} of {agent} at {step}" for agent in questions.agent)


Entry = tuple[int, int, str, str]
"""step, reader, what it was asked for, and a text that it was shown."""


def read_in(trace: Trace, channel: Channel, run: int = 1) -> list[Entry]:
    """What was read, in the order shown."""
    shown, made, texts = (trace.columns(name) for name in ("exposures", "decisions", "texts"))
    words = dict(zip(texts["text"], texts["content"], strict=True))
    about = {}
    for row in np.flatnonzero(made["run"] == run):
        kind = Kind(int(made["kind"][row])).name
        wrote = words.get(made["text"][row], "").partition(" of")[0]
        about[int(made["decision"][row])] = (
            int(made["step"][row]),
            int(made["agent"][row]),
            wrote or kind,
        )
    here = np.flatnonzero((shown["run"] == run) & (shown["channel"] == channel))
    here = here[np.lexsort((shown["position"][here], shown["decision"][here]))]
    return [(*about[int(shown["decision"][row])], words[shown["text"][row]]) for row in here]


def told(trace: Trace, channel: Channel, step: int, agent: int, what: str = "choose") -> list[str]:
    """The texts shown to an agent for one decision."""
    return [text for *who, text in read_in(trace, channel) if who == [step, agent, what]]


def test_all_write_before_any_decides_and_all_note_after_all_have_acted() -> None:
    trace = grown(spec_of(memory=Notes(names=("plans", "insights"), k=0)), touch=diary)
    made = trace.columns("decisions")
    kinds = [Kind(kind).name for kind in made["kind"][:12]]
    assert kinds == ["write"] * 3 + ["choose"] * 3 + ["write"] * 6
    assert made["agent"][:12].tolist() == [0, 1, 2] * 4
    assert (made["batch"] == 0).all()
    assert made["decision"].tolist() == list(range(36))
    likes = trace.columns("exposures")
    first_note = (likes["decision"] == 6) & (likes["channel"] == Channel.option)
    assert likes["signal_likes"][first_note].sum() == 3, (
        "a note is written after the batch has acted"
    )


def test_nobody_reads_a_message_of_its_batch_before_it_has_written_its_own() -> None:
    trace = grown(spec_of(), touch=diary)
    assert told(trace, Channel.message, 0, 1, "message") == []
    assert told(trace, Channel.message, 0, 1) == ["message of 0 at 0", "message of 2 at 0"]
    assert told(trace, Channel.message, 1, 1, "message") == [
        "message of 0 at 0",
        "message of 2 at 0",
    ]
    assert told(trace, Channel.message, 1, 1) == ["message of 0 at 1", "message of 2 at 1"]


def test_one_after_another_each_reads_what_was_written_last_by_each() -> None:
    trace = grown(spec_of(turns=Sequential(order="fixed", steps=2)), touch=diary)
    assert told(trace, Channel.message, 0, 0) == []
    assert told(trace, Channel.message, 0, 2) == ["message of 0 at 0", "message of 1 at 0"]
    # The oldest first: 2 spoke last in the step before, 0 just now.
    assert told(trace, Channel.message, 1, 1) == ["message of 2 at 0", "message of 0 at 1"]


@settings(max_examples=40)
@given(
    st.integers(0, 3),
    st.sampled_from([Simultaneous(steps=6), Sequential(order="random", steps=6)]),
)
def test_messages_are_as_late_as_acts_and_the_latest_of_each(latency: int, turns: Turns) -> None:
    late = Visibility(latency=latency)
    trace = grown(spec_of(agents=4, turns=turns, visibility=late), touch=diary)
    for step, agent, _, text in read_in(trace, Channel.message):
        source, _, when = text.removeprefix("message of ").partition(" at ")
        assert int(source) != agent
        if isinstance(turns, Simultaneous) and latency:
            assert step - int(when) == latency
        assert latency <= step - int(when) <= max(latency, 1)
    for step in range(latency + 1, 6):
        assert len(told(trace, Channel.message, step, 0)) == 3


def test_only_neighbours_are_heard() -> None:
    for talk, heard in (
        (Ring(k=1, messages=9), {1: {0, 2}, 4: {0, 3}}),
        (Star(hub=2, messages=9), {0: {2}, 2: {0, 1, 3, 4}}),
    ):
        near = Visibility(whose="neighbours")
        people = Population(groups=(Group(count=5, decides=Writer()),), placement="in order")
        trace = grown(spec_of(population=people, communication=talk, visibility=near), touch=diary)
        for reader, sources in heard.items():
            texts = told(trace, Channel.message, 1, reader)
            assert {int(text.split()[2]) for text in texts} == sources


def test_in_a_meeting_the_other_is_heard_and_nobody_else() -> None:
    spec = spec_of(
        agents=4, world=Toy(pairs="both", remembered=True), turns=Meetings(steps=2, at_once=True)
    )
    late = Visibility(latency=1)
    for one in (spec, spec.altered(visibility=late), spec.altered(turns=Meetings(steps=3))):
        trace = grown(one.altered(memory=Notes(k=0)), touch=diary)
        shown, made = trace.columns("exposures"), trace.columns("decisions")
        heard = shown["channel"] == Channel.message
        assert (shown["latency"][heard] == 0).all()
        assert np.bincount(shown["decision"][heard]).max() == 1
        when = zip(made["step"], made["batch"], strict=True)
        batch = dict(zip(made["decision"], when, strict=True))
        pairs = zip(shown["decision"][heard], shown["origin"][heard], strict=True)
        assert all(batch[reader] == batch[writer] for reader, writer in pairs)
        chose = (made["kind"] == Kind.choose).sum()
        assert heard.sum() == 2 * chose, "for the decision, and for the note after it"


def test_notes_are_their_authors_and_take_the_place_of_what_was_written_before() -> None:
    trace = grown(spec_of(memory=Notes(names=("plans", "insights"), k=0)), touch=diary)
    assert told(trace, Channel.note, 0, 1) == []
    assert told(trace, Channel.note, 0, 1, "insights") == ["plans of 1 at 0"]
    assert told(trace, Channel.note, 2, 1) == ["plans of 1 at 1", "insights of 1 at 1"]
    assert told(trace, Channel.note, 2, 1, "plans") == ["plans of 1 at 1", "insights of 1 at 1"]
    assert all(text.split()[2] == str(who) for _, who, _, text in read_in(trace, Channel.note))


def test_a_note_is_written_with_the_act_just_made_in_mind() -> None:
    trace = grown(spec_of(memory=Notes(k=1)), touch=diary)
    shown, made = trace.columns("exposures"), trace.columns("decisions")
    picks = dict(zip(made["decision"].tolist(), made["choice"].tolist(), strict=True))
    own = np.flatnonzero((shown["channel"] == Channel.own) & (shown["decision"] == 6))
    assert shown["item"][own].tolist() == [picks[3]]
    assert shown["latency"][own].tolist() == [0]


def test_plans_are_written_before_anybody_decides_and_shown_for_the_decision() -> None:
    """As published for markets: with what came of past rounds in mind, and nothing of this one."""
    plans = Notes(names=("plans", "insights"), k=1, when="before")
    trace = grown(spec_of(memory=plans), touch=diary)
    made, shown = trace.columns("decisions"), trace.columns("exposures")
    kinds = [Kind(kind).name for kind in made["kind"][:12]]
    assert kinds == ["write"] * 9 + ["choose"] * 3 and made["agent"][:12].tolist() == [0, 1, 2] * 4
    assert told(trace, Channel.message, 0, 1, "plans") == ["message of 0 at 0", "message of 2 at 0"]
    assert told(trace, Channel.note, 0, 1, "plans") == []
    assert told(trace, Channel.note, 0, 1, "insights") == ["plans of 1 at 0"]
    assert told(trace, Channel.note, 1, 1, "plans") == ["plans of 1 at 0", "insights of 1 at 0"]
    assert told(trace, Channel.note, 1, 1) == ["plans of 1 at 1", "insights of 1 at 1"]
    own = shown["channel"] == Channel.own
    assert (shown["latency"][own] == 1).all(), "the act of the round before is the newest there is"
    about = np.isin(shown["decision"], np.flatnonzero(made["step"] == 1)) & ~own
    likes = shown["signal_likes"][about & (shown["channel"] == Channel.option)]
    assert likes.sum() == 3 * 12, "of three acts, in each of twelve"


@pytest.mark.parametrize("status", [Status.refused, Status.timeout, Status.unparseable])
def test_who_writes_nothing_leaves_what_it_wrote_before(status: Status) -> None:
    def fails(questions: Questions, answers: Answers) -> Answers:
        said = diary(questions, answers)
        if questions.writing is None or questions.address.step != 1:
            return said
        return replace(said, status=np.where(questions.agent == 0, status, 0).astype(np.int8))

    trace = grown(spec_of(memory=Notes(k=0)), touch=fails)
    assert told(trace, Channel.message, 1, 1) == ["message of 0 at 0", "message of 2 at 1"]
    assert told(trace, Channel.note, 2, 0) == ["notes of 0 at 0"]
    made = trace.columns("decisions")
    lost = (made["kind"] == Kind.write) & (made["step"] == 1) & (made["agent"] == 0)
    assert (made["status"][lost] == status).all() and (made["text"][lost] == 0).all()
    assert lost.sum() == 2


def test_a_text_that_fails_fails_the_run() -> None:
    def fails(questions: Questions, answers: Answers) -> Answers:
        if questions.writing is None:
            return answers
        return replace(answers, status=np.full(len(questions), Status.failed, np.int8))

    with pytest.raises(RunFailed):
        grown(spec_of(), touch=fails)


def test_what_is_passed_on_is_clean_and_no_longer_than_allowed() -> None:
    def hostile(questions: Questions, answers: Answers) -> Answers:
        if questions.writing is None:
            return answers
        return Answers.written(["12: <b>\x1b[2J\nyou\u202e are " + "mine " * 99] * len(questions))

    trace = grown(spec_of(communication=Complete(messages=4)), touch=hostile)
    texts = trace.columns("texts")
    assert texts["content"].tolist() == ["12: <b>\ufffd[2J you\ufffd are"]
    assert texts["kind"].tolist() == ["message"]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda n: Answers.written([]), "0, 1. picks to 3 questions"),
        (
            lambda n: Answers(np.full((n, 1), -1, np.int32), texts=("one",)),
            "asked to write 3 texts and gave 1; give one a row",
        ),
        (lambda n: Answers(np.full((n, 1), -1, np.int32)), "3 texts and gave none"),
        (lambda n: Answers(np.zeros((n, 1), np.int32), texts=("",) * n), "picked an option where"),
    ],
)
def test_answers_that_are_no_texts(made: Callable[[int], Answers], why: str) -> None:
    def wrong(questions: Questions, answers: Answers) -> Answers:
        return answers if questions.writing is None else made(len(questions))

    with pytest.raises(AnswerError, match=why):
        grown(spec_of(), touch=wrong)


def test_who_cannot_write_is_not_asked_and_costs_nothing() -> None:
    rule = Random()
    with_texts = spec_of(rule, memory=Notes(k=2))
    without = spec_of(rule, communication=Complete(), memory=Window(k=2))
    assert grown(with_texts).digest() != "" and not rule.writes
    one, other = grown(with_texts), grown(without)
    for table in ("decisions", "exposures", "outcomes", "texts"):
        ours, theirs = one.columns(table), other.columns(table)
        assert ours.keys() == theirs.keys()
        assert all(
            np.array_equal(ours[n], theirs[n], equal_nan=n not in ("kind", "content")) for n in ours
        )
    assert not any((one.columns(table)["text"]).any() for table in ("decisions", "exposures"))


def test_of_a_mixed_population_those_write_who_can() -> None:
    groups = (Group(name="a", count=2, decides=Writer()), Group(name="b", decides=Random()))
    trace = grown(spec_of(population=Population(groups=groups), memory=Notes()))
    made = trace.columns("decisions")
    assert set(made["agent"][made["kind"] == Kind.write].tolist()) == {0, 1}
    heard = trace.columns("exposures")
    assert set(heard["source"][heard["channel"] == Channel.message].tolist()) == {0, 1}
    assert len(told(trace, Channel.message, 1, 2)) == 2


@pytest.mark.parametrize("choose", ["one", "any"])
def test_who_judges_options_one_by_one_writes_without_options(choose: Any) -> None:
    single = Affordances(presentation="one at a time", choose=choose)
    trace = grown(spec_of(affordances=single, memory=Notes(k=1)), touch=diary)
    made, shown = trace.columns("decisions"), trace.columns("exposures")
    texts = made["decision"][made["kind"] == Kind.write]
    assert len(texts) == 3 * 3 * 2
    about = np.isin(shown["decision"], texts)
    assert not (shown["channel"][about] == Channel.option).any()
    assert (shown["channel"][~about] == Channel.note).sum() == 2 * 3 * 3, "beside each judgement"


def test_a_writer_draws_its_words_apart_from_its_choice_and_heeds_what_it_reads() -> None:
    """Two agents, two items: P(the item that the other named) = e^s / (1 + e^s); binomial within 4 sd."""
    spec = spec_of(Writer(strength=1.5), agents=2, world=Feed.of(2), turns=Simultaneous())
    trace = grown(spec, replicates=range(2000))
    made, texts = trace.columns("decisions"), trace.columns("texts")
    words = dict(zip(texts["text"], texts["content"], strict=True))
    wrote = {}
    for row in np.flatnonzero(made["kind"] == Kind.write):
        wrote[made["run"][row], made["agent"][row]] = int(words[made["text"][row]][-1])
    rows = np.flatnonzero(made["kind"] == Kind.choose)
    chose = {(made["run"][row], made["agent"][row]): made["choice"][row] for row in rows}
    heeded = np.mean([chose[run, agent] == wrote[run, 1 - agent] for run, agent in chose])
    expected = np.exp(1.5) / (1 + np.exp(1.5))
    assert abs(heeded - expected) < 4 * np.sqrt(expected * (1 - expected) / 4000)
    own = np.mean([chose[key] == wrote[key] for key in chose])
    assert abs(own - 0.5) < 4 * np.sqrt(0.25 / 4000), "what it said does not bind it"


@pytest.mark.parametrize("talk", [Complete(messages=9), Ring(k=1, messages=9)])
def test_blocks_change_nothing(talk: Communication) -> None:
    whose = Visibility(whose="all" if talk.everyone else "neighbours", latency=1)
    spec = spec_of(agents=7, communication=talk, visibility=whose, memory=Notes(k=1))
    whole = grown(spec, replicates=(0, 1))
    assert all(grown(spec, replicates=(0, 1), block=n).digest() == whole.digest() for n in (1, 5))


def test_a_pool_of_rules_that_write_is_answered_at_once() -> None:
    assert Society(spec_of()).immediate
