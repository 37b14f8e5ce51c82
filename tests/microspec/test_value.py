"""Families: kinds register themselves, also those made outside the package."""

import json
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings

from cloudchamber.agents import LanguageModel, TwoStage
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import (
    Affordances,
    Group,
    Memory,
    Microspec,
    Order,
    Population,
    Visibility,
)
from cloudchamber.microspec.value import Family, FrozenDict
from cloudchamber.questions import Address, Ints, Reals
from cloudchamber.testing import check_regime
from cloudchamber.testing.strategies import specs
from cloudchamber.worlds import Feed


def test_a_kind_of_ones_own_is_accepted_like_ours() -> None:
    class Backwards(Order):
        """The world's list from its end."""

        kind: Literal["test-backwards"] = "test-backwards"

        def rank(self, popularity: Reals, created: Reals, address: Address) -> Ints:
            import numpy as np

            rows, n = popularity.shape
            return np.tile(np.arange(n)[::-1], (rows, 1))

        def aloud(self) -> str:
            return "from the end"

    try:
        people = Population(groups=(Group(decides={"kind": "random"}),))  # type: ignore[arg-type]
        spec = Microspec(
            world=Feed.of(3), population=people, visibility=Visibility(order=Backwards())
        )
        assert spec.replace("visibility.order", "test-backwards") == spec
        assert Microspec.from_json(spec.to_json()) == spec
        assert "test-backwards" in Microspec.as_json_schema()
        check_regime(Backwards())
    finally:
        del Order.kinds["test-backwards"]


def test_a_family_keeps_its_kinds_to_itself() -> None:
    for root in Family.__subclasses__():
        for kind, made in root.kinds.items():
            assert issubclass(made, root) and made.model_fields["kind"].default == kind
    assert "shuffled" in Order.kinds and "shuffled" not in Memory.kinds


def test_equal_values_of_different_kinds_differ() -> None:
    from cloudchamber.agents import PositionOnly, Random

    assert len({Random(), Random(), PositionOnly()}) == 2


def test_a_bare_string_stands_for_a_kind_with_its_defaults() -> None:
    given: Any = "popularity"
    assert Visibility(order=given).order.kind == "popularity"
    wrong: Any = 3
    with pytest.raises(SpecificationError, match="order: a kind is needed; allowed: chronological"):
        Visibility(order=wrong)


def test_altered_validates_anew() -> None:
    seen = Visibility(top=3)
    assert seen.altered(latency=2) == Visibility(top=3, latency=2)
    with pytest.raises(SpecificationError, match="top"):
        seen.altered(top=0)


def test_a_frozen_dictionary_reads_like_any_other() -> None:
    frozen = FrozenDict({"a": 1})
    assert frozen == {"a": 1} and json.dumps(frozen) == '{"a": 1}' and frozen | {"b": 2}
    with pytest.raises(TypeError, match="does not change"):
        frozen["a"] = 2


def test_a_long_value_is_printed_short() -> None:
    feed = Feed.of(48, quality=(0.5,) * 48)
    assert (
        repr(feed)
        == str(feed)
        == (
            "Feed(headlines=('item 0', 'item 1', 'item 2', ... 48 in all), "
            "quality=(0.5, 0.5, 0.5, ... 48 in all))"
        )
    )
    assert repr(Feed(headlines=("a", "b" * 70))) == f"Feed(headlines=('a', '{'b' * 57}...'))"
    people = Population(groups=(Group(count=20, decides=TwoStage()),))
    told = repr(Microspec(world=feed, population=people))
    assert told == (
        f"Microspec(world={feed!r}, population=Population(groups=(Group(count=20, "
        "decides=TwoStage()),)))"
    )


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(specs())
def test_what_is_printed_is_what_would_be_typed(spec: Microspec) -> None:
    names: dict[str, Any] = {
        kind.__name__: kind for root in Family.__subclasses__() for kind in root.kinds.values()
    }
    names |= {kind.__name__: kind for kind in (Affordances, Group, Population, Visibility)}
    for part in (spec.communication, spec.visibility, spec.turns, spec.memory, spec.affordances,
                 spec.population):  # fmt: skip
        if "... " not in repr(part):
            assert eval(repr(part), dict(names)) == part


def test_a_notebook_shows_it_read_aloud_and_escaped() -> None:
    told = LanguageModel(instruction="<b>Be kind</b> & brief")
    page = Population(groups=(Group(decides=told),))._repr_html_()
    assert "&lt;b&gt;Be kind&lt;/b&gt; &amp; brief" in page and "<b>" not in page
    assert "a feed of 48 items that readers may like" in Feed.of(48)._repr_html_()


def test_a_name_that_a_class_does_not_have_is_answered_with_one_that_it_has() -> None:
    kind: Any = Feed
    with pytest.raises(AttributeError, match=r"class Feed has no 'off'; did you mean 'of'\?"):
        _ = kind.off
    with pytest.raises(AttributeError, match="class Feed has no 'zzz'$"):
        _ = kind.zzz
    with pytest.raises(AttributeError, match="'headlines' is a field of each Feed, not of the cl"):
        _ = kind.headlines
    with pytest.raises(AttributeError, match="'Feed' object has no attribute 'headline'"):
        _ = kind.of(3).headline
    assert not hasattr(kind, "__wrapped__")
