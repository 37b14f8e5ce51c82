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
        ("turns", {"steps": 3}, ["a kind is needed; allowed: asynchronous, sequential"]),
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


PROBLEMS: list[tuple[dict[str, Any], str]] = [
    (
        {"visibility": {"fields": {"like": "hidden"}}},
        "visibility.fields.like: the world 'feed' has no such field; allowed: likes. "
        "Did you mean 'likes'?",
    ),
    (
        {"visibility": {"top": 5}},
        "visibility.top: 5 given, but there are 4 items; at most 4",
    ),
    (
        {"visibility": {"latency": 2}},
        "visibility.latency: 2 given, but the run has 1 step, so nothing would ever be seen; "
        "lengthen turns.steps or hide the fields",
    ),
    (
        {"communication": "ring"},
        "visibility.whose: 'all' given, but communication is 'ring', where not everyone reaches "
        "everyone; set visibility.whose to 'neighbours'",
    ),
    (
        {"visibility": {"whose": "neighbours"}},
        "visibility.whose: 'neighbours' given, but in 'complete' communication all are neighbours; "
        "set it to 'all', or choose another communication",
    ),
    (
        {
            "communication": {"kind": "complete", "representation": "acts"},
            "affordances": {"presentation": "one at a time"},
        },
        "communication.representation: 'acts' given, but with affordances.presentation 'one at a "
        "time' a reader judges one item and sees only its counts; set it to 'counts'",
    ),
    (
        {"visibility": {"order": {"kind": "fixed", "items": [0, 1, 2]}}},
        "visibility.order.items: must name each of the 4 items (0 to 3) once; given 3 entries",
    ),
    (
        {"visibility": {"order": {"kind": "engineered", "pinned": [4]}}},
        "visibility.order.pinned: [4] given; allowed: different items from 0 to 3",
    ),
    (
        {"visibility": {"order": {"kind": "engineered", "pinned": [1, 1]}}},
        "visibility.order.pinned: [1, 1] given; allowed: different items from 0 to 3",
    ),
    (
        {
            "visibility": {
                "order": {
                    "kind": "engineered",
                    "pinned": [1],
                    "rest": {"kind": "fixed", "items": [9]},
                }
            }
        },
        "visibility.order.items: must name each of the 4 items (0 to 3) once; given 1 entries",
    ),
    (
        {"communication": {"kind": "star", "hub": 3}, "visibility": {"whose": "neighbours"}},
        "communication.hub: 3 given, but there are 3 agents (0 to 2)",
    ),
    (
        {
            "communication": {"kind": "edges", "pairs": [[0, 7]]},
            "visibility": {"whose": "neighbours"},
        },
        "communication.pairs: [(0, 7)] given, but agents are 0 to 2",
    ),
    (
        {
            "communication": {"kind": "edges", "pairs": [[1, 1]]},
            "visibility": {"whose": "neighbours"},
        },
        "communication.pairs: [(1, 1)] given, but a tie is between two agents; leave it out",
    ),
    (
        {"communication": {"kind": "ring", "k": 2}, "visibility": {"whose": "neighbours"}},
        "communication.k: 2 on each side given, but there are 3 agents; at most 1",
    ),
    (
        {"communication": "watts-strogatz", "visibility": {"whose": "neighbours"}},
        "communication.k: 4 given, but there are 3 agents; at most 2",
    ),
    (
        {
            "communication": {"kind": "barabasi-albert", "m": 3},
            "visibility": {"whose": "neighbours"},
        },
        "communication.m: 3 given, but there are 3 agents; at most 2",
    ),
    (
        {
            "turns": {"kind": "sequential", "order": "endogenous"},
            "population": {"groups": [{"decides": "random"}]},
        },
        "turns.order: 'endogenous' given, but one agent alone has nobody to name",
    ),
    (
        {"turns": {"kind": "asynchronous", "rates": [1.0, 2.0]}},
        "turns.rates: 2 given for 1 group; give one for all or one for each group",
    ),
    (
        {"affordances": {"acts": ["lik"]}},
        "affordances.acts: the world has no act 'lik'; allowed: like. Did you mean 'like'?",
    ),
    (
        {"affordances": {"choose": "up to", "most": 5}},
        "affordances.most: 5 given, but 4 items are shown; at most 4",
    ),
    (
        {
            "world": {"kind": "feed", "headlines": [str(n) for n in range(27)]},
            "affordances": {"labels": "letters"},
        },
        "affordances.labels: 'letters' given for 27 options; letters name at most 26; use 'codes', "
        "or set visibility.top",
    ),
    (
        {"affordances": {"scoring": "shown"}},
        "affordances.scoring: 'shown' given, but the world 'feed' scores nothing here; set a reward",
    ),
    (
        {
            "population": {"groups": [{"decides": "model"}]},
            "affordances": {"choose": "any"},
        },
        "population.groups.0.decides: a language model cannot say by one answer which of a list it "
        "would take; set affordances.presentation to 'one at a time', or affordances.choose to "
        "'up to'",
    ),
    (
        {
            "population": {"groups": [{"decides": {"kind": "model", "readout": "sample"}}]},
            "affordances": {"choose": "up to", "most": 2},
        },
        "population.groups.0.decides: a sampled answer names one option; set affordances.picks to "
        "'one by one', readout to 'exact', or affordances.choose to 'one'",
    ),
    (
        {"affordances": {"picks": "one by one"}},
        'picks: "one by one" given, but choose is "one"; set choose to "up to"',
    ),
    ({"affordances": {"most": 2}}, 'most: 2 given, but choose is "one"; set choose to "up to"'),
    (
        {"population": {"groups": [{"decides": "random"}, {"decides": "random"}]}},
        "each group needs a name of its own; given twice: ['agents']",
    ),
    (
        {"communication": {"kind": "watts-strogatz", "k": 3}},
        "k: 3 given; allowed: even numbers, half on each side",
    ),
    (
        {"visibility": {"fields": {"likes": {"kind": "bucketed", "edges": [5, 2]}}}},
        "edges must rise; given [5.0, 2.0]",
    ),
    (
        {"world": {"kind": "feed", "headlines": ["a", "b"], "likes": [1]}},
        "likes: 1 given for 2 headlines; give one for each, or none",
    ),
]


@pytest.mark.parametrize(("parts", "message"), PROBLEMS, ids=[words[:40] for _, words in PROBLEMS])
def test_what_makes_no_sense_is_refused_in_these_words(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        small(**parts)
    assert message in str(caught.value)
    tree = json.loads(small().to_json()) | parts
    with pytest.raises(SpecificationError) as read:
        Microspec.from_json(json.dumps(tree))
    assert message in str(read.value)


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
