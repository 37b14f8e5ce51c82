"""A mechanism is a value, can be read, and takes the place of the agents."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import LookUp, PositionOnly, Quality, Rule, SocialProof, TwoStage
from cloudchamber.agents.look_up_tables import LLAMA_31
from cloudchamber.errors import SpecificationError
from cloudchamber.mechanism import (
    By,
    ChoiceData,
    ConsiderThenChoose,
    ContentEffect,
    FallOff,
    Gate,
    HeardEffect,
    ItemEffects,
    LabelEffects,
    Logit,
    Majority,
    Mechanism,
    MemoryTable,
    PlaceEffects,
    Readiness,
    Reinforcement,
    Signal,
)
from cloudchamber.mechanism.likelihood import row_log_likelihoods
from cloudchamber.mechanism.reading import choices_of
from cloudchamber.mechanism.shown import Recalled, Shown
from cloudchamber.microspec import Group, Microspec, Population, Sequential, Window
from cloudchamber.testing import check_decider, grown, laws
from cloudchamber.testing.checks import check_value
from cloudchamber.worlds import Feed, NamingGame
from tests.mechanism.known import MEETING, Known
from tests.mechanism.made import feed_data, feed_spec

GOOD = Feed.of(6, quality=(0.0, 1.0, 2.0, -1.0, 0.5, 0.2))
SAME: list[tuple[Rule, Mechanism]] = [
    (PositionOnly(width=4.0), Logit(terms=(FallOff(rate=0.25),))),
    (PositionOnly(gate="hard", width=3.0), Logit(terms=(Gate(width=3),))),
    (SocialProof(proof="any", strength=1.5), Logit(terms=(Signal(strength=1.5),))),
    (
        SocialProof(proof="threshold", strength=1.5, threshold=2.0),
        Logit(terms=(Signal(form="threshold", strength=1.5, threshold=2.0),)),
    ),
    # A weight of 1 + likes: Polya's urn.
    (SocialProof(proof="linear", strength=1.0), Logit(terms=(Signal(form="log", strength=1.0),))),
    (Quality(strength=0.7), Logit(terms=(ContentEffect(strength=0.7),))),
    (
        TwoStage(proof="log", strength=0.5, taste=0.8),
        ConsiderThenChoose(
            terms=(Signal(form="log", strength=0.5), ContentEffect(strength=0.8)), appeal=-1.0
        ),
    ),
    (
        TwoStage(gate="exponential", width=4.0, taste=0.0),
        ConsiderThenChoose(
            considered=FallOff(rate=0.25), terms=(Signal(strength=1.5),), appeal=-1.0
        ),
    ),
]


@pytest.mark.parametrize(("rule", "mechanism"), SAME, ids=lambda one: str(one.kind))
def test_a_mechanism_that_is_the_rule_picks_what_the_rule_picks(
    rule: Rule, mechanism: Mechanism
) -> None:
    spec = feed_spec(rule, world=GOOD, agents=8)
    laws.swappable(spec, spec.replace("population.groups.0.decides", mechanism))


@pytest.mark.parametrize("form", [{"choose": "any"}, {"presentation": "one at a time"}])
def test_also_where_each_is_judged_alone(form: Any) -> None:
    rule, mechanism = SAME[-2]
    spec = feed_spec(rule, world=GOOD, agents=8, affordances=form)
    laws.swappable(spec, spec.replace("population.groups.0.decides", mechanism))


EVERYTHING = Logit(
    terms=(
        ItemEffects(effects=(0.0, 0.5, -1.0), reference=0),
        ContentEffect(),
        PlaceEffects(effects=(-0.5, -1.0)),
        Signal(form="saturating"),
        HeardEffect(),
        HeardEffect(channel="others", form="recent"),
        LabelEffects(labels=(10, 12), effects=(0.0, 0.3)),
    ),
    decline=-1.0,
)

REMEMBERS = Logit(
    terms=(
        Reinforcement(result="", strength=0.5, keep=0.8),
        Reinforcement(result="", channel="others", form="proportional", forgets="when tried"),
        MemoryTable(
            reads=("own", "last own"), keys=((0, 0), (1, 1), (2, 0)), effects=(0.1, 0.7, -0.4)
        ),
        MemoryTable(reads=("length",), of=1, keys=((3,),), effects=(1.0,), smoothing=0.5),
        Majority(toward=2, beta=1.2, h=0.1),
        Majority(field="others", beta=0.4),
    )
)
DIFFERS = ConsiderThenChoose(
    considered=By(
        term=FallOff(), by="group", levels=(0, 1), terms=(FallOff(rate=0.1), FallOff(rate=0.4))
    ),
    terms=(
        Signal(form="log"),
        By(term=Signal(strength=0.0), besides=0, levels=(1,), terms=(Signal(strength=1.0),)),
        By(
            term=Readiness(strength=0.1),
            by="agent",
            levels=(2, 4),
            terms=(Readiness(strength=-0.5), Readiness(strength=0.5)),
        ),
        By(term=Majority(), by="step", levels=(1,), terms=(Majority(beta=2.0),)),
    ),
    appeal=-1.0,
)


@pytest.mark.parametrize(
    "mechanism",
    [
        EVERYTHING,
        REMEMBERS,
        DIFFERS,
        ConsiderThenChoose(considered=FallOff()),
        *(m for _, m in SAME),
    ],
)
def test_it_is_a_value_with_named_parameters(mechanism: Mechanism) -> None:
    check_value(mechanism)
    for asked in ("one", "any"):
        names, values = mechanism.names(asked), mechanism.values(asked)
        assert len(names) == len(values) == len(set(names))
        np.testing.assert_allclose(mechanism.with_values(values, asked).values(asked), values)
        other = mechanism.with_values(values + 0.25, asked)
        np.testing.assert_allclose(other.values(asked), values + 0.25)
    assert mechanism.equation() in mechanism.aloud()


def test_a_specification_that_holds_one_survives_json() -> None:
    spec = feed_spec(EVERYTHING)
    assert Microspec.from_json(spec.to_json()) == spec
    assert "0.5·" not in spec.aloud() and "conditional logit" in spec.aloud()


def test_it_is_printed_as_an_equation() -> None:
    assert Logit(terms=(FallOff(rate=0.3), Signal(strength=1.5))).equation() == (
        "P(i) ∝ exp(-0.3·(place(i) - 1) + 1.5·1[likes(i) > 0])"
    )
    two = ConsiderThenChoose(terms=(Signal(form="log", strength=-0.5),), appeal=-1.0, decline=2.0)
    assert two.equation() == (
        "P(i) ∝ exp(-∞·1[place(i) > 5])·sigmoid(-1 - 0.5·log(1 + likes(i))), P(none) ∝ exp(2)"
    )


def test_the_same_parameter_twice_is_refused() -> None:
    with pytest.raises(SpecificationError, match="same parameter likes, any"):
        Logit(terms=(Signal(), Signal(strength=2.0)))
    Logit(terms=(Signal(), Signal(form="log")))


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"memory": "summary"},
        {"communication": {"kind": "complete", "representation": "acts", "last": 4}},
        {"affordances": {"may_decline": True}},
        {"affordances": {"choose": "up to", "most": 2, "picks": "one by one"}},
    ],
    ids=str,
)
def test_what_it_did_in_the_engine_is_what_its_likelihood_says(parts: Any) -> None:
    """The probabilities on the trace are those that the data, read back, give under the mechanism."""
    mechanism = Logit(
        terms=(
            FallOff(rate=0.2),
            Signal(form="rank"),
            HeardEffect(form="recent"),
            HeardEffect(channel="others", form="count"),
            ItemEffects(effects=(0.0, 1.0, -1.0)),
        ),
        decline=-0.5 if "may_decline" in str(parts) else None,
    )
    check_read_back(mechanism, feed_data(mechanism, agents=6, replicates=range(2), **parts))


def check_read_back(mechanism: Mechanism, data: ChoiceData) -> None:
    """What the mechanism says of the picks is what the trace says that their probability was."""
    said = row_log_likelihoods(mechanism, data, "choices")
    assert data.probability is not None
    none = 1 - data.probability.astype(float).sum(axis=1)
    picked = data.probability[np.arange(len(data)), data.choice]
    did = np.where(data.choice < 0, none, picked)
    np.testing.assert_allclose(np.exp(said), did, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("mechanism", [REMEMBERS, DIFFERS])
@pytest.mark.parametrize(
    "parts",
    [
        {"memory": {"kind": "window", "k": 3}},
        {"memory": "summary", "affordances": {"may_decline": True}},
        {
            "memory": {"kind": "window", "k": 5},
            "communication": {"kind": "complete", "representation": "acts", "last": 4},
            "affordances": {"choose": "up to", "most": 2, "picks": "one by one"},
        },
    ],
    ids=str,
)
def test_what_is_remembered_or_differs_is_read_back(mechanism: Mechanism, parts: Any) -> None:
    """As above, with single acts remembered and with two groups."""
    mechanism = mechanism.altered(decline=-0.5 if "may_decline" in str(parts) else None)
    groups = tuple(Group(name=name, count=3, decides=mechanism) for name in ("one", "other"))
    spec = feed_spec(mechanism, items=6, turns=Sequential(steps=4), **parts)
    spec = spec.replace("population", Population(groups=groups))
    data = choices_of(grown(spec, replicates=range(2)))
    assert set(data.group) == {0, 1}
    check_read_back(mechanism, data)


@pytest.mark.parametrize("mechanism", [REMEMBERS, DIFFERS])
def test_it_decides_by_what_is_shown(mechanism: Mechanism) -> None:
    check_decider(mechanism)


def test_in_one_context_it_is_what_it_is_there() -> None:
    alone = DIFFERS.at(group=1)
    assert alone.considered == FallOff(rate=0.4)
    assert alone.terms[1] == Signal(strength=1.0) and len(DIFFERS.at(group=0).terms) == 3
    assert DIFFERS.at(agent=7).terms[2] == Readiness(strength=0.1)
    cells = Logit(terms=(By(term=FallOff(), by="cell", levels=("a",), terms=(FallOff(rate=0.3),)),))
    assert cells.at(cell="a") == Logit(terms=(FallOff(rate=0.3),))
    with pytest.raises(SpecificationError, match=r"settle it with mechanism.at\(cell=...\)"):
        feed_data(cells)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"levels": (1,)}, "0 given for 1 levels"),
        ({"levels": (1, 1), "terms": (FallOff(), FallOff())}, "given twice"),
        ({"levels": (1, "a"), "terms": (FallOff(), FallOff())}, "numbers and words"),
        ({"levels": (1,), "terms": (Gate(),)}, "of the kind 'fall-off'"),
    ],
)
def test_what_cannot_differ_so_is_refused(parts: Any, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        By(term=FallOff(), **parts)


def test_only_the_place_decides_what_is_considered() -> None:
    with pytest.raises(SpecificationError, match="considered: signal by group given"):
        ConsiderThenChoose(considered=By(term=Signal()))


def test_the_majority_force_is_its_closed_form() -> None:
    """P = (tanh(beta m + h) + 1) / 2 of two options, m from the shown counts."""
    likes = np.array([[3.0, 1.0], [0.0, 0.0], [2.0, 5.0]])
    item = np.array([[7, 8], [8, 7], [7, 8]])
    m = np.array([0.5, 0.0, -3 / 7])
    force = Logit(terms=(Majority(beta=1.3, toward=7, h=0.2),))
    u = force.log_weights(Shown(item, {"likes": likes}))
    p = 1 / (1 + np.exp(u[:, 1] - u[:, 0]))
    h = np.where(item[:, 0] == 7, 0.2, -0.2)
    np.testing.assert_allclose(p, (np.tanh(1.3 * m + h) + 1) / 2, rtol=1e-12)


def test_propensities_by_hand() -> None:
    """Own acts, the last first: on item 1 for 10, on item 0 for 4, on item 1 for -2."""
    told = Recalled(np.array([[1, 0, 1]]), np.ones((1, 3)), {"payoff": np.array([[10, 4, -2.0]])})
    shown = Shown(np.array([[0, 1, 2]]), recalled={"own": told})

    def weights(**parts: Any) -> list[float]:
        return list(Logit(terms=(Reinforcement(**parts),)).log_weights(shown)[0])

    assert weights(strength=2.0, keep=0.5) == pytest.approx([4.0, 19.0, 0.0])
    assert weights(keep=0.5, forgets="when tried") == pytest.approx([4.0, 9.0, 0.0])
    assert weights(keep=1.0, result="") == pytest.approx([1.0, 2.0, 0.0])
    assert weights(keep=0.5, form="proportional", start=3.0) == pytest.approx(
        np.log([5.0, 12.5, 3.0]).tolist()
    )
    assert weights(result="status") == [0.0, 0.0, 0.0]
    assert weights(least=-2.0, keep=0.5) == pytest.approx([3.0, 12.0, 0.0])


def test_a_table_is_looked_up() -> None:
    """Keys of REFERENCES: how much is remembered, the partner's part of it, one's own."""
    own = Recalled(np.array([[1, 0], [0, 0], [-1, -1]]), np.array([[1, 1], [1, 1], [0, 0]]))
    met = Recalled(np.array([[1, 1], [0, 1], [-1, -1]]), np.array([[1, 1], [1, 1], [0, 0]]))
    shown = Shown(np.array([[0, 1], [1, 0], [1, 0]]), recalled={"own": own, "met": met})
    table = MemoryTable.of_probabilities({(0, 0, 0): 0.6, (2, 2, 1): 0.9, (2, 1, 1): 0.3}, of=1)
    u = Logit(terms=(table,)).log_weights(shown)
    p = np.exp(u) / np.exp(u).sum(axis=1, keepdims=True)
    # The first: length 2, partner twice, oneself once; the second key has no row: even.
    np.testing.assert_allclose(p, [[0.1, 0.9], [0.5, 0.5], [0.6, 0.4]], atol=1e-12)
    certain = MemoryTable.of_probabilities({(0, 0, 0): 1.0}, of=1)
    assert np.exp(-certain.effects[0]) < 1e-20
    last = MemoryTable(reads=("last own", "last met"), keys=((0, 1), (1, 1)), effects=(0.5, 1.5))
    assert last.log_weight(shown).tolist() == [[0.0, 1.5], [0.0, 1.5], [0.0, 0.0]]


def test_the_published_table_says_the_same_as_the_rule() -> None:
    """Where the table has a row; what it lacks, rule and mechanism fill in differently."""
    keys = [(length, p, o) for length in range(4) for p in range(4) for o in range(4)]
    known = {key[:3]: key[3] for key in LLAMA_31}
    whole = {key: known.get(key, 0.35) for key in keys}
    rule = LookUp(table=tuple((*key, share) for key, share in whole.items()), item=1)
    table = Logit(terms=(MemoryTable.of_probabilities(whole, of=1),))
    spec = Known(Logit(), NamingGame(), agents=6, parts=MEETING | {"memory": Window(k=3)}).spec()
    spec = spec.replace("population.groups.0.decides", rule)
    laws.swappable(spec, spec.replace("population.groups.0.decides", table))


def test_labels_are_dealt_to_a_mechanism_that_reads_them() -> None:
    mechanism = Logit(terms=(LabelEffects(labels=(10, 11, 12), effects=(0.0, 5.0, 5.0)),))
    data = feed_data(mechanism, agents=6)
    assert data.labels is not None
    liked = np.isin(data.labels, (11, 12))
    assert liked[np.arange(len(data)), data.choice].mean() > 3 * liked.mean()
