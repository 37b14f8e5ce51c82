"""Information cascades as they are grown, beside the closed forms: the interval is over runs."""

from typing import Literal

import numpy as np
import pytest

from cloudchamber.agents import Bayesian, OwnSign, Quantal, Rule, Society, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.measures import MEASURES
from cloudchamber.measures.cascades import right_by_place
from cloudchamber.mechanism import Logit, Signal
from cloudchamber.microspec import (
    Communication,
    Complete,
    Decider,
    Display,
    Exact,
    Group,
    Hidden,
    Microspec,
    Population,
    Sequential,
    Visibility,
)
from cloudchamber.trace import Trace
from cloudchamber.validation.closed_forms import cascade_shares
from cloudchamber.validation.closed_forms import right_by_place as right_at
from cloudchamber.worlds import Cascade

AGENTS, RUNS, P = 20, 2000, 2 / 3
SIGHTS: dict[str, tuple[Communication, Display]] = {
    "none": (Complete(), Hidden()),
    "last": (Complete(representation="acts", last=1), Hidden()),
    "all": (Complete(representation="acts", last=AGENTS), Hidden()),
    "counts": (Complete(), Exact()),
}


def grown(rule: Decider, sight: str, runs: int = RUNS) -> Trace:
    talk, shown = SIGHTS[sight]
    spec = Microspec(
        world=Cascade(precision=P),
        population=Population(groups=(Group(name="people", count=AGENTS, decides=rule),)),
        communication=talk,
        visibility=Visibility(fields={"choices": shown}),
        turns=Sequential(steps=1),
    )
    trace = Trace()
    decide(grow(spec, Runs(5, np.arange(runs), np.arange(1, runs + 1)), trace), Society(spec))
    return trace


def near(trace: Trace, name: str, expected: float, wide: float = 3.5) -> None:
    numbers = MEASURES[name](trace)
    error = max(float(numbers.std()), 0.02) / len(numbers) ** 0.5
    assert abs(float(numbers.mean()) - expected) < wide * error, (name, numbers.mean(), expected)


@pytest.mark.parametrize("rule", [Bayesian(), Bayesian(tie="own sign"), OwnSign()])
def test_who_sees_nobody_is_as_right_as_a_sign(rule: Rule) -> None:
    trace = grown(rule, "none")
    near(trace, "accuracy", P)
    near(trace, "against own sign", 0)
    # The second half alike: ten choices of one kind.
    near(trace, "share of cascades", P**10 + (1 - P) ** 10)


@pytest.mark.parametrize("sight", ["all", "counts"])
@pytest.mark.parametrize("tie", ["coin", "own sign"])
def test_bayesians(sight: str, tie: Literal["coin", "own sign"]) -> None:
    trace = grown(Bayesian(tie=tie), sight)
    # The second half is alike where a cascade begins at the latest with its first two.
    half = cascade_shares(P, AGENTS // 2 + 2, tie)
    near(trace, "share of cascades", half.right + half.wrong)
    near(trace, "share of wrong cascades", half.wrong)
    near(trace, "share of wrong majorities", half.wrong)
    table = right_by_place(trace)
    expected = [right_at(P, place, tie) for place in range(AGENTS)]
    error = table.std() / RUNS**0.5
    assert (((table.mean() - expected) / error).abs() < 4).all()


def test_who_sees_the_whole_sequence_and_who_sees_counts_decide_alike() -> None:
    numbers = [
        MEASURES["share of wrong cascades"](grown(Bayesian(), sight, 200))
        for sight in ("all", "counts")
    ]
    assert numbers[0].equals(numbers[1]), "the same noise, the same evidence, the same choices"


def test_sight_of_the_choice_before_alone_makes_nobody_more_right() -> None:
    near(grown(Bayesian(), "last"), "accuracy", P)


def test_cascades_of_who_errs_break() -> None:
    """Goeree et al. 2007: fewer last, and later choices are more often right than earlier ones."""
    trace = grown(Quantal(strength=5.0), "counts")
    assert MEASURES["share of cascades"](trace).mean() < 0.6
    table = right_by_place(trace).mean()
    assert table.iloc[15:].mean() > table.iloc[:5].mean() + 0.02


def test_a_mechanism_in_the_agents_place() -> None:
    """Log-odds pooling: with no weight on others' choices it is as right as a sign, with some it herds."""
    own = Signal(field="sign", form="linear", strength=50.0)
    near(grown(Logit(terms=(own,)), "counts", 500), "accuracy", P)
    heeding = Logit(terms=(own, Signal(field="choices", form="linear", strength=40.0)))
    trace = grown(heeding, "counts", 500)
    near(trace, "share of wrong cascades", cascade_shares(P, 12, "own sign").wrong)
