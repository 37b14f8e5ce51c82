"""Perturbations: each touches one dimension of a specification, and says why where it cannot."""

from hypothesis import HealthCheck, given, settings

from cloudchamber.agents import LanguageModel, SocialProof, Writer
from cloudchamber.intervention import DIMENSIONS, battery
from cloudchamber.microspec import (
    Complete,
    Group,
    Microspec,
    Notes,
    Population,
    Sequential,
    Simultaneous,
    Window,
    diff,
)
from cloudchamber.testing.strategies import specs
from cloudchamber.worlds import Feed

TOUCHED = {
    "visibility": ("visibility.fields", "visibility.top"),
    "latency": ("visibility.latency",),
    "order": ("visibility.order",),
    "synchrony": ("turns",),
    "memory": ("memory",),
    "communication": ("communication", "visibility.whose"),
    "mix": ("population",),
    "labels": ("affordances.labels",),
    "paraphrase": ("world.wording",),
}


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(specs(models=True))
def test_each_touches_its_dimension_alone_and_something_of_it(spec: Microspec) -> None:
    found = battery(spec)
    for one in found.perturbations:
        changed = [change.path for change in diff(spec, one.change(spec))]
        assert changed
        outside = [path for path in changed if not path.startswith(TOUCHED[one.dimension])]
        assert not outside, f"{one.name} ({one.dimension}) changes {outside}"
    names = [one.name for one in found.perturbations]
    assert len(names) == len(set(names))
    told = {one.dimension for one in found.perturbations}
    assert told | found.left_out.keys() == DIMENSIONS.keys()
    assert not told & found.left_out.keys()


def small(**parts: object) -> Microspec:
    readers = Group(name="readers", count=12, decides=SocialProof())
    known = {"world": Feed.of(8), "population": Population(groups=(readers,))}
    return Microspec.model_validate(known | parts)


def test_of_a_feed_with_rules_everything_but_words_is_perturbed() -> None:
    found = battery(small(turns=Sequential(steps=6)))
    assert [one.name for one in found.perturbations] == [
        "hide likes",
        "bucket likes",
        "deal likes",
        "show only that there are likes",
        "show 4",
        "delay by 1",
        "delay by 3",
        "one order for all",
        "by popularity",
        "all at once",
        "at times of their own",
        "memory of the last 5",
        "memory as tallies",
        "neighbours on a ring",
        "neighbours in a small world",
        "others' latest acts are told",
        "a quarter choose at random",
        "half choose at random",
    ]
    assert found.left_out == {
        "labels": "nobody here reads: options need no labels",
        "paraphrase": "nobody here reads, or the world knows no other words",
    }


def test_one_step_is_too_short_for_a_delay() -> None:
    found = battery(small(turns=Simultaneous(steps=1)))
    assert "too short" in found.left_out["latency"]


def test_what_is_as_at_once_is_no_delay() -> None:
    found = battery(small(turns=Simultaneous(steps=6)))
    names = [one.name for one in found.perturbations if one.dimension == "latency"]
    assert names == ["delay by 2", "delay by 3"]


def test_readers_are_asked_under_other_labels_and_in_other_words() -> None:
    readers = Group(count=4, decides=LanguageModel(model="fake:hash"))
    found = battery(small(population=Population(groups=(readers,))))
    names = {one.dimension: one.name for one in found.perturbations}
    assert names["labels"] == "options called by numbers"
    assert names["paraphrase"] == "in other words: reworded"


def test_what_agents_write_is_taken_out_and_stays_where_networks_change() -> None:
    writers = Population(groups=(Group(count=12, decides=Writer()),))
    talk = Complete(messages=9)
    spec = small(population=writers, communication=talk, memory=Notes(k=3))
    found = {one.name: one.change(spec) for one in battery(spec).perturbations}
    assert found["no messages"] == spec.altered(communication=Complete())
    assert found["no notes"].memory == Window(k=3)
    assert found["neighbours on a ring"].communication.messages == 9
    quiet = {one.name for one in battery(small(memory=Window(k=3))).perturbations}
    assert not quiet & {"no messages", "no notes"}
