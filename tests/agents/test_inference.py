"""Rules that infer, exactly: every sequence of signs and tosses is gone through, none is drawn."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from cloudchamber.agents import Bayesian, OwnSign, Quantal, Rule
from cloudchamber.agents.inference import MOST_COUNTED
from cloudchamber.errors import AnswerError
from cloudchamber.microspec import Affordances
from cloudchamber.questions import Address, Choose, Heard, Questions
from cloudchamber.trace.tables import Channel, Kind
from cloudchamber.validation.closed_forms import cascade_shares, right_by_place

P = 2 / 3
History = tuple[int, ...]


def asked(
    shown: Sequence[History], signs: list[int], counts: Sequence[tuple[float, float]] | None = None
) -> Questions:
    """A question a row: others' choices heard, the option that the sign points to (-1: none), counts."""
    rows = len(signs)
    none = np.zeros(rows, np.int64)
    lengths = [len(one) for one in shown]
    item = np.array([choice for one in shown for choice in one], np.int64)
    far = np.zeros(len(item), np.int64)
    heard = Heard(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.full(len(item), Channel.others, np.int8),
        item,
        far,
        far,
        far,
        np.full(len(item), np.nan),
    )
    items = np.tile([0, 1], (rows, 1))
    items[1::2] = [1, 0]  # the order in which they are shown is of no account
    signals = {"sign": (items == np.array(signs)[:, None]).astype(np.float64)}
    if counts is not None:
        signals["choices"] = np.take_along_axis(np.array(counts, np.float64), items, axis=1)
    address = Address(0, none, 0, none, none)
    content = {"precision": np.full(2, P)}
    return Questions(
        Kind.choose,
        Choose(),
        address,
        none,
        none.astype(np.int16),
        none,
        items,
        signals,
        heard,
        content,
    )


def of_zero(rule: Rule, questions: Questions) -> np.ndarray:
    """The probability of item 0 in each row."""
    weights = rule.weights(questions)
    assert np.allclose(weights.sum(axis=1), 1)
    return np.where(questions.items[:, 0] == 0, weights[:, 0], weights[:, 1])


def sequences(rule: Rule, agents: int, sight: str = "all", last: int = 0) -> dict[History, float]:
    """The probability of every sequence of choices of such agents, where item 0 is right."""
    found: dict[History, float] = {(): 1.0}
    for _ in range(agents):
        rows = [(history, sign) for history in found for sign in (0, 1)]
        heard: dict[str, Callable[[History], History]] = {
            "all": lambda h: h,
            "last": lambda h: h[-last:],
            "counts": lambda h: (),
        }
        shown = [heard[sight](history) for history, _ in rows]
        counts = [(h.count(0), h.count(1)) for h, _ in rows] if sight == "counts" else None
        zero = of_zero(rule, asked(shown, [sign for _, sign in rows], counts))
        after: dict[History, float] = {}
        for (history, sign), chance in zip(rows, zero, strict=True):
            weight = found[history] * (P if sign == 0 else 1 - P)
            for item, share in ((0, chance), (1, 1 - chance)):
                if weight * share > 0:
                    after[*history, item] = after.get((*history, item), 0.0) + weight * share
        found = after
    assert sum(found.values()) == pytest.approx(1)
    return found


def accuracy(found: dict[History, float]) -> list[float]:
    places = len(next(iter(found)))
    return [sum(w for h, w in found.items() if h[place] == 0) for place in range(places)]


def two_apart(found: dict[History, float], item: int) -> float:
    """The probability that by the end of a pair the item was chosen twice more than the other."""

    def settled(history: History) -> bool:
        apart = np.cumsum([1 if one == item else -1 for one in history])[1::2]
        return bool(apart.size) and bool((apart >= 2).any())

    return sum(weight for history, weight in found.items() if settled(history))


@pytest.mark.parametrize("sight", ["all", "counts"])
@pytest.mark.parametrize("tie", ["coin", "own sign"])
def test_bayesians_cascade_as_published(tie: Any, sight: str) -> None:
    """Bikhchandani, Hirshleifer & Welch 1992, equations for none, right and wrong; Anderson & Holt's tie."""
    for agents in (2, 4, 8):
        found = sequences(Bayesian(tie=tie), agents, sight)
        known = cascade_shares(P, agents, tie)
        assert two_apart(found, 0) == pytest.approx(known.right, abs=1e-12)
        assert two_apart(found, 1) == pytest.approx(known.wrong, abs=1e-12)
        expected = [right_by_place(P, place, tie) for place in range(agents)]
        assert accuracy(found) == pytest.approx(expected, abs=1e-12)


def test_counts_say_what_the_sequence_says() -> None:
    for rule in (Bayesian(), Bayesian(tie="own sign")):
        found = sequences(rule, 6)
        histories = list(found)
        for sign in (0, 1, -1):
            listed = of_zero(rule, asked(histories, [sign] * len(histories)))
            counts = [(float(h.count(0)), float(h.count(1))) for h in histories]
            counted = of_zero(rule, asked([()] * len(histories), [sign] * len(histories), counts))
            assert np.array_equal(listed, counted)


def test_the_first_and_those_who_see_nothing_follow_their_sign() -> None:
    for rule in (Bayesian(), Bayesian(tie="own sign"), OwnSign(), Quantal(strength=1e3)):
        assert of_zero(rule, asked([(), ()], [0, 1])).tolist() == [1, 0]
    assert of_zero(Bayesian(), asked([(), ()], [-1, -1])).tolist() == [0.5, 0.5], "no sign: a coin"
    assert of_zero(OwnSign(slip=0.5), asked([(1, 1)], [0])).tolist() == [0.75]


def test_who_sees_the_last_choice_alone() -> None:
    """Told apart by the tie: a coin gives way to the one before now and then, one's own sign never."""
    own = accuracy(sequences(Bayesian(tie="own sign"), 6, "last", 1))
    assert own == pytest.approx([P] * 6)
    coin = accuracy(sequences(Bayesian(), 6, "last", 1))
    # P(right) = p (share of right before + half the rest) + (1 - p) half the share: it stays at p.
    assert coin == pytest.approx([P] * 6)


@pytest.mark.parametrize(
    "rule", [Quantal(strength=4.0), Bayesian(slip=0.2), Bayesian(slip=0.2, tie="own sign")]
)
@pytest.mark.parametrize("sight", ["all", "counts"])
def test_who_reckons_with_errors_infers_by_bayes(rule: Any, sight: str) -> None:
    """The evidence is the ratio of how probable what is seen is under either option, by enumeration."""
    found = sequences(rule, 5, sight)
    mirrored = {tuple(1 - item for item in h): weight for h, weight in found.items()}
    seen: dict[History, list[float]] = {}
    for history in product((0, 1), repeat=5):
        what: History = history if sight == "all" else (history.count(0), history.count(1))
        both = seen.setdefault(what, [0.0, 0.0])
        both[0] += found[history]
        both[1] += mirrored[history]
    for what, (right, wrong) in seen.items():
        evidence = np.array([np.log(right / wrong)])
        sign = np.log(P / (1 - P))
        expected = rule.chances(evidence + sign, np.ones(1))
        shown: Any = [what] if sight == "all" else [()]
        counts: Any = None if sight == "all" else [what]
        assert of_zero(rule, asked(shown, [0], counts)) == pytest.approx(expected, abs=1e-9)


def test_slips_in_a_cascade_say_nothing_but_quantal_choices_do() -> None:
    against: History = (0, 0, 0, 0, 1, 1, 1, 1)
    slipping = of_zero(Bayesian(slip=0.2), asked([against[:4], against], [1, 1]))
    assert slipping == pytest.approx([0.9, 0.9]), (
        "whoever slips in a cascade slips whatever its sign"
    )
    following, breaking = of_zero(Quantal(strength=20.0), asked([against[:4], against], [1, 1]))
    assert following > 0.9 and breaking < 0.1


def test_a_choice_that_no_such_agent_makes_says_nothing() -> None:
    rule = Bayesian()
    assert of_zero(rule, asked([(0, 0, 1)], [1])).tolist() == [1.0]


def test_certain_signs() -> None:
    for rule in (Bayesian(precision=1.0), Quantal(precision=1.0, strength=1e6)):
        assert of_zero(rule, asked([(0, 1), (0,)], [1, 0])).tolist() == pytest.approx([0, 1])


def test_overconfidence_is_a_precision_of_ones_own() -> None:
    told, sure = Quantal(strength=2.0), Quantal(strength=2.0, precision=0.9)
    one = asked([()], [0])
    assert of_zero(sure, one)[0] > of_zero(told, one)[0]


def test_what_it_cannot_do_is_said() -> None:
    assert "presentation" in Bayesian().refuses(Affordances(presentation="one at a time"))
    assert "choose" in OwnSign().refuses(Affordances(choose="any"))
    assert not Quantal().refuses(Affordances(may_decline=True))
    whole = asked([()], [0], [(MOST_COUNTED, 1.0)])
    with pytest.raises(AnswerError, match="can infer from at most 2000"):
        Quantal().weights(whole)
    assert Bayesian().weights(whole).tolist() == [[1, 0]], "two apart is a cascade, however many"
    alone = Questions(
        whole.kind, whole.choose, whole.address, whole.run, whole.group, whole.decision,
        np.array([[0, 1, 2]]), {}, Heard.nothing(1),
    )  # fmt: skip
    with pytest.raises(AnswerError, match="between two options; 3 were shown"):
        OwnSign().weights(alone)
