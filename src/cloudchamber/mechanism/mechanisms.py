"""Mechanisms: explicit micro rules with parameters, fitted to a trace, acting in the place of agents."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from cloudchamber.mechanism.by_context import By, singles
from cloudchamber.mechanism.choice_data import Asked, ChoiceData
from cloudchamber.mechanism.content_terms import LabelEffects
from cloudchamber.mechanism.place_terms import FallOff, Gate, PlaceEffects
from cloudchamber.mechanism.shown import Shown, shown_to
from cloudchamber.mechanism.term import TermOf
from cloudchamber.mechanism.terms import Place, Term
from cloudchamber.microspec.population import Decider
from cloudchamber.microspec.value import Real
from cloudchamber.questions import Answers, Questions, Reals, draw
from cloudchamber.trace.tables import Kind

__all__ = ["ConsiderThenChoose", "Logit", "Mechanism"]


class Mechanism(Decider):
    """P(decision given exposures): terms that add up to how strongly each option attracts.

    Chosen is one option (or several, one after the other) with probability proportional to its weight;
    where any number may be taken, and where an option is judged alone, each is included on its own.
    """

    terms: tuple[Term, ...] = ()
    appeal: Real = 0.0
    """Log-odds of an option to which no term adds anything, judged on its own."""
    decline: Real | None = None
    """Log weight of choosing nothing, where that is allowed; None: nothing is never chosen."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [name for term in self.parts for name in term.names]
        names += [f"effects of {term.equation()}" for term in self.parts if not term.names]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"terms: two terms have the same parameter {', '.join(twice)}; drop one"
            )
        return self

    @cached_property
    def parts(self) -> tuple[Any, ...]:
        """All terms, those that decide what is considered among them."""
        return self.terms

    @property
    def gate(self) -> TermOf | None:
        """The term that decides what is considered, where there is one."""
        return None

    @property
    def squashed(self) -> bool:
        """Whether what the terms add up to goes through a sigmoid before it is a weight."""
        return False

    @property
    def reads_text(self) -> bool:
        """Whether options need labels."""
        return any(isinstance(one, LabelEffects) for term in self.terms for one in singles(term))

    @cached_property
    def singly(self) -> bool:
        """Whether it reads what was heard act by act."""
        return any(term.singly for term in self.parts)

    def names(self, asked: Asked) -> tuple[str, ...]:
        """The names of the parameters that bear on such answers, in order."""
        named = [name for term in self.parts for name in term.names]
        if self.squashed or asked == "any":
            named.append("appeal")
        if asked == "one" and self.decline is not None:
            named.append("decline")
        return tuple(named)

    def values(self, asked: Asked) -> Reals:
        """(parameters,): their values."""
        given = {"appeal": self.appeal, "decline": self.decline}
        own = [value for term in self.parts for value in term.values]
        rest = self.names(asked)[len(own) :]
        return np.array([*own, *(given[name] for name in rest)], np.float64)

    def with_values(self, values: Reals, asked: Asked) -> Self:
        """The same mechanism with other parameters."""
        told = [float(value) for value in values]
        changed: dict[str, Any] = {}
        start = 0
        terms = []
        for term in self.parts:
            stop = start + len(term.names)
            terms.append(term.with_values(tuple(told[start:stop])))
            start = stop
        changed |= dict(zip(self.names(asked)[start:], told[start:], strict=True))
        return self._rebuilt(tuple(terms), changed)

    def fitting(self, data: ChoiceData) -> Self:
        """The same with a parameter for each place, item or label that the data have."""
        shown = data.shown(slice(None))
        return self._rebuilt(tuple(term.fitting(shown) for term in self.parts), {})

    def at(self, **context: int | str) -> Self:
        """The same mechanism in one context: what differs by it is as it is there.

        Args:
            context: a level for each, e.g. ``cell="hidden"``; others go on differing.
        """
        terms = [term.at(context) if isinstance(term, By) else term for term in self.parts]
        return self._rebuilt(tuple(term for term in terms if term is not None), {})

    @property
    def starts(self) -> Mapping[int, tuple[float, ...]]:
        """Parameters by which the likelihood may have several tops, by place, and where else to begin."""
        found: dict[int, tuple[float, ...]] = {}
        start = 0
        for term in self.parts:
            found |= {start + at: values for at, values in term.starts.items()}
            start += len(term.names)
        return found

    def smoothing(self, asked: Asked) -> tuple[float, Reals, Reals]:
        """What smoothing adds to the log-likelihood, its slope and minus its curvature, by parameter."""
        total, size, start = 0.0, len(self.names(asked)), 0
        slope, curvature = np.zeros(size), np.zeros(size)
        for term in self.parts:
            stop, prior = start + len(term.names), term.prior()
            if prior is not None:
                total += prior[0]
                slope[start:stop], curvature[start:stop] = prior[1:]
            start = stop
        return total, slope, curvature

    def _rebuilt(self, parts: tuple[Any, ...], changed: dict[str, Any]) -> Self:
        return self.altered(terms=parts, **changed)

    def inclination(self, shown: Shown) -> Reals:
        """(n, k): what the terms add up to."""
        return _sum(self.terms, shown)

    def log_weights(self, shown: Shown, inclined: Reals | None = None) -> Reals:
        """(n, k): the log weight of each option in a choice; minus infinity where it cannot be picked.

        Args:
            shown: the options.
            inclined: what `inclination` says of them, where that is known already.
        """
        return _closed(self.inclination(shown) if inclined is None else inclined, shown)

    def inclusion(self, shown: Shown) -> Reals:
        """(n, k): the probability of each option where it is judged on its own."""
        return np.exp(_closed(log_sigmoid(self.appeal + self.inclination(shown)), shown))

    def answer(self, questions: Questions) -> Answers:
        """Draw from the mechanism's distribution under the questions' noise."""
        if questions.kind is Kind.next:
            return draw(questions, (questions.items >= 0).astype(np.float64))
        shown = shown_to(questions, self.singly)
        if questions.kind is Kind.judge or questions.choose.how == "any":
            return draw(questions, np.minimum(self.inclusion(shown), 1.0))
        weights = self.log_weights(shown)
        most = weights.max(axis=1, keepdims=True)
        none = self.decline if questions.choose.may_decline else None
        most = np.maximum(most, -np.inf if none is None else none)
        most = np.where(np.isfinite(most), most, 0.0)
        decline = None if none is None else np.exp(none - most[:, 0])
        return draw(questions, np.exp(weights - most), decline)

    def equation(self) -> str:
        """The mechanism as an equation, with the values of its parameters."""
        raise NotImplementedError

    def _added(self, appeal: bool) -> str:
        told = [f"{self.appeal:.3g}"] if appeal else []
        told += [term.equation() for term in self.terms]
        return " + ".join(told).replace("+ -", "- ") or "0"


class Logit(Mechanism):
    """Conditional logit: an option's weight is e to the sum of its terms (McFadden 1974).

    Judged alone, or where any number may be taken, an option is included with the log-odds of appeal plus
    the same sum.
    """

    kind: Literal["logit"] = "logit"

    def equation(self) -> str:
        """The choice among options; the appeal plays a part only where they are judged alone."""
        none = "" if self.decline is None else f", P(none) ∝ exp({self.decline:.3g})"
        return f"P(i) ∝ exp({self._added(appeal=False)}){none}"

    def aloud(self) -> str:
        """The mechanism in words."""
        return f"a conditional logit mechanism, {self.equation()}"


class ConsiderThenChoose(Mechanism):
    """Two stages: the place decides what is considered, the rest chooses within.

    weight = gate(place) * sigmoid(appeal + terms), which is also the probability where an option is judged
    alone. With a gate and the signal "any" it is the rule `agents.TwoStage`.
    """

    kind: Literal["consider-then-choose"] = "consider-then-choose"
    considered: Place = Gate()
    """How likely an option at each place is considered: a gate, a fall-off, or an effect of each place."""

    @model_validator(mode="after")
    def _by_place(self) -> Self:
        gate = self.considered
        if isinstance(gate, By) and (
            gate.besides is not None or not isinstance(gate.term, PlaceEffects | FallOff | Gate)
        ):
            raise ValueError(
                f"considered: {gate.term.kind} by {gate.by} given; allowed: a place term, at every level"
            )
        return self

    @cached_property
    def parts(self) -> tuple[Any, ...]:
        """The place first."""
        return (self.considered, *self.terms)

    @property
    def gate(self) -> TermOf:
        """The place."""
        return self.considered

    @property
    def squashed(self) -> bool:
        """The second stage is a yes or no to each."""
        return True

    def _rebuilt(self, parts: tuple[Any, ...], changed: dict[str, Any]) -> Self:
        return self.altered(considered=parts[0], terms=parts[1:], **changed)

    def log_weights(self, shown: Shown, inclined: Reals | None = None) -> Reals:
        """(n, k): log of the gate times the probability of a yes."""
        known = self.inclination(shown) if inclined is None else inclined
        yes = log_sigmoid(self.appeal + known)
        return _closed(yes + self.considered.log_weight(shown), shown)

    def inclusion(self, shown: Shown) -> Reals:
        """(n, k): the gate times the probability of a yes."""
        return np.minimum(np.exp(self.log_weights(shown)), 1.0)

    def equation(self) -> str:
        """Both stages."""
        none = "" if self.decline is None else f", P(none) ∝ exp({self.decline:.3g})"
        gate = self.considered.equation()
        return f"P(i) ∝ exp({gate})·sigmoid({self._added(appeal=True)}){none}"

    def aloud(self) -> str:
        """The mechanism in words."""
        return f"a mechanism that considers by place, then chooses, {self.equation()}"


def _sum(terms: tuple[TermOf, ...], shown: Shown) -> Reals:
    whole = np.zeros(shown.item.shape)
    for term in terms:
        whole += term.log_weight(shown)
    return whole


def log_sigmoid(v: Reals) -> Reals:
    """log(1 / (1 + e^-v)), to rounding, without overflow."""
    # As np.logaddexp, three times as fast.
    return np.asarray(np.minimum(v, 0.0) - np.log(1.0 + np.exp(-np.abs(v))))


def _closed(log_weights: Reals, shown: Shown) -> Reals:
    return log_weights if shown.open is None else np.where(shown.open, log_weights, -np.inf)
