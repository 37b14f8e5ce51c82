"""The eight laws, over random microspecifications of every kind of regime."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from cloudchamber.microspec import Hidden, Microspec
from cloudchamber.testing import laws
from cloudchamber.testing.fakes import Flaky, fake
from cloudchamber.testing.strategies import specs

# Examples are small as they come; making a failing one smaller would take minutes.
unshrunk = settings(
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
few, some, many = (settings(unshrunk, max_examples=n) for n in (12, 30, 80))


@some
@given(specs())
def test_determined(spec: Microspec) -> None:
    laws.determined(spec)


@few
@given(specs(models=True))
def test_determined_with_models_whose_replies_arrive_in_any_order(spec: Microspec) -> None:
    laws.determined(spec)


@some
@given(specs())
def test_complete(spec: Microspec) -> None:
    laws.complete(spec)


@few
@given(specs(models=True))
def test_complete_with_models_that_refuse_at_times(spec: Microspec) -> None:
    flaky = {f"fake:{kind}": Flaky(fake(kind), "refused") for kind in ("hash", "uniform")}
    laws.complete(spec, flaky)


@some
@given(specs())
def test_nothing_unseen(spec: Microspec) -> None:
    laws.nothing_unseen(spec)


@some
@given(specs(models=True))
def test_nothing_unseen_and_everything_told_to_models(spec: Microspec) -> None:
    laws.nothing_unseen(spec)


@many
@given(specs())
def test_provenance(spec: Microspec) -> None:
    laws.provenance(spec)


@few
@given(specs(models=True))
def test_provenance_with_models(spec: Microspec) -> None:
    laws.provenance(spec)


@few
@given(specs())
def test_independent_draws(spec: Microspec) -> None:
    laws.independent_draws(spec)


@few
@given(specs())
def test_failed_run_is_a_row(spec: Microspec) -> None:
    laws.failed_run_is_a_row(spec)


@few
@given(specs())
def test_paired_under_changes_that_change_nothing(spec: Microspec) -> None:
    whole = spec.visibility.top or spec.world.items
    laws.paired(spec, spec.replace("visibility.top", whole), same=True)
    named = spec.replace("population.groups.0.personas", ["You are kind."])
    laws.paired(spec, named, same=True)


@few
@given(specs())
def test_paired_under_changes_that_change_something(spec: Microspec) -> None:
    hidden = spec.replace("visibility.fields.likes", Hidden())
    laws.paired(spec, hidden)
    laws.paired(spec, spec.replace("visibility.order", "popularity"))


def test_a_failed_answer_names_run_stage_and_reason() -> None:
    from cloudchamber.agents import LanguageModel
    from cloudchamber.errors import RunFailed
    from cloudchamber.microspec import Group, Population
    from cloudchamber.testing import grown
    from cloudchamber.worlds import Feed

    people = Population(groups=(Group(count=2, decides=LanguageModel(model="fake:fail")),))
    spec = Microspec(world=Feed.of(3), population=people)
    with pytest.raises(RunFailed, match="run 0 failed at answer: the fake always fails") as caught:
        grown(spec)
    assert (caught.value.run, caught.value.stage) == (0, "answer")
