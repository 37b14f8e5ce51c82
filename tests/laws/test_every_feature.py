"""The laws, over random microspecifications of a world in which whatever a world may have is switched on."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from cloudchamber.agents import Random
from cloudchamber.engine.ledger import Ledger
from cloudchamber.microspec import (
    Affordances,
    Asynchronous,
    Group,
    Meetings,
    Microspec,
    Population,
    Sequential,
    Simultaneous,
    Turns,
    Window,
)
from cloudchamber.testing import laws
from cloudchamber.testing.strategies import specs, toys
from cloudchamber.testing.toy import Toy

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


def settling(turns: Turns, k: int = 2) -> Microspec:
    """What acts led to is known when their step is over, and remembered."""
    return Microspec(
        world=Toy(shared=True, remembered=True, pairs="both" if turns.meets else ""),
        population=Population(groups=(Group(count=4, decides=Random()),)),
        turns=turns,
        memory=Window(k=k),
        affordances=Affordances(scoring="shown"),
    )


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize(
    "turns",
    [
        Sequential(steps=3),
        Simultaneous(steps=3),
        Asynchronous(steps=3, rates=(2.0,)),  # some act more often in a step than they remember
        Meetings(steps=3),
        Meetings(steps=3, at_once=True),
    ],
    ids=lambda turns: turns.aloud(),
)
def test_results_that_come_when_the_step_is_over(turns: Turns, k: int) -> None:
    for law in (laws.determined, laws.complete, laws.provenance, laws.nothing_unseen):
        law(settling(turns, k))


def test_results_that_never_come_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "settle", lambda *given: None)
    with pytest.raises(AssertionError, match="wrong exposures"):
        laws.provenance(settling(Sequential(steps=3)))
