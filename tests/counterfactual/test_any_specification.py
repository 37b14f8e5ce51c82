"""Whatever is specified: cones are the whole, own exposures change nothing, acts move only what is later."""

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cloudchamber.agents.society import models_of
from cloudchamber.counterfactual import PastRuns, channels_of, cone, influence
from cloudchamber.counterfactual.channels import ORDER, taped
from cloudchamber.counterfactual.tape import Tape
from cloudchamber.experiment.in_memory import answering, grown_in_memory
from cloudchamber.microspec import Microspec
from cloudchamber.questions import Questions
from cloudchamber.testing.growing import opened
from cloudchamber.testing.strategies import feeds, specs, toys
from cloudchamber.trace.tables import Kind

some = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
WORLDS = feeds() | toys()


def past(spec: Microspec) -> PastRuns:
    models = opened(spec) if models_of(spec) else None
    runs = PastRuns(spec, (0, 3), seed=8, models=models)
    assume(any(len(block) for block in runs.past.tape.blocks))
    return runs


def without_first_signal(questions: Questions) -> Questions:
    return replace(questions, signals=dict(list(questions.signals.items())[1:]))


@some
@given(spec=specs(models=True, worlds=WORLDS), at=st.floats(0, 1, exclude_max=True))
def test_a_cone_is_the_whole_byte_for_byte(spec: Microspec, at: float) -> None:
    runs = past(spec)
    known = sorted({int(d) for one in runs.asked() for d in one.questions.decision})
    number = known[int(at * len(known))]
    for change in ({"force": {number: None}}, {"alter": {number: without_first_signal}}):
        some, whole = cone(runs, **change), cone(runs, **change, anew=True)
        assert some.trace.digest() == whole.trace.digest()
        assert some.asked <= whole.asked
    same = cone(runs, alter={number: lambda questions: questions})
    assert same.asked == 0 and same.trace.digest() == runs.past.trace.digest()


@some
@given(spec=specs(models=True, worlds=WORLDS))
def test_a_world_given_its_own_exposures_is_itself(spec: Microspec) -> None:
    runs, tape = past(spec), Tape()
    channels = [name for name in channels_of(spec) if name != ORDER or spec.visibility.top is None]
    with answering(runs.models) as answers:
        plain = grown_in_memory(spec, runs.runs, answers(spec), alter=tape.add)
        again = grown_in_memory(spec, runs.runs, answers(spec), alter=taped(channels, tape))
    assert again.digest() == plain.digest() == runs.past.trace.digest()


@some
@given(spec=specs(worlds=WORLDS))
def test_acts_move_what_is_later_and_shown(spec: Microspec) -> None:
    runs = past(spec)
    found = influence(runs)
    edges = found.edges()
    assert (edges["source"] < edges["decision"]).all()
    assert found.reached >= len(edges)
    kinds = {one.questions.kind for one in runs.asked()}
    assert Kind.next not in kinds
