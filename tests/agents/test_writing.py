"""Language models that write: what they are asked, under which draw, and what becomes of what they say."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import LanguageModel, Recorded, Writer
from cloudchamber.agents.recorded import Record
from cloudchamber.errors import AnswerError, SpecificationError
from cloudchamber.experiment import Driver
from cloudchamber.experiment.design import Cell, Design
from cloudchamber.microspec import (
    Complete,
    Group,
    Microspec,
    Notes,
    Population,
    Sequential,
    Simultaneous,
    Window,
)
from cloudchamber.microspec.world import Glimpse, Prompt
from cloudchamber.models import Request, open_model
from cloudchamber.models.embedded.fetch import FILE, SIZE, cache_folder
from cloudchamber.models.fake import HOSTILE, fake
from cloudchamber.testing import grown
from cloudchamber.testing.seen import seen_by
from cloudchamber.trace import Trace, TraceFolder
from cloudchamber.trace.tables import Kind, Readout, Status
from cloudchamber.worlds import Cournot, Feed

FETCHED = (cache_folder() / FILE).is_file() and (cache_folder() / FILE).stat().st_size == SIZE
READS = LanguageModel(model="m", temperature=0.7)


def spec_of(**parts: Any) -> Microspec:
    known = {
        "world": Feed(headlines=("Sun", "Rain")),
        "population": Population(groups=(Group(count=2, decides=READS),)),
        "communication": Complete(messages=20),
        "memory": Notes(names=("plans", "insights"), words=40, k=1),
        "turns": Simultaneous(steps=2),
    }
    return Microspec(**(known | parts))


def asked(spec: Microspec, replicates: tuple[int, ...] = (0,)) -> list[tuple[Request, int]]:
    model = fake("hash")
    grown(spec, models={"m": model}, replicates=replicates)
    return model.asked


def test_what_a_text_is_asked_for_with() -> None:
    texts = [request for request, _ in asked(spec_of()) if not request.options]
    assert len(texts) == 2 * 2 * 3
    assert {request.max_tokens for request in texts} == {38, 68}, "half as many again, and some"
    assert {(one.temperature, one.prefix, one.sampled) for one in texts} == {(0.7, "", False)}
    sampled = spec_of().replace("population.groups[0].decides.readout", "sample")
    again = [request for request, _ in asked(sampled) if not request.options]
    assert again[0] == texts[0], "how choices are read off is nothing to a text"


def test_each_text_has_a_draw_of_its_own_whatever_the_cell() -> None:
    draws = [draw for request, draw in asked(spec_of(), (0, 1)) if not request.options]
    assert len(set(draws)) == len(draws) == 2 * 2 * 2 * 3
    late = spec_of().replace("visibility.latency", 1)
    assert [draw for request, draw in asked(late, (0, 1)) if not request.options] == draws


def test_what_is_told() -> None:
    trace = grown(spec_of(), models={"m": fake("hash")})
    told = [one for place, one in sorted(seen_by(trace).items()) if place[:3] == (1, 0, 1)]
    message, choice, plans, _ = told
    words = {
        (row["agent"], row["step"], row["kind_y"]): row["content"]
        for _, row in trace.frame("decisions").merge(trace.frame("texts"), on="text").iterrows()
    }
    assert message.prompt == "\n".join(
        [
            "You are a reader browsing a news feed.",
            "",
            f"Reader 1 wrote (1 round ago): {words[1, 0, 'message']}",
            f"Your plans (written 1 round ago): {words[0, 0, 'own plans']}",
            f"Your insights (written 1 round ago): {words[0, 0, 'own insights']}",
            "",
            *message.prompt.splitlines()[6:9],
            "",
            "Write a message to those who can hear you, in at most 20 words. It will be shown before "
            "decisions are made. Answer with the message and nothing else.",
        ]
    )
    assert message.prompt.splitlines()[6].startswith("You liked (1 round ago): ")
    assert choice.prompt.splitlines()[2] == f"Reader 1 wrote (just now): {words[1, 1, 'message']}"
    assert choice.prompt.endswith("The item I like most is ")
    assert plans.prompt.endswith(
        "Write your plans, in at most 40 words. You will be shown what you write when you next decide, in "
        "place of what you wrote before. Answer with the text and nothing else."
    )
    assert "You liked (just now): " in plans.prompt


def test_amounts_are_asked_for_with_what_was_written() -> None:
    """The two firms of the published market, with plans and insights, told the other's message."""
    firms = Population(groups=(Group(name="firms", count=2, decides=READS),))
    spec = spec_of(
        world=Cournot(),
        population=firms,
        affordances={"choose": "amount"},
        communication=Complete(messages=9),
    )
    trace = grown(spec, models={"m": fake("hash")})
    told = {place: one for place, one in seen_by(trace).items() if place[:3] == (1, 0, 1)}
    amounts = [one for one in told.values() if one.amounts]
    (one,) = amounts
    assert one.prompt.count("Firm 1 wrote (just now): ") == 2, "once for each good"
    assert one.prompt.count("Your plans (written 1 round ago): ") == 2
    assert "profit" in one.prompt and "One unit of product A costs you 40." in one.prompt
    (message,) = [one for one in told.values() if "Write a message" in one.prompt]
    assert "One unit of product B costs you 50." in message.prompt
    assert (
        "How many units" not in message.prompt and "Answer with one of these" not in message.prompt
    )


@pytest.mark.parametrize(
    ("kind", "status"),
    [("refuse", Status.refused), ("garbage", Status.unparseable), ("timeout", Status.timeout)],
)
def test_who_does_not_write_says_nothing_and_the_run_goes_on(kind: str, status: Status) -> None:
    trace = grown(spec_of(), models={"m": fake(kind)})
    made = trace.columns("decisions")
    assert (made["status"] == status).all() and not made["text"].any()
    kinds = set(trace.columns("texts")["kind"])
    assert not kinds & {"message", "own plans"}, "what was refused is passed on to nobody"
    assert ("completion" in kinds) == (kind != "timeout"), "but is kept"


def test_hostile_texts_stay_one_line_and_end_no_turn() -> None:
    trace = grown(spec_of(), models={"m": fake("hostile")})
    prompts = [one.prompt for one in seen_by(trace).values() if "wrote (" in one.prompt]
    assert prompts
    for prompt in prompts:
        heard = [line for line in prompt.splitlines() if "<script>" in line]
        assert heard and all(line.startswith(("Reader ", "Your ")) for line in heard)
        assert not {"\x1b", "\x00", "\u202e"} & set(prompt)
        labels = [line.split(":")[0] for line in prompt.splitlines() if line[:2].isdigit()]
        assert len(labels) == 2, "no option is faked"
    assert "\n12:" in HOSTILE


def replayed(trace: Trace, spec: Microspec) -> Trace:
    record = Record(trace.columns("decisions"), {1: 0}, trace.columns("texts"))
    return grown(spec, answer=record.answer)


def test_a_record_writes_what_was_written() -> None:
    spec = spec_of(turns=Sequential(steps=2))
    trace = grown(spec, models={"m": fake("hash")})
    again = replayed(trace, spec)
    for name in ("text", "decision", "agent", "kind", "choice"):
        assert np.array_equal(trace.columns("decisions")[name], again.columns("decisions")[name])
    shown, now = trace.columns("exposures"), again.columns("exposures")
    assert np.array_equal(shown["text"], now["text"]) and shown["text"].any()
    made = again.columns("decisions")
    assert set(made["readout"].tolist()) == {Readout.recorded}
    with pytest.raises(
        AnswerError, match="which is not on record; give the columns of the table of texts"
    ):
        Record(trace.columns("decisions"), {1: 0})
    with pytest.raises(AnswerError, match="no answer on record for decision"):
        replayed(trace, spec.replace("turns.steps", 3))


def test_agents_of_an_earlier_trace_write_again(tmp_path: Path) -> None:
    people = Population(groups=(Group(name="readers", count=3, decides=Writer(strength=2.0)),))
    spec = spec_of(population=people)
    Driver(tmp_path / "t").grow(Design((Cell("it", spec),)), 2)
    before = TraceFolder(tmp_path / "t")
    again = spec.replace("population.groups[0].decides", Recorded(trace=str(tmp_path / "t")))
    assert again.population.groups[0].decides.writes
    Driver(tmp_path / "u").grow(Design((Cell("it", again),)), 2)
    after = TraceFolder(tmp_path / "u")
    columns = ["decision", "step", "agent", "kind", "choice", "text"]
    ours = before.decisions().sort_values(["run", "decision"])
    theirs = after.decisions().sort_values(["run", "decision"])
    for name in columns:
        assert sorted(ours[name].astype(str)) == sorted(theirs[name].astype(str)), name
    plain = spec_of(population=people, communication=Complete(), memory=Window(k=1))
    Driver(tmp_path / "v").grow(Design((Cell("it", plain),)), 1)
    assert not Recorded(trace=str(tmp_path / "v")).writes


class Silent(Feed):
    """A feed that does not say where it asks."""

    kind: Any = "silent"

    def prompt(self, glimpse: Glimpse) -> Prompt:
        told = super().prompt(glimpse)
        return Prompt(told.system, told.user, told.answers, told.begin)


def test_a_world_that_does_not_say_where_it_asks_cannot_ask_for_texts() -> None:
    spec = spec_of(world=Silent(headlines=("Sun", "Rain")))
    with pytest.raises(
        SpecificationError, match=r"'silent' was given, whose prompts do not say where"
    ):
        grown(spec, models={"m": fake("hash")})


@pytest.mark.slow
@pytest.mark.skipif(not FETCHED, reason="the embedded model has not been fetched on this machine")
def test_the_embedded_model_writes_and_reads() -> None:
    people = Population(groups=(Group(count=2, decides=LanguageModel()),))
    spec = spec_of(
        population=people, communication=Complete(messages=8), memory=Notes(words=8, k=0)
    )
    model = open_model("embedded", processes=1)
    try:
        trace = grown(spec, models={"embedded": model})
    finally:
        asyncio.run(model.close())
    made, texts = trace.columns("decisions"), trace.columns("texts")
    wrote = made["text"][made["kind"] == Kind.write]
    words = dict(zip(texts["text"], texts["content"], strict=True))
    assert len(wrote) == 8 and (made["status"] == Status.ok).all()
    assert all(1 <= len(words[text].split()) <= 8 for text in wrote)
    read = [one.prompt for one in seen_by(trace).values() if "wrote (just now): " in one.prompt]
    assert len(read) == 2 * 2 * 2, "for each decision, and for the note after it"
