"""What the evidence allows one to say of a hypothesis: three verdicts, each by a rule that is written here.

    descriptive     was the phenomenon grown: do the runs meet its criterion?
    explanatory     is it the stated micro-rule that grows it: does it go without its parts, do rivals do
                    worse, does the fitted rule grow it again in the agents' place?
    observational   does what was grown look like what is seen outside?

Each rule is a few lines over numbers passed in; nothing is looked up and nothing weighed by hand. An
interval that reaches across the line is "undecided", and no data is "no evidence": neither is a failure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from cloudchamber.measures.estimate import Estimate
from cloudchamber.validation.comparison import Comparison
from cloudchamber.validation.permutation import Distance

__all__ = [
    "Answer",
    "Contrast",
    "Criterion",
    "Regrown",
    "Rival",
    "Verdict",
    "descriptive",
    "explanatory",
    "observational",
]

Answer = Literal["met", "not met", "undecided", "no evidence"]


@dataclass(frozen=True)
class Verdict:
    """One answer, why, and what would overturn it."""

    name: str
    """descriptive, explanatory or observational."""
    answer: Answer
    """met, not met, undecided or no evidence."""
    because: tuple[str, ...]
    """Plain sentences with the numbers that decided."""
    overturn: str
    """The finding that would change the answer."""

    def sentence(self) -> str:
        """The verdict as it is read aloud."""
        return f"{self.name.capitalize()} adequacy: {self.answer}. {' '.join(self.because)}"


@dataclass(frozen=True)
class Criterion:
    """One condition of the phenomenon: a measure that must lie beyond a bound."""

    measure: str
    """What is measured, as the sentence names it."""
    estimate: Estimate
    """Over runs."""
    bound: float
    """E.g. the measure's value under independent choice."""
    above: bool = True
    """Whether the measure must lie above the bound, or below it."""


@dataclass(frozen=True)
class Contrast:
    """What becomes of the phenomenon's measure when one part of the hypothesis is taken out."""

    removed: str
    """The part, e.g. "likes: hidden instead of shown"."""
    difference: Estimate
    """The excess over the null, whole hypothesis less the one without the part; above 0: it matters."""
    least: float = 0.0
    """The smallest change that would matter, in the measure's units."""


@dataclass(frozen=True)
class Rival:
    """Another micro-rule for the same decisions, scored on runs that neither was fitted to."""

    name: str
    """The rival mechanism."""
    advantage: Estimate
    """Held-out log-likelihood a decision, the hypothesis less the rival, over runs; above 0 speaks for it."""
    holds: bool = False
    """Whether the hypothesis is a special case of it: then it tells nothing by predicting as well."""


@dataclass(frozen=True)
class Regrown:
    """What grew when the fitted mechanism of the hypothesis took the agents' place."""

    answer: Literal["sufficient", "not sufficient", "cannot tell"]
    because: str
    """A sentence with the numbers that decided."""


def descriptive(criteria: Sequence[Criterion], doubts: Sequence[str] = ()) -> Verdict:
    """Was the phenomenon grown?

    Met if each criterion's interval lies wholly beyond its bound; not met if one lies wholly on the other
    side; else undecided. A doubt (a failed manipulation check, a cell with half its answers unparseable)
    makes it undecided either way.

    Args:
        criteria: all of them are needed.
        doubts: sentences on why the numbers may not mean what they say.
    """
    overturn = "More runs whose interval lies on the other side of the criterion's bound."
    if not criteria:
        return Verdict(
            "descriptive",
            "no evidence",
            ("No criterion was measured.",),
            "A run with a measured criterion.",
        )
    sides = [_side(c.estimate, c.bound, c.above) for c in criteria]
    because = [
        f"{c.measure} is {c.estimate}; the criterion asks for {'above' if c.above else 'below'} "
        f"{c.bound:.3g}: {side}."
        for c, side in zip(criteria, sides, strict=True)
    ]
    return Verdict("descriptive", _all(sides, doubts), (*because, *doubts), overturn)


def explanatory(
    contrasts: Sequence[Contrast],
    rivals: Sequence[Rival] | None = None,
    doubts: Sequence[str] = (),
    *,
    regrown: Regrown | None = None,
    unknown: Sequence[str] = (),
) -> Verdict:
    """Is it the stated micro-rule that grows the phenomenon?

    Met if taking out each part that the hypothesis names lowers the phenomenon's measure (interval wholly
    above the least change that matters), each rival predicts held-out decisions worse (interval wholly
    above 0), and the fitted rule in the agents' place grows the same pattern. Not met if one of them is
    shown to be otherwise: a rule that fits the choices and does not regrow the pattern does not explain it.
    Else undecided, as where rivals or regrowth are lacking: that one rule suffices does not say that another
    would not. A doubt makes it undecided.

    Args:
        contrasts: knock-outs and baselines, one for each part that the hypothesis says is needed.
        rivals: other mechanisms, if they were compared.
        doubts: sentences on why the numbers may not mean what they say.
        regrown: what the fitted mechanism grew, if it was tried.
        unknown: what the choices do not tell of the mechanism's parameters, as sentences; said, and no
            more: a rule may predict one thing whichever of its parameters it is by.
    """
    if not contrasts and not rivals and regrown is None:
        return Verdict(
            "explanatory",
            "no evidence",
            ("No part of the hypothesis was taken out to see whether the phenomenon stays.",),
            "A contrast with a part of the hypothesis taken out.",
        )
    told = [*map(_contrasted, contrasts), *map(_rivalled, rivals or ())]
    if not contrasts:
        told.append(("undecided", "No part of the hypothesis was taken out."))
    if not rivals:
        told.append(("undecided", "Rival mechanisms were not compared."))
    told.append(_regrown(regrown))
    return Verdict(
        "explanatory",
        _all([side for side, _ in told], doubts),
        (*(sentence for _, sentence in told), *map(_unknown, unknown), *doubts),
        "A rival mechanism that predicts held-out runs as well, the phenomenon growing without one of the "
        "parts, or a condition in which the fitted mechanism does not regrow it.",
    )


def _contrasted(contrast: Contrast) -> tuple[Answer, str]:
    side = _side(contrast.difference, contrast.least, True)
    told = {
        "met": "the phenomenon weakens, as the hypothesis says",
        "not met": "it does not weaken by as much as would matter, against the hypothesis",
        "undecided": "no change can be told from chance",
    }[side]
    return side, f"With {contrast.removed}, the excess {_moved(contrast.difference)}: {told}."


def _rivalled(rival: Rival) -> tuple[Answer, str]:
    if rival.advantage.value == inf:
        return "met", f"Of {rival.name} some choices show that it cannot be: the rival does worse."
    side = _side(rival.advantage, 0, True)
    told = {
        "met": "the rival does worse",
        "not met": "the rival does better",
        "undecided": "they cannot be told apart",
    }[side]
    if rival.holds and side == "undecided":
        side, told = "met", "the rival, which holds the hypothesis and more, does no better"
    elif rival.holds and side == "not met":
        told = "the rival, which holds the hypothesis and more, does better: something is left out"
    return side, (
        f"On held-out runs the hypothesis is ahead of {rival.name} by {rival.advantage} (nats a "
        f"decision): {told}."
    )


def _regrown(regrown: Regrown | None) -> tuple[Answer, str]:
    if regrown is None:
        return (
            "undecided",
            "No fitted mechanism was put in the agents' place to regrow the pattern.",
        )
    sides: dict[str, Answer] = {
        "sufficient": "met",
        "not sufficient": "not met",
        "cannot tell": "undecided",
    }
    return sides[regrown.answer], regrown.because


def _unknown(sentence: str) -> str:
    return f"Of the parameters the choices do not tell all: {sentence}."


def observational(
    comparison: Comparison | None,
    tolerance: float | None = None,
    level: float = 0.05,
    published: Sequence[str] = (),
) -> Verdict:
    """Does what was grown look like what is seen outside?

    Not met if a measure's two intervals do not overlap, or the shape or the course differs (permutation
    test, the level shared between them). Met if nothing differs and, besides, the whole interval of the
    difference of each measure lies within a tolerance stated beforehand: finding no difference is not
    finding agreement. Else undecided. Without field data, no evidence; published numbers of another
    setting are quoted and decide nothing.

    Args:
        comparison: with field data; None if there were none.
        tolerance: the largest difference in a measure that still counts as the same, as a share of the
            field's value; e.g. 0.2.
        level: chance of a false "not met" from the permutation tests together.
        published: sentences of published comparators.
    """
    if comparison is None:
        return Verdict(
            "observational",
            "no evidence",
            ("No field data have been given yet.", *_quoted(published)),
            "Field data that tell the same measure.",
        )
    sides: list[Answer] = []
    because = []
    for beside in comparison.measures:
        furthest = max(abs(beside.difference.low), abs(beside.difference.high))
        close = tolerance is not None and furthest <= tolerance * beside.field.value
        apart = beside.overlap is False
        sides.append("not met" if apart else "met" if beside.overlap and close else "undecided")
        because.append(beside.sentence())
    tests = [d for d in (comparison.shape, comparison.course) if d is not None]
    for distance in tests:
        sides.append(_test(distance, level / len(tests)))
        because.append(distance.sentence(level / len(tests)))
    if tolerance is None and "not met" not in sides:
        because.append(
            "No tolerance was stated beforehand, so agreement cannot be told from too little data."
        )
    return Verdict(
        "observational",
        _all(sides, ()),
        (*because, *comparison.notes, *_quoted(published)),
        "More worlds, or another field, in which the measures, the shape or the course come out otherwise.",
    )


def _moved(lost: Estimate) -> str:
    """What becomes of the measure when it loses so much, in words whose sign is plain."""
    if lost.value >= 0 or not lost.known:
        return f"falls by {lost}"
    gained = replace(lost, value=-lost.value, low=-lost.high, high=-lost.low)
    return f"rises by {gained}"


def _side(estimate: Estimate, bound: float, above: bool) -> Answer:
    """Where the interval lies: beyond the bound, short of it, or across; under four runs decide nothing."""
    if not estimate.known or estimate.few:
        return "undecided"
    beyond, short = estimate.low > bound, estimate.high < bound
    if not above:
        beyond, short = short, beyond
    return "met" if beyond else "not met" if short else "undecided"


def _all(sides: Sequence[Answer], doubts: Sequence[str]) -> Answer:
    if doubts:
        return "undecided"
    if "not met" in sides:
        return "not met"
    return "undecided" if "undecided" in sides else "met"


def _test(distance: Distance, level: float) -> Answer:
    """A test that could not have found a difference leaves the question open."""
    differs = distance.differs(level)
    if differs is None:
        return "undecided"
    return "not met" if differs else "met"


def _quoted(published: Sequence[str]) -> list[str]:
    return [f"For comparison, not as evidence: {sentence}" for sentence in published]
