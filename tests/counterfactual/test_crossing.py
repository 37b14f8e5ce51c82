"""Channels: what passes through each, where it is known beforehand."""

from typing import Literal

import numpy as np
import pytest

from cloudchamber.agents import LanguageModel, PositionOnly, Random, Rule, SocialProof, TwoStage
from cloudchamber.counterfactual import coupled, cross, cut, mediate, taken_apart, worlds_of
from cloudchamber.counterfactual.channels import Frozen, channels_of, shuffled, taped
from cloudchamber.counterfactual.tape import Tape
from cloudchamber.engine import Runs
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.in_memory import answering, grown_in_memory
from cloudchamber.intervention import hide, isolate
from cloudchamber.measures.estimate import mean
from cloudchamber.measures.measure import of_tally
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Decider,
    Fixed,
    Group,
    Hidden,
    Microspec,
    Popularity,
    Population,
    Ring,
    Sequential,
    Shuffled,
    Simultaneous,
    Visibility,
    Window,
)
from cloudchamber.models.fake import fake
from cloudchamber.questions import Questions, Reals
from cloudchamber.trace import Trace
from cloudchamber.worlds import Feed


def people(decider: Decider, count: int = 12) -> Population:
    return Population(groups=(Group(name="all", count=count, decides=decider),))


def feed(decider: Decider, **parts: object) -> Microspec:
    given: dict[str, object] = {
        "world": Feed.of(10),
        "population": people(decider),
        "turns": Sequential(steps=2),
        "visibility": Visibility(order=Popularity()),
    }
    return Microspec(**(given | parts))  # type: ignore[arg-type]


ALL = feed(
    SocialProof(),
    communication=Complete(representation="acts", last=3),
    memory=Window(k=2),
    world=Feed.of(10, reward="agreement"),
    affordances=Affordances(scoring="shown"),
)
"""Every channel there is."""


def grown(spec: Microspec, alter: object = None, replicates: int = 3) -> Trace:
    runs = Runs(5, np.arange(replicates), np.arange(replicates) + 1)
    with answering() as answers:
        return grown_in_memory(spec, runs, answers(spec), alter=alter)  # type: ignore[arg-type]


def test_the_channels_of_a_specification() -> None:
    assert channels_of(ALL) == ("likes", "order", "others", "own", "score")
    assert channels_of(feed(Random())) == ("likes", "order")
    assert channels_of(hide("likes")(feed(Random()))) == ("order",)


@pytest.mark.parametrize("channel", channels_of(ALL))
@pytest.mark.parametrize("steps", [Sequential(steps=2), Simultaneous(steps=3)])
def test_a_world_given_its_own_exposures_is_itself(channel: str, steps: object) -> None:
    spec = ALL.altered(turns=steps)
    tape = Tape()
    plain = grown(spec, tape.add)
    assert grown(spec, taped([channel], tape)).digest() == plain.digest()
    assert grown(spec, taped(channels_of(spec), tape)).digest() == plain.digest()


def test_given_all_exposures_of_the_twin_agents_do_as_the_twins_did() -> None:
    other = isolate()(ALL)
    tape = Tape()
    twin = grown(other, tape.add).columns("decisions")
    crossed = grown(ALL, taped(channels_of(ALL), tape)).columns("decisions")
    assert (crossed["choice"] == twin["choice"]).all()
    assert (crossed["choice"] != grown(ALL).columns("decisions")["choice"]).any()


def test_a_rule_that_ignores_a_channel_has_exactly_nothing_through_it() -> None:
    spec = feed(PositionOnly(width=3.0))
    found = mediate(spec, isolate(), ["likes", "order"], replicates=range(20))
    assert found.total().low > 0
    for effect in (found.indirect("likes"), found.alone("likes"), found.interaction("likes")):
        assert (effect.value, effect.low, effect.high) == (0.0, 0.0, 0.0)
    assert (found.coupled.by_run(("with", 1), ("with, but for likes", -1)) == 0).all()
    # All of it passes through the order: past it nothing is left, in any run.
    assert (found.coupled.worlds["with, but for order"] == found.coupled.worlds["without"]).all()
    assert found.share("order").value == 1.0


def test_where_nobody_heeds_anybody_nothing_is_found() -> None:
    found = mediate(feed(Random()), isolate(), ["likes", "order"], replicates=range(8))
    table = found.table()
    assert (table[["value", "low", "high"]] == 0).all(axis=None)
    assert np.isnan(found.share("likes").value)


class Linear(Rule):
    """Takes each option with probability 0.1 + 0.3 if it has likes + 0.2 if it stands in the upper half."""

    kind: Literal["linear in a test"] = "linear in a test"

    def weights(self, questions: Questions) -> Reals:
        upper = np.arange(questions.items.shape[1]) < questions.items.shape[1] / 2
        return np.asarray(0.1 + 0.3 * (questions.shown("likes") > 0) + 0.2 * upper)


def on_the_first(value: Reals) -> Reals:
    """Likes of the first half of the items, a reader and item."""
    half = value.shape[-1] // 2
    return np.asarray(value[..., :half].mean(axis=-1) / 30)


def linear() -> tuple[Microspec, Microspec]:
    """P = 0.1 + 0.3 likes + 0.2 place: with, all of the first half have both; without, neither."""
    spec = feed(
        Linear(),
        population=people(Linear(base=1.0), 30),
        world=Feed.of(10, likes=(5.0,) * 5 + (0.0,) * 5),
        turns=Simultaneous(),
        visibility=Visibility(order=Fixed()),
        affordances=Affordances(choose="any"),
    )
    turned = {"visibility.order": Fixed(items=tuple(range(9, -1, -1)))}
    return spec, spec.replace_all(turned | {"visibility.fields.likes": Hidden()})


UPTAKE = of_tally("uptake", "share", 0, 1, on_the_first)


def test_a_linear_rule_is_taken_apart_as_the_closed_form_says() -> None:
    sets = ["likes", "order", ("likes", "order")]
    found = mediate(*linear(), sets, measure=UPTAKE, replicates=range(200))
    known = {"total": 0.5, "likes": 0.3, "order": 0.2}
    assert found.total().low < known["total"] < found.total().high
    for channel, other in (("likes", "order"), ("order", "likes")):
        for effect in (found.indirect(channel), found.alone(channel), found.direct(other)):
            assert effect.low < known[channel] < effect.high
            assert effect.high - effect.low < 0.02
        both = found.direct(channel).value + found.indirect(channel).value
        assert both == pytest.approx(found.total().value, abs=1e-12)
        assert found.interaction(channel).value == pytest.approx(0, abs=0.005)
    assert found.direct("likes + order").value == 0.0
    assert found.share("likes").low < 0.6 < found.share("likes").high


def test_intervals_hold_what_they_say() -> None:
    """Twelve runs at a time, 200 times: 95 % intervals hold the truth in 95 % of them, give or take 3."""
    found = mediate(*linear(), ["likes"], measure=UPTAKE, replicates=range(2400))
    worlds = found.coupled.worlds
    past, alone = worlds["with, but for likes"], worlds["without, but for likes"]
    effects = {
        0.5: worlds["with"] - worlds["without"],
        0.3: worlds["with"] - past,
        0.2: past - worlds["without"],
        0.0: worlds["with"] - past - alone + worlds["without"],
    }
    for known, by_run in effects.items():
        intervals = [mean(some) for some in by_run.reshape(200, 12)]
        held = np.mean([one.low <= known <= one.high for one in intervals])
        assert 0.92 <= held <= 0.98


def gated() -> tuple[Microspec, Microspec]:
    """Likes act only on what is looked at; without, the liked items stand where nobody looks."""
    rule = TwoStage(gate="hard", width=4.0, strength=3.0)
    spec = feed(rule, world=Feed.of(12, likes=(20.0,) * 3 + (0.0,) * 9), turns=Simultaneous())
    out_of_sight = {"visibility.order": Fixed(items=tuple(range(11, -1, -1)))}
    return spec, spec.replace_all(out_of_sight | {"visibility.fields.likes": Hidden()})


def test_likes_that_act_only_inside_the_gate_show_as_an_interaction() -> None:
    spec, without = gated()
    crossed = cross(spec, without, "likes", "order", replicates=range(40))
    inside, outside = crossed.effect("likes"), crossed.effect("likes", other=False)
    assert inside.low > 0.01
    assert (outside.value, outside.low, outside.high) == (0.0, 0.0, 0.0)
    assert crossed.interaction().value == pytest.approx(inside.value)
    table = crossed.table()
    assert list(table["channel"]) == ["likes", "likes", "order", "order", "likes x order"]
    assert "interaction" in str(crossed)


def test_the_gate_shows_in_the_natural_effects_too() -> None:
    spec, without = gated()
    found = mediate(spec, without, ["likes"], replicates=range(40))
    assert found.alone("likes").value == 0.0
    assert found.interaction("likes").low > 0
    assert found.interaction("likes").value == found.indirect("likes").value


def test_frozen_from_the_start_nothing_is_heard_of_what_others_do() -> None:
    spec = feed(SocialProof(), visibility=Visibility(order=Shuffled()))
    frozen = cut(spec, ["likes"], freeze=0, replicates=range(15))
    hidden = mediate(spec, hide("likes"), ["likes"], replicates=range(15))
    assert (frozen.coupled.worlds["likes"] == hidden.coupled.worlds["without"]).all()
    assert frozen.effect("likes").low > 0
    late = cut(spec, ["likes"], freeze=1, replicates=range(15))
    assert 0 < late.effect("likes").value < frozen.effect("likes").value
    assert "frozen at step 1" in str(late)


def test_frozen_neighbours_memory_and_acts_stay_what_they_were() -> None:
    spec = ALL.altered(
        communication=Ring(k=2, representation="acts", last=2),
        turns=Simultaneous(steps=4),
        visibility=ALL.visibility.altered(whose="neighbours"),
    )
    made = grown(spec, Frozen(("likes", "others", "own"), spec, 2)).columns("exposures")
    decision, agents = made["decision"], 12
    for channel in (0, 1, 2):
        mine = (made["channel"] == channel) & (made["run"] == 1)
        at = {
            step: sorted(
                zip(
                    (decision[mine] % agents)[rows].tolist(),
                    made["item"][mine][rows].tolist(),
                    np.nan_to_num(made["signal_likes"])[mine][rows].tolist(),
                    strict=True,
                )
            )
            for step in range(4)
            for rows in [decision[mine] // agents == step]
        }
        assert at[2] == at[3] != at[1]


def test_shuffled_channels_say_as_much_of_other_items() -> None:
    plain, dealt = Tape(), Tape()
    spec = ALL.replace("population.groups.0.decides", Random())
    grown(spec, plain.add)
    cut_up = shuffled(channels_of(spec))
    grown(spec, lambda questions: dealt.add(cut_up(questions)))
    moved = 0
    for one, other in zip(plain.blocks, dealt.blocks, strict=True):
        for name in ("likes",):
            assert (np.sort(one.signals[name]) == np.sort(other.signals[name])).all()
        assert (np.sort(one.items) == np.sort(other.items)).all()
        moved += int((one.items != other.items).sum())
        assert (one.heard.channel == other.heard.channel).all()
        assert (one.heard.source == other.heard.source).all()
        same = one.heard.item == other.heard.item
        assert same[one.heard.channel == 3].all()  # a score is of no item
    assert moved


def test_a_polya_urn_whose_likes_are_shuffled_concentrates_less() -> None:
    spec = feed(SocialProof(), visibility=Visibility(order=Shuffled()))
    found = cut(spec, ["likes", "order"], replicates=range(30))
    assert found.effect("likes").low > 0
    assert found.effect("order").value == 0.0
    assert list(found.table()["channel"]) == ["likes", "order"]


def test_pools_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mediate(feed(SocialProof()), isolate(), ["likes"], replicates=range(4))
    monkeypatch.setattr(coupled, "SHOWN", 1)
    parts = mediate(feed(SocialProof()), isolate(), ["likes"], replicates=range(4))
    assert whole.coupled.frame().equals(parts.coupled.frame())


def test_taken_apart_at_once_no_world_is_grown_twice_and_none_is_another() -> None:
    names, spec = ("likes", "order", "own"), feed(SocialProof(), memory=Window(k=2))
    pairs = [("likes", "order"), ("order", "own")]
    grown: list[str] = []
    found, crossings = taken_apart(
        spec,
        isolate(),
        names,
        crossed=pairs,
        replicates=range(3),
        watch=lambda world, runs: grown.append(world),
    )
    assert len(grown) == len(set(grown)) == sum(worlds_of(3, 2))
    alone = mediate(spec, isolate(), names, replicates=range(3))
    assert found.coupled.frame().equals(alone.coupled.frame())
    for (one, other), told in zip(pairs, crossings, strict=True):
        both = cross(spec, isolate(), one, other, replicates=range(3))
        assert told.coupled.frame().equals(both.coupled.frame())
        assert (told.first, told.second) == (both.first, both.second) == (one, other)


def test_measures_that_read_exposures_are_given_them() -> None:
    found = mediate(
        feed(PositionOnly()), isolate(), ["order"], measure="mean position", replicates=range(5)
    )
    assert found.coupled.mean("with").value > 1
    # Where an item stands changes which, not at what place one looks.
    assert found.total().value == 0.0


def test_a_language_model_is_asked_in_each_world() -> None:
    decider = LanguageModel(model="fake:hash")
    spec = feed(decider, population=people(decider, 4), turns=Sequential())
    model = fake("hash")
    found = mediate(
        spec, hide("likes"), ["likes"], replicates=range(2), models={"fake:hash": model}
    )
    # Only likes differ: the world with, but for likes, is the world without, and the other way round.
    worlds = found.coupled.worlds
    assert (worlds["with, but for likes"] == worlds["without"]).all()
    assert (worlds["without, but for likes"] == worlds["with"]).all()
    assert len(model.asked) == 4 * 2 * 4


def test_other_turns_leave_decisions_without_a_twin() -> None:
    spec = feed(SocialProof(), turns=Sequential(steps=1))
    longer = spec.replace("turns.steps", 2)
    found = mediate(longer, spec, ["likes"], replicates=range(3))
    assert found.unmatched == 3 * 12
    assert "36 decisions had none in the twin run" in str(found)


def test_what_makes_no_sense_is_refused() -> None:
    spec = feed(Random())
    with pytest.raises(SpecificationError, match="Did you mean .likes."):
        mediate(spec, isolate(), ["like"])
    with pytest.raises(SpecificationError, match="name each once"):
        cross(spec, isolate(), "likes", "likes")
    with pytest.raises(SpecificationError, match=r"visibility\.top"):
        mediate(spec.replace("visibility.top", 3), isolate(), ["order"])
    with pytest.raises(SpecificationError, match="compares runs"):
        mediate(spec, isolate(), ["likes"], measure="unpredictability")
    with pytest.raises(SpecificationError, match="at least one"):
        mediate(spec, isolate(), ["likes"], replicates=())
    with pytest.raises(SpecificationError, match="allowed: 0 to 1"):
        cut(spec, ["likes"], freeze=2)
    found = mediate(spec, isolate(), ["likes"], replicates=range(2))
    with pytest.raises(SpecificationError, match="channel: 'order'"):
        found.direct("order")


def test_what_is_printed_can_be_read() -> None:
    told = str(mediate(feed(SocialProof()), isolate(), ["likes"], replicates=range(12)))
    assert told.startswith("gini: 0.")
    assert "through likes:" in told and "past it:" in told
