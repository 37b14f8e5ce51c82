"""The eight laws, each a check that raises AssertionError saying what broke it and where.

Each takes a microspecification and grows it small (one or two replicates, in memory). Language models
that are not given are replaced by fakes (see `growing.opened`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from cloudchamber import randomness
from cloudchamber.agents.recorded import Record
from cloudchamber.errors import RunFailed
from cloudchamber.microspec import Microspec
from cloudchamber.models.model import Model
from cloudchamber.questions import Answers, Questions
from cloudchamber.testing.fakes import Dawdling
from cloudchamber.testing.growing import SEED, grown, opened, run_of
from cloudchamber.testing.noise import independent_draws, paired, swappable
from cloudchamber.testing.oracle import expected
from cloudchamber.testing.rebuilding import decisions_of, rebuilt
from cloudchamber.testing.seen import exposures_of, seen_by, told
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Channel, Kind, Status

__all__ = [
    "complete",
    "determined",
    "failed_run_is_a_row",
    "independent_draws",
    "nothing_unseen",
    "paired",
    "provenance",
    "swappable",
]

Models = Mapping[str, Model] | None
REPLICATES = (0, 5)


def determined(spec: Microspec, models: Models = None, seed: int = SEED) -> None:
    """Law 1: equal traces, however the runs are batched, pooled and answered.

    The trace must be the same when grown again; in blocks of 1 and of 7 rows; when each replicate is
    grown alone; and, with language models, when replies arrive in random order, 1 or 64 at a time.
    """
    whole = grown(spec, seed=seed, replicates=REPLICATES, models=models)
    digest = whole.digest()
    for block in (1, 7):
        again = grown(spec, seed=seed, replicates=REPLICATES, models=models, block=block)
        _same(digest, again, whole, f"grown in blocks of {block} row(s)")
    alone = [grown(spec, seed=seed, replicates=(one,), models=models) for one in REPLICATES]
    _same(digest, Trace.concatenate(alone), whole, "with each replicate grown alone")
    backwards = grown(spec, seed=seed, replicates=REPLICATES[::-1], models=models)
    _same(digest, backwards, whole, "with the replicates pooled in another order")
    answering = opened(spec, models)
    for at_once in (1, 64) if answering else ():
        slow = {name: Dawdling(one, 3, at_once) for name, one in answering.items()}
        again = grown(spec, seed=seed, replicates=REPLICATES, models=slow)
        _same(digest, again, whole, f"with {at_once} request(s) at a time, replies in random order")


def _same(digest: str, other: Trace, whole: Trace, how: str) -> None:
    if other.digest() == digest:
        return
    before, after = seen_by(whole), seen_by(other)
    for place in sorted(before):
        if before[place] != after.get(place):
            raise AssertionError(
                f"not determined: {how}, the trace differs, first at {told(place)}:\n"
                f"  {before[place]}\n  {after.get(place)}"
            )
    raise AssertionError(f"not determined: {how}, the trace differs, in outcomes or statuses.")


def complete(spec: Microspec, models: Models = None, seed: int = SEED) -> None:
    """Law 2: the decisions alone, without any agent, rebuild the world's every recorded state."""
    trace = grown(spec, seed=seed, replicates=REPLICATES, models=models)
    outcomes, series = trace.columns("outcomes"), trace.columns("series")
    for replicate in REPLICATES:
        run = run_of(replicate)
        for step, state in rebuilt(spec, decisions_of(trace, run), seed, replicate):
            there = (outcomes["run"] == run) & (outcomes["step"] == step)
            item = outcomes["item"][there]
            assert np.array_equal(state.tally[0][item], outcomes["value"][there]), (
                f"not complete: after step {step} of replicate {replicate} the trace has the tallies "
                f"{outcomes['value'][there].tolist()}, but its decisions lead to "
                f"{state.tally[0][item].tolist()}."
            )
            there = (series["run"] == run) & (series["step"] == step)
            for name, value in zip(series["measure"][there], series["value"][there], strict=True):
                fact = state.more[str(name)][0]
                assert np.isclose(fact, value, equal_nan=True), (
                    f"not complete: after step {step} of replicate {replicate} the trace has {name} "
                    f"{value}, but its decisions lead to {fact}."
                )
    who = {run_of(one): one for one in REPLICATES}
    record = Record(trace.columns("decisions"), who, trace.columns("texts"))
    replayed = grown(spec, seed=seed, replicates=REPLICATES, answer=record.answer)
    again = replayed.columns("outcomes")
    assert all(np.array_equal(outcomes[name], again[name]) for name in outcomes), (
        "not complete: replaying the recorded decisions through the engine leads to other outcomes."
    )
    for run in map(run_of, REPLICATES):
        assert exposures_of(trace, run) == exposures_of(replayed, run), (
            f"not complete: replaying the decisions of run {run} shows the agents something else."
        )


def nothing_unseen(spec: Microspec, models: Models = None, seed: int = SEED) -> None:
    """Law 3: what an agent was not exposed to changes nothing of its answer's distribution.

    Some decisions are overruled and the rest grown again: every other decision that was shown the same
    must have the same distribution, and the same prompt. What was shown stands in the prompt, and
    headlines that were not shown do not.
    """
    before = grown(spec, seed=seed, models=models)
    baseline = seen_by(before)
    for round_ in range(2):
        touched: set[tuple[int, int]] = set()
        overrule = _Overruling(seed, round_, touched)
        after = seen_by(grown(spec, seed=seed, models=models, touch=overrule))
        for place, one in baseline.items():
            other = after.get(place)
            if other is None or one.exposures != other.exposures:
                continue
            assert one.distribution == other.distribution, (
                f"something unseen: {told(place)} was shown the same twice, {one.exposures}, but "
                f"answered from another distribution after other agents had acted otherwise:\n"
                f"  {one.distribution}\n  {other.distribution}"
            )
            assert one.prompt == other.prompt, (
                f"something unseen: {told(place)} was shown the same twice, but told otherwise:\n"
                f"{one.prompt}\n---\n{other.prompt}"
            )
    _in_the_prompts(spec, before)


class _Overruling:
    """Replaces a random third of the answers by another valid one, and of the texts by another."""

    def __init__(self, seed: int, round_: int, touched: set[tuple[int, int]]) -> None:
        self.seed, self.round, self.touched = seed, round_, touched

    def __call__(self, questions: Questions, answers: Answers) -> Answers:
        where = questions.address
        key = randomness.keys(
            self.seed, where.replicate, f"overrule/{self.round}", where.step, where.agent
        )
        chosen = randomness.uniforms(key, 1)[:, 0] < 0.34
        if questions.kind is Kind.write:
            told = zip(answers.texts or (), chosen, strict=True)
            texts = tuple(f"overruled {self.round}" if other else text for text, other in told)
            return replace(answers, texts=texts)
        if questions.kind is Kind.amount:
            assert questions.scale is not None and answers.amounts is not None
            amounts = answers.amounts.copy()
            amounts[chosen] = questions.scale.least
            return replace(answers, amounts=amounts)
        picks, may = answers.picks.copy(), questions.open()
        # Another first pick, the others dropped: valid whatever was allowed.
        picks[chosen, 1:] = -1
        if questions.kind is Kind.judge:
            picks[chosen, 0] = np.where(picks[chosen, 0] < 0, 0, -1)
        else:
            after = (
                np.arange(may.shape[1]) > picks[:, :1]
            )  # the next that may be picked, or the first
            picks[chosen, 0] = np.argmax(may * (1 + after), axis=1)[chosen]
        return replace(answers, picks=picks)


def _in_the_prompts(spec: Microspec, trace: Trace) -> None:
    words = spec.world.words()
    labels = spec.affordances.labels if spec.affordances.presentation == "list" else ""
    for place, one in seen_by(trace).items():
        if not one.prompt:
            continue
        shown = {int(str(e[2])) for e in one.exposures if int(str(e[2])) >= 0}
        lines = one.prompt
        for item in shown if words else ():
            assert words[item] in lines, (
                f"not told: {told(place)} was shown item {item}, but its prompt does not hold "
                f"{words[item]!r}:\n{one.prompt}"
            )
        for item, text in enumerate(words):
            unseen = item not in shown and not any(text in words[other] for other in shown)
            assert not (unseen and text in lines), (
                f"something unseen: {told(place)} was not shown item {item}, but its prompt holds "
                f"{text!r}:\n{one.prompt}"
            )
        for channel, _, _, _, label, _, signals in one.exposures:
            if channel == Channel.option and labels in ("codes", "numbers"):
                assert str(label) in lines, f"not told: label {label} is not in:\n{one.prompt}"
            assert labels != "words" or label == -1, f"label {label} was shown to nobody."
            for name, value in signals:  # type: ignore[attr-defined]
                text = value if isinstance(value, str) else f"{value:g}"
                assert text in lines, (
                    f"not told: {told(place)} was shown {name} = {text}, which does not occur "
                    f"in its prompt:\n{one.prompt}"
                )


def provenance(
    spec: Microspec, models: Models = None, seed: int = SEED, trace: Trace | None = None
) -> None:
    """Law 4: every exposure names where it came from, and it is what the past decisions amount to.

    An origin is the world (-1) or an earlier decision of the same run that acted on that item, by the
    source named, at least `latency` steps before. Beyond that, every exposure of every decision is
    worked out again by brute force from the table of decisions (`testing.oracle`) and must be equal.

    Args:
        spec: the microspecification.
        models: opened language models by name.
        seed: under which seed it is grown.
        trace: a trace of it that was grown before; its table of runs has replicate and seed.
    """
    if trace is None:
        trace = grown(spec, seed=seed, replicates=(0, 3), models=models)
    _origins(spec, trace)
    runs = trace.columns("runs")
    for run, replicate, under in zip(runs["run"], runs["replicate"], runs["seed"], strict=True):
        decisions = decisions_of(trace, int(run))
        wanted = expected(spec, decisions, int(under), int(replicate))
        found = exposures_of(trace, int(run))
        for number, rows in wanted.items():
            got = found.get(number, Counter())
            assert got == rows, (
                f"wrong exposures: decision {number} of run {run}, "
                f"{next(one for one in decisions if one.number == number)}.\n"
                "Rows are (channel, position, item, source, origin, latency, signals).\n"
                f"  shown without reason: {sorted(got - rows)}\n"
                f"  not shown: {sorted(rows - got)}"
            )
        surplus = sorted(set(found) - set(wanted))
        assert not surplus, f"exposures of decisions that run {run} did not take: {surplus[:5]}"


def _origins(spec: Microspec, trace: Trace) -> None:
    shown, texts = trace.columns("exposures"), trace.columns("texts")
    words = dict(zip(texts["text"].tolist(), texts["content"].tolist(), strict=True))
    past = {
        (int(run), one.number): one
        for run in trace.columns("runs")["run"]
        for one in decisions_of(trace, int(run))
    }
    for row in np.flatnonzero(shown["origin"] >= 0):
        run, number = int(shown["run"][row]), int(shown["decision"][row])
        now, origin = past[run, number], past.get((run, int(shown["origin"][row])))
        where = f"an exposure of decision {number} of run {run}"
        assert origin is not None, f"{where} names an origin that is no decision of the run."
        channel = Channel(int(shown["channel"][row]))
        when, at = (origin.step, origin.batch), (now.step, now.batch)
        picked, text = channel is Channel.picked, channel in (Channel.note, Channel.message)
        # What was written, and who writes, may be of the same batch: before it decides, or after it acted.
        early = (
            when == at if picked else when < at or (when == at and (text or now.kind is Kind.write))
        )
        assert origin.number < now.number and early, (
            f"{where} rests on decision {origin.number}, which is not "
            f"{'of the same batch' if picked else 'earlier'}."
        )
        assert now.step - origin.step == shown["latency"][row], (
            f"{where} has latency {shown['latency'][row]}, but its origin is "
            f"{now.step - origin.step} steps old."
        )
        own = channel in (Channel.picked, Channel.own, Channel.note)
        met = channel is Channel.met or (channel is Channel.message and spec.world.meets)
        assert own or met or now.step - origin.step >= spec.visibility.latency, (
            f"{where} shows an act {now.step - origin.step} steps after it, but visibility.latency "
            f"is {spec.visibility.latency}."
        )
        if text:
            assert origin.text and words[int(shown["text"][row])] == origin.text, (
                f"{where} shows a text that decision {origin.number} did not write."
            )
        else:
            assert int(shown["item"][row]) in origin.picks, (
                f"{where} shows item {shown['item'][row]}, which decision {origin.number} did not pick."
            )
        source = int(shown["source"][row])
        assert source in (-1, origin.agent), f"{where} names source {source}, not {origin.agent}."
        assert not own or origin.agent == now.agent, f"{where}: another's act is told as its own."


def failed_run_is_a_row(
    spec: Microspec, replicates: Sequence[int] = (0, 1), seed: int = SEED
) -> None:
    """Law 8, the engine's part: a failed answer ends the run with its name, stage and reason.

    The answer is never replaced: `RunFailed` is raised. And an answer that was refused, unparseable or
    late is an outcome: it is recorded with its status, picks nothing, and the run goes on.
    """
    asked: list[int] = []

    def failing(questions: Questions, answers: Answers) -> Answers:
        asked.append(len(questions))
        status = answers.statuses().copy()
        status[-1] = Status.failed
        return replace(answers, status=status, reasons=((len(status) - 1, "out of order"),))

    try:
        grown(spec, seed=seed, replicates=replicates, touch=failing)
    except RunFailed as error:
        assert error.run in range(len(replicates)), f"RunFailed names run {error.run} of the pool."
        assert error.stage and "out of order" in error.reason, (
            f"RunFailed does not say why: {error}"
        )
    else:
        assert not asked, "an answer failed, and the run went on as if it had not."
    for status in (Status.refused, Status.unparseable, Status.timeout):
        trace = grown(spec, seed=seed, replicates=replicates, touch=_None(status))
        decisions = trace.columns("decisions")
        assert (decisions["status"] == status).all(), f"{status.name} answers lost their status."
        assert (decisions["choice"] == -1).all(), (
            f"{status.name} answers were replaced by picks: {decisions['choice'].tolist()[:10]}"
        )
        outcomes = trace.columns("outcomes")
        opening = spec.opening(seed, np.asarray(replicates))
        began = spec.world.start(opening).tally
        row = {run_of(one): at for at, one in enumerate(replicates)}
        at = [row[run] for run in outcomes["run"].tolist()]
        assert np.array_equal(outcomes["value"], began[at, outcomes["item"]]), (
            f"{status.name} answers moved the world."
        )


class _None:
    """Every answer has a status, and no pick."""

    def __init__(self, status: Status) -> None:
        self.status = status

    def __call__(self, questions: Questions, answers: Answers) -> Answers:
        n = len(questions)
        return Answers(np.full((n, 1), -1, np.int32), status=np.full(n, self.status, np.int8))
