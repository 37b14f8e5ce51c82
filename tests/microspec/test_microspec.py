"""The whole specification: JSON both ways, hash, replace, diff, schema, and every refusal's words."""

import copy
import json
import pickle
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from cloudchamber.agents import LanguageModel, Random, SocialProof
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import (
    Affordances,
    Exact,
    Group,
    Hidden,
    Microspec,
    Popularity,
    Population,
    Ring,
    Shuffled,
    Simultaneous,
    Visibility,
    diff,
)
from cloudchamber.testing.strategies import specs
from cloudchamber.worlds import Feed

lenient = settings(suppress_health_check=[HealthCheck.too_slow])


def small(**parts: Any) -> Microspec:
    known: dict[str, Any] = {
        "world": {"kind": "feed", "headlines": ["a", "b", "c", "d"]},
        "population": {"groups": [{"count": 3, "decides": "random"}]},
    }
    return Microspec.model_validate(known | parts) if not parts else Microspec(**(known | parts))


@lenient
@given(specs(models=True))
def test_json_both_ways(spec: Microspec) -> None:
    text = spec.to_json()
    again = Microspec.from_json(text)
    assert again == spec and hash(again) == hash(spec)
    assert again.to_json() == text and again.hash == spec.hash and len(spec.hash) == 64
    assert list(json.loads(text)) == sorted(json.loads(text))


@lenient
@given(specs(models=True))
def test_copies_and_pickles(spec: Microspec) -> None:
    """Worker processes are sent specifications."""
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert copy.deepcopy(spec) == spec
    assert pickle.loads(pickle.dumps(spec)).hash == spec.hash


@lenient
@given(specs(models=True))
def test_the_schema_accepts_every_specification(spec: Microspec) -> None:
    _validator().validate(json.loads(spec.to_json()))


@cache
def _validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(json.loads(Microspec.as_json_schema()))
    return jsonschema.Draft202012Validator(json.loads(Microspec.as_json_schema()))


def test_the_schema_lists_every_kind_and_no_missing_definition() -> None:
    schema = json.loads(Microspec.as_json_schema())
    text = json.dumps(schema)
    for kind in ("feed", "ring", "bucketed", "engineered", "asynchronous", "retrieval", "model"):
        assert f'"const": "{kind}"' in text
    wanted = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert wanted and wanted <= set(schema["$defs"])


def test_the_schema_refuses_what_the_specification_refuses() -> None:
    for path, value in (("turns", {"kind": "never"}), ("world", {}), ("affordances", {"most": 0})):
        tree = json.loads(small().to_json()) | {path: value}
        assert list(_validator().iter_errors(tree)), f"{path}: {value} passed"


@lenient
@given(specs(models=True))
def test_it_reads_aloud(spec: Microspec) -> None:
    lines = spec.aloud().splitlines()
    assert len(lines) == 7 and all(line.endswith(".") and len(line) > 15 for line in lines)


@lenient
@given(specs(), specs())
def test_diff_names_what_differs_and_only_that(one: Microspec, two: Microspec) -> None:
    assert diff(one, one) == ()
    assert bool(diff(one, two)) == (one != two) == (one.hash != two.hash)
    for change, back in zip(diff(one, two), diff(two, one), strict=True):
        assert (change.path, change.before, change.after) == (back.path, back.after, back.before)


def test_diff_reads_well() -> None:
    one = small()
    two = one.replace("visibility.fields.likes", "hidden").replace("population.groups.0.count", 5)
    assert [str(change) for change in diff(one, two)] == [
        "population.groups.0.count: 3 -> 5",
        'visibility.fields.likes.kind: absent -> "hidden"',
    ]


def test_of_long_parts_diff_prints_the_beginning() -> None:
    long = small().replace("world.headlines", [f"headline {n}" for n in range(60)])
    (change,) = diff(small(), long)
    assert len(str(change)) < 400 and str(change).endswith("... (60 entries)")
    assert change.after == [f"headline {n}" for n in range(60)]


def test_values_are_frozen_through_and_through() -> None:
    spec = small().replace("visibility.fields.likes", "hidden")
    with pytest.raises(Exception, match="frozen"):
        setattr(spec, "turns", Simultaneous(steps=2))  # noqa: B010
    fields: Any = spec.visibility.fields
    for change in (
        lambda: fields.update(likes=Exact()),
        lambda: fields.__setitem__("likes", Exact()),
        lambda: fields.__ior__({"likes": Exact()}),
        lambda: fields.pop("likes"),
        fields.clear,
    ):
        with pytest.raises(TypeError, match="does not change; make another with replace"):
            change()
    assert spec.visibility.fields == {"likes": Hidden()}


def test_replace_by_path() -> None:
    spec = small()
    assert spec.replace("visibility.latency", 1).visibility.latency == 1
    assert spec.replace("turns", "sequential").turns.kind == "sequential"
    assert spec.replace("turns", Simultaneous(steps=9)).turns.steps == 9
    assert spec.replace("population.groups.0.decides.base", 0.5) != spec
    assert spec.replace("population.groups[0].count", 8).population.count == 8
    seeded = {"kind": "seeded", "levels": [1, 2]}
    assert spec.replace("visibility.fields.likes", seeded).visibility.display("likes") != Exact()
    assert spec.replace("visibility.order", Popularity()).visibility.order == Popularity()
    assert spec == small(), "replace() leaves the original alone"
    assert spec.replace("visibility.top", 2).replace("visibility.top", None) == spec


def test_what_only_makes_sense_together_is_replaced_together() -> None:
    ring = {"communication": "ring", "visibility.whose": "neighbours"}
    for path, value in ring.items():
        with pytest.raises(SpecificationError):
            small().replace(path, value)
    for order in (list(ring.items()), list(ring.items())[::-1]):
        there = small().replace_all(dict(order))
        assert (there.communication.who(), there.visibility.whose) == (
            "agents on a ring hear the 1 nearest on each side",
            "neighbours",
        )
    turned = small().replace_all({"communication": "ring", "communication.directed": True} | ring)
    assert turned.communication == Ring(directed=True)
    with pytest.raises(SpecificationError, match=r"(?s)cannot set communication to 'ring' and .*k"):
        small().replace_all({"communication": "ring", "communication.kk": 2} | ring)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("visibility.latencie", 3, ["has no field 'latencie'", "Did you mean 'latency'?"]),
        ("visibilty.latency", 3, ["has no field 'visibilty'", "'visibility'"]),
        ("population.groups.4.count", 3, ["has no entry '4'", "allowed: 0 to 0"]),
        ("visibility.latency.more", 3, ["visibility.latency is 0 and has no parts"]),
        ("visibility.latency", "3", ["visibility.latency", "valid integer", "given: '3'"]),
        ("visibility.latency", True, ["visibility.latency", "valid integer"]),
        ("visibility.latency", 1.0, ["visibility.latency", "valid integer"]),
        ("visibility.latency", -1, ["greater than or equal to 0", "given: -1"]),
        ("turns", "simultanous", ["no kind 'simultanous'", "Did you mean 'simultaneous'"]),
        ("turns", {"steps": 3}, ["a kind is needed; allowed: asynchronous, meetings, sequential"]),
        ("turns.steps", 0, ["greater than or equal to 1"]),
        ("world.headlines", ["a"], ["at least 2"]),
        ("population.groups.0.decides", {"kind": "random", "x": 1}, ["x: no such field."]),
    ],
)
def test_a_replacement_that_does_not_fit(path: str, value: object, words: list[str]) -> None:
    with pytest.raises(SpecificationError) as caught:
        small().replace(path, value)
    for word in words:
        assert word in str(caught.value)


def test_every_error_at_once() -> None:
    tree = json.loads(small().to_json())
    tree["turns"]["steps"] = 0
    tree["visibility"]["latency"] = -2
    tree["affordances"]["speak"] = True
    del tree["world"]["headlines"]
    with pytest.raises(SpecificationError) as caught:
        Microspec.from_json(json.dumps(tree))
    text = str(caught.value)
    for line in ("steps: ", "visibility.latency: ", "affordances.speak: no such field."):
        assert line in text
    assert "headlines: a value is needed." in text


def test_not_json() -> None:
    with pytest.raises(SpecificationError, match="not JSON: Expecting"):
        Microspec.from_json("{'world': 1}")


def test_an_unknown_argument_is_met_with_the_near_ones() -> None:
    with pytest.raises(SpecificationError, match="latency.*Did you mean 'latency'"):
        Visibility(latencey=3)  # type: ignore[call-arg]


def test_whole_numbers_and_reals_have_one_form() -> None:
    one, two = Feed.of(2, quality=(1, 2)), Feed.of(2, quality=(1.0, 2.0))
    assert one == two and one.model_dump_json() == two.model_dump_json()
    zero, minus = SocialProof(strength=0.0), SocialProof(strength=-0.0)
    assert zero == minus and hash(zero) == hash(minus)


def test_the_parts_have_defaults() -> None:
    people = Population(groups=(Group(decides=Random()),))
    spec = Microspec(world=Feed.of(2), population=people)
    assert spec.visibility.order == Shuffled() and spec.affordances == Affordances()
    assert LanguageModel().model == "embedded"
