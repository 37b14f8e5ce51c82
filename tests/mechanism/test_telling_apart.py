"""Which design tells rivals apart: found before any run is paid for, and true when it is grown."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism import (
    FallOff,
    Gate,
    Logit,
    Mechanism,
    Reinforcement,
    Signal,
    choices_of,
    compare,
    designs_of,
    tell_apart,
)
from cloudchamber.mechanism.telling_apart import TellingApart
from cloudchamber.microspec import Group, Meetings, Microspec, Population
from cloudchamber.testing import grown
from cloudchamber.worlds import NamingGame
from tests.mechanism.made import feed_spec

THRESHOLD = Logit(terms=(FallOff(rate=0.3), Signal(strength=1.5)))
SIZE = Logit(terms=(FallOff(rate=0.3), Signal(form="log", strength=0.8)))
BLIND = Logit(terms=(FallOff(rate=0.3),))
RIVALS: dict[str, Mechanism] = {"threshold": THRESHOLD, "size": SIZE, "blind": BLIND}
YES_OR_NO: Any = {"visibility": {"fields": {"likes": {"kind": "binary"}}}}


def found(**given: Any) -> TellingApart:
    return tell_apart(RIVALS, feed_spec(THRESHOLD, **YES_OR_NO), **given)


def test_what_is_equal_on_the_design_is_told_apart_by_another() -> None:
    """Where likes are shown as yes or no, any and size are one; shown as numbers, they are two."""
    apart = found()
    assert apart.equal("as it is") == (("threshold", "size"),)
    assert apart.runs("threshold", "size", "as it is") == np.inf
    best = apart.best("threshold", "size")
    assert best == "with likes set beforehand"
    assert 3 <= apart.runs("size", "threshold", best) < 60
    told = str(apart)
    assert f"tell them apart {best!r}; nothing does 'as it is'" in told
    table = apart.table()
    assert len(table) == 6 * len(apart.designs) and (table["nats a decision"] > -1e-9).all()


def test_of_nested_rivals_the_larger_one_shows() -> None:
    """When likes do nothing, whoever may weigh them predicts as well; else the blind one falls short."""
    apart = tell_apart(RIVALS, {"here": feed_spec(THRESHOLD)})
    kept = {(pair.true, pair.rival): pair for pair in apart.pairs}
    assert kept["blind", "threshold"].equal and kept["blind", "threshold"].runs == np.inf
    assert not kept["threshold", "blind"].equal
    assert apart.runs("threshold", "blind", "here") == kept["threshold", "blind"].runs < 60


def test_what_cannot_be_is_told_at_once() -> None:
    rivals = {"gate": Logit(terms=(Gate(width=2),)), "blind": BLIND}
    apart = tell_apart(rivals, {"here": feed_spec(BLIND)}, replicates=4)
    kept = {pair.true: pair for pair in apart.pairs}
    assert kept["blind"].divergence.value == np.inf and kept["blind"].runs == 1


def test_the_divergence_by_hand() -> None:
    """One decision at place 1 or 2 with probability p, told by a rival who knows no places."""
    one = Logit(terms=(FallOff(rate=1.0),))
    apart = tell_apart(
        {"place": one, "none": Logit()}, {"here": feed_spec(one, items=2)}, replicates=3
    )
    p = 1 / (1 + np.exp(-1))
    expected = p * np.log(2 * p) + (1 - p) * np.log(2 * (1 - p))
    told = next(pair for pair in apart.pairs if pair.true == "place")
    assert told.divergence.value == pytest.approx(expected, abs=1e-6)


def test_designs_near_a_given_one() -> None:
    spec = feed_spec(THRESHOLD)
    near = designs_of(spec)
    assert near["as it is"] == spec and len(set(near.values())) == len(near)
    assert "with likes shown exactly" not in near and "each judged alone" in near
    assert near["with likes set beforehand"].visibility.fields["likes"].kind == "seeded"
    meeting = Microspec(
        world=NamingGame(),
        population=Population(groups=(Group(count=4, decides=BLIND),)),
        turns=Meetings(steps=2),
    )
    assert "with five acts remembered" in designs_of(meeting)


def test_what_reinforcement_and_imitation_share_without_memory() -> None:
    """Two who are paid for saying the same: payoffs and what was met differ once acts are remembered."""
    rivals = {
        "payoffs": Logit(terms=(Reinforcement(strength=0.01),)),
        "imitation": Logit(terms=(Reinforcement(channel="met", result="", strength=0.8),)),
    }
    spec = Microspec(
        world=NamingGame(),
        population=Population(groups=(Group(count=8, decides=BLIND),)),
        turns=Meetings(steps=6),
    )
    apart = tell_apart(rivals, spec, replicates=6)
    assert apart.equal("as it is") == (("payoffs", "imitation"),)
    assert apart.best("payoffs", "imitation") == "with five acts remembered"


@pytest.mark.parametrize(
    ("rivals", "given", "message"),
    [
        ({"one": BLIND}, {}, "1 rivals"),
        (RIVALS, {"replicates": 1}, "1 replicates"),
        (RIVALS, {"groups": ["nobody"]}, "no group 'nobody'"),
    ],
)
def test_what_cannot_be_asked(rivals: Any, given: Any, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        tell_apart(rivals, {"here": feed_spec(BLIND)}, **given)


def test_unknown_names() -> None:
    apart = tell_apart(RIVALS, {"here": feed_spec(THRESHOLD)}, replicates=2)
    with pytest.raises(SpecificationError, match="no design 'there'"):
        apart.equal("there")
    with pytest.raises(SpecificationError, match="no rival 'sizes'"):
        apart.runs("sizes", "blind", "here")


@pytest.mark.slow
def test_as_many_runs_as_it_says_show_the_difference_as_often_as_it_says() -> None:
    """At 48 items with likes set beforehand: power 90 % at the runs it counts, by the picks alone."""
    spec = designs_of(feed_spec(THRESHOLD, items=48))["with likes set beforehand"]
    apart = tell_apart({"threshold": THRESHOLD, "size": SIZE}, {"seeded": spec}, replicates=24)
    runs = int(next(pair.runs for pair in apart.pairs if pair.true == "threshold"))
    shown, times = 0, 120
    data = choices_of(grown(spec, replicates=range(runs * times)))
    for number in range(times):
        some = data.among(data.runs[number * runs : (number + 1) * runs])
        told = compare({"threshold": THRESHOLD, "size": SIZE}, some, to="choices")
        shown += told.difference("threshold", "size").low > 0
    # Held-out scores pay for what is fitted, so a little less than 90 %.
    assert 0.75 <= shown / times <= 0.98, (runs, shown / times)
