"""The readers' own mechanism comes out first among all that ship, on the herding study's full design.

450 choices of 48 items (`tests/mechanism/rivals.py`), read out exactly as an embedded model's are. What is
one and the same on a design is not told apart, and the design that would tell it is named.
"""

from collections import Counter

import pytest

from cloudchamber.mechanism import HeardEffect, Logit, compare, tell_apart
from tests.mechanism.rivals import RIVALS, cells, designed, ranked

QUICK = ("gate, more likes", "falling off, likes ignored", "falling off, rank")


@pytest.mark.parametrize("name", QUICK)
def test_the_true_mechanism_comes_out_first(name: str) -> None:
    found = ranked(name, 3, "distributions")
    assert found.first == 3 and not found.wrong, found


@pytest.mark.slow
@pytest.mark.parametrize("name", RIVALS)
def test_it_does_so_in_95_of_100(name: str) -> None:
    found = ranked(name, 100, "distributions")
    assert found.first >= 95 and found.wrong <= 5, found


def test_what_is_the_same_on_a_design_is_not_told_apart() -> None:
    """Where likes are hidden, any and more are one; where each decides once, own memory says nothing."""
    remembering = Logit(terms=(*RIVALS["falling off, likes ignored"].terms, HeardEffect()))
    rivals = {
        "any": RIVALS["falling off, any like"],
        "more": RIVALS["falling off, more likes"],
        "remembers": remembering,
    }
    told: Counter[str] = Counter()
    for data in designed("falling off, likes ignored", 5, likes="hidden"):
        found = compare(rivals, data, to="distributions")
        assert found.winner is None and found.simplest is None
        told.update(found.as_good)
    assert told == dict.fromkeys(rivals, 5)
    apart = tell_apart(rivals, cells("hidden")[0], replicates=3)
    assert apart.equal("as it is") == (("any", "more"), ("any", "remembers"), ("more", "remembers"))
    assert apart.best("any", "more") in ("with likes shown exactly", "with likes set beforehand")
