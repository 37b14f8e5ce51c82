"""The laws, over random microspecifications of a world in which whatever a world may have is switched on."""

from hypothesis import HealthCheck, Phase, given, settings

from cloudchamber.microspec import Microspec
from cloudchamber.testing import laws
from cloudchamber.testing.strategies import specs, toys

some = settings(
    max_examples=25,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
RULES = specs(worlds=toys())
MODELS = specs(worlds=toys(), models=True)


@some
@given(RULES)
def test_determined(spec: Microspec) -> None:
    laws.determined(spec)


@some
@given(MODELS)
def test_determined_with_models(spec: Microspec) -> None:
    laws.determined(spec)


@some
@given(RULES)
def test_complete(spec: Microspec) -> None:
    laws.complete(spec)


@some
@given(RULES)
def test_nothing_unseen(spec: Microspec) -> None:
    laws.nothing_unseen(spec)


@some
@given(MODELS)
def test_nothing_unseen_and_everything_told_to_models(spec: Microspec) -> None:
    laws.nothing_unseen(spec)


@some
@given(RULES)
def test_provenance(spec: Microspec) -> None:
    laws.provenance(spec)


@some
@given(MODELS)
def test_paired_with_itself(spec: Microspec) -> None:
    laws.paired(spec, spec, same=True)


@some
@given(MODELS)
def test_a_failed_run_is_a_row(spec: Microspec) -> None:
    laws.failed_run_is_a_row(spec)
