"""Families: kinds register themselves, also those made outside the package."""

import json
from typing import Any, Literal

import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import Group, Memory, Microspec, Order, Population, Visibility
from cloudchamber.microspec.value import Family, FrozenDict
from cloudchamber.questions import Address, Ints, Reals
from cloudchamber.testing import check_regime
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
