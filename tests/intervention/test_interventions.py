"""Each intervention changes the field it names and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings

from cloudchamber.agents import (
    Always,
    LanguageModel,
    LookUp,
    PositionOnly,
    Random,
    SocialProof,
    TwoStage,
)
from cloudchamber.errors import SpecificationError
from cloudchamber.intervention import (
    Intervention,
    bucket,
    delay,
    hide,
    instruct,
    isolate,
    let_decide,
    limit,
    mix_in,
    one_at_a_time,
    pin,
    shuffle_for_each_reader,
    uncommit,
)
from cloudchamber.microspec import (
    Affordances,
    Engineered,
    Group,
    Meetings,
    Microspec,
    Population,
    Sequential,
    Shuffled,
    Window,
    diff,
)
from cloudchamber.testing.growing import grown
from cloudchamber.testing.strategies import specs
from cloudchamber.trace.tables import SIGNAL, Channel
from cloudchamber.worlds import Feed, NamingGame


def spec(*groups: Group) -> Microspec:
    readers = groups or (Group(name="readers", count=8, decides=SocialProof()),)
    return Microspec(
        world=Feed.of(6),
        population=Population(groups=readers),
        turns=Sequential(steps=5),
    ).replace("visibility.order", "popularity")


@pytest.mark.parametrize(
    ("intervention", "touched"),
    [
        (hide("likes"), {"visibility.fields.likes.kind"}),
        (bucket("likes"), {"visibility.fields.likes.edges", "visibility.fields.likes.kind"}),
        (shuffle_for_each_reader(), {"visibility.order.each", "visibility.order.kind"}),
        (one_at_a_time(), {"affordances.presentation"}),
        (delay(3), {"visibility.latency"}),
        (limit(2), {"visibility.top"}),
    ],
)
def test_an_intervention_on_the_architecture_touches_what_it_names(
    intervention: Intervention, touched: set[str]
) -> None:
    before = spec()
    assert {change.path for change in diff(before, intervention(before))} == touched
    assert intervention.on == "architecture" and intervention.why
    assert before == spec(), "the specification it was given is as it was"


def test_pinning_keeps_the_order_of_the_rest() -> None:
    attacked = pin(3, 1)(spec()).visibility.order
    assert attacked.model_dump() == {
        "kind": "engineered",
        "pinned": (3, 1),
        "rest": {"kind": "popularity"},
    }


def test_an_instruction_reaches_every_language_model_and_no_rule() -> None:
    mixed = spec(
        Group(name="a", count=2, decides=LanguageModel(model="fake:first")),
        Group(name="b", count=2, decides=TwoStage()),
        Group(name="c", count=2, decides=LanguageModel(model="fake:last")),
    )
    told = instruct("Think for yourself.")(mixed)
    assert {str(change.path): change.after for change in diff(mixed, told)} == {
        "population.groups.0.decides.instruction": "Think for yourself.",
        "population.groups.2.decides.instruction": "Think for yourself.",
    }
    assert instruct("x")(spec()) == spec(), "rules cannot be told"


def test_another_decider_takes_every_place() -> None:
    two = spec(Group(name="a", count=2, decides=TwoStage()), Group(name="b", decides=Random()))
    put = let_decide(SocialProof(strength=2.0))(two)
    assert [g.decides for g in put.population.groups] == [SocialProof(strength=2.0)] * 2


def test_mixing_in_keeps_the_number_of_agents() -> None:
    two = spec(
        Group(name="few", count=2, decides=Random()),
        Group(name="many", count=6, decides=TwoStage()),
    )
    mixed = mix_in(SocialProof(), 4, "followers")(two)
    assert [(g.name, g.count) for g in mixed.population.groups] == [
        ("few", 2),
        ("many", 2),
        ("followers", 4),
    ]


@pytest.mark.parametrize(
    "make", [lambda: mix_in(SocialProof(), 9), lambda: mix_in(SocialProof(), 99)]
)
def test_mixing_in_more_than_there_are_is_refused(make: Callable[[], Intervention]) -> None:
    with pytest.raises(SpecificationError, match="count"):
        make()(spec())


@pytest.mark.parametrize(
    ("intervention", "said"),
    [
        (hide("clicks"), "no such field"),
        (limit(7), "at most 6"),
        (pin(6), "from 0 to 5"),
        (pin(1, 1), "different items"),
        (delay(6), "nothing would ever be seen"),
        (bucket("likes", (10.0, 1.0)), "edges must rise"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(
    intervention: Callable[[Microspec], Microspec], said: str
) -> None:
    with pytest.raises(SpecificationError, match=said):
        intervention(spec())


def test_interventions_compose() -> None:
    both = hide("likes")(delay(2)(spec()))
    assert both == delay(2)(hide("likes")(spec()))


def test_in_the_isolated_twin_nobody_can_heed_anybody() -> None:
    twin = isolate()(spec())
    assert {str(change.path) for change in diff(spec(), twin)} == {
        "visibility.fields.likes.kind",
        "visibility.order.each",
        "visibility.order.kind",
    }
    assert twin.visibility.order == Shuffled(each="run"), "a shared order stays shared"
    assert not twin.visibility.order.reveals
    assert not any(twin.visibility.display(field).reveals for field in twin.world.fields)


def test_who_meets_in_isolation_remembers_its_own_acts_alone() -> None:
    meeting = Microspec(
        world=NamingGame(),
        population=Population(groups=(Group(count=4, decides=Random()),)),
        turns=Meetings(),
        memory=Window(k=2),
        affordances=Affordances(scoring="shown"),
    )
    twin = isolate()(meeting)
    assert {str(change.path) for change in diff(meeting, twin)} == {
        "visibility.fields.uses.kind",
        "visibility.fields.payoff.kind",
        "visibility.fields.partner.kind",
        "affordances.scoring",
    }
    assert twin.memory == meeting.memory


def test_who_is_no_longer_committed_decides_as_the_others() -> None:
    mixed = spec(
        Group(count=5, decides=LookUp()), Group(name="few", count=2, decides=Always(item=1))
    )
    twin = uncommit("few")(mixed)
    assert [group.decides for group in twin.population.groups] == [LookUp()] * 2
    assert [group.count for group in twin.population.groups] == [5, 2]
    with pytest.raises(SpecificationError, match="no group 'many'.*few"):
        uncommit("many")(mixed)


@pytest.mark.parametrize("order", ["shuffled", "fixed", "chronological"])
def test_isolation_leaves_an_order_that_tells_nothing(order: str) -> None:
    before = spec().replace("visibility.order", order)
    assert isolate()(before).visibility.order == before.visibility.order


def test_in_isolation_nobody_is_written_to_and_notes_are_kept() -> None:
    talking = spec().replace_all({"communication.messages": 9, "memory": "notes"})
    twin = isolate()(talking)
    assert twin.communication.messages == 0 and twin.memory == talking.memory
    assert isolate()(twin) == twin


def test_isolation_reaches_the_order_behind_a_pin_and_single_acts() -> None:
    attacked = pin(3)(spec()).replace("communication.representation", "acts")
    twin = isolate()(attacked)
    assert twin.visibility.order == Engineered(pinned=(3,), rest=Shuffled(each="run"))
    assert twin.communication.representation == "counts"
    assert isolate()(twin) == twin, "who is isolated cannot be isolated further"


@given(specs())
@settings(max_examples=30, deadline=None)
def test_in_any_isolated_twin_what_is_seen_depends_on_no_act(before: Microspec) -> None:
    """Whoever decides, and however, everyone is shown the same."""
    assume(not before.turns.endogenous)
    seen = []
    for decider in (Random(), PositionOnly(gate="hard", width=1)):
        twin = let_decide(decider)(isolate()(before))
        table = grown(twin, replicates=(0, 1)).columns("exposures")
        assert (table["channel"] != Channel.others).all()
        # Who picks one by one is asked again as often as it picks: of the same options, with its own picks.
        place = table["run"] * 1_000_000 + table["decision"]
        again = np.isin(place, place[table["channel"] == Channel.picked])
        shown = (table["channel"] == Channel.option) & ~again
        signals = sorted(name for name in table if name.startswith(SIGNAL))
        names = ("run", "decision", "position", "item", "label", *signals)
        seen.append(np.stack([table[name][shown] for name in names]))
    assert np.array_equal(seen[0], seen[1], equal_nan=True)
