"""Rules: explicit decision rules over what is shown, each answering a whole batch with array operations.

A rule gives each option a weight; a choice among options is proportional to the weights. Where any number
of options may be taken, and where one is judged alone, it gives a probability instead.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cloudchamber import randomness
from cloudchamber.microspec.affordances import Affordances
from cloudchamber.microspec.population import Decider
from cloudchamber.microspec.value import Real, Whole
from cloudchamber.questions import Answers, Questions, Reals, draw
from cloudchamber.trace.tables import Kind

__all__ = ["Always", "PositionOnly", "Quality", "Random", "Rule", "SocialProof", "TwoStage"]

Gate = Literal["none", "hard", "exponential"]
Proof = Literal["none", "any", "linear", "log", "threshold"]
NotNegative = Annotated[Real, Field(ge=0)]
Positive = Annotated[Real, Field(gt=0)]


class Rule(Decider):
    """A decision rule; a rule of one's own needs `weights` and, for likes of any number, `inclusion`."""

    base: Annotated[Real, Field(ge=0, le=1)] = 0.2
    """Probability of taking an option of weight 1 that is judged on its own."""

    def weights(self, questions: Questions) -> Reals:
        """(rows, options): how strongly each option attracts; not negative."""
        raise NotImplementedError

    def amounts(self, questions: Questions) -> Reals:
        """(rows, options): how much of each, where acts are amounts; on `questions.scale`."""
        raise NotImplementedError

    def refuses(self, affordances: Affordances) -> str:
        """Why it cannot answer what these affordances ask; empty if it can."""
        amount = affordances.choose == "amount"
        needed = "amounts" if amount else "weights"
        if getattr(type(self), needed) is not getattr(Rule, needed):
            return ""
        asked = "amounts" if amount else "a choice"
        return f"the rule {self.kind!r} cannot answer where {asked} is asked for; use another"

    def inclusion(self, questions: Questions) -> Reals:
        """(rows, options): the probability of each option where it is judged on its own."""
        return np.minimum(self.base * self.weights(questions), 1.0)

    def answer(self, questions: Questions) -> Answers:
        """Draw from the rule's distribution under the questions' noise; amounts as they are."""
        if questions.kind is Kind.next:
            return draw(questions, (questions.items >= 0).astype(np.float64))
        if questions.kind is Kind.amount:
            rows, options = questions.items.shape
            every = np.broadcast_to(np.arange(options, dtype=np.int32), (rows, options))
            return Answers(every, amounts=np.asarray(self.amounts(questions), np.float64))
        if questions.kind is Kind.judge or questions.choose.how == "any":
            return draw(questions, self.inclusion(questions))
        decline = None
        if questions.choose.may_decline:
            # As if each option were judged alone: nothing is taken when every judgement is a no.
            inclusion = np.where(questions.items >= 0, self.inclusion(questions), 0.0)
            inclusion = np.minimum(inclusion, 1 - 1e-12)
            none = np.exp(np.log1p(-inclusion).sum(axis=1))
            weights = np.where(questions.items >= 0, self.weights(questions), 0.0)
            with np.errstate(divide="ignore", invalid="ignore"):
                decline = weights.sum(axis=1) * none / (1 - none)
            decline[none == 1.0] = np.inf  # nothing is ever taken
            return draw(questions, weights, decline)
        return draw(questions, self.weights(questions), decline)


class Random(Rule):
    """Every option alike."""

    kind: Literal["random"] = "random"

    def weights(self, questions: Questions) -> Reals:
        """1 for each."""
        return np.broadcast_to(1.0, questions.items.shape)

    def amounts(self, questions: Questions) -> Reals:
        """Each uniform on the scale; scaled down where they are too much together."""
        scale = questions.scale
        assert scale is not None
        drawn = randomness.uniforms(questions.address.keys("amount"), questions.items)
        return scale.within(scale.least + drawn * (scale.most - scale.least))

    def aloud(self) -> str:
        """The rule in words."""
        return "a rule that chooses at random"


class Always(Rule):
    """One item, whatever is shown: a committed agent. It does nothing where the item is not offered."""

    kind: Literal["always"] = "always"
    item: Annotated[Whole, Field(ge=0)] = 0
    """The item, counted from 0."""

    def weights(self, questions: Questions) -> Reals:
        """1 for the item, 0 for all others."""
        return np.asarray(questions.items == self.item, np.float64)

    def inclusion(self, questions: Questions) -> Reals:
        """Certain, where it is judged on its own too."""
        return self.weights(questions)

    def aloud(self) -> str:
        """The rule in words."""
        return f"a rule that always chooses item {self.item}"


class PositionOnly(Rule):
    """Only the place counts: the first `width` places alike, or falling off as exp(-(place - 1) / width)."""

    kind: Literal["position-only"] = "position-only"
    gate: Gate = "exponential"
    width: Positive = 5.0

    def weights(self, questions: Questions) -> Reals:
        """The gate at each place."""
        return np.broadcast_to(
            gate(self.gate, self.width, questions.items.shape[1]), questions.items.shape
        )

    def aloud(self) -> str:
        """The rule in words."""
        return f"a rule that looks at the place alone, {_gate(self.gate, self.width)}"


class SocialProof(Rule):
    """Only the shown likes count, as a factor on the weight.

    any: e^strength from the first like on; threshold: e^strength from `threshold` likes on; linear:
    1 + strength * likes (with strength 1 and one like a decision, a Polya urn); log: 1 + strength *
    log(1 + likes).
    """

    kind: Literal["social-proof"] = "social-proof"
    proof: Proof = "linear"
    strength: NotNegative = 1.0
    threshold: NotNegative = 1.0

    def weights(self, questions: Questions) -> Reals:
        """The factor of what is shown."""
        likes = questions.shown("likes")
        if self.proof in ("linear", "log"):
            told = np.log1p(likes) if self.proof == "log" else likes
            return 1.0 + self.strength * told
        return _exp(self.strength * proof(self.proof, self.threshold, likes))

    def aloud(self) -> str:
        """The rule in words."""
        return f"a rule that looks at the likes alone ({self.proof}, strength {self.strength:g})"


class Quality(Rule):
    """Only the item's quality counts: e^(strength * quality)."""

    kind: Literal["quality"] = "quality"
    strength: Real = 1.0

    def weights(self, questions: Questions) -> Reals:
        """The exponential of quality."""
        return _exp(self.strength * _quality(questions))

    def aloud(self) -> str:
        """The rule in words."""
        return f"a rule that looks at the quality alone (strength {self.strength:g})"


class TwoStage(Rule):
    """Consider, then choose: the place decides what is considered, appeal and shown likes the rest.

    weight = gate(place) * sigmoid(appeal + taste * quality + strength * proof(likes)), which is also the
    probability where an option is judged alone: position gates what is considered, likes act inside.
    """

    kind: Literal["two-stage"] = "two-stage"
    gate: Gate = "hard"
    width: Positive = 5.0
    appeal: Real = -1.0
    """Log-odds of liking an item of quality 0 without likes, once considered."""
    taste: Real = 1.0
    """Weight of the item's quality."""
    proof: Proof = "any"
    strength: Real = 1.5
    """Log-odds added by the shown likes."""
    threshold: NotNegative = 1.0

    def weights(self, questions: Questions) -> Reals:
        """Gate times inclination."""
        return self.inclusion(questions)

    def inclusion(self, questions: Questions) -> Reals:
        """Gate times inclination."""
        rows, options = questions.items.shape
        considered = np.trim_zeros(gate(self.gate, self.width, options), "b")
        # What stands where nobody looks needs no inclination.
        first = slice(len(considered))
        inclined: Reals = np.full((rows, len(considered)), self.appeal)
        if self.taste and "quality" in questions.content:
            inclined += self.taste * questions.content["quality"][questions.items[:, first]]
        if self.strength and "likes" in questions.signals and self.proof != "none":
            likes = questions.shown("likes")[:, first]
            inclined += self.strength * proof(self.proof, self.threshold, likes)
        np.negative(inclined, out=inclined)
        with np.errstate(over="ignore"):  # log-odds below -709 are a probability of 0
            np.exp(inclined, out=inclined)
        inclined += 1.0
        weights = np.zeros((rows, options))
        np.divide(considered, inclined, out=weights[:, first])
        return weights

    def aloud(self) -> str:
        """The rule in words."""
        return (
            f"a rule that considers items by place, {_gate(self.gate, self.width)}, then chooses by "
            f"appeal and likes ({self.proof}, strength {self.strength:g})"
        )


def gate(form: Gate, width: float, options: int) -> Reals:
    """(options,): the probability that the option at each place is considered."""
    place = np.arange(options, dtype=np.float64)
    if form == "hard":
        return (place < width).astype(np.float64)
    return np.exp(-place / width) if form == "exponential" else np.ones(options)


def proof(form: Proof, threshold: float, likes: Reals) -> Reals:
    """How much the shown likes say, before it is weighted."""
    if form == "any":
        return (likes > 0).astype(np.float64)
    if form == "threshold":
        return (likes >= threshold).astype(np.float64)
    if form == "log":
        return np.log1p(likes)
    return likes if form == "linear" else np.zeros(likes.shape)


def _exp(log_weight: Reals) -> Reals:
    """The exponential, each row shifted as far as it takes to keep its largest weight finite and not 0."""
    most = log_weight.max(axis=1, keepdims=True)
    return np.asarray(np.exp(log_weight - (most - np.clip(most, -690.0, 690.0))))


def _quality(questions: Questions) -> Reals:
    quality = questions.content.get("quality")
    if quality is None:
        return np.zeros(questions.items.shape)
    return quality[questions.items]


def _gate(form: Gate, width: float) -> str:
    told = {"hard": f"the first {width:g} only", "exponential": f"fading over {width:g} places"}
    return told.get(form, "all alike")
