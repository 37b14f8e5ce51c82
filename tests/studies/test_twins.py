"""Every cell of a study is told against a twin in which nothing of what others do is seen."""

import pytest

from cloudchamber.agents import Bayesian, LanguageModel, MajorityForce, Threshold
from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider

SEEN: dict[str, tuple[Decider | None, tuple[str, ...]]] = {
    "cascades": (Bayesian(), ("choices",)),
    "diffusion": (Threshold(), ("people",)),
    "dilemmas": (None, ("partner", "payoff")),
    "majority": (MajorityForce(), ("people",)),
    "public_goods": (None, ("contributed", "payoff")),
}
"""By study: a rule, if not the study's own, and what others' acts leave to be seen."""


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("name", SEEN)
def test_a_twin_sees_nothing_and_is_else_the_same(name: str, reads: bool, quick: bool) -> None:
    rule, fields = SEEN[name]
    study = load(name, quick=quick, decides=LanguageModel() if reads else rule)
    cells = study.combinations()
    assert cells
    for cell in cells:
        twin = study.null_of(cell)
        assert twin is not None and twin.spec.turns == cell.spec.turns
        assert twin.spec.communication.representation == "counts"
        assert not any(twin.spec.visibility.display(field).reveals for field in fields)
        assert twin.spec.population == cell.spec.population
